"""Stories: groups of near-duplicate posts, each with the signature of its first post."""

from collections.abc import Mapping, Sequence

from sqlite_utils import Database

from bot.model.post import Post


def load(db: Database, since: int, limit: int) -> tuple[list[tuple[int, bytes, int]], int]:
    """``(id, signature, last_at)`` of recent stories, oldest first, and the next free story id."""
    rows = db.conn.execute(
        "SELECT id, signature, last_at FROM story WHERE last_at >= ? ORDER BY last_at DESC LIMIT ?", (since, limit)
    ).fetchall()
    following = db.conn.execute("SELECT COALESCE(MAX(id), 0) + 1 FROM story").fetchone()[0]
    return [(row[0], row[1], row[2]) for row in reversed(rows)], int(following)


def save(db: Database, members: Sequence[tuple[int, int, Post]], signatures: Mapping[int, bytes]) -> None:
    """Add posts ``(story id, post sequence number, post)`` to their stories, creating those with a new signature."""
    grown: dict[int, list[int]] = {}
    first: dict[int, tuple[int, Post]] = {}
    for story, seq, post in members:
        entry = grown.setdefault(story, [0, 0])
        entry[0] += 1
        entry[1] = max(entry[1], post.published_at)
        first.setdefault(story, (seq, post))
    db.conn.executemany(
        "INSERT OR IGNORE INTO story (id, drill, first_post, first_at, last_at, size, signature)"
        " VALUES (?, ?, ?, ?, ?, 0, ?)",
        [
            (story, post.drill, seq, post.published_at, post.published_at, signatures[story])
            for story, (seq, post) in first.items()
            if story in signatures
        ],
    )
    db.conn.executemany(
        "UPDATE story SET size = size + ?, last_at = MAX(last_at, ?) WHERE id = ?",
        [(count, last_at, story) for story, (count, last_at) in grown.items()],
    )
