"""Calls to linked systems as rows.

States: ``waiting`` → ``sending`` → ``done``; ``failed`` when it was surely not carried out and will not be tried
again, ``unclear`` when nobody can tell but a person. A row found ``sending`` may have been carried out already.
No address, header or secret ever stands in a row: they come from the configuration at the moment of the call.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from sqlite_utils import Database

OPEN = ("waiting", "sending")
_COLUMNS = (
    "id, key, system, action, params, context, incident, run, step, drill, state, attempts, not_before, status, answer,"
    " result, error, created_at, told_at, finished_at"
)
EXCERPT = 2_000


@dataclass(frozen=True, slots=True)
class Call:
    """One call. ``key`` makes it unique for ever; ``params`` are the step's, ``context`` what was known of the incident
    when it was asked for. ``doubt``: an earlier try may have been carried out. ``result`` holds ``id`` and ``link``."""

    id: int
    key: str
    system: str
    action: str
    params: dict[str, Any]
    context: dict[str, Any]
    incident: str
    run: str
    step: str
    drill: str
    state: str
    attempts: int
    not_before: int
    status: int
    answer: str
    result: dict[str, str]
    error: str
    created_at: int
    told_at: int
    finished_at: int
    doubt: bool = False

    @property
    def simulated(self) -> bool:
        """Whether nothing left the house: a drill."""
        return bool(self.drill)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a call ended."""

    state: str
    status: int = 0
    answer: str = ""
    result: dict[str, str] = field(default_factory=dict)
    error: str = ""


def add(
    db: Database,
    *,
    key: str,
    system: str,
    action: str,
    params: dict[str, Any],
    context: dict[str, Any],
    incident: str,
    run: str,
    step: str,
    drill: str,
    now: int,
) -> bool:
    """Queue a call once per ``key``; returns whether it is new."""
    return bool(
        db.conn.execute(
            "INSERT OR IGNORE INTO call (key, system, action, params, context, incident, run, step, drill, created_at,"
            " not_before) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                key, system, action, orjson.dumps(params).decode(), orjson.dumps(context).decode(), incident, run, step,
                drill, now, now,
            ),
        ).rowcount
    )  # fmt: skip


def systems(db: Database) -> list[tuple[str, int]]:
    """``(system, moment of its earliest open call)``."""
    rows = db.conn.execute(
        "SELECT system, MIN(not_before) FROM call WHERE state IN ('waiting', 'sending') GROUP BY system"
    )
    return [(row[0], row[1]) for row in rows]


def rewound(db: Database, now: int, before: int) -> None:
    """The clock was set back: what was to be called by the earlier time does not wait for that to come again."""
    db.conn.execute(
        "UPDATE call SET not_before = ? WHERE state IN ('waiting', 'sending') AND not_before > ? AND not_before <= ?",
        (now, now, before),
    )


def claim(db: Database, system: str, now: int) -> Call | None:
    """Take the oldest call of a system whose time has come; one found ``sending`` is in doubt."""
    row = db.conn.execute(
        f"SELECT {_COLUMNS} FROM call WHERE system = ? AND state IN ('waiting', 'sending') AND not_before <= ?"
        " ORDER BY id LIMIT 1",
        (system, now),
    ).fetchone()
    if row is None:
        return None
    db.conn.execute("UPDATE call SET state = 'sending', attempts = attempts + 1 WHERE id = ?", (row[0],))
    found = _call(row)
    return replace(found, doubt=found.state == "sending", state="sending")


def later(db: Database, call: Call, not_before: int, error: str, *, doubt: bool) -> None:
    """Put a call back; ``doubt`` keeps it marked as perhaps carried out."""
    db.conn.execute(
        "UPDATE call SET state = ?, not_before = ?, error = ? WHERE id = ? AND state = 'sending'",
        ("sending" if doubt else "waiting", not_before, error[:500], call.id),
    )


def told(db: Database, call_id: int, now: int) -> bool:
    """Mark that people were told of a call that does not get through; False if they were before."""
    return bool(db.conn.execute("UPDATE call SET told_at = ? WHERE id = ? AND told_at = 0", (now, call_id)).rowcount)


def finish(db: Database, call_id: int, ending: Ending, now: int) -> Call | None:
    """End an open or unclear call; None if somebody else was faster."""
    changed = db.conn.execute(
        "UPDATE call SET state = ?, status = ?, answer = ?, result = ?, error = ?, finished_at = ?"
        " WHERE id = ? AND state IN ('waiting', 'sending', 'unclear')",
        (
            ending.state, ending.status, ending.answer[:EXCERPT], orjson.dumps(ending.result).decode(),
            ending.error[:500], now, call_id,
        ),
    ).rowcount  # fmt: skip
    return get(db, call_id) if changed else None


def again(db: Database, call_id: int, now: int) -> bool:
    """Let a failed or unclear call be tried anew, by a person's decision, under the same key."""
    return bool(
        db.conn.execute(
            "UPDATE call SET state = 'waiting', attempts = 0, not_before = ?, created_at = ?, told_at = 0,"
            " finished_at = 0 WHERE id = ? AND state IN ('failed', 'unclear')",
            (now, now, call_id),
        ).rowcount
    )


def get(db: Database, call_id: int) -> Call | None:
    row = db.conn.execute(f"SELECT {_COLUMNS} FROM call WHERE id = ?", (call_id,)).fetchone()
    return _call(row) if row else None


def by_key(db: Database, key: str) -> Call | None:
    row = db.conn.execute(f"SELECT {_COLUMNS} FROM call WHERE key = ?", (key,)).fetchone()
    return _call(row) if row else None


def of_incident(db: Database, incident: str, limit: int = 30) -> list[Call]:
    """The newest calls of an incident, oldest of them first; of all incidents if none is named."""
    where, values = ("incident = ?", [incident]) if incident else ("1", [])
    rows = db.conn.execute(f"SELECT {_COLUMNS} FROM call WHERE {where} ORDER BY id DESC LIMIT ?", (*values, limit))
    return [_call(row) for row in reversed(rows.fetchall())]


def _call(row: Any) -> Call:
    return Call(
        id=row[0], key=row[1], system=row[2], action=row[3], params=orjson.loads(row[4]), context=orjson.loads(row[5]),
        incident=row[6], run=row[7], step=row[8], drill=row[9], state=row[10], attempts=row[11], not_before=row[12],
        status=row[13], answer=row[14], result=orjson.loads(row[15]), error=row[16], created_at=row[17],
        told_at=row[18], finished_at=row[19],
    )  # fmt: skip
