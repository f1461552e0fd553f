"""The case library at work: cases made of closed incidents, written by hand, looked up, and found for a new incident.

Making a case is an errand of its own behind the closing, so that nobody who closes an incident waits for it.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlite_utils import Database

from bot.clock import DAY, SECOND
from bot.config import Config
from bot.delivery import timers
from bot.delivery.alarm import Handler
from bot.delivery.timers import Timer
from bot.incidents.words import CHINA
from bot.learning.case import Case
from bot.learning.case_files import load_cases
from bot.learning.filing import case_of, searchable
from bot.learning.likeness import CaseIndex, Similar, Situation, terms_of
from bot.learning.retrospect import same_type
from bot.model.grade import Grade
from bot.model.incident import Actor, Incident, Status
from bot.model.text import UserError
from bot.response.advice import Advice
from bot.response.values import Words
from bot.store import audit, posts
from bot.store import cases as store
from bot.store import incidents as incident_store
from bot.store.cases import CaseRow, Lesson

FILE = "case_file"
FILED_AT = frozenset({"resolved", "closed"})
TEXTS = 12
SHOWN_AT = 0.45  # less alike than this is not worth a line on a card
REMEMBERED = 500
AT_ONCE = 50  # so many new cases are read while somebody waits; more of them beside everything else
BACKLOG = 500
LONGEST_LESSON = 1_000
LONGEST_TITLE, LONGEST_STORY = 120, 2_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a search asks for: words, and what they are narrowed by."""

    words: str = ""
    kind: str = ""
    grade: Grade = Grade.NONE
    since: int = 0
    drills: bool = False


