"""What people say and press where the smart robot is: stored first, answered after.

A press is sent once; without an answer in five seconds it is gone (mirror of page 101027), so everything a button does
can be said as well: ``@robot ack I-12``. Events are nested as ``event.template_card_event`` with ``event_key`` and
``task_id`` (SDK types and public users); whether a press in a group carries its ``chatid`` no page says for certain, so
the place of the card is known here, too.
"""

import asyncio
import hashlib
import logging
import re
import zlib
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import orjson
from sqlite_utils import Database

from bot.chat.spoken import spoken
from bot.chat.wecom import aibot_frames as frames
from bot.chat.wecom import aibot_shown as shown
from bot.chat.wecom.aibot_adapter import GROUP, ONE, AibotChat
from bot.chat.wecom.aibot_frames import Frame
from bot.chat.wecom.aibot_render import answer_card
from bot.chat.wecom.aibot_shown import ANSWER_WITHIN, Answering, Shown
from bot.chat.wecom.aibot_socket import AibotSocket
from bot.chat.wecom.words import tame_line
from bot.clock import SECOND, Clock
from bot.delivery import inbox
from bot.delivery.chat import Blocked, Delay, Refused, Unclear
from bot.model.message import Event
from bot.model.text import Text
from bot.store.database import Priority, Store
from bot.texts import render

log = logging.getLogger(__name__)

LINE_BYTES = 256 * 1024
REPLY_LANES = 4
HANDLED_WITHIN = 2 * SECOND  # of the five, so that the card can show the outcome and not only the receipt
LOOK_EVERY = 50
TOO_LATE = ANSWER_WITHIN - SECOND // 2
ANSWERS_AT_ONCE = 200
GROUPS_NAMED = 1_000
QUOTE_CHARACTERS = 4_000
_ID = re.compile(r"[^\s#/\x00-\x1f\x7f]{1,128}")
_MENTION = re.compile(r"@\S+\s*")
_NAMED = re.compile(r"(?<![0-9A-Za-z])[IRS]-[0-9]{1,9}(?![0-9A-Za-z])")


