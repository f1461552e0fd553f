"""A WeCom corporation on loopback: its server API, group robots, and members who write and press buttons."""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from bot.clock import Clock
from bot.testkit.faults import Failure
from bot.testkit.server import CALL, FakeServer
from bot.testkit.watched import Call
from bot.testkit.wecom_callbacks import WeComCallbacks, WeComReply
from bot.testkit.wecom_cards import (
    APP_TEXT_BYTES,
    WeComError,
    bad,
    card_text,
    check_card,
    cut,
    is_interactive,
    size,
)
from bot.testkit.wecom_menu import check_menu
from bot.testkit.wecom_robot import read_robot
from bot.testkit.wecom_state import RECALL_LIFE, Corporation, RobotPost, WeComMessage

CORP_ID = "ww0123456789abcdef"
AGENT_ID = 1000002
SECRET = "fake-wecom-secret"  # noqa: S105
CALLBACK_TOKEN = "fakecallbacktoken"  # noqa: S105
AES_KEY = base64.b64encode(hashlib.sha256(b"fengbo fake wecom").digest()).decode().rstrip("=")
ROBOT_KEY = "fake-robot-key"
MEMBERS = {"lina": "李娜", "zhaolei": "赵磊", "chenjing": "陈静"}
APP_KINDS = {"text", "image", "voice", "video", "file", "textcard", "news", "mpnews", "markdown", "template_card"}
CHAT_KINDS = APP_KINDS - {"template_card"}
MEDIA_BYTES = {"image": 10 << 20, "voice": 2 << 20, "video": 10 << 20, "file": 20 << 20}
_HELP = "https://open.work.weixin.qq.com/devtool/query?e="
Body = Mapping[str, Any]


