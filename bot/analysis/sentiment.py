"""Negative, neutral or positive, with a score from -1 to 1, for a batch of texts.

The default engine looks hashed character n-grams up in a table of weights (see ``docs/MODEL_CARD.md``); SnowNLP is the
alternative for comparison. Engines take folded texts (``bot.analysis.text``).
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import IO, Protocol

import numpy as np
import numpy.typing as npt

from bot.analysis import english
from bot.analysis.crisis_types import FOLLOWERS
from bot.analysis.ngrams import POSITIONS, Batch, batch_of
from bot.model.grade import Sentiment
from bot.model.post import TypeHit

CHUNK = 1_000
"""Texts that are looked up together: their arrays stay in the processor's cache."""

_STRONG, _SURELY_POSITIVE = 0.79, 0.35
# The odds are too sure of themselves. On folds of the training posts the score came closest to what happened with half
# of their logarithm (mean distance 0.04 instead of 0.11); the labels do not move.
_CALIBRATION = 0.5
SNOWNLP_LIMIT = 2_000  # its cost grows faster than the length: 0.5 s here, four minutes at 100,000 characters
_LABELS = (Sentiment.NEGATIVE, Sentiment.NEUTRAL, Sentiment.POSITIVE)
_FORMAT = 1


class Engine(Protocol):
    @property
    def name(self) -> str: ...

    def score(self, texts: Sequence[str]) -> tuple[list[Sentiment], list[float]]:
        """The label and the score of each folded text; an empty one is neutral, 0.0. Never raises for a text."""
        ...


@dataclass(frozen=True, slots=True)
class Weights:
    """Log odds against neutral, per position of the n-gram table: ``negative`` and ``positive`` are int16 of
    ``ngrams.POSITIONS`` entries, to be multiplied by ``scale``; ``bias`` are the two log odds of an empty text."""

    negative: npt.NDArray[np.int16]
    positive: npt.NDArray[np.int16]
    scale: float
    bias: tuple[float, float]

    def save(self, path: Path) -> None:
        np.savez_compressed(
            path,
            format=_FORMAT,
            negative=self.negative,
            positive=self.positive,
            scale=np.float64(self.scale),
            bias=np.array(self.bias, dtype=np.float64),
        )

    @classmethod
    def load(cls, source: Path | IO[bytes]) -> "Weights":
        """Raises ``ValueError`` where the file is not one of ours."""
        with np.load(source, allow_pickle=False) as data:
            if "format" not in data or int(data["format"]) != _FORMAT:
                raise ValueError("not a sentiment weights file of this version")
            negative, positive = data["negative"], data["positive"]
            if negative.shape != (POSITIONS,) or positive.shape != (POSITIONS,):
                raise ValueError(f"the weights do not have {POSITIONS} entries")
            bias = (float(data["bias"][0]), float(data["bias"][1]))
            return cls(negative.astype(np.int16), positive.astype(np.int16), float(data["scale"]), bias)


