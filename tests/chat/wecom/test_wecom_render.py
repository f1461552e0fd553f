"""Cards as WeCom bodies: whole, within the limits of the pages, and checked by the fake's own checker."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import handlers
from bot.chat.wecom import render
from bot.chat.wecom.words import size
from bot.model.card import Button, Card, Facts, Items, Paragraph, Quote
from bot.model.grade import Grade
from bot.model.message import Message
from bot.model.text import LANGUAGES
from bot.testkit.wecom_cards import check_card
from bot.texts import catalogue

ALERT = Card(
    title="星河支付 提现失败",
    object="incident:I-12",
    grade=Grade.ORANGE,
    grade_label="橙色预警 Ⅱ",
    subtitle="负责人：李娜 · 已响应",
    sections=(
        Paragraph("1 小时内负面 120 条，是平时的 8 倍。"),
        Facts((("负面量", "120 条/时"), ("负面占比", "64%"), ("平台", "4 个"))),
        Quote("提现三天了还没到账", "微博 · 小张", "https://weibo.example/1"),
    ),
    buttons=(
        Button("认领", "ack I-12", "primary"),
        Button("原因", "why I-12"),
        Button("备注", "note I-12", form="note"),
    ),
    link="https://fengbo.example/i/I-12",
)
NASTY = '<@all> <@lina> [领钱](https://evil.example) `x` **粗** <font color="warning">红</font>\n# 大标题\n@所有人 '
texts = st.text(st.one_of(st.sampled_from("<@all>[]()*`#&\n中文，"), st.characters(codec="utf-8")), max_size=300)
cards = st.builds(
    Card,
    title=texts,
    object=st.sampled_from(["", "incident:I-12", "source:微博/<x>"]),
    grade=st.sampled_from(Grade),
    grade_label=texts,
    subtitle=texts,
    drill=st.sampled_from(["", "【演练】"]),
    footer=texts,
    link=st.sampled_from(["", "https://fengbo.example/i/1", "javascript:1"]),
    sections=st.lists(
        st.one_of(
            st.builds(Paragraph, texts, st.booleans()),
            st.builds(Facts, st.lists(st.tuples(texts, texts), max_size=9).map(tuple)),
            st.builds(Items, texts, st.lists(texts, max_size=5).map(tuple), texts),
            st.builds(Quote, texts, texts, st.sampled_from(["", "https://a.example/)"])),
        ),
        max_size=5,
    ).map(tuple),
    buttons=st.lists(
        st.builds(
            Button,
            st.text(min_size=1, max_size=20),
            st.text("ack I-12界", max_size=600),
            form=st.sampled_from(["", "f"]),
        ),
        max_size=9,
    ).map(tuple),
)


def message(card: Card | None, destination: str = "wecom:lina", **more: object) -> Message:
    return Message(destination, card=card, object=card.object if card else "", **more)  # type: ignore[arg-type]


def words(body: object) -> str:
    return json.dumps(body, ensure_ascii=False)


def posted(card: Card, **more: object) -> render.Posting:
    one = message(card, **more)
    return render.member_posting(one, render.task_id_of(one, "k1"))


def test_an_alert_fits_one_card_with_facts_quotation_and_buttons() -> None:
    posting = posted(ALERT)
    card = posting.card
    assert card is not None and posting.rest == ()
    assert check_card(card, set()) == []
    assert card["main_title"] == {"title": "星河支付 提现失败", "desc": "负责人：李娜 · 已响应"}
    assert [row["keyname"] for row in card["horizontal_content_list"]] == ["负面量", "负面占比", "平台"]
    assert card["quote_area"] == {
        "type": 1,
        "url": "https://weibo.example/1",
        "quote_text": "提现三天了还没到账",
        "title": "微博 · 小张",
    }
    assert [(button["key"], button["style"]) for button in card["button_list"]] == [
        ("ack I-12", 1),
        ("why I-12", 2),
        ("note I-12", 2),
    ]
    assert "橙色预警" in card["source"]["desc"]
    assert card["sub_title_text"].endswith("也可以回复：备注 I-12 …")


def test_buttons_beyond_six_stand_in_the_menu_and_as_words() -> None:
    many = Card("标题", object="incident:I-1", buttons=tuple(Button(f"按钮{n}", f"do I-1 {n}") for n in range(11)))
    card = posted(many).card
    assert card is not None
    assert [button["key"] for button in card["button_list"]] == [f"do I-1 {n}" for n in range(6)]
    assert [item["key"] for item in card["action_menu"]["action_list"]] == ["do I-1 6", "do I-1 7", "do I-1 8"]
    for number in range(6, 11):
        assert f"do I-1 {number}" in card["sub_title_text"]


def test_a_long_card_says_so_and_its_whole_text_follows_in_numbered_parts() -> None:
    paragraphs = tuple(Paragraph(f"第{n}段：" + "很长的说明。" * 60) for n in range(6))
    posting = posted(Card("标题" * 30, sections=paragraphs, buttons=ALERT.buttons, object="incident:I-12"))
    assert posting.card is not None and len(posting.rest) > 1
    assert check_card(posting.card, set()) == []
    assert posting.card["main_title"]["title"].endswith("…")
    assert "全文见下一条消息" in posting.card["sub_title_text"]
    parts = [body["markdown"]["content"] for body in posting.rest]
    assert all(size(part) <= 2048 for part in parts)
    assert parts[1].startswith(f"续 2/{len(parts)} · continued\n")
    whole = "".join(parts)
    for paragraph in paragraphs:
        assert paragraph.text in whole.replace("\n", "") or paragraph.text[:20] in whole
    assert "标题" * 30 in whole
    assert whole.count("很长的说明。") >= 355  # at most one sentence is broken at each of the five seams


def test_a_card_without_buttons_is_a_notice_if_it_links_and_markdown_otherwise() -> None:
    linked = posted(Card("周报", link="https://fengbo.example/r", object="report:1"))
    assert linked.card is not None and linked.card["card_type"] == "text_notice"
    assert linked.card["action_menu"]["action_list"][0]["key"] == "show 1"
    plain = posted(Card("周报", sections=(Paragraph("一切平静"),)))
    assert plain.card is None
    assert [body["msgtype"] for body in plain.rest] == ["markdown"]


def test_a_revision_without_buttons_stays_a_card_and_a_quiet_one_never_adds_a_message() -> None:
    closed = Card("星河支付", object="incident:I-12", sections=(Paragraph("长" * 900),))
    one = message(closed)
    posting = render.member_revision(one, render.task_id_of(one, "k2"))
    assert posting.card is not None and posting.rest == ()
    assert posting.card["button_list"] == [{"text": "查看", "style": 2, "key": "show I-12"}]
    assert "回复“查看 I-12”看全文" in posting.card["sub_title_text"]
    loud = render.member_revision(message(closed, reason="grade_raised"), render.task_id_of(one, "k2"))
    assert loud.rest and "长" * 400 in loud.rest[0]["markdown"]["content"]


def test_the_task_id_is_the_same_for_a_resend_and_new_for_a_revision_of_the_same_anchor() -> None:
    one = message(ALERT)
    first, again, second = (render.task_id_of(one, key) for key in ("k1", "k1", "k2"))
    assert first == again != second
    assert {task.partition("@")[0] for task in (first, second)} == {render.anchor_of(one, "any")}
    lane = message(ALERT, "wecom:lina#reply3")
    assert render.anchor_of(lane, "k") == render.anchor_of(one, "k")
    assert render.anchor_of(message(ALERT, "wecom:zhaolei"), "k") != render.anchor_of(one, "k")


def test_a_robot_gets_markdown_with_colour_mentions_and_words_for_the_buttons() -> None:
    bodies = render.robot_bodies(message(ALERT, "wecom:robot/pr", mentions=("lina", "all")))
    (content,) = [body["markdown"]["content"] for body in bodies]
    lines = content.split("\n")
    assert lines[0] == '🟠 <font color="warning">橙色预警 Ⅱ</font> **星河支付 提现失败**'
    assert lines[1] == "<@lina>"
    assert "> 提现三天了还没到账" in lines
    assert "在应用的私聊里回复：确认 I-12、为什么 I-12、备注 I-12 …" in content


def test_a_rewrite_with_a_reason_rings_because_wecom_itself_does_not() -> None:
    one = message(ALERT, reason="raised")
    posting = render.member_revision(one, render.task_id_of(one, "k2"))
    (ring,) = posting.rest
    assert ring["text"]["content"] == "🟠 橙色预警 Ⅱ 星河支付 提现失败（卡片已更新，请看上面）"
    assert render.member_revision(message(ALERT), "t").rest == ()


def test_a_message_of_an_attachment_alone_has_no_empty_text() -> None:
    assert render.member_posting(Message("wecom:lina"), "t").bodies == []
    assert render.robot_bodies(Message("wecom:robot/pr", mentions=("lina",))) == []


def test_words_for_commands_are_words_the_registry_knows() -> None:
    registry = handlers.load()
    for language in LANGUAGES:
        for key in catalogue(language):
            if key.startswith("wecom.word."):
                name = key.removeprefix("wecom.word.")
                command, rest, incident = registry.understand(f"{catalogue(language)[key]} I-12 一句话")
                assert (command.name, rest, incident) == (name, "一句话", "I-12")


@pytest.mark.parametrize("destination", ["wecom:lina", "wecom:robot/pr"])
def test_collected_text_neither_mentions_nor_renders(destination: str) -> None:
    hostile = Card(
        NASTY,
        object="incident:I-12",
        subtitle=NASTY,
        sections=(Paragraph(NASTY), Facts(((NASTY, NASTY),)), Items(NASTY, (NASTY,)), Quote(NASTY, NASTY)),
        footer=NASTY,
        buttons=(Button("认领", "ack I-12"),),
    )
    one = message(hostile, destination)
    robot = destination.startswith("wecom:robot")
    bodies = render.robot_bodies(one) if robot else render.member_posting(one, "t").bodies
    for body in [*bodies, *render.text_bodies(NASTY, "zh-CN")]:
        said = words(body)
        assert "<@" not in said and "@all" not in said and "@所有人" not in said
        assert "](https://evil" not in said
        assert "`" not in said
        assert '<font color=\\"warning' not in said.replace('<font color=\\"comment', "")
        assert "\\n# " not in said


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(cards, st.booleans(), st.sampled_from(["zh-CN", "en"]))
def test_whatever_the_card_wecom_takes_it_and_nobody_is_pinged(card: Card, revise: bool, language: str) -> None:
    one = message(card, language=language)
    task = render.task_id_of(one, "k")
    assert size(task) <= 128
    posting = render.member_revision(one, task) if revise else render.member_posting(one, task)
    if posting.card is not None:
        check_card(posting.card, set())
        assert len(posting.card.get("sub_title_text", "")) <= 160
        assert all(size(button["key"]) <= 1024 for button in posting.card.get("button_list", []))
    else:
        assert revise or posting.rest
    for body in posting.rest:
        assert 0 < size(body["markdown"]["content"]) <= 2048
        assert "<@" not in body["markdown"]["content"]
    for body in render.robot_bodies(message(card, "wecom:robot/pr", language=language)):
        assert 0 < size(body["markdown"]["content"]) <= 4096
        assert "<@" not in body["markdown"]["content"]


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=4000), st.lists(st.text(max_size=20), max_size=3))
def test_plain_text_keeps_2048_bytes_and_only_members_are_pinged(text: str, mentions: list[str]) -> None:
    for body in render.text_bodies(text, "zh-CN"):
        assert size(body["text"]["content"]) <= 2048
        assert "@" not in body["text"]["content"]
    for body in render.robot_bodies(Message("wecom:robot/pr", text=text, mentions=tuple(mentions))):
        assert size(body["text"]["content"]) <= 2048
        assert "<@all>" not in body["text"]["content"].lower()
