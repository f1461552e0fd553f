"""A drill's score: a pure function of what stands on the record. Every line says what it is computed from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.drills.schema import TIMED, Done, Measure, Objective, Scenario
from bot.model.text import Text
from bot.response.values import show_duration
from bot.store.drills import DrillEvent

DONE_OF: Mapping[Measure, Done] = {
    "acknowledge": "acknowledged", "grade": "graded", "playbook": "playbook", "draft": "drafted",
    "approval": "approved", "publication": "published",
}  # fmt: skip
LATE_FACTOR = 3  # where ``late`` is not written: no points from three times ``within`` on
WARN_COSTS, BLOCK_COSTS = 0.15, 0.5
TAKEN_BACK = frozenset({"promise_removed"})


@dataclass(frozen=True, slots=True)
class Moment:
    """Something done, at the drill's own time. ``person`` and ``name`` are empty where the machine did it."""

    position: int
    person: str = ""
    name: str = ""
    what: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the record holds of one drill. ``opened`` is when the first warning came; ``asked`` are facts asked for
    before the first publication; ``findings`` are severities in the first published text; ``active`` are the roles of
    those who did something; ``wrong`` are wrong moves as ``(key, statement or incident)``, ``tried`` those that
    were refused."""

    moments: Mapping[Done, Moment]
    opened: int = 0
    kept: int = 0
    deadlines: int = 0
    asked: frozenset[str] = frozenset()
    findings: tuple[str, ...] = ()
    active: frozenset[str] = frozenset()
    wrong: tuple[tuple[str, str], ...] = ()
    tried: tuple["Attempt", ...] = ()


@dataclass(frozen=True, slots=True)
class Attempt:
    """A wrong move that was refused: which, on what, by whom, and when in the drill's own time."""

    move: str
    of: str
    name: str
    position: int


@dataclass(frozen=True, slots=True)
class Line:
    """One objective. ``person`` is who earned it, where one person did."""

    measure: Measure
    role: str
    weight: int
    points: float
    why: Text
    person: str = ""


@dataclass(frozen=True, slots=True)
class Score:
    lines: tuple[Line, ...]
    wrong: tuple[Text, ...] = field(default=())

    @property
    def total(self) -> float:
        return round(sum(line.points for line in self.lines), 1)

    def by_role(self) -> dict[str, tuple[float, int]]:
        """Points and weight of every role, in the order of the objectives."""
        return _sums([(line.role, line) for line in self.lines])

    def by_person(self) -> dict[str, tuple[float, int]]:
        return _sums([(line.person, line) for line in self.lines if line.person])


def position_at(events: Sequence[DrillEvent], speed: float, moment: int) -> int:
    """The drill's own time at a real moment, with its pauses and jumps."""
    position, at, running = 0, None, False
    for event in events:
        if event.at > moment:
            break
        running = {"started": True, "resumed": True, "paused": False, "ended": False}.get(event.kind, running)
        position, at = event.position, event.at
    if at is None or not running:
        return position
    return position + round((moment - at) * speed)


def score(scenario: Scenario, evidence: Evidence) -> Score:
    lines = tuple(_line(objective, scenario, evidence) for objective in scenario.objectives)
    wrong = [Text(f"score.wrong_{key}", {"id": name}) for key, name in evidence.wrong]
    wrong += [
        Text(f"score.tried_{item.move}", {"id": item.of, "who": item.name, "at": _clock(item.position)})
        for item in evidence.tried
    ]
    return Score(lines, tuple(wrong))


def _line(objective: Objective, scenario: Scenario, evidence: Evidence) -> Line:
    person = ""
    if objective.measure in TIMED:
        share, why, person = _timed(objective, evidence)
    else:
        share, why = _OTHERS[objective.measure](scenario, evidence)
    return Line(
        objective.measure, objective.role, objective.weight, round(objective.weight * max(0.0, share), 1), why, person
    )


def _timed(objective: Objective, evidence: Evidence) -> tuple[float, Text, str]:
    within = objective.within or 0
    late = objective.late or within * LATE_FACTOR
    limits = {"within": show_duration(within), "late": show_duration(late)}
    found = evidence.moments.get(DONE_OF[objective.measure])
    if found is None:
        return 0.0, Text("score.never", limits), ""
    # Nobody can acknowledge before they are warned; everything else counts from the drill's beginning.
    warned = objective.measure == "acknowledge"
    passed = max(0, found.position - evidence.opened) if warned else found.position
    share = 1.0 if passed <= within else max(0.0, (late - passed) / (late - within))
    at = _clock(passed)
    who = found.name or Text("score.machine")
    return (
        share,
        Text("score.warned" if warned else "score.timed", {"at": at, "who": who, "what": found.what, **limits}),
        found.name,
    )


def _clock(passed: int) -> str:
    return show_duration(passed // 60_000 * 60_000 if passed >= 60_000 else passed // 1000 * 1000)


def _deadlines(scenario: Scenario, evidence: Evidence) -> tuple[float, Text]:
    if not evidence.deadlines:
        return 0.0, Text("score.no_deadlines")
    params = {"kept": evidence.kept, "n": evidence.deadlines}
    return evidence.kept / evidence.deadlines, Text("score.deadlines_kept", params)


def _facts(scenario: Scenario, evidence: Evidence) -> tuple[float, Text]:
    known = [fact.id for fact in scenario.facts]
    asked = [name for name in known if name in evidence.asked]
    missing = [name for name in known if name not in evidence.asked] or ["—"]
    params = {"asked": len(asked), "n": len(known), "missing": missing}
    return (len(asked) / len(known) if known else 1.0), Text("score.facts_asked", params)


def _review(scenario: Scenario, evidence: Evidence) -> tuple[float, Text]:
    if "published" not in evidence.moments:
        return 0.0, Text("score.nothing_published")
    blocks, warnings = evidence.findings.count("block"), evidence.findings.count("warn")
    return 1 - blocks * BLOCK_COSTS - warnings * WARN_COSTS, Text(
        "score.review_found", {"block": blocks, "warn": warnings}
    )


def _roles(scenario: Scenario, evidence: Evidence) -> tuple[float, Text]:
    filled = [name for name in scenario.roles if name in evidence.active]
    missing = [Text(f"role.{name}") for name in scenario.roles if name not in evidence.active]
    params: dict[str, Any] = {"filled": len(filled), "n": len(scenario.roles), "missing": missing or ["—"]}
    return len(filled) / len(scenario.roles), Text("score.roles_filled", params)


def _conduct(scenario: Scenario, evidence: Evidence) -> tuple[float, Text]:
    if not evidence.moments:
        return 0.0, Text("score.nothing_done")
    costs = scenario.costs
    lost = sum(costs.taken_back if key in TAKEN_BACK else costs.done for key, _ in evidence.wrong)
    lost += len(evidence.tried) * costs.tried
    if not evidence.tried:
        return 1 - lost, Text("score.conduct_moves", {"n": len(evidence.wrong)})
    return 1 - lost, Text("score.conduct_tried", {"n": len(evidence.wrong), "tried": len(evidence.tried)})


_OTHERS = {"deadlines": _deadlines, "facts": _facts, "review": _review, "roles": _roles, "conduct": _conduct}


def _sums(named: Sequence[tuple[str, Line]]) -> dict[str, tuple[float, int]]:
    found: dict[str, tuple[float, int]] = {}
    for name, line in named:
        points, weight = found.get(name, (0.0, 0))
        found[name] = (round(points + line.points, 1), weight + line.weight)
    return found
