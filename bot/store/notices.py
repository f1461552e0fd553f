"""Notices to affected customers as rows. Personal data stands in ``notice_person`` alone, no longer than needed.

States of a notice: ``counting`` → ``counted`` → ``sending`` ⇄ ``stopped`` → ``done``; ``failed`` when the list could
not be read, ``simulated`` in a drill. States of a person: ``excluded`` with a reason, ``waiting``, ``queued`` (the
outbox has it; there stands whether it was sent).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlite_utils import Database

from bot.model.message import masked

_COLUMNS = "id, incident, run, step, segment, drill, state, title, text, params, counts, error, asked_by, created_at"


@dataclass(frozen=True, slots=True)
class Notice:
    id: int
    incident: str
    run: str
    step: str
    segment: str
    drill: str
    state: str
    title: str
    text: str
    params: dict[str, Any]
    counts: dict[str, int]
    error: str
    asked_by: str
    created_at: int


@dataclass(frozen=True, slots=True)
class Recipient:
    """One person of a segment; ``reason`` says why somebody is excluded: consent, address, doubled, too_long, field."""

    name: str
    channel: str
    address: str
    fields: dict[str, str]
    reason: str = ""


def create(
    db: Database, *, incident: str, run: str, step: str, segment: str, drill: str, title: str, text: str,
    params: dict[str, Any], asked_by: str, now: int,
) -> Notice:  # fmt: skip
    cursor = db.conn.execute(
        "INSERT INTO notice (incident, run, step, segment, drill, state, title, text, params, asked_by, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            incident, run, step, segment, drill, "simulated" if drill else "counting", title, text,
            orjson.dumps(params).decode(), asked_by, now,
        ),
    )  # fmt: skip
    found = get(db, int(cursor.lastrowid or 0))
    assert found is not None
    return found


def get(db: Database, notice_id: int) -> Notice | None:
    row = db.conn.execute(f"SELECT {_COLUMNS} FROM notice WHERE id = ?", (notice_id,)).fetchone()
    return _notice(row) if row else None


def recent(db: Database, incident: str = "", limit: int = 10) -> list[Notice]:
    where, values = ("incident = ?", [incident]) if incident else ("1", [])
    rows = db.conn.execute(f"SELECT {_COLUMNS} FROM notice WHERE {where} ORDER BY id DESC LIMIT ?", (*values, limit))
    return [_notice(row) for row in rows]


def move(db: Database, notice_id: int, state: str, *, only_from: Iterable[str], error: str = "") -> bool:
    """Change a notice's state if it is in one of ``only_from``."""
    states = list(only_from)
    return bool(
        db.conn.execute(
            f"UPDATE notice SET state = ?, error = ? WHERE id = ? AND state IN ({', '.join('?' * len(states))})",
            (state, error[:500], notice_id, *states),
        ).rowcount
    )


def set_counts(db: Database, notice_id: int, counts: dict[str, int]) -> None:
    db.conn.execute("UPDATE notice SET counts = ? WHERE id = ?", (orjson.dumps(counts).decode(), notice_id))


def fill(db: Database, notice_id: int, people: Sequence[Recipient]) -> None:
    """Put a segment's people down. Whoever is excluded leaves neither name nor address behind."""
    db.conn.executemany(
        "INSERT OR IGNORE INTO notice_person (notice, number, name, channel, address, fields, state, reason)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (notice_id, number, "", person.channel, "", "{}", "excluded", person.reason)
            if person.reason
            else (
                notice_id, number, person.name, person.channel, person.address, orjson.dumps(person.fields).decode(),
                "waiting", "",
            )
            for number, person in enumerate(people, 1)
        ],
    )  # fmt: skip


