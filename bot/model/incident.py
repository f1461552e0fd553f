"""Incidents: one crisis with its grade, people and timeline."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bot.model.grade import Grade
from bot.model.signal import Signal


class Status(StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESPONDING = "responding"
    MONITORING = "monitoring"
    RESOLVED = "resolved"
    CLOSED = "closed"
    FALSE_ALARM = "false_alarm"

    @property
    def live(self) -> bool:
        """Whether signals still change it: everything before it is resolved."""
        return self in LIVE

    @property
    def ended(self) -> bool:
        return self in (Status.CLOSED, Status.FALSE_ALARM)


LIVE = frozenset({Status.OPEN, Status.ACKNOWLEDGED, Status.RESPONDING, Status.MONITORING})


@dataclass(frozen=True, slots=True)
class Incident:
    """One row of the ``incident`` table. ``id`` is what people type (``I-12``); ``kind`` is real or drill and never
    changes; ``version`` counts every visible change; ``manual_grade`` is set while a person's grade outranks the
    measured one."""

    id: str
    kind: str
    drill: str
    subject: str
    subject_name: str
    family: str
    crisis_type: str
    title: str
    status: Status
    grade: Grade
    peak_grade: Grade
    opened_at: int
    updated_at: int
    version: int = 1
    owner: str = ""
    signals: tuple[Signal, ...] = ()
    manual_grade: Grade = Grade.NONE
    calm_since: int = 0
    acknowledged_at: int = 0
    resolved_at: int = 0
    closed_at: int = 0
    last_alert_at: int = 0
    escalation_level: int = 0
    blind_sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did something, and through which chat. ``person`` is the configured person's id, empty for the system or
    an unknown member; ``roles`` what they may act as."""

    person: str
    name: str
    chat: str
    roles: frozenset[str] = frozenset()
    account: str = ""


SYSTEM = Actor(person="", name="Fengbo", chat="system")


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """Something that happened. ``kind`` is a catalogue key below ``timeline.``; ``params`` its parameters."""

    incident: str
    happened_at: int
    recorded_at: int
    kind: str
    params: dict[str, Any] = field(default_factory=dict)
    actor: str = ""
    actor_name: str = ""
    chat: str = ""
    id: int = 0
