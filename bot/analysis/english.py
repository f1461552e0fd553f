"""The mood of a post in Latin script by a small lexicon: words, phrases, negation, emphasis, emoji.

The n-gram weights are learnt from Chinese posts, so English needs its own judge until labelled posts of the
organisation exist (``fengbo train``). The scale of the score is that of the n-gram engine, -1 to 1.
"""

import functools
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

from bot import quick_yaml

MAX_TOKENS = 400
NEGATIVE_FROM = -0.3
POSITIVE_FROM = 0.3

_TOKEN = re.compile(r"[a-z\u00c0-\u024f]+(?:['’-][a-z\u00c0-\u024f]+)*|[!?]|[^\w\s]")
_NEGATION_REACH = 3
_HALF_SCORE = 3.0  # the sum of weights at which the score is 1/sqrt(2)


@dataclass(frozen=True, slots=True)
class Lexicon:
    words: Mapping[str, float]
    phrases: Mapping[str, float]
    phrase_pattern: re.Pattern[str]
    negations: frozenset[str]
    stronger: frozenset[str]
    weaker: frozenset[str]
    turns: frozenset[str]
    emoji: Mapping[str, float]


def _weights(levels: Mapping[int, list[str]]) -> dict[str, float]:
    return {str(word).lower(): float(level) for level, words in levels.items() for word in words}


@functools.cache
def lexicon() -> Lexicon:
    data = quick_yaml.load(resources.files("bot.analysis").joinpath("english.yaml").read_text(encoding="utf-8"))
    phrases = _weights(data["phrases"])
    marks = _weights(data["emoticons"])
    longest_first = sorted(phrases, key=len, reverse=True)
    pattern = r"\b(?:" + "|".join(map(re.escape, longest_first)) + r")\b"
    pattern += "|(?<![a-z])(?:" + "|".join(map(re.escape, sorted(marks, key=len, reverse=True))) + ")(?![a-z])"
    return Lexicon(
        _weights(data["words"]),
        phrases | marks,
        re.compile(pattern),
        frozenset(map(str, data["negations"])),
        frozenset(map(str, data["stronger"])),
        frozenset(map(str, data["weaker"])),
        frozenset(map(str, data["turns"])),
        _weights(data["emoji"]),
    )


def score(folded: str) -> float:
    """-1 to 1 for a folded English text; 0 where no word of the lexicon stands."""
    known = lexicon()
    total, after_turn, shouts = 0.0, 1.0, 0
    text = folded.replace("’", "'")
    for phrase in known.phrase_pattern.findall(text[:2_000]):
        total += known.phrases[phrase]
    text = known.phrase_pattern.sub(" . ", text[:2_000])
    negated, emphasis = 0, 1.0
    for word in _TOKEN.findall(text)[:MAX_TOKENS]:
        if word in known.negations:
            negated, emphasis = _NEGATION_REACH, 1.0
            continue
        if word in known.stronger:
            emphasis = 1.4
            continue
        if word in known.weaker:
            emphasis = 0.6
            continue
        if word in known.turns:  # what comes after "but" is what is meant
            total, after_turn, negated = total * 0.6, 1.3, 0
            continue
        weight = known.words.get(word, 0.0) or known.emoji.get(word, 0.0)
        if weight:
            # "not good" is bad; "not bad" is hardly praise.
            factor = (-0.7 if weight > 0 else -0.3) if negated else 1.0
            total += weight * emphasis * factor * after_turn
            emphasis = 1.0
        elif word in {"!", "?"}:
            shouts += 1
        elif not word[0].isalpha():
            negated, emphasis = 0, 1.0
        negated = max(0, negated - 1)
    total *= 1 + 0.1 * min(shouts, 3)
    return total / math.sqrt(total * total + _HALF_SCORE * _HALF_SCORE)
