"""Frames of the smart robot's long connection, and what a refusal there asks of a sender.

Facts are from developer page 101463 (updated 2026-04-01) unless a line says otherwise. Where sources disagree, reading
is tolerant and writing follows the page.
"""

from dataclasses import dataclass
from typing import Any

import orjson

from bot.chat.wecom.client import trouble
from bot.delivery.chat import Blocked

SUBSCRIBE = "aibot_subscribe"
PING = "ping"
PONG = "pong"
MESSAGE = "aibot_msg_callback"
EVENT = "aibot_event_callback"
SEND = "aibot_send_msg"
WELCOME = "aibot_respond_welcome_msg"  # answers the event enter_chat, within 5 s
UPDATE_CARD = "aibot_respond_update_msg"  # the one answer a click takes (others: 846605), within 5 s

MARKDOWN_BYTES = 20_480  # pages 101031 and 101138, for markdown and for streams
FRAME_BYTES = 1 << 20
SINGLE, GROUP = 1, 2  # chat_type of aibot_send_msg

# Seen with public users of the connection (WecomTeam/wecom-openclaw-plugin issues 121 and 142, notes of others).
BAD_CREDENTIALS = 853000
NOT_SUBSCRIBED = 10003  # the connection lives, but the server has forgotten who it is
NO_CONVERSATION = 93006  # unknown chat id, or nobody has spoken to the robot there yet


class NoConversation(Blocked):
    """The robot cannot write there: a wrong chat id, or nobody has spoken to it there yet."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One received frame. An answer to a request of ours has no ``cmd`` but an ``errcode``."""

    cmd: str
    req_id: str
    body: dict[str, Any]
    errcode: int | None
    errmsg: str

    @property
    def event(self) -> str:
        """The kind of an event callback, empty for everything else."""
        event = self.body.get("event")
        kind = event.get("eventtype") if self.cmd == EVENT and isinstance(event, dict) else ""
        return kind if isinstance(kind, str) else ""


def written(cmd: str, req_id: str, body: dict[str, Any] | None = None) -> str:
    frame: dict[str, Any] = {"cmd": cmd, "headers": {"req_id": req_id}}
    if body is not None:
        frame["body"] = body
    return orjson.dumps(frame).decode()


def read(text: str) -> Frame | None:
    """A frame, or ``None`` for what is none. Some public clients saw the code of an answer in its body."""
    try:
        data = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(data, dict):
        return None
    headers, body = _mapping(data.get("headers")), _mapping(data.get("body"))
    code = data.get("errcode", body.get("errcode"))
    words = data.get("errmsg", body.get("errmsg", ""))
    try:
        errcode = None if code is None else int(code)
    except (TypeError, ValueError):
        errcode = -2
    return Frame(_string(data.get("cmd")), _string(headers.get("req_id")), body, errcode, str(words or "")[:200])


def refusal(code: int, words: str) -> Exception:
    """An errcode of the connection as what a sender can do about it."""
    if code == NO_CONVERSATION:
        return NoConversation("93006: wrong chat id, or nobody has spoken to the robot there yet")
    if code == BAD_CREDENTIALS:
        return Blocked("853000: the robot's bot_id or secret is refused")
    return trouble(code, words)


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""
