"""What a period was like, read from rows. Synchronous; meant for a reader, since a month of a large store takes a
second."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from sqlite_utils import Database

from bot.briefs.period import Period
from bot.briefs.reputation import Burden, Reputation, reputation
from bot.config import Config, SubjectConfig
from bot.learning.moments import Moments, moments_of
from bot.model.grade import Grade
from bot.model.incident import Incident, Status
from bot.store import briefs as store
from bot.store import drills as drill_store
from bot.store import source_states

HOUR, DAY = 3_600_000, 86_400_000
TALK = 5  # stories told
TRENDS = 4  # periods before this one that a trend shows
MINUTES_KEPT = 30 * DAY  # the minute counts; platforms and positive posts reach no further back
NIGHT = (23, 7)


@dataclass(frozen=True, slots=True)
class Talk:
    """The first post of a story, as collected (hostile), and how many posts the story had in the period."""

    post: int
    text: str
    platform: str
    author: str
    url: str
    posts: int


@dataclass(frozen=True, slots=True)
class Subject:
    """One watched subject over the period. ``before`` are mentions and negative ones of the period before it;
    ``types`` is crisis type to ``(now, before)``."""

    id: str
    name: str
    kind: str
    mentions: int
    negative: int
    positive: int
    before: tuple[int, int]
    platforms: tuple[tuple[str, int, int, int], ...] = ()
    types: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    talk: tuple[Talk, ...] = ()
    reputation: Reputation | None = None
    reputation_before: Reputation | None = None
    """None too where the minute counts, and with them the positive posts, no longer reach back so far."""

    @property
    def share(self) -> float | None:
        """The negative ones among its mentions, None without any."""
        return self.negative / self.mentions if self.mentions else None

    @property
    def share_before(self) -> float | None:
        return self.before[1] / self.before[0] if self.before[0] else None


@dataclass(frozen=True, slots=True)
class Times:
    """How the incidents that opened in a period went. ``None`` where no incident has that time. Milliseconds, medians.
    ``ids`` are the incidents that each number rests on, by name."""

    opened: int
    false_alarms: int
    acknowledge: int | None
    resolve: int | None
    answer: int | None
    lead: int | None
    """How long before the peak the first alert left."""
    interruptions: int | None
    night: int | None
    """None where the messages of then are no longer kept."""
    ids: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Handled:
    incident: Incident
    moments: Moments


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """A drill that ended in the period. The score is computed by whoever puts it into words."""

    id: str
    scenario: str
    ended_at: int


@dataclass(frozen=True, slots=True)
class Brief:
    period: Period
    made_at: int
    subjects: tuple[Subject, ...]
    hours: tuple[tuple[int, int, int], ...]
    """``(moment, posts, negative)`` of the own subjects' hours with posts."""
    incidents: tuple[Handled, ...]
    times: Times
    trend: tuple[tuple[Period, Times], ...]
    """Oldest first, without this period."""
    published: tuple[tuple[str, str, str, int, str], ...]
    drills: tuple[Rehearsed, ...]
    last_drill: int
    """When the last drill of all ended, 0 for none."""
    learning: tuple[int, int, int]
    blind: tuple[tuple[str, str, int], ...]
    """Sources that are not well now: ``(source, health, since)``."""
    partly: bool
    """The minute counts do not reach back to the beginning."""

    def of(self, kind: str) -> list[Subject]:
        return [subject for subject in self.subjects if subject.kind == kind]


def read_brief(db: Database, config: Config, period: Period, now: int, subjects: Sequence[str] = ()) -> Brief:
    """The brief of a period about some subjects (all without a list), as the store stands."""
    period = period.up_to(now)
    wanted = [subject for subject in config.subjects if not subjects or subject.id in subjects]
    own = [subject.id for subject in wanted if subject.kind == "own"]
    ids = {subject.id for subject in wanted}
    live = [one for one in store.incidents_live(db, period.start, period.end) if one.subject in ids]
    handled = tuple(Handled(one, moments_of(db, one, now)) for one in live)
    drills = [drill for drill in drill_store.recent(db, 200) if drill.state == "ended"]
    return Brief(
        period=period,
        made_at=now,
        subjects=tuple(_subject(db, subject, period, handled, now) for subject in wanted),
        hours=tuple(store.hourly(db, own, period.start, period.end)) if own else (),
        incidents=handled,
        times=_times(db, period, handled, now),
        trend=tuple((older, _past(db, older, ids, now)) for older in _earlier(period)),
        published=tuple(store.published(db, period.start, period.end)),
        drills=tuple(
            Rehearsed(drill.id, drill.scenario, drill.ended_at)
            for drill in reversed(drills)
            if period.start <= drill.ended_at < period.end
        ),
        last_drill=max((drill.ended_at for drill in drills), default=0),
        learning=store.learners(db, period.start, period.end),
        blind=tuple(
            (name, state.health, state.health_since)
            for name, state in sorted(source_states.every(db).items())
            if state.health in ("silent", "failing", "missing")
        ),
        partly=period.start < now - MINUTES_KEPT,
    )