class AibotInbound:
    """``receive`` takes the callbacks of the connection one after the other. ``stored`` wakes the inbox's processor;
    ``name_of`` gives the name behind an account; ``robot_name`` is the robot's name in groups, where it is known."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        socket: AibotSocket,
        chat: AibotChat,
        answering: Answering,
        *,
        stored: Callable[[], None] = lambda: None,
        name_of: Callable[[str], str] = lambda account: account,
        language: str = "zh-CN",
        robot_name: str = "",
    ) -> None:
        self._store = store
        self._clock = clock
        self._socket = socket
        self._chat = chat
        self._answering = answering
        self._stored = stored
        self._name_of = name_of
        self._language = language
        self._robot_name = robot_name
        self._answers: set[asyncio.Task[None]] = set()
        self._heard: set[str] = set()

    async def receive(self, frame: Frame) -> None:
        """Store an event; returns after the commit, its answer goes on by itself. Raises what the store raises."""
        received_at = self._clock.now()
        if frame.event == "enter_chat":
            self._spawn(self._welcome(frame.req_id))
            return
        event, key = event_of(frame, self._robot_name)
        if event is None:
            return
        self._name_the_group(event)
        number = self._answering.begin(event.anchor, received_at)
        try:
            new = await self._store.write(lambda db: self._accept(db, key, event, received_at), Priority.PEOPLE)
        except BaseException:
            self._answering.end(event.anchor, number)
            raise
        if new:
            self._stored()
        if not (event.anchor and self._spawn(self._answer(frame.req_id, event, key, received_at, number))):
            self._answering.end(event.anchor, number)

    async def close(self) -> None:
        for task in self._answers:
            task.cancel()
        await asyncio.gather(*self._answers, return_exceptions=True)

    def _name_the_group(self, event: Event) -> None:
        """Tell the operator a group's chat id, which WeCom shows nowhere, once a process."""
        place = event.destination.partition("#")[0].removeprefix("wecom:")
        if place.startswith(GROUP) and place not in self._heard and len(self._heard) < GROUPS_NAMED:
            self._heard.add(place)
            log.info("wecom: the smart robot was spoken to in the group %s", place.removeprefix(GROUP))

    def _accept(self, db: Database, key: str, event: Event, now: int) -> bool:
        if quoted := event.reply.get("quoted"):  # a quotation is what a thread is elsewhere: it says what is meant
            place = event.destination.partition("#")[0]
            meant = [f"{kind}:{quoted}" for kind in ("incident", "run", "statement")]
            anchor = shown.anchor_of_any(db, meant, place)
            return inbox.accept(db, key, Event.from_json({**event.to_json(), "anchor": anchor}), now)
        if not event.destination:  # a press that does not say where: the card's place, else the member's own chat
            place = shown.destination_at(db, event.anchor) or f"wecom:{ONE}{event.account}"
            data = {**event.to_json(), "destination": f"{place}{_lane(key)}", "private": f":{ONE}" in place}
            return inbox.accept(db, key, Event.from_json(data), now)
        return inbox.accept(db, key, event, now)

    def _spawn(self, answer: Coroutine[Any, Any, None]) -> bool:
        """Begin an answer; False in a storm, when presses are stored and their cards follow by themselves."""
        if len(self._answers) >= ANSWERS_AT_ONCE:
            answer.close()
            return False
        task = asyncio.create_task(answer, name="aibot answer")
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)
        return True

    async def _welcome(self, req_id: str) -> None:
        """A member opened the conversation with the robot for the first time today. Nothing to store: it has no
        effect, and a lost greeting is no loss."""
        words = {"msgtype": "text", "text": {"content": render(Text("wecom.robot_welcome"), self._language)}}
        try:
            await self._socket.request(frames.WELCOME, words, answering=req_id)
        except (Delay, Blocked, Refused, Unclear) as error:
            log.info("wecom: a greeting was not delivered: %s", error)

    async def _answer(self, req_id: str, event: Event, key: str, received_at: int, number: int) -> None:
        """Show the press on the pressed card, with its outcome if that is there in time."""
        task_id, anchor = str(event.reply["task_id"]), event.anchor
        try:
            handled = await self._handled(key, received_at)
            newest = await self._store.read(lambda db: shown.newest(db, anchor)) or self._answering.lately(task_id)
            if newest is None or self._clock.now() - received_at > TOO_LATE:
                return
            card = answer_card(
                newest.card, newest.language, task_id, event.line, self._note(event, newest, handled=handled)
            )
            place = event.destination or newest.destination
            if card is None or not self._chat.has_room(place.partition(":")[2].partition("#")[0]):
                return
            update = {"response_type": "update_template_card", "template_card": card}
            await self._socket.request(frames.UPDATE_CARD, update, answering=req_id)
            if handled and newest.object:
                now = self._clock.now()
                await self._store.write(
                    lambda db: shown.mark_shown(db, newest, anchor, task_id, now), Priority.DELIVERY
                )
        except (Delay, Blocked, Refused, Unclear) as error:
            log.info("wecom: a pressed card was not brought up to date: %s", error)
        finally:
            self._answering.end(anchor, number)

    async def _handled(self, key: str, received_at: int) -> bool:
        """Whether the press was handled within two seconds of its arrival."""
        while True:
            if await self._store.read(lambda db: inbox.is_settled(db, "wecom", key)):
                return True
            if self._clock.now() - received_at >= HANDLED_WITHIN:
                return False
            await self._clock.sleep(LOOK_EVERY)

    def _note(self, event: Event, newest: Shown, *, handled: bool) -> str:
        what = tame_line(newest.label(event.line)) or spoken(event.line, newest.language)[:40]
        params = {"who": tame_line(self._name_of(event.account)), "what": what}
        return render(Text("wecom.pressed" if handled else "wecom.pressed_waiting", params), newest.language)


