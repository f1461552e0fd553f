"""Keyword rules edited from chat: every edit is a version; the newest live one outranks the configuration file."""

from dataclasses import asdict

import orjson
from sqlite_utils import Database

from bot.model.incident import Actor
from bot.model.post import KeywordRule


def live(db: Database) -> dict[str, tuple[int, KeywordRule]]:
    """``{subject: (version, rule)}`` of the rules that chat edits put in force."""
    rows = db.conn.execute("SELECT subject, version, rule FROM rule WHERE state = 'live' ORDER BY version")
    return {row[0]: (row[1], _rule(row[2])) for row in rows}


def version(db: Database, subject: str, number: int) -> tuple[KeywordRule, str] | None:
    """A stored version with its state: proposed, live, replaced or withdrawn."""
    row = db.conn.execute(
        "SELECT rule, state FROM rule WHERE subject = ? AND version = ?", (subject, number)
    ).fetchone()
    return (_rule(row[0]), row[1]) if row else None


def history(db: Database, subject: str, limit: int = 10) -> list[tuple[int, str, str, int, str]]:
    """``(version, state, who, when, reason)``, newest first."""
    return db.conn.execute(
        "SELECT version, state, actor_name, created_at, reason FROM rule WHERE subject = ?"
        " ORDER BY version DESC LIMIT ?",
        (subject, limit),
    ).fetchall()


def propose(db: Database, subject: str, rule: KeywordRule, actor: Actor, now: int, reason: str = "") -> int:
    """Store a new version that is not in force yet; returns its number."""
    number = int(
        db.conn.execute("SELECT COALESCE(MAX(version), 0) + 1 FROM rule WHERE subject = ?", (subject,)).fetchone()[0]
    )
    db.conn.execute(
        "INSERT INTO rule (subject, version, rule, state, actor, actor_name, created_at, reason)"
        " VALUES (?, ?, ?, 'proposed', ?, ?, ?, ?)",
        (subject, number, orjson.dumps(asdict(rule)).decode(), actor.person, actor.name, now, reason),
    )
    return number


def activate(db: Database, subject: str, number: int) -> bool:
    """Put a version in force in the place of the one before; False if there is no such version."""
    if version(db, subject, number) is None:
        return False
    db.conn.execute("UPDATE rule SET state = 'replaced' WHERE subject = ? AND state = 'live'", (subject,))
    db.conn.execute("UPDATE rule SET state = 'live' WHERE subject = ? AND version = ?", (subject, number))
    return True


def revert(db: Database, subject: str) -> None:
    """Back to the configuration file's rule."""
    db.conn.execute("UPDATE rule SET state = 'replaced' WHERE subject = ? AND state = 'live'", (subject,))


def _rule(text: str) -> KeywordRule:
    return KeywordRule(**{name: tuple(value) for name, value in orjson.loads(text).items()})
