"""Weights that follow an organisation's own labels: what the shipped weights say, corrected where labels disagree.

A few hundred labels cannot carry three classes of n-grams by themselves. So each label's model sees the log odds of
the old weights, as two strong features, and the n-grams, as weak ones; the sum folds into one table again. Needs the
extra ``train`` (scikit-learn) when called.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bot.analysis.ngrams import batch_of
from bot.analysis.sentiment import CHUNK, HashedNgrams, Weights
from bot.analysis.text import clean, fold_all
from bot.analysis.training import Sample, TrainingError, macro_f1, rarity_of, rounded, vectors
from bot.model.grade import Sentiment

LEAST = 40
"""Labelled texts below which nothing is trained: what is left to compare on would say nothing."""

HELD_SHARE = 4  # every fourth text, chosen by its digest, is only compared on
_ORDER = (Sentiment.NEGATIVE, Sentiment.NEUTRAL, Sentiment.POSITIVE)
_OLD = 10.0  # makes the old weights' say all but free of the penalty that holds n-grams down
_STRENGTHS = (0.1, 0.5, 2.0)
_FOLDS = 4


@dataclass(frozen=True, slots=True)
class Figures:
    """On the held-out part: macro F1 over the labels that occur, and per label the share found."""

    macro_f1: float
    recall: tuple[tuple[Sentiment, float], ...]


@dataclass(frozen=True, slots=True)
class Adapted:
    weights: Weights
    trained: int
    held: int
    before: Figures
    after: Figures


def adapt(old: Weights, samples: Sequence[Sample], progress: Callable[[int, int], None] | None = None) -> Adapted:
    """Weights corrected by ``samples``, of which the held-out part was compared on before all of them were used.

    A text that is labelled twice counts with its last label. ``progress`` is called with (steps done, steps in all).
    Raises ``TrainingError`` for fewer than ``LEAST`` texts, or where only one label occurs.
    """
    unique = list({sample.text: sample for sample in samples}.values())
    if len(unique) < LEAST:
        raise TrainingError(f"{len(unique)} labelled texts; at least {LEAST} are needed")
    if len({sample.label for sample in unique}) < 2:
        raise TrainingError("all texts have the same label; at least two labels are needed")
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, len(_STRENGTHS) * _FOLDS + 2)

    held = [sample for sample in unique if _place(sample.text, HELD_SHARE) == 0]
    rest = [sample for sample in unique if _place(sample.text, HELD_SHARE) != 0]
    if not held or len({sample.label for sample in rest}) < 2:
        raise TrainingError("too few texts of more than one label are left after some are held out")
    strength = max(_STRENGTHS, key=lambda each: _checked(old, rest, each, step))
    before, after = figures(old, held), figures(_fitted(old, rest, strength), held)
    step()
    weights = _fitted(old, unique, strength)
    step()
    return Adapted(weights, len(unique), len(held), before, after)


def figures(weights: Weights, samples: Sequence[Sample]) -> Figures:
    said, _ = HashedNgrams(weights).score(fold_all([clean(sample.text) for sample in samples]))
    truth = [sample.label for sample in samples]
    recall = []
    for label in _ORDER:
        found = [guess for guess, right in zip(said, truth, strict=True) if right is label]
        if found:
            recall.append((label, found.count(label) / len(found)))
    present = len(recall)
    return Figures(macro_f1(truth, said) * len(_ORDER) / present if present else 0.0, tuple(recall))


def _checked(old: Weights, samples: Sequence[Sample], strength: float, step: Callable[[], None]) -> float:
    """Mean macro F1 over folds of the training part."""
    total = 0.0
    for fold in range(_FOLDS):
        inside = [sample for sample in samples if _place(sample.text, 97) % _FOLDS != fold]
        outside = [sample for sample in samples if _place(sample.text, 97) % _FOLDS == fold]
        if outside and len({sample.label for sample in inside}) > 1:
            total += figures(_fitted(old, inside, strength), outside).macro_f1
        step()
    return total


def _fitted(old: Weights, samples: Sequence[Sample], strength: float) -> Weights:
    from scipy import sparse
    from sklearn.linear_model import LogisticRegression

    texts = fold_all([clean(sample.text) for sample in samples])
    engine = HashedNgrams(old)
    odds = [engine.log_odds(batch_of(texts[start : start + CHUNK])) for start in range(0, len(texts), CHUNK)]
    negative = np.concatenate([pair[0] for pair in odds])
    positive = np.concatenate([pair[1] for pair in odds])
    grams = vectors(texts)
    rarity = rarity_of([grams])
    old_says = sparse.csr_matrix(_OLD * np.stack([negative, positive], axis=1))
    matrix = sparse.hstack([grams @ sparse.diags(rarity), old_says]).tocsr()
    labels = np.array([_ORDER.index(sample.label) for sample in samples])
    # What the old weights say stays in force for a label that nobody used.
    base = ((1.0, 0.0), (0.0, 0.0), (0.0, 1.0))
    columns, mixes, biases = [], [], []
    for number in range(len(_ORDER)):
        truth = labels == number
        if not truth.any():
            columns.append(np.zeros(matrix.shape[1] - 2))
            mixes.append(np.array(base[number]))
            biases.append(0.0)
            continue
        model = LogisticRegression(C=strength, solver="liblinear", random_state=0, max_iter=300)
        model.fit(matrix, truth)
        found = np.asarray(model.coef_[0], dtype=np.float64)
        columns.append(rarity * found[:-2])
        mixes.append(_OLD * found[-2:])
        biases.append(float(model.intercept_[0]))
    old_columns = np.stack([old.negative, old.positive]).astype(np.float64) * old.scale
    old_bias = np.array(old.bias)
    table = [column + mix @ old_columns for column, mix in zip(columns, mixes, strict=True)]
    bias = [value + float(mix @ old_bias) for value, mix in zip(biases, mixes, strict=True)]
    return rounded(table[0] - table[1], table[2] - table[1], (bias[0] - bias[1], bias[2] - bias[1]))


def _place(text: str, parts: int) -> int:
    """Always the same for the same text, so that a repeated training holds out the same texts."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "big") % parts