class FakeWeCom(FakeServer):
    """Speaks as WeCom towards the bot. ``members`` maps user ids to names; ``callbacks`` is the members' side."""

    def __init__(
        self,
        clock: Clock | None = None,
        *,
        members: Mapping[str, str] | None = None,
        corp_id: str = CORP_ID,
        agent_id: int = AGENT_ID,
        secret: str = SECRET,
        token: str = CALLBACK_TOKEN,
        aes_key: str = AES_KEY,
    ) -> None:
        super().__init__(clock)
        self.corp_id, self.agent_id, self.secret = corp_id, agent_id, secret
        self.corporation = Corporation(self.clock, dict(members or MEMBERS))
        self.corporation.robots[ROBOT_KEY] = []
        self.callbacks = WeComCallbacks(self.corporation, corp_id, agent_id, token, aes_key)
        self.callback_configured = True
        self.rate_limit("gettoken", 30, 60)
        self._methods: dict[str, Callable[[Body, Call], dict[str, Any]]] = {
            "message/send": self._send,
            "message/update_template_card": self._update,
            "message/recall": self._recall,
            "menu/create": self._menu_create,
            "menu/get": self._menu_get,
            "menu/delete": self._menu_delete,
            "user/get": self._user_get,
            "agent/get": self._agent_get,
            "appchat/create": self._chat_create,
            "appchat/get": self._chat_get,
            "appchat/send": self._chat_send,
        }

    @property
    def base_url(self) -> str:
        """What ``chat.wecom.base_url`` is set to."""
        return f"{self.url}/cgi-bin/"

    def documented_rates(self) -> None:
        """Switch on: members 30 a minute and 1,000 an hour (surplus lost silently), robots 20 a minute (45009)."""
        self.corporation.member_limits = True
        for key in self.corporation.robots:
            self.rate_limit(f"robot:{key}", 20, 60)

    # -- looking at the screens ---------------------------------------------------------------------------------

    def inbox(self, user: str) -> list[WeComMessage]:
        """What this member sees from the app, oldest first, without what was recalled."""
        return [one for one in self.corporation.messages if user in one.receivers and not one.recalled]

    def robot(self, key: str = ROBOT_KEY) -> list[RobotPost]:
        """What a group robot posted, oldest first; naming a new key creates that robot."""
        return self.corporation.robots.setdefault(key, [])

    async def wait_for_message(self, user: str, containing: str = "", timeout: float = 5.0) -> WeComMessage:
        """The newest message to a member whose visible text contains this."""

        def find() -> WeComMessage | None:
            fits = [one for one in self.inbox(user) if containing in one.visible(user)]
            return fits[-1] if fits else None

        message = await self.wait_for(find, timeout)
        assert message is not None
        return message

    # -- acting as members --------------------------------------------------------------------------------------

    def connect(self, url: str) -> None:
        """Where the bot's callback is (``…/wecom/callback``)."""
        self.callbacks.url = url

    async def say(self, user: str, content: str, **how: Any) -> WeComReply:
        """A member writes to the app."""
        return await self._told(await self.callbacks.text(user, content, **how))

    async def click(self, message: WeComMessage, key: str, user: str, **how: Any) -> WeComReply:
        """A member presses a button, by key or text; the reply may change what the member sees."""
        return await self._told(await self.callbacks.click(message, key, user, **how))

    async def menu_click(self, user: str, key: str, **how: Any) -> WeComReply:
        return await self._told(await self.callbacks.menu_click(user, key, **how))

    async def verify_url(self, **how: Any) -> WeComReply:
        """The check when the address is entered in the console; a good bot answers with the plain ``echostr``."""
        return await self.callbacks.verify_url(**how)

    async def _told(self, reply: WeComReply) -> WeComReply:
        await self.changed()
        return reply

    # -- the calls ----------------------------------------------------------------------------------------------

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/cgi-bin/gettoken", self._gettoken)
        router.add_post("/cgi-bin/webhook/send", self._webhook)
        router.add_post("/cgi-bin/webhook/upload_media", self._webhook_upload)
        router.add_post("/cgi-bin/media/upload", self._upload)
        router.add_route("*", "/cgi-bin/{room}/{method}", self._call)

    def method_of(self, request: web.Request) -> str:
        return request.path.removeprefix("/cgi-bin/")

    async def body_of(self, request: web.Request) -> Mapping[str, Any]:
        if request.content_type == "multipart/form-data":
            return {}
        try:
            parsed = json.loads(await request.read() or b"{}")
        except ValueError:
            return {}
        return parsed if isinstance(parsed, dict) else {}

    def limit_targets(self, call: Call) -> list[str]:
        return [call.method, f"robot:{call.query.get('key')}"] if call.method == "webhook/send" else [call.method]

    def refusal(self, call: Call, failure: Failure) -> web.Response:
        if failure.status is not None:
            return web.Response(status=failure.status, text="fake failure")
        return self._error(WeComError(int(failure.error or -1), "fake failure"))

    def limited(self, call: Call, wait: int) -> web.Response:
        return self._error(WeComError(45009, "api freq out of limit"))

    @staticmethod
    def _error(problem: WeComError) -> web.Response:
        more = f"{problem.message}, hint: [fake], from ip: 127.0.0.1, more info at {_HELP}{problem.code}"
        return web.json_response({"errcode": problem.code, "errmsg": more})

    async def _gettoken(self, request: web.Request) -> web.Response:
        corp_id, secret = request.query.get("corpid"), request.query.get("corpsecret")
        missing = WeComError(41004, "corpsecret missing") if corp_id else WeComError(41002, "corpid missing")
        if not corp_id or not secret:
            return self._error(missing)
        if corp_id != self.corp_id:
            return self._error(WeComError(40013, "invalid corpid"))
        if secret != self.secret:
            return self._error(WeComError(40001, "invalid credential"))
        token, seconds = self.corporation.token()
        return web.json_response({"errcode": 0, "errmsg": "ok", "access_token": token, "expires_in": seconds})

    async def _call(self, request: web.Request) -> web.Response:
        call = request[CALL]
        if call.method not in self._methods:
            return web.Response(status=404)
        try:
            self.corporation.check_token(request.query.get("access_token"))
            if request.method == "POST" and call.raw and not call.body:
                raise WeComError(40058, "Warning: wrong json format. invalid Request Parameter")
            answer = self._methods[call.method](call.body, call)
        except WeComError as problem:
            return self._error(problem)
        return web.json_response({"errcode": 0, "errmsg": "ok", **answer})

    def _check_agent(self, body: Body) -> None:
        if body.get("agentid") in (None, ""):
            raise WeComError(41011, "missing agentid")
        if str(body["agentid"]) != str(self.agent_id):
            raise WeComError(40056, "invalid agentid")

    def _read(self, body: Body, kinds: set[str]) -> WeComMessage:
        """The message of a send call, checked, without receivers."""
        kind = str(body.get("msgtype"))
        if kind not in kinds:
            raise WeComError(40008, "invalid message type")
        content = body.get(kind)
        if not isinstance(content, Mapping):
            raise bad(f"{kind} missing")
        message = WeComMessage(f"msg-{self.corporation.number()}", kind, [], self.clock.now(), body)
        if kind in ("text", "markdown"):
            text = str(content.get("content") or "")
            if not text:
                raise WeComError(44004, "content missing")
            if kind == "markdown" and size(text) > APP_TEXT_BYTES:
                raise WeComError(45002, "content size out of limit")
            # Page 90236 for text: "最长不超过2048个字节，超过将截断": cut, and nobody is told.
            message.text = cut(text, APP_TEXT_BYTES)
            message.was_cut = message.text != text
        elif kind == "template_card":
            message.advice = check_card(content, self.corporation.task_ids)
            message.text = card_text(content)
            message.task_id = str(content.get("task_id") or "")
        elif kind in ("image", "voice", "video", "file") and content.get("media_id") not in self.corporation.media:
            raise WeComError(40007, "invalid media_id")
        elif kind == "textcard":
            if size(content.get("title")) > 128 or size(content.get("description")) > 512:
                message.was_cut = True
            message.text = f"{content.get('title')}\n{content.get('description')}"
        return message

    def _send(self, body: Body, call: Call) -> dict[str, Any]:
        self._check_agent(body)
        message = self._read(body, APP_KINDS)
        receivers, invalid = self.corporation.resolve(body)
        interactive = message.kind == "template_card" and is_interactive(body["template_card"])
        if interactive and not self.callback_configured:
            raise WeComError(43012, "callback url not configured")
        answer: dict[str, Any] = {**invalid, "unlicenseduser": "", "msgid": message.id}
        if self.corporation.is_duplicate(body):
            return answer
        message.receivers = receivers
        if message.kind == "template_card":
            message.cards = {user: dict(body["template_card"]) for user in receivers}
            if message.task_id:
                self.corporation.task_ids.add(message.task_id)
        self.corporation.show(message)
        if interactive:
            answer["response_code"] = self.corporation.new_code(message)
        return answer

    def _update(self, body: Body, call: Call) -> dict[str, Any]:
        self._check_agent(body)
        button = (body.get("button") or {}).get("replace_name")
        card = body.get("template_card")
        if not button and not card:
            raise bad("button.replace_name and template_card both missing")
        if card:
            check_card(card, set(), update=True)
        message = self.corporation.use_code(body.get("response_code"))
        wanted = list(body.get("userids") or [])
        if body.get("atall"):
            wanted = list(message.receivers)
        users = [user for user in message.receivers if user.lower() in {one.lower() for one in wanted}]
        self.corporation.change(message, users, button, card)
        known = {user.lower() for user in message.receivers}
        return {"invaliduser": [user.lower() for user in wanted if user.lower() not in known]}

    def _recall(self, body: Body, call: Call) -> dict[str, Any]:
        for message in self.corporation.messages:
            if message.id == body.get("msgid"):
                if self.clock.now() - message.sent_at > RECALL_LIFE:
                    raise bad("msgid older than 24 hours")
                message.recalled = True
                return {}
        raise bad("msgid unknown")

    def _menu_create(self, body: Body, call: Call) -> dict[str, Any]:
        self._check_agent(call.query)
        check_menu(body)
        self.corporation.menu = dict(body)
        return {}

    def _menu_get(self, body: Body, call: Call) -> dict[str, Any]:
        self._check_agent(call.query)
        if self.corporation.menu is None:
            raise WeComError(46003, "menu no exist")
        return self.corporation.menu

    def _menu_delete(self, body: Body, call: Call) -> dict[str, Any]:
        self._check_agent(call.query)
        self.corporation.menu = None
        return {}

    def _user_get(self, body: Body, call: Call) -> dict[str, Any]:
        user = call.query.get("userid", "")
        if user not in self.corporation.members:
            raise WeComError(60111, "userid not found")
        return {"userid": user, "name": self.corporation.members[user], "department": [1], "status": 1}

    def _agent_get(self, body: Body, call: Call) -> dict[str, Any]:
        self._check_agent(call.query)
        return {"agentid": self.agent_id, "name": "Fengbo", "close": 0}

    def _chat_create(self, body: Body, call: Call) -> dict[str, Any]:
        users = body.get("userlist") or []
        if len(users) < 2:
            raise bad("userlist needs at least two members")
        chat_id = str(body.get("chatid") or f"chat{self.corporation.number()}")
        if chat_id in self.corporation.chats:
            raise WeComError(86001, "chatid already used")
        self.corporation.chats[chat_id] = {
            "chatid": chat_id,
            "name": body.get("name"),
            "userlist": users,
            "messages": [],
        }
        return {"chatid": chat_id}

    def _chat(self, name: object) -> dict[str, Any]:
        if str(name) not in self.corporation.chats:
            raise WeComError(86003, "chatid not exist")
        return self.corporation.chats[str(name)]

    def _chat_get(self, body: Body, call: Call) -> dict[str, Any]:
        chat = self._chat(call.query.get("chatid"))
        return {"chat_info": {name: value for name, value in chat.items() if name != "messages"}}

    def _chat_send(self, body: Body, call: Call) -> dict[str, Any]:
        chat = self._chat(body.get("chatid"))
        chat["messages"].append(self._read(body, CHAT_KINDS))
        return {}

    # -- robots and files ---------------------------------------------------------------------------------------

    async def _webhook(self, request: web.Request) -> web.Response:
        call = request[CALL]
        try:
            posts = self.corporation.robots.get(call.query.get("key", ""))
            if posts is None:
                raise WeComError(93000, "invalid webhook url")
            kind = str(call.body.get("msgtype"))
            text = read_robot(kind, call.body.get(kind), self.corporation.media)
            posts.append(RobotPost(kind, call.body, text, self.clock.now()))
        except WeComError as problem:
            return self._error(problem)
        return web.json_response({"errcode": 0, "errmsg": "ok"})

    async def _webhook_upload(self, request: web.Request) -> web.Response:
        if request.query.get("key") not in self.corporation.robots:
            return self._error(WeComError(93000, "invalid webhook url"))
        return await self._take_file(request)

    async def _upload(self, request: web.Request) -> web.Response:
        try:
            self.corporation.check_token(request.query.get("access_token"))
        except WeComError as problem:
            return self._error(problem)
        return await self._take_file(request)

    async def _take_file(self, request: web.Request) -> web.Response:
        kind = request.query.get("type", "")
        part = (await request.post()).get("media") if request.content_type == "multipart/form-data" else None
        content = part.file.read() if isinstance(part, web.FileField) else b""
        if kind not in MEDIA_BYTES:
            return self._error(WeComError(40004, "invalid media type"))
        if len(content) <= 5:  # page 90253: more than 5 bytes
            return self._error(WeComError(44001, "empty media data"))
        if len(content) > MEDIA_BYTES[kind]:
            return self._error(WeComError(45001, "media size out of limit"))
        media_id = f"media-{self.corporation.number()}"
        self.corporation.media[media_id] = content
        created = str(self.clock.now() // 1000)
        return web.json_response(
            {"errcode": 0, "errmsg": "ok", "type": kind, "media_id": media_id, "created_at": created}
        )
