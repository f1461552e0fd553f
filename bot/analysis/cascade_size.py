"""How large a cascade will be, from how it began: "about 1,200 reposts by tomorrow if nothing changes (800-2,000)".

The growth still to come, ``log(size then / size now)``, is a linear function of what is known now: how many reposts
there are, how they lie within the time observed (a cascade that slows down has most behind it), the followers of the
source, how much is passed from hand to hand, the hour of the day. One such function for each of several ages, with
least absolute deviations, so that a few monsters do not bend it. The interval is that of held-out cascades with as many
reposts: it holds four of five. Weights: ``cascade_size.json``, made by ``bench/train_cascades.py``; see the model card.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt

HOUR = 3_600_000
DAY = 24 * HOUR
AGES = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 24.0, 48.0)
"""Hours since the source's post for which there is a function; the next lower one is used."""

TARGETS = ("tomorrow", "final")
LEAST = 5
"""Reposts without which nothing is said."""

BANDS = (20, 80)
"""Reposts at which the interval changes: few, some, many."""

_PARTS = (0.1, 0.25, 0.5, 0.75, 0.9)  # shares of the observed time at which reposts are counted
_ZONE = 8 * HOUR
_MOST_GROWTH = math.log(1_000)

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Early:
    """A cascade as observed for ``age`` milliseconds: ``times`` of its reposts since the source, sorted, none later
    than ``age``; ``started_at`` in Unix milliseconds; ``direct_share`` of reposts made from the source itself."""

    times: npt.NDArray[np.int64]
    age: int
    started_at: int
    followers: int = 0
    verified: bool = False
    direct_share: float = 1.0


@dataclass(frozen=True, slots=True)
class Expected:
    """Reposts altogether at a later moment "if nothing changes": the middle, and the bounds of four cases in five."""

    now: int
    middle: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Weights:
    """Of one age and target: ``mean`` and ``scale`` of the features, ``factors`` (the first is the constant), and per
    band of ``BANDS`` the tenth and ninetieth percentile of held-out errors of the logarithm. ``reach`` is the range of
    each feature in training: beyond it the function is held constant rather than continued."""

    mean: Vector
    scale: Vector
    factors: Vector
    reach: tuple[Vector, Vector]
    errors: tuple[tuple[float, float], ...]

    def growth(self, early: Early) -> float:
        """The logarithm of size then over size now, never below 0: reposts are not taken back."""
        values = (np.clip(features(early), *self.reach) - self.mean) / self.scale
        return min(_MOST_GROWTH, max(0.0, float(self.factors[0] + values @ self.factors[1:])))


def features(early: Early) -> Vector:
    """What the function knows of a cascade."""
    counts = np.searchsorted(early.times, [early.age * part for part in _PARTS], side="right").tolist()
    count = len(early.times)
    turn = 2 * math.pi * ((early.started_at + _ZONE) % DAY) / DAY
    middle = float(early.times[count // 2]) / early.age if count else 0.0
    return np.array(
        [
            math.log1p(count),
            *(math.log1p(count - part) for part in counts),
            math.log1p(max(0, early.followers)),
            float(early.verified),
            early.direct_share,
            middle,
            math.sin(turn),
            math.cos(turn),
            math.sin(2 * turn),
            math.cos(2 * turn),
        ]
    )


def expect(early: Early, target: str = "tomorrow", weights: "Mapping[str, Weights] | None" = None) -> Expected | None:
    """How many reposts there will be (``tomorrow``: a day from now; ``final``: in the end); None where too little is
    known: younger than the first of ``AGES`` or fewer than ``LEAST`` reposts."""
    count = len(early.times)
    hours = early.age / HOUR
    known = [age for age in AGES if age <= hours]
    if not known or count < LEAST:
        return None
    found = (weights or shipped())[key_of(known[-1], target)]
    growth = found.growth(early)
    below, above = found.errors[band_of(count)]
    middle = max(count, round(count * math.exp(growth)))
    low = max(count, round(count * math.exp(max(0.0, growth + below))))
    return Expected(count, middle, min(low, middle), max(middle, round(count * math.exp(growth + max(0.0, above)))))


def band_of(count: int) -> int:
    return sum(count >= border for border in BANDS)


def key_of(age: float, target: str) -> str:
    return f"{target}/{age:g}"


def fit(table: Sequence[Vector], growths: Sequence[float], errors: Sequence[tuple[float, float]] = ()) -> Weights:
    """Least absolute deviations by iteratively reweighted least squares, with a little ridge on the scaled features."""
    values, target = np.array(table), np.array(growths)
    mean, scale = values.mean(axis=0), np.maximum(values.std(axis=0), 1e-9)
    design = np.column_stack([np.ones(len(values)), (values - mean) / scale])
    ridge = np.eye(design.shape[1]) * 0.01 * len(values)
    ridge[0, 0] = 0
    weight = np.ones(len(values))
    factors = np.zeros(design.shape[1])
    for _ in range(60):
        weighted = design * weight[:, None]
        factors = np.linalg.solve(design.T @ weighted + ridge, weighted.T @ target)
        weight = 1 / np.maximum(np.abs(target - design @ factors), 0.02)
        weight /= weight.mean()
    bounds = tuple(errors) or ((0.0, 0.0),) * (len(BANDS) + 1)
    return Weights(mean, scale, factors, (values.min(axis=0), values.max(axis=0)), bounds)


def to_json(weights: Weights) -> dict[str, object]:
    return {
        "mean": _short(weights.mean), "scale": _short(weights.scale), "factors": _short(weights.factors),
        "reach": [_short(side) for side in weights.reach], "errors": [list(pair) for pair in weights.errors],
    }  # fmt: skip


@cache
def shipped() -> Mapping[str, Weights]:
    """The weights that come with Fengbo."""
    data = json.loads(resources.files("bot.analysis").joinpath("cascade_size.json").read_text(encoding="utf-8"))
    return {
        key: Weights(
            np.array(entry["mean"]), np.array(entry["scale"]), np.array(entry["factors"]),
            (np.array(entry["reach"][0]), np.array(entry["reach"][1])),
            tuple((float(low), float(high)) for low, high in entry["errors"]),
        )
        for key, entry in data["weights"].items()
    }  # fmt: skip


def _short(values: Vector) -> list[float]:
    return [round(float(value), 6) for value in values]
