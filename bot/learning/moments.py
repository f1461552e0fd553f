"""The moments of an incident: what happened when, how long it took, and what each number rests on.

Everything is read from the flow's own rows, of a drill as of reality; nothing is kept twice. What never happened is
not there. Times are Unix milliseconds UTC.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from sqlite_utils import Database

from bot.incidents.notices import object_of
from bot.model.grade import GENERAL_FAMILY
from bot.model.incident import Incident, Status, TimelineEntry
from bot.model.statement import Statement
from bot.response import run_rows
from bot.response.run_state import LEFT, Run, StepState, StepStatus
from bot.response.values import Words
from bot.store import incidents as incident_store
from bot.store import record as store
from bot.store import runs as run_store
from bot.store import statements as statement_store

HOUR, MINUTE = 3_600_000, 60_000
BEFORE = 24 * HOUR
AFTER = 24 * HOUR
REACH = 7 * 24 * HOUR  # how far back the first post of a matter is looked for

ORDER = (
    "first_post", "first_signal", "alert", "acknowledged", "playbook", "draft", "approved", "published", "peak",
    "calm", "resolved", "closed",
)  # fmt: skip
"""Every milestone there can be, as it usually goes."""

SPANS = (
    ("first_post", "alert"), ("first_signal", "alert"), ("alert", "acknowledged"), ("alert", "playbook"),
    ("alert", "draft"), ("draft", "approved"), ("approved", "published"), ("alert", "published"), ("alert", "peak"),
    ("alert", "calm"), ("alert", "resolved"), ("alert", "closed"),
)  # fmt: skip
"""The durations that are told, from one milestone to another."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A stored item. ``kind``: incident, timeline (entry), message (outbox row), post (sequence number), run, step,
    statement, action, case."""

    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class Moment:
    """One milestone. ``who`` is the person's name where a person did it. ``count`` is the posts of a peak's hour."""

    name: str
    at: int
    rests_on: tuple[Reference, ...]
    who: str = ""
    count: int = 0


@dataclass(frozen=True, slots=True)
class Volume:
    """Posts of the matter from ``since`` until before ``until``; ``posts`` are the first of them, at most 200."""

    name: str
    since: int
    until: int
    mentions: int
    negative: int
    posts: tuple[int, ...]

    @property
    def share(self) -> float | None:
        """The negative ones among them, 0–1; None without posts."""
        return self.negative / self.mentions if self.mentions else None


@dataclass(frozen=True, slots=True)
class Said:
    """A statement with the digest of its text; moments are 0 where it did not come so far."""

    statement: str
    title: str
    audience: str
    status: str
    version: int
    digest: str
    drafted_at: int = 0
    approved_at: int = 0
    published_at: int = 0
    by: str = ""


@dataclass(frozen=True, slots=True)
class StepTaken:
    """A step of a run. ``outcome``: kept (in time), done (without a deadline), late, skipped, not_applicable, left (the
    run ended before), missed (still open behind its deadline), open. ``reason`` is what the record says: a note, why it
    was skipped, or empty."""

    run: str
    playbook: str
    number: int
    step: str
    title: Words
    outcome: str
    person: str = ""
    by: str = ""
    due_at: int = 0
    ended_at: int = 0
    reason: str = ""

    @property
    def reference(self) -> Reference:
        return Reference("step", f"{self.run}.{self.number}")

    @property
    def late_by(self) -> int | None:
        return self.ended_at - self.due_at if self.outcome == "late" else None


@dataclass(frozen=True, slots=True)
class Moments:
    """The whole. ``made_at`` is the moment up to which it was read."""

    incident: str
    drill: str
    made_at: int
    moments: tuple[Moment, ...]
    volumes: tuple[Volume, ...]
    statements: tuple[Said, ...]
    steps: tuple[StepTaken, ...]

    def get(self, name: str) -> Moment | None:
        return next((moment for moment in self.moments if moment.name == name), None)

    def at(self, name: str) -> int | None:
        found = self.get(name)
        return found.at if found else None

    def between(self, start: str, end: str) -> int | None:
        """Milliseconds from one milestone to another; None where either is missing, or where the second came first
        (an answer that was out before the alert took no time after it)."""
        first, last = self.at(start), self.at(end)
        return last - first if first is not None and last is not None and last >= first else None

    def volume(self, name: str) -> Volume | None:
        return next((volume for volume in self.volumes if volume.name == name), None)

    @property
    def heard(self) -> int:
        """All posts of the matter in its windows."""
        return sum(volume.mentions for volume in self.volumes)

    def steps_of(self, *outcomes: str) -> list[StepTaken]:
        return [step for step in self.steps if step.outcome in outcomes]

    @property
    def time_to_acknowledge(self) -> int | None:
        return self.between("alert", "acknowledged")

    @property
    def time_to_answer(self) -> int | None:
        """From the first alert to the first publication."""
        return self.between("alert", "published")

    @property
    def time_to_resolve(self) -> int | None:
        return self.between("alert", "resolved")


def families_of(incident: Incident) -> tuple[str, ...]:
    """A matter's own family, and the general one that joins it."""
    return tuple(dict.fromkeys((incident.family, GENERAL_FAMILY)))


