"""Whether the ranges of the forecast hold what they promise, on recorded mentions, each made from the past alone."""

from collections.abc import Sequence
from pathlib import Path
from statistics import mean, median

from bot.bench.judged import Judged, judged
from bot.bench.judgement_bursts import TWEETS, Recorded, load
from bot.bench.result import Result
from bot.warning.burst import HOUR_SECONDS
from bot.warning.forecast import AHEAD, HORIZONS, forecast

FIRST = 72  # hours of history before the first forecast
EVERY = 3
LEAST = 70  # of a hundred, where eighty are promised
ENOUGH = 0.5  # of an hour's values, without which it counts as not measured

Counts = Sequence[float | None]


def hourly(recorded: Recorded) -> tuple[int, list[float | None]]:
    """The first whole hour and the counts of each from there on, None where half of the values are missing."""
    step = recorded.times[1] - recorded.times[0]
    found: dict[int, list[float]] = {}
    for at, value in zip(recorded.times, recorded.values, strict=True):
        found.setdefault(int(at // HOUR_SECONDS), []).append(value)
    full = HOUR_SECONDS / step
    first = min(found) + 1
    return first, [
        sum(values) / len(values) * full if len(values := found.get(hour, [])) >= ENOUGH * full else None
        for hour in range(first, max(found))
    ]


def forecasts(folder: Path) -> list[Judged]:
    inside: dict[int, list[bool]] = {horizon: [] for horizon in HORIZONS}
    errors: dict[int, list[float]] = {horizon: [] for horizon in HORIZONS}
    peaks: list[bool] = []
    for name, recorded in load(folder).items():
        if not name.startswith(TWEETS):
            continue
        first, counts = hourly(recorded)
        for now in range(FIRST, len(counts) - AHEAD, EVERY):
            coming = [count for count in counts[now + 1 : now + 1 + AHEAD] if count is not None]
            if len(coming) < AHEAD:
                continue
            found = forecast(counts[: now + 1], first + now)
            for horizon in HORIZONS:
                true, expected = sum(coming[:horizon]), found.volume[horizon]
                inside[horizon].append(expected.low <= true <= expected.high)
                errors[horizon].append(abs(expected.middle - true) / max(1.0, true))
            peaks.append(found.peak.low <= max(coming) <= found.peak.high)
    rows = []
    for horizon in HORIZONS:
        covered = 100 * mean(inside[horizon])
        off = f"{100 * median(errors[horizon]):.0f}"
        name_ = judged("forecast_inside", hours=horizon, off=off, count=len(inside[horizon]))
        rows.append(Judged(Result(name_, covered, "%", at_least=LEAST)))
    rows.append(Judged(Result(judged("forecast_peak"), 100 * mean(peaks), "%", at_least=LEAST)))
    return rows
