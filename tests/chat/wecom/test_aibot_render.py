"""Cards as a group of the smart robot sees them: whole, above their buttons, and nothing in them acts by itself."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat.wecom import aibot_render as cards
from bot.chat.wecom.render import gist_of
from bot.model.card import Button, Card, Facts, Items, Paragraph, Quote
from bot.model.grade import Grade
from bot.model.message import Message
from bot.testkit.wecom_cards import advice, check_card

HOSTILE = (
    "<@all> <@lina> [点我](http://evil.example) `rm` **粗** # 标题\n---\n~~删~~\n> 引\n@所有人 \u202e反\u202c \ud83d"
)
TEXTS = st.text(max_size=400)
ACK = Button("接手", "ack I-1", "primary")


def message(card: Card, object_: str = "incident:I-1", **more: Any) -> Message:
    return Message("wecom:group/wrk", card=card, object=object_, **more)


def texts(bodies: list[dict[str, Any]]) -> list[str]:
    return [body["markdown"]["content"] for body in bodies if body["msgtype"] == "markdown"]


def test_a_short_card_is_one_message_with_its_buttons() -> None:
    bodies = cards.group_bodies(message(Card("I-1", buttons=(ACK,))), "t@1")
    assert [body["msgtype"] for body in bodies] == ["template_card"]
    assert bodies[0]["template_card"]["card_type"] == "button_interaction"


def test_a_long_card_stands_whole_above_its_buttons() -> None:
    long = "很长的一段说明。" * 100
    bodies = cards.group_bodies(message(Card("I-1", sections=(Paragraph(long),), buttons=(ACK,))), "t@1")
    assert [body["msgtype"] for body in bodies] == ["markdown", "template_card"]
    assert long in texts(bodies)[0]
    assert "见上一条消息" in bodies[1]["template_card"]["sub_title_text"]


def test_a_hundred_kilobytes_come_in_numbered_parts_in_order_and_nothing_is_lost() -> None:
    words = " ".join(f"第{number}句。" for number in range(9_000))
    bodies = cards.group_bodies(message(Card("I-1", sections=(Paragraph(words),), buttons=(ACK,))), "t@1")
    parts = texts(bodies)
    assert len(words.encode()) > 100_000 and len(parts) > 4 and bodies[-1]["msgtype"] == "template_card"
    assert all(len(part.encode()) <= 20_480 for part in parts)
    whole = "".join(parts)
    places = [whole.find(f"第{number}句") for number in range(0, 9_000, 500)]
    assert -1 not in places and places == sorted(places)


def test_a_text_to_be_approved_is_whole_in_one_message_and_shares_it_with_nothing() -> None:
    body = "我们已经停止销售这一批次，并在两小时内退还全部款项。" * 200
    approve = Button("同意", "approve S-12 a1b2c3d4", "primary")
    card = Card("S-12 致顾客", sections=(Paragraph(body), Facts((("指纹", "a1b2c3d4"),))), buttons=(approve,))
    bodies = cards.group_bodies(message(card, "statement:S-12"), "t@1", mentions=("lina",))
    assert [body["msgtype"] for body in bodies] == ["markdown", "markdown", "template_card"]
    assert texts(bodies)[0].strip() == "<@lina>"
    assert body in texts(bodies)[1] and "a1b2c3d4" in texts(bodies)[1]


@pytest.mark.parametrize(("link", "where"), [("https://crisis.example/s/12", "打开链接"), ("", "控制台")])
def test_a_text_too_long_for_one_message_is_not_split_but_linked_with_its_digest(link: str, where: str) -> None:
    sections = (Facts((("指纹", "a1b2c3d4"),)), Paragraph("长" * 7_000), Paragraph("一条提醒"))
    approve = Button("同意", "approve S-12 a1b2c3d4")
    card = Card("S-12 致顾客", sections=sections, buttons=(approve,), link=link)
    bodies = cards.group_bodies(message(card, "statement:S-12"), "t@1")
    (text,) = texts(bodies)
    assert "长长" not in text and "a1b2c3d4" in text and "一条提醒" in text
    assert where in text and (not link or link in text)
    assert "20480" in text


def test_collected_text_neither_mentions_nor_renders() -> None:
    card = Card(
        "I-1", sections=(Quote(HOSTILE, HOSTILE, "http://a.example/x)(y"), Paragraph(HOSTILE * 20)), buttons=(ACK,)
    )
    said = cards.group_bodies(Message("wecom:group/wrk", text=HOSTILE), "t@1")
    for text in texts([*cards.group_bodies(message(card), "t@1"), *said]):
        assert "<@" not in text and "](http://evil" not in text and "`" not in text and "~~" not in text
        assert "<font" not in text and "\u202e" not in text
        assert not any(line.strip("- ") == "" and line.strip() for line in text.split("\n"))


def test_emoji_and_right_to_left_arrive() -> None:
    words = "🔥🇨🇳👩‍👩‍👧 مرحبا שלום 𠮷野家"
    (text,) = texts(cards.group_bodies(Message("wecom:group/wrk", text=words), "t@1"))
    assert text.strip() == words


@settings(max_examples=60)
@given(TEXTS, TEXTS, st.lists(st.tuples(TEXTS, TEXTS), max_size=9), st.lists(TEXTS, max_size=9), st.booleans())
def test_whatever_the_card_the_robot_may_send_it_and_answer_a_press_on_it(
    title: str, words: str, rows: list[tuple[str, str]], lines: list[str], link: bool
) -> None:
    buttons = tuple(Button(line or "x", f"do {number}") for number, line in enumerate(lines))
    card = Card(
        title, object="incident:I-1", grade=Grade.RED, grade_label=words[:20], subtitle=words,
        sections=(Facts(tuple(rows)), Paragraph(words), Items("题", tuple(lines))), buttons=buttons,
        link="https://a.example/" if link else "",
    )  # fmt: skip
    for body in cards.group_bodies(message(card, mentions=("lina",)), "t@1", mentions=("lina",)):
        if body["msgtype"] == "template_card":
            assert check_card(body["template_card"], set()) == advice(body["template_card"])
        else:
            assert 0 < len(body["markdown"]["content"].encode()) <= 20_480
    answer = cards.answer_card(card, "zh-CN", "t@1", "do 0", "李娜 已按「接手」")
    assert answer is not None
    check_card(answer, set(), update=True)
    assert "李娜" in answer["main_title"]["desc"]


def test_an_answered_press_is_marked_on_its_button() -> None:
    card = Card("I-1", object="incident:I-1", buttons=(ACK, Button("一个名字很长的按钮呀呀", "why I-1")))
    answer = cards.answer_card(card, "zh-CN", "t@1", "why I-1", "x")
    assert answer is not None
    assert answer["button_list"][0]["text"] == "接手"
    assert answer["button_list"][1]["text"].startswith("✓ 一个") and len(answer["button_list"][1]["text"]) <= 10


def test_figures_alone_are_not_worth_another_card() -> None:
    card = Card("I-1", grade=Grade.RED, buttons=(ACK,))
    other = Card("I-1", grade=Grade.RED, subtitle="12 条", buttons=(ACK,))
    worse = Card("I-1", grade=Grade.ORANGE, buttons=(ACK,))
    assert not cards.worth_a_new_card(message(other), gist_of(card))
    assert cards.worth_a_new_card(message(other, reason="raised"), gist_of(card))
    assert cards.worth_a_new_card(message(worse), gist_of(card))
    assert not cards.worth_a_new_card(message(worse, "run:R-1"), gist_of(card))
