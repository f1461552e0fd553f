"""Durable timers: deadlines, reminders, escalations, expiries as rows. One waiting timer per (kind, object)."""

from dataclasses import dataclass
from typing import Any

import orjson
from sqlite_utils import Database

# So many failed tries, with the pauses between them, have taken more than a minute.
FAILING = 4


@dataclass(frozen=True, slots=True)
class Timer:
    id: int
    kind: str
    object: str
    due_at: int
    payload: dict[str, Any]
    attempts: int


def schedule(
    db: Database, kind: str, object_: str, due_at: int, now: int, payload: dict[str, Any] | None = None
) -> None:
    """Set a timer; a waiting one of the same kind and object moves to the new moment."""
    db.conn.execute(
        "INSERT INTO timer (kind, object, due_at, payload, created_at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (kind, object) WHERE state = 'waiting'"
        " DO UPDATE SET due_at = excluded.due_at, payload = excluded.payload, attempts = 0, error = ''",
        (kind, object_, due_at, orjson.dumps(payload or {}).decode(), now),
    )


def cancel(db: Database, kind: str, object_: str) -> bool:
    """Take back a waiting timer; returns whether there was one."""
    return bool(
        db.conn.execute(
            "UPDATE timer SET state = 'cancelled' WHERE kind = ? AND object = ? AND state = 'waiting'", (kind, object_)
        ).rowcount
    )


def due(db: Database, now: int, limit: int = 200) -> list[Timer]:
    """Waiting timers whose moment has come, earliest first."""
    rows = db.conn.execute(
        "SELECT id, kind, object, due_at, payload, attempts FROM timer WHERE state = 'waiting' AND due_at <= ?"
        " ORDER BY due_at, id LIMIT ?",
        (now, limit),
    )
    return [Timer(row[0], row[1], row[2], row[3], orjson.loads(row[4]), row[5]) for row in rows]


def due_of(db: Database, kind: str, owner: str, now: int) -> list[Timer]:
    """Those of one kind whose object is ``owner`` followed by a dot and whose moment has come, earliest first."""
    rows = db.conn.execute(
        "SELECT id, kind, object, due_at, payload, attempts FROM timer WHERE state = 'waiting' AND kind = ?"
        " AND object > ? AND object < ? AND due_at <= ? ORDER BY due_at, id",
        (kind, f"{owner}.", f"{owner}/", now),  # "/" follows "."
    )
    return [Timer(row[0], row[1], row[2], row[3], orjson.loads(row[4]), row[5]) for row in rows]


def waiting_at(db: Database, kind: str, object_: str) -> int | None:
    """When a waiting timer is due, None if there is none."""
    row = db.conn.execute(
        "SELECT due_at FROM timer WHERE kind = ? AND object = ? AND state = 'waiting'", (kind, object_)
    ).fetchone()
    return None if row is None else int(row[0])


def next_due(db: Database) -> int | None:
    """The moment of the earliest waiting timer."""
    row = db.conn.execute("SELECT MIN(due_at) FROM timer WHERE state = 'waiting'").fetchone()
    return None if row[0] is None else int(row[0])


def claim(db: Database, timer_id: int, now: int) -> bool:
    """Mark as fired if it still waits: the fence that makes a timer fire once."""
    return bool(
        db.conn.execute(
            "UPDATE timer SET state = 'fired', fired_at = ? WHERE id = ? AND state = 'waiting'", (now, timer_id)
        ).rowcount
    )


def postpone(db: Database, timer_id: int, until: int) -> None:
    """Keep a timer waiting until a later moment, without counting a failed try."""
    db.conn.execute("UPDATE timer SET due_at = ? WHERE id = ? AND state = 'waiting'", (until, timer_id))


def failed(db: Database, timer_id: int, retry_at: int, error: str) -> None:
    """Try again later, keeping the reason of the failure."""
    db.conn.execute(
        "UPDATE timer SET attempts = attempts + 1, due_at = ?, error = ? WHERE id = ? AND state = 'waiting'",
        (retry_at, error[:500], timer_id),
    )


def overdue(db: Database, now: int, grace: int) -> int:
    """How many timers should have fired more than ``grace`` milliseconds ago: what the auditor watches. One that failed
    again and again counts too, although its next try lies ahead."""
    return int(
        db.conn.execute(
            "SELECT COUNT(*) FROM timer WHERE state = 'waiting' AND (due_at <= ? OR attempts >= ?)",
            (now - grace, FAILING),
        ).fetchone()[0]
    )
