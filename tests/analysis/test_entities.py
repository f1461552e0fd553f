import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.analysis.entities import MAX_ENTITIES, entities
from bot.analysis.text import clean, fold


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("#星河支付提现失败# 怎么回事", [("hashtag", "星河支付提现失败")]),
        ("down again #outage", [("hashtag", "outage")]),
        ("@张三2 @li_si 看", [("account", "张三2"), ("account", "li_si")]),
        ("涉及资金3.5亿元，2万用户", [("amount", "3.5亿元"), ("amount", "2万用户")]),
        ("股价跌7.2个百分点", [("amount", "7.2个百分点")]),
        (
            "lost $1.2 million, 5,000 users, 12.5%",
            [("amount", "$1.2million"), ("amount", "5,000users"), ("amount", "12.5%")],
        ),
        ("５００元", [("amount", "500元")]),
        ("升级到v2.3.1后闪退", [("version", "2.3.1")]),
        ("iOS 17.1.2", [("version", "17.1.2")]),
        ("u29abc a1 covid19 mp3", []),
        ("没有什么", []),
        ("", []),
    ],
)
def test_what_a_post_names(text: str, expected: list[tuple[str, str]]) -> None:
    assert list(entities(fold(clean(text)))) == expected


@given(st.text(alphabet="#@v1.,元万$ a好\n%", max_size=200))
def test_any_mixture_gives_a_bounded_answer(text: str) -> None:
    found = entities(fold(clean(text)))
    assert len(found) <= MAX_ENTITIES
    assert len(set(found)) == len(found)
    assert all(kind in {"hashtag", "account", "amount", "version"} for kind, _ in found)


@pytest.mark.parametrize("unit", ["1,", "1.", "#a", "@a", "#", "v1", "9"])
def test_hostile_repetition_is_bounded(unit: str) -> None:
    assert len(entities(unit * 4_000)) <= MAX_ENTITIES