def event_of(frame: Frame, robot_name: str = "") -> tuple[Event | None, str]:
    """What a callback says as an event with its key in the inbox; no event for what nobody needs to handle."""
    body = frame.body
    account, chat_id = _text(_mapping(body, "from"), "userid"), _text(body, "chatid")
    if not _ID.fullmatch(account) or (chat_id and not _ID.fullmatch(chat_id)):
        return None, ""
    key = _key(body)
    in_group = _text(body, "chattype") == "group" or (bool(chat_id) and chat_id != account)
    said = _pressed(body) if frame.cmd == frames.EVENT else _said(body, robot_name if in_group else None)
    if said is None:
        return None, ""
    place = f"{GROUP}{chat_id}" if in_group and chat_id else f"{ONE}{account}"
    known = bool(chat_id) or frame.cmd == frames.MESSAGE or _text(body, "chattype") == "single"
    created = body.get("create_time")
    event = Event(
        chat="wecom",
        account=account,
        destination=f"wecom:{place}{_lane(key)}" if known else "",
        private=known and place.startswith(ONE),
        happened_at=created * SECOND if isinstance(created, int) and 0 < created < 10**11 else 0,
        **{**said, "reply": {**said.get("reply", {}), "to": account}},
    )
    return event, key


def _said(body: Mapping[str, Any], robot_name: str | None) -> dict[str, Any] | None:
    kind = _text(body, "msgtype").lower()
    if kind == "text":
        words = _text(_mapping(body, "text"), "content")
    elif kind == "mixed":  # text and pictures
        items = _mapping(body, "mixed").get("msg_item")
        parts = [_text(_mapping(item, "text"), "content") for item in items or [] if isinstance(item, dict)]
        words = "\n".join(filter(None, parts))
    elif kind == "stream":
        return None  # an echo of streaming replies, which are not used here
    else:
        return {"line": "help", "origin": "text"}  # pictures, files and voice cannot be read: say what can be said
    quoted = _named_in(body.get("quote"))
    if len(words.encode("utf-8", "ignore")) > LINE_BYTES:
        log.warning("wecom: a message of more than %d bytes to the smart robot was not stored", LINE_BYTES)
        return None
    line = words.strip() if robot_name is None else without_mention(words, robot_name)
    return {"line": line or "help", "origin": "text", "reply": {"quoted": quoted} if quoted else {}}


def _named_in(quote: object, depth: int = 4) -> str:
    """The first incident, run or statement that a quoted message names: a quotation carries words but no message id."""
    if isinstance(quote, str):
        found = _NAMED.search(quote[:QUOTE_CHARACTERS])
        return found[0] if found else ""
    parts = quote.values() if isinstance(quote, dict) else quote if isinstance(quote, list) else ()
    inside = (_named_in(part, depth - 1) for part in list(parts)[:20]) if depth else ()
    return next(filter(None, inside), "")


def without_mention(words: str, robot_name: str = "") -> str:
    """The words without the robot's mention, which every message in a group has (mirror of page 100719). Its name may
    hold spaces; where it is not configured, the first or only ``@word`` is taken for it."""
    if robot_name and f"@{robot_name}" in words:
        return words.replace(f"@{robot_name}", " ", 1).strip()
    return _MENTION.sub("", words, count=1).strip()


def _pressed(body: Mapping[str, Any]) -> dict[str, Any] | None:
    event = _mapping(body, "event")
    if _text(event, "eventtype") != "template_card_event":
        return None
    press = _mapping(event, "template_card_event")
    line = (_text(press, "event_key") or _text(event, "event_key")).strip()
    task_id = _text(press, "task_id") or _text(event, "task_id")
    if not line or not re.fullmatch(r"[0-9A-Za-z_@-]{1,128}", task_id):
        return None
    # Not "button", whose answers only the presser sees: in a group everybody saw the press and may see its answer.
    return {"line": line, "origin": "card", "anchor": task_id.partition("@")[0], "reply": {"task_id": task_id}}


def _key(body: Mapping[str, Any]) -> str:
    """``msgid`` is there to recognise repetitions (page 101463); without one the whole callback counts."""
    if message_id := _text(body, "msgid"):
        return f"aibot:{message_id[:128]}"
    canonical = orjson.dumps(dict(body), option=orjson.OPT_SORT_KEYS)
    return f"aibot-event:{hashlib.sha256(canonical).hexdigest()}"


def _lane(key: str) -> str:
    return f"#reply{zlib.crc32(key.encode()) % REPLY_LANES}"


def _mapping(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = body.get(name)
    return value if isinstance(value, dict) else {}


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    return value if isinstance(value, str) else ""
