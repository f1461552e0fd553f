"""Conversations of a fake smart robot: what stands in them, its limits, and what it refuses (page 101463)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.clock import HOUR, MINUTE, SECOND, Clock
from bot.testkit.faults import Window
from bot.testkit.wecom_cards import WeComError, bad, card_text, check_card, size

MARKDOWN_BYTES = 20_480
UPDATE_LIFE = 5 * SECOND
INVALID_REQ_ID = 846605
KINDS = ("markdown", "template_card")
SINGLE, GROUP = 1, 2


@dataclass(slots=True)
class AibotMessage:
    """One message of the robot as everybody in the conversation sees it; a card changes when a press is answered."""

    chat_id: str
    kind: str
    text: str
    sent_at: int
    card: Mapping[str, Any] = field(default_factory=dict)
    advice: list[str] = field(default_factory=list)
    revisions: list[str] = field(default_factory=list)

    @property
    def task_id(self) -> str:
        return str(self.card.get("task_id") or "")

    @property
    def buttons(self) -> dict[str, str]:
        """Words of the buttons by their key."""
        return {str(one.get("key")): str(one.get("text")) for one in self.card.get("button_list") or []}


@dataclass(slots=True)
class Press:
    """A press that may still be answered with another card."""

    message: AibotMessage
    at: int
    answered: bool = False


@dataclass(slots=True)
class Conversation:
    """A group or a member's own chat with the robot. The robot can write once somebody has spoken to it there."""

    chat_id: str
    kind: int
    open: bool = False
    messages: list[AibotMessage] = field(default_factory=list)
    minute: Window = field(default_factory=lambda: Window(30, MINUTE / SECOND))
    hour: Window = field(default_factory=lambda: Window(1000, HOUR / SECOND))

    def take_turn(self, now: int) -> None:
        if self.minute.wait(now) or self.hour.wait(now):
            raise WeComError(45009, "api freq out of limit")
        self.minute.take(now)
        self.hour.take(now)


class AibotState:
    """Everything the robot's server knows; raises ``WeComError`` for what it refuses."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.conversations: dict[str, Conversation] = {}
        self.presses: dict[str, Press] = {}
        self.greetings: dict[str, str] = {}  # by the req_id of enter_chat; empty until it is greeted
        self._task_ids: set[str] = set()
        self._number = 0

    def number(self) -> int:
        self._number += 1
        return self._number

    def conversation(self, chat_id: str, kind: int) -> Conversation:
        return self.conversations.setdefault(chat_id, Conversation(chat_id, kind))

    def send(self, body: Mapping[str, Any]) -> AibotMessage:
        """``aibot_send_msg``."""
        kind = str(body.get("msgtype"))
        if kind not in KINDS:
            raise WeComError(40008, "invalid message type")
        found = self.conversations.get(str(body.get("chatid")))
        if found is None or not found.open:
            raise WeComError(93006, "invalid chatid")
        if body.get("chat_type") not in (None, 0, found.kind):
            raise bad("chat_type does not fit chatid")
        message = self._read(found.chat_id, kind, body.get(kind))
        found.take_turn(self.clock.now())
        if message.task_id:
            self._task_ids.add(message.task_id)
        found.messages.append(message)
        return message

    def update(self, req_id: str, body: Mapping[str, Any]) -> None:
        """``aibot_respond_update_msg``: once a press, within five seconds, under the pressed card's task id."""
        press = self.presses.get(req_id)
        if press is None or press.answered or self.clock.now() - press.at > UPDATE_LIFE:
            raise WeComError(INVALID_REQ_ID, "invalid req_id")
        if body.get("response_type") != "update_template_card":
            raise bad("response_type")
        card = body.get("template_card")
        advice = check_card(card, set(), update=True)
        assert isinstance(card, Mapping)
        if card.get("task_id") != press.message.task_id:
            raise WeComError(42014, "invalid task_id")
        self.conversations[press.message.chat_id].take_turn(self.clock.now())
        press.answered = True
        press.message.revisions.append(press.message.text)
        press.message.text, press.message.card, press.message.advice = card_text(card), card, advice

    def greet(self, req_id: str, body: Mapping[str, Any]) -> None:
        """``aibot_respond_welcome_msg``."""
        if req_id not in self.greetings or self.greetings[req_id]:
            raise WeComError(INVALID_REQ_ID, "invalid req_id")
        if body.get("msgtype") not in ("text", "template_card"):
            raise WeComError(40008, "invalid message type")
        self.greetings[req_id] = str((body.get("text") or {}).get("content") or "card")

    def _read(self, chat_id: str, kind: str, content: object) -> AibotMessage:
        now = self.clock.now()
        if not isinstance(content, Mapping):
            raise bad(f"{kind} missing")
        if kind == "markdown":
            text = str(content.get("content") or "")
            if not text.strip():
                raise WeComError(44004, "content missing")
            if size(text) > MARKDOWN_BYTES:
                raise WeComError(45002, "content size out of limit")
            return AibotMessage(chat_id, kind, text.replace("  \n", "\n").strip(), now)
        advice = check_card(content, self._task_ids)
        return AibotMessage(chat_id, kind, card_text(content), now, content, advice)
