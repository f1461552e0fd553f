"""The fake smart robot refuses what WeCom refuses, and can be used by hand from its page."""

import json
from typing import Any

import aiohttp
import pytest

from bot.clock import SECOND, VirtualClock
from bot.testkit.aibot_state import AibotState, Press
from bot.testkit.fake_aibot import BOT_ID, GROUP_ID, SECRET, FakeAibot
from bot.testkit.wecom_cards import WeComError

CARD = {
    "card_type": "button_interaction",
    "task_id": "t@1",
    "main_title": {"title": "<b>I-1</b>"},
    "button_list": [{"text": "接手", "key": "ack I-1"}],
}


def sending(**changes: Any) -> dict[str, Any]:
    return {"chatid": GROUP_ID, "chat_type": 2, "msgtype": "template_card", "template_card": CARD, **changes}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (sending(msgtype="text", text={"content": "x"}), 40008),
        (sending(chatid="wrkNobody"), 93006),
        (sending(chat_type=1), 40058),
        (sending(msgtype="markdown", markdown={"content": "字" * 6_827}), 45002),
        (sending(msgtype="markdown", markdown={"content": ""}), 44004),
        (sending(template_card={**CARD, "button_list": []}), 40058),
    ],
)
def test_what_cannot_be_sent_is_refused(body: dict[str, Any], code: int) -> None:
    state = AibotState(VirtualClock())
    state.conversation(GROUP_ID, 2).open = True
    with pytest.raises(WeComError) as refused:
        state.send(body)
    assert refused.value.code == code


def test_a_card_is_updated_once_a_press_in_five_seconds_under_its_own_task_id() -> None:
    clock = VirtualClock()
    state = AibotState(clock)
    state.conversation(GROUP_ID, 2).open = True
    message = state.send(sending())
    with pytest.raises(WeComError):  # the task id is used up
        state.send(sending())
    update = {"response_type": "update_template_card", "template_card": {**CARD, "main_title": {"title": "I-1 已接手"}}}
    state.presses["e1"] = Press(message, clock.now())
    with pytest.raises(WeComError):
        state.update("e1", {**update, "template_card": {**CARD, "task_id": "t@2"}})
    state.update("e1", update)
    assert "已接手" in message.text
    with pytest.raises(WeComError):
        state.update("e1", update)
    state.presses["e2"] = Press(message, clock.now())
    clock.set(6 * SECOND)
    with pytest.raises(WeComError):
        state.update("e2", update)


async def test_one_connection_lives_and_a_new_one_kicks_the_old_with_a_word() -> None:
    async with FakeAibot() as fake, aiohttp.ClientSession() as session:
        old = await subscribed(session, fake)
        new = await subscribed(session, fake)
        event = json.loads((await old.receive()).data)
        assert event["body"]["event"]["eventtype"] == "disconnected_event"
        assert (await old.receive()).type is aiohttp.WSMsgType.CLOSE
        assert (fake.kicks, fake.subscriptions) == (1, 2)
        await new.close()


async def subscribed(session: aiohttp.ClientSession, fake: FakeAibot) -> aiohttp.ClientWebSocketResponse:
    socket = await session.ws_connect(fake.socket_url)
    body = {"bot_id": BOT_ID, "secret": SECRET}
    await socket.send_json({"cmd": "aibot_subscribe", "headers": {"req_id": "s"}, "body": body})
    assert json.loads((await socket.receive()).data) == {"headers": {"req_id": "s"}, "errcode": 0, "errmsg": "ok"}
    return socket


async def test_the_page_shows_the_group_escaped_and_its_buttons_can_be_pressed() -> None:
    async with FakeAibot() as fake, aiohttp.ClientSession() as session:
        socket = await subscribed(session, fake)
        fake.state.send(sending())
        async with session.get(fake.url) as answer:
            page = await answer.text()
        assert "&lt;b&gt;I-1&lt;/b&gt;" in page and "接手" in page and "<b>I-1" not in page
        form = {"key": "ack I-1", "task_id": "t@1", "user": "lina"}
        async with session.post(f"{fake.url}/groups/{GROUP_ID}/press", data=form, allow_redirects=False) as answer:
            assert answer.status == 303
        pressed = json.loads((await socket.receive()).data)["body"]
        assert pressed["event"]["template_card_event"]["event_key"] == "ack I-1"
        assert (pressed["from"]["userid"], pressed["chatid"]) == ("lina", GROUP_ID)
        said = {"words": "概况", "user": "lina"}
        async with session.post(f"{fake.url}/groups/{GROUP_ID}/say", data=said, allow_redirects=False) as answer:
            assert answer.status == 303
        assert json.loads((await socket.receive()).data)["body"]["text"]["content"].endswith("概况")
        await socket.close()
        await fake.press(fake.cards()[0], "ack I-1", "lina")
        await fake.wait_for(lambda: fake.missed)
