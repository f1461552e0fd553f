"""Counts → signals → grade, purely. Every grade carries the signals that gave it.

Each metric is compared with four thresholds and gives a grade of its own. Metrics fall into dimensions (volume,
diffusion, attitude, content, carrier); an incident gets the highest grade that enough *different* dimensions reach,
so that one noisy number cannot raise an alarm. Red also takes a carrier that makes the matter public.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from bot import quick_yaml
from bot.model.grade import Carrier, Grade
from bot.model.post import Subject
from bot.model.signal import Signal
from bot.warning.baseline import Baseline
from bot.warning.metrics import Measured

DIMENSION = {
    "negative_60m": "volume",
    "negative_24h": "volume",
    "mentions_60m": "volume",
    "deviation_60m": "volume",
    "burst_60m": "volume",
    "speed_30m": "diffusion",
    "engagement_60m": "diffusion",
    "platforms_60m": "diffusion",
    "negative_share_60m": "attitude",
    "type_60m": "content",
    "keyword_60m": "content",
    "carrier_120m": "carrier",
}
_LADDER = (Grade.RED, Grade.ORANGE, Grade.YELLOW, Grade.BLUE)
# Counts that are no higher than usual are no news, however large: this many times the usual level at least.
USUAL_FACTOR = 1.5
# What a carrier is worth on the thresholds' scale; several media at once are worth two more.
CARRIER_WEIGHT = {
    Carrier.ORDINARY: 0,
    Carrier.KOL: 1,
    Carrier.TRADE_MEDIA: 2,
    Carrier.NATIONAL_MEDIA: 3,
    Carrier.HOT_LIST: 3,
}
SEVERAL_CARRIERS = 3


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The rules of one industry: ``metrics[name][grade word or "minimum"]``, ``need[grade]`` dimensions, factors."""

    metrics: Mapping[str, Mapping[str, float]]
    need: Mapping[str, int]
    numbers: Mapping[str, float]

    def hold(self, grade: Grade) -> int:
        """Milliseconds that signals must stay low before a grade is left."""
        return int(self.numbers[f"hold_minutes_{grade.word}" if grade > Grade.BLUE else "calm_minutes"] * 60_000)


@cache
def _presets() -> Mapping[str, Mapping[str, Any]]:
    text = resources.files(__package__).joinpath("thresholds.yaml").read_text(encoding="utf-8")
    return quick_yaml.load(text)  # type: ignore[no-any-return]


def preset_names() -> list[str]:
    return list(_presets())


def thresholds(preset: str, overrides: Mapping[str, Any] | None = None) -> Thresholds:
    """The rules of a preset (unknown ones: general) with a deployment's own values over them."""
    merged: dict[str, Any] = {**_presets()["general"], **_presets().get(preset, {})}
    for name, value in (overrides or {}).items():
        merged[name] = {**merged.get(name, {}), **value} if isinstance(value, Mapping) else value
    return Thresholds(
        metrics={name: merged[name] for name in DIMENSION},
        need={word: int(count) for word, count in merged["need"].items()},
        numbers={name: float(value) for name, value in merged.items() if not isinstance(value, Mapping)},
    )


def assess(
    measured: Measured, baseline: Baseline | None, subject: Subject, rules: Thresholds, *, factor: float = 1.0
) -> tuple[Grade, tuple[Signal, ...]]:
    """Grade and signals, strongest first. ``factor`` scales every threshold: below 1 in sensitive periods, and while
    asking whether a grade may be left."""
    if subject.sensitive:
        factor *= rules.numbers["sensitive_factor"]
    found = _signals(measured, baseline, rules, factor)
    if subject.kind != "own" and measured.carrier is Carrier.KOL:
        # One large account on a competitor or a policy is its opinion; on ourselves it is the beginning of something.
        found = [signal for signal in found if signal.metric != "carrier_120m"]
    signals = sorted(found, key=lambda signal: (-signal.grade, -_excess(signal), signal.metric))
    for grade in _LADDER:
        dimensions = {DIMENSION[signal.metric] for signal in signals if signal.grade >= grade}
        if len(dimensions) < rules.need[grade.word]:
            continue
        if grade is Grade.RED and CARRIER_WEIGHT[measured.carrier] < rules.numbers["red_carrier"]:
            continue
        return grade, tuple(signals)
    return Grade.NONE, ()


