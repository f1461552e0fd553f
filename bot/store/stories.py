"""Stories: copies of one text, each with the signature of its first post; topics: stories that resemble each other."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlite_utils import Database

from bot.model.post import Post, content_of

TEXT = 1_000  # characters of a first post that are compared


@dataclass(frozen=True, slots=True)
class Row:
    """A story as stored; ``text`` is the content of its first post, empty where that is gone."""

    id: int
    topic: int
    signature: bytes
    last_at: int
    text: str
    drill: str = ""


@dataclass(frozen=True, slots=True)
class Fresh:
    """A new story: the signature of its first post, and the topic it joins."""

    signature: bytes
    topic: int


@dataclass(frozen=True, slots=True)
class TopicNow:
    """A topic as it stands: posts, the subjects its first post is about, and the beginning of that post."""

    id: int
    posts: int
    subjects: frozenset[str]
    drill: str
    words: str


def load(db: Database, since: int, limit: int) -> tuple[list[Row], int]:
    """Recent stories, oldest first, and the next free story id."""
    rows = db.conn.execute(
        "SELECT s.id, s.topic, s.signature, s.last_at, p.title, substr(p.text, 1, ?), s.drill FROM story s"
        " LEFT JOIN post p ON p.seq = s.first_post WHERE s.last_at >= ? ORDER BY s.last_at DESC LIMIT ?",
        (TEXT, since, limit),
    ).fetchall()
    following = db.conn.execute("SELECT COALESCE(MAX(id), 0) + 1 FROM story").fetchone()[0]
    found = [Row(row[0], row[1], row[2], row[3], content_of(row[4], row[5] or ""), row[6]) for row in reversed(rows)]
    return found, int(following)


def save(db: Database, members: Sequence[tuple[int, int, Post]], fresh: Mapping[int, Fresh]) -> None:
    """Add posts ``(story id, post sequence number, post)`` to their stories, creating those that are ``fresh``."""
    grown: dict[int, list[int]] = {}
    first: dict[int, tuple[int, Post]] = {}
    for story, seq, post in members:
        entry = grown.setdefault(story, [0, 0])
        entry[0] += 1
        entry[1] = max(entry[1], post.published_at)
        first.setdefault(story, (seq, post))
    db.conn.executemany(
        "INSERT OR IGNORE INTO story (id, drill, first_post, first_at, last_at, size, signature, topic)"
        " VALUES (?, ?, ?, ?, ?, 0, ?, ?)",
        [
            (story, post.drill, seq, post.published_at, post.published_at, fresh[story].signature, fresh[story].topic)
            for story, (seq, post) in first.items()
            if story in fresh
        ],
    )
    db.conn.executemany(
        "UPDATE story SET size = size + ?, last_at = MAX(last_at, ?) WHERE id = ?",
        [(count, last_at, story) for story, (count, last_at) in grown.items()],
    )


def merge(db: Database, kept: int, gone: int) -> None:
    """Every story of the topic ``gone`` belongs to ``kept`` now."""
    db.conn.execute("UPDATE story SET topic = ? WHERE topic = ?", (kept, gone))


def split(db: Database, new: int, stories: Iterable[int]) -> None:
    """These stories are the topic ``new`` now."""
    db.conn.executemany("UPDATE story SET topic = ? WHERE id = ?", [(new, story) for story in stories])


def topic_now(db: Database, topic: int) -> TopicNow | None:
    """How a topic stands; None where nothing of it is stored."""
    row = db.conn.execute(
        "SELECT s.first_post, s.drill, p.title, substr(p.text, 1, 200), (SELECT SUM(size) FROM story WHERE topic = ?)"
        " FROM story s LEFT JOIN post p ON p.seq = s.first_post WHERE s.topic = ? ORDER BY s.size DESC, s.id LIMIT 1",
        (topic, topic),
    ).fetchone()
    if row is None:
        return None
    about = db.conn.execute("SELECT subject FROM mention WHERE post = ?", (row[0],))
    return TopicNow(topic, row[4] or 0, frozenset(one[0] for one in about), row[1], content_of(row[2], row[3] or ""))
