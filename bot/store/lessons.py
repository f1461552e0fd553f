"""Training as rows: who answered which question of which version of a playbook, and what they were asked last."""

from dataclasses import dataclass

from sqlite_utils import Database


@dataclass(frozen=True, slots=True)
class Given:
    """How a person stands with one question: the newest answer, and whether the first one was right already."""

    right: bool
    first_right: bool
    at: int


def record(
    db: Database, *, person: str, playbook: str, version: int, question: str, answer: str, right: bool, now: int
) -> None:
    """Keep one answer; earlier ones stay."""
    db.conn.execute(
        'INSERT INTO lesson_answer (person, playbook, version, question, answer, "right", at)'
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (person, playbook, version, question, answer, int(right), now),
    )


def given(db: Database, person: str) -> dict[tuple[str, int, str], Given]:
    """``{(playbook, version, question): Given}`` of a person."""
    rows = db.conn.execute(
        'SELECT playbook, version, question, "right", at FROM lesson_answer WHERE person = ? ORDER BY id', (person,)
    )
    found: dict[tuple[str, int, str], Given] = {}
    for playbook, version, question, right, at in rows:
        key = (playbook, version, question)
        first = found[key].first_right if key in found else bool(right)
        found[key] = Given(bool(right), first, at)
    return found


def asked(db: Database, person: str) -> tuple[str, str] | None:
    """``(playbook, question)`` that a person was asked last and has not answered since."""
    row = db.conn.execute("SELECT playbook, question FROM lesson_asked WHERE person = ?", (person,)).fetchone()
    return (row[0], row[1]) if row else None


def ask(db: Database, person: str, playbook: str, question: str, now: int) -> None:
    db.conn.execute("INSERT OR REPLACE INTO lesson_asked VALUES (?, ?, ?, ?)", (person, playbook, question, now))


def ask_nothing(db: Database, person: str) -> None:
    db.conn.execute("DELETE FROM lesson_asked WHERE person = ?", (person,))
