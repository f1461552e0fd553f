"""Everything a retrospective tells of one incident, gathered from the rows. Reads, decides nothing.

What goes with the retention of posts (moments, volumes, the forecast as it was, gaps) is frozen at the end and read
from there; what people add later (answers, figures, action items) is always read anew.
"""

from collections.abc import Callable
from dataclasses import dataclass

import orjson
from pydantic import TypeAdapter
from sqlite_utils import Database

from bot.config import Config
from bot.drills import evidence
from bot.drills.score import Score
from bot.incidents.service import DEFAULT_ESCALATION
from bot.learning.improvements import Gap
from bot.learning.moments import AFTER, BEFORE, HOUR, Moments, end_of, families_of, moments_of
from bot.model.grade import Grade
from bot.model.incident import Incident, Status, TimelineEntry
from bot.response import run_rows
from bot.response.steps import StatementStep
from bot.response.values import Words
from bot.store import actions as action_store
from bot.store import drills as drill_store
from bot.store import incidents as incident_store
from bot.store import record as record_store
from bot.store import retrospectives as store
from bot.store import runs as run_store
from bot.store.actions import ActionItem
from bot.store.retrospectives import Answer, Impact
from bot.warning.outlook import read_outlook

EARLIER = 6
FALSE_ALARMS_WITHIN = 90 * 24 * HOUR


@dataclass(frozen=True, slots=True)
class Foretold:
    """What was forecast at the first alert for the next ``hours``, and how many posts came; ``came`` is None while that
    time is not over."""

    hours: int
    low: float
    middle: float
    high: float
    came: int | None


@dataclass(frozen=True, slots=True)
class Frozen:
    moments: Moments
    foretold: tuple[Foretold, ...]
    gaps: tuple[Gap, ...]


_FROZEN = TypeAdapter(Frozen)


@dataclass(frozen=True, slots=True)
class Plan:
    """A run of a playbook and how its steps came out (counts by outcome)."""

    run: str
    title: Words
    status: str
    outcomes: dict[str, int]


@dataclass(frozen=True, slots=True)
class Like:
    """An earlier incident to compare with: durations in milliseconds after its alert, None where there are none.
    ``why`` says why it is compared, as a catalogue key."""

    id: str
    title: str
    opened_at: int
    grade: Grade
    acknowledged: int | None
    answered: int | None
    resolved: int | None


@dataclass(frozen=True, slots=True)
class Target:
    """``name``: acknowledge or answer; ``within`` what was set, in milliseconds; ``took`` None where it never came."""

    name: str
    within: int
    took: int | None
    source: str

    @property
    def kept(self) -> bool:
        return self.took is not None and self.took <= self.within


@dataclass(frozen=True, slots=True)
class Retrospect:
    incident: Incident
    made_at: int
    frozen: bool
    moments: Moments
    foretold: tuple[Foretold, ...]
    gaps: tuple[Gap, ...]
    targets: tuple[Target, ...]
    plans: tuple[Plan, ...]
    similar: tuple[Like, ...]
    false_alarms: tuple[tuple[str, int, str], ...]
    answers: tuple[Answer, ...]
    asked: int
    answered: int
    impacts: tuple[Impact, ...]
    actions: tuple[ActionItem, ...]
    timeline: tuple[TimelineEntry, ...]
    score: Score | None


# Earlier incidents worth a comparison, best first: ``(db, incident, now) -> incident ids``.
Similar = Callable[[Database, Incident, int], list[str]]


def same_type(db: Database, incident: Incident, now: int) -> list[str]:
    """Earlier incidents of the same kind of crisis that are over, the newest first."""
    rows = db.conn.execute(
        "SELECT id FROM incident WHERE crisis_type = ? AND id <> ? AND status IN ('resolved', 'closed')"
        " AND (drill <> '') = ? AND opened_at < ? ORDER BY opened_at DESC LIMIT ?",
        (incident.crisis_type, incident.id, bool(incident.drill), incident.opened_at, EARLIER),
    )
    return [row[0] for row in rows]


def freeze(db: Database, config: Config, incident: Incident, now: int) -> Frozen:
    """What the record says now, kept for when posts and minute counts are gone."""
    found = Frozen(moments_of(db, incident, now), _foretold(db, incident, now), _gaps(db, incident))
    store.keep(db, incident.id, incident.drill, _FROZEN.dump_json(found, by_alias=True).decode(), now)
    return found


def retrospect(
    db: Database, config: Config, incident: Incident, now: int, similar: Similar = same_type
) -> Retrospect:  # fmt: skip
    body = store.kept(db, incident.id) if incident.status.ended else None
    frozen = _FROZEN.validate_json(body) if body else Frozen(
        moments_of(db, incident, now), _foretold(db, incident, now), _gaps(db, incident)
    )  # fmt: skip
    asked = store.asked(db, incident.id)
    alike = [found for name in similar(db, incident, now)[:EARLIER] if (found := incident_store.get(db, name))]
    return Retrospect(
        incident=incident, made_at=now, frozen=body is not None, moments=frozen.moments, foretold=frozen.foretold,
        gaps=frozen.gaps, targets=tuple(_targets(db, config, incident, frozen.moments)),
        plans=_plans(db, incident, frozen.moments), similar=tuple(_like(db, item, now) for item in alike),
        false_alarms=_false_alarms(db, incident),
        answers=tuple(store.answers(db, incident.id)), asked=len(asked),
        answered=sum(bool(answered) for answered in asked.values()), impacts=tuple(store.impacts(db, incident.id)),
        actions=tuple(action_store.of_incident(db, incident.id)),
        timeline=tuple(incident_store.timeline(db, incident.id)), score=_score(db, config, incident),
    )  # fmt: skip


