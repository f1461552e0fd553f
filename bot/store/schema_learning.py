"""Retrospectives, action items, cases and proposals, as migrations (see ``bot.store.schema``)."""

from sqlite_utils import Database

from bot.store.migrations import migrations


@migrations()
def m018_cases(db: Database) -> None:
    # What is kept of a closed incident once its posts are gone: figures and words that several people used, no
    # quotation. ``kind``: own, drill or hand; the cases that come with the playbooks are files.
    db.conn.execute("""CREATE TABLE crisis_case (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, incident TEXT NOT NULL,
        drill TEXT NOT NULL, body TEXT NOT NULL, happened_at INTEGER NOT NULL, created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL)""")
    db.conn.execute("CREATE UNIQUE INDEX crisis_case_incident ON crisis_case (incident) WHERE incident <> ''")
    db.conn.execute("CREATE INDEX crisis_case_updated ON crisis_case (updated_at)")
    db.conn.execute("""CREATE TABLE case_lesson (
        id INTEGER PRIMARY KEY, crisis_case TEXT NOT NULL REFERENCES crisis_case(id), words TEXT NOT NULL,
        actor TEXT NOT NULL, actor_name TEXT NOT NULL, at INTEGER NOT NULL)""")
    db.conn.execute("CREATE INDEX case_lesson_of ON case_lesson (crisis_case, id)")
    # Chinese characters stand apart in it, so that any two of them in a row are found.
    db.conn.execute("CREATE VIRTUAL TABLE case_words USING fts5(words, tokenize = 'unicode61')")


@migrations()
def m018_proposals(db: Database) -> None:
    # What the record suggests to change in the library. ``key`` names the suggestion over the weeks; ``evidence`` is
    # how much spoke for it when somebody said no: it comes back only when that has doubled.
    db.conn.execute("""CREATE TABLE library_proposal (
        number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, playbook TEXT NOT NULL,
        body TEXT NOT NULL, evidence INTEGER NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '',
        version INTEGER NOT NULL DEFAULT 0, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
        decided_by TEXT NOT NULL DEFAULT '', decided_at INTEGER NOT NULL DEFAULT 0)""")
