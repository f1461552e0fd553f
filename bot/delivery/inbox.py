"""The inbox: what people did, as rows, stored before the chat is told that it arrived."""

import orjson
from sqlite_utils import Database

from bot.model.message import Event


def accept(db: Database, key: str, event: Event, now: int) -> bool:
    """Store an event once per (chat, key); returns whether it is new. Acknowledge only after the commit."""
    return bool(
        db.conn.execute(
            "INSERT INTO inbox (chat, key, payload, received_at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (chat, key) DO NOTHING",
            (event.chat, key, orjson.dumps(event.to_json()).decode(), now),
        ).rowcount
    )


def waiting(db: Database, limit: int = 100) -> list[tuple[int, Event, int, int]]:
    """``(row id, event, received_at, attempts)`` of what has not been handled, oldest first."""
    rows = db.conn.execute(
        "SELECT id, payload, received_at, attempts FROM inbox WHERE state = 'new' ORDER BY id LIMIT ?", (limit,)
    )
    return [(row[0], Event.from_json(orjson.loads(row[1])), row[2], row[3]) for row in rows]


def is_settled(db: Database, chat: str, key: str) -> bool:
    """Whether an event has been handled, or given up."""
    row = db.conn.execute("SELECT state FROM inbox WHERE chat = ? AND key = ?", (chat, key)).fetchone()
    return row is not None and row[0] != "new"


def done(db: Database, row_id: int, now: int) -> None:
    """Mark as handled, in the transaction of the effects."""
    db.conn.execute("UPDATE inbox SET state = 'done', done_at = ? WHERE id = ?", (now, row_id))


def failed(db: Database, row_id: int, now: int, error: str, *, give_up: bool) -> None:
    """Count a failed try; ``give_up`` takes the row out of the queue, kept with its error."""
    db.conn.execute(
        "UPDATE inbox SET attempts = attempts + 1, error = ?, state = ?, done_at = ? WHERE id = ?",
        (error[:500], "failed" if give_up else "new", now if give_up else 0, row_id),
    )
