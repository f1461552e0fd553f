"""What the store knows of each source: cursor, moments, failures, health. One row a source."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlite_utils import Database

from bot.model.text import Text

REJECTED_KEPT = 200
GAPS_KEPT = 32
# Arrivals closer than this are one arrival: a stream of pushes tells its rhythm just as well.
SHORTEST_GAP = 1_000
_COLUMNS = (
    "source, cursor, next_due_at, last_try_at, last_success_at, last_post_at, failures, last_error, health, "
    "health_since, posts, first_seen_at"
)


@dataclass(slots=True)
class SourceState:
    """One row. ``cursor`` is the source's own; ``gaps`` are milliseconds between its last arrivals of posts;
    ``last_error`` is empty or the JSON of a ``Text``, see ``explain``. Moments are 0 for never."""

    source: str
    cursor: dict[str, Any] = field(default_factory=dict)
    gaps: tuple[int, ...] = ()
    next_due_at: int = 0
    last_try_at: int = 0
    last_success_at: int = 0
    last_post_at: int = 0
    failures: int = 0
    last_error: str = ""
    health: str = "new"
    health_since: int = 0
    posts: int = 0
    first_seen_at: int = 0

    def note_success(self, count: int, now: int) -> None:
        """A poll or push came through with ``count`` posts, old or new ones not told apart by the caller."""
        self.last_success_at = now
        self.failures = 0
        self.last_error = ""
        if count <= 0:
            return
        if self.last_post_at and now - self.last_post_at >= SHORTEST_GAP:
            self.gaps = (*self.gaps, now - self.last_post_at)[-GAPS_KEPT:]
        self.last_post_at = max(self.last_post_at, now)
        self.posts += count


def explain(last_error: str) -> Text | str:
    """The stored error as a sentence that can be rendered."""
    if not last_error.startswith("{"):
        return last_error
    try:
        return Text.from_json(json.loads(last_error))
    except (ValueError, KeyError, TypeError):
        return last_error


def load(db: Database, source: str) -> SourceState | None:
    row = db.conn.execute(f"SELECT {_COLUMNS} FROM source_state WHERE source = ?", (source,)).fetchone()
    return _state(row) if row else None


def ensure(db: Database, source: str, now: int) -> SourceState:
    """The state of a source, made on first sight."""
    found = load(db, source)
    if found is not None:
        return found
    state = SourceState(source, health_since=now, first_seen_at=now)
    save(db, state)
    return state


def every(db: Database) -> dict[str, SourceState]:
    """All states by source id."""
    rows = db.conn.execute(f"SELECT {_COLUMNS} FROM source_state ORDER BY source")
    return {row[0]: _state(row) for row in rows}


def save(db: Database, state: SourceState) -> None:
    packed = json.dumps({"cursor": state.cursor, "gaps": state.gaps}, ensure_ascii=False)
    db.conn.execute(
        f"INSERT OR REPLACE INTO source_state ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            state.source, packed, state.next_due_at, state.last_try_at, state.last_success_at, state.last_post_at,
            state.failures, state.last_error, state.health, state.health_since, state.posts, state.first_seen_at,
        ),
    )  # fmt: skip


def reject(db: Database, source: str, rejected: Iterable[tuple[str, str]], now: int) -> None:
    """Keep the last refused items of a source, (item as JSON, what is wrong), for whoever mends the mapping."""
    rows = [(source, error, item, now) for item, error in list(rejected)[-REJECTED_KEPT:]]
    if not rows:
        return
    db.conn.executemany("INSERT INTO rejected_post (source, error, item, rejected_at) VALUES (?, ?, ?, ?)", rows)
    db.conn.execute(
        "DELETE FROM rejected_post WHERE source = ? AND id NOT IN "
        "(SELECT id FROM rejected_post WHERE source = ? ORDER BY id DESC LIMIT ?)",
        (source, source, REJECTED_KEPT),
    )


def _state(row: tuple[Any, ...]) -> SourceState:
    try:
        packed = json.loads(row[1])
    except ValueError:
        packed = {}
    packed = packed if isinstance(packed, Mapping) else {}
    return SourceState(row[0], dict(packed.get("cursor") or {}), tuple(packed.get("gaps") or ()), *row[2:])
