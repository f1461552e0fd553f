"""Recorded cascades (``cascades/weibo_reposts.jsonl.gz``) as the analysis reads them."""

import gzip
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from bot.analysis.cascade import HOUR, Item, Tree, grow
from bot.analysis.cascade_size import AGES, BANDS, DAY, LEAST, TARGETS, Early, Weights, band_of, features, fit, key_of

FILE = Path("cascades") / "weibo_reposts.jsonl.gz"
CHINA = timezone(timedelta(hours=8))
FOLDS = 5


@dataclass(frozen=True, slots=True)
class Recorded:
    """``words`` are the texts of ``items``. ``timed`` says whether the source has a usable date; without one only the
    shape of the tree counts."""

    event: str
    text: str
    root: Item
    items: tuple[Item, ...]
    words: tuple[str, ...]
    verified: bool
    timed: bool


def load(data: Path) -> list[Recorded]:
    with gzip.open(data / FILE, "rb") as stream:
        return [_recorded(orjson.loads(line)) for line in stream]


def _recorded(row: dict[str, Any]) -> Recorded:
    started = _moment(row["time"])
    items, words = [], []
    for repost in row["reposts"]:
        at = _moment(repost["date"])
        if at is not None or started is None:
            items.append(Item(repost["id"], repost["parent"], at or 0, repost["author"]))
            words.append(repost["text"] or "")
    root = Item(f"root of {row['event']}", None, started or 0, followers=row["author"].get("followers") or 0)
    verified = bool(row["author"].get("verified"))
    return Recorded(row["event"], row["text"] or "", root, tuple(items), tuple(words), verified, started is not None)


def _moment(value: Any) -> int | None:
    """Unix milliseconds of an epoch or a full date in China; None for a date without a year."""
    if isinstance(value, int | float):
        return int(value * 1000)
    for form in ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"):
        try:
            return int(datetime.strptime(str(value), form).replace(tzinfo=CHINA).timestamp() * 1000)
        except ValueError:
            continue
    return None


def early(recorded: Recorded, tree: Tree, hours: float) -> Early:
    """What was known of a cascade after so many hours."""
    age = int(hours * HOUR)
    inside = [index for index in range(1, len(tree.items)) if tree.items[index].at - recorded.root.at < age]
    times = np.array([max(0, tree.items[index].at - recorded.root.at) for index in inside], dtype=np.int64)
    times.sort()
    direct = sum(tree.parents[index] == 0 for index in inside) / len(inside) if inside else 1.0
    return Early(times, age, recorded.root.at, recorded.root.followers, recorded.verified, direct)


@dataclass(frozen=True, slots=True)
class Sample:
    """One cascade at one age: what was known, and how many reposts there were a day later and in the end."""

    fold: int
    early: Early
    sizes: dict[str, int]

    @property
    def count(self) -> int:
        return len(self.early.times)

    def growth(self, target: str) -> float:
        return float(np.log(self.sizes[target] / self.count))


def samples(recorded: list[Recorded], hours: float, least: int = LEAST) -> list[Sample]:
    """The cascades with ``least`` reposts after so many hours; folds are by cascade, the same for every age."""
    folds = np.random.default_rng(20_250_910).permutation(len(recorded)) % FOLDS
    found = []
    for fold, one in zip(folds.tolist(), recorded, strict=True):
        if not one.timed:
            continue
        tree = grow(one.root, one.items)
        known = early(one, tree, hours)
        if len(known.times) >= least:
            border = one.root.at + known.age + DAY
            tomorrow = sum(item.at < border for item in tree.items[1:])
            found.append(Sample(fold, known, {"tomorrow": tomorrow, "final": tree.size}))
    return found


def held_out(found: list[Sample], target: str) -> list[float]:
    """The predicted growth of every sample by a function that has not seen its cascade."""
    predicted = [0.0] * len(found)
    for fold in range(FOLDS):
        training = [sample for sample in found if sample.fold != fold]
        weights = fit([features(one.early) for one in training], [one.growth(target) for one in training])
        for index, sample in enumerate(found):
            if sample.fold == fold:
                predicted[index] = weights.growth(sample.early)
    return predicted


def log_linear(found: list[Sample], target: str) -> list[float]:
    """The usual baseline, held out alike: the logarithm of the size is linear in that of the size so far (Szabo and
    Huberman, "Predicting the popularity of online content", CACM 53(8), 2010)."""
    predicted = np.zeros(len(found))
    known = np.log([one.count for one in found])
    sizes = np.log([one.sizes[target] for one in found])
    folds = np.array([one.fold for one in found])
    for fold in range(FOLDS):
        training = folds != fold
        slope, constant = np.polyfit(known[training], sizes[training], 1)
        predicted[~training] = constant + slope * known[~training] - known[~training]
    return predicted.tolist()


def median_error(predicted: list[float], truth: npt.NDArray[np.float64]) -> float:
    """The median absolute relative error of sizes, from growths in logarithms."""
    return float(np.median(np.abs(np.exp(np.array(predicted) - truth) - 1)))


def trained(recorded: list[Recorded]) -> dict[str, Weights]:
    """The weights for every age and target, with the held-out errors of each band as intervals."""
    result = {}
    for hours in AGES:
        found = samples(recorded, hours)
        for target in TARGETS:
            off = [one.growth(target) - guess for one, guess in zip(found, held_out(found, target), strict=True)]
            bands = [
                [error for error, one in zip(off, found, strict=True) if band_of(one.count) == band]
                for band in range(len(BANDS) + 1)
            ]
            bounds = [
                (round(float(np.percentile(errors or off, 10)), 4), round(float(np.percentile(errors or off, 90)), 4))
                for errors in bands
            ]
            result[key_of(hours, target)] = fit(
                [features(one.early) for one in found], [one.growth(target) for one in found], bounds
            )
    return result
