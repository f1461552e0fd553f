"""Action items as rows: what is to change after an incident, who does it by when, and what became of it."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields, replace
from typing import Any

from sqlite_utils import Database

STATES = ("proposed", "open", "done", "dropped")
KINDS = ("improvement", "recovery", "commitment", "supplier")


@dataclass(frozen=True, slots=True)
class ActionItem:
    """``kind``: improvement, recovery (a measure to make good), commitment (promised to the public), supplier (with
    suppliers and partners). ``state``: proposed (nobody has accepted it), open, done, dropped. ``public`` ones may be
    told outside. ``owner`` is a person's id; ``due_at`` 0 while it is proposed without a date."""

    number: int
    id: str
    incident: str
    drill: str
    kind: str
    text: str
    owner: str
    due_at: int
    state: str
    public: bool
    origin: str
    note: str
    created_by: str
    created_at: int
    ended_by: str = ""
    ended_at: int = 0

    def kept(self, now: int) -> bool | None:
        """Done by its date, or not; None while there is still time."""
        if self.state == "done":
            return self.ended_at <= self.due_at
        return False if self.state == "dropped" or now > self.due_at else None


_COLUMNS = ", ".join(field.name for field in fields(ActionItem))


def next_number(db: Database) -> int:
    return int(db.conn.execute("SELECT COALESCE(MAX(number), 0) + 1 FROM action_item").fetchone()[0])


def insert(db: Database, item: ActionItem) -> bool:
    """Add an item, once per origin; returns whether it is new."""
    marks = ", ".join("?" * len(fields(ActionItem)))
    done = db.conn.execute(f"INSERT OR IGNORE INTO action_item ({_COLUMNS}) VALUES ({marks})", astuple(item))
    return bool(done.rowcount)


def save(db: Database, item: ActionItem) -> None:
    db.conn.execute(
        "UPDATE action_item SET kind = ?, text = ?, owner = ?, due_at = ?, state = ?, public = ?, note = ?,"
        " ended_by = ?, ended_at = ? WHERE id = ?",
        (
            item.kind, item.text, item.owner, item.due_at, item.state, item.public, item.note, item.ended_by,
            item.ended_at, item.id,
        ),
    )  # fmt: skip


def get(db: Database, item_id: str) -> ActionItem | None:
    found = _select(db, "id = ?", [item_id.upper()])
    return found[0] if found else None


def of_incident(db: Database, incident: str) -> list[ActionItem]:
    return _select(db, "incident = ? ORDER BY number", [incident])


def open_items(db: Database, *, owner: str = "", drills: bool = False, limit: int = 200) -> list[ActionItem]:
    """What is still to do, by date; of one owner if given; of drills only where asked for."""
    where, parameters = "state = 'open'", []
    if not drills:
        where += " AND drill = ''"
    if owner:
        where += " AND owner = ?"
        parameters.append(owner)
    return _select(db, f"{where} ORDER BY due_at, number LIMIT {int(limit)}", parameters)


def _select(db: Database, where: str, parameters: Sequence[Any]) -> list[ActionItem]:
    rows = db.conn.execute(f"SELECT {_COLUMNS} FROM action_item WHERE {where}", parameters)
    return [replace(ActionItem(*row), public=bool(row[9])) for row in rows]
