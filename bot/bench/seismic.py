"""The self-exciting estimate of SEISMIC, refitted here, as a baseline for the size of a cascade.

Zhao, Erdogdu, He, Rajaraman, Leskovec, "SEISMIC: A Self-Exciting Point Process Model for Predicting Tweet Popularity",
KDD 2015: every sharer exposes their followers, who react after a time with a power-law tail; the infectiousness is what
was shared over what was exposed, and the final size follows from the exposure still to come. Followers of those who
reposted are not in the data, so all have the same number, fitted with the correction constants on the training folds.
"""

from collections.abc import Sequence
from itertools import product

import numpy as np
import numpy.typing as npt

from bot.bench.cascades import FOLDS, Sample

_PLATEAU, _TAIL, _HEIGHT = 300.0, 0.242, 6.27e-4  # seconds, exponent, density: the paper's memory kernel
_FOLLOWERS = (100, 1_000, 10_000, 100_000)
_OWN = (0.0, 0.25, 0.5, 0.75)  # of the reposts' own infectiousness: the paper's gamma
_SCALES = np.geomspace(0.1, 20, 40)  # the paper's alpha

Vector = npt.NDArray[np.float64]


def _reacted(seconds: Vector) -> Vector:
    """The share of reactions that has come after so many seconds."""
    late = np.maximum(seconds, _PLATEAU)
    tail = _HEIGHT * _PLATEAU / _TAIL * (1 - (late / _PLATEAU) ** -_TAIL)
    return _HEIGHT * np.clip(seconds, 0, _PLATEAU) + tail


def _to_come(sample: Sample, followers: float, own: float) -> float:
    """What is still to come, before it is scaled."""
    ages = (sample.early.age - np.concatenate([[0.0], sample.early.times])) / 1000
    weights = np.ones(len(ages))
    weights[0] = max(1, sample.early.followers) / followers
    seen = _reacted(ages) / _reacted(np.array([1e12]))
    infectiousness = sample.count / max(1e-9, float(weights @ seen))
    return infectiousness * float(weights @ (1 - seen)) / max(0.05, 1 - own * infectiousness)


def held_out(found: Sequence[Sample]) -> list[float]:
    """The growth in logarithms to the final size, constants chosen without the fold that is foretold."""
    counts = np.array([sample.count for sample in found])
    finals = np.array([sample.sizes["final"] for sample in found])
    folds = np.array([sample.fold for sample in found])
    settings = list(product(_FOLLOWERS, _OWN))
    coming = {setting: np.array([_to_come(sample, *setting) for sample in found]) for setting in settings}
    predicted = np.zeros(len(found))
    for fold in range(FOLDS):
        training = folds != fold

        def error(setting: tuple[int, float], scale: float, chosen: npt.NDArray[np.bool_] = training) -> float:
            sizes = counts[chosen] + scale * coming[setting][chosen]
            return float(np.median(np.abs(sizes / finals[chosen] - 1)))

        setting, scale = min(product(settings, _SCALES.tolist()), key=lambda choice: error(*choice))
        rest = ~training
        predicted[rest] = np.log1p(scale * coming[setting][rest] / counts[rest])
    return predicted.tolist()
