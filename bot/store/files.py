"""Store files looked at from outside, without opening them for work: is it ours, of which version, whole?"""

import sqlite3
from contextlib import closing
from enum import StrEnum
from pathlib import Path

from sqlite_utils import Database

from bot.store.tables import migrations


class State(StrEnum):
    """``NEWER``: written by a later version of the program. ``FOREIGN``: not a store."""

    OURS = "ours"
    NEWER = "newer"
    FOREIGN = "foreign"
    DAMAGED = "damaged"


def examine(path: Path, *, thorough: bool = False) -> tuple[State, str]:
    """The state of a file with the cause in SQLite's words. ``thorough`` reads every page (a second per 200 MB)."""
    try:
        with closing(read_only(path)) as connection:
            applied = {item.name for item in migrations.applied(Database(connection))}
            if not applied:
                return State.FOREIGN, "no tables of Fengbo"
            unknown = applied - _known()
            if unknown:
                return State.NEWER, ", ".join(sorted(unknown))
            if thorough and (finding := connection.execute("PRAGMA integrity_check(1)").fetchone()[0]) != "ok":
                return State.DAMAGED, str(finding)
    except sqlite3.DatabaseError as error:
        return State.DAMAGED if _looks_like_sqlite(path) else State.FOREIGN, str(error)
    return State.OURS, ""


def read_only(path: Path) -> sqlite3.Connection:
    """Open without creating, migrating or changing anything."""
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=5)


def _known() -> set[str]:
    with closing(sqlite3.connect(":memory:")) as connection:
        return {item.name for item in migrations.pending(Database(connection))}


def _looks_like_sqlite(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(16) == b"SQLite format 3\x00"
    except OSError:
        return False