def waiting(db: Database, notice_id: int, limit: int) -> list[tuple[int, Recipient]]:
    rows = db.conn.execute(
        "SELECT number, name, channel, address, fields FROM notice_person WHERE notice = ? AND state = 'waiting'"
        " ORDER BY number LIMIT ?",
        (notice_id, limit),
    )
    return [(row[0], Recipient(row[1], row[2], row[3], orjson.loads(row[4]))) for row in rows]


def queued(db: Database, notice_id: int, numbers: Sequence[int]) -> None:
    db.conn.executemany(
        "UPDATE notice_person SET state = 'queued' WHERE notice = ? AND number = ?",
        [(notice_id, number) for number in numbers],
    )


def key(notice_id: int, number: int) -> str:
    """The outbox key of one person's notice."""
    return f"notice:{notice_id}:{number}"


def take_back(db: Database, notice_id: int) -> int:
    """Take what has not left out of the outbox again; returns how many people now wait."""
    rows = db.conn.execute(
        "SELECT number FROM notice_person WHERE notice = ? AND state = 'queued' AND EXISTS (SELECT 1 FROM outbox"
        " WHERE outbox.key = 'notice:' || notice || ':' || number AND outbox.state = 'waiting')",
        (notice_id,),
    ).fetchall()
    for (number,) in rows:
        db.conn.execute("DELETE FROM outbox WHERE key = ? AND state = 'waiting'", (key(notice_id, number),))
        db.conn.execute(
            "UPDATE notice_person SET state = 'waiting' WHERE notice = ? AND number = ?", (notice_id, number)
        )
    return len(rows)


def progress(db: Database, notice_id: int) -> dict[str, int]:
    """People by what became of them: waiting, queued, sent, failed, excluded."""
    rows = db.conn.execute(
        "SELECT CASE WHEN p.state <> 'queued' THEN p.state WHEN o.state = 'sent' THEN 'sent'"
        " WHEN o.state IN ('failed', 'collapsed') THEN 'failed' ELSE 'queued' END AS became, COUNT(*)"
        " FROM notice_person p LEFT JOIN outbox o ON o.key = 'notice:' || p.notice || ':' || p.number"
        " WHERE p.notice = ? GROUP BY became",
        (notice_id,),
    )
    return dict(rows.fetchall())


def people(db: Database, notice_id: int) -> list[tuple[int, str, str, str]]:
    """``(number, channel, what became of it, error)`` of everybody who is not excluded; nobody's name or address, not
    even where a mail server repeats it in its refusal."""
    rows = db.conn.execute(
        "SELECT p.number, p.channel, CASE WHEN p.state = 'waiting' THEN 'waiting' ELSE COALESCE(o.state, 'gone') END,"
        " COALESCE(o.error, ''), p.address FROM notice_person p LEFT JOIN outbox o"
        " ON o.key = 'notice:' || p.notice || ':' || p.number WHERE p.notice = ? AND p.state <> 'excluded'"
        " ORDER BY p.number",
        (notice_id,),
    )
    return [
        (row[0], row[1], row[2], row[3].replace(row[4], masked(f"{row[1]}:{row[4]}").partition(":")[2])) for row in rows
    ]


def forget(db: Database, notice_id: int) -> None:
    """Remove everybody's data: names, addresses, fields, and the letters themselves."""
    for (number,) in db.conn.execute("SELECT number FROM notice_person WHERE notice = ?", (notice_id,)).fetchall():
        db.conn.execute("DELETE FROM outbox WHERE key = ?", (key(notice_id, number),))
    db.conn.execute("DELETE FROM notice_person WHERE notice = ?", (notice_id,))
    db.conn.execute("UPDATE notice SET params = '{}' WHERE id = ?", (notice_id,))


def _notice(row: Any) -> Notice:
    return Notice(
        id=row[0], incident=row[1], run=row[2], step=row[3], segment=row[4], drill=row[5], state=row[6], title=row[7],
        text=row[8], params=orjson.loads(row[9]), counts=orjson.loads(row[10]), error=row[11], asked_by=row[12],
        created_at=row[13],
    )  # fmt: skip