class Cases:
    def __init__(self, config: Config, folder: Path, advice: Advice, *, at_once: bool = True) -> None:
        """``at_once``: read the cases when somebody first asks; else nothing resembles anything before ``prepare``."""
        self._at_once = at_once
        self._config = config
        self._advice = advice
        self._folder = folder
        self._index = CaseIndex()
        self._edition = (0, 0)
        self._read_files = False
        self._lock = threading.RLock()
        self._known: dict[tuple[object, ...], list[Similar]] = {}

    # -- making them

    def begin(self, db: Database, now: int) -> None:
        """At the start of a process: incidents closed before there was a library become cases, one after the other."""
        for number, incident_id in enumerate(store.unfiled(db, BACKLOG)):
            timers.schedule(db, FILE, incident_id, now + number * SECOND, now)

    def incident_changed(self, db: Database, incident: Incident, what: str, now: int) -> None:
        if what in FILED_AT:
            timers.schedule(db, FILE, incident.id, now, now)

    def file(self, db: Database, timer: Timer, now: int) -> None:
        """Make or renew the case of an incident, and once more a day later: runs and statements end after it."""
        incident = incident_store.get(db, timer.object)
        if incident is None or incident.status not in (Status.RESOLVED, Status.CLOSED):
            return
        row = store.of_incident(db, incident.id)
        best = self._advice.best(db, incident, now)
        case = case_of(
            db, incident, row.id if row else store.next_id(db), self.industry(incident.subject),
            best[0].id if best else "", now,
        )  # fmt: skip
        self._keep(db, case, now)
        if now - max(incident.closed_at, incident.resolved_at) < DAY:
            timers.schedule(db, FILE, incident.id, now + DAY, now)

    def add(
        self, db: Database, title: str, story: str, crisis_type: str, grade: Grade, actor: Actor, now: int,
        industry: str = "general",
    ) -> Case:  # fmt: skip
        """A case written by hand: what happened before there was a record, or elsewhere."""
        title, story = " ".join(title.split()), story.strip()
        if not title or not story:
            raise UserError("error.case_add")
        if len(title) > LONGEST_TITLE or len(story) > LONGEST_STORY:
            raise UserError("error.case_long", title=LONGEST_TITLE, story=LONGEST_STORY)
        case = Case(
            id=store.next_id(db), kind="hand", title=_same(title), happened=_same(story), crisis_types=(crisis_type,),
            industries=(industry,), grade=grade, year=datetime.fromtimestamp(now / 1000, CHINA).year, opened_at=now,
        )  # fmt: skip
        self._keep(db, case, now)
        audit.append(db, actor, "case_added", case.id, now, {"title": title})
        return case

    def lesson(self, db: Database, reference: str, words: str, actor: Actor, now: int) -> Case:
        """What somebody learnt, kept with the case of an incident or another one of ours."""
        words = words.strip()
        if not words:
            raise UserError("error.lesson_what")
        if len(words) > LONGEST_LESSON:
            raise UserError("error.lesson_long", most=LONGEST_LESSON)
        case = self.get(db, reference)
        if case.kind in ("public", "archetype"):
            raise UserError("error.lesson_public", id=case.id)
        store.add_lesson(db, case.id, words, actor, now)
        audit.append(db, actor, "lesson_added", case.id, now, {"words": words})
        self._keep(db, case, now)
        return case

    def _keep(self, db: Database, case: Case, now: int) -> None:
        lessons = [lesson.words for lesson in store.lessons(db, case.id)]
        case = case.model_copy(update={"terms": ()})
        case = case.model_copy(update={"terms": tuple(sorted(terms_of(case)))})
        row = CaseRow(case.id, case.kind, case.incident, case.drill, case.frozen(), case.opened_at, now)
        store.save(db, row, searchable(case, lessons))

    # -- looking them up

    def get(self, db: Database, reference: str) -> Case:
        """By its id (``C-3``, ``gitlab-2017``) or its incident's. Raises ``UserError`` where there is none."""
        row = store.get(db, reference) or store.of_incident(db, reference)
        if row is not None:
            return Case.thaw(row.body)
        found = self.shipped().get(reference.lower())
        if found is None:
            incident = incident_store.get(db, reference)
            key = "error.case_not_yet" if incident is not None else "error.no_such_case"
            raise UserError(key, id=reference)
        return found

    def lessons(self, db: Database, case_id: str) -> list[Lesson]:
        return store.lessons(db, case_id)

    def shipped(self) -> dict[str, Case]:
        """The cases that come with the playbooks, by id."""
        return load_cases(self._folder).entries

    def search(self, db: Database, wanted: Wanted) -> list[Case]:
        """Our own first, then those that come with the playbooks. Without words the newest."""
        rows = store.search(db, wanted.words) if wanted.words else store.newest(db, 100, drills=wanted.drills)
        found = [Case.thaw(row.body) for row in rows]
        if not wanted.drills:
            found += [case for case in self.shipped().values() if _holds(case, wanted.words)]
        return [
            case for case in found
            if case.real is not wanted.drills
            and (not wanted.kind or wanted.kind in case.crisis_types)
            and (wanted.grade is Grade.NONE or case.grade == wanted.grade)
            and (not wanted.since or (case.opened_at or _year(case)) >= wanted.since)
        ]  # fmt: skip

    # -- what resembles a new incident

    def similar(self, db: Database, incident: Incident, now: int, limit: int = 3) -> list[Similar]:
        """Cases like this incident, best first, each with its reasons: real ones, those written by hand and those that
        come along, never drills. Kept while the incident and the cases are the same. Empty while a large library is
        still being read after a start: no alert waits for it."""
        with self._lock:
            if not self._follow(db, AT_ONCE):
                return []
            seqs = tuple(dict.fromkeys(seq for signal in incident.signals for seq in signal.posts))[:TEXTS]
            key = (incident.id, incident.crisis_type, incident.grade, seqs, self._edition, limit)
            if key not in self._known:
                if len(self._known) >= REMEMBERED:
                    self._known.clear()
                self._known[key] = self._index.rank(self._situation(db, incident, seqs), limit, without=incident.id)
            return self._known[key]

    def incidents_like(self, db: Database, incident: Incident, now: int) -> list[str]:
        """Our own earlier incidents most like this one, best first; drills have those of the same kind of crisis."""
        found = [] if incident.drill else self.similar(db, incident, now)
        earlier = [item.case.incident for item in found if item.case.opened_at < incident.opened_at]
        return [name for name in earlier if name] or same_type(db, incident, now)

    def worth_showing(self, db: Database, incident: Incident, now: int) -> Similar | None:
        """The best one, if it is alike enough for a line on the card."""
        found = self.similar(db, incident, now)
        return found[0] if found and found[0].score >= SHOWN_AT else None

    def prepare(self, db: Database) -> None:
        """Read the cases beforehand, beside everything else, and put them in use at once."""
        edition = store.edition(db)
        index = CaseIndex([*self.shipped().values(), *(Case.thaw(row.body) for row in store.changed_since(db, 0))])
        with self._lock:
            self._index, self._edition, self._read_files = index, edition, True

    def industry(self, subject_id: str) -> str:
        subject = next((item for item in self._config.subjects if item.id == subject_id), None)
        return subject.industry if subject else "general"

    def _situation(self, db: Database, incident: Incident, seqs: Sequence[int]) -> Situation:
        mentions = posts.mentions_of(db, incident.subject, seqs)
        return Situation(
            crisis_type=incident.crisis_type,
            family=incident.family,
            industry=self.industry(incident.subject),
            subject=incident.subject,
            grade=incident.grade,
            platforms=tuple(dict.fromkeys(mention.platform for mention in mentions)),
            texts=[mention.text for mention in mentions],
            kinds=frozenset(name for mention in mentions for name, _ in mention.types),
        )

    def _follow(self, db: Database, most: int) -> bool:
        """Take over what changed in the store, a look at one row where nothing did; False where that is more than may
        be read while somebody waits."""
        edition = store.edition(db)
        if edition == self._edition and self._read_files:
            return True
        if edition[0] - self._edition[0] > most or not (self._read_files or self._at_once):
            return False
        if not self._read_files:
            self._read_files = True
            for case in self.shipped().values():
                self._index.put(case)
        for row in store.changed_since(db, self._edition[1]):
            self._index.put(Case.thaw(row.body))
        self._edition = edition
        return True

    def timers(self) -> dict[str, Handler]:
        return {FILE: self.file}


def _same(text: str) -> Words:
    """Somebody's own words stand in both languages as they were written."""
    return Words.model_validate({"zh-CN": text, "en": text})


def _holds(case: Case, words: str) -> bool:
    text = store.spaced(searchable(case, []))
    padded = f" {' '.join(text.split())} "
    return all(
        f" {phrase.strip('*').strip().strip(chr(34))}" in padded for phrase in store.phrases(words)
    )  # fmt: skip


def _year(case: Case) -> int:
    return int(datetime(case.year, 12, 31, tzinfo=CHINA).timestamp() * 1000)
