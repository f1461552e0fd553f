"""Briefs as they were made, and the counts they are made from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlite_utils import Database

from bot.model.incident import Incident
from bot.store import incidents as incident_store

HOUR, MINUTE = 3_600_000, 60_000


@dataclass(frozen=True, slots=True)
class BriefRow:
    """``blocks`` are the document as it was sent; ``figures`` its numbers for programs."""

    id: str
    cadence: str
    start: int
    end: int
    zone: str
    language: str
    subjects: tuple[str, ...]
    title: str
    blocks: tuple[list[Any], ...]
    figures: dict[str, Any]
    made_at: int


def insert(db: Database, brief: BriefRow) -> None:
    db.conn.execute(
        "INSERT INTO brief (id, number, cadence, start_at, end_at, zone, language, subjects, title, blocks, figures,"
        " made_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            brief.id,
            int(brief.id.partition("-")[2]),
            brief.cadence,
            brief.start,
            brief.end,
            brief.zone,
            brief.language,
            orjson.dumps(brief.subjects).decode(),
            brief.title,
            orjson.dumps(brief.blocks).decode(),
            orjson.dumps(brief.figures).decode(),
            brief.made_at,
        ),
    )


def next_id(db: Database) -> str:
    return f"B-{db.conn.execute('SELECT COALESCE(MAX(number), 0) + 1 FROM brief').fetchone()[0]}"


def get(db: Database, brief_id: str) -> BriefRow | None:
    rows = db.conn.execute(f"SELECT {_COLUMNS} FROM brief WHERE id = ?", (brief_id.upper(),)).fetchall()
    return _brief(rows[0]) if rows else None


def recent(db: Database, limit: int = 100) -> list[BriefRow]:
    """Newest first, without their blocks."""
    rows = db.conn.execute(
        f"SELECT {_COLUMNS.replace('blocks', chr(39) + '[]' + chr(39))} FROM brief ORDER BY number DESC LIMIT ?",
        (limit,),
    )
    return [_brief(row) for row in rows]


_COLUMNS = "id, cadence, start_at, end_at, zone, language, subjects, title, blocks, figures, made_at"


def _brief(row: Sequence[Any]) -> BriefRow:
    return BriefRow(
        row[0],
        row[1],
        row[2],
        row[3],
        row[4],
        row[5],
        tuple(orjson.loads(row[6])),
        row[7],
        tuple(orjson.loads(row[8])),
        orjson.loads(row[9]),
        row[10],
    )


def blank(db: Database, needles: Sequence[str], instead: str) -> int:
    """Replace every line of a kept brief that quotes one of ``needles``; returns how many briefs changed."""
    changed = []
    for brief_id, blocks in db.conn.execute("SELECT id, blocks FROM brief").fetchall():
        if any(orjson.dumps(needle).decode()[1:-1] in blocks for needle in needles):
            cleaned = [
                [
                    kind,
                    _without(text, needles, instead),
                    [[_without(cell, needles, instead) for cell in row] for row in rows],
                    data,
                ]
                for kind, text, rows, data in orjson.loads(blocks)
            ]
            changed.append((orjson.dumps(cleaned).decode(), brief_id))
    db.conn.executemany("UPDATE brief SET blocks = ? WHERE id = ?", changed)
    return len(changed)


def _without(text: str, needles: Sequence[str], instead: str) -> str:
    return instead if any(needle in text for needle in needles) else text


# -- the counts


def mentions(db: Database, subject: str, start: int, end: int) -> tuple[int, int]:
    """Posts and negative ones, from the hour counts, which are kept longest."""
    row = db.conn.execute(
        "SELECT COALESCE(SUM(mentions), 0), COALESCE(SUM(negative), 0) FROM hour WHERE subject = ? AND drill = ''"
        " AND hour >= ? AND hour < ?",
        (subject, start // HOUR, -(-end // HOUR)),
    ).fetchone()
    return int(row[0]), int(row[1])


def hourly(db: Database, subjects: Sequence[str], start: int, end: int) -> list[tuple[int, int, int]]:
    """``(hour as Unix milliseconds, posts, negative)`` of the hours with posts."""
    rows = db.conn.execute(
        f"SELECT hour, SUM(mentions), SUM(negative) FROM hour WHERE subject IN ({', '.join('?' * len(subjects))})"
        " AND drill = '' AND hour >= ? AND hour < ? GROUP BY hour ORDER BY hour",
        (*subjects, start // HOUR, -(-end // HOUR)),
    )
    return [(row[0] * HOUR, row[1], row[2]) for row in rows]


def platforms(db: Database, subject: str, start: int, end: int) -> list[tuple[str, int, int, int]]:
    """``(platform, posts, negative, positive)``, most first, from the minute counts (30 days)."""
    return db.conn.execute(
        "SELECT platform, SUM(count), SUM(CASE WHEN sentiment < 0 THEN count ELSE 0 END),"
        " SUM(CASE WHEN sentiment > 0 THEN count ELSE 0 END) FROM bucket WHERE subject = ? AND drill = ''"
        " AND minute >= ? AND minute < ? GROUP BY platform ORDER BY 2 DESC, platform",
        (subject, start // MINUTE, end // MINUTE),
    ).fetchall()


def types(db: Database, subject: str, start: int, end: int) -> dict[str, int]:
    """How many posts that are not positive spoke of each crisis type."""
    return dict(
        db.conn.execute(
            "SELECT word, SUM(count) FROM term WHERE subject = ? AND drill = '' AND kind = 'type' AND minute >= ?"
            " AND minute < ? GROUP BY word",
            (subject, start // MINUTE, end // MINUTE),
        ).fetchall()
    )


def loudest(db: Database, subject: str, start: int, end: int, limit: int) -> list[tuple[int, str, str, str, str, int]]:
    """The posts of the largest stories: ``(sequence number, text, platform, author, address, posts of the story)``."""
    return db.conn.execute(
        "SELECT p.seq, COALESCE(p.title, '') || CASE WHEN p.title IS NULL THEN '' ELSE ' ' END || p.text, p.platform,"
        " COALESCE(p.author_name, ''), COALESCE(p.url, ''), s.posts FROM (SELECT MIN(post) AS post, COUNT(*) AS posts"
        " FROM mention WHERE subject = ? AND drill = '' AND published_at >= ? AND published_at < ? AND story > 0"
        " GROUP BY story ORDER BY 2 DESC, 1 LIMIT ?) s JOIN post p ON p.seq = s.post ORDER BY s.posts DESC, p.seq",
        (subject, start, end, limit),
    ).fetchall()


def incidents_live(db: Database, start: int, end: int, drill: bool = False) -> list[Incident]:
    """Incidents that were open at some moment of the period, oldest first."""
    rows = db.conn.execute(
        "SELECT id FROM incident WHERE (drill <> '') = ? AND opened_at < ? AND (closed_at = 0 OR closed_at >= ?)"
        " ORDER BY number",
        (int(drill), end, start),
    )
    return [found for row in rows if (found := incident_store.get(db, row[0])) is not None]


def interruptions(db: Database, start: int, end: int) -> list[int]:
    """When members were called or announced to about real incidents: moments of messages with a reason of alert."""
    rows = db.conn.execute(
        "SELECT sent_at FROM outbox WHERE drill = '' AND sent_at >= ? AND sent_at < ? AND"
        " json_extract(message, '$.reason') IN ('opened', 'raised', 'escalated')",
        (start, end),
    )
    return [row[0] for row in rows]


def published(db: Database, start: int, end: int) -> list[tuple[str, str, str, int, str]]:
    """``(statement, title, audience, published at, digest)``."""
    return db.conn.execute(
        "SELECT statement, title, audience, settled_at, digest FROM publication WHERE drill = ''"
        " AND state = 'published' AND settled_at >= ? AND settled_at < ? ORDER BY settled_at",
        (start, end),
    ).fetchall()


def learners(db: Database, start: int, end: int) -> tuple[int, int, int]:
    """People who trained, their answers and the right ones."""
    row = db.conn.execute(
        'SELECT COUNT(DISTINCT person), COUNT(*), COALESCE(SUM("right"), 0) FROM lesson_answer'
        " WHERE at >= ? AND at < ?",
        (start, end),
    ).fetchone()
    return int(row[0]), int(row[1]), int(row[2])
