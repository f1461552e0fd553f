"""Training of the n-gram weights from labelled posts; needs the extra ``train`` (scikit-learn) when called.

All steps are linear in the n-grams, so that they fold into one table:

1. *Mood*: a two-class model on ``moods`` (posts that are positive or negative, never neutral) gives a score.
2. *Judge*: one logistic regression per label on ``samples`` sees each n-gram wherever it stands, characters and pairs
   once more where they stand in the poster's own words, and the mood score.
3. *Fold*: the score's weights, times what the judge makes of it, are added to the judge's weights; against neutral;
   rounded to int16.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bot.analysis.ngrams import BITS, POSITIONS, batch_of
from bot.analysis.sentiment import CHUNK, Weights
from bot.analysis.text import clean, fold_all
from bot.model.grade import Sentiment

_ORDER = (Sentiment.NEGATIVE, Sentiment.NEUTRAL, Sentiment.POSITIVE)
_MOOD_FACTOR = 0.3  # keeps the mood score at the size of an n-gram feature
_MOOD_C = 3.0
_JUDGE_C = 4.0
_RARITY = 0.4  # exponent of the inverse document frequency: how much more a rare n-gram may weigh
_BALANCE = 0.85  # exponent of the inverse class share: 0 keeps the shares, 1 makes the classes equal
_LEVELS = 2_000  # steps between no weight and the largest; finer ones only make the file larger
_THIRD = 1 << BITS


class TrainingError(ValueError):
    """The samples cannot be trained from; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A labelled post as collected. ``weight`` is its say in the loss."""

    text: str
    label: Sentiment
    weight: float = 1.0


def vectors(texts: Sequence[str]) -> Any:
    """A scipy sparse matrix (texts × POSITIONS): each distinct n-gram of a folded text counts 1/sqrt(their number)."""
    from scipy import sparse

    blocks = []
    for start in range(0, len(texts), CHUNK):
        batch = batch_of(texts[start : start + CHUNK])
        counts = batch.counts
        values = np.repeat(1.0 / np.sqrt(counts), counts)
        ends = np.append(batch.first_gram, len(batch.grams))
        blocks.append(sparse.csr_matrix((values, batch.grams.astype(np.int32), ends), shape=(len(counts), POSITIONS)))
    return sparse.vstack(blocks).tocsr()


def _wherever_and_own(matrix: Any) -> Any:
    """The thirds (own, quoted, triples) → (own + quoted, own, triples): what a character or a pair means anywhere,
    and what it adds in the poster's own words."""
    from scipy import sparse

    own, quoted, triples = (matrix[:, start : start + _THIRD] for start in range(0, POSITIONS, _THIRD))
    return sparse.hstack([own + quoted, own, triples]).tocsr()


def train(samples: Sequence[Sample], moods: Sequence[Sample] = ()) -> Weights:
    """Fit on ``samples`` (all three labels) with the help of ``moods`` (two labels). Deterministic. Raises
    ``TrainingError`` where a label has fewer than 20 samples."""
    from scipy import sparse

    labels = np.array([_ORDER.index(sample.label) for sample in samples], dtype=np.int64)
    for number, label in enumerate(_ORDER):
        if np.count_nonzero(labels == number) < 20:
            raise TrainingError(f"too few {label.value} samples: at least 20 are needed")
    matrix = _wherever_and_own(vectors(fold_all([clean(sample.text) for sample in samples])))
    polar = [sample for sample in moods if sample.label is not Sentiment.NEUTRAL]
    others = _wherever_and_own(vectors(fold_all([clean(sample.text) for sample in polar]))) if polar else matrix[:0]
    rarity = rarity_of([matrix, others])
    matrix, others = matrix @ sparse.diags(rarity), others @ sparse.diags(rarity)
    mood, mood_bias = np.zeros(POSITIONS), 0.0
    if polar:
        truth = np.array([sample.label is Sentiment.POSITIVE for sample in polar])
        mood, mood_bias = _fit(others, truth, np.ones(len(polar)), _MOOD_C)
    full = sparse.hstack([matrix, sparse.csr_matrix(_MOOD_FACTOR * (matrix @ mood + mood_bias)[:, None])]).tocsr()
    weights = np.array([sample.weight for sample in samples])
    table, biases = [], []
    for number in range(3):
        truth = labels == number
        share = weights[truth].sum() / weights.sum()
        found, bias = _fit(full, truth, weights * np.where(truth, (1 / share) ** _BALANCE, 1.0), _JUDGE_C)
        table.append(rarity * (found[:POSITIONS] + found[POSITIONS] * _MOOD_FACTOR * mood))
        biases.append(bias + found[POSITIONS] * _MOOD_FACTOR * mood_bias)
    wherever, own, triples = np.split(np.stack(table), 3, axis=1)
    folded = np.concatenate([wherever + own, wherever, triples], axis=1)
    return rounded(folded[0] - folded[1], folded[2] - folded[1], (biases[0] - biases[1], biases[2] - biases[1]))


def rarity_of(matrices: Sequence[Any]) -> npt.NDArray[np.float64]:
    """How much each n-gram may weigh: more, the fewer texts of all the matrices it stands in."""
    total = sum(matrix.shape[0] for matrix in matrices)
    texts_with = np.sum([np.diff(matrix.tocsc().indptr) for matrix in matrices], axis=0)
    rarity: npt.NDArray[np.float64] = (np.log((1 + total) / (1 + texts_with)) / 4) ** _RARITY
    return rarity


def _fit(
    matrix: Any, truth: npt.NDArray[np.bool_], weights: npt.NDArray[np.float64], strength: float
) -> tuple[npt.NDArray[np.float64], float]:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=strength, solver="liblinear", random_state=0, max_iter=300)
    model.fit(matrix, truth, sample_weight=weights)
    return np.asarray(model.coef_[0], dtype=np.float64), float(model.intercept_[0])


def rounded(negative: npt.NDArray[np.float64], positive: npt.NDArray[np.float64], bias: tuple[float, float]) -> Weights:
    both = np.abs(np.concatenate([negative, positive]))
    scale = float(both.max()) / _LEVELS or 1.0
    rounded = [np.rint(column / scale).astype(np.int16) for column in (negative, positive)]
    return Weights(rounded[0], rounded[1], scale, (float(bias[0]), float(bias[1])))


def macro_f1(truth: Sequence[Sentiment], guess: Sequence[Sentiment]) -> float:
    """The mean of the three classes' F1, as scikit-learn reckons it."""
    scores = []
    for label in _ORDER:
        hits = sum(right is label and said is label for right, said in zip(truth, guess, strict=True))
        wrong = sum((right is label) != (said is label) for right, said in zip(truth, guess, strict=True))
        scores.append(2 * hits / (2 * hits + wrong) if hits or wrong else 0.0)
    return sum(scores) / len(scores)
