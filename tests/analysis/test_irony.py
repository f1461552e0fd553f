"""Praise that blames is told from praise, as far as written cues reach."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.analysis.irony import LIMIT, ironic
from bot.analysis.pipeline import Analyser
from bot.analysis.text import clean, fold
from bot.model.grade import Sentiment
from bot.model.post import KeywordRule, Subject
from tests import factories

EXAMPLES = [
    line.split("\t") for line in Path(__file__).with_name("irony_examples.tsv").read_text(encoding="utf-8").splitlines()
]
SUBJECT = Subject(id="pay", name="星河支付", rule=KeywordRule(any=("星河",)))


def found(round_: str, kind: str) -> float:
    """The share of a round's examples of a kind that is taken for ironic."""
    verdicts = [ironic(fold(clean(text))) for each, label, text in EXAMPLES if (each, label) == (round_, kind)]
    return sum(verdicts) / len(verdicts)


def test_stock_phrases_of_irony_are_found() -> None:
    assert found("first", "ironic") >= 0.9


def test_sincere_praise_is_left_alone_in_every_round() -> None:
    """The fourth round was written after the cues and is left as it came out: see the model card."""
    for round_ in ("first", "second", "third", "fourth"):
        assert found(round_, "plain") <= 0.1, round_


@pytest.mark.parametrize("text", ["好棒棒哦，星河又把我的积分清零了", "感谢星河让我体验了什么叫求助无门"])
def test_an_ironic_post_about_a_subject_is_negative(text: str) -> None:
    [analysis] = Analyser([SUBJECT]).analyse([factories.post(text=text)])
    assert analysis.sentiment is Sentiment.NEGATIVE
    assert analysis.sentiment_score < 0


def test_quoted_irony_is_not_the_reposter_s() -> None:
    assert not ironic(fold("转发支持//@某人:真棒啊，刚充的会员第二天就涨价"))


def test_far_praise_and_failure_do_not_belong_together() -> None:
    assert not ironic("真棒啊,今天天气很好。" + "我们去公园散步" * (LIMIT // 7) + "。听说那边涨价")


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300))
def test_any_text_gets_an_answer(text: str) -> None:
    assert ironic(text) in (True, False)
