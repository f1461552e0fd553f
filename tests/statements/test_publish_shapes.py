"""What each chat shows of an approved text: exactly it, in one message, or where it stands. Never a part of it."""

import pytest
from factories import CONFIG
from hypothesis import given
from hypothesis import strategies as st
from publish_scene import PUBLISHERS, scene

from bot.chat.slack import render as slack
from bot.chat.slack.adapter import SlackChat
from bot.chat.slack.api import SlackApi
from bot.chat.wecom import render as wecom
from bot.clock import MINUTE, SystemClock
from bot.config import ConfigError, parse
from bot.delivery.chat import Refused
from bot.delivery.outbox import Row
from bot.model.message import Message
from bot.statements import publish_shapes as shapes
from bot.store.database import Store
from bot.testkit.fake_slack import BOT_TOKEN, FakeSlack

NASTY = [
    "*粗* _斜_ ~删~ `码` :smile: <@U0LINA> <!channel> @here &amp; &lt;b&gt;",
    "# 标题\n> 引用\n- 一\n1. 二\n[链接](https://x.example) https://x.example/?a=1&b=2",
    "😀👨‍👩‍👧 𝄞 é 中文\n\n\n  缩进  \n",
    "שלום עולם مرحبا",
    "说明" * 5_000,
]


def message(text: str, chat: str = "slack") -> Message:
    return Message(f"{chat}:X", text=text, verbatim=True)


def shown_by_slack(text: str) -> str:
    (page,) = slack.render(message(text))
    for one in page.blocks:
        assert one["type"] == "section" and one["text"]["type"] == "plain_text" and one["text"]["emoji"] is False
    return "".join(one["text"]["text"] for one in page.blocks)


@given(st.text(min_size=1, max_size=4_000))
def test_what_fits_is_shown_by_each_chat_character_for_character(text: str) -> None:
    """The service decides which shape a text takes; the adapters must never disagree by changing or refusing it."""
    if not text.strip():
        return
    if shapes.fits("slack", text):
        assert shown_by_slack(text) == text
    if shapes.fits("wecom", text):
        assert wecom.member_posting(message(text), "t").bodies == [{"msgtype": "text", "text": {"content": text}}]
        assert wecom.robot_bodies(message(text)) == [{"msgtype": "text", "text": {"content": text}}]


@pytest.mark.parametrize("text", NASTY)
def test_markup_mentions_emoji_and_long_texts_stay_what_they_are_in_slack(text: str) -> None:
    assert shapes.fits("slack", text) and shown_by_slack(text) == text


@pytest.mark.parametrize("text", ["长" * 14_000, "a\u202eb", "a\x00b", "a\r\nb", "x" + " " * 6_000 + "y"])
def test_a_chat_refuses_what_it_would_change_or_split(text: str) -> None:
    assert not shapes.fits("slack", text)
    if "\r" not in text:
        with pytest.raises(Refused):
            slack.render(message(text))
    with pytest.raises(Refused):
        slack.render_plain(message("kurz"))


@pytest.mark.parametrize("text", ["长" * 700, "<a href='x'>", "&lt;", "a\u200bb"])
def test_wecom_refuses_what_it_would_change_or_split(text: str) -> None:
    assert not shapes.fits("wecom", text)
    with pytest.raises(Refused):
        wecom.robot_bodies(message(text, "wecom"))


async def test_slack_shows_the_text_as_it_stands(fake_slack: FakeSlack, tmp_path) -> None:  # type: ignore[no-untyped-def]
    clock = SystemClock()
    chat = SlackChat(SlackApi(BOT_TOKEN, fake_slack.base_url), clock, store=Store(tmp_path / "fengbo.db"))
    for number, text in enumerate(NASTY[:4]):
        row = Row(
            number, f"publish:{number}", Message("slack:C0ALERTS", text=text, verbatim=True), 0, False, clock.now()
        )
        await chat.send(row, None, None)
    for shown, text in zip(fake_slack.screen("C0ALERTS"), NASTY, strict=False):
        assert shown.visible.strip() == text.strip()
    await chat.close()


async def test_a_text_that_a_chat_cannot_show_is_pointed_to_with_its_digest(tmp_path) -> None:  # type: ignore[no-untyped-def]
    async with scene(tmp_path) as it:
        statement, version = it.statement("management", body="很长的说明。" * 200)
        it.begin(statement, version)
        await it.pass_time(MINUTE)
        (row,) = [row for row in it.chats["wecom"].sent if row.message.reason == "publish" and not row.message.thread]
        assert "/statements/S-1" in row.message.text and version.digest[:8] in row.message.text
        assert "很长的说明" not in row.message.text, "never a part of it"
        assert wecom.member_posting(row.message, "t").bodies


@pytest.mark.parametrize(
    ("publishers", "line", "key"),
    [
        ("- {id: a, kind: webhook, audiences: [public]}", 2, "config.publisher_needs"),
        ("- {id: a, kind: webhook, audiences: [public], action: nothing}", 2, "config.unknown_action"),
        ("- {id: a, kind: customers, audiences: [customers], segment: nobody}", 2, "config.unknown_segment"),
        ("- {id: a, kind: channel, audiences: [staff], channel: nowhere}", 2, "config.unknown_channel"),
        ("- {id: a, kind: channel, audiences: [staff], channel: drill}", 2, "config.publisher_to_drill"),
        ("- {id: a, kind: email, audiences: [staff], to: [nobody]}", 2, "config.unknown_person"),
        ("- {id: a, kind: wecom, audiences: [staff], to: [robot/none]}", 2, "config.unknown_robot"),
        ("- {id: a, kind: newsroom, audiences: [public, staff]}", 2, "config.newsroom_inside"),
        ("- {id: a, kind: newsroom, audiences: [public]}\n  - {id: b, kind: newsroom, audiences: [media]}", 3,
         "config.one_newsroom"),
        ("- {id: a, kind: manual, audiences: [public]}\n  - {id: a, kind: manual, audiences: [media]}", 3,
         "config.twice"),
        ("- {id: a, kind: carrier-pigeon, audiences: [public]}", 2, "config.not_one_of"),
        ("- {id: a, kind: manual, audiences: [everybody]}", 2, "config.not_one_of"),
        ("- {id: a, kind: manual}", 2, "config.required"),
    ],
)  # fmt: skip
def test_a_publisher_that_cannot_work_is_said_with_its_line(publishers: str, line: int, key: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        parse(f"publishers:\n  {publishers}\n" + CONFIG.lstrip(), "fengbo.yaml")
    assert (f"fengbo.yaml:{line}", key) in [(place, text.key) for place, text in refusal.value.problems]


def test_a_chat_that_is_not_configured_cannot_be_published_to() -> None:
    with pytest.raises(ConfigError) as refusal:
        parse("publishers:\n  - {id: a, kind: email, audiences: [media], to: [x@y.example]}\n", "fengbo.yaml")
    assert refusal.value.problems[0][1].key == "config.publisher_without_chat"


def test_the_example_of_all_kinds_is_accepted() -> None:
    settings = parse(CONFIG + PUBLISHERS.format(cms="https://cms.example", folder="/tmp"), "fengbo.yaml")
    assert len(settings.publishers) == 9
