"""The outbox: messages as rows, written in the transaction of the change that causes them.

Row states: ``waiting`` → ``sending`` → ``sent``; ``failed`` when the chat refuses the message for good;
``collapsed`` when a newer edit of the same object took over a row that had not left yet.
"""

import json
from dataclasses import dataclass, replace
from typing import Any

import orjson
from sqlite_utils import Database

from bot.model.message import Message


@dataclass(frozen=True, slots=True)
class Row:
    """One outbox row as the sender sees it. ``attempts`` counts earlier tries; ``unclear`` says that one of them may
    have reached the chat."""

    id: int
    key: str
    message: Message
    attempts: int
    unclear: bool
    created_at: int


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an object stands: ``anchor`` is the chat's id for look-ups by thread, ``reference`` what the adapter needs
    to rewrite it."""

    anchor: str
    reference: dict[str, Any]


def enqueue(db: Database, message: Message, key: str, now: int, not_before: int = 0) -> bool:
    """Queue a message once per ``key``, to leave no earlier than ``not_before``; returns whether it is new.

    An edit of an object whose last edit has not left yet takes that row's place in the queue: only the newest state
    is worth sending, and the order of everything else stays.
    """
    if db.conn.execute("SELECT 1 FROM outbox WHERE key = ?", (key,)).fetchone():
        return False
    state = "waiting"
    if message.object:
        message = _with_reason_of_waiting(db, message)
    body = orjson.dumps(message.to_json()).decode()
    if message.object:
        replaced = db.conn.execute(
            "UPDATE outbox SET message = ? WHERE destination = ? AND object = ? AND state = 'waiting'",
            (body, message.destination, message.object),
        ).rowcount
        state = "collapsed" if replaced else "waiting"
        # The same object held back on another lane of this address would overwrite what is sent now: it is superseded.
        db.conn.execute(
            "UPDATE outbox SET state = 'collapsed' WHERE object = ? AND state = 'waiting' AND destination <> ?"
            " AND (destination = ? OR destination LIKE ? ESCAPE '\\')",
            (message.object, message.destination, _place(message.destination), _like(_place(message.destination))),
        )
    db.conn.execute(
        "INSERT INTO outbox (destination, object, key, message, drill, state, created_at, not_before)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (message.destination, message.object, key, body, message.drill, state, now, max(now, not_before)),
    )
    return True


def _with_reason_of_waiting(db: Database, message: Message) -> Message:
    """An edit without a reason that takes the place of one with a reason carries it on: the state is the newest, and
    those who are to be called still are (chats that cannot rewrite post only what has a reason)."""
    row = db.conn.execute(
        "SELECT message FROM outbox WHERE destination = ? AND object = ? AND state = 'waiting' LIMIT 1",
        (message.destination, message.object),
    ).fetchone()
    if row is None:
        return message
    waiting = Message.from_json(orjson.loads(row[0]))
    return replace(
        message,
        reason=message.reason or waiting.reason,
        mentions=tuple(dict.fromkeys([*message.mentions, *waiting.mentions])),
    )


def destinations(db: Database) -> list[tuple[str, int, int]]:
    """``(destination, head's not_before, head's id)`` of every destination with something to send. It leaps from one
    destination to the next, so that its price is their number and not that of the thousands of rows behind them."""
    return [
        (row[0], row[1], row[2])
        for row in db.conn.execute(
            "WITH RECURSIVE place (name) AS ("
            " SELECT MIN(destination) FROM outbox WHERE state IN ('waiting', 'sending')"
            " UNION ALL SELECT (SELECT MIN(destination) FROM outbox WHERE state IN ('waiting', 'sending')"
            " AND destination > place.name) FROM place WHERE place.name IS NOT NULL)"
            " SELECT outbox.destination, outbox.not_before, outbox.id FROM place JOIN outbox ON outbox.id ="
            " (SELECT MIN(id) FROM outbox WHERE state IN ('waiting', 'sending') AND destination = place.name)"
        )
    ]


def claim(db: Database, destination: str, now: int) -> Row | None:
    """Take the head of a destination's queue if its time has come. A head found ``sending`` was interrupted: its
    outcome is unclear."""
    row = db.conn.execute(
        "SELECT id, key, message, attempts, state, created_at, not_before FROM outbox"
        " WHERE destination = ? AND state IN ('waiting', 'sending') ORDER BY id LIMIT 1",
        (destination,),
    ).fetchone()
    if row is None or row[6] > now:
        return None
    db.conn.execute(
        "UPDATE outbox SET state = 'sending', claimed_at = ?, attempts = attempts + 1 WHERE id = ?", (now, row[0])
    )
    return Row(row[0], row[1], Message.from_json(orjson.loads(row[2])), row[3], row[4] == "sending", row[5])


def sent(db: Database, row: Row, now: int, placement: Placement | None) -> None:
    """Record the send, after the send; remember where the object now stands."""
    db.conn.execute("UPDATE outbox SET state = 'sent', sent_at = ?, error = '' WHERE id = ?", (now, row.id))
    if placement is not None and row.message.object:
        place(db, row.message.object, row.message.destination, placement, now)


def later(db: Database, row: Row, not_before: int, error: str, *, unclear: bool) -> None:
    """Put a row back at the head of its queue. ``unclear`` keeps it marked as perhaps delivered."""
    db.conn.execute(
        "UPDATE outbox SET state = ?, not_before = ?, error = ? WHERE id = ?",
        ("sending" if unclear else "waiting", not_before, error[:500], row.id),
    )


def failed(db: Database, row: Row, error: str) -> None:
    db.conn.execute("UPDATE outbox SET state = 'failed', error = ? WHERE id = ?", (error[:500], row.id))


def place(db: Database, object_: str, destination: str, placement: Placement, now: int) -> None:
    db.conn.execute(
        "INSERT INTO placement (object, destination, anchor, reference, placed_at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (object, destination) DO UPDATE SET anchor = excluded.anchor, reference = excluded.reference",
        (object_, _place(destination), placement.anchor, json.dumps(placement.reference), now),
    )


def placement(db: Database, object_: str, destination: str) -> Placement | None:
    """Where an object stands in a destination; the lane of the destination does not matter."""
    row = db.conn.execute(
        "SELECT anchor, reference FROM placement WHERE object = ? AND destination = ?",
        (object_, _place(destination)),
    ).fetchone()
    return Placement(row[0], json.loads(row[1])) if row else None


def placements(db: Database, object_: str) -> dict[str, Placement]:
    """Every destination an object stands in."""
    rows = db.conn.execute("SELECT destination, anchor, reference FROM placement WHERE object = ?", (object_,))
    return {row[0]: Placement(row[1], json.loads(row[2])) for row in rows}


def leaving(db: Database, object_: str, destination: str) -> bool:
    """Whether a message of this object is being sent to the destination at this moment."""
    row = db.conn.execute(
        "SELECT 1 FROM outbox WHERE destination = ? AND object = ? AND state = 'sending'", (destination, object_)
    ).fetchone()
    return row is not None


def object_at(db: Database, anchor: str) -> str:
    """The object that stands at a chat's anchor, empty if none does."""
    row = db.conn.execute("SELECT object FROM placement WHERE anchor = ? ORDER BY placed_at DESC", (anchor,)).fetchone()
    if row is None and "/" in anchor:
        # Anything said in a room that was opened for one object is about it: ``C0ROOM/…``, destination ``slack:+…``.
        room = anchor.partition("/")[0]
        row = db.conn.execute(
            "SELECT object FROM placement WHERE anchor >= ? AND anchor < ? AND destination LIKE '%:+%'",
            (f"{room}/", f"{room}0"),
        ).fetchone()
    return str(row[0]) if row else ""


def rewound(db: Database, now: int, before: int) -> None:
    """The clock was set back: what was ready or retried by the earlier time does not wait for that to come again. What
    is held back on purpose stays held back."""
    db.conn.execute(
        "UPDATE outbox SET not_before = ? WHERE state IN ('waiting', 'sending') AND not_before > ? AND not_before <= ?"
        " AND (attempts > 0 OR not_before = created_at)",
        (now, now, before),
    )


def backlog(db: Database) -> dict[str, int]:
    """Rows by state, without the ones sent or collapsed."""
    return dict(
        db.conn.execute(
            "SELECT state, COUNT(*) FROM outbox WHERE state IN ('waiting', 'sending') GROUP BY state"
            " UNION ALL SELECT state, COUNT(*) FROM outbox WHERE state = 'failed' GROUP BY state"
        ).fetchall()
    )


def _place(destination: str) -> str:
    """A destination without its lane."""
    return destination.partition("#")[0]


def _like(place: str) -> str:
    """The LIKE pattern of every lane of a place."""
    for special in ("\\", "%", "_"):
        place = place.replace(special, "\\" + special)
    return place + "#%"
