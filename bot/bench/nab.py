"""Scores of the Numenta Anomaly Benchmark (Lavin & Ahmad 2015, arXiv:1510.03336, and its program's rules).

A value at or above the threshold is a detection. In each labelled window only the earliest detection counts, the more
the earlier; a window without one costs a miss; a detection outside costs more the further it lies behind the last
window. What the detector says in a series' first part is not scored. The threshold is the one that is best for the
whole corpus. 100 is a perfect detector, 0 is one that never says anything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp

PROBATION = 0.15
LONGEST_PROBATION = 750  # values: 15 % of 5,000
_FAR = 3.0  # window widths behind a window from which on a false detection costs all


@dataclass(frozen=True, slots=True)
class Profile:
    """What a miss and a false detection cost, against one for a perfect detection."""

    miss: float
    false: float


STANDARD = Profile(miss=1.0, false=0.11)
LOW_FALSE = Profile(miss=1.0, false=0.22)


@dataclass(frozen=True, slots=True)
class Series:
    """The moments of a series' values (any comparable kind) and its windows, both ends included."""

    times: Sequence[float]
    windows: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Scored:
    value: float
    threshold: float


def position_worth(position: float) -> float:
    """What a detection is worth at a place relative to a window: -1 its left end, 0 its right, above 0 behind it."""
    return -1.0 if position >= _FAR else 2 / (1 + exp(5 * position)) - 1


def worths(series: Series) -> list[tuple[int, float] | None]:
    """For each value the window it lies in (-1: none) and what a detection there is worth; None on probation."""
    times = list(series.times)
    places = [(times.index(start), times.index(end)) for start, end in series.windows]
    probation = min(int(PROBATION * len(times)), LONGEST_PROBATION)
    best = position_worth(-1.0)
    found: list[tuple[int, float] | None] = []
    window = 0
    for place in range(len(times)):
        while window < len(places) and places[window][1] < place:
            window += 1
        if window < len(places) and places[window][0] <= place:
            start, end = places[window]
            worth = window, position_worth(-(end - place + 1) / (end - start + 1)) / best
        elif window:
            start, end = places[window - 1]
            worth = -1, position_worth((place - end) / max(1, end - start))
        else:
            worth = -1, -1.0
        found.append(worth if place >= probation else None)
    return found


def best_score(
    scores: Mapping[str, Sequence[float]],
    series: Mapping[str, Series],
    profile: Profile,
    threshold: float | None = None,
) -> Scored:
    """The corpus' score at its best threshold, or at the one given."""
    points: list[tuple[float, str, int, float]] = []
    for name, values in scores.items():
        for value, place in zip(values, worths(series[name]), strict=True):
            if place is not None:
                points.append((value, name, *place))
    points.sort(key=lambda point: -point[0])
    windows = sum(len(series[name].windows) for name in scores)
    silent = total = -profile.miss * windows
    reached: dict[tuple[str, int], float] = {}
    best = Scored(total, float("inf"))
    for index, (value, name, window, worth) in enumerate(points):
        if threshold is not None and value < threshold:
            break
        if window < 0:
            total += profile.false * worth
        else:
            before = reached.get((name, window), -profile.miss)
            reached[name, window] = max(before, worth)
            total += reached[name, window] - before
        last = index + 1 == len(points) or points[index + 1][0] != value
        if last and total > best.value and threshold is None:
            best = Scored(total, value)
    if threshold is not None:
        best = Scored(total, threshold)
    perfect = windows * (1 + profile.miss)
    return Scored(100 * (best.value - silent) / perfect if perfect else 0.0, best.threshold)
