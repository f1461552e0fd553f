"""Training of ``bot.analysis.whom``; needs the extra ``train`` (scikit-learn) when called."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bot.analysis.ngrams import POSITIONS
from bot.analysis.text import clean, fold, fold_all
from bot.analysis.training import rarity_of, vectors
from bot.analysis.whom import BITS, LIMIT, Whom, WhomWeights, features

_NEWS_C, _ABOUT_C = 30.0, 2.0
_LEVELS = 2_000
_BROKEN = "? "


@dataclass(frozen=True, slots=True)
class NamingPost:
    """A post as collected, the names in it, and those that it is negative about (none: it is not negative)."""

    text: str
    names: tuple[str, ...]
    about: frozenset[str]


def folded_name(name: str) -> str:
    """A name as it stands in folded texts; what is left of broken emoji at its ends is no part of it."""
    return fold(clean(name)).strip(_BROKEN) or "?"


def train_whom(posts: Sequence[NamingPost]) -> WhomWeights:
    """Fit both models. Deterministic."""
    from scipy import sparse
    from sklearn.linear_model import LogisticRegression

    texts = fold_all([clean(post.text) for post in posts])
    matrix = vectors(texts)
    rarity = rarity_of([matrix])
    negative = np.array([bool(post.about) for post in posts])
    news = LogisticRegression(C=_NEWS_C, solver="liblinear", random_state=0, max_iter=300)
    news.fit(matrix @ sparse.diags(rarity), negative)
    rows: list[int] = []
    columns: list[int] = []
    values: list[float] = []
    truth: list[bool] = []
    for post, text in zip(posts, texts, strict=True):
        if not post.about:
            continue
        names = [folded_name(name) for name in post.names]
        for name, folded in zip(post.names, names, strict=True):
            for position, value in features(text[:LIMIT], folded, names).items():
                rows.append(len(truth))
                columns.append(position)
                values.append(value)
            truth.append(name in post.about)
    pairs = sparse.csr_matrix((values, (rows, columns)), shape=(len(truth), 1 << BITS))
    about = LogisticRegression(C=_ABOUT_C, solver="liblinear", random_state=0, max_iter=300)
    about.fit(pairs, np.array(truth))
    about_column, about_scale = _rounded(about.coef_[0])
    news_column, news_scale = _rounded(news.coef_[0] * rarity)
    assert news_column.shape == (POSITIONS,)
    return WhomWeights(
        about_column, about_scale, float(about.intercept_[0]), news_column, news_scale, float(news.intercept_[0])
    )


def judged_names(whom: Whom, post: NamingPost, folded: str) -> frozenset[str]:
    """The names as collected that the judge finds a text, known to be negative, to be about."""
    names = {name: folded_name(name) for name in post.names}
    about = set(whom.about(folded, list(names.values())))
    return frozenset(name for name, plain in names.items() if plain in about)


def _rounded(weights: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.int16], float]:
    scale = float(np.abs(weights).max()) / _LEVELS or 1.0
    return np.rint(weights / scale).astype(np.int16), scale
