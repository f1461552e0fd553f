"""The callback: what members write and press, checked, stored once, then acknowledged.

WeCom wants its answer within five seconds (one for the URL check) and repeats a call up to three times otherwise
(developer page 90238). Nothing is handled here; the inbox does that.
"""

import hashlib
import logging
import re
import zlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from aiohttp import web
from sqlite_utils import Database

from bot.chat.wecom.codes import ResponseCodes, store_click
from bot.chat.wecom.crypto import WecomCrypto, WecomRefused, envelope, message_fields
from bot.clock import HOUR, MINUTE, SECOND, Clock
from bot.delivery import inbox
from bot.model.message import Event
from bot.model.text import Text
from bot.store.database import Priority, Store
from bot.texts import render

log = logging.getLogger(__name__)

PATH = "/wecom/callback"
BODY_BYTES = 64 * 1024  # a message has at most 2,048 bytes of text; encrypted and wrapped it stays far below
TIME_WINDOW = 5 * MINUTE
NONCE_LIFE = 2 * HOUR  # WeCom promises not to repeat a nonce for two hours
NONCES = 20_000
REPLY_LANES = 4
CLICKS = ("template_card_event", "template_card_menu_event")
FIRST_VISIT = ("enter_agent", "subscribe")
_MEMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}")

Fields = Mapping[str, Any]


