"""A text that people decide about is shown whole in one message or not at all, in every chat."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat import mail_page
from bot.chat.slack import render as slack
from bot.chat.slack.limits import units
from bot.chat.wecom import aibot_render, render
from bot.chat.wecom.words import size
from bot.model.card import Button, Card, Facts, Items, Whole
from bot.model.message import Message

INSTEAD = "全文放不下，请到控制台读完。文本摘要 0123456789abcdef"
MARK = "起始标记甲"
PARTS = ["我们诚恳致歉。", "<!channel>", "*粗*", "`rm`", "\u202e反", "👩‍👩‍👧", "\n\n", "שלום", "[x](https://e.example)"]
texts = st.builds(
    lambda parts, times: MARK + "".join(parts) * times + "终止标记乙",
    st.lists(st.sampled_from(PARTS), min_size=1, max_size=6),
    st.sampled_from([1, 10, 60, 300, 2_000]),
)


def message(text: str, destination: str, link: str = "") -> Message:
    card = Card(
        "S-1 · 对公众声明", object="statement:S-1", link=link,
        sections=(Facts((("文本摘要", "0123"),)), Whole(text, INSTEAD), Items("审批 1/3", ("✅ 法务", "⬜ 高管"))),
        buttons=(Button("同意这份文字", "approve S-1 01234567", "primary"),),
    )  # fmt: skip
    return Message(destination, card=card, object=card.object, reason="statement_ask")


def whole_or_instead(bodies: list[str]) -> None:
    """The marks at both ends stand in one message, or in none and the sentence does."""
    begin = [index for index, body in enumerate(bodies) if MARK in body]
    end = [index for index, body in enumerate(bodies) if "终止标记乙" in body]
    assert begin == end and len(begin) <= 1
    assert begin or any("0123456789abcdef" in body for body in bodies)


@settings(max_examples=60, deadline=None)
@given(texts, st.sampled_from(["", "https://fengbo.example/statements/S-1"]))
def test_slack_shows_it_whole_or_says_where_it_stands(text: str, link: str) -> None:
    shown = slack.render(message(text, "slack:C0ALERTS", link))
    whole_or_instead([str(part.blocks) + ("" if part.blocks else part.text) for part in shown])
    plain = slack.render_plain(message(text, "slack:C0ALERTS", link))
    whole_or_instead([part.text for part in plain])


@settings(max_examples=60, deadline=None)
@given(texts)
def test_wecom_shows_it_whole_or_says_where_it_stands(text: str) -> None:
    for bodies in (
        render.member_posting(message(text, "wecom:lina"), "task@1").bodies,
        render.member_revision(message(text, "wecom:lina"), "task@1").bodies,
        render.robot_bodies(message(text, "wecom:robot/pr-robot")),
    ):
        whole_or_instead([str(body) for body in bodies])


@pytest.mark.parametrize("length", [1, 600, 3_000, 30_000])
def test_a_group_of_the_smart_robot_shows_it_whole_or_says_where_it_stands(length: int) -> None:
    text = MARK + "我" * length + "终止标记乙"
    lines = "\n".join(map(str, aibot_render._whole_lines(message(text, "wecom:group/g1"))))
    assert size(lines) <= aibot_render.MARKDOWN_BYTES
    whole_or_instead([lines])


def test_console_and_mail_have_room_for_all_of_it() -> None:
    text = MARK + "我们诚恳致歉。<b>" * 5_000 + "终止标记乙"
    html = mail_page.page(message(text, "email:x@corp.example").card, "zh-CN")  # type: ignore[arg-type]
    assert html.count("我们诚恳致歉。&lt;b&gt;") == 5_000 and "终止标记乙" in html
    assert message(text, "console:alerts").card.plain().count("我们诚恳致歉。") == 5_000  # type: ignore[union-attr]
    assert units(text) > 13_000