def _subject(db: Database, subject: SubjectConfig, period: Period, handled: Sequence[Handled], now: int) -> Subject:
    older = period.stretch_before()
    mentions, negative = store.mentions(db, subject.id, period.start, period.end)
    platforms = tuple(store.platforms(db, subject.id, period.start, period.end))
    positive = sum(row[3] for row in platforms)
    before = store.mentions(db, subject.id, older.start, older.end)
    positive_before = sum(row[3] for row in store.platforms(db, subject.id, older.start, older.end))
    # Without the counts of then everything would look new.
    was = store.types(db, subject.id, older.start, older.end) if older.start >= now - MINUTES_KEPT else None
    types = store.types(db, subject.id, period.start, period.end)
    mine = [one for one in handled if one.incident.subject == subject.id]
    past = [one for one in store.incidents_live(db, older.start, older.end) if one.subject == subject.id]
    own = subject.kind == "own"
    return Subject(
        subject.id,
        subject.name,
        subject.kind,
        mentions,
        negative,
        positive,
        before,
        platforms,
        {
            name: (count, count if was is None else was.get(name, 0))
            for name, count in sorted(types.items(), key=lambda item: (-item[1], item[0]))
        },
        tuple(Talk(*row) for row in store.loudest(db, subject.id, period.start, period.end, TALK)),
        reputation(mentions, negative, positive, burdens(period, mine, now)) if own else None,
        reputation(
            *before, positive_before, burdens(older, [Handled(one, moments_of(db, one, now)) for one in past], now)
        )
        if own and before[0] and older.start >= now - MINUTES_KEPT
        else None,
    )


def burdens(period: Period, handled: Sequence[Handled], now: int) -> list[Burden]:
    """The incidents of a subject as its index sees them; what was no crisis after all weighs nothing, and whoever still
    has time to answer is not late."""
    found = []
    for one in handled:
        incident = one.incident
        if incident.status is Status.FALSE_ALARM:
            continue
        until = incident.resolved_at or incident.closed_at or now
        part = (min(until, period.end) - max(incident.opened_at, period.start)) / period.length
        answer = one.moments.time_to_answer
        asked = incident.peak_grade >= Grade.YELLOW and (answer is not None or now - incident.opened_at > DAY)
        found.append(Burden(incident.peak_grade, part, answer is not None and answer <= DAY if asked else None))
    return found


def _times(db: Database, period: Period, handled: Sequence[Handled], now: int) -> Times:
    kept = period.start >= now - MINUTES_KEPT  # messages are kept as long as minute counts
    opened = [one for one in handled if period.start <= one.incident.opened_at < period.end]
    alarms = store.interruptions(db, period.start, period.end)
    measured: dict[str, list[tuple[str, int]]] = {"acknowledge": [], "resolve": [], "answer": [], "lead": []}
    for one in opened:
        moments = one.moments
        for name, value in (
            ("acknowledge", moments.time_to_acknowledge),
            ("resolve", moments.time_to_resolve),
            ("answer", moments.time_to_answer),
            ("lead", moments.between("alert", "peak")),
        ):
            if value is not None:
                measured[name].append((one.incident.id, value))
    wrong = [one.incident.id for one in opened if one.incident.status is Status.FALSE_ALARM]
    ids = {name: tuple(incident for incident, _ in values) for name, values in measured.items()}
    ids |= {"opened": tuple(one.incident.id for one in opened), "false_alarms": tuple(wrong)}
    middle = {
        name: round(median(value for _, value in values)) if values else None for name, values in measured.items()
    }
    return Times(
        len(opened),
        len(wrong),
        middle["acknowledge"],
        middle["resolve"],
        middle["answer"],
        middle["lead"],
        len(alarms) if kept else None,
        sum(at_night(at, period.zone) for at in alarms) if kept else None,
        ids,
    )


def _past(db: Database, period: Period, ids: set[str], now: int) -> Times:
    live = [one for one in store.incidents_live(db, period.start, period.end) if one.subject in ids]
    return _times(db, period, [Handled(one, moments_of(db, one, now)) for one in live], now)


def _earlier(period: Period) -> list[Period]:
    found = [period]
    for _ in range(TRENDS):
        found.append(found[-1].before())
    return found[:0:-1]


def at_night(moment: int, zone: str) -> bool:
    """Between 23 and 7 o'clock."""
    from datetime import datetime
    from zoneinfo import ZoneInfo

    hour = datetime.fromtimestamp(moment / 1000, ZoneInfo(zone)).hour
    return hour >= NIGHT[0] or hour < NIGHT[1]
