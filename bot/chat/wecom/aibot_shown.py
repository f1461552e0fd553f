"""What stands in the groups, as far as a press needs it: which card, in which state, and which are being answered."""

import itertools
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import orjson
from sqlite_utils import Database

from bot.chat.wecom.aibot_render import digest_of
from bot.chat.wecom.render import gist_of
from bot.clock import SECOND
from bot.delivery import outbox
from bot.delivery.outbox import Placement
from bot.model.card import Card
from bot.model.message import Message

ANSWER_WITHIN = 5 * SECOND  # page 101463: a card can be updated that long after its press
REMEMBERED = 500

Reference = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shown:
    """The newest state of what a pressed card shows. ``object`` is empty for a card that no placement knows;
    ``before`` is the state in which it was posted."""

    card: Card
    language: str
    object: str = ""
    destination: str = ""
    before: Card | None = None

    def label(self, command: str) -> str:
        """The words on the button of a command, empty where neither state has it."""
        buttons = [*self.card.buttons, *(self.before.buttons if self.before else ())]
        return next((button.label for button in buttons if button.command == command), "")


def new_reference(message: Message, task_id: str) -> Reference:
    """What is kept of a card that was posted: enough to show it again with a press on it."""
    assert message.card is not None
    return {"task": task_id, "language": message.language, **_state(message.card)}


def with_newest(reference: Reference, card: Card) -> Reference:
    """The reference of a standing card whose newest state was not worth another message."""
    return {**reference, "card": card.to_json()}


def _state(card: Card) -> Reference:
    return {"gist": gist_of(card), "shown": digest_of(card), "card": card.to_json()}


def newest(db: Database, anchor: str) -> Shown | None:
    """The newest state of the object whose card was pressed: what waits to be sent, else what stands."""
    row = db.conn.execute(
        "SELECT object, destination, reference FROM placement WHERE anchor = ? ORDER BY placed_at DESC", (anchor,)
    ).fetchone()
    if row is None:
        return None
    reference = orjson.loads(row[2])
    waiting = db.conn.execute(
        "SELECT message FROM outbox WHERE destination = ? AND object = ? AND state IN ('waiting', 'sending')"
        " ORDER BY id DESC LIMIT 1",
        (row[1], row[0]),
    ).fetchone()
    standing = Card.from_json(reference["card"]) if "card" in reference else None
    message = Message.from_json(orjson.loads(waiting[0])) if waiting else None
    if message is not None and message.card is not None:
        return Shown(message.card, message.language, row[0], row[1], standing)
    return Shown(standing, str(reference.get("language") or "zh-CN"), row[0], row[1]) if standing else None


def destination_at(db: Database, anchor: str) -> str:
    """Where the card of an anchor stands, for a press that does not say where it was made."""
    row = db.conn.execute("SELECT destination FROM placement WHERE anchor = ?", (anchor,)).fetchone()
    return str(row[0]) if row else ""


def anchor_of_any(db: Database, objects: list[str], destination: str) -> str:
    """The anchor of the first of these objects that stands in a destination, empty if none does."""
    standing = (outbox.placement(db, object_, destination) for object_ in objects)
    return next((placement.anchor for placement in standing if placement), "")


def mark_shown(db: Database, shown: Shown, anchor: str, task_id: str, now: int) -> None:
    """The pressed card now shows this state. Counts only if it is the object's newest card: an older one that was
    brought up to date does not spare the group the news."""
    placement = outbox.placement(db, shown.object, shown.destination)
    if placement is None or placement.anchor != anchor or placement.reference.get("task") != task_id:
        return
    reference = {**placement.reference, **_state(shown.card)}
    outbox.place(db, shown.object, shown.destination, Placement(anchor, reference), now)


class Answering:
    """Presses under way, by the anchor of their card, and cards sent lately, some of which no placement knows.

    An edit that waits behind a press would post what the answer to the press is about to show."""

    def __init__(self) -> None:
        self._under_way: dict[str, dict[int, int]] = {}
        self._numbers = itertools.count()
        self._lately: OrderedDict[str, Shown] = OrderedDict()

    def begin(self, anchor: str, now: int) -> int:
        """A press arrived; the number it returns ends it. Each counts for five seconds at most."""
        number = next(self._numbers)
        self._under_way.setdefault(anchor, {})[number] = now + ANSWER_WITHIN
        return number

    def end(self, anchor: str, number: int) -> None:
        presses = self._under_way.get(anchor, {})
        presses.pop(number, None)
        if not presses:
            self._under_way.pop(anchor, None)

    def under_way(self, anchor: str, now: int) -> bool:
        return any(until > now for until in self._under_way.get(anchor, {}).values())

    def remember(self, task_id: str, card: Card, language: str) -> None:
        self._lately[task_id] = Shown(card, language)
        while len(self._lately) > REMEMBERED:
            self._lately.popitem(last=False)

    def lately(self, task_id: str) -> Shown | None:
        return self._lately.get(task_id)
