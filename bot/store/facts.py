"""The versions of an incident's facts as rows."""

from dataclasses import dataclass

from sqlite_utils import Database

from bot.model.incident import Actor

_COLUMNS = "name, value, confirmed, source, since, actor, actor_name, chat, recorded_at"


@dataclass(frozen=True, slots=True)
class FactRow:
    """One version of one fact. ``since`` is when it became known; ``source`` says where it comes from (a step, a
    person's word). An empty ``value`` takes the fact back: it is unknown again."""

    name: str
    value: str
    confirmed: bool
    source: str
    since: int
    actor: str
    actor_name: str
    chat: str
    recorded_at: int


def add(
    db: Database, incident: str, name: str, value: str, confirmed: bool, source: str, since: int, actor: Actor, now: int
) -> None:
    """Keep a new version of a fact."""
    db.conn.execute(
        f"INSERT INTO fact (incident, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (incident, name, value, int(confirmed), source, since, actor.person, actor.name, actor.chat, now),
    )


def current(db: Database, incident: str) -> dict[str, FactRow]:
    """The newest version of every fact, by name."""
    rows = db.conn.execute(
        f"SELECT {_COLUMNS} FROM fact WHERE id IN (SELECT MAX(id) FROM fact WHERE incident = ? GROUP BY name)",
        (incident,),
    )
    return {row[0]: _fact(row) for row in rows}


def history(db: Database, incident: str, name: str) -> list[FactRow]:
    """All versions of one fact, oldest first."""
    rows = db.conn.execute(f"SELECT {_COLUMNS} FROM fact WHERE incident = ? AND name = ? ORDER BY id", (incident, name))
    return [_fact(row) for row in rows]


def _fact(row: tuple[str, str, int, str, int, str, str, str, int]) -> FactRow:
    return FactRow(row[0], row[1], bool(row[2]), *row[3:])
