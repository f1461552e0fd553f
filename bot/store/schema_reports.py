"""Briefs on a cadence, as migrations (see ``bot.store.schema``)."""

from sqlite_utils import Database

from bot.store.migrations import migrations


@migrations()
def m019_briefs(db: Database) -> None:
    # A brief as it was sent: its blocks with their pictures, and its figures for programs. Opened again, it says what
    # it said.
    db.conn.execute("""CREATE TABLE brief (
        id TEXT PRIMARY KEY, number INTEGER NOT NULL UNIQUE, cadence TEXT NOT NULL, start_at INTEGER NOT NULL,
        end_at INTEGER NOT NULL, zone TEXT NOT NULL, language TEXT NOT NULL, subjects TEXT NOT NULL,
        title TEXT NOT NULL, blocks TEXT NOT NULL, figures TEXT NOT NULL, made_at INTEGER NOT NULL)""")
