"""A WeCom smart robot's long connection on loopback, with the groups it sits in and the people who press there.

Frames, the order of a kick and the refusals are those of page 101463 and of public users of the connection. ``/`` is
the connection itself for a WebSocket and, for a browser, a page of the groups with their buttons.
"""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from bot.clock import Clock
from bot.testkit.aibot_page import page
from bot.testkit.aibot_state import GROUP, SINGLE, AibotMessage, AibotState, Press
from bot.testkit.server import FakeServer
from bot.testkit.watched import Call
from bot.testkit.wecom_cards import WeComError

BOT_ID = "aib-fengbo"
SECRET = "fake-aibot-secret"  # noqa: S105
ROBOT_NAME = "风波"
GROUP_ID = "wrkFengboAlerts"
FRAME_BYTES = 1 << 20
# What happens to frames of a command: taken and not answered, or not taken at all.
LOST, UNANSWERED = "lost", "unanswered"


class FakeAibot(FakeServer):
    """``groups`` are there from the start, and somebody has spoken to the robot in each."""

    def __init__(self, clock: Clock | None = None, *, groups: tuple[str, ...] = (GROUP_ID,)) -> None:
        super().__init__(clock)
        self.bot_id, self.secret = BOT_ID, SECRET
        self.state = AibotState(self.clock)
        for chat_id in groups:
            self.state.conversation(chat_id, GROUP).open = True
        self.live: web.WebSocketResponse | None = None
        self.subscriptions = 0
        self.kicks = 0
        self.missed: list[dict[str, Any]] = []  # callbacks that nobody was connected for: gone, as with WeCom
        self.answers_pings = True
        self._trouble: dict[str, list[str]] = {}
        self._methods: dict[str, Callable[[str, dict[str, Any]], object]] = {
            "aibot_send_msg": lambda req_id, body: self.state.send(body),
            "aibot_respond_update_msg": self.state.update,
            "aibot_respond_welcome_msg": self.state.greet,
        }

    @property
    def socket_url(self) -> str:
        """What ``chat.wecom.aibot.url`` is set to."""
        return self.url.replace("http://", "ws://")

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/", self._front)
        router.add_post("/groups/{chat_id}/press", self._page_press)
        router.add_post("/groups/{chat_id}/say", self._page_say)

    async def stop(self) -> None:
        if self.live is not None:
            await self.live.close()
        await super().stop()

    # -- looking at the screens ---------------------------------------------------------------------------------

    def screen(self, chat_id: str = GROUP_ID) -> list[AibotMessage]:
        """What a group (or, by user id, a member) sees from the robot, oldest first."""
        found = self.state.conversations.get(chat_id)
        return found.messages if found else []

    def cards(self, chat_id: str = GROUP_ID) -> list[AibotMessage]:
        return [message for message in self.screen(chat_id) if message.kind == "template_card"]

    async def wait_for_message(self, containing: str, chat_id: str = GROUP_ID, timeout: float = 5.0) -> AibotMessage:
        """The newest message whose text contains this."""

        def find() -> AibotMessage | None:
            return next((one for one in reversed(self.screen(chat_id)) if containing in one.text), None)

        message = await self.wait_for(find, timeout)
        assert message is not None
        return message

    # -- acting as people ---------------------------------------------------------------------------------------

    async def press(
        self, message: AibotMessage, key: str, user: str, *, times: int = 1, lost: bool = False, with_chat: bool = True
    ) -> str:
        """Press a button by its key; returns the ``req_id``. ``times`` delivers the same press again, ``lost`` never;
        ``with_chat`` says where it was made."""
        body = self._callback(message.chat_id, user, with_chat=with_chat)
        press = {"card_type": message.card.get("card_type"), "event_key": key, "task_id": message.task_id}
        body |= {"msgtype": "event", "create_time": self.clock.now() // 1000}
        body["event"] = {"eventtype": "template_card_event", "template_card_event": press}
        req_id = f"event-{self.state.number()}"
        for number in range(0 if lost else times):
            each = req_id if not number else f"{req_id}-{number}"
            self.state.presses[each] = Press(message, self.clock.now())
            await self._deliver("aibot_event_callback", each, body)
        return req_id

    async def say(
        self, user: str, words: str, chat_id: str = GROUP_ID, *, times: int = 1, quoting: AibotMessage | None = None
    ) -> None:
        """Write to the robot: in a group its mention comes first, as WeCom puts it there. A quotation carries the words
        of the quoted message and no id."""
        kind = GROUP if chat_id != user else SINGLE
        self.state.conversation(chat_id, kind).open = True
        content = f"@{ROBOT_NAME} {words}" if kind == GROUP else words
        body = self._callback(chat_id, user) | {"msgtype": "text", "text": {"content": content}}
        if quoting is not None:
            body["quote"] = {"msgtype": "text", "text": {"content": quoting.text}}
        for _ in range(times):
            await self._deliver("aibot_msg_callback", f"msg-{self.state.number()}", body)

    async def enter(self, user: str) -> str:
        """A member opens their chat with the robot, the first time today."""
        req_id = f"enter-{self.state.number()}"
        self.state.greetings[req_id] = ""
        body = self._callback(user, user) | {"msgtype": "event", "event": {"eventtype": "enter_chat"}}
        await self._deliver("aibot_event_callback", req_id, body)
        return req_id

    def _callback(self, chat_id: str, user: str, *, with_chat: bool = True) -> dict[str, Any]:
        body: dict[str, Any] = {"msgid": f"m{self.state.number()}", "aibotid": self.bot_id, "from": {"userid": user}}
        if with_chat:
            body |= {"chatid": chat_id, "chattype": "group"} if chat_id != user else {"chattype": "single"}
        return body

    async def _deliver(self, cmd: str, req_id: str, body: dict[str, Any]) -> None:
        if self.live is None or self.live.closed:
            self.missed.append(body)
            return
        await self.live.send_json({"cmd": cmd, "headers": {"req_id": req_id}, "body": body})

    # -- trouble ------------------------------------------------------------------------------------------------

    def lose(self, cmd: str, times: int = 1) -> None:
        """The next frames of a command vanish on their way here."""
        self._trouble.setdefault(cmd, []).extend([LOST] * times)

    def leave_unanswered(self, cmd: str, times: int = 1) -> None:
        """The next frames of a command do what they ask, but the answer vanishes."""
        self._trouble.setdefault(cmd, []).extend([UNANSWERED] * times)

    async def close_cleanly(self) -> None:
        """Going away (1001), as a server says it before its restart."""
        if self.live is not None:
            await self.live.close(code=WSCloseCode.GOING_AWAY)

    async def cut(self) -> None:
        """End the connection without a word."""
        if self.live is not None and self.live._req is not None and self.live._req.transport is not None:
            self.live._req.transport.abort()

    async def kick(self) -> None:
        """What happens to the old connection when another program subscribes: told first, closed after."""
        old, self.live = self.live, None
        if old is None:
            return
        self.kicks += 1
        event = {"msgtype": "event", "event": {"eventtype": "disconnected_event"}, "aibotid": self.bot_id}
        await old.send_json({"cmd": "aibot_event_callback", "headers": {"req_id": "kick"}, "body": event})
        await old.close()

    # -- the connection -----------------------------------------------------------------------------------------

    async def _front(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return web.Response(text=page(self.state, self.live is not None), content_type="text/html")
        socket = web.WebSocketResponse(max_msg_size=FRAME_BYTES)
        await socket.prepare(request)
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await self._take(socket, message.data)
        finally:
            if self.live is socket:
                self.live = None
            await self.changed()
        return socket

    async def _take(self, socket: web.WebSocketResponse, data: str) -> None:
        try:
            frame = json.loads(data)
            cmd, req_id, body = frame["cmd"], frame["headers"]["req_id"], frame.get("body") or {}
        except (ValueError, KeyError, TypeError):
            await socket.close(code=WSCloseCode.UNSUPPORTED_DATA)
            return
        call = Call(asyncio.get_running_loop().time(), self.clock.now(), cmd, body, data.encode())
        self.calls.append(call)
        await self.faults.delay(cmd)
        planned = self._trouble.get(cmd) or [""]
        call.trouble = planned.pop(0) or None
        if call.trouble != LOST:
            code, words = await self._reply(socket, cmd, req_id, body)
            call.status = code
            if call.trouble is None and not socket.closed and (cmd != "ping" or self.answers_pings):
                await socket.send_json({"headers": {"req_id": req_id}, "errcode": code, "errmsg": words})
        await self.changed()

    async def _reply(
        self, socket: web.WebSocketResponse, cmd: str, req_id: str, body: dict[str, Any]
    ) -> tuple[int, str]:
        failure = self.faults.next_failure(cmd)
        if failure is not None:
            return int(failure.error or -1), "fake failure"
        if cmd == "aibot_subscribe":
            if (body.get("bot_id"), body.get("secret")) != (self.bot_id, self.secret):
                return 853000, "invalid bot_id or secret"
            if self.live is not None and self.live is not socket:
                await self.kick()
            self.live = socket
            self.subscriptions += 1
            return 0, "ok"
        if cmd == "ping":
            return 0, "ok"
        if self.live is not socket or cmd not in self._methods:
            return 846600, "not subscribed, or unknown cmd"
        try:
            self._methods[cmd](req_id, body)
        except WeComError as problem:
            return problem.code, f"{problem.message}, hint: [fake]"
        return 0, "ok"

    # -- the page -----------------------------------------------------------------------------------------------

    async def _page_press(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        chat_id, key, task_id = request.match_info["chat_id"], str(form.get("key")), str(form.get("task_id"))
        message = next((one for one in self.cards(chat_id) if one.task_id == task_id), None)
        if message is None:
            raise web.HTTPNotFound
        await self.press(message, key, str(form.get("user") or "lina"))
        raise web.HTTPSeeOther("/")

    async def _page_say(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        await self.say(str(form.get("user") or "lina"), str(form.get("words") or ""), request.match_info["chat_id"])
        raise web.HTTPSeeOther("/")
