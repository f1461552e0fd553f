"""Words that mean the same: which groups of a list such as ``meanings.yaml`` a text speaks of, in either language."""

import functools
from importlib import resources
from typing import Any

import ahocorasick_rs

from bot import quick_yaml
from bot.analysis.text import clean, fold
from bot.response.words import TextWords, stems_of


class Meanings:
    """The groups compiled: one pass for Chinese, a look-up by first stem for Latin script."""

    def __init__(self, groups: dict[str, list[str]]) -> None:
        self._chinese: list[tuple[str, str]] = []
        self._latin: dict[str, list[tuple[str, str]]] = {}
        for name, listed in groups.items():
            for word in map(_folded, listed):
                if not word.isascii() or word.isdigit():
                    self._chinese.append((word, name))
                elif stems := stems_of(word):
                    self._latin.setdefault(stems[0], []).append((word, name))
        self._automaton = ahocorasick_rs.AhoCorasick([word for word, _ in self._chinese])

    def of(self, text: str) -> list[str]:
        """The names of the groups that a folded text has a word of, each once."""
        places = self._automaton.find_matches_as_indexes(text, overlapping=True)
        found = {self._chinese[place][1] for place, _, _ in places}
        words = TextWords(text)
        for stem in words.stems & self._latin.keys():
            found.update(name for word, name in self._latin[stem] if name not in found and words.hold(word))
        return sorted(found)


@functools.cache
def meanings() -> Meanings:
    """What posts speak of."""
    return _compiled("meanings.yaml")


@functools.cache
def question_words() -> Meanings:
    """What questions ask for."""
    return _compiled("question_words.yaml")


@functools.cache
def small_words() -> tuple[frozenset[str], frozenset[str]]:
    """Latin words and Chinese characters that say nothing of the matter."""
    listed = _read("small_words.yaml")
    return frozenset(listed["latin"].split()), frozenset(listed["chinese"])


def _compiled(name: str) -> Meanings:
    return Meanings({group: [str(word) for word in listed] for group, listed in _read(name).items()})


def _read(name: str) -> Any:
    return quick_yaml.load(resources.files("bot.response").joinpath(name).read_text(encoding="utf-8"))


def _folded(word: str) -> str:
    return fold(clean(word))
