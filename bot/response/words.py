"""Whether a listed word or phrase stands in a text: Chinese as written, Latin script by stems and with small gaps.

People inflect and contract: ``cannot log in`` is also meant by "couldn't even log in", ``hidden fee`` by "hidden fees".
"""

import functools
import re
from collections.abc import KeysView

GAP = 2  # other words between two neighbours of a phrase: "sold all our data" for ``sold data``
_TOKEN = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")
_CONTRACTED = (
    (re.compile(r"\b(?:can't|cant|can not|couldn't|could not|unable to)\b"), "cannot"),
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"n't\b"), " not"),
    (re.compile(r"'s\b"), ""),
)
_LONG, _STEM = 4, 3  # letters: shorter words stay as they are, and so much must be left of a longer one


class TextWords:
    """A folded text prepared for many questions."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._places: dict[str, list[int]] = {}
        for place, stem in enumerate(_stems(text)):
            self._places.setdefault(stem, []).append(place)

    @property
    def stems(self) -> KeysView[str]:
        """Every Latin stem of the text."""
        return self._places.keys()

    def hold(self, word: str) -> bool:
        """Whether the folded ``word`` stands here; Latin ``run`` is not found in ``brunch``."""
        if not word.isascii():
            return word in self._text
        first, *others = stems_of(word) or ("",)
        reached = self._places.get(first, [])
        for stem in others:
            places = self._places.get(stem, [])
            reached = [place for place in places if any(0 < place - before <= GAP + 1 for before in reached)]
        return bool(reached)


def key_of(word: str) -> str:
    """The same for a word and its inflections."""
    return " ".join(stems_of(word)) if word.isascii() else word


@functools.lru_cache(maxsize=10_000)
def stems_of(word: str) -> tuple[str, ...]:
    """The stems of a listed word or phrase, in order."""
    return tuple(_stems(word))


def _stems(text: str) -> list[str]:
    text = text.replace("’", "'")
    for pattern, full in _CONTRACTED:
        text = pattern.sub(full, text)
    return [_stem(token) for token in _TOKEN.findall(text)]


def _stem(token: str) -> str:
    """Without the endings of plural and tense; the same for all forms is enough, it need not be a word."""
    if len(token) < _LONG or token.endswith(("ss", "us", "is")):
        return token
    for ending, instead in (("ies", "y"), ("ied", "y"), ("ing", ""), ("ed", ""), ("s", "")):
        if token.endswith(ending) and len(token) - len(ending) + len(instead) >= _STEM:
            token = token[: -len(ending)] + instead
            break
    if len(token) > _STEM and token[-1] == token[-2] and token[-1] not in "aeiouls":
        token = token[:-1]  # scammed, scam
    return token[:-1] if len(token) > _STEM and token.endswith("e") else token
