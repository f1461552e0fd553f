"""The words of a text that say what it is about, and those that several people used: nobody's sentence, but what many
of them have in common."""

import functools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from bot.response.meanings import meanings, small_words
from bot.response.similarity import folded
from bot.response.words import key_of

_RUN = re.compile(r"[a-z][a-z0-9'-]+|[\u3400-\u9fff]+")
SHORTEST_LATIN, LONGEST = 4, 12
LEAST_PEOPLE, MOST_WORDS = 2, 40
LONGEST_COINED, NEARLY = 6, 0.9
MEANING = "≈"  # before the name of a group of words that mean the same


def terms(text: str) -> set[str]:
    """The words of a folded text: Chinese of two characters and more, Latin ones by their stem."""
    joining = small_words()[1]
    found: set[str] = set()
    for run in _RUN.findall(text):
        if run.isascii():
            if len(run) >= SHORTEST_LATIN and run not in small_words()[0]:
                found.add(key_of(run))
        else:
            found.update(
                word for word in _cutter()(run) if 1 < len(word) <= LONGEST and joining.isdisjoint(word)
            )  # fmt: skip
    return found


def senses(text: str) -> set[str]:
    """The groups of meaning a folded text speaks of, the same in both languages."""
    return {MEANING + name for name in meanings().of(text)}


def coined(text: str) -> set[str]:
    """The words of a folded text, and what two or three of its pieces give together: a word that no dictionary knows
    comes out of the cutter in pieces."""
    joining, found = small_words()[1], terms(text)
    for run in _RUN.findall(text):
        pieces = [] if run.isascii() else list(_cutter()(run))
        for start in range(len(pieces)):
            for count in (2, 3):
                word = "".join(pieces[start : start + count])
                if len(pieces) >= start + count and 1 < len(word) <= LONGEST_COINED and joining.isdisjoint(word):
                    found.add(word)
    return found


def whole_words(people: Mapping[str, int]) -> dict[str, int]:
    """Without the pieces of longer words that nearly as many people used."""
    kept: dict[str, int] = {}
    for word in sorted(people, key=lambda item: (-len(item), item)):
        if not any(word in longer and count >= NEARLY * people[word] for longer, count in kept.items()):
            kept[word] = people[word]
    return kept


def speakers(
    voices: Sequence[tuple[str, str]], words_of: Callable[[str], set[str]] = terms
) -> dict[str, int]:  # fmt: skip
    """How many people used each word, of ``(author, text)``."""
    people: dict[str, set[str]] = {}
    for number, (author, text) in enumerate(voices):
        for term in words_of(folded(text)):
            people.setdefault(term, set()).add(author or f"#{number}")
    return {term: len(who) for term, who in people.items()}


def shared_words(voices: Sequence[tuple[str, str]], without: Iterable[str] = (), most: int = MOST_WORDS) -> list[str]:
    """The words that at least two of ``(author, text)`` used, those of most people first; a post without an author is
    one person."""
    left_out = set().union(*(terms(folded(name)) for name in without)) if without else set()
    counted = [(term, people) for term, people in speakers(voices).items() if people >= LEAST_PEOPLE]
    ranked = sorted(counted, key=lambda item: (-item[1] * min(4, len(item[0])), item[0]))
    return [term for term, _ in ranked if term not in left_out][:most]


@functools.cache
def _cutter():  # type: ignore[no-untyped-def]  # the library has no types
    import rjieba  # reads its dictionary at once: with the first text, not before a start has opened the doors

    return rjieba.cut
