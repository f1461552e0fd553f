"""What complaints concentrate on, with a test against chance."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.analysis.association import Thing, associations, at_least
from bot.texts import render

VERSION: Thing = ("version", "2.3")


def posts(together: int, with_thing: int, elsewhere: int, others: int) -> list[tuple[set[Thing], set[str]]]:
    named = [({VERSION}, {"提现"} if number < together else {"慢"}) for number in range(with_thing)]
    return named + [(set[Thing](), {"提现"} if number < elsewhere else {"慢"}) for number in range(others)]


def test_a_word_that_appears_far_more_often_with_a_version_is_said_in_words() -> None:
    [found] = associations(posts(18, 20, 10, 100))
    assert (found.thing, found.word, round(found.lift)) == (VERSION, "提现", 9)
    assert "9" in render(found.reason, "en")
    assert "2.3" in render(found.reason, "zh-CN")


def test_a_word_that_appears_with_one_thing_alone_has_no_number() -> None:
    [found] = associations(posts(15, 20, 0, 100))
    assert render(found.reason, "en").endswith("and nowhere else")


@pytest.mark.parametrize(
    "boxes",
    [
        (3, 3, 0, 100),  # three posts are no pattern
        (10, 20, 50, 100),  # the same share everywhere
        (6, 20, 20, 100),  # chance gives as much now and then
        (0, 0, 0, 0),
    ],
)
def test_what_may_be_chance_is_not_said(boxes: tuple[int, int, int, int]) -> None:
    assert associations(posts(*boxes)) == []


def test_looking_at_many_pairs_finds_nothing_in_noise() -> None:
    rng = random.Random(5)
    found = 0
    for _ in range(40):
        noise = [
            ({("place", f"城{rng.randrange(12)}")}, {f"词{rng.randrange(12)}" for _ in range(2)}) for _ in range(300)
        ]
        found += bool(associations(noise))
    assert found <= 1


def test_the_tail_is_that_of_the_tea_tasting_lady() -> None:
    assert at_least(4, 4, 4, 8) == pytest.approx(1 / 70)
    assert at_least(3, 4, 4, 8) == pytest.approx(17 / 70)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30), st.integers(0, 60))
def test_a_chance_is_a_chance(together: int, with_thing: int, with_word: int, total: int) -> None:
    assert 0.0 <= at_least(together, min(with_thing, total), min(with_word, total), total) <= 1.0 + 1e-9
