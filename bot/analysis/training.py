"""Training of the n-gram weights from labelled posts; needs the extra ``train`` (scikit-learn) when called.

Three steps, all linear in the n-grams, so that they fold into one table:

1. *Mood*: a two-class model on ``moods`` (posts that are positive or negative, never neutral) gives a score.
2. *Judge*: a three-class logistic regression on ``samples`` sees the n-grams and that score. Groups of samples other
   than the first have an intercept of their own, because headlines hold another share of bad news than posts do;
   it is left out of the table.
3. *Fold*: the score's weights, times what the judge makes of it, are added to the judge's weights; against neutral;
   rounded to int8.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bot.analysis.ngrams import BITS, batch_of
from bot.analysis.sentiment import CHUNK, Weights, distinct_grams
from bot.analysis.text import clean, fold_all
from bot.model.grade import Sentiment

_ORDER = (Sentiment.NEGATIVE, Sentiment.NEUTRAL, Sentiment.POSITIVE)
_MOOD_FACTOR = 0.3  # keeps the mood score at the size of an n-gram feature
_MOOD_C = 3.0
_JUDGE_C = 6.0
_BALANCE = 0.35  # exponent of the inverse class share: 0 keeps the shares, 1 makes the classes equal
_OUTLIERS = 99.995  # percentile of weights that int8 spans


class TrainingError(ValueError):
    """The samples cannot be trained from; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A labelled post as collected. ``weight`` is its say in the loss, ``group`` where it comes from."""

    text: str
    label: Sentiment
    weight: float = 1.0
    group: str = "posts"


def vectors(texts: Sequence[str], bits: int = BITS) -> Any:
    """A scipy sparse matrix (texts × 2**bits): each distinct n-gram of a folded text counts 1/sqrt(their number)."""
    from scipy import sparse

    blocks = []
    for start in range(0, len(texts), CHUNK):
        chunk = texts[start : start + CHUNK]
        positions, starts = distinct_grams(batch_of(chunk, bits), bits)
        ends = np.append(starts, len(positions))
        counts: npt.NDArray[np.int64] = np.diff(ends)
        values = np.repeat(1.0 / np.sqrt(counts), counts).astype(np.float32)
        blocks.append(sparse.csr_matrix((values, positions.astype(np.int32), ends), shape=(len(chunk), 1 << bits)))
    return sparse.vstack(blocks).tocsr()


def train(samples: Sequence[Sample], moods: Sequence[Sample] = (), bits: int = BITS) -> Weights:
    """Fit on ``samples`` (all three labels) with the help of ``moods`` (two labels). Deterministic. Raises
    ``TrainingError`` where a label has fewer than 20 samples."""
    from scipy import sparse
    from sklearn.linear_model import LogisticRegression

    labels = np.array([_ORDER.index(sample.label) for sample in samples], dtype=np.int64)
    for number, label in enumerate(_ORDER):
        if np.count_nonzero(labels == number) < 20:
            raise TrainingError(f"too few {label.value} samples: at least 20 are needed")
    matrix = vectors(fold_all([clean(sample.text) for sample in samples]), bits)
    mood, mood_bias = _mood(moods, bits)
    groups = list(dict.fromkeys(sample.group for sample in samples))
    members = np.array([groups.index(sample.group) for sample in samples])
    extra = [_MOOD_FACTOR * (matrix @ mood + mood_bias)] + [members == number for number in range(1, len(groups))]
    full = sparse.hstack([matrix, sparse.csr_matrix(np.stack(extra, axis=1).astype(np.float64))]).tocsr()
    first = labels[members == 0]
    balance = {number: _balance(np.count_nonzero(first == number), len(first)) for number in range(3)}
    weights = np.array([sample.weight for sample in samples])
    judge = LogisticRegression(C=_JUDGE_C, max_iter=80, tol=1e-3, class_weight=balance)
    judge.fit(full, labels, sample_weight=weights)
    size = 1 << bits
    of_mood = _MOOD_FACTOR * judge.coef_[:, size]
    table = judge.coef_[:, :size] + of_mood[:, None] * mood[None, :]
    bias = judge.intercept_ + of_mood * mood_bias
    return _rounded(table[0] - table[1], table[2] - table[1], (bias[0] - bias[1], bias[2] - bias[1]), bits)


def _balance(count: int, total: int) -> float:
    return (total / max(count, 1)) ** _BALANCE


def _mood(moods: Sequence[Sample], bits: int) -> tuple[npt.NDArray[np.float64], float]:
    if not moods:
        return np.zeros(1 << bits), 0.0
    from sklearn.linear_model import LogisticRegression

    polar = [sample for sample in moods if sample.label is not Sentiment.NEUTRAL]
    matrix = vectors(fold_all([clean(sample.text) for sample in polar]), bits)
    model = LogisticRegression(C=_MOOD_C, max_iter=80, tol=1e-3)
    model.fit(matrix, [sample.label is Sentiment.POSITIVE for sample in polar])
    return np.asarray(model.coef_[0], dtype=np.float64), float(model.intercept_[0])


def _rounded(
    negative: npt.NDArray[np.float64], positive: npt.NDArray[np.float64], bias: tuple[float, float], bits: int
) -> Weights:
    both = np.abs(np.concatenate([negative, positive]))
    widest = float(np.percentile(both[both > 0], _OUTLIERS)) if both.any() else 1.0
    scale = widest / 127
    as_int8 = [np.clip(np.rint(column / scale), -127, 127).astype(np.int8) for column in (negative, positive)]
    return Weights(as_int8[0], as_int8[1], scale, (float(bias[0]), float(bias[1])), bits)


def macro_f1(truth: Sequence[Sentiment], guess: Sequence[Sentiment]) -> float:
    """The mean of the three classes' F1, as scikit-learn reckons it."""
    scores = []
    for label in _ORDER:
        hits = sum(right is label and said is label for right, said in zip(truth, guess, strict=True))
        wrong = sum((right is label) != (said is label) for right, said in zip(truth, guess, strict=True))
        scores.append(2 * hits / (2 * hits + wrong) if hits or wrong else 0.0)
    return sum(scores) / len(scores)