def moments_of(db: Database, incident: Incident, now: int) -> Moments:
    """Everything of an incident as its record stands."""
    timeline = incident_store.timeline(db, incident.id, limit=5_000)
    runs = [run_rows.from_row(db, row) for row in run_store.of_incident(db, incident.id)]
    said = tuple(_said(db, item) for item in statement_store.of_incident(db, incident.id))
    found = [
        *_signals(db, incident, timeline), *_people(incident, timeline), *_runs(runs), *_texts(said),
        *_peak(db, incident, now), *_ends(incident, timeline),
    ]  # fmt: skip
    ordered = sorted(found, key=lambda moment: (moment.at, ORDER.index(moment.name)))
    steps = tuple(step for run in runs for step in _steps(run, now))
    return Moments(
        incident.id, incident.drill, now, tuple(ordered), _volumes(db, incident, now), said, steps
    )  # fmt: skip


def end_of(incident: Incident, now: int) -> int:
    """When the matter was over: resolved, else closed, else not yet."""
    return incident.resolved_at or incident.closed_at or now


def _signals(db: Database, incident: Incident, timeline: Sequence[TimelineEntry]) -> Iterable[Moment]:
    opened = next((entry for entry in timeline if entry.kind == "opened"), None)
    if opened is not None:
        seqs = [seq for signal in opened.params.get("signals", ()) for seq in signal.get("posts", ())]
        oldest = _oldest(db, incident, seqs)
        if oldest is not None:
            yield Moment("first_post", oldest[1], (Reference("post", str(oldest[0])),))
        if opened.params.get("signals"):
            posts = tuple(Reference("post", str(seq)) for seq in dict.fromkeys(seqs))
            yield Moment("first_signal", opened.happened_at, (_entry(opened), *posts))
    sent = store.first_sent(db, object_of(incident))
    if sent is not None:
        yield Moment("alert", sent[1], (Reference("message", str(sent[0])),))


def _oldest(db: Database, incident: Incident, seqs: Sequence[int]) -> tuple[int, int] | None:
    """The first post in the topics that the signals rest on; where they name no posts, in the topic that most negative
    posts of the hour before belong to."""
    at = incident.opened_at
    seqs = seqs or store.loudest(
        db, incident.subject, incident.drill, families_of(incident), at - HOUR, at
    )  # fmt: skip
    return store.first_post(db, incident.subject, incident.drill, seqs, at - REACH) if seqs else None


def _people(incident: Incident, timeline: Sequence[TimelineEntry]) -> Iterable[Moment]:
    """Acknowledged is the first time: a reopened incident was answered once already."""
    for entry in timeline:
        if entry.kind == "acknowledged" or (entry.kind == "status" and entry.actor_name):
            yield Moment("acknowledged", entry.happened_at, (_entry(entry),), entry.actor_name)
            return


def _runs(runs: Sequence[Run]) -> Iterable[Moment]:
    first = min(runs, key=lambda run: run.started_at, default=None)
    if first is not None:
        yield Moment("playbook", first.started_at, (Reference("run", first.id),), first.started_by)


def _texts(said: Sequence[Said]) -> Iterable[Moment]:
    for name, field in (("draft", "drafted_at"), ("approved", "approved_at"), ("published", "published_at")):
        there = [item for item in said if getattr(item, field)]
        if there:
            first = min(there, key=lambda item: getattr(item, field))
            yield Moment(name, getattr(first, field), (Reference("statement", first.statement),), first.by)


def _peak(db: Database, incident: Incident, now: int) -> Iterable[Moment]:
    """The fullest hour from a day before the opening to the end, told by its fullest minute."""
    since, until = incident.opened_at - BEFORE, end_of(incident, now) + 1
    matter = (incident.subject, incident.drill, families_of(incident))
    hour = store.fullest(db, *matter, since, until, HOUR)
    if hour is None:
        return
    minute = store.fullest(db, *matter, max(since, hour[0]), min(until, hour[0] + HOUR), MINUTE)
    assert minute is not None, "an hour with posts has a minute with posts"
    _, _, posts = store.volume(db, *matter, minute[0], minute[0] + MINUTE)
    yield Moment("peak", minute[0], tuple(Reference("post", str(seq)) for seq in posts), count=hour[1])


