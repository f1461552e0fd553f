"""Playbooks as people changed them: every proposal is a version that keeps its text; one of them may be live.

States: ``proposed`` → ``live`` → ``replaced``; ``rejected`` when the owner said no. Where nothing is live the file
counts.
"""

from dataclasses import dataclass

from sqlite_utils import Database

from bot.model.incident import Actor

_EDITION = "library_edition"
_COLUMNS = "playbook, version, text, state, base, reason, actor, actor_name, created_at, decided_by, decided_at"


@dataclass(frozen=True, slots=True)
class Version:
    playbook: str
    version: int
    text: str
    state: str
    base: str
    reason: str
    actor: str
    actor_name: str
    created_at: int
    decided_by: str
    decided_at: int


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """A change wished for in words."""

    id: int
    playbook: str
    words: str
    actor_name: str
    created_at: int


def edition(db: Database) -> str:
    """Changes whenever another version comes into force: whoever remembers it knows when to read again."""
    row = db.conn.execute("SELECT value FROM setting WHERE name = ?", (_EDITION,)).fetchone()
    return str(row[0]) if row else ""


def live(db: Database) -> list[Version]:
    rows = db.conn.execute(f"SELECT {_COLUMNS} FROM playbook_version WHERE state = 'live' ORDER BY playbook")
    return [Version(*row) for row in rows]


def get(db: Database, playbook: str, number: int) -> Version | None:
    row = db.conn.execute(
        f"SELECT {_COLUMNS} FROM playbook_version WHERE playbook = ? AND version = ?", (playbook, number)
    ).fetchone()
    return Version(*row) if row else None


def history(db: Database, playbook: str, limit: int = 20) -> list[Version]:
    """The versions of a playbook, newest first."""
    rows = db.conn.execute(
        f"SELECT {_COLUMNS} FROM playbook_version WHERE playbook = ? ORDER BY version DESC LIMIT ?", (playbook, limit)
    )
    return [Version(*row) for row in rows]


def highest(db: Database, playbook: str) -> int:
    row = db.conn.execute("SELECT MAX(version) FROM playbook_version WHERE playbook = ?", (playbook,)).fetchone()
    return int(row[0] or 0)


def add(
    db: Database, *, playbook: str, version: int, text: str, base: str, reason: str, actor: Actor, now: int
) -> None:
    """Store a proposal."""
    db.conn.execute(
        "INSERT INTO playbook_version (playbook, version, text, state, base, reason, actor, actor_name, created_at)"
        " VALUES (?, ?, ?, 'proposed', ?, ?, ?, ?, ?)",
        (playbook, version, text, base, reason, actor.person, actor.name, now),
    )


def put_in_force(db: Database, playbook: str, version: int, actor: Actor, now: int) -> None:
    """Let a version count in the place of the one before; ``version`` 0 means the file."""
    db.conn.execute("UPDATE playbook_version SET state = 'replaced' WHERE playbook = ? AND state = 'live'", (playbook,))
    _decide(db, playbook, version, "live", actor, now)
    db.conn.execute(
        "INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)", (_EDITION, f"{playbook}:{version}:{now}")
    )


def reject(db: Database, playbook: str, version: int, actor: Actor, now: int) -> None:
    _decide(db, playbook, version, "rejected", actor, now)


def wish(db: Database, playbook: str, words: str, actor: Actor, now: int) -> int:
    """Keep a change request; returns its number."""
    cursor = db.conn.execute(
        "INSERT INTO playbook_request (playbook, words, actor, actor_name, created_at) VALUES (?, ?, ?, ?, ?)",
        (playbook, words, actor.person, actor.name, now),
    )
    return int(cursor.lastrowid or 0)


def wishes(db: Database, playbook: str) -> list[ChangeRequest]:
    """The open change requests, oldest first."""
    rows = db.conn.execute(
        "SELECT id, playbook, words, actor_name, created_at FROM playbook_request"
        " WHERE playbook = ? AND state = 'open' ORDER BY id",
        (playbook,),
    )
    return [ChangeRequest(*row) for row in rows]


def settle_wish(db: Database, number: int) -> bool:
    """Take a change request off the list; False if there is no open one of that number."""
    return bool(
        db.conn.execute(
            "UPDATE playbook_request SET state = 'settled' WHERE id = ? AND state = 'open'", (number,)
        ).rowcount
    )


def _decide(db: Database, playbook: str, version: int, state: str, actor: Actor, now: int) -> None:
    db.conn.execute(
        "UPDATE playbook_version SET state = ?, decided_by = ?, decided_at = ? WHERE playbook = ? AND version = ?",
        (state, actor.person or actor.name, now, playbook, version),
    )
