"""Which feeling a negative post carries: anger, fear or sadness. Learnt from the emotions of EWECT's negative posts."""

import functools
from collections.abc import Sequence
from importlib import resources

from bot.analysis.kinds import Kinds, KindWeights

EMOTIONS = ("anger", "fear", "sadness")
OF_EWECT = {"angry": "anger", "fear": "fear", "sad": "sadness"}


def emotions(negative: Sequence[str], judge: Kinds | None = None) -> list[str]:
    """Per folded text, known to be negative, the likeliest of ``EMOTIONS``; empty for an empty text."""
    judge = judge if judge is not None else shipped_emotions()
    odds = judge.odds(negative)
    return [judge.kinds[int(row.argmax())] if text.strip() else "" for text, row in zip(negative, odds, strict=True)]


@functools.cache
def shipped_emotions() -> Kinds:
    with resources.files("bot.analysis").joinpath("weights", "emotions.npz").open("rb") as file:
        return Kinds(KindWeights.load(file))
