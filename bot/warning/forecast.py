"""What comes next if nothing changes: volume, peak and negative share of the next hours, with ranges.

The usual level at each hour of the day, learnt from the subject's own hours, carries on; what lies above or below it
now fades by a constant share an hour. How wrong such a forecast usually is was measured once on recorded series
(``docs/MODEL_CARD.md``) and is scaled by how wrong it has been about this subject. Ranges hold eight of ten outcomes.
Pure; numbers only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, log1p, sqrt

import numpy as np
from numpy.typing import NDArray

HORIZONS = (1, 6, 24)
AHEAD = 24
WEEKS_HOURS = 8 * 168
FADE = 0.85  # of a departure from the usual is left after an hour
RECENT = (0.1, 0.3, 1.0)  # weights of the last three hours in today's departure
SMOOTH = 1.0  # visits of an hour of the day that count as much as what is known of it
FARTHEST = 2.0  # of one hour from the middle level, as a logarithm
MINIMUM_HOURS = 24  # with less nobody knows the rhythm of a day
PRIOR_ERRORS = 200.0  # hours that the measured size of errors is worth beside the subject's own
OWN_HORIZON = 6

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Spread:
    """Errors of one target as logarithms: ``base`` alone, ``excited`` for each unit of departure, and where the
    tenth, fiftieth and ninetieth of a hundred standardised errors lie."""

    base: float
    excited: float
    low: float
    middle: float
    high: float


SPREADS = {
    1: Spread(0.2, 0.28, -1.71, -0.08, 1.75),
    6: Spread(0.2, 0.22, -1.49, 0.08, 2.18),
    24: Spread(0.25, 0.15, -1.35, 0.33, 2.15),
}
PEAK = Spread(0.4, 0.35, -0.24, 1.0, 3.0)
FIRST_HOUR, LATER_HOURS = SPREADS[1], Spread(0.4, 0.5, -1.5, 0.0, 1.55)


@dataclass(frozen=True, slots=True)
class Range:
    """Eight of ten outcomes lie between ``low`` and ``high``, half of them below ``middle``."""

    low: float
    middle: float
    high: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """``volume[h]`` for the next ``h`` hours together; ``hours`` for each of the next 24; ``peak`` is the largest of
    those hours, expected ``peak_in`` hours from now (1: the next one)."""

    volume: dict[int, Range]
    hours: tuple[Range, ...]
    peak: Range
    peak_in: int


def forecast(history: Sequence[float | None], last_hour: int) -> Forecast:
    """``history`` holds counts an hour, oldest first, None where nothing was measured; its last entry is the last
    sixty minutes, and ``last_hour`` the number of that hour (Unix time in hours, for the rhythm of the day)."""
    if not history:
        raise ValueError("history")
    known = np.array([np.nan if count is None else count for count in history[-WEEKS_HOURS:]], dtype=np.float64)
    logs = np.log1p(known)
    usual, departure = _state(logs, last_hour)
    ahead = np.arange(1, AHEAD + 1)
    expected = np.maximum(0.0, np.expm1(usual[(last_hour + ahead) % 24] + FADE**ahead * departure))
    scale = _own_scale(logs, known, last_hour)
    volume = {
        horizon: _range(float(expected[:horizon].sum()), departure, spread, scale)
        for horizon, spread in SPREADS.items()
    }
    hours = tuple(
        _range(float(count), departure * FADE ** (lead - 1), _between(lead), scale)
        for lead, count in enumerate(expected, 1)
    )
    top = int(np.argmax(expected))
    return Forecast(volume, hours, _range(float(expected[top]), departure, PEAK, scale), top + 1)


def _state(logs: Numbers, last_hour: int) -> tuple[Numbers, float]:
    """The usual logarithm at each hour of the day, and today's departure from it."""
    slots = (last_hour - np.arange(len(logs) - 1, -1, -1)) % 24
    there = ~np.isnan(logs)
    if not there.any():
        return np.zeros(24), 0.0
    # What goes on now must not count as usual, unless nothing else is known.
    before = there.copy()
    before[-len(RECENT) :] = False
    middle = float(np.median(logs[before if before.any() else there]))
    usual = np.full(24, middle)
    if there.sum() >= MINIMUM_HOURS:
        off = np.clip(logs[there] - middle, -FARTHEST, FARTHEST)
        sums = np.bincount(slots[there], weights=off, minlength=24)
        usual += sums / (np.bincount(slots[there], minlength=24) + SMOOTH)
    recent = logs[-len(RECENT) :]
    weights = np.array(RECENT[-len(recent) :])
    seen = ~np.isnan(recent)
    if not seen.any():
        return usual, 0.0
    if there.sum() < MINIMUM_HOURS:  # on the first day the last hour says more than the ones before
        seen[: np.flatnonzero(seen)[-1]] = False
    away = recent - usual[slots[-len(recent) :]]
    return usual, float((away[seen] * weights[seen]).sum() / weights[seen].sum())


