"""Words of both languages that mean the same thing are found as one group."""

from importlib import resources

import pytest
import yaml

from bot.response.meanings import Meanings, meanings
from bot.response.similarity import Similarity, folded
from bot.response.words import key_of


@pytest.mark.parametrize(
    ("text", "group"),
    [
        ("余额提不出来", "money_stuck"),
        ("餘額提不出來", "money_stuck"),
        ("I cannot withdraw anything", "money_stuck"),
        ("withdrawals are late", "money_stuck"),
        ("They would not release my money", "money_stuck"),
        ("老板跑路了", "vanished"),
        ("连轴转 996", "overwork"),
        ("The API answers 503", "error_code"),
    ],
)
def test_a_text_is_found_in_its_group(text: str, group: str) -> None:
    assert group in meanings().of(folded(text))


def test_a_latin_word_counts_only_by_itself_and_nothing_is_found_in_nothing() -> None:
    groups = Meanings({"run": ["bank run"], "down": ["down"]})
    assert groups.of("the server is down") == ["down"]
    assert groups.of("download the app for brunch") == []
    assert groups.of("") == [] and Meanings({}).of("宕机 down") == []


def test_no_group_lists_a_word_twice() -> None:
    text = resources.files("bot.response").joinpath("meanings.yaml").read_text(encoding="utf-8")
    twice = []
    for name, listed in yaml.safe_load(text).items():
        keys = [key_of(folded(str(word))) for word in listed]
        twice += [(name, key) for key in set(keys) if keys.count(key) > 1]
    assert twice == []


def test_a_question_is_near_its_answer_in_the_other_language() -> None:
    known = Similarity([folded(text) for text in ("Are you out of money?", "Is my data safe?", "When is it repaired?")])
    scores = list(known.to(folded("是不是资金链断了，现金流还撑得住吗")))
    assert scores.index(max(scores)) == 0
