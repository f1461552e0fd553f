"""The audit trail: append-only, each row carrying the digest of the one before it."""

import hashlib
from dataclasses import dataclass
from typing import Any

import orjson
from sqlite_utils import Database

from bot.model.incident import Actor

GENESIS = "0" * 64
# Where the chain ends: without it, nobody would see that the newest rows are gone.
_HEAD = "audit_head"


def append(
    db: Database, actor: Actor, action: str, object_: str, now: int, detail: dict[str, Any] | None = None
) -> None:
    """Record a privileged act in the transaction that performs it."""
    last = db.conn.execute("SELECT seq, digest FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
    seq, previous = (last[0] + 1, last[1]) if last else (1, GENESIS)
    row = (seq, now, actor.person or actor.name, actor.chat, action, object_, orjson.dumps(detail or {}).decode())
    digest = _digest(previous, row)
    db.conn.execute(
        "INSERT INTO audit (seq, at, actor, chat, action, object, detail, previous, digest)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*row, previous, digest),
    )
    db.conn.execute("INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)", (_HEAD, digest))


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One row of the chain."""

    seq: int
    at: int
    actor: str
    chat: str
    action: str
    object: str
    detail: str
    previous: str
    digest: str


def about(db: Database, object_: str) -> list[AuditRow]:
    """Every row about an object, in their order."""
    rows = db.conn.execute(
        "SELECT seq, at, actor, chat, action, object, detail, previous, digest FROM audit WHERE object = ?"
        " ORDER BY seq",
        (object_,),
    )
    return [AuditRow(*row) for row in rows]


def length(db: Database) -> int:
    """How many rows the chain has."""
    return int(db.conn.execute("SELECT COUNT(*) FROM audit").fetchone()[0])


def verify(db: Database) -> int | None:
    """The sequence number of the first row that was altered, removed or inserted; None when the chain is whole."""
    previous, expected = GENESIS, 1
    for row in db.conn.execute(
        "SELECT seq, at, actor, chat, action, object, detail, previous, digest FROM audit ORDER BY seq"
    ):
        if row[0] != expected or row[7] != previous or row[8] != _digest(previous, row[:7]):
            return int(expected)
        previous, expected = row[8], expected + 1
    head = db.conn.execute("SELECT value FROM setting WHERE name = ?", (_HEAD,)).fetchone()
    return None if previous == (head[0] if head else GENESIS) else expected


def _digest(previous: str, row: tuple[Any, ...]) -> str:
    return hashlib.sha256(previous.encode() + orjson.dumps(list(row))).hexdigest()
