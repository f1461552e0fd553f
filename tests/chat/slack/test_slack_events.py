"""What members say and press, delivered as Slack does it: signed, again, late, and over Socket Mode."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aiohttp import web

from bot.chat.slack.adapter import SlackChat
from bot.chat.slack.api import SlackApi
from bot.chat.slack.events import SlackInbound
from bot.clock import MINUTE, SECOND, SystemClock
from bot.config import SlackConfig
from bot.delivery import inbox, outbox
from bot.delivery.outbox import Row
from bot.model.card import Button, Card, Form, FormField
from bot.model.message import Event, Message
from bot.store.database import Store
from bot.testkit.fake_slack import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET, FakeSlack
from bot.testkit.slack_requests import Reply
from bot.testkit.slack_state import BOT_USER
from bot.testkit.slack_state import Message as Shown

CLOCK = SystemClock()
FIELDS = (
    FormField("until", "多久", "choice", options=(("1h", "1 小时"), ("1d", "1 天"))),
    FormField("person", "谁", "person", required=False),
    FormField("reason", "理由", "multiline", placeholder="为什么"),
)


def form_for(form_id: str, command: str, language: str) -> Form | None:
    return Form("mute", "静默这个事件", command, FIELDS) if form_id == "mute" else None


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "fengbo.db")


@pytest.fixture
def config(fake_slack: FakeSlack, monkeypatch: pytest.MonkeyPatch) -> SlackConfig:
    monkeypatch.setenv("BOT", BOT_TOKEN)
    monkeypatch.setenv("SIGNING", SIGNING_SECRET)
    monkeypatch.setenv("APP", APP_TOKEN)
    return SlackConfig(bot_token_env="BOT", signing_secret_env="SIGNING", base_url=fake_slack.base_url)


@pytest.fixture
async def inbound(fake_slack: FakeSlack, store: Store, config: SlackConfig) -> AsyncIterator[SlackInbound]:
    """The inbound side on a port of its own; ``fake_slack`` knows where it listens."""
    inbound = SlackInbound(store, CLOCK, config, form_for, lambda destination: "zh-CN")
    application = web.Application()
    application.router.add_post("/slack/events", inbound.handle)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    fake_slack.connect(f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events")
    yield inbound
    await runner.cleanup()
    await inbound.stop_socket()


def events(store: Store) -> list[Event]:
    return [event for _, event, _, _ in store.read_now(inbox.waiting)]


async def post_card(fake_slack: FakeSlack, config: SlackConfig, store: Store, channel: str = "C0ALERTS") -> Shown:
    chat = SlackChat(SlackApi(BOT_TOKEN, config.base_url), CLOCK, store=store)
    buttons = (
        Button("确认", "ack I-12"),
        Button("误报", "false-alarm I-12"),
        Button("静默…", "mute I-12", form="mute"),
    )
    message = Message(f"slack:{channel}", card=Card("提现失败", buttons=buttons))
    await chat.send(Row(1, "k", message, 0, False, CLOCK.now()), None, None)
    await chat.close()
    return fake_slack.screen(channel)[-1]


async def test_a_command_is_stored_before_it_is_acknowledged_and_answered_privately(
    fake_slack: FakeSlack, inbound: SlackInbound, store: Store
) -> None:
    reply = await fake_slack.slash("note I-12 payload 已核实 <@U0ZHAO|zhao>", "U0LINA", "C0ALERTS")
    assert reply.status == 200
    (event,) = events(store)
    assert event.line == "note I-12 payload 已核实 @U0ZHAO"
    assert (event.account, event.private, event.origin) == ("U0LINA", True, "text")
    assert event.destination == "slack:C0ALERTS#reply-U0LINA"
    assert event.reply["response_url"].startswith(fake_slack.url)


async def test_nothing_is_acknowledged_that_could_not_be_stored(
    fake_slack: FakeSlack, inbound: SlackInbound, store: Store
) -> None:
    store.close()
    assert (await fake_slack.slash("status", "U0LINA", "C0ALERTS")).status == 500
    assert (await fake_slack.mention("status", "U0LINA", "C0ALERTS")).status == 500
    assert (await fake_slack.direct_message("status", "U0LINA")).status == 500


async def test_three_deliveries_of_one_event_are_one_row(
    fake_slack: FakeSlack, inbound: SlackInbound, store: Store
) -> None:
    event = {"type": "app_mention", "user": "U0LINA", "text": f"<@{BOT_USER}> status", "ts": "1700000000.000100"}
    event |= {"channel": "C0ALERTS"}
    for retry in range(3):
        assert (await fake_slack.event(event, event_id="Ev1", retry=retry)).status == 200
    (stored,) = events(store)
    assert (stored.line, stored.anchor, stored.happened_at) == ("status", "C0ALERTS/1700000000.000100", 1700000000000)
    assert stored.reply == {"channel": "C0ALERTS", "under": "1700000000.000100"}
    await fake_slack.event(event, event_id="Ev2")
    assert len(events(store)) == 2


async def test_a_mention_in_a_thread_knows_the_thread(
    fake_slack: FakeSlack, inbound: SlackInbound, store: Store, config: SlackConfig
) -> None:
    root = await post_card(fake_slack, config, store)
    await fake_slack.mention("ack", "U0LINA", "C0ALERTS", root.ts)
    (event,) = events(store)
    assert event.anchor == f"C0ALERTS/{root.ts}"
    assert event.reply["thread_ts"] == root.ts


async def test_a_direct_message_is_answered_below(fake_slack: FakeSlack, inbound: SlackInbound, store: Store) -> None:
    await fake_slack.direct_message("状态", "U0LINA")
    (event,) = events(store)
    assert (event.line, event.destination) == ("状态", "slack:D0LINA#reply-U0LINA")
    assert event.reply == {"channel": "D0LINA"}


@pytest.mark.parametrize(
    "change",
    [
        {"bot_id": "B0OTHER"},
        {"user": BOT_USER},
        {"subtype": "message_changed"},
        {"subtype": "bot_message", "user": ""},
        {"channel": "C0ALERTS", "channel_type": "channel"},
    ],
)
async def test_bots_our_own_echo_and_edits_are_acknowledged_and_ignored(
    fake_slack: FakeSlack, inbound: SlackInbound, store: Store, change: dict[str, str]
) -> None:
    event = {"type": "message", "user": "U0LINA", "text": "status", "ts": "1.1", "channel": "D0LINA"}
    reply = await fake_slack.event({**event, "channel_type": "im", **change})
    assert reply.status == 200
    assert events(store) == []


@pytest.mark.parametrize(
    ("headers", "how", "status"),
    [
        ({}, {"sign_with": "another secret"}, 401),
        ({}, {"age": 6 * MINUTE}, 401),
        ({}, {"age": -6 * MINUTE}, 401),
        ({"X-Slack-Request-Timestamp": "soon"}, {}, 401),
        ({"X-Slack-Request-Timestamp": "１２３"}, {}, 401),
        ({"X-Slack-Request-Timestamp": ""}, {}, 401),
        ({"X-Slack-Signature": ""}, {}, 401),
        ({"X-Slack-Signature": "v0=é"}, {}, 401),
        ({}, {"age": 4 * MINUTE}, 400),
    ],
)
async def test_only_a_fresh_request_with_the_right_signature_is_read(
    fake_slack: FakeSlack,
    inbound: SlackInbound,
    store: Store,
    headers: dict[str, str],
    how: dict[str, object],
    status: int,
) -> None:
    body = b'{"type": "event_callback", "event": 1}'
    reply = await fake_slack.requests.send(body, "application/json", headers=headers, **how)  # type: ignore[arg-type]
    assert reply.status == status
    assert events(store) == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"payload=%7B", b"\xff\xfe", b'"x"', b"payload=[]"])
async def test_a_signed_body_that_makes_no_sense_is_refused(
    fake_slack: FakeSlack, inbound: SlackInbound, body: bytes
) -> None:
    reply = await fake_slack.requests.send(body, "application/x-www-form-urlencoded")
    assert reply.status in (400, 404)


async def test_without_a_signing_secret_everything_over_http_is_refused(
    fake_slack: FakeSlack, inbound: SlackInbound, store: Store
) -> None:
    inbound._signing_secret = ""
    reply = await fake_slack.requests.send(b"{}", "application/json", sign_with="")
    assert reply.status == 401


async def test_an_enormous_body_is_not_read(fake_slack: FakeSlack, inbound: SlackInbound) -> None:
    reply = await fake_slack.requests.send(b"x" * (2 << 20), "application/json")
    assert reply.status == 413


async def test_slacks_challenge_is_answered(fake_slack: FakeSlack, inbound: SlackInbound) -> None:
    assert "fake-challenge" in (await fake_slack.challenge()).text


async def test_a_button_says_its_command_where_it_was_pressed(
    fake_slack: FakeSlack, inbound: SlackInbound, store: Store, config: SlackConfig
) -> None:
    card = await post_card(fake_slack, config, store)
    assert (await fake_slack.click(card, "ack I-12", "U0LINA")).status == 200
    (event,) = events(store)
    assert (event.line, event.origin, event.anchor) == ("ack I-12", "button", f"C0ALERTS/{card.ts}")
    assert not event.private
    assert event.reply["under"] == card.ts
    assert event.reply["response_url"]


async def test_two_clicks_in_one_second_are_two_and_one_delivered_three_times_is_one(
    fake_slack: FakeSlack, inbound: SlackInbound, store: Store, config: SlackConfig
) -> None:
    card = await post_card(fake_slack, config, store)
    action = fake_slack.requests.action(card.element("ack I-12"))
    first = fake_slack.requests.click_payload(card, action, "U0LINA", fake_slack.url)
    second = fake_slack.requests.click_payload(card, action, "U0LINA", fake_slack.url)
    for payload in (first, first, second, first):
        await fake_slack.requests.deliver(payload, form=True)
    assert len(events(store)) == 2


async def test_a_button_with_a_form_opens_it_and_its_submission_says_the_command_with_the_fields(
    fake_slack: FakeSlack, inbound: SlackInbound, store: Store, config: SlackConfig
) -> None:
    card = await post_card(fake_slack, config, store)
    reply = await fake_slack.click(card, "mute I-12", "U0LINA")
    assert reply.status == 200 and reply.seconds < 3
    assert events(store) == []
    (view,) = fake_slack.modals("U0LINA")
    assert "静默这个事件" in view.visible
    values = {
        "field:until": {"until": {"type": "static_select", "selected_option": {"value": "1d"}}},
        "field:person": {"person": {"type": "users_select", "selected_user": "U0ZHAO"}},
        "field:reason": {"reason": {"type": "plain_text_input", "value": "已知问题"}},
    }
    assert (await fake_slack.submit_view(view, values)).status == 200
    assert view.closed
    (event,) = events(store)
    assert event.fields == {"until": "1d", "person": "@U0ZHAO", "reason": "已知问题"}
    assert (event.line, event.origin, event.anchor) == ("mute I-12", "form", f"C0ALERTS/{card.ts}")
    assert event.destination == "slack:C0ALERTS#reply-U0LINA"


async def test_a_form_that_cannot_be_opened_in_time_says_what_to_do(
    fake_slack: FakeSlack, inbound: SlackInbound, store: Store, config: SlackConfig
) -> None:
    card = await post_card(fake_slack, config, store)
    fake_slack.hang("views.open")
    reply = await fake_slack.click(card, "mute I-12", "U0LINA")
    assert reply.status == 200 and reply.seconds < 3
    row = store.write_now(lambda db: outbox.claim(db, "slack:C0ALERTS#reply-U0LINA", CLOCK.now()))
    assert row is not None and "/crisis mute I-12" in row.message.text and row.message.audience == "U0LINA"


async def test_the_message_shortcut_adds_what_somebody_posted(
    fake_slack: FakeSlack, inbound: SlackInbound, store: Store
) -> None:
    posted = fake_slack.say("看这个 <https://weibo.example/1> &amp; 更多", "U0ZHAO", "C0ALERTS")
    await fake_slack.message_action("add_post", posted, "U0LINA")
    (event,) = events(store)
    assert (event.line, event.shared, event.origin) == ("add", "看这个 https://weibo.example/1 & 更多", "shortcut")
    assert event.shared_url == f"https://fengbo-test.slack.com/archives/C0ALERTS/p{posted.ts.replace('.', '')}"
    assert event.happened_at == int(float(posted.ts) * SECOND)


async def test_a_global_shortcut_answers_the_member(fake_slack: FakeSlack, inbound: SlackInbound, store: Store) -> None:
    await fake_slack.shortcut("report_post", "U0LINA")
    (event,) = events(store)
    assert (event.line, event.destination, event.private) == ("add", "slack:U0LINA#reply-U0LINA", True)


async def test_opening_the_home_tab_asks_for_it(fake_slack: FakeSlack, inbound: SlackInbound, store: Store) -> None:
    await fake_slack.open_home("U0LINA")
    (event,) = events(store)
    assert (event.line, event.reply) == ("home", {"home": True, "user": "U0LINA"})


async def test_whoever_waits_for_events_is_told(fake_slack: FakeSlack, store: Store, config: SlackConfig) -> None:
    told: list[int] = []
    inbound = SlackInbound(store, CLOCK, config, form_for, lambda _: "en", accepted=lambda: told.append(1))
    event = {"type": "message", "user": "U0LINA", "text": "x", "ts": "1.1", "channel": "D0LINA", "channel_type": "im"}
    for _ in range(2):
        await inbound._on_event({"event": event, "event_id": "Ev1"})
    assert told == [1]


# -- Socket Mode


@pytest.fixture
async def socket(fake_slack: FakeSlack, store: Store, config: SlackConfig) -> AsyncIterator[SlackInbound]:
    with_token = config.model_copy(update={"app_token_env": "APP"})
    inbound = SlackInbound(store, CLOCK, with_token, form_for, lambda destination: "zh-CN", ping=0.2)
    fake_slack.connect(socket_mode=True)
    await inbound.start_socket()
    await fake_slack.wait_for(lambda: fake_slack.hub.sockets, 10)
    yield inbound
    await inbound.stop_socket()


async def eventually(try_: Callable[[], "asyncio.Future[Reply]"], within: float = 12) -> Reply:
    """The first delivery that gets through."""
    async with asyncio.timeout(within):
        while True:
            try:
                reply = await try_()
                if reply.ok:
                    return reply
            except (RuntimeError, ConnectionError):
                pass
            await asyncio.sleep(0.05)


async def test_socket_mode_delivers_commands_clicks_and_events(
    fake_slack: FakeSlack, socket: SlackInbound, store: Store, config: SlackConfig
) -> None:
    card = await post_card(fake_slack, config, store)
    assert (await fake_slack.slash("status", "U0LINA", "C0ALERTS")).ok
    assert (await fake_slack.mention("why", "U0LINA", "C0ALERTS")).ok
    assert (await fake_slack.click(card, "ack I-12", "U0LINA")).ok
    assert [event.line for event in events(store)] == ["status", "why", "ack I-12"]
    assert socket.health()["connected_since"] > 0
    assert socket.health()["mode"] == "socket"


async def test_socket_mode_does_not_acknowledge_what_was_not_stored(
    fake_slack: FakeSlack, socket: SlackInbound, store: Store
) -> None:
    store.close()
    assert (await fake_slack.slash("status", "U0LINA", "C0ALERTS", timeout=0.5)).status is None


@pytest.mark.parametrize("how", ["refresh_requested", "too_many_websockets", "cut"])
async def test_socket_mode_comes_back_after_a_lost_connection(
    fake_slack: FakeSlack, socket: SlackInbound, store: Store, how: str
) -> None:
    opened = fake_slack.hub.opened
    await (fake_slack.hub.cut() if how == "cut" else fake_slack.hub.disconnect(how))
    await fake_slack.wait_for(lambda: fake_slack.hub.opened > opened and fake_slack.hub.sockets, 12)
    event = {"type": "app_mention", "user": "U0LINA", "text": "status", "ts": "1.1", "channel": "C0ALERTS"}
    await eventually(lambda: asyncio.ensure_future(fake_slack.event(event, event_id="Ev9", timeout=1.0)))
    await fake_slack.event(event, event_id="Ev9", retry=1)
    assert len(events(store)) == 1


async def test_a_refused_app_token_does_not_stop_the_program(
    fake_slack: FakeSlack, store: Store, config: SlackConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APP", "xapp-wrong")
    with_token = config.model_copy(update={"app_token_env": "APP"})
    inbound = SlackInbound(store, CLOCK, with_token, form_for, lambda _: "en")
    await inbound.start_socket()
    await fake_slack.wait_for_calls("apps.connections.open")
    assert inbound.health()["connected_since"] == 0
    await inbound.stop_socket()
