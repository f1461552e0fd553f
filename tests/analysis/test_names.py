"""Names of organisations, people, places and products in posts."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.analysis.names import MAX_NAMES, names


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("投诉招商银行南京分行乱扣费", ("organisation", "招商银行南京分行")),
        ("恒丰银行与小资钱包合作", ("organisation", "小资钱包")),
        ("瑞幸后厨脏乱,市场监管总局已介入", ("organisation", "市场监管总局")),
        ("董明珠回应质量问题", ("person", "董明珠")),
        ("客服王丽说要等三天", ("person", "王丽")),
        ("在杭州西湖区自燃", ("place", "杭州西湖区")),
        ("上海和深圳的用户都遇到了", ("place", "深圳")),
        ("特斯拉model 3突然加速", ("product", "model 3")),
        ("iphone 15 pro max发热", ("product", "iphone 15 pro max")),
        ("在《王者荣耀》里被骗", ("product", "《王者荣耀》")),
    ],
)
def test_a_name_is_found_with_its_kind(text: str, expected: tuple[str, str]) -> None:
    assert expected in names(text)


@pytest.mark.parametrize(
    "text", ["", "这家公司真垃圾", "今天天气好", "银行", "v2.3版闪退", "小米比华为好用", "hello there"]
)
def test_a_kind_of_thing_is_no_name(text: str) -> None:
    assert names(text) == ()


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=700))
def test_any_text_gets_a_bounded_answer(text: str) -> None:
    found = names(text)
    assert len(found) <= MAX_NAMES
    assert all(name for _, name in found)
