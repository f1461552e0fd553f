"""Minute and hour counts as the warning room reads them."""

from dataclasses import dataclass
from typing import NamedTuple

from sqlite_utils import Database


class Bucket(NamedTuple):
    """Posts of one minute, family, platform and sentiment (-1, 0, 1). ``engagement`` is actions, not views;
    ``carrier_post`` and ``top_post`` are store sequence numbers, 0 for none. A tuple, since every judgement reads
    hundreds."""

    minute: int
    family: str
    platform: str
    sentiment: int
    count: int  # type: ignore[assignment]  # posts; nobody counts in this tuple
    engagement: int
    carrier: int
    carrier_post: int
    top_influence: int
    top_post: int


@dataclass(frozen=True, slots=True)
class TermCount:
    """How often a crisis type or a watch word stood in non-positive posts of one family since some minute."""

    kind: str
    word: str
    family: str
    count: int


def buckets(
    db: Database, subject: str, drill: str, since_minute: int, until_minute: int, whole_from: int = 0
) -> list[Bucket]:
    """The minute counts of a subject. Before the minute ``whole_from`` only those that somebody of weight carried."""
    if whole_from > since_minute:
        rows = db.conn.execute(
            "SELECT minute, family, platform, sentiment, count, engagement, carrier, carrier_post, top_influence,"
            " top_post FROM bucket WHERE subject = ? AND drill = ? AND minute >= ? AND minute <= ?"
            " AND (minute >= ? OR carrier > 0)",
            (subject, drill, since_minute, until_minute, whole_from),
        )
        return list(map(Bucket._make, rows))
    rows = db.conn.execute(
        "SELECT minute, family, platform, sentiment, count, engagement, carrier, carrier_post, top_influence, top_post"
        " FROM bucket WHERE subject = ? AND drill = ? AND minute >= ? AND minute <= ?",
        (subject, drill, since_minute, until_minute),
    )
    return list(map(Bucket._make, rows))


def terms(db: Database, subject: str, drill: str, since_minute: int, until_minute: int) -> list[TermCount]:
    rows = db.conn.execute(
        "SELECT kind, word, family, SUM(count) FROM term WHERE subject = ? AND drill = ? AND minute >= ?"
        " AND minute <= ? GROUP BY kind, word, family",
        (subject, drill, since_minute, until_minute),
    )
    return [TermCount(*row) for row in rows]


def hours(db: Database, subject: str, drill: str, since_hour: int, until_hour: int) -> list[tuple[str, int, int, int]]:
    """``(family, hour, mentions, negative)``; hours without posts have no row."""
    return db.conn.execute(
        "SELECT family, hour, mentions, negative FROM hour WHERE subject = ? AND drill = ? AND hour >= ? AND hour <= ?",
        (subject, drill, since_hour, until_hour),
    ).fetchall()


def first_hour(db: Database, subject: str, drill: str) -> int | None:
    """The first hour of which it is known what was said about a subject: its first post, but no earlier than the
    collection began. A feed's first load brings old items, not an old silence; a history that was imported whole says
    so in the setting ``history_since``."""
    row = db.conn.execute("SELECT MIN(hour) FROM hour WHERE subject = ? AND drill = ?", (subject, drill)).fetchone()
    if row[0] is None:
        return None
    began = db.conn.execute(
        "SELECT COALESCE((SELECT CAST(value AS INTEGER) FROM setting WHERE name = 'history_since'),"
        " (SELECT collected_at FROM post ORDER BY seq LIMIT 1), 0)"
    ).fetchone()
    return max(int(row[0]), int(began[0]) // 3_600_000)
