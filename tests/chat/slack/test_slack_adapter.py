"""Sending to a Slack on loopback that checks limits, tokens and threads, and fails in the ways the real one does."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.chat.slack.adapter import SlackChat
from bot.chat.slack.api import SlackApi
from bot.clock import SECOND, SystemClock
from bot.delivery import outbox
from bot.delivery.chat import Blocked, Delay, Made, Pace, Refused, Unclear
from bot.delivery.outbox import Placement, Row
from bot.delivery.sender import Sender
from bot.model.card import Button, Card, Items, Paragraph
from bot.model.grade import Grade
from bot.model.message import Attachment, Message
from bot.store.database import Store
from bot.testkit.fake_slack import BOT_TOKEN, FakeSlack

CLOCK = SystemClock()
CARD = Card(
    "提现失败", object="incident:I-1", grade=Grade.ORANGE, grade_label="橙色", buttons=(Button("确认", "ack I-1"),)
)


async def draw(attachment: Attachment, language: str) -> Made:
    if attachment.kind == "broken":
        raise RuntimeError("no font")
    return Made(b"\x89PNG picture", "chart.png", "image/png", "声量 24 小时")


@pytest.fixture
async def chat(fake_slack: FakeSlack, store: Store) -> AsyncIterator[SlackChat]:
    chat = SlackChat(SlackApi(BOT_TOKEN, fake_slack.base_url), CLOCK, store=store, make=draw)
    yield chat
    await chat.close()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "fengbo.db")


def row(message: Message, key: str = "k1", attempts: int = 0, *, unclear: bool = False) -> Row:
    return Row(1, key, message, attempts, unclear, CLOCK.now())


def card(**fields: object) -> Message:
    return Message(**{"destination": "slack:C0ALERTS", "card": CARD, **fields})  # type: ignore[arg-type]


async def test_a_card_is_posted_and_rewritten_in_place(fake_slack: FakeSlack, chat: SlackChat) -> None:
    placement = await chat.send(row(card(object="incident:I-1")), None, None)
    (message,) = fake_slack.screen("C0ALERTS")
    assert placement == Placement(f"C0ALERTS/{message.ts}", {"channel": "C0ALERTS", "ts": message.ts})
    assert "🟠 橙色 · 提现失败" in message.visible
    assert message.metadata == {"event_type": "fengbo", "event_payload": {"key": "k1", "part": 0, "of": 1}}
    red = Card("提现失败", grade=Grade.RED, grade_label="红色")
    assert await chat.send(row(card(card=red, object="incident:I-1"), "k2"), placement, None) == placement
    (message,) = fake_slack.screen("C0ALERTS")
    assert "🔴 红色" in message.visible and len(message.revisions) == 1


async def test_a_message_stands_under_its_object_or_in_the_thread_it_answers(
    fake_slack: FakeSlack, chat: SlackChat
) -> None:
    root = await chat.send(row(card()), None, None)
    await chat.send(row(card(thread="incident:I-1", text="", card=Card("note")), "k2"), None, root)
    reply = {"channel": "C0ALERTS", "thread_ts": root.reference["ts"] if root else ""}
    await chat.send(row(Message("slack:C0ALERTS#reply-U0LINA", text="收到", reply=reply), "k3"), None, None)
    (message,) = fake_slack.screen("C0ALERTS")
    assert [one.visible for one in fake_slack.thread(message)] == ["note", "收到"]


async def test_a_deleted_message_is_posted_anew(fake_slack: FakeSlack, chat: SlackChat) -> None:
    placement = await chat.send(row(card()), None, None)
    fake_slack.channel("C0ALERTS").messages.clear()
    again = await chat.send(row(card(), "k2"), placement, None)
    assert again is not None and again != placement
    assert len(fake_slack.screen("C0ALERTS")) == 1


async def test_a_card_that_shrinks_takes_its_surplus_parts_away(fake_slack: FakeSlack, chat: SlackChat) -> None:
    long = Card("long", sections=tuple(Paragraph(f"{index} " + "长" * 2_300) for index in range(14)))
    placement = await chat.send(row(card(card=long)), None, None)
    assert placement is not None and len(placement.reference["more"]) == 2
    (root,) = fake_slack.screen("C0ALERTS")
    assert len(fake_slack.thread(root)) == 2
    placement = await chat.send(row(card(), "k2"), placement, None)
    assert placement is not None and "more" not in placement.reference
    assert fake_slack.thread(root) == []


async def test_mentions_ping_and_direct_messages_reach_a_member(fake_slack: FakeSlack, chat: SlackChat) -> None:
    await chat.send(row(Message("slack:U0LINA", card=CARD, mentions=("U0LINA",))), None, None)
    assert "<@U0LINA>" in fake_slack.screen("D0LINA")[0].visible


@pytest.mark.parametrize(
    ("error", "status", "expected"),
    [
        ("ratelimited", 429, Delay),
        ("invalid_auth", None, Blocked),
        ("account_inactive", None, Blocked),
        ("token_revoked", None, Blocked),
        ("channel_not_found", None, Blocked),
        ("is_archived", None, Blocked),
        ("some_new_error", None, Blocked),
        ("no_text", None, Refused),
        ("fatal_error", None, Unclear),
        (None, 500, Unclear),
        (None, 503, Unclear),
    ],
)
async def test_every_failure_says_what_the_sender_may_do(
    fake_slack: FakeSlack, chat: SlackChat, error: str | None, status: int | None, expected: type[Exception]
) -> None:
    fake_slack.fail_next("chat.postMessage", error, status=status, retry_after=7)
    with pytest.raises(expected) as caught:
        await chat.send(row(card()), None, None)
    if isinstance(caught.value, Delay):
        assert caught.value.milliseconds == 7 * SECOND
    assert len(fake_slack.calls_of("chat.postMessage")) == 1  # nothing is retried behind the outbox's back


async def test_an_unknown_refusal_is_given_up_after_a_few_tries(fake_slack: FakeSlack, chat: SlackChat) -> None:
    fake_slack.fail_next("chat.postMessage", "some_new_error")
    with pytest.raises(Refused):
        await chat.send(row(card(), attempts=3), None, None)


async def test_nobody_listening_is_blocked_and_a_cut_connection_is_unclear(fake_slack: FakeSlack) -> None:
    nobody = SlackChat(SlackApi(BOT_TOKEN, "http://127.0.0.1:9/api/"), CLOCK)
    with pytest.raises(Blocked):
        await nobody.send(row(card()), None, None)
    await nobody.close()
    chat = SlackChat(SlackApi(BOT_TOKEN, fake_slack.base_url), CLOCK)
    fake_slack.drop_before_effect("chat.postMessage")
    with pytest.raises(Unclear):
        await chat.send(row(card()), None, None)
    assert await chat.find(row(card())) == (False, None)
    await chat.close()


async def test_a_message_that_arrived_without_an_answer_is_found_again(fake_slack: FakeSlack, chat: SlackChat) -> None:
    fake_slack.drop_after_effect("chat.postMessage")
    with pytest.raises(Unclear):
        await chat.send(row(card()), None, None)
    arrived, placement = await chat.find(row(card(), unclear=True))
    (message,) = fake_slack.screen("C0ALERTS")
    assert arrived and placement == Placement(f"C0ALERTS/{message.ts}", {"channel": "C0ALERTS", "ts": message.ts})
    assert await chat.find(row(card(), "another")) == (False, None)


async def test_a_message_inside_a_thread_is_found_through_the_store(
    fake_slack: FakeSlack, chat: SlackChat, store: Store
) -> None:
    root = await chat.send(row(card()), None, None)
    assert root is not None
    store.write_now(lambda db: outbox.place(db, "incident:I-1", "slack:C0ALERTS", root, 1))
    under = card(thread="incident:I-1", card=Card("note"))
    await chat.send(row(under, "k2"), None, root)
    arrived, _ = await chat.find(row(under, "k2"))
    assert arrived


async def test_a_look_that_fails_leaves_the_message_unclear(fake_slack: FakeSlack, chat: SlackChat) -> None:
    fake_slack.fail_next("conversations.history", "ratelimited", status=429)
    with pytest.raises(Unclear):
        await chat.find(row(card()))


async def test_parts_that_arrived_before_a_limit_are_not_posted_twice(fake_slack: FakeSlack, chat: SlackChat) -> None:
    long = card(card=Card("long", sections=tuple(Paragraph(f"{index} " + "长" * 2_300) for index in range(14))))
    fake_slack.rate_limit("C0ALERTS", 2, 1)
    with pytest.raises(Delay):
        await chat.send(row(long), None, None)
    assert await chat.find(row(long)) == (False, None)
    fake_slack.rate_limit("C0ALERTS", 0, 1)
    await chat.send(row(long, attempts=1), None, None)
    (root,) = fake_slack.screen("C0ALERTS")
    assert len(fake_slack.thread(root)) == 2
    assert (await chat.find(row(long)))[0]


async def test_the_bot_joins_a_public_channel_it_is_not_in(fake_slack: FakeSlack, chat: SlackChat) -> None:
    fake_slack.workspace.add_channel("C0NEW", "new", with_bot=False)
    await chat.send(row(Message("slack:C0NEW", card=CARD)), None, None)
    assert len(fake_slack.screen("C0NEW")) == 1
    fake_slack.workspace.add_channel("C0SECRET", "secret", with_bot=False, is_private=True)
    with pytest.raises(Blocked):
        await chat.send(row(Message("slack:C0SECRET", card=CARD)), None, None)


async def test_blocks_that_slack_refuses_are_sent_once_more_as_plain_text(
    fake_slack: FakeSlack, chat: SlackChat
) -> None:
    fake_slack.fail_next("chat.postMessage", "invalid_blocks")
    await chat.send(row(card()), None, None)
    (message,) = fake_slack.screen("C0ALERTS")
    assert not message.blocks and "提现失败" in message.text and "/crisis ack I-1" in message.text
    fake_slack.fail_next("chat.postMessage", "invalid_blocks", times=2)
    with pytest.raises(Refused):
        await chat.send(row(card(), "k2"), None, None)


async def test_an_answer_to_one_member_is_seen_by_nobody_else(fake_slack: FakeSlack, chat: SlackChat) -> None:
    url = fake_slack.url + fake_slack.workspace.new_response_url("U0LINA", "C0ALERTS")
    answer = Message("slack:C0ALERTS#reply-U0LINA", text="好", audience="U0LINA", reply={"response_url": url})
    for number in range(7):  # five uses, then ephemeral messages
        assert await chat.send(row(answer, f"k{number}"), None, None) is None
    assert len(fake_slack.ephemerals("U0LINA")) == 7
    assert len(fake_slack.calls_of("chat.postEphemeral")) == 2
    assert fake_slack.screen("C0ALERTS") == []


async def test_a_member_outside_the_channel_is_answered_directly(fake_slack: FakeSlack, chat: SlackChat) -> None:
    fake_slack.channel("C0ALERTS").members.discard("U0LINA")
    await chat.send(row(Message("slack:C0ALERTS", text="好", audience="U0LINA")), None, None)
    assert fake_slack.screen("D0LINA")[0].visible == "好"


async def test_a_chart_is_shared_once_below_its_card(fake_slack: FakeSlack, chat: SlackChat) -> None:
    message = card(attachment=Attachment("chart", {}))
    fake_slack.drop_after_effect("files.completeUploadExternal")
    with pytest.raises(Unclear):
        await chat.send(row(message), None, None)
    arrived, placement = await chat.find(row(message))
    assert arrived and placement is not None
    (root,) = fake_slack.screen("C0ALERTS")
    (shared,) = fake_slack.thread(root)
    assert shared.files[0]["title"] == "声量 24 小时"
    await chat.send(row(message, attempts=2), None, None)  # even a blind retry adds nothing
    assert len(fake_slack.screen("C0ALERTS")) == 1 and len(fake_slack.thread(root)) == 1


async def test_a_chart_for_one_member_goes_to_their_direct_messages(fake_slack: FakeSlack, chat: SlackChat) -> None:
    message = Message("slack:C0ALERTS", audience="U0LINA", attachment=Attachment("chart", {}))
    await chat.send(row(message), None, None)
    assert fake_slack.screen("C0ALERTS") == []
    assert fake_slack.screen("D0LINA")[0].files


@pytest.mark.parametrize("kind", ["broken", "refused"])
async def test_a_chart_that_fails_leaves_a_line_and_the_card(fake_slack: FakeSlack, chat: SlackChat, kind: str) -> None:
    if kind == "refused":
        fake_slack.scopes.discard("files:write")
    await chat.send(row(card(attachment=Attachment(kind, {}))), None, None)
    (root,) = fake_slack.screen("C0ALERTS")
    assert "图片没能附上" in fake_slack.thread(root)[0].visible
    assert (await chat.find(row(card(attachment=Attachment(kind, {})))))[0]


async def test_the_home_tab_shows_the_cards_of_its_answer(fake_slack: FakeSlack, chat: SlackChat) -> None:
    lines = tuple(f"I-{number} 提现失败" for number in range(900))
    home = Card("进行中的事件", sections=(Items("事件", lines),))
    reply = {"home": True, "user": "U0LINA"}
    await chat.send(row(Message("slack:U0LINA#reply-U0LINA", card=home, reply=reply)), None, None)
    view = fake_slack.home("U0LINA")
    assert view is not None and "I-12 提现失败" in view.visible


async def test_a_storm_of_limits_delays_and_loses_nothing_and_keeps_the_order(
    fake_slack: FakeSlack, chat: SlackChat, store: Store
) -> None:
    fake_slack.fail_next("chat.postMessage", "ratelimited", status=429, times=6, retry_after=0)

    class Hasty(SlackChat):
        def pace(self, destination: str) -> Pace | None:
            return None

        async def send(self, row: Row, placement: Placement | None, thread: Placement | None) -> Placement | None:
            try:
                return await super().send(row, placement, thread)
            except Delay as delay:
                raise Delay(20, str(delay)) from delay

    hasty = Hasty(SlackApi(BOT_TOKEN, fake_slack.base_url), CLOCK, store=store)
    for number in range(8):
        message = Message("slack:C0ALERTS", text=f"message {number}")
        store.write_now(lambda db, one=message, key=number: outbox.enqueue(db, one, f"k{key}", CLOCK.now()))
    sender = Sender(store, CLOCK, {"slack": hasty})
    running = asyncio.create_task(sender.run())
    await fake_slack.wait_for(lambda: len(fake_slack.screen("C0ALERTS")) == 8, 15)
    await fake_slack.wait_for_calls("chat.postMessage", 14)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert [one.text for one in fake_slack.screen("C0ALERTS")] == [f"message {number}" for number in range(8)]
    await hasty.close()


async def test_the_sender_does_not_post_twice_what_arrived_without_an_answer(
    fake_slack: FakeSlack, chat: SlackChat, store: Store
) -> None:
    fake_slack.drop_after_effect("chat.postMessage")
    store.write_now(lambda db: outbox.enqueue(db, card(object="incident:I-1"), "k1", CLOCK.now()))
    sender = Sender(store, CLOCK, {"slack": chat})
    running = asyncio.create_task(sender.run())
    await fake_slack.wait_for_calls("conversations.history", 1, 10)
    for _ in range(100):
        if not store.read_now(outbox.backlog):
            break
        await asyncio.sleep(0.05)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert len(fake_slack.screen("C0ALERTS")) == 1
    assert len(fake_slack.calls_of("chat.postMessage")) == 1
    assert store.read_now(lambda db: outbox.placement(db, "incident:I-1", "slack:C0ALERTS")) is not None


def test_answers_have_no_pace_and_channels_one_message_a_second() -> None:
    chat = SlackChat(SlackApi("x"), CLOCK)
    assert chat.pace("slack:C0ALERTS") == Pace(1, SECOND)
    assert chat.pace("slack:C0ALERTS#reply-U0LINA") is None
