"""What a fresh assessment means for an incident: decided purely, with the reason."""

from dataclasses import dataclass
from enum import StrEnum

from bot.model.grade import Grade
from bot.model.incident import Incident, Status
from bot.warning.assess import Thresholds


class Move(StrEnum):
    """What to do with the incident. ``HINT``: the signals say more than the grade a person set."""

    KEEP = "keep"
    RAISE = "raise"
    LOWER = "lower"
    RESOLVE = "resolve"
    COOLING = "cooling"
    HEATING = "heating"
    HINT = "hint"


@dataclass(frozen=True, slots=True)
class Decision:
    """``grade`` after the move, ``calm_since`` to remember (0: the signals are not calm)."""

    move: Move
    grade: Grade
    calm_since: int


def decide(incident: Incident, measured: Grade, relaxed: Grade, rules: Thresholds, now: int) -> Decision:
    """``measured`` is the grade by the thresholds, ``relaxed`` the grade by thresholds made easier to hold: a grade is
    gained at the first and lost only below the second, for the grade's whole holding time. That gap stops flapping.
    """
    if incident.manual_grade:
        if measured > incident.manual_grade:
            return Decision(Move.HINT, incident.grade, incident.calm_since)
        return Decision(Move.KEEP, incident.grade, incident.calm_since)
    if measured > incident.grade:
        return Decision(Move.RAISE, measured, 0)
    if relaxed >= incident.grade:
        return Decision(Move.HEATING if incident.calm_since else Move.KEEP, incident.grade, 0)
    if not incident.calm_since:
        return Decision(Move.COOLING, incident.grade, now)
    if now - incident.calm_since < rules.hold(incident.grade):
        return Decision(Move.KEEP, incident.grade, incident.calm_since)
    if incident.grade > Grade.BLUE:
        return Decision(Move.LOWER, max(relaxed, Grade.BLUE), now)
    if incident.status in (Status.OPEN, Status.MONITORING):
        return Decision(Move.RESOLVE, incident.grade, incident.calm_since)
    return Decision(Move.KEEP, incident.grade, incident.calm_since)
