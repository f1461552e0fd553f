"""Training of ``bot.analysis.kinds``; needs the extra ``train`` (scikit-learn) when called."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from bot.analysis.kinds import KindWeights
from bot.analysis.training import rarity_of, vectors

LEAST = 3
_C, _BALANCE, _MOST_WEIGHT = 10.0, 0.4, 60.0
_RARE = 600  # kinds below get a threshold of their own; with more texts a common one serves
_COMMON_THRESHOLD = -0.4
_INNER = 3
_LEVELS = 300
_IN_TEXTS = 4


def train_kinds(texts: Sequence[str], kinds: Sequence[frozenset[str]]) -> KindWeights:
    """Fit one model per kind that has ``LEAST`` texts. ``texts`` are folded. Deterministic."""
    from scipy import sparse

    matrix = vectors(texts)
    rarity = rarity_of([matrix])
    stands_in = np.diff(matrix.tocsc().indptr)
    positions = np.flatnonzero(stands_in >= _IN_TEXTS)
    matrix = (matrix @ sparse.diags(rarity)).tocsc()[:, positions].tocsr()
    counts: dict[str, int] = {}
    for found in kinds:
        for kind in sorted(found):
            counts[kind] = counts.get(kind, 0) + 1
    names = tuple(sorted((kind for kind, count in counts.items() if count >= LEAST), key=lambda kind: -counts[kind]))
    columns, scales, biases = [], [], []
    for name in names:
        truth = np.array([name in found for found in kinds])
        weights, bias = _fit(matrix, truth)
        threshold = _threshold(matrix, truth) if counts[name] < _RARE else _COMMON_THRESHOLD
        column = weights * rarity[positions]
        scale = float(np.abs(column).max()) / _LEVELS or 1.0
        columns.append(np.rint(column / scale).astype(np.int16))
        scales.append(scale)
        biases.append(bias - threshold)
    table = np.stack(columns, axis=1)
    return KindWeights(names, positions.astype(np.uint32), table, np.array(scales), np.array(biases))


def _fit(matrix: Any, truth: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.float64], float]:
    from sklearn.linear_model import LogisticRegression

    count = int(truth.sum())
    weight = min(((len(truth) - count) / count) ** _BALANCE, _MOST_WEIGHT)
    classes: Mapping[bool, float] = {False: 1.0, True: weight}
    model = LogisticRegression(C=_C, solver="liblinear", random_state=0, max_iter=200, class_weight=classes)
    model.fit(matrix, truth)
    return np.asarray(model.coef_[0], dtype=np.float64), float(model.intercept_[0])


def _threshold(matrix: Any, truth: npt.NDArray[np.bool_]) -> float:
    """Where F1 is best on texts that the model had no part in."""
    part = np.arange(len(truth)) % _INNER
    scores = np.full(len(truth), -np.inf)
    for fold in range(_INNER):
        inside = part != fold
        if truth[inside].any():
            weights, bias = _fit(matrix[inside], truth[inside])
            scores[~inside] = matrix[~inside] @ weights + bias
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(truth[order])
    f1 = 2 * hits / (np.arange(1, len(truth) + 1) + truth.sum())
    best = int(f1.argmax())
    following = scores[order[min(best + 1, len(order) - 1)]]
    return float((scores[order[best]] + following) / 2)
