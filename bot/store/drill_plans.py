"""Drills that are to begin later, as rows; the timer that begins one carries its id."""

from dataclasses import astuple, dataclass, fields
from typing import Any

from sqlite_utils import Database


@dataclass(frozen=True, slots=True)
class DrillPlan:
    """``state``: waiting, begun, cancelled. ``person``, ``name``, ``chat`` and ``account`` are the facilitator's;
    ``drill`` is what it became."""

    id: str
    scenario: str
    speed: float
    surprise: bool
    subject: str
    starts_at: int
    state: str
    person: str
    name: str
    chat: str
    account: str
    drill: str = ""


_COLUMNS = ", ".join(item.name for item in fields(DrillPlan))


def next_id(db: Database) -> str:
    return f"DP-{db.conn.execute('SELECT COALESCE(MAX(number), 0) + 1 FROM drill_plan').fetchone()[0]}"


def insert(db: Database, plan: DrillPlan, now: int) -> None:
    values: list[Any] = [int(plan.id.partition("-")[2]), now, *astuple(plan)]
    marks = ", ".join("?" * len(values))
    db.conn.execute(f"INSERT INTO drill_plan (number, created_at, {_COLUMNS}) VALUES ({marks})", values)


def save(db: Database, plan: DrillPlan) -> None:
    """When it is to begin now, and what became of it."""
    db.conn.execute(
        "UPDATE drill_plan SET starts_at = ?, state = ?, drill = ? WHERE id = ?",
        (plan.starts_at, plan.state, plan.drill, plan.id),
    )


def get(db: Database, plan_id: str) -> DrillPlan | None:
    return next(iter(_select(db, "id = ?", [plan_id.upper()])), None)


def waiting(db: Database) -> list[DrillPlan]:
    """Those still to begin, soonest first."""
    return _select(db, "state = 'waiting' ORDER BY starts_at, number", [])


def _select(db: Database, where: str, values: list[Any]) -> list[DrillPlan]:
    rows = db.conn.execute(f"SELECT {_COLUMNS} FROM drill_plan WHERE {where}", values).fetchall()
    names = _COLUMNS.split(", ")
    found = [dict(zip(names, row, strict=True)) for row in rows]
    return [DrillPlan(**{**row, "surprise": bool(row["surprise"])}) for row in found]
