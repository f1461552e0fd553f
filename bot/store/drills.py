"""Drills as rows: what is played, how far it has come, what happened in it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlite_utils import Database

from bot.model.incident import Actor

_COLUMNS = (
    "id, scenario, version, body, subject, company, speed, state, surprise, position, clock_at, facilitator,"
    " facilitator_name, chat, account, started_at, ended_at"
)


@dataclass(frozen=True, slots=True)
class Drill:
    """``state``: running, paused, ended. ``position`` in drill milliseconds was reached at the moment ``clock_at``;
    everything up to it has been played. ``account`` is the facilitator's in ``chat``, for what only they see."""

    id: str
    scenario: str
    version: int
    body: str
    subject: str
    company: str
    speed: float
    state: str
    surprise: bool
    position: int
    clock_at: int
    facilitator: str
    facilitator_name: str
    chat: str
    account: str
    started_at: int
    ended_at: int = 0

    def reached(self, now: int) -> int:
        """How far the drill's own time has come by now."""
        if self.state != "running":
            return self.position
        return self.position + round(max(0, now - self.clock_at) * self.speed)


@dataclass(frozen=True, slots=True)
class DrillEvent:
    """``kind``: started, inject, withheld, reaction, asked, paused, resumed, skipped, ended, refused (a wrong
    move that was not let through), manual (an inject of the facilitator's), observer, observer_left. ``position`` is
    the drill's own time from ``at`` on."""

    kind: str
    detail: dict[str, Any]
    actor: str
    actor_name: str
    at: int
    position: int
    drill: str = field(default="")


def next_id(db: Database) -> str:
    """The id of the next drill: ``DR-3``."""
    return f"DR-{db.conn.execute('SELECT COALESCE(MAX(number), 0) + 1 FROM drill').fetchone()[0]}"


def insert(db: Database, drill: Drill) -> None:
    db.conn.execute(
        f"INSERT INTO drill (number, {_COLUMNS}) VALUES ({', '.join('?' * 18)})",
        (
            int(drill.id.partition("-")[2]), drill.id, drill.scenario, drill.version, drill.body, drill.subject,
            drill.company, drill.speed, drill.state, int(drill.surprise), drill.position, drill.clock_at,
            drill.facilitator, drill.facilitator_name, drill.chat, drill.account, drill.started_at, drill.ended_at,
        ),
    )  # fmt: skip


def save(db: Database, drill: Drill) -> None:
    """How far it has come, and whether it goes on."""
    db.conn.execute(
        "UPDATE drill SET state = ?, position = ?, clock_at = ?, ended_at = ? WHERE id = ?",
        (drill.state, drill.position, drill.clock_at, drill.ended_at, drill.id),
    )


def get(db: Database, drill_id: str) -> Drill | None:
    """By its own id, or by that of an incident of it (``D-1``)."""
    wanted = drill_id.upper()
    found = _select(db, "id = ? OR id = (SELECT drill FROM incident WHERE id = ? AND drill <> '')", [wanted, wanted])
    return found[0] if found else None


def live(db: Database) -> list[Drill]:
    """Running and paused ones, oldest first."""
    return _select(db, "state <> 'ended' ORDER BY number", [])


def recent(db: Database, limit: int = 20) -> list[Drill]:
    return _select(db, "1 ORDER BY number DESC LIMIT ?", [limit])


def earlier(db: Database, drill: Drill) -> list[Drill]:
    """Ended drills of the same scenario before this one, oldest first."""
    return _select(
        db, "scenario = ? AND state = 'ended' AND number < ? ORDER BY number",
        [drill.scenario, int(drill.id.partition("-")[2])],
    )  # fmt: skip


def record(
    db: Database, drill: str, kind: str, actor: Actor, at: int, position: int, detail: dict[str, Any] | None = None
) -> None:
    db.conn.execute(
        "INSERT INTO drill_event (drill, kind, detail, actor, actor_name, at, position) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (drill, kind, orjson.dumps(detail or {}).decode(), actor.person, actor.name, at, position),
    )


def events(db: Database, drill: str) -> list[DrillEvent]:
    """Everything that happened in it, in order."""
    rows = db.conn.execute(
        "SELECT kind, detail, actor, actor_name, at, position FROM drill_event WHERE drill = ? ORDER BY id", (drill,)
    )
    return [DrillEvent(row[0], orjson.loads(row[1]), row[2], row[3], row[4], row[5], drill) for row in rows]


def _select(db: Database, where: str, parameters: Sequence[Any]) -> list[Drill]:
    rows = db.conn.execute(f"SELECT {_COLUMNS} FROM drill WHERE {where}", parameters)
    return [_drill(row) for row in rows]


def _drill(row: Sequence[Any]) -> Drill:
    values = dict(zip(_COLUMNS.split(", "), row, strict=True))
    return Drill(**{**values, "surprise": bool(values["surprise"])})