class HashedNgrams:
    """The default engine: a table look-up per distinct character n-gram (1–3); English by ``bot.analysis.english``."""

    name = "ngrams"

    def __init__(self, weights: Weights) -> None:
        # Both columns in one integer, so that one look-up and one sum serve both; sums of 12,000 int16 stay
        # within 32 bits.
        self._table = (weights.negative.astype(np.int64) << 32) + weights.positive.astype(np.int64)
        self._scale = weights.scale
        self._bias = weights.bias

    def score(self, texts: Sequence[str]) -> tuple[list[Sentiment], list[float]]:
        labels: list[Sentiment] = []
        scores: list[float] = []
        for start in range(0, len(texts), CHUNK):
            some_labels, some_scores = self._score_chunk(texts[start : start + CHUNK])
            labels += some_labels
            scores += some_scores
        return labels, scores

    def log_odds(self, batch: Batch) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Negative and positive against neutral, per text of the batch."""
        packed = np.add.reduceat(self._table.take(batch.grams.astype(np.intp)), batch.first_gram)
        positive = packed.astype(np.int32).astype(np.int64)  # the lower half, signed
        negative = (packed - positive) >> 32
        factor = self._scale / np.sqrt(batch.counts)
        return negative * factor + self._bias[0], positive * factor + self._bias[1]

    def _score_chunk(self, texts: Sequence[str]) -> tuple[list[Sentiment], list[float]]:
        batch = batch_of(texts)
        negative, positive = self.log_odds(batch)
        odds = np.exp(np.clip(np.stack([negative, np.zeros_like(negative), positive]), -30, 30))
        choice = odds.argmax(axis=0)
        calibrated = odds**_CALIBRATION
        score = (calibrated[2] - calibrated[0]) / calibrated.sum(axis=0)
        codes, starts = batch.codes, batch.starts
        latin = np.add.reduceat((codes >= 97) & (codes <= 122), starts, dtype=np.int64)
        wide = np.add.reduceat((codes >= 0x2E80) & (codes < 0xFF00), starts, dtype=np.int64)
        wordless = np.add.reduceat((codes >= 97) & (codes != 0x3002), starts, dtype=np.int64) == 0  # signs and digits
        choice[wordless], score[wordless] = 1, 0.0
        labels = [_LABELS[number] for number in choice.tolist()]
        scores: list[float] = np.round(score, 4).tolist()
        for number in np.flatnonzero(latin > 4 * wide + 1).tolist():
            value = english.score(texts[number])
            scores[number] = round(value, 4)
            labels[number] = label_of(value, english.NEGATIVE_FROM, english.POSITIVE_FROM)
        return labels, scores


def weigh_types(
    labels: list[Sentiment], scores: list[float], types: Sequence[tuple[TypeHit, ...]]
) -> tuple[list[Sentiment], list[float]]:
    """Judge again what speaks of a crisis of its own in strong words: bad news told soberly is negative.

    Posts teach an engine how people sound, not what news means ("高管被带走调查"). Complaints, rumours and regulators
    are left out: a rebuttal or a notice uses their words too. A clearly positive text keeps its label.
    """
    labels, scores = list(labels), list(scores)
    for number, hits in enumerate(types):
        if hits and labels[number] is not Sentiment.NEGATIVE and scores[number] < _SURELY_POSITIVE:
            weight = max((hit.weight for hit in hits if hit.type not in FOLLOWERS), default=0.0)
            if weight >= _STRONG:
                labels[number] = Sentiment.NEGATIVE
                scores[number] = round(min(scores[number], 0.0) - 0.5 * weight, 4)
    return labels, [max(-1.0, score) for score in scores]


def label_of(score: float, negative_from: float, positive_from: float) -> Sentiment:
    if score <= negative_from:
        return Sentiment.NEGATIVE
    return Sentiment.POSITIVE if score >= positive_from else Sentiment.NEUTRAL


class SnowNlpEngine:
    """SnowNLP's shop-review model, for comparison: some 100 texts a second, 3 s and 400 MB to load, which happens at
    the first text. Its probability has no neutral; the middle third counts as neutral."""

    name = "snownlp"

    def score(self, texts: Sequence[str]) -> tuple[list[Sentiment], list[float]]:
        classify = _snownlp_classify()
        scores = []
        for text in texts:
            bounded = text[:SNOWNLP_LIMIT].strip()
            probability = float(classify(bounded)) if bounded else 0.5
            scores.append(round(2 * probability - 1, 4))
        return [label_of(score, -1 / 3, 1 / 3) for score in scores], scores


@functools.cache
def _snownlp_classify():  # type: ignore[no-untyped-def]
    from snownlp import sentiment

    return sentiment.classify


@functools.cache
def shipped_weights() -> Weights:
    """The weights that come with Fengbo."""
    with resources.files("bot.analysis").joinpath("weights", "sentiment.npz").open("rb") as file:
        return Weights.load(file)


def engine_named(name: str, weights: Path | None = None) -> Engine:
    """``ngrams`` (from ``weights``, or those that come with Fengbo) or ``snownlp``; ``ValueError`` for another name."""
    if name == "ngrams":
        return HashedNgrams(Weights.load(weights) if weights is not None else shipped_weights())
    if name == "snownlp":
        return SnowNlpEngine()
    raise ValueError(f"{name!r} is not a sentiment engine: use ngrams or snownlp")
