"""Automatic answers to customers: an approved text, inside its topics and hours, few times a person, never in doubt.

Doubt is: no topic fits, anger or danger in the words, a second question, a wish for a person, too many answers already.
Then a person takes over, and the customer is not answered by a machine again. Everything is recorded.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import jmespath
import orjson
from jmespath.exceptions import JMESPathError
from sqlite_utils import Database

from bot.clock import DAY
from bot.config import Config
from bot.config_linkage import AutoReplyConfig
from bot.delivery import timers
from bot.delivery.timers import Timer
from bot.incidents import words
from bot.incidents.notices import Notices
from bot.intake.minimise import Minimiser
from bot.model.incident import SYSTEM, Incident
from bot.model.text import Text
from bot.response.facts import fill
from bot.response.linkage import Linkage
from bot.response.run_state import Run
from bot.response.segments import word_list
from bot.response.steps import AutoReply
from bot.store import facts as fact_store
from bot.store import incidents as incident_store
from bot.texts import render

CLOSE = "replies_close"
LONGEST = 4_000
MOST_QUESTIONS = 1
LONGEST_WINDOW = 14 * DAY  # what is approved does not stay approved for ever
HANDED_FOR = DAY  # so long a person stays with the people they were handed to
_QUESTION = re.compile(r"[?？]+")
_PLACEHOLDER = re.compile(r"\{(name|text)\}")


@dataclass(frozen=True, slots=True)
class Window:
    """An approved text at work, from its opening until it is closed."""

    id: int
    run: str
    step: str
    incident: str
    drill: str
    text: str
    topics: tuple[str, ...]
    hours: str
    per_person: int
    hand_over: str
    until_at: int


@dataclass(frozen=True, slots=True)
class Inquiry:
    """One message of a customer. ``person`` is their way back (account, address), ``name`` what they are called."""

    id: str
    person: str
    text: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``window`` answers, or nobody does and ``reason`` says why a person must."""

    window: Window | None
    reason: str


def judge(
    text: str,
    windows: Sequence[Window],
    minute_of_day: int,
    answered: Sequence[int],
    handed: bool,
    extra_doubt: Sequence[str] = (),
) -> Verdict:
    """Whether a machine may answer. ``answered``: the windows that answered this person in the last day; ``handed``:
    a person takes care of them already."""
    said = " ".join(text.lower().split())
    if handed:
        return Verdict(None, "handed")
    if any(_contains(said, word) for word in word_list("person")):
        return Verdict(None, "person")
    if any(_contains(said, word.lower()) for word in (*word_list("doubt"), *extra_doubt)):
        return Verdict(None, "doubt")
    if len(_QUESTION.findall(said)) > MOST_QUESTIONS:
        return Verdict(None, "questions")
    fitting = [window for window in windows if any(_contains(said, topic.lower()) for topic in window.topics)]
    if not fitting:
        return Verdict(None, "topic")
    if len({window.text for window in fitting}) > 1:
        return Verdict(None, "several")
    if fitting[0].id in answered:
        return Verdict(None, "again")  # who asks again was not helped by this text
    if len(answered) >= fitting[0].per_person:
        return Verdict(None, "limit")
    if not _inside(fitting[0].hours, minute_of_day):
        return Verdict(None, "hours")
    return Verdict(fitting[0], "topic")


