"""How alike short texts are: characters for Chinese (no segmentation needed), words and stems for Latin script, and
meanings for both, so that a question in one language is near its answer in the other.

N-grams of letters would make all English alike (it has few pairs of letters), words alone would miss Chinese.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from bot.analysis.text import clean, fold
from bot.response.meanings import Meanings, meanings, small_words

_RUN = re.compile(r"[a-z0-9']+|[^\W\x00-\x7f]+")
_STEM = 5  # withdraw, withdrawal, withdrawing share their first letters
# A single character says little, a pair is mostly a word, a triple mostly a phrase.
_CHARACTERS = ((1, 0.4), (2, 1.0), (3, 0.8))
_WORD, _STEM_WEIGHT, _PAIR = 1.0, 0.8, 0.6
_MEANING = 2.0  # a group of words is surer than any one of them
_EMPTY = 0.4  # n-grams with a character that only joins words

Matrix = npt.NDArray[np.float32]
Places = npt.NDArray[np.int64]


def folded(text: str) -> str:
    """The spelling that all comparisons use: no links or markup, lower case, simplified characters."""
    return fold(clean(text))


class Space:
    """Texts as unit vectors over the features of a fixed set of documents; what many documents share weighs less."""

    def __init__(self, documents: Sequence[str], groups: Sequence[Meanings] = ()) -> None:
        self._groups = (meanings(), *groups)
        counted = [_count(text, self._groups) for text in documents]
        shared = Counter(feature for counts in counted for feature in counts)
        self._column = {feature: column for column, feature in enumerate(shared)}
        self._rarity = {feature: float(np.log((1 + len(documents)) / (1 + count))) for feature, count in shared.items()}
        self._unknown = max(self._rarity.values(), default=1.0)
        self.width = len(self._column)
        self.vectors = [self._vector(counts) for counts in counted]

    def vector(self, text: str) -> tuple[Places, Matrix]:
        """Columns and values of a folded text. Features that no document has lengthen it and are left out."""
        return self._vector(_count(text, self._groups))

    def _vector(self, counts: dict[str, float]) -> tuple[Places, Matrix]:
        places, values, square = [], [], 0.0
        for feature, count in counts.items():
            value = float(np.log1p(count)) * self._rarity.get(feature, self._unknown)
            square += value * value
            column = self._column.get(feature)
            if column is not None:
                places.append(column)
                values.append(value)
        length = max(square**0.5, 1e-9)
        return np.asarray(places, dtype=np.int64), np.asarray(values, dtype=np.float32) / np.float32(length)

    def kernel(self) -> Matrix:
        """The cosine of each document with each. Most features stand in one or two documents, so it goes by feature."""
        rows = np.repeat(np.arange(len(self.vectors)), [len(places) for places, _ in self.vectors])
        columns = np.concatenate([places for places, _ in self.vectors] or [np.zeros(0, dtype=np.int64)])
        values = np.concatenate([values for _, values in self.vectors] or [np.zeros(0, dtype=np.float32)])
        order = np.argsort(columns, kind="stable")
        kernel = np.eye(len(self.vectors), dtype=np.float32)
        for group in np.split(order, np.flatnonzero(np.diff(columns[order])) + 1):
            if len(group) > 1:
                kernel[np.ix_(rows[group], rows[group])] += np.outer(values[group], values[group])
        np.fill_diagonal(kernel, 1)
        return kernel


class Similarity:
    """Compares texts with a fixed set of documents. ``groups``: words that mean the same besides those of posts."""

    def __init__(self, documents: Sequence[str], *groups: Meanings) -> None:
        self._space = Space(documents, groups)

    def to(self, text: str) -> Matrix:
        """The cosine (0–1) of a folded text with each document, in their order."""
        wanted = np.zeros(self._space.width, dtype=np.float32)
        places, values = self._space.vector(text)
        wanted[places] = values
        cosines = [float(values @ wanted[places]) for places, values in self._space.vectors]
        return np.clip(np.asarray(cosines, dtype=np.float32), 0, 1)


class Recogniser:
    """Which of several owners' documents a text belongs to: least squares on the documents' cosines (kernel ridge
    regression), so that what tells the owners apart counts more than what they have in common."""

    def __init__(self, documents: Sequence[str], owners: Sequence[int], count: int, *, ridge: float = 1.0) -> None:
        self._space = Space(documents)
        wanted = np.zeros((len(documents), count), dtype=np.float32)
        wanted[np.arange(len(documents)), list(owners)] = 1
        eye = np.eye(len(documents), dtype=np.float32)
        shares = np.linalg.solve(self._space.kernel() + ridge * eye, wanted) if len(documents) else wanted
        self._weights: Matrix = np.zeros((self._space.width, count), dtype=np.float32)
        for (places, values), share in zip(self._space.vectors, shares, strict=True):
            self._weights[places] += np.outer(values, share)

    def to(self, text: str) -> Matrix:
        """For each owner about 1 for a text like its own, about 0 for one that has nothing to do with it."""
        places, values = self._space.vector(text)
        scores: Matrix = values @ self._weights[places]
        return scores


def _count(text: str, groups: Sequence[Meanings]) -> dict[str, float]:
    counts: dict[str, float] = {}
    for feature, weight in _features(text, groups):
        counts[feature] = counts.get(feature, 0.0) + weight
    return counts


def _features(text: str, groups: Sequence[Meanings]) -> Iterator[tuple[str, float]]:
    before = ""
    for run in _RUN.findall(text):
        if not run.isascii():
            before = ""
            yield from _characters(run)
        elif run not in small_words()[0]:
            yield f"w{run}", _WORD
            if len(run) > _STEM:
                yield f"s{run[:_STEM]}", _STEM_WEIGHT
            if before:
                yield f"p{before} {run}", _PAIR
            before = run
    for number, group in enumerate(groups):
        for name in group.of(text):
            yield f"m{number}{name}", _MEANING


def _characters(run: str) -> Iterator[tuple[str, float]]:
    joining = small_words()[1]
    for length, weight in _CHARACTERS:
        for start in range(len(run) - length + 1):
            piece = run[start : start + length]
            if joining.isdisjoint(piece):
                yield piece, weight
            elif length > 1:
                yield piece, weight * _EMPTY
