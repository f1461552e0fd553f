"""Cases, their lessons and the words they are found by."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlite_utils import Database

from bot.model.incident import Actor

_COLUMNS = "id, kind, incident, drill, body, happened_at, updated_at"
_IDEOGRAPH = re.compile(r"([\u3400-\u9fff])")
_TOKEN = re.compile(r"[\u3400-\u9fff]+|[^\W\u3400-\u9fff]+")
MOST_TOKENS = 12
NEWEST = 20_000  # posts looked through for those that no rule let in


@dataclass(frozen=True, slots=True)
class CaseRow:
    """``body`` is the case as JSON."""

    id: str
    kind: str
    incident: str
    drill: str
    body: str
    happened_at: int
    updated_at: int


@dataclass(frozen=True, slots=True)
class Lesson:
    words: str
    actor_name: str
    at: int


def next_id(db: Database) -> str:
    """The id of the next case: ``C-3``."""
    return f"C-{db.conn.execute('SELECT COALESCE(MAX(number), 0) + 1 FROM crisis_case').fetchone()[0]}"


def save(db: Database, row: CaseRow, words: str) -> None:
    """Keep a case, or its newer state, with the words it is found by."""
    number = int(row.id.partition("-")[2])
    db.conn.execute(
        "INSERT INTO crisis_case (number, id, kind, incident, drill, body, happened_at, created_at, updated_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (number) DO UPDATE SET body = excluded.body,"
        " happened_at = excluded.happened_at, updated_at = excluded.updated_at",
        (number, row.id, row.kind, row.incident, row.drill, row.body, row.happened_at, row.updated_at, row.updated_at),
    )
    db.conn.execute("DELETE FROM case_words WHERE rowid = ?", (number,))
    db.conn.execute("INSERT INTO case_words (rowid, words) VALUES (?, ?)", (number, spaced(words)))


def get(db: Database, case_id: str) -> CaseRow | None:
    found = _select(db, "id = ?", [case_id.upper()])
    return found[0] if found else None


def of_incident(db: Database, incident: str) -> CaseRow | None:
    found = _select(db, "incident = ? AND incident <> ''", [incident.upper()])
    return found[0] if found else None


def edition(db: Database) -> tuple[int, int]:
    """Changes whenever a case does: how many there are, and when the last one changed."""
    row = db.conn.execute("SELECT COUNT(*), COALESCE(MAX(updated_at), 0) FROM crisis_case").fetchone()
    return int(row[0]), int(row[1])


def changed_since(db: Database, moment: int) -> list[CaseRow]:
    """Cases that changed at ``moment`` or later."""
    return _select(db, "updated_at >= ? ORDER BY number", [moment])


def newest(db: Database, limit: int, *, drills: bool = False) -> list[CaseRow]:
    where = "kind = 'drill'" if drills else "kind <> 'drill'"
    return _select(db, f"{where} ORDER BY happened_at DESC, number DESC LIMIT ?", [limit])


def search(db: Database, words: str, limit: int = 100) -> list[CaseRow]:
    """Cases that hold every one of the words, best first; Chinese as a phrase, Latin words by their beginning."""
    asked = phrases(words)
    if not asked:
        return []
    columns = ", ".join(f"c.{name}" for name in _COLUMNS.split(", "))
    rows = db.conn.execute(
        f"SELECT {columns} FROM case_words w JOIN crisis_case c ON c.number = w.rowid WHERE case_words MATCH ?"
        " ORDER BY rank LIMIT ?",
        (" ".join(asked), limit),
    )
    return [CaseRow(*row) for row in rows]


def add_lesson(db: Database, case_id: str, words: str, actor: Actor, now: int) -> None:
    db.conn.execute(
        "INSERT INTO case_lesson (crisis_case, words, actor, actor_name, at) VALUES (?, ?, ?, ?, ?)",
        (case_id, words, actor.person, actor.name, now),
    )


def lessons(db: Database, case_id: str) -> list[Lesson]:
    """What people learnt, oldest first."""
    rows = db.conn.execute(
        "SELECT words, actor_name, at FROM case_lesson WHERE crisis_case = ? ORDER BY id", (case_id,)
    )
    return [Lesson(*row) for row in rows]


def blank(db: Database, needles: Sequence[str], instead: str) -> int:
    """Replace lessons that quote somebody, and take their words out of the search; returns how many went."""
    hit: set[int] = set()
    for needle in needles:
        hit.update(row[0] for row in db.conn.execute("SELECT id FROM case_lesson WHERE instr(words, ?) > 0", (needle,)))
    for lesson_id in hit:
        number, words = db.conn.execute(
            "SELECT c.number, l.words FROM case_lesson l JOIN crisis_case c ON c.id = l.crisis_case WHERE l.id = ?",
            (lesson_id,),
        ).fetchone()
        found = db.conn.execute("SELECT words FROM case_words WHERE rowid = ?", (number,)).fetchone()
        if found:
            kept = found[0].replace(spaced(words), " ")
            db.conn.execute("DELETE FROM case_words WHERE rowid = ?", (number,))
            db.conn.execute("INSERT INTO case_words (rowid, words) VALUES (?, ?)", (number, kept))
        db.conn.execute("UPDATE case_lesson SET words = ? WHERE id = ?", (instead, lesson_id))
    return len(hit)


def unfiled(db: Database, limit: int) -> list[str]:
    """Closed incidents that have no case yet, oldest first."""
    rows = db.conn.execute(
        "SELECT id FROM incident WHERE status = 'closed' AND id NOT IN (SELECT incident FROM crisis_case)"
        " ORDER BY number LIMIT ?",
        (limit,),
    )
    return [row[0] for row in rows]


def first_publication(db: Database, incident: str) -> int:
    """When the first statement of an incident was published; 0 for never."""
    row = db.conn.execute(
        "SELECT COALESCE(MIN(e.at), 0) FROM statement_event e JOIN statement s ON s.id = e.statement"
        " WHERE s.incident = ? AND e.kind = 'published'",
        (incident,),
    ).fetchone()
    return int(row[0])


def volume(db: Database, subject: str, drill: str, since: int, until: int) -> dict[str, tuple[int, int]]:
    """``{platform: (mentions, negative ones)}`` of a subject between two moments, most first."""
    rows = db.conn.execute(
        "SELECT platform, COUNT(*), SUM(sentiment < 0) FROM mention WHERE subject = ? AND drill = ?"
        " AND published_at BETWEEN ? AND ? GROUP BY platform ORDER BY COUNT(*) DESC",
        (subject, drill, since, until),
    )
    return {row[0]: (int(row[1]), int(row[2] or 0)) for row in rows}


def voices(
    db: Database, subject: str, drill: str, since: int, until: int, limit: int
) -> list[tuple[int, str, str, str]]:
    """``(post, author, types as JSON, text)`` of the newest posts that are not positive, between two moments."""
    rows: Sequence[Any] = db.conn.execute(
        "SELECT m.post, COALESCE(p.author_key, ''), m.types, COALESCE(p.title, '') || ' ' || p.text FROM mention m"
        " JOIN post p ON p.seq = m.post WHERE m.subject = ? AND m.drill = ? AND m.published_at BETWEEN ? AND ?"
        " AND m.sentiment <= 0 ORDER BY m.published_at DESC LIMIT ?",
        (subject, drill, since, until, limit),
    ).fetchall()
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def unmatched(db: Database, since: int, until: int, limit: int) -> list[tuple[str, str]]:
    """``(author, text)`` of the newest real posts between two moments that are no subject's mention."""
    rows = db.conn.execute(
        "SELECT COALESCE(author_key, ''), COALESCE(title, '') || ' ' || text FROM post p WHERE drill = ''"
        " AND collected_at BETWEEN ? AND ? AND NOT EXISTS (SELECT 1 FROM mention WHERE post = p.seq)"
        " AND seq > (SELECT COALESCE(MAX(seq), 0) - ? FROM post) ORDER BY seq DESC LIMIT ?",
        (since, until, NEWEST, limit),
    )
    return [(row[0], row[1]) for row in rows]


def spaced(text: str) -> str:
    """Every Chinese character a word of its own: what the index tells apart."""
    return _IDEOGRAPH.sub(r" \1 ", text.lower())


def phrases(words: str) -> list[str]:
    """What a person typed as phrases of the index; signs of its query language cannot get in."""
    found = []
    for token in _TOKEN.findall(words.lower())[:MOST_TOKENS]:
        found.append(f'"{" ".join(spaced(token).split())}"' if not token.isascii() else f'"{token}" *')
    return found


def _select(db: Database, where: str, parameters: Sequence[Any]) -> list[CaseRow]:
    return [CaseRow(*row) for row in db.conn.execute(f"SELECT {_COLUMNS} FROM crisis_case WHERE {where}", parameters)]