class AutoReplies:
    """Every method runs inside the caller's transaction."""

    def __init__(self, config: Config, linkage: Linkage, notices: Notices, minimiser: Minimiser) -> None:
        self._config = config
        self._linkage = linkage
        self._notices = notices
        self._minimiser = minimiser

    @property
    def source(self) -> str:
        """The hook that incoming messages come by, empty where none is configured."""
        return self._config.linkage.auto_reply.source if self._config.linkage.auto_reply else ""

    # -- for the runs

    def open(
        self, db: Database, *, run: str, step: str, incident: str, text: str, topics: Sequence[str],
        hours: str = "00:00-24:00", per_person: int = 2, hand_over: str = "customer_service", until_at: int,
        drill: str = "", now: int,
    ) -> int:  # fmt: skip
        """Let an approved text answer until ``until_at`` or ``close``; the same step twice is one window."""
        known = [window for window in self.open_windows(db, now) if (window.run, window.step) == (run, step)]
        if known:
            return known[0].id
        found = incident_store.get(db, incident)
        if found is not None and found.kind == "drill":
            drill = drill or found.drill or found.id
        cursor = db.conn.execute(
            "INSERT INTO reply_window (run, step, incident, drill, text, topics, hours, per_person, hand_over,"
            " opened_at, until_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (run, step, incident, drill, text, orjson.dumps(list(topics)).decode(), hours, per_person, hand_over, now,
             until_at),
        )  # fmt: skip
        window_id = int(cursor.lastrowid or 0)
        timers.schedule(db, CLOSE, str(window_id), until_at, now)
        if found is not None:
            params = {"topics": list(topics), "until": words.clock_time(until_at), "hours": hours}
            incident_store.note(db, incident, "replies_opened", now, SYSTEM, params)
        return window_id

    def close(self, db: Database, *, run: str, step: str, now: int) -> dict[str, int]:
        """End the step's window; returns what it did: ``answered``, ``handed``."""
        total = {"answered": 0, "handed": 0}
        for window in self.open_windows(db, now, also_late=True):
            if (window.run, window.step) == (run, step):
                for name, count in self._end(db, window, now).items():
                    total[name] += count
        return total

    def run_out(self, db: Database, timer: Timer, now: int) -> None:
        """Timer ``replies_close``: the window's time is over."""
        for window in self.open_windows(db, now, also_late=True):
            if window.id == int(timer.object):
                self._end(db, window, now)

    def switch_on(self, db: Database, *, run: Run, step: AutoReply, incident: Incident, now: int) -> None:
        """A run's step opens its window; the text is the frozen plan's template in the house's language."""
        settings = self._config.linkage.auto_reply
        template = run.playbook.templates.get(step.template)
        known = {name: row.value for name, row in fact_store.current(db, incident.id).items()}
        known |= {"incident_id": incident.id, "subject": incident.subject_name, "company": incident.subject_name}
        language = (settings.language if settings else None) or self._config.language
        text, missing = (
            fill(template.body.in_language(language), {**known, "name": "{name}"}, "") if template else ("", [])
        )
        if settings is None or template is None or missing:
            # A text with a gap in it must not reach a customer.
            params = {"missing": missing or ["—"]}
            said = Text("linkage.replies_not_ready", params)
            self._notices.say(db, incident, said, now, key=f"{run.id}:{step.id}:replies:{now}", reason="inquiry")
            return
        self.open(
            db, run=run.id, step=step.id, incident=incident.id, text=text, topics=step.topics, hours=step.hours,
            per_person=step.per_person, hand_over=step.hand_over, until_at=now + LONGEST_WINDOW, drill=run.drill,
            now=now,
        )  # fmt: skip

    def switch_off(self, db: Database, *, run: Run, step: AutoReply, now: int) -> None:
        """The step's condition holds or the run ends."""
        self.close(db, run=run.id, step=step.id, now=now)

    def open_windows(self, db: Database, now: int, *, also_late: bool = False) -> list[Window]:
        rows = db.conn.execute(
            "SELECT id, run, step, incident, drill, text, topics, hours, per_person, hand_over, until_at"
            " FROM reply_window WHERE closed_at = 0 AND (? OR until_at > ?) ORDER BY id",
            (also_late, now),
        )
        return [
            Window(
                id=row[0], run=row[1], step=row[2], incident=row[3], drill=row[4], text=row[5],
                topics=tuple(orjson.loads(row[6])), hours=row[7], per_person=row[8], hand_over=row[9], until_at=row[10],
            )
            for row in rows
        ]  # fmt: skip

    # -- what customers say

    def read(self, payload: Any) -> list[Inquiry]:
        """The messages of one push. What has no id, person or text is left out."""
        settings = self._config.linkage.auto_reply
        assert settings is not None
        items = _search(settings.items, payload)
        found = []
        for item in items if isinstance(items, list) else [items]:
            values = {name: _text(_search(path, item)) for name, path in settings.map.items()}
            if values.get("id") and values.get("person") and values.get("text"):
                found.append(Inquiry(values["id"], values["person"], values["text"][:LONGEST], values.get("name", "")))
        return found

    def take(self, db: Database, inquiries: Sequence[Inquiry], now: int) -> dict[str, int]:
        """Answer or hand over each message once; returns ``answered``, ``handed``, ``recorded`` (no window was open)
        and ``duplicates``."""
        settings = self._config.linkage.auto_reply
        assert settings is not None
        counts = {"answered": 0, "handed": 0, "recorded": 0, "duplicates": 0}
        for inquiry in inquiries:
            counts[self._one(db, settings, inquiry, now)] += 1
        return counts

    def _one(self, db: Database, settings: AutoReplyConfig, inquiry: Inquiry, now: int) -> str:
        person = self._minimiser.author_key(settings.source, inquiry.person)
        known = "SELECT 1 FROM inquiry WHERE source = ? AND message = ?"
        if db.conn.execute(known, (settings.source, inquiry.id)).fetchone():
            return "duplicates"
        windows = [window for window in self.open_windows(db, now) if not window.drill]
        answered = self._slots(db, person, "answered", now - DAY)
        handed = bool(self._slots(db, person, "handed", now - HANDED_FOR))
        local = datetime.fromtimestamp(now / 1000, ZoneInfo(settings.timezone))
        minute = local.hour * 60 + local.minute
        verdict = judge(inquiry.text, windows, minute, answered, handed, settings.doubt_words)
        if verdict.window is None and verdict.reason == "topic" and not windows:
            verdict = Verdict(None, "closed")
        state = "answered" if verdict.window else "handed" if windows else "recorded"
        responsible = verdict.window or (windows[0] if windows else None)
        incident = incident_store.get(db, responsible.incident) if responsible else None
        reply = self._words(verdict.window, inquiry) if verdict.window else ""
        cursor = db.conn.execute(
            "INSERT INTO inquiry (source, message, person, text, state, reason, slot, incident, reply, received_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                settings.source, inquiry.id, person, self._minimiser.text(inquiry.text), state, verdict.reason,
                responsible.id if responsible else 0, incident.id if incident else "", reply, now,
            ),
        )  # fmt: skip
        number = int(cursor.lastrowid or 0)
        if verdict.window is not None:
            self._linkage.request(
                db, key=f"reply:{settings.source}:{inquiry.id}", action=settings.reply,
                params={"person": inquiry.person, "message": inquiry.id, "text": reply, "title": reply[:80]},
                drill=verdict.window.drill, now=now,
            )  # fmt: skip
        else:
            self._hand_over(db, responsible, incident, inquiry, verdict.reason, number, now)
        return state

    def _hand_over(
        self, db: Database, window: Window | None, incident: Incident | None, inquiry: Inquiry, reason: str,
        number: int, now: int,
    ) -> None:  # fmt: skip
        if incident is None:
            return  # recorded; nobody asked for answers now, so customer service sees it where it always does
        role = window.hand_over if window else "customer_service"
        text = self._minimiser.text(inquiry.text)[:300]
        params = {"number": number, "reason": Text(f"reply_reason.{reason}"), "text": text, "role": words.role(role)}
        said = Text("linkage.handed_over", params)
        self._notices.say(db, incident, said, now, key=f"inquiry:{number}", reason="inquiry")

    def _words(self, window: Window, inquiry: Inquiry) -> str:
        """The approved text with the customer's name; without one the greeting stays neutral."""
        language = self._config.linkage.auto_reply.language if self._config.linkage.auto_reply else None
        name = inquiry.name.strip()[:40] or render(Text("linkage.dear_customer"), language or self._config.language)
        return _PLACEHOLDER.sub(lambda match: name if match[1] == "name" else "", window.text)

    def _slots(self, db: Database, person: str, state: str, since: int) -> list[int]:
        """The windows of a person's messages of one state since a moment."""
        rows = db.conn.execute(
            "SELECT slot FROM inquiry WHERE person = ? AND state = ? AND received_at > ?", (person, state, since)
        )
        return [row[0] for row in rows]

    def _end(self, db: Database, window: Window, now: int) -> dict[str, int]:
        db.conn.execute("UPDATE reply_window SET closed_at = ? WHERE id = ? AND closed_at = 0", (now, window.id))
        timers.cancel(db, CLOSE, str(window.id))
        rows = db.conn.execute("SELECT state, COUNT(*) FROM inquiry WHERE slot = ? GROUP BY state", (window.id,))
        counts = {"answered": 0, "handed": 0, **dict(rows.fetchall())}
        if incident_store.get(db, window.incident) is not None:
            incident_store.note(db, window.incident, "replies_closed", now, SYSTEM, dict(counts))
        return counts


def _contains(said: str, word: str) -> bool:
    """A word in a text: a Latin word as a whole, others anywhere."""
    if word.isascii():
        return re.search(rf"(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])", said) is not None
    return word in said


def _inside(hours: str, minute: int) -> bool:
    start, end = (_minute(part) for part in hours.split("-", 1))
    return start <= minute < end if start < end else minute >= start or minute < end


def _minute(text: str) -> int:
    hour, _, minute = text.strip().partition(":")
    return int(hour) * 60 + int(minute or 0)


def _search(expression: str, data: Any) -> Any:
    try:
        return jmespath.search(expression, data)
    except JMESPathError:
        return None


def _text(value: Any) -> str:
    return "" if value is None or isinstance(value, dict | list | bool) else str(value).strip()
