"""What the record suggests to change in the library, and what people said of it.

States: ``open``; ``taken`` (it became a proposed version) or ``rejected``; ``gone`` where nothing
speaks for it any more.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlite_utils import Database

from bot.model.incident import Actor

_COLUMNS = "number, key, kind, playbook, body, evidence, state, reason, version, created_at, updated_at"
DOUBLED = 2


@dataclass(frozen=True, slots=True)
class ProposalRow:
    """``body`` is the suggestion as JSON, ``evidence`` how many runs, incidents or texts speak for it."""

    number: int
    key: str
    kind: str
    playbook: str
    body: str
    evidence: int
    state: str
    reason: str
    version: int
    created_at: int
    updated_at: int


def get(db: Database, number: int) -> ProposalRow | None:
    found = _select(db, "number = ?", [number])
    return found[0] if found else None


def open_ones(db: Database) -> list[ProposalRow]:
    """Those that wait for somebody, most evidence first."""
    return _select(db, "state = 'open' ORDER BY evidence DESC, number", [])


def decided(db: Database, limit: int) -> list[ProposalRow]:
    """Those taken or rejected, the newest decision first."""
    return _select(db, "state IN ('taken', 'rejected') ORDER BY decided_at DESC LIMIT ?", [limit])


def looked_at(db: Database) -> int:
    """When the record was last looked through; 0 for never."""
    row = db.conn.execute("SELECT value FROM setting WHERE name = 'proposals_at'").fetchone()
    return int(row[0]) if row else 0


def renew(db: Database, found: Iterable[tuple[str, str, str, str, int]], now: int) -> list[int]:
    """Take over what a look through the record found, as ``(key, kind, playbook, body, evidence)``; returns the
    numbers of those that are new. What was rejected stays so until its evidence has doubled; what was taken stays."""
    fresh: list[int] = []
    seen: set[str] = set()
    for key, kind, playbook, body, evidence in found:
        seen.add(key)
        row = db.conn.execute(
            "SELECT number, state, evidence FROM library_proposal WHERE key = ?", (key,)
        ).fetchone()  # fmt: skip
        if row is None:
            cursor = db.conn.execute(
                "INSERT INTO library_proposal (key, kind, playbook, body, evidence, state, created_at, updated_at)"
                " VALUES (?, ?, ?, ?, ?, 'open', ?, ?)",
                (key, kind, playbook, body, evidence, now, now),
            )
            fresh.append(int(cursor.lastrowid or 0))
        elif row[1] in ("open", "gone") or evidence >= DOUBLED * row[2]:
            db.conn.execute(
                "UPDATE library_proposal SET body = ?, evidence = ?, state = 'open', updated_at = ? WHERE number = ?",
                (body, evidence, now, row[0]),
            )
            if row[1] != "open":
                fresh.append(int(row[0]))
    for row in _select(db, "state = 'open'", []):
        if row.key not in seen:
            db.conn.execute(
                "UPDATE library_proposal SET state = 'gone', updated_at = ? WHERE number = ?", (now, row.number)
            )
    db.conn.execute("INSERT OR REPLACE INTO setting (name, value) VALUES ('proposals_at', ?)", (str(now),))
    return fresh


def decide(
    db: Database, number: int, state: str, actor: Actor, now: int, *, reason: str = "", version: int = 0
) -> None:  # fmt: skip
    db.conn.execute(
        "UPDATE library_proposal SET state = ?, reason = ?, version = ?, decided_by = ?, decided_at = ?"
        " WHERE number = ?",
        (state, reason, version, actor.person or actor.name, now, number),
    )


def blank(db: Database, needles: Iterable[str]) -> int:
    """Drop proposals that quote somebody; returns how many. A look through the record makes sound ones anew."""
    count = 0
    for needle in needles:
        count += db.conn.execute("DELETE FROM library_proposal WHERE instr(body, ?) > 0", (needle,)).rowcount
    return count


def _select(db: Database, where: str, parameters: Sequence[Any]) -> list[ProposalRow]:
    rows = db.conn.execute(f"SELECT {_COLUMNS} FROM library_proposal WHERE {where}", parameters)
    return [ProposalRow(*row) for row in rows]
