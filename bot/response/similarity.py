"""How alike short texts are: character n-grams for Chinese (no segmentation needed), words and stems for Latin script.

N-grams of letters would make all English alike (it has few pairs of letters), words alone would miss Chinese.
"""

import re
import zlib
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from bot.analysis.text import clean, fold

BITS = 14
_RUN = re.compile(r"[a-z0-9']+|[^\W\x00-\x7f]+")
_STEM = 5  # withdraw, withdrawal, withdrawing share their first letters
# A single character says little, a pair is mostly a word, a triple mostly a phrase.
_CHARACTERS = ((1, 0.4), (2, 1.0), (3, 0.8))
_WORD, _STEM_WEIGHT, _PAIR = 1.0, 0.8, 0.6

Matrix = npt.NDArray[np.float32]


def folded(text: str) -> str:
    """The spelling that all comparisons use: no links or markup, lower case, simplified characters."""
    return fold(clean(text))


class Similarity:
    """Compares texts with a fixed set of documents; what many documents share weighs less."""

    def __init__(self, documents: Sequence[str]) -> None:
        counts = _counts(documents)
        shared = (counts > 0).sum(axis=0)
        self._rarity: Matrix = np.log((1 + len(documents)) / (1 + shared)).astype(np.float32)
        self._documents = _unit(counts * self._rarity)

    def to(self, text: str) -> npt.NDArray[np.float32]:
        """The cosine (0–1) of a folded text with each document, in their order."""
        if len(self._documents) == 0 or not text:
            return np.zeros(len(self._documents), dtype=np.float32)
        # A post has some hundred features of the table's thousands: only those columns are looked at.
        counts = _count(text)
        places = np.fromiter(counts, dtype=np.int64, count=len(counts))
        values = np.log1p(np.fromiter(counts.values(), dtype=np.float32, count=len(counts))) * self._rarity[places]
        length = max(float(np.linalg.norm(values)), 1e-9)
        cosines: npt.NDArray[np.float32] = np.clip(self._documents[:, places] @ values / length, 0, 1)
        return cosines.astype(np.float32)


def _counts(texts: Sequence[str]) -> Matrix:
    """(texts × 2^BITS) weighted counts of hashed features, damped by the logarithm."""
    table = np.zeros((len(texts), 1 << BITS), dtype=np.float32)
    for row, text in enumerate(texts):
        for place, count in _count(text).items():
            table[row, place] = count
    return np.log1p(table)


def _count(text: str) -> dict[int, float]:
    """Place in the table → weighted count of the features there."""
    counts: dict[int, float] = {}
    for feature, weight in _features(text):
        place = zlib.crc32(feature.encode("utf-8", "surrogatepass")) >> (32 - BITS)
        counts[place] = counts.get(place, 0.0) + weight
    return counts


def _features(text: str) -> Iterator[tuple[str, float]]:
    before = ""
    for run in _RUN.findall(text):
        if run.isascii():
            yield f"w{run}", _WORD
            if len(run) > _STEM:
                yield f"s{run[:_STEM]}", _STEM_WEIGHT
            if before:
                yield f"p{before} {run}", _PAIR
            before = run
        else:
            before = ""
            for length, weight in _CHARACTERS:
                for start in range(len(run) - length + 1):
                    yield run[start : start + length], weight


def _unit(table: Matrix) -> Matrix:
    length: Matrix = np.linalg.norm(table, axis=1, keepdims=True).astype(np.float32)
    unit: Matrix = (table / np.maximum(length, np.float32(1e-9))).astype(np.float32)
    return unit
