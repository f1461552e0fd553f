"""Kinds of bad news and feelings that were learnt, with the words that decided."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.analysis.emotions import EMOTIONS, emotions
from bot.analysis.kinds import MAX_WORDS, merged, shipped_kinds
from bot.analysis.pipeline import Analyser
from bot.analysis.text import fold
from bot.model.grade import CrisisType
from bot.model.post import KeywordRule, Subject, TypeHit
from tests import factories


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("星河科技终止重大资产重组,公司股票明日复牌", CrisisType.FUNDING_TROUBLE),
        ("穆迪下调星河集团评级至垃圾级,展望负面", CrisisType.FUNDING_TROUBLE),
        ("星河股份未及时披露关联交易,收到交易所监管函", CrisisType.REGULATORY_ACTION),
        ("星河理财涉嫌非法吸收公众存款,警方已立案侦查", CrisisType.FRAUD_ACCUSATION),
    ],
)
def test_a_kind_is_found_with_words_that_stand_in_the_text(text: str, expected: CrisisType) -> None:
    folded = fold(text)
    [hits] = shipped_kinds().types([folded])
    found = {hit.type: hit for hit in hits}
    assert expected in found
    assert found[expected].words
    assert all(word in folded for word in found[expected].words)
    assert len(found[expected].words) <= MAX_WORDS


@pytest.mark.parametrize("text", ["", "好", "今天天气真好,和朋友去公园玩", "这家奶茶真好喝推荐给大家", "哈哈哈哈哈哈"])
def test_small_talk_has_no_kind(text: str) -> None:
    assert shipped_kinds().types([text]) == [()]


def test_the_rules_stay_in_front() -> None:
    ruled = (TypeHit(CrisisType.OUTAGE, 0.8, ("宕机",)),)
    learnt = (TypeHit(CrisisType.OUTAGE, 0.5, ("机",)), TypeHit(CrisisType.FUNDING_TROUBLE, 0.5, ("亏",)))
    assert merged(ruled, learnt) == (ruled[0], learnt[1])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("气死我了,无耻的骗子,垃圾公司滚出去", "anger"),
        ("太可怕了,好害怕,吓得睡不着觉", "fear"),
        ("好难过,哭了一晚上,心里很痛", "sadness"),
    ],
)
def test_a_feeling_is_told_from_the_others(text: str, expected: str) -> None:
    assert emotions([text]) == [expected]


def test_a_negative_post_about_a_subject_carries_its_feeling() -> None:
    subject = Subject(id="pay", name="星河支付", rule=KeywordRule(any=("星河支付",)))
    said = [
        factories.post(text="气死我了，星河支付这个无耻的骗子，垃圾公司"),
        factories.post(text="星河支付挺好用的，喜欢"),
    ]
    angry, glad = Analyser([subject]).analyse(said)
    assert (angry.emotion, glad.emotion) == ("anger", "")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=80), max_size=5))
def test_any_texts_get_an_answer(texts: list[str]) -> None:
    assert len(shipped_kinds().types(texts)) == len(texts)
    assert all(feeling in {*EMOTIONS, ""} for feeling in emotions(texts))
