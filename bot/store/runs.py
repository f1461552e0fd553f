"""Runs of playbooks as rows: the run, its steps, what happened to it, and the frozen plan it follows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlite_utils import Database

from bot.model.incident import Actor

_OPEN = "('running', 'paused')"
_COLUMNS = "id, incident, drill, playbook, digest, status, parent, started_at, updated_at, version, state"


@dataclass(frozen=True, slots=True)
class RunRow:
    """``state`` holds what nobody searches for; ``digest`` names the frozen plan."""

    id: str
    incident: str
    drill: str
    playbook: str
    digest: str
    status: str
    parent: str
    started_at: int
    updated_at: int
    version: int
    state: dict[str, Any]


@dataclass(frozen=True, slots=True)
class StepRow:
    number: int
    step: str
    status: str
    person: str
    due_at: int
    state: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RunEvent:
    run: str
    step: str
    kind: str
    detail: dict[str, Any]
    actor: str
    actor_name: str
    chat: str
    at: int


def next_id(db: Database) -> str:
    """The id of the next run: ``R-7``."""
    return f"R-{db.conn.execute('SELECT COALESCE(MAX(number), 0) + 1 FROM run').fetchone()[0]}"


def keep_plan(db: Database, digest: str, body: str) -> None:
    db.conn.execute("INSERT OR IGNORE INTO playbook_copy (digest, body) VALUES (?, ?)", (digest, body))


def plan(db: Database, digest: str) -> str:
    """The frozen plan as JSON."""
    return str(db.conn.execute("SELECT body FROM playbook_copy WHERE digest = ?", (digest,)).fetchone()[0])


def insert(db: Database, row: RunRow, steps: Iterable[StepRow]) -> None:
    db.conn.execute(
        f"INSERT INTO run (number, {_COLUMNS}) VALUES ({', '.join('?' * 12)})",
        (
            int(row.id.partition("-")[2]), row.id, row.incident, row.drill, row.playbook, row.digest, row.status,
            row.parent, row.started_at, row.updated_at, row.version, _json(row.state),
        ),
    )  # fmt: skip
    save_steps(db, row.id, steps)


def update(db: Database, row: RunRow) -> None:
    db.conn.execute(
        "UPDATE run SET status = ?, updated_at = ?, version = ?, state = ? WHERE id = ?",
        (row.status, row.updated_at, row.version, _json(row.state), row.id),
    )


def save_steps(db: Database, run_id: str, steps: Iterable[StepRow]) -> None:
    """Write the given steps; the others stay as they are."""
    db.conn.executemany(
        "INSERT INTO run_step (run, number, step, status, person, due_at, state) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (run, number) DO UPDATE SET status = excluded.status, person = excluded.person,"
        " due_at = excluded.due_at, state = excluded.state",
        [
            (run_id, step.number, step.step, step.status, step.person, step.due_at, _json(step.state))
            for step in steps
        ],
    )  # fmt: skip


def get(db: Database, run_id: str) -> RunRow | None:
    found = _select(db, "id = ?", [run_id.upper()])
    return found[0] if found else None


def steps(db: Database, run_id: str) -> list[StepRow]:
    rows = db.conn.execute(
        "SELECT number, step, status, person, due_at, state FROM run_step WHERE run = ? ORDER BY number", (run_id,)
    )
    return [StepRow(row[0], row[1], row[2], row[3], row[4], orjson.loads(row[5])) for row in rows]


def of_incident(db: Database, incident: str, *, open_only: bool = False) -> list[RunRow]:
    """An incident's runs, oldest first."""
    where = f" AND status IN {_OPEN}" if open_only else ""
    return _select(db, f"incident = ?{where} ORDER BY number", [incident])


def open_runs(db: Database, limit: int = 500) -> list[RunRow]:
    """Runs that are not over, newest first."""
    return _select(db, f"status IN {_OPEN} ORDER BY number DESC LIMIT ?", [limit])


def ended(db: Database, limit: int) -> list[RunRow]:
    """The newest runs that are over, oldest first."""
    return _select(db, "status NOT IN ('running', 'paused') ORDER BY number DESC LIMIT ?", [limit])[::-1]


def incident_of(db: Database, run_id: str) -> str:
    """The incident a run belongs to, empty for an unknown run."""
    row = db.conn.execute("SELECT incident FROM run WHERE id = ?", (run_id.upper(),)).fetchone()
    return str(row[0]) if row else ""


def parts_of(db: Database, run_id: str) -> list[RunRow]:
    """Runs that were started as a part of this one."""
    return _select(db, "parent >= ? AND parent < ? ORDER BY number", [f"{run_id}.", f"{run_id}/"])


def outcomes(db: Database) -> list[tuple[str, int, int]]:
    """``(playbook, runs that ended, those carried through)`` of the real world."""
    return db.conn.execute(
        "SELECT playbook, COUNT(*), SUM(status = 'done') FROM run WHERE drill = '' AND status IN ('done', 'aborted')"
        " GROUP BY playbook"
    ).fetchall()


def todo(db: Database, person: str) -> list[tuple[str, int]]:
    """``(run, step number)`` of every open step that a person has, by deadline; those without one last."""
    return db.conn.execute(
        "SELECT run_step.run, run_step.number FROM run_step JOIN run ON run.id = run_step.run"
        " WHERE run_step.person = ? AND run_step.status = 'open' AND run.status = 'running'"
        " ORDER BY run_step.due_at = 0, run_step.due_at, run.number, run_step.number",
        (person,),
    ).fetchall()


def record(
    db: Database, run_id: str, step: str, kind: str, detail: dict[str, Any], actor: Actor, now: int
) -> None:  # fmt: skip
    """Add to what happened to a run."""
    db.conn.execute(
        "INSERT INTO run_event (run, step, kind, detail, actor, actor_name, chat, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (run_id, step, kind, _json(detail), actor.person, actor.name, actor.chat, now),
    )


def events(db: Database, run_id: str) -> list[RunEvent]:
    """Everything that happened to a run, in order."""
    rows = db.conn.execute(
        "SELECT run, step, kind, detail, actor, actor_name, chat, at FROM run_event WHERE run = ? ORDER BY id",
        (run_id,),
    )
    return [RunEvent(row[0], row[1], row[2], orjson.loads(row[3]), row[4], row[5], row[6], row[7]) for row in rows]


def _select(db: Database, where: str, parameters: Sequence[Any]) -> list[RunRow]:
    rows = db.conn.execute(f"SELECT {_COLUMNS} FROM run WHERE {where}", parameters)
    return [
        RunRow(
            id=row[0], incident=row[1], drill=row[2], playbook=row[3], digest=row[4], status=row[5], parent=row[6],
            started_at=row[7], updated_at=row[8], version=row[9], state=orjson.loads(row[10]),
        )
        for row in rows
    ]  # fmt: skip


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
