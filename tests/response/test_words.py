"""Whether a listed word stands in a text."""

import pytest

from bot.response.similarity import folded
from bot.response.words import TextWords, key_of

HELD = [
    ("run", "they may run tomorrow", True),
    ("run", "brunch", False),
    ("hidden fee", "So many hidden fees!", True),
    ("cannot log in", "I couldn’t even log in", True),
    ("cannot log in", "unable to log in since nine", True),
    ("data sold", "the data were then sold", True),
    ("data sold", "the data of all our many customers sold", False),
    ("log in", "in the log", False),
    ("scam", "we were scammed", True),
    ("断网", "全城斷網", True),
    ("断网", "网断了", False),
    ("503", "error 5030", False),
]


@pytest.mark.parametrize(("word", "text", "held"), HELD)
def test_a_phrase_is_found_inflected_contracted_and_with_small_gaps(word: str, text: str, held: bool) -> None:
    assert TextWords(folded(text)).hold(folded(word)) is held


@pytest.mark.parametrize("words", [("rumour", "rumours"), ("charge", "charged", "charging"), ("refund", "refunds")])
def test_inflections_of_a_word_are_one_word(words: tuple[str, ...]) -> None:
    assert len({key_of(word) for word in words}) == 1


def test_a_word_without_letters_is_nowhere() -> None:
    assert not TextWords("anything").hold("!?")