def _own_scale(logs: Numbers, known: Numbers, last_hour: int) -> float:
    """How large this subject's errors over six hours were against the measured ones: 1 without a history."""
    length = len(logs) - OWN_HORIZON
    if length < MINIMUM_HOURS:
        return 1.0
    usual, _ = _state(logs, last_hour)
    slots = (last_hour - np.arange(len(logs) - 1, -1, -1)) % 24
    away = logs - usual[slots]
    weights = np.array(RECENT)
    stacked = np.stack([away[2 : length + 2 - 2], away[1 : length - 1], away[: length - 2]])[::-1]
    departure = (stacked * weights[:, None]).sum(axis=0) / weights.sum()
    at = np.arange(2, length)
    total = np.zeros(len(at))
    found = np.zeros(len(at))
    for lead in range(1, OWN_HORIZON + 1):
        total += np.maximum(0.0, np.expm1(usual[slots[at + lead]] + FADE**lead * departure))
        found += known[at + lead]
    spread = SPREADS[OWN_HORIZON]
    size = np.sqrt(spread.base**2 + (spread.excited * departure) ** 2 + 1 / (1 + total))
    errors = np.abs((np.log1p(found) - np.log1p(total)) / size - spread.middle)
    errors = errors[~np.isnan(errors)]
    if not len(errors):
        return 1.0
    own = float(np.quantile(errors, 0.8)) / ((spread.high - spread.low) / 2)
    share = len(errors) / (len(errors) + PRIOR_ERRORS)
    return float(min(3.0, max(0.4, exp(share * log(max(own, 0.05))))))


def _between(lead: int) -> Spread:
    """A single hour ``lead`` hours from now: from the first hour's errors to those of later hours."""
    share = (1 - FADE ** (lead - 1)) / (1 - FADE ** (AHEAD - 1))
    first, later = FIRST_HOUR, LATER_HOURS
    return Spread(
        first.base + share * (later.base - first.base),
        first.excited + share * (later.excited - first.excited),
        first.low + share * (later.low - first.low),
        first.middle + share * (later.middle - first.middle),
        first.high + share * (later.high - first.high),
    )


def _range(expected: float, departure: float, spread: Spread, scale: float) -> Range:
    size = scale * sqrt(spread.base**2 + (spread.excited * departure) ** 2 + 1 / (1 + expected))
    low, middle, high = (
        max(0.0, exp(log1p(expected) + size * place) - 1) for place in (spread.low, spread.middle, spread.high)
    )
    return Range(low, middle, high)


SHARE_WEIGHTS = (1.0, 0.7, 0.5, 0.35, 0.25, 0.17)  # of the last six hours, newest first
SHARE_PRIOR, SHARE_PRIOR_POSTS = 0.3, 5.0  # a share that is worth five posts, so that two posts are no certainty
SHARE_DRIFT = 0.03  # how far shares of one story wander within a day, measured on recorded reposts
TENTH = 1.2816  # a normal variable exceeds this many standard deviations in one case of ten


def share_ahead(mentions: Sequence[float | None], negatives: Sequence[float | None], expected: float) -> Range:
    """The negative share among the next ``expected`` posts, from counts an hour (oldest first, None: not measured)."""
    posts, bad = SHARE_PRIOR_POSTS, SHARE_PRIOR_POSTS * SHARE_PRIOR
    for weight, all_, negative in zip(SHARE_WEIGHTS, reversed(mentions), reversed(negatives), strict=False):
        if all_ is not None and negative is not None:
            posts += weight * all_
            bad += weight * min(negative, all_)
    share = bad / posts
    size = TENTH * sqrt(share * (1 - share) * (1 / posts + 1 / max(1.0, expected)) + SHARE_DRIFT**2)
    return Range(max(0.0, share - size), share, min(1.0, share + size))
