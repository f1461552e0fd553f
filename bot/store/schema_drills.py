"""What drills came to need after their first release, as migrations (see ``bot.store.schema``)."""

from sqlite_utils import Database

from bot.store.migrations import migrations


@migrations()
def m016_drill_plans(db: Database) -> None:
    # A drill on a date; the timer that begins it carries the id.
    db.conn.execute("""CREATE TABLE drill_plan (
        number INTEGER PRIMARY KEY, created_at INTEGER NOT NULL, id TEXT NOT NULL UNIQUE, scenario TEXT NOT NULL,
        speed REAL NOT NULL, surprise INTEGER NOT NULL, subject TEXT NOT NULL, starts_at INTEGER NOT NULL,
        state TEXT NOT NULL, person TEXT NOT NULL, name TEXT NOT NULL, chat TEXT NOT NULL, account TEXT NOT NULL,
        drill TEXT NOT NULL)""")
    db.conn.execute("CREATE INDEX drill_plan_waiting ON drill_plan (starts_at) WHERE state = 'waiting'")