def _signals(measured: Measured, baseline: Baseline | None, rules: Thresholds, factor: float) -> list[Signal]:
    usual_negative = baseline.negative if baseline else None
    usual_mentions = baseline.mentions if baseline else None
    examples = measured.example_posts
    found: list[Signal | None] = []

    def reach(metric: str, window: int, value: float, **more: Any) -> None:
        found.append(_reach(rules, metric, window, value, factor, **more))

    if not _usual(measured.negative, usual_negative):
        reach("negative_60m", 60, measured.negative, baseline=usual_negative, posts=examples)
    if not _usual(measured.negative_day, usual_negative and usual_negative * 24):
        day_usual = usual_negative and usual_negative * 24
        reach("negative_24h", 1440, measured.negative_day, baseline=day_usual, posts=examples)
    if not _usual(measured.mentions, usual_mentions, factor=3.0):
        reach("mentions_60m", 60, measured.mentions, baseline=usual_mentions)
    if usual_negative is not None and measured.negative >= rules.metrics["deviation_60m"]["minimum"]:
        # Square roots make the spread of counts even: 2(√x − √b) is close to normal for Poisson counts (Anscombe 1948).
        deviation = 2 * (math.sqrt(measured.negative + 0.375) - math.sqrt(usual_negative + 0.375))
        reach("deviation_60m", 60, deviation, baseline=usual_negative, scaled=False)
    if measured.negative >= rules.metrics["burst_60m"]["minimum"]:
        value = min(100 * measured.burst, _burst_limit(measured.negative, rules, factor))
        reach("burst_60m", 60, value, baseline=usual_negative, detail=str(measured.negative), scaled=False)
    if measured.mentions >= rules.metrics["negative_share_60m"]["minimum"] and measured.negative:
        share = measured.negative / measured.mentions
        reach("negative_share_60m", 60, share, detail=f"{measured.negative}/{measured.mentions}", scaled=False)
    if measured.negative_recent >= rules.metrics["speed_30m"]["minimum"]:
        speed = measured.negative_recent / max(1, measured.negative_before)
        detail = f"{measured.negative_before}→{measured.negative_recent}"
        # From nothing to something is a start, not an eightfold growth: a ratio over a tiny base says little.
        reach("speed_30m", 30, min(speed, measured.negative_recent / 5), detail=detail, scaled=False)
    reach("engagement_60m", 60, measured.engagement, posts=examples)
    platforms = measured.reached
    reach("platforms_60m", 60, len(platforms), detail=",".join(platforms), scaled=False)
    if measured.types:
        kind, count = max(measured.types.items(), key=lambda item: (item[1], item[0]))
        reach("type_60m", 60, count, detail=kind)
    if measured.words:
        word, count = max(measured.words.items(), key=lambda item: (item[1], item[0]))
        reach("keyword_60m", 60, count, detail=word)
    weight = CARRIER_WEIGHT[measured.carrier]
    if weight >= CARRIER_WEIGHT[Carrier.TRADE_MEDIA] and measured.carriers >= SEVERAL_CARRIERS:
        weight += 2
    posts = (measured.carrier_post,) if measured.carrier_post else ()
    reach("carrier_120m", 120, weight, detail=measured.carrier.word, posts=posts, scaled=False)
    return [signal for signal in found if signal is not None]


def _burst_limit(negative: int, rules: Thresholds, factor: float) -> float:
    """A burst speaks one grade louder than its count at most: ten posts may be unheard of for a quiet subject, and are
    still ten posts."""
    counts, bursts = rules.metrics["negative_60m"], rules.metrics["burst_60m"]
    reached = max((grade for grade in _LADDER if negative >= counts[grade.word] * factor), default=Grade.NONE)
    beyond = [bursts[grade.word] for grade in _LADDER if grade > reached + 1]
    return min(beyond) - 1 if beyond else 100.0


def _usual(value: float, baseline: float | None, factor: float = USUAL_FACTOR) -> bool:
    """Whether a count is within what is usual: the usual level, some slack, and three of its standard deviations."""
    return baseline is not None and value <= max(factor * baseline, baseline + 3 * math.sqrt(baseline))


def _reach(
    rules: Thresholds,
    metric: str,
    window: int,
    value: float,
    factor: float,
    *,
    baseline: float | None = None,
    detail: str = "",
    posts: tuple[int, ...] = (),
    scaled: bool = True,
) -> Signal | None:
    """The signal of a value, or None below blue. Counts scale with the factor; shares, ratios and ranks do not."""
    ladder = rules.metrics[metric]
    for grade in _LADDER:
        threshold = ladder[grade.word] * (factor if scaled else 1.0)
        if value >= threshold and value > 0:
            return Signal(metric, window, value, round(threshold, 2), grade, baseline, detail, posts)
    return None


def _excess(signal: Signal) -> float:
    return signal.value / signal.threshold if signal.threshold else 0.0
