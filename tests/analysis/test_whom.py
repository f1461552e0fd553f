"""Whom a negative post is about, of those it names."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.analysis.pipeline import Analyser
from bot.analysis.whom import MAX_NAMES, features, free_places, shipped_whom
from bot.model.grade import Sentiment
from bot.model.post import KeywordRule, Subject
from tests import factories

SUBJECTS = [
    Subject(id="ours", name="星河支付", rule=KeywordRule(any=("星河支付", "Xinghe Pay"))),
    Subject(id="theirs", name="快付通", rule=KeywordRule(any=("快付通",)), kind="competitor"),
]


@pytest.mark.parametrize(
    ("text", "spared"),
    [
        ("快付通提现三天不到账，客服失联，骗子平台，幸好有星河支付秒到", ("ours",)),
        ("星河支付提现三天不到账，客服失联，骗子平台，还是换成快付通了", ("theirs",)),
        ("星河支付和快付通都一样坑，提现不到账，垃圾", ()),
        ("星河支付提现不到账，垃圾平台骗人", ()),
    ],
)
def test_a_negative_post_counts_for_whom_it_is_negative_about(text: str, spared: tuple[str, ...]) -> None:
    [analysis] = Analyser(SUBJECTS).analyse([factories.post(text=text)])
    assert analysis.sentiment is Sentiment.NEGATIVE
    assert analysis.spared == spared
    for subject, _ in analysis.subjects:
        expected = Sentiment.NEUTRAL if subject in spared else Sentiment.NEGATIVE
        assert analysis.sentiment_about(subject) is expected
        assert bool(analysis.types_about(subject)) is (bool(analysis.types) and subject not in spared)


def test_the_only_party_is_the_one_it_is_about() -> None:
    assert shipped_whom().about("随便什么", ["某"]) == ("某",)
    assert shipped_whom().spared("某某很好", [["某某"]], 1) == ()


def test_somebody_is_always_to_blame() -> None:
    assert shipped_whom().about("甲 乙", ["甲", "乙"]) != ()


def test_a_name_inside_a_longer_one_does_not_stand_by_itself() -> None:
    text = "星河支付公司跑路,星河支付不回应"
    assert free_places(text, "星河支付", ["星河支付公司"]) == [9]
    assert free_places("星河支付公司", "星河支付", ["星河支付公司"]) == []


def test_no_name_is_a_feature() -> None:
    one = features("甲公司跑路了,乙公司报案", "甲公司", ["甲公司", "乙公司"])
    other = features("丙公司跑路了,丁公司报案", "丙公司", ["丙公司", "丁公司"])
    assert one == other


@settings(max_examples=60, deadline=None)
@given(
    st.text(max_size=400), st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=MAX_NAMES + 4, unique=True)
)
def test_any_text_and_any_names_get_an_answer(text: str, names: list[str]) -> None:
    judge = shipped_whom()
    assert len(judge.scores(text, names)) == len(names)
    assert set(judge.about(text, names)) <= set(names)
    assert len(judge.bad_news([text])) == 1