class ReplayWindow:
    """Refuses calls of another time, and a nonce that comes again with another signature.

    The same call again is let through: it is a repetition of WeCom's, and the inbox key gives it no second effect.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: OrderedDict[str, tuple[str, int]] = OrderedDict()

    def check(self, signature: str, timestamp: str, nonce: str) -> None:
        """Raises ``WecomRefused``. To be called after the signature was found right."""
        now = self._clock.now()
        if not re.fullmatch(r"[0-9]{1,12}", timestamp) or abs(now - int(timestamp) * SECOND) > TIME_WINDOW:
            raise WecomRefused("the timestamp is not of now")
        while self._seen and (len(self._seen) >= NONCES or next(iter(self._seen.values()))[1] < now - NONCE_LIFE):
            self._seen.popitem(last=False)
        if self._seen.setdefault(nonce, (signature, now))[0] != signature:
            raise WecomRefused("the nonce was used before")


class WecomCallback:
    """Handlers of ``/wecom/callback``. ``stored`` is called after an event is committed, to wake its processor.

    ``receipt`` greys the buttons of the card for the one who pressed, until the card is rewritten; leave it off where
    a press does not always lead to a rewrite.
    """

    def __init__(
        self,
        crypto: WecomCrypto,
        store: Store,
        clock: Clock,
        response_codes: ResponseCodes,
        *,
        agent_id: int = 0,
        stored: Callable[[], None] = lambda: None,
        receipt: bool = False,
        language: str = "zh-CN",
    ) -> None:
        self._crypto = crypto
        self._store = store
        self._clock = clock
        self._codes = response_codes
        self._agent_id = agent_id
        self._stored = stored
        self._receipt = receipt
        self._language = language
        self._window = ReplayWindow(clock)

    def routes(self) -> list[web.RouteDef]:
        return [web.get(PATH, self.verify, allow_head=False), web.post(PATH, self.receive)]

    async def verify(self, request: web.Request) -> web.Response:
        """The URL check: the decrypted ``echostr`` and nothing else."""
        try:
            return web.Response(text=self._open(request, request.query.get("echostr", "")))
        except WecomRefused as refusal:
            return _forbidden(refusal)

    async def receive(self, request: web.Request) -> web.Response:
        """Store the event, then answer. 403 for what is not WeCom's, 413 for what is too large."""
        raw = await _bounded_body(request)
        try:
            fields = message_fields(self._open(request, envelope(raw)))
        except WecomRefused as refusal:
            return _forbidden(refusal)
        event, key = self._event(fields)
        if event is None:
            return web.Response()
        await self._accept(event, key)
        if self._receipt and event.origin == "button":
            return self._greyed(request, fields)
        return web.Response()

    async def _accept(self, event: Event, key: str) -> None:
        now = self._clock.now()
        task_id, code = event.reply.get("task_id", ""), event.reply.get("response_code", "")

        def job(db: Database) -> bool:
            new = inbox.accept(db, key, event, now)
            if new and code:
                store_click(db, event.anchor, f"wecom:{event.account}", task_id, code, now)
            return new

        if await self._store.write(job, Priority.PEOPLE):
            if code:
                self._codes.clicked(task_id, code, now)
            self._stored()

    def _open(self, request: web.Request, encrypted: str) -> str:
        query = request.query
        signature, timestamp, nonce = (query.get(name, "") for name in ("msg_signature", "timestamp", "nonce"))
        if not (signature and timestamp and nonce and encrypted):
            raise WecomRefused("signature, timestamp, nonce or message is missing")
        plain = self._crypto.open(encrypted, signature, timestamp, nonce)
        self._window.check(signature, timestamp, nonce)
        return plain

    def _event(self, fields: Fields) -> tuple[Event | None, str]:
        """The event and its key in the inbox; no event for what nobody needs to handle."""
        account, agent = _text(fields, "FromUserName"), _text(fields, "AgentID")
        if not _MEMBER.fullmatch(account):
            return None, ""
        if self._agent_id and agent and agent != str(self._agent_id):
            log.warning("wecom: a message for another application (%s) was not stored", agent[:20])
            return None, ""
        key = _key(fields)
        said = _said(fields)
        if said is None:
            return None, ""
        if said["origin"] == "first":
            key, said = f"first-visit:{account}", {**said, "origin": "menu"}
        created = _text(fields, "CreateTime")
        event = Event(
            chat="wecom",
            account=account,
            destination=f"wecom:{account}#reply{zlib.crc32(key.encode()) % REPLY_LANES}",
            private=True,
            happened_at=int(created) * SECOND if re.fullmatch(r"[0-9]{1,12}", created) else 0,
            **said,
        )
        return event, key

    def _greyed(self, request: web.Request, fields: Fields) -> web.Response:
        """The passive reply that replaces the pressed button's words for the one who pressed (page 90241)."""
        timestamp = str(self._clock.now() // SECOND)
        words = render(Text("wecom.received"), self._language)
        plain = (
            f"<xml><ToUserName>{_cdata(_text(fields, 'FromUserName'))}</ToUserName>"
            f"<FromUserName>{_cdata(_text(fields, 'ToUserName'))}</FromUserName><CreateTime>{timestamp}</CreateTime>"
            f"<MsgType>{_cdata('update_button')}</MsgType>"
            f"<Button><ReplaceName>{_cdata(words)}</ReplaceName></Button></xml>"
        )
        sealed = self._crypto.seal(plain, timestamp, request.query.get("nonce", ""))
        return web.Response(text=sealed, content_type="text/xml")


def _said(fields: Fields) -> dict[str, Any] | None:
    """What the member said, as fields of an ``Event``; ``None`` for what is not meant for us."""
    kind, happened = _text(fields, "MsgType").lower(), _text(fields, "Event").lower()
    if kind == "text":
        line = _text(fields, "Content").strip()
        return {"line": line, "origin": "text"} if line else None
    if kind == "link":  # a shared article: the member wants it looked at
        url, title = _text(fields, "Url"), _text(fields, "Title")
        words = "\n".join(filter(None, (title, _text(fields, "Description"))))
        return {"line": f"add {url}", "origin": "shortcut", "shared": words, "shared_url": url} if url else None
    if kind != "event":
        return {"line": "help", "origin": "text"}  # pictures and voice cannot be read: say what can be said
    key = _text(fields, "EventKey").strip()
    if happened in CLICKS and key:
        task_id, code = _text(fields, "TaskId"), _text(fields, "ResponseCode")
        reply = {"task_id": task_id, "response_code": code} if code else {"task_id": task_id}
        return {"line": key, "origin": "button", "anchor": task_id.partition("@")[0], "reply": reply}
    if happened == "click" and key:
        return {"line": key, "origin": "menu"}
    if happened in FIRST_VISIT:
        return {"line": "help", "origin": "first"}
    return None


def _key(fields: Fields) -> str:
    """What makes a delivery the same one. The official pair of sender and second is too coarse for clicks, so events
    count with all their elements; a click's ``ResponseCode`` is its own."""
    message_id = _text(fields, "MsgId")
    if message_id.strip("0"):
        return f"message:{message_id}"
    canonical = orjson.dumps(dict(fields), option=orjson.OPT_SORT_KEYS)
    return f"event:{hashlib.sha256(canonical).hexdigest()}"


def _text(fields: Fields, name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def _cdata(text: str) -> str:
    return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"


async def _bounded_body(request: web.Request) -> bytes:
    """The body; 413 as soon as it is longer than a message can be."""
    if (request.content_length or 0) > BODY_BYTES:
        raise web.HTTPRequestEntityTooLarge(BODY_BYTES, request.content_length or 0)
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > BODY_BYTES:
            raise web.HTTPRequestEntityTooLarge(BODY_BYTES, len(body))
    return bytes(body)


def _forbidden(refusal: WecomRefused) -> web.Response:
    log.warning("wecom: a callback was refused: %s", refusal)
    return web.Response(status=403, text="forbidden")