def _ends(incident: Incident, timeline: Sequence[TimelineEntry]) -> Iterable[Moment]:
    """The last calm and the last end count: what was reopened or raised again was not over."""
    last = {entry.kind: entry for entry in timeline}
    worse = max((entry.happened_at for entry in timeline if entry.kind in ("raised", "reopened")), default=0)
    calm = last.get("calm")
    if calm is not None and calm.happened_at >= worse:
        yield Moment("calm", calm.happened_at, (_entry(calm),))
    elif incident.calm_since > worse:
        yield Moment("calm", incident.calm_since, (Reference("incident", incident.id),))
    resolved = last.get("resolved")
    if incident.resolved_at:
        entry = resolved if resolved and resolved.happened_at == incident.resolved_at else None
        rests_on = _entry(entry) if entry else Reference("incident", incident.id)
        yield Moment("resolved", incident.resolved_at, (rests_on,), entry.actor_name if entry else "")
    if incident.closed_at and incident.status in (Status.CLOSED, Status.FALSE_ALARM):
        entry = last.get("closed") or last.get("false_alarm")
        rests_on = _entry(entry) if entry else Reference("incident", incident.id)
        yield Moment("closed", incident.closed_at, (rests_on,), entry.actor_name if entry else "")


def _volumes(db: Database, incident: Incident, now: int) -> tuple[Volume, ...]:
    """A day before the opening, from there to the end, and a day after it (as much of it as is over)."""
    end = end_of(incident, now)
    windows = [("before", incident.opened_at - BEFORE, incident.opened_at), ("during", incident.opened_at, end + 1)]
    if end < now:
        windows.append(("after", end + 1, min(now, end + AFTER) + 1))
    found = []
    for name, since, until in windows:
        counted = store.volume(db, incident.subject, incident.drill, families_of(incident), since, until)
        found.append(Volume(name, since, until, counted[0], counted[1], tuple(counted[2])))
    return tuple(found)


def _said(db: Database, statement: Statement) -> Said:
    versions = statement_store.versions(db, statement)
    said = Said(
        statement.id, versions[-1].title if versions else "", statement.audience, statement.status.value,
        statement.version, versions[-1].digest if versions else "", versions[0].created_at if versions else 0,
        by=versions[0].author_name if versions else "",
    )  # fmt: skip
    for event in statement_store.events(db, statement.id, "approved", "publishing", "scheduled", "published"):
        if event.kind == "approved":
            said = replace(said, approved_at=event.at)
        elif event.kind == "published" and not said.published_at:
            said = replace(said, published_at=event.at, digest=event.digest, version=event.version)
        elif event.kind in ("publishing", "scheduled") and event.actor_name:
            said = replace(said, by=event.actor_name)
    if said.published_at:
        text = next((item for item in versions if item.digest == said.digest), None)
        said = replace(said, title=text.title if text else said.title)
    return said


def _steps(run: Run, now: int) -> Iterable[StepTaken]:
    for state in run.steps:
        step = run.playbook.step(state.id)
        yield StepTaken(
            run.id, run.playbook.id, state.number, state.id, step.title if step else Words(), _outcome(run, state, now),
            state.person, state.by, state.due_at, state.ended_at, "" if state.why == LEFT else state.outcome,
        )  # fmt: skip


def _outcome(run: Run, state: StepState, now: int) -> str:
    if state.status is StepStatus.NOT_APPLICABLE:
        return "not_applicable"
    if state.why == LEFT:
        return "left"
    if state.status is StepStatus.SKIPPED:
        return "skipped"
    if state.status is StepStatus.DONE:
        return "done" if not state.due_at else "kept" if state.ended_at <= state.due_at else "late"
    return "missed" if 0 < state.due_at < (run.ended_at or now) else "left" if run.status.ended else "open"


def _entry(entry: TimelineEntry) -> Reference:
    return Reference("timeline", f"{entry.incident}#{entry.id}")


def spans(found: Moments) -> list[tuple[str, str, int]]:
    """Those of ``SPANS`` that there are."""
    return [(start, end, span) for start, end in SPANS if (span := found.between(start, end)) is not None]


def waits(found: Moments) -> list[tuple[str, str, int]]:
    """From each milestone to the next one in time."""
    return [(one.name, other.name, other.at - one.at) for one, other in pairwise(found.moments)]
