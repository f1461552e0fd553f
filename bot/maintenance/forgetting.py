"""Forgetting a person: their posts lose every word and name, the counts they were part of stay.

What is left of a post is that there was one: sequence number, digest (so that it is not collected again), source,
platform and times. Quotations on stored cards and waiting messages go as well. Messages that a chat has received are
beyond our reach, except cards that are rewritten in place; backups made before keep what they have.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson
from sqlite_utils import Database

from bot.config import Config
from bot.delivery import timers
from bot.intake.minimise import Minimiser, install_key
from bot.model.incident import Actor
from bot.store import audit
from bot.store import briefs as brief_store
from bot.store import cases as case_store
from bot.store import incidents as incident_store
from bot.store import proposals as proposal_store
from bot.store import retrospectives as retrospective_store

CHUNK = 500
# Quotations on cards are cut at the end, never at the beginning: so much of it tells one text from another.
NEEDLE = 16
SHORTEST_NEEDLE = 6
BLANK = "—"


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many posts were blanked, and how many cards and messages lost a quotation."""

    posts: int
    quotations: int


def forget(db: Database, config: Config, source: str, author_id: str, actor: Actor, now: int) -> Forgotten:
    """Forget what the author ``author_id`` (as the platform names them) wrote in ``source``, in one transaction."""
    db.conn.execute("PRAGMA secure_delete=ON")  # freed pages are overwritten, not only released
    key = install_key(db, config.privacy.secret("author_key"))
    author_key = Minimiser((), key).author_key(source, author_id)
    rows = db.conn.execute(
        "SELECT seq, title, text FROM post WHERE source = ? AND author_key = ?", (source, author_key)
    ).fetchall()
    subjects = _blank_posts(db, [row[0] for row in rows])
    needles = sorted({needle for row in rows for text in row[1:] if (needle := _needle(text))})
    quotations = _blank_quotations(db, needles) if needles else 0
    # Refused items are kept as they came, with the author's own id.
    db.conn.execute("DELETE FROM rejected_post WHERE source = ? AND instr(item, ?) > 0", (source, author_id))
    # What they wrote to customer service, and the answers that carry their way back.
    db.conn.execute("DELETE FROM inquiry WHERE source = ? AND person = ?", (source, author_key))
    db.conn.execute(
        "DELETE FROM call WHERE substr(key, 1, ?) = ? AND json_extract(params, '$.person') = ?",
        (len(f"reply:{source}:"), f"reply:{source}:", author_id),
    )
    for incident in incident_store.live(db):
        if incident.subject in subjects:
            timers.schedule(db, "refresh", incident.id, now, now)
    audit.append(db, actor, "forgotten", source, now, {"posts": len(rows), "quotations": quotations})
    return Forgotten(len(rows), quotations)


def _blank_posts(db: Database, seqs: list[int]) -> set[str]:
    """Returns the subjects whose mentions went."""
    subjects: set[str] = set()
    for start in range(0, len(seqs), CHUNK):
        part = seqs[start : start + CHUNK]
        marks = ",".join("?" * len(part))
        subjects.update(
            row[0] for row in db.conn.execute(f"SELECT DISTINCT subject FROM mention WHERE post IN ({marks})", part)
        )
        db.conn.execute(f"DELETE FROM mention WHERE post IN ({marks})", part)
        db.conn.execute(
            "UPDATE post SET id = '', url = NULL, title = NULL, text = '', author_key = NULL, author_name = NULL,"
            f" followers = 0, verified = 0, parent_id = NULL, root_id = NULL, location = NULL WHERE seq IN ({marks})",
            part,
        )
    return subjects


def _needle(text: str | None) -> str:
    """The beginning of a text by which a quotation of it is found; empty where no line is long enough to tell."""
    lines = (line.strip()[:NEEDLE].strip() for line in (text or "").splitlines())
    return next((line for line in lines if len(line) >= SHORTEST_NEEDLE), "")


def _blank_quotations(db: Database, needles: list[str]) -> int:
    count = 0
    for table, column in (("outbox", "message"), ("console_message", "card"), ("console_message", "text")):
        changed: dict[int, str] = {}
        for needle in needles:
            for row_id, content in db.conn.execute(
                f"SELECT id, {column} FROM {table} WHERE instr({column}, ?) > 0", (orjson.dumps(needle).decode()[1:-1],)
            ):
                changed[row_id] = _cleaned(content, needles)
        db.conn.executemany(
            f"UPDATE {table} SET {column} = ? WHERE id = ?", [(content, row_id) for row_id, content in changed.items()]
        )
        count += len(changed)
    rows = db.conn.execute(
        "SELECT id, params FROM timeline WHERE kind IN ('post_added', 'note') OR kind LIKE 'action%'"
    ).fetchall()
    for row_id, params in rows:
        cleaned = _cleaned(params, needles)
        if cleaned != params:
            db.conn.execute("UPDATE timeline SET params = ? WHERE id = ?", (cleaned, row_id))
            count += 1
    count += case_store.blank(db, needles, BLANK) + proposal_store.blank(db, needles)
    count += brief_store.blank(db, needles, BLANK)
    return count + retrospective_store.blank(db, needles, BLANK)


def _cleaned(content: str, needles: Iterable[str]) -> str:
    wanted = tuple(needles)
    try:
        data = orjson.loads(content)
    except orjson.JSONDecodeError:
        return BLANK if any(needle in content for needle in wanted) else content
    return orjson.dumps(_blanked(data, wanted)).decode()


def _blanked(node: Any, needles: tuple[str, ...]) -> Any:
    """The same JSON with every string that quotes the person replaced whole."""
    if isinstance(node, str):
        return BLANK if any(needle in node for needle in needles) else node
    if isinstance(node, list):
        return [_blanked(item, needles) for item in node]
    if isinstance(node, dict):
        return {name: _blanked(item, needles) for name, item in node.items()}
    return node
