"""Praise that is meant as blame: written cues, no training. The cues stand in ``irony.yaml``.

A few turns of phrase are irony by themselves; else praise (or praise in quotation marks) and something that went wrong
have to stand in the same post. What is missed stays what the engine said of it.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources

import re2

from bot import quick_yaml
from bot.analysis.text import own_words
from bot.model.grade import Sentiment

LIMIT = 80
"""Characters of a post's own words above which it is not looked at: praise and failure stand too far apart."""

SCORE = -0.4
"""The score of a post that was taken for ironic: negative, but less surely than what says so plainly."""


class _Cue(StrEnum):
    ALONE = "alone"
    PRAISE = "praise"
    QUOTED = "quoted"
    FAILURE = "failure"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class _Cues:
    """One filter over all cues and what each of its numbers is."""

    filter: re2.Filter
    kinds: tuple[_Cue, ...]


@functools.cache
def _cues() -> _Cues:
    data = quick_yaml.load(resources.files("bot.analysis").joinpath("irony.yaml").read_text(encoding="utf-8"))
    found = re2.Filter()
    kinds: list[_Cue] = []
    for kind in _Cue:
        for pattern in data[kind.value]:
            found.Add(pattern)
            kinds.append(kind)
    found.Compile()
    return _Cues(found, tuple(kinds))


def ironic(folded: str) -> bool:
    """Whether a folded text blames by praising. RE2: linear in the text whatever it holds."""
    cues = _cues()
    own = own_words(folded)
    if len(own) > LIMIT:
        return False
    kinds = {cues.kinds[number] for number in cues.filter.Match(own.encode("utf-8", "replace")) or ()}
    if _Cue.NEVER in kinds:
        return False
    return _Cue.ALONE in kinds or (_Cue.FAILURE in kinds and bool(kinds & {_Cue.PRAISE, _Cue.QUOTED}))


def weigh_irony(
    labels: list[Sentiment], scores: list[float], folded: Sequence[str], numbers: Sequence[int]
) -> tuple[list[Sentiment], list[float]]:
    """The labels and scores with the ironic ones among ``numbers`` made negative; the others as they were."""
    labels, scores = list(labels), list(scores)
    for number in numbers:
        if labels[number] is not Sentiment.NEGATIVE and ironic(folded[number]):
            labels[number], scores[number] = Sentiment.NEGATIVE, SCORE
    return labels, scores
