"""Action items at work: proposed by the record, accepted by a press, reminded until they are done.

A reminder comes a day before the date, on it, and every three days after; once it is late, whoever owned the incident
hears of it too. All of it is timer rows and outbox rows.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from sqlite_utils import Database

from bot.clock import DAY
from bot.config import Config, PersonConfig
from bot.delivery import timers
from bot.delivery.timers import Timer
from bot.incidents.notices import Notices
from bot.incidents.words import CHINA
from bot.learning import letters
from bot.learning.improvements import Proposal
from bot.model.card import Facts
from bot.model.incident import SYSTEM, Actor, Incident
from bot.model.text import Text, UserError
from bot.store import actions as store
from bot.store import audit
from bot.store import incidents as incident_store
from bot.store.actions import ActionItem
from bot.texts import render

REMIND = "action_remind"
DEFAULT_TIME = 14 * DAY
AGAIN = 3 * DAY
LONGEST = 1_000


class Actions:
    def __init__(self, config: Config, notices: Notices) -> None:
        self._config = config
        self._notices = notices

    # -- what people do

    def add(
        self, db: Database, incident: Incident, text: str, actor: Actor, now: int, *, owner: str = "", due_at: int = 0,
        kind: str = "improvement", public: bool = False,
    ) -> ActionItem:  # fmt: skip
        """Raises ``UserError`` without words, with a date in the past, or with a kind nobody knows."""
        text = " ".join(text.split())
        if not text:
            raise UserError("error.action_what", example=f"action {incident.id} …")
        if len(text) > LONGEST:
            raise UserError("error.action_long", most=LONGEST)
        if due_at and due_at <= now:
            raise UserError("error.action_past")
        item = self._item(db, incident, text, kind, now, owner=owner or actor.person, public=public,
                          due_at=due_at or end_of_day(now + DEFAULT_TIME), by=actor.name, state="open")  # fmt: skip
        store.insert(db, item)
        self._record(db, item, "action_added", actor, now, {"text": text})
        self._schedule(db, item, now)
        self._tell(db, item, actor, now)
        return item

    def accept(
        self, db: Database, item: ActionItem, actor: Actor, now: int, *, owner: str = "", due_at: int = 0
    ) -> ActionItem:
        """Take a proposal over: from now on it is somebody's, with a date."""
        if item.state != "proposed":
            raise UserError("error.action_state", id=item.id, state=Text(f"action.state_{item.state}"))
        after = replace(
            item, state="open", owner=owner or actor.person, due_at=due_at or end_of_day(now + DEFAULT_TIME)
        )
        store.save(db, after)
        self._record(db, after, "action_accepted", actor, now, {"text": after.text})
        self._schedule(db, after, now)
        self._tell(db, after, actor, now)
        return after

    def done(self, db: Database, item: ActionItem, note: str, actor: Actor, now: int) -> ActionItem:
        """Done, with a word on how."""
        return self._end(db, item, "done", note, actor, now)

    def drop(self, db: Database, item: ActionItem, reason: str, actor: Actor, now: int) -> ActionItem:
        """Not to be done after all; an accepted one takes a reason."""
        if item.state == "open" and not reason.strip():
            raise UserError("error.needs_reason", example=f"action drop {item.id} …")
        return self._end(db, item, "dropped", reason, actor, now)

    def change(
        self, db: Database, item: ActionItem, actor: Actor, now: int, *, owner: str = "", due_at: int = 0
    ) -> ActionItem:
        """Another owner or another date."""
        if item.state != "open":
            raise UserError("error.action_state", id=item.id, state=Text(f"action.state_{item.state}"))
        if due_at and due_at <= now:
            raise UserError("error.action_past")
        after = replace(item, owner=owner or item.owner, due_at=due_at or item.due_at)
        store.save(db, after)
        self._record(db, after, "action_changed", actor, now, {"owner": after.owner, "due_at": after.due_at})
        self._schedule(db, after, now)
        if after.owner != item.owner:
            self._tell(db, after, actor, now)
        return after

    def get(self, db: Database, item_id: str) -> ActionItem:
        found = store.get(db, item_id)
        if found is None:
            raise UserError("error.no_action", id=item_id)
        return found

    # -- what the record does

    def propose(self, db: Database, incident: Incident, found: Iterable[Proposal], now: int) -> list[ActionItem]:
        """Write proposals down, each once; returns the new ones."""
        made = []
        for proposal in found:
            text = render(proposal.text, self._config.language)[:LONGEST]
            item = self._item(db, incident, text, "improvement", now, by=SYSTEM.name, state="proposed",
                              origin=proposal.origin)  # fmt: skip
            if store.insert(db, item):
                made.append(item)
        return made

    def remind(self, db: Database, timer: Timer, now: int) -> None:
        item = store.get(db, timer.object)
        incident = incident_store.get(db, item.incident) if item else None
        if item is None or incident is None or item.state != "open":
            return
        late = now > item.due_at
        key = f"{item.id}:remind:{timer.id}"
        title = Text("action.late" if late else "action.remind", {"id": item.id, "incident": item.incident})
        # Whoever had the incident answers for what was learnt from it.
        called = dict.fromkeys([item.owner, incident.owner] if late else [item.owner])
        persons = [person for name in called if (person := self._config.person(name)) is not None]
        reached = [self._write(db, incident, item, person, title, now, key) for person in persons]
        if late or not any(reached):
            text = Text("action.reminded", {"id": item.id, "text": item.text, "owner": self.name(item.owner),
                                            "due": day(item.due_at)})  # fmt: skip
            self._notices.say(db, incident, text, now, key=key, reason="action")
        if late:
            incident_store.note(db, incident.id, "action_late", now, SYSTEM, {"id": item.id, "text": item.text})
        self._schedule(db, item, now)

    def name(self, person_id: str) -> str:
        person = self._config.person(person_id)
        return person.name if person else person_id or "—"

    # -- helpers

    def _item(
        self, db: Database, incident: Incident, text: str, kind: str, now: int, *, owner: str = "",
        public: bool = False, due_at: int = 0, by: str, state: str, origin: str = "",
    ) -> ActionItem:  # fmt: skip
        if kind not in store.KINDS:
            raise UserError("error.action_kind", known=[Text(f"action.kind_{name}") for name in store.KINDS])
        number = store.next_number(db)
        return ActionItem(
            number, f"A-{number}", incident.id, incident.drill, kind, text, owner, due_at, state, public, origin, "",
            by, now,
        )  # fmt: skip

    def _end(self, db: Database, item: ActionItem, state: str, note: str, actor: Actor, now: int) -> ActionItem:
        if item.state in ("done", "dropped"):
            raise UserError("error.action_state", id=item.id, state=Text(f"action.state_{item.state}"))
        if state == "done" and item.state == "proposed":
            item = replace(item, owner=actor.person, due_at=now)
        after = replace(item, state=state, note=note.strip()[:LONGEST], ended_by=actor.name, ended_at=now)
        store.save(db, after)
        timers.cancel(db, REMIND, item.id)
        self._record(db, after, f"action_{state}", actor, now, {"text": item.text, "note": after.note})
        return after

    def _record(
        self, db: Database, item: ActionItem, kind: str, actor: Actor, now: int, detail: dict[str, object]
    ) -> None:
        incident_store.note(db, item.incident, kind, now, actor, {"id": item.id, "text": item.text, "note": item.note})
        audit.append(db, actor, kind, item.id, now, detail)

    def _schedule(self, db: Database, item: ActionItem, now: int) -> None:
        moments = (item.due_at - DAY, item.due_at, item.due_at + DAY)
        following = next((at for at in moments if at > now), None)
        timers.schedule(db, REMIND, item.id, following or now + AGAIN, now)

    def _tell(self, db: Database, item: ActionItem, actor: Actor, now: int) -> None:
        incident, person = incident_store.get(db, item.incident), self._config.person(item.owner)
        if incident is None or person is None or person.id == actor.person:
            return
        title = Text("action.given", {"id": item.id, "incident": item.incident, "actor": actor.name})
        self._write(db, incident, item, person, title, now, f"{item.id}:given:{person.id}:{now}")

    def _write(
        self, db: Database, incident: Incident, item: ActionItem, person: PersonConfig, title: Text, now: int, key: str
    ) -> bool:
        rows = item_facts(item, self.name(item.owner), person.language or self._config.language)
        buttons = [("button.action_done", f"action-done {item.id}", "action-done")]
        return letters.write(
            db, self._config, incident, person, title, (Facts(rows),), buttons, now, key=key, reason="action"
        )


def item_facts(item: ActionItem, owner: str, language: str) -> tuple[tuple[str, str], ...]:
    """What an item says, label by label."""
    facts: list[tuple[str, Text | str]] = [
        ("what", item.text), ("owner", owner), ("due", day(item.due_at)), ("kind", Text(f"action.kind_{item.kind}")),
    ]  # fmt: skip
    return tuple(
        (render(Text(f"action.fact_{name}"), language), render(value, language)) for name, value in facts
    )  # fmt: skip


def end_of_day(moment: int) -> int:
    """Six in the evening in China of that day: nobody owes anything at midnight."""
    at = datetime.fromtimestamp(moment / 1000, CHINA).replace(hour=18, minute=0, second=0, microsecond=0)
    if at.timestamp() * 1000 <= moment:
        at += timedelta(days=1)
    return int(at.timestamp() * 1000)


def day(moment: int) -> str:
    """The date of a deadline in China Standard Time."""
    return datetime.fromtimestamp(moment / 1000, CHINA).strftime("%Y-%m-%d") if moment else "—"