def _foretold(db: Database, incident: Incident, now: int) -> tuple[Foretold, ...]:
    """The forecast as the card showed it at the opening: from the counts up to then. Posts that came in later but were
    published before are among them by now."""
    at = incident.opened_at
    outlook = read_outlook(db, [incident.subject], frozenset(families_of(incident)), incident.drill, at)
    if outlook is None:
        return ()
    found = []
    for hours, expected in outlook.forecast.volume.items():
        until = at + hours * HOUR
        came, _, _ = record_store.volume(
            db, incident.subject, incident.drill, families_of(incident), at, until
        )  # fmt: skip
        over = until <= now
        found.append(Foretold(hours, expected.low, expected.middle, expected.high, came if over else None))
    return tuple(found)


def _gaps(db: Database, incident: Incident) -> tuple[Gap, ...]:
    """Sources that were blind then, and posts of before the first alert that were collected after it."""
    late: dict[str, list[int]] = {}
    for seq, source, _, _ in record_store.late_posts(
        db, incident.subject, incident.drill, families_of(incident), incident.opened_at - BEFORE, incident.opened_at
    ):
        late.setdefault(source, []).append(seq)
    blind = set(incident.blind_sources)
    blind |= {
        str(entry.params.get("source"))
        for entry in incident_store.timeline(db, incident.id, ("source_health",))
        if entry.params.get("source_health") in ("silent", "failing", "missing")
    }
    return tuple(
        [Gap(name, blind=True) for name in sorted(blind)] + [Gap(name, tuple(seqs)) for name, seqs in late.items()]
    )


def _targets(db: Database, config: Config, incident: Incident, found: Moments) -> list[Target]:
    """By the grade: how long before somebody else is called. By the plan: the first text it asks for."""
    grade = _grade_then(db, incident)
    configured = {str(name): value for name, value in config.grading.escalate_after.items()}
    targets = []
    if grade:
        within = configured.get(grade.word, DEFAULT_ESCALATION[grade.word])
        targets.append(Target("acknowledge", within, found.time_to_acknowledge, grade.word))
    for row in run_store.of_incident(db, incident.id):
        run = run_rows.from_row(db, row)
        due = [step.due for step in run.playbook.steps if isinstance(step, StatementStep) and step.due]
        if due:
            opened, out = found.at("playbook"), found.at("published")
            took = out - opened if opened is not None and out is not None and out >= opened else None
            targets.append(Target("answer", min(due), took, run.id))
            break
    return targets


def _grade_then(db: Database, incident: Incident) -> Grade:
    """The grade at which it was acknowledged or, before, stood."""
    grade = Grade.NONE
    for entry in incident_store.timeline(db, incident.id, ("opened", "raised", "lowered", "graded", "acknowledged")):
        if entry.kind == "acknowledged":
            break
        grade = Grade.from_word(str(entry.params.get("grade", "none")))
    return grade


def _plans(db: Database, incident: Incident, found: Moments) -> tuple[Plan, ...]:
    plans = []
    for row in run_store.of_incident(db, incident.id):
        run = run_rows.from_row(db, row)
        outcomes: dict[str, int] = {}
        for step in found.steps:
            if step.run == run.id:
                outcomes[step.outcome] = outcomes.get(step.outcome, 0) + 1
        plans.append(Plan(run.id, run.playbook.title, run.status.value, outcomes))
    return tuple(plans)


def _like(db: Database, other: Incident, now: int) -> Like:
    body = store.kept(db, other.id)
    found = _FROZEN.validate_json(body).moments if body else moments_of(db, other, now)
    return Like(
        other.id, other.title or f"{other.subject_name}", other.opened_at, other.peak_grade, found.time_to_acknowledge,
        found.time_to_answer, found.time_to_resolve,
    )  # fmt: skip


def _false_alarms(db: Database, incident: Incident) -> tuple[tuple[str, int, str], ...]:
    """``(incident, when it was opened, why it was none)`` about the same subject in the ninety days before."""
    rows = db.conn.execute(
        "SELECT i.id, i.opened_at, COALESCE((SELECT t.params FROM timeline t WHERE t.incident = i.id AND"
        " t.kind = 'false_alarm' ORDER BY t.id DESC LIMIT 1), '{}') FROM incident i WHERE i.subject = ?"
        " AND i.status = ? AND i.drill = ? AND i.opened_at BETWEEN ? AND ? ORDER BY i.opened_at",
        (
            incident.subject, Status.FALSE_ALARM.value, incident.drill, incident.opened_at - FALSE_ALARMS_WITHIN,
            incident.opened_at,
        ),
    )  # fmt: skip
    return tuple((row[0], int(row[1]), str(orjson.loads(row[2]).get("reason", ""))) for row in rows)


def _score(db: Database, config: Config, incident: Incident) -> Score | None:
    drill = drill_store.get(db, incident.drill) if incident.drill else None
    if drill is None:
        return None
    return evidence.scored(db, drill, {person.id: tuple(person.roles) for person in config.people})


def picture_span(found: Retrospect) -> tuple[int, int]:
    """From a little before the first post to a little after the end: where the matter can be seen."""
    incident = found.incident
    first = min(filter(None, (found.moments.at("first_post"), incident.opened_at)))
    last = min(end_of(incident, found.made_at) + AFTER, found.made_at)
    length = max(end_of(incident, found.made_at) - first, HOUR)
    return max(first - length // 4, first - BEFORE), min(last, end_of(incident, found.made_at) + length // 4)
