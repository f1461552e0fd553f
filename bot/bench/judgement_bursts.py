"""How well bursts are found: mentions of five companies and taxi rides of the Numenta Anomaly Benchmark."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import process_time

import orjson

from bot.bench import nab
from bot.bench.judged import Judged, data_file, judged, peers
from bot.bench.result import Result
from bot.warning.burst import DAY_SECONDS, BurstDetector
from bot.warning.burst_csv import moment

TWEETS = "Twitter_volume_"
STANDARD, LOW_FALSE = 80, 72
QUIET = 1.0  # false episodes in thirty days of one series
EPISODE_GAP = DAY_SECONDS  # alarms that are closer belong to one episode


@dataclass(frozen=True, slots=True)
class Recorded:
    times: tuple[float, ...]
    values: tuple[float, ...]
    windows: tuple[tuple[float, float], ...]

    @property
    def days(self) -> float:
        return (self.times[-1] - self.times[0]) / DAY_SECONDS


@dataclass(frozen=True, slots=True)
class Detected:
    scores: tuple[float, ...]
    alarms: tuple[float, ...]
    """Moments of alarm."""


def load(folder: Path) -> dict[str, Recorded]:
    """Every series with its windows. Raises ``MissingData``."""
    labels = orjson.loads(data_file(folder, "nab/windows.json").read_bytes())
    found = {}
    for name, windows in labels.items():
        with data_file(folder, f"nab/{name}").open(newline="", encoding="utf-8") as lines:
            rows = [(moment(row["timestamp"]), float(row["value"])) for row in csv.DictReader(lines)]
        times, values = zip(*rows, strict=True)
        found[name] = Recorded(times, values, tuple((moment(start), moment(end)) for start, end in windows))
    return found


def detect(recorded: Recorded) -> Detected:
    detector = BurstDetector()
    readings = [detector.update(value, at) for at, value in zip(recorded.times, recorded.values, strict=True)]
    alarms = [at for at, reading in zip(recorded.times, readings, strict=True) if reading.alarm]
    return Detected(tuple(reading.score for reading in readings), tuple(alarms))


def false_episodes(recorded: Recorded, alarms: Sequence[float]) -> int:
    """Alarms outside every window, those within a day of each other as one."""
    last, episodes = float("-inf"), 0
    for at in alarms:
        if any(start <= at <= end for start, end in recorded.windows):
            continue
        episodes += at - last > EPISODE_GAP
        last = at
    return episodes


def bursts(folder: Path) -> list[Judged]:
    recorded = load(folder)
    begun = process_time()
    detected = {name: detect(one) for name, one in recorded.items()}
    seconds = process_time() - begun
    tweets = [name for name in recorded if name.startswith(TWEETS)]
    rows = scores(recorded, detected, tweets)
    days = sum(recorded[name].days for name in tweets)
    loud = sum(false_episodes(recorded[name], detected[name].alarms) for name in tweets)
    rows.append(Judged(Result(judged("burst_false", days=round(days)), 30 * loud / days, "", at_most=QUIET)))
    updates = sum(len(one.times) for one in recorded.values())
    rows.append(Judged(Result(judged("burst_rate"), updates / seconds, "/s")))
    return rows


def scores(recorded: Mapping[str, Recorded], detected: Mapping[str, Detected], tweets: list[str]) -> list[Judged]:
    """The corpus of tweets under both profiles, then each series at the corpus' thresholds, and the taxi rides."""
    series = {name: nab.Series(one.times, one.windows) for name, one in recorded.items()}
    found = {name: one.scores for name, one in detected.items()}
    chosen = {name: found[name] for name in tweets}
    standard = nab.best_score(chosen, series, nab.STANDARD)
    low = nab.best_score(chosen, series, nab.LOW_FALSE)
    rows = [
        Judged(Result(judged("burst_standard"), standard.value, "", at_least=STANDARD), peers("nab_standard")),
        Judged(Result(judged("burst_low"), low.value, "", at_least=LOW_FALSE), peers("nab_low")),
    ]
    for name in recorded:
        own = {name: found[name]}
        one = nab.best_score(own, series, nab.STANDARD, standard.threshold)
        two = nab.best_score(own, series, nab.LOW_FALSE, low.threshold)
        label = name.removeprefix(TWEETS).removesuffix(".csv")
        rows.append(Judged(Result(judged("burst_series", series=label, low=f"{two.value:.1f}"), one.value, "")))
    return rows
