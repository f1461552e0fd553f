"""Statements as rows: the record, its versions, what happened to it, who votes for whom, who has the form open."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from sqlite_utils import Database

from bot.model.grade import Grade
from bot.model.incident import Actor
from bot.model.statement import Finding, Statement, StatementKind, StatementStatus, Version

_COLUMNS = (
    "id, incident, drill, kind, audience, language, status, grade, version, created_at, updated_at, revision, template,"
    " strategy, run, step, replaces, channels"
)
_VERSION = "v.number, v.title, v.body, v.author, v.author_name, v.chat, v.created_at, v.reason, v.aside"
_ENDED = "('published', 'corrected', 'withdrawn', 'discarded')"
# A form that was opened and neither sent nor closed is forgotten after this time.
EDITING = 15 * 60_000


@dataclass(frozen=True, slots=True)
class StatementEvent:
    """Something that happened. ``kind``: drafted, edited, aside, commented, asked, voted, approved, rejected, voided,
    lapsed, overridden, withdrawn, escalated, delegated, scheduled, publishing, published, discarded …"""

    id: int
    statement: str
    version: int
    digest: str
    kind: str
    detail: dict[str, Any]
    actor: str
    actor_name: str
    chat: str
    at: int


def next_id(db: Database) -> str:
    """The id of the next statement: ``S-12``."""
    return f"S-{db.conn.execute('SELECT COALESCE(MAX(number), 0) + 1 FROM statement').fetchone()[0]}"


def insert(db: Database, statement: Statement) -> None:
    db.conn.execute(
        f"INSERT INTO statement (number, {_COLUMNS}) VALUES ({', '.join('?' * 19)})",
        (
            int(statement.id.partition("-")[2]), statement.id, statement.incident, statement.drill,
            statement.kind.value, statement.audience, statement.language, statement.status.value,
            int(statement.grade), statement.version, statement.created_at, statement.updated_at, statement.revision,
            statement.template, statement.strategy, statement.run, statement.step, statement.replaces,
            orjson.dumps(statement.channels).decode(),
        ),
    )  # fmt: skip


def save(db: Database, statement: Statement, approval: dict[str, Any], now: int) -> Statement:
    """Store a changed statement with the state of its approval; its revision goes up."""
    after = replace(statement, updated_at=now, revision=statement.revision + 1)
    db.conn.execute(
        "UPDATE statement SET status = ?, grade = ?, version = ?, updated_at = ?, revision = ?, approval = ?"
        " WHERE id = ?",
        (
            after.status.value, int(after.grade), after.version, now, after.revision, orjson.dumps(approval).decode(),
            after.id,
        ),
    )  # fmt: skip
    return after


def get(db: Database, statement_id: str) -> Statement | None:
    row = db.conn.execute(f"SELECT {_COLUMNS} FROM statement WHERE id = ?", (statement_id,)).fetchone()
    return _statement(row) if row else None


def approval(db: Database, statement_id: str) -> dict[str, Any]:
    """The stored state of the approval."""
    row = db.conn.execute("SELECT approval FROM statement WHERE id = ?", (statement_id,)).fetchone()
    return dict(orjson.loads(row[0])) if row else {}


def of_incident(db: Database, incident: str, *, open_only: bool = False) -> list[Statement]:
    """The statements of an incident, oldest first."""
    wanted = f" AND status NOT IN {_ENDED}" if open_only else ""
    rows = db.conn.execute(f"SELECT {_COLUMNS} FROM statement WHERE incident = ?{wanted} ORDER BY number", (incident,))
    return [_statement(row) for row in rows]


def of_step(db: Database, run: str, step: str) -> Statement | None:
    """The newest statement that a playbook step asked for."""
    row = db.conn.execute(
        f"SELECT {_COLUMNS} FROM statement WHERE run = ? AND step = ? ORDER BY number DESC LIMIT 1", (run, step)
    ).fetchone()
    return _statement(row) if row else None


def open_statements(db: Database) -> list[Statement]:
    rows = db.conn.execute(f"SELECT {_COLUMNS} FROM statement WHERE status NOT IN {_ENDED} ORDER BY number")
    return [_statement(row) for row in rows]


def published(db: Database, *, drill: str = "", limit: int = 500) -> list[tuple[Statement, Version, int]]:
    """What is out, newest first, with its text and when it was published."""
    rows = db.conn.execute(
        f"SELECT {', '.join('s.' + name for name in _COLUMNS.split(', '))}, {_VERSION},"
        " COALESCE((SELECT MAX(at) FROM statement_event e WHERE e.statement = s.id AND e.kind = 'published'), 0)"
        " FROM statement s JOIN statement_version v ON v.statement = s.id AND v.number = s.version"
        " WHERE s.status IN ('published', 'corrected', 'withdrawn') AND s.drill = ? ORDER BY s.number DESC LIMIT ?",
        (drill, limit),
    ).fetchall()
    found = []
    for row in rows:
        statement = _statement(row[:18])
        found.append((statement, _version(statement, row[18:27]), int(row[27])))
    return found


# -- versions


def add_version(db: Database, version: Version, findings: Sequence[Finding]) -> None:
    db.conn.execute(
        "INSERT INTO statement_version (statement, number, title, body, digest, author, author_name, chat, created_at,"
        " reason, aside, findings) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            version.statement, version.number, version.title, version.body, version.digest, version.author,
            version.author_name, version.chat, version.created_at, version.reason, int(version.aside),
            _findings_json(findings),
        ),
    )  # fmt: skip


def set_findings(db: Database, version: Version, findings: Sequence[Finding]) -> None:
    """What a newer look at the same text found."""
    db.conn.execute(
        "UPDATE statement_version SET findings = ? WHERE statement = ? AND number = ?",
        (_findings_json(findings), version.statement, version.number),
    )


def version(db: Database, statement: Statement, number: int = 0) -> Version | None:
    """One text of a statement: the current one without a number."""
    row = db.conn.execute(
        f"SELECT {_VERSION} FROM statement_version v WHERE statement = ? AND number = ?",
        (statement.id, number or statement.version),
    ).fetchone()
    return _version(statement, row) if row else None


def versions(db: Database, statement: Statement) -> list[Version]:
    """All texts, oldest first, those set aside among them."""
    rows = db.conn.execute(
        f"SELECT {_VERSION} FROM statement_version v WHERE statement = ? ORDER BY number", (statement.id,)
    )
    return [_version(statement, row) for row in rows]


def next_version(db: Database, statement_id: str) -> int:
    row = db.conn.execute("SELECT MAX(number) FROM statement_version WHERE statement = ?", (statement_id,)).fetchone()
    return int(row[0] or 0) + 1


def findings(db: Database, statement_id: str, number: int) -> list[Finding]:
    row = db.conn.execute(
        "SELECT findings FROM statement_version WHERE statement = ? AND number = ?", (statement_id, number)
    ).fetchone()
    return [Finding.from_json(item) for item in orjson.loads(row[0])] if row else []


# -- what happened


def note(
    db: Database, statement: Statement, digest: str, kind: str, actor: Actor, now: int, detail: dict[str, Any]
) -> None:
    db.conn.execute(
        "INSERT INTO statement_event (statement, version, digest, kind, detail, actor, actor_name, chat, at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            statement.id, statement.version, digest, kind, orjson.dumps(detail).decode(), actor.person, actor.name,
            actor.chat, now,
        ),
    )  # fmt: skip


def events(db: Database, statement_id: str, *kinds: str) -> list[StatementEvent]:
    """What happened to a statement, oldest first; only of these kinds if any are given."""
    wanted = f" AND kind IN ({', '.join('?' * len(kinds))})" if kinds else ""
    rows = db.conn.execute(
        "SELECT id, statement, version, digest, kind, detail, actor, actor_name, chat, at FROM statement_event"
        f" WHERE statement = ?{wanted} ORDER BY id",
        (statement_id, *kinds),
    )
    return [
        StatementEvent(
            id=row[0], statement=row[1], version=row[2], digest=row[3], kind=row[4], detail=orjson.loads(row[5]),
            actor=row[6], actor_name=row[7], chat=row[8], at=row[9],
        )
        for row in rows
    ]  # fmt: skip


def votes(db: Database, statement_id: str) -> list[StatementEvent]:
    """Every yes and no there ever was, with the digest it was for."""
    return events(db, statement_id, "voted", "rejected")


def overrides(db: Database, statement_id: str, digest: str = "") -> list[StatementEvent]:
    """Findings that a role let pass with a reason; for one text if its digest is given."""
    return [item for item in events(db, statement_id, "overridden") if not digest or item.digest == digest]


# -- who votes for whom


def delegate(db: Database, person: str, to: str, statement: str, until: int, now: int) -> None:
    """``to`` empty takes it back."""
    db.conn.execute("DELETE FROM delegation WHERE person = ? AND statement = ?", (person, statement))
    if to:
        db.conn.execute(
            "INSERT INTO delegation (person, to_person, statement, until_at, created_at) VALUES (?, ?, ?, ?, ?)",
            (person, to, statement, until, now),
        )


def delegations(db: Database, statement: str, now: int) -> dict[str, str]:
    """Person → who votes for them on this statement at this moment; one for this statement outranks a general one."""
    rows = db.conn.execute(
        "SELECT person, to_person FROM delegation WHERE statement IN ('', ?) AND (until_at = 0 OR until_at > ?)"
        " ORDER BY statement",
        (statement, now),
    )
    return {str(row[0]): str(row[1]) for row in rows}


# -- the second factor


def last_step(db: Database, person: str) -> int:
    """The time step of the last code a person used: it is not taken twice."""
    row = db.conn.execute("SELECT step FROM second_factor WHERE person = ?", (person,)).fetchone()
    return int(row[0]) if row else 0


def use_step(db: Database, person: str, step: int) -> None:
    db.conn.execute("INSERT OR REPLACE INTO second_factor (person, step) VALUES (?, ?)", (person, step))


# -- who has the form open


def begin_editing(db: Database, statement: Statement, person: str, name: str, now: int) -> None:
    db.conn.execute(
        "INSERT OR REPLACE INTO statement_editing (statement, person, person_name, version, since)"
        " VALUES (?, ?, ?, ?, ?)",
        (statement.id, person, name, statement.version, now),
    )


def end_editing(db: Database, statement_id: str, person: str) -> None:
    db.conn.execute("DELETE FROM statement_editing WHERE statement = ? AND person = ?", (statement_id, person))


def editors(db: Database, statement_id: str, now: int) -> list[tuple[str, str, int]]:
    """``(person, name, since)`` of whoever opened the form lately and has not sent it."""
    rows = db.conn.execute(
        "SELECT person, person_name, since FROM statement_editing WHERE statement = ? AND since > ? ORDER BY since",
        (statement_id, now - EDITING),
    )
    return [(str(row[0]), str(row[1]), int(row[2])) for row in rows]


def _findings_json(found: Sequence[Finding]) -> str:
    return orjson.dumps([finding.to_json() for finding in found]).decode()


def _statement(row: Sequence[Any]) -> Statement:
    return Statement(
        id=row[0], incident=row[1], drill=row[2], kind=StatementKind(row[3]), audience=row[4], language=row[5],
        status=StatementStatus(row[6]), grade=Grade(row[7]), version=row[8], created_at=row[9], updated_at=row[10],
        revision=row[11], template=row[12], strategy=row[13], run=row[14], step=row[15], replaces=row[16],
        channels=tuple(orjson.loads(row[17])),
    )  # fmt: skip


def _version(statement: Statement, row: Sequence[Any]) -> Version:
    number, title, body, author, author_name, chat, created_at, reason, aside = row
    return Version(
        statement.id, number, statement.audience, statement.language, title, body, author, author_name, chat,
        created_at, reason, bool(aside),
    )  # fmt: skip
