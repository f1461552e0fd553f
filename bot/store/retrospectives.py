"""Retrospectives as rows: the frozen record, who was asked what, what they said, and what it came to outside."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from sqlite_utils import Database

from bot.model.incident import Actor


@dataclass(frozen=True, slots=True)
class Answer:
    """``person_name`` is empty where it was given anonymously."""

    question: str
    answer: str
    person_name: str
    at: int
    id: int = 0


@dataclass(frozen=True, slots=True)
class Impact:
    """A figure that somebody brought, as they wrote it, with its source."""

    kind: str
    measure: str
    value: str
    before: str
    after: str
    source: str
    actor_name: str
    at: int
    id: int = 0


def keep(db: Database, incident: str, drill: str, body: str, now: int) -> None:
    """Freeze what the record says, or its newer state."""
    db.conn.execute(
        "INSERT INTO retrospective (incident, drill, body, made_at, updated_at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (incident) DO UPDATE SET body = excluded.body, updated_at = excluded.updated_at",
        (incident, drill, body, now, now),
    )


def kept(db: Database, incident: str) -> str | None:
    row = db.conn.execute("SELECT body FROM retrospective WHERE incident = ?", (incident,)).fetchone()
    return str(row[0]) if row else None


def ask(db: Database, incident: str, person: str, now: int) -> bool:
    """Note that a person is asked; False if they were already."""
    return bool(
        db.conn.execute(
            "INSERT OR IGNORE INTO survey_asked (incident, person, asked_at) VALUES (?, ?, ?)", (incident, person, now)
        ).rowcount
    )


def asked(db: Database, incident: str) -> dict[str, tuple[str, ...]]:
    """Whoever was asked, with the questions they answered."""
    rows = db.conn.execute("SELECT person, answered FROM survey_asked WHERE incident = ? ORDER BY person", (incident,))
    return {row[0]: tuple(orjson.loads(row[1])) for row in rows}


def answer(
    db: Database, incident: str, question: str, text: str, actor: Actor, now: int, *, anonymous: bool
) -> None:  # fmt: skip
    """Keep an answer. A named one takes the place of the person's earlier one; an anonymous one is nobody's."""
    row = db.conn.execute(
        "SELECT answered FROM survey_asked WHERE incident = ? AND person = ?", (incident, actor.person)
    ).fetchone()
    answered = sorted({*(orjson.loads(row[0]) if row else []), question})
    db.conn.execute(
        "INSERT INTO survey_asked (incident, person, asked_at, answered) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (incident, person) DO UPDATE SET answered = excluded.answered",
        (incident, actor.person, now, orjson.dumps(answered).decode()),
    )
    if not anonymous:
        db.conn.execute(
            "DELETE FROM survey_answer WHERE incident = ? AND question = ? AND person = ?",
            (incident, question, actor.person),
        )
    db.conn.execute(
        "INSERT INTO survey_answer (incident, question, answer, person, person_name, at) VALUES (?, ?, ?, ?, ?, ?)",
        (incident, question, text, "" if anonymous else actor.person, "" if anonymous else actor.name,
         0 if anonymous else now),
    )  # fmt: skip


def answers(db: Database, incident: str) -> list[Answer]:
    rows = db.conn.execute(
        "SELECT question, answer, person_name, at, id FROM survey_answer WHERE incident = ? ORDER BY id", (incident,)
    )
    return [Answer(*row) for row in rows]


def named(db: Database, incident: str, person: str) -> set[str]:
    """Questions that a person answered under their name: those they may answer anew."""
    rows = db.conn.execute(
        "SELECT question FROM survey_answer WHERE incident = ? AND person = ? AND person <> ''", (incident, person)
    )
    return {row[0] for row in rows}


def add_impact(db: Database, incident: str, found: Impact, actor: Actor) -> None:
    db.conn.execute(
        "INSERT INTO impact (incident, kind, measure, value, before, after, source, actor, actor_name, at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            incident, found.kind, found.measure, found.value, found.before, found.after, found.source, actor.person,
            actor.name, found.at,
        ),
    )  # fmt: skip


def impacts(db: Database, incident: str) -> list[Impact]:
    rows = db.conn.execute(
        "SELECT kind, measure, value, before, after, source, actor_name, at, id FROM impact WHERE incident = ?"
        " ORDER BY id",
        (incident,),
    )
    return [Impact(*row) for row in rows]


def blank(db: Database, needles: Sequence[str], instead: str) -> int:
    """Replace what quotes somebody in answers, figures and action items; returns how many rows that was."""
    count = 0
    for table, column in (("survey_answer", "answer"), ("impact", "measure"), ("action_item", "text"),
                          ("action_item", "note")):  # fmt: skip
        for needle in needles:
            count += db.conn.execute(
                f"UPDATE {table} SET {column} = ? WHERE instr({column}, ?) > 0", (instead, needle)
            ).rowcount
    return count
