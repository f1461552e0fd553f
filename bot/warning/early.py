"""The early-warning score, 0–100: how much speaks for a crisis now, from the same signals that give the grade.

Each dimension has up to 100 points: 25 for each grade that its strongest signal reached, and a share of the next 25 for
how far that signal is above its threshold (all of them at three times the threshold). The score joins the dimensions
like independent reasons, ``1 - (1 - w₁p₁)(1 - w₂p₂)…``, so that it rises with every further dimension and no dimension
alone goes far beyond one half. It orders incidents of one grade; it gives no grade, and never red.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import log, prod

from bot.model.grade import Grade
from bot.model.signal import Signal
from bot.warning.assess import DIMENSION

# How much a full dimension says alone. Set, not learnt: who carries a matter on says most about what becomes of it.
WEIGHT = {"carrier": 0.6, "volume": 0.5, "diffusion": 0.45, "content": 0.4, "attitude": 0.35}
POINTS = 25.0
NEXT_LEVEL = 3.0  # thresholds of one metric lie about this factor apart
_ALL = 1 - prod(1 - weight for weight in WEIGHT.values())


@dataclass(frozen=True, slots=True)
class EarlyWarning:
    """``parts`` are (dimension, points 0–100), most points first; dimensions without a signal are not there."""

    score: int
    parts: tuple[tuple[str, int], ...]


def early_warning(signals: Iterable[Signal]) -> EarlyWarning:
    points: dict[str, float] = {}
    for signal in signals:
        dimension = DIMENSION.get(signal.metric)
        if dimension is not None:
            points[dimension] = max(points.get(dimension, 0.0), _points(signal))
    joined = 1 - prod(1 - WEIGHT[dimension] * value / 100 for dimension, value in points.items())
    parts = sorted(((name, round(value)) for name, value in points.items()), key=lambda part: (-part[1], part[0]))
    return EarlyWarning(round(100 * joined / _ALL), tuple(parts))


def _points(signal: Signal) -> float:
    if signal.grade is Grade.RED:
        return 4 * POINTS
    above = signal.value / signal.threshold if signal.threshold > 0 else 1.0
    return POINTS * (int(signal.grade) + min(0.96, max(0.0, log(max(above, 1.0)) / log(NEXT_LEVEL))))
