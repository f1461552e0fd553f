"""From the rows of the flow to what a score is computed from."""

from collections.abc import Mapping, Sequence

from sqlite_utils import Database

from bot.drills.conduct import observers
from bot.drills.record import deeds, incidents_of, statements_of
from bot.drills.schema import Scenario
from bot.drills.score import Attempt, Evidence, Moment, Score, position_at, score
from bot.model.incident import Incident, Status
from bot.model.statement import Severity, Statement
from bot.response.run_state import StepStatus
from bot.store import drills as store
from bot.store import incidents as incident_store
from bot.store import runs as run_store
from bot.store import statements as statement_store
from bot.store.drills import Drill, DrillEvent

# The review's rules on what nobody can keep.
PROMISES = frozenset({"absolute_claim", "absolute_promise", "excessive_compensation", "unbacked_compensation"})


def scored(db: Database, drill: Drill, roles_of: Mapping[str, Sequence[str]]) -> Score:
    """The score of a drill as its record stands. ``roles_of`` are the roles of the configured people."""
    scenario = Scenario.thaw(drill.body)
    return score(scenario, evidence(db, drill, scenario, roles_of))


def evidence(db: Database, drill: Drill, scenario: Scenario, roles_of: Mapping[str, Sequence[str]]) -> Evidence:
    events = store.events(db, drill.id)
    incidents = incidents_of(db, drill.id)
    statements = statements_of(db, incidents)
    watching = observers(db, drill)
    found = deeds(db, drill, scenario, watching)
    published = found.get("published")
    until = published.at if published else drill.ended_at or drill.clock_at
    kept, deadlines = _deadlines(db, incidents, drill.ended_at or drill.clock_at)
    people = _people(db, incidents, statements, events)
    return Evidence(
        moments={
            name: Moment(position_at(events, drill.speed, deed.at), deed.person, deed.name, deed.what)
            for name, deed in found.items()
        },
        opened=min((position_at(events, drill.speed, incident.opened_at) for incident in incidents), default=0),
        kept=kept,
        deadlines=deadlines,
        asked=frozenset(
            name for event in events if event.kind == "asked" and event.at <= until for name in event.detail["facts"]
        ),
        findings=_findings(db, statements, published.what if published else ""),
        active=frozenset(role for person in people - watching for role in roles_of.get(person, ())),
        wrong=tuple(_wrong(db, incidents, statements)),
        tried=_tried(events),
    )  # fmt: skip


def _deadlines(db: Database, incidents: Sequence[Incident], until: int) -> tuple[int, int]:
    """Steps with a deadline that lay before the end: kept, and all."""
    kept = total = 0
    for incident in incidents:
        for run in run_store.of_incident(db, incident.id):
            done = {event.step: event.at for event in run_store.events(db, run.id) if event.step}
            for step in run_store.steps(db, run.id):
                if not 0 < step.due_at <= until or step.status == StepStatus.NOT_APPLICABLE:
                    continue
                total += 1
                kept += step.status == StepStatus.DONE and done.get(step.step, until) <= step.due_at
    return kept, total


def _findings(db: Database, statements: Sequence[Statement], published: str) -> tuple[str, ...]:
    for statement in statements:
        if statement.id == published:
            return tuple(item.severity.value for item in statement_store.findings(db, published, statement.version))
    return ()


def _people(
    db: Database, incidents: Sequence[Incident], statements: Sequence[Statement], events: Sequence[DrillEvent]
) -> set[str]:
    """Who did something: on the incidents, in the plans, to the statements, or by asking."""
    people = {event.actor for event in events if event.kind == "asked"}
    for incident in incidents:
        people |= {entry.actor for entry in incident_store.timeline(db, incident.id)}
        for run in run_store.of_incident(db, incident.id):
            people |= {event.actor for event in run_store.events(db, run.id)}
    for statement in statements:
        people |= {event.actor for event in statement_store.events(db, statement.id)}
    return people - {""}


def _wrong(db: Database, incidents: Sequence[Incident], statements: Sequence[Statement]) -> list[tuple[str, str]]:
    """Moves that make a crisis worse: a blocking finding overridden, a promise written down, the alarm waved off."""
    wrong: list[tuple[str, str]] = []
    for statement in statements:
        if statement_store.overrides(db, statement.id):
            wrong.append(("override", statement.id))
        for version in statement_store.versions(db, statement):
            found = statement_store.findings(db, statement.id, version.number) if version.author else []
            if any(item.rule in PROMISES and item.severity is Severity.BLOCK for item in found):
                newest = statement_store.findings(db, statement.id, statement.version)
                kept = any(item.rule in PROMISES and item.severity is Severity.BLOCK for item in newest)
                wrong.append(("promise" if kept else "promise_removed", statement.id))
                break
    wrong += [("false_alarm", incident.id) for incident in incidents if incident.status is Status.FALSE_ALARM]
    return wrong


def _tried(events: Sequence[DrillEvent]) -> tuple[Attempt, ...]:
    """Refused moves: the same person trying the same thing again is one."""
    first: dict[tuple[str, str, str], Attempt] = {}
    for event in events:
        if event.kind == "refused":
            move, of = str(event.detail["move"]), str(event.detail["of"])
            first.setdefault((event.actor, move, of), Attempt(move, of, event.actor_name, event.position))
    return tuple(first.values())
