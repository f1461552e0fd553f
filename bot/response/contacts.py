"""People outside the house: who they are, who spoke to them when about what, and what the press waits for."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlite_utils import Database

from bot.clock import HOUR, MINUTE
from bot.config import Config, PersonConfig
from bot.config_linkage import ContactConfig
from bot.delivery import timers
from bot.delivery.timers import Timer
from bot.incidents import people, words
from bot.incidents.notices import Notices
from bot.model.incident import SYSTEM, Actor, Incident
from bot.model.text import LANGUAGES, Text, UserError
from bot.store import audit
from bot.store import incidents as incident_store
from bot.texts import render

REMIND, OVERDUE = "interview_remind", "interview_overdue"
KINDS = (
    "crisis_team", "expert", "agency", "lawyer", "media", "kol", "authority", "association", "partner", "other",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Interview:
    """A question of the press (or anybody outside) that waits for an answer by ``due_at``."""

    id: int
    contact: str
    incident: str
    question: str
    due_at: int
    state: str
    answer: str
    owner: str
    drill: str
    asked_at: int
    answered_at: int


class Contacts:
    """Every method runs inside the caller's transaction."""

    def __init__(self, config: Config, notices: Notices) -> None:
        self._config = config
        self._notices = notices
        self._by_id = {contact.id: contact for contact in config.contacts}

    # -- who

    def find(self, words_: str) -> list[ContactConfig]:
        """Contacts by id, name, organisation, kind or topic; all of them for no words."""
        wanted = words_.strip().lower()
        exact = [contact for contact in self._config.contacts if wanted in (contact.id.lower(), contact.name.lower())]
        if exact:
            return exact
        return [contact for contact in self._config.contacts if not wanted or wanted in _searched(contact)]

    def one(self, words_: str) -> ContactConfig:
        """Exactly one contact. Raises ``UserError`` with those it could be."""
        found = self.find(words_) if words_.strip() else []
        if len(found) == 1:
            return found[0]
        names = [contact.name for contact in (found or self._config.contacts)[:10]]
        raise UserError("error.which_contact" if found else "error.no_such_contact", name=words_ or "—", known=names)

    def name(self, contact_id: str) -> str:
        contact = self._by_id.get(contact_id)
        if contact is None:
            return contact_id
        return f"{contact.name} ({contact.organisation})" if contact.organisation else contact.name

    def last_spoken(self, db: Database, contact_id: str) -> tuple[int, str, str] | None:
        """``(when, who, about what)`` of the newest conversation."""
        row = db.conn.execute(
            "SELECT happened_at, actor_name, about FROM liaison WHERE contact = ? ORDER BY happened_at DESC, id DESC"
            " LIMIT 1",
            (contact_id,),
        ).fetchone()
        return (row[0], row[1], row[2]) if row else None

    # -- the liaison log

    def spoke(
        self, db: Database, contact: ContactConfig, incident: Incident | None, about: str, actor: Actor, now: int,
        happened_at: int | None = None,
    ) -> None:  # fmt: skip
        """Record that a member spoke to a contact; it stands on the incident's timeline too."""
        if not about.strip():
            raise UserError("error.spoke_about_what")
        at = min(happened_at or now, now)
        db.conn.execute(
            "INSERT INTO liaison (contact, incident, about, actor, actor_name, happened_at, recorded_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (contact.id, incident.id if incident else "", about.strip(), actor.person, actor.name, at, now),
        )
        if incident is not None:
            params = {"contact": self.name(contact.id), "text": about.strip()}
            incident_store.note(db, incident.id, "spoke", now, actor, params, at)

    def log(self, db: Database, *, incident: str = "", contact: str = "", limit: int = 30) -> list[dict[str, Any]]:
        """Conversations, oldest first."""
        rows = db.conn.execute(
            "SELECT contact, incident, about, actor_name, happened_at FROM liaison WHERE (? = '' OR incident = ?)"
            " AND (? = '' OR contact = ?) ORDER BY happened_at DESC, id DESC LIMIT ?",
            (incident, incident, contact, contact, limit),
        ).fetchall()
        names = ("contact", "incident", "about", "actor_name", "happened_at")
        return [dict(zip(names, row, strict=True)) for row in reversed(rows)]

    # -- interview requests

    def ask(
        self,
        db: Database,
        contact: ContactConfig,
        incident: Incident,
        question: str,
        due_at: int,
        actor: Actor,
        now: int,
    ) -> Interview:
        """Take down an interview request: reminded before it is due, escalated when it is late."""
        if not question.strip():
            raise UserError("error.interview_what")
        if due_at <= now:
            raise UserError("error.interview_past")
        owner = incident.owner or contact.owner or actor.person
        cursor = db.conn.execute(
            "INSERT INTO interview (contact, incident, question, due_at, owner, drill, asked_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (contact.id, incident.id, question.strip(), due_at, owner, incident.drill, now),
        )
        interview = self.interview(db, int(cursor.lastrowid or 0))
        number = str(interview.id)
        remind_at = due_at - min(HOUR, max(MINUTE, (due_at - now) // 3))
        timers.schedule(db, REMIND, number, max(now, remind_at), now)
        timers.schedule(db, OVERDUE, number, due_at, now, {"level": 1})
        params = self._shown(interview)
        incident_store.note(db, incident.id, "interview_asked", now, actor, params)
        text = Text("contact.asked", params)
        self._notices.say(db, incident, text, now, key=f"interview:{number}:asked", reason="interview")
        return interview

    def answer(self, db: Database, number: int, text: str, actor: Actor, now: int) -> Interview:
        """Close a request with the answer that was given; the clock stops."""
        interview = self.interview(db, number)
        if interview.state != "open":
            raise UserError("error.interview_closed", number=number)
        if not text.strip():
            raise UserError("error.interview_answer", number=number)
        db.conn.execute(
            "UPDATE interview SET state = 'answered', answer = ?, answered_at = ? WHERE id = ?",
            (text.strip(), now, number),
        )
        timers.cancel(db, REMIND, str(number))
        timers.cancel(db, OVERDUE, str(number))
        params = {**self._shown(interview), "text": text.strip()}
        incident_store.note(db, interview.incident, "interview_answered", now, actor, params)
        audit.append(db, actor, "interview_answered", f"interview:{number}", now)
        contact = self._by_id.get(interview.contact)
        if contact is not None:
            self.spoke(db, contact, None, text, actor, now)
        return self.interview(db, number)

    def interview(self, db: Database, number: int) -> Interview:
        found = _interviews(db, "id = ?", (number,))
        if not found:
            raise UserError("error.no_such_interview", number=number)
        return found[0]

    def open_interviews(self, db: Database, incident: str = "") -> list[Interview]:
        """What still waits for an answer, most urgent first."""
        return _interviews(db, "state = 'open' AND (? = '' OR incident = ?) ORDER BY due_at", (incident, incident))

    def remind(self, db: Database, timer: Timer, now: int) -> None:
        """Timer ``interview_remind``: the deadline is near."""
        self._urge(db, timer, "contact.remind", now, level=0)

    def overdue(self, db: Database, timer: Timer, now: int) -> None:
        """Timer ``interview_overdue``: nobody answered; next time those above hear of it."""
        level = int(timer.payload.get("level", 1))
        if self._urge(db, timer, "contact.overdue", now, level=level) and level < 3:
            timers.schedule(db, OVERDUE, timer.object, now + HOUR, now, {"level": level + 1})

    def _urge(self, db: Database, timer: Timer, key: str, now: int, *, level: int) -> bool:
        interview = self.interview(db, int(timer.object))
        incident = incident_store.get(db, interview.incident)
        if interview.state != "open" or incident is None:
            return False
        text = Text(key, self._shown(interview))
        mark = f"interview:{interview.id}:{timer.kind}:{level}"
        self._notices.say(db, incident, text, now, key=mark, reason="interview")
        self._notices.call(db, incident, self._called(interview, level, now), text, now, key=mark)
        if level:
            incident_store.note(db, incident.id, "interview_overdue", now, SYSTEM, self._shown(interview))
        return True

    def _called(self, interview: Interview, level: int, now: int) -> list[PersonConfig]:
        owner = self._config.person(interview.owner)
        above: Iterable[PersonConfig] = people.escalation(self._config, level, now) if level else []
        found = [*([owner] if owner else []), *above] or people.duty(self._config, now)
        return list({person.id: person for person in found}.values())

    def _shown(self, interview: Interview) -> dict[str, Any]:
        return {
            "number": interview.id, "contact": self.name(interview.contact), "question": interview.question[:300],
            "due": words.clock_time(interview.due_at),
        }  # fmt: skip


def _searched(contact: ContactConfig) -> str:
    kinds = (render(Text(f"contact_kind.{contact.kind}"), language) for language in LANGUAGES)
    parts = (contact.id, contact.name, contact.organisation, contact.title, contact.kind, *kinds, *contact.topics)
    return " ".join(parts).lower()


def _interviews(db: Database, where: str, values: tuple[Any, ...]) -> list[Interview]:
    rows = db.conn.execute(
        "SELECT id, contact, incident, question, due_at, state, answer, owner, drill, asked_at, answered_at"
        f" FROM interview WHERE {where}",
        values,
    )
    return [Interview(*row) for row in rows]
