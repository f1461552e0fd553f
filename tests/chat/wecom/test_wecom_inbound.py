"""What members do arrives once and durably; what is not WeCom's is turned away."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat.wecom.adapter import WecomChat
from bot.chat.wecom.codes import ResponseCodes
from bot.chat.wecom.crypto import WecomCrypto, WecomRefused, envelope, message_fields
from bot.chat.wecom.inbound import BODY_BYTES, PATH, ReplayWindow, WecomCallback
from bot.clock import HOUR, MINUTE, SECOND, VirtualClock
from bot.delivery import inbox, outbox
from bot.delivery.outbox import Row
from bot.model.card import Button, Card
from bot.model.message import Event, Message
from bot.store.database import Store
from bot.testkit import wecom_crypto
from bot.testkit.fake_wecom import AES_KEY, AGENT_ID, CALLBACK_TOKEN, CORP_ID, FakeWeCom

CARD = Card("星河支付", object="incident:I-12", buttons=(Button("认领", "ack I-12"), Button("原因", "why I-12")))


class Bot:
    """The receiving side on a loopback port, with a store behind it."""

    def __init__(self, callback: WecomCallback, store: Store, woken: list[int]) -> None:
        self.callback, self.store, self.woken = callback, store, woken

    def events(self) -> list[Event]:
        return [event for _, event, _, _ in self.store.read_now(inbox.waiting)]


@pytest.fixture
def receipt() -> bool:
    return False


@pytest.fixture
async def bot(
    tmp_path: Path, wecom: FakeWeCom, clock: VirtualClock, response_codes: ResponseCodes, receipt: bool
) -> AsyncIterator[Bot]:
    store, woken = Store(tmp_path / "bot.db"), []
    crypto = WecomCrypto(CALLBACK_TOKEN, AES_KEY, CORP_ID)
    callback = WecomCallback(
        crypto, store, clock, response_codes, agent_id=AGENT_ID, stored=lambda: woken.append(1), receipt=receipt
    )
    application = web.Application()
    application.add_routes(callback.routes())
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    wecom.connect(f"http://127.0.0.1:{runner.addresses[0][1]}{PATH}")
    yield Bot(callback, store, woken)
    await runner.cleanup()
    store.close()


async def stand(chat: WecomChat, bot: Bot, clock: VirtualClock, card: Card = CARD, key: str = "k1") -> None:
    """Send a card to Lina and record where it stands, as the sender does."""
    message = Message("wecom:lina", card=card, object=card.object)

    def before(db: outbox.Database) -> Row | None:
        outbox.enqueue(db, message, key, clock.now())
        return outbox.claim(db, "wecom:lina", clock.now())

    row = bot.store.write_now(before)
    assert row is not None
    placement = bot.store.read_now(lambda db: outbox.placement(db, card.object, "wecom:lina"))
    placed = await chat.send(row, placement, None)
    bot.store.write_now(lambda db: outbox.sent(db, row, clock.now(), placed))


async def test_the_url_check_gets_the_plain_text_and_nothing_else(wecom: FakeWeCom, bot: Bot) -> None:
    reply = await wecom.verify_url()
    assert reply.ok and reply.seconds < 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"sign_with": "anothertoken"},
        {"age": 301 * SECOND},
        {"age": -301 * SECOND},
        {"receiver": "ww-another-corporation"},
        {"corrupt": True},
    ],
    ids=str,
)
async def test_a_call_that_is_not_wecoms_or_not_of_now_is_forbidden(
    wecom: FakeWeCom, bot: Bot, wrong: dict[str, object]
) -> None:
    assert (await wecom.say("lina", "状态", **wrong)).status == 403
    if "corrupt" not in wrong:
        assert (await wecom.verify_url(**wrong)).status == 403
    assert bot.events() == [] and bot.woken == []
    assert (await wecom.say("lina", "状态", age=299 * SECOND)).status == 200


async def test_bodies_that_are_no_message_get_their_clear_refusal(wecom: FakeWeCom, bot: Bot) -> None:
    url = f"{wecom.callbacks.url}?msg_signature=a&timestamp=1&nonce=2"
    async with aiohttp.ClientSession() as session:
        for body, status in [
            (b"", 403),
            (b"<xml>", 403),
            (b"<xml></xml>", 403),
            (b"<xml><Encrypt/></xml>", 403),
            (b"<xml><Encrypt>x</Encrypt></xml>", 403),
            (b"<xml><Encrypt>x</Encrypt><Encrypt>y</Encrypt></xml>", 403),
            (b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><xml><Encrypt>&b;</Encrypt></xml>', 403),
            (b"<a>" * 20_000, 403),
            (b"x" * (BODY_BYTES + 1), 413),
        ]:
            async with session.post(url, data=body) as response:
                assert response.status == status, body[:60]
        async with session.get(wecom.callbacks.url) as response:
            assert response.status == 403


async def test_the_same_message_three_times_is_one_row(wecom: FakeWeCom, bot: Bot) -> None:
    for _ in range(3):
        assert (await wecom.say("lina", "  确认 I-12 ", message_id=77)).status == 200
    (event,) = bot.events()
    assert (event.chat, event.account, event.line, event.origin, event.private) == (
        "wecom",
        "lina",
        "确认 I-12",
        "text",
        True,
    )
    assert event.destination.startswith("wecom:lina#reply")
    assert event.happened_at == 1_773_018_000_000
    assert bot.woken == [1]


async def test_the_very_same_call_again_is_a_repetition_and_another_call_with_its_nonce_is_forbidden(
    wecom: FakeWeCom, bot: Bot
) -> None:
    assert (await wecom.say("lina", "状态", message_id=1, nonce="4711")).status == 200
    assert (await wecom.say("lina", "状态", message_id=2, nonce="4711")).status == 403
    assert len(bot.events()) == 1


def test_the_replay_window_forgets_after_two_hours_and_lets_repetitions_through() -> None:
    clock = VirtualClock(10 * HOUR)
    window = ReplayWindow(clock)
    window.check("s1", str(10 * 3600), "n")
    window.check("s1", str(10 * 3600), "n")
    with pytest.raises(WecomRefused):
        window.check("s2", str(10 * 3600), "n")
    clock.set(12 * HOUR + MINUTE)
    window.check("s2", str(12 * 3600), "n")
    for timestamp in ("", "-5", "1e9", "٣٣", "9" * 40):
        with pytest.raises(WecomRefused):
            window.check("s3", timestamp, "m")


async def test_two_clicks_in_one_second_are_two_events_and_a_click_delivered_three_times_is_one(
    wecom: FakeWeCom, bot: Bot, chat: WecomChat, clock: VirtualClock
) -> None:
    await stand(chat, bot, clock)
    (shown,) = wecom.inbox("lina")
    for key in ("ack I-12", "why I-12", "ack I-12"):
        fields = wecom.callbacks.click_fields(shown, key, "lina", {})
        for _ in range(3):
            assert (await wecom.callbacks.deliver(fields, "lina", message=shown)).status == 200
    events = bot.events()
    assert [event.line for event in events] == ["ack I-12", "why I-12", "ack I-12"]
    assert {event.origin for event in events} == {"button"}
    assert {event.happened_at for event in events} == {clock.now()}
    codes = [event.reply["response_code"] for event in events]
    assert len(set(codes)) == 3
    assert bot.store.read_now(lambda db: outbox.object_at(db, events[0].anchor)) == "incident:I-12"


async def test_the_code_of_a_click_rewrites_the_card_even_after_a_restart(
    wecom: FakeWeCom, bot: Bot, chat: WecomChat, clock: VirtualClock
) -> None:
    await stand(chat, bot, clock)
    (shown,) = wecom.inbox("lina")
    await wecom.click(shown, "ack I-12", "lina")
    (event,) = bot.events()
    restarted = WecomChat(chat._client, clock, response_codes=ResponseCodes())
    await stand(restarted, bot, clock, Card("已认领", object="incident:I-12", buttons=CARD.buttons), "k2")
    (update,) = wecom.calls_of("message/update_template_card")
    assert update.body["response_code"] == event.reply["response_code"]
    await stand(restarted, bot, clock, Card("处理中", object="incident:I-12", buttons=CARD.buttons), "k3")
    used = [call.body["response_code"] for call in wecom.calls_of("message/update_template_card")]
    assert len(set(used)) == len(used) == 2
    assert "处理中" in shown.visible("lina") and len(wecom.inbox("lina")) == 1
    await wecom.click(shown, "why I-12", "lina")  # a card that was rewritten can still be pressed
    await stand(restarted, bot, clock, Card("已解决", object="incident:I-12", buttons=CARD.buttons), "k4")
    assert "已解决" in shown.visible("lina") and len(wecom.inbox("lina")) == 1


async def test_a_click_on_a_card_that_was_superseded_counts_but_its_code_is_not_kept(
    wecom: FakeWeCom, bot: Bot, chat: WecomChat, clock: VirtualClock
) -> None:
    await stand(chat, bot, clock)
    wecom.corporation.codes.clear()
    await stand(chat, bot, clock, Card("新", object="incident:I-12", buttons=CARD.buttons[:1]), "k2")
    old, new = wecom.inbox("lina")
    await wecom.click(old, "ack I-12", "lina")
    assert bot.events()[-1].line == "ack I-12"
    await stand(chat, bot, clock, Card("更新", object="incident:I-12", buttons=CARD.buttons[:1]), "k3")
    assert "更新" in new.visible("lina") and "更新" not in old.visible("lina")


@pytest.mark.parametrize("receipt", [True, False])
async def test_the_pressed_button_says_received_where_that_is_wanted(
    wecom: FakeWeCom, bot: Bot, chat: WecomChat, clock: VirtualClock, receipt: bool
) -> None:
    await stand(chat, bot, clock)
    (shown,) = wecom.inbox("lina")
    reply = await wecom.click(shown, "ack I-12", "lina")
    assert reply.ok, reply.problem
    assert shown.greyed == ({"lina": "已收到"} if receipt else {})


async def test_menu_clicks_are_lines_and_the_first_visit_says_help_once(wecom: FakeWeCom, bot: Bot) -> None:
    await wecom.menu_click("lina", "status")
    for _ in range(3):
        await wecom.callbacks.enter("lina")
    await wecom.callbacks.event("lina", "view", {"EventKey": "https://a.example"})
    assert [(event.line, event.origin) for event in bot.events()] == [("status", "menu"), ("help", "menu")]


async def test_a_shared_article_is_added_and_a_picture_is_answered_with_help(wecom: FakeWeCom, bot: Bot) -> None:
    link = {"MsgType": "link", "Title": "爆料", "Description": "提现", "Url": "https://a.example/1", "MsgId": 5}
    await wecom.callbacks.deliver(wecom.callbacks.fields("lina", link), "lina")
    await wecom.callbacks.deliver(wecom.callbacks.fields("lina", {"MsgType": "voice", "MsgId": 6}), "lina")
    shared, voice = bot.events()
    assert (shared.line, shared.shared, shared.shared_url) == (
        "add https://a.example/1",
        "爆料\n提现",
        "https://a.example/1",
    )
    assert voice.line == "help"


async def test_a_message_for_another_application_or_from_nobody_is_not_stored(wecom: FakeWeCom, bot: Bot) -> None:
    fields = {**wecom.callbacks.fields("lina", {"MsgType": "text", "Content": "x", "MsgId": 1}), "AgentID": 7}
    assert (await wecom.callbacks.deliver(fields, "lina")).status == 200
    assert (await wecom.say("<script>", "x")).status == 200
    assert bot.events() == []


async def test_nothing_is_acknowledged_when_the_store_is_gone(wecom: FakeWeCom, bot: Bot) -> None:
    bot.store.close()
    assert (await wecom.say("lina", "状态")).status == 500


def signed(encrypted: str) -> str:
    return wecom_crypto.signature(CALLBACK_TOKEN, "1", "2", encrypted)


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.text(max_size=100), st.binary(max_size=200).map(lambda raw: __import__("base64").b64encode(raw).decode())
    )
)
def test_no_ciphertext_raises_anything_but_a_refusal(encrypted: str) -> None:
    crypto = WecomCrypto(CALLBACK_TOKEN, AES_KEY, CORP_ID)
    with pytest.raises(WecomRefused):
        crypto.open(encrypted, signed(encrypted), "1", "2")


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=80), st.text("<xml>/Encrypt![CDATA]&;ab", max_size=60).map(str.encode)))
def test_no_body_raises_anything_but_a_refusal(raw: bytes) -> None:
    with contextlib.suppress(WecomRefused):
        assert isinstance(envelope(raw), str)
    with contextlib.suppress(WecomRefused):
        assert isinstance(message_fields(raw.decode("latin-1")), dict)


@pytest.mark.parametrize("key", ["", "short", "x" * 44, "x" * 42 + "="])
def test_a_malformed_aes_key_is_said_at_the_start(key: str) -> None:
    with pytest.raises(ValueError, match="EncodingAESKey"):
        WecomCrypto(CALLBACK_TOKEN, key, CORP_ID)
