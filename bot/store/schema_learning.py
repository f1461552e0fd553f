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


@migrations()
def m017_retrospectives(db: Database) -> None:
    # What the record said at the end, frozen: posts and minute counts go with the retention, this stays.
    db.conn.execute("""CREATE TABLE retrospective (
        incident TEXT PRIMARY KEY REFERENCES incident(id), drill TEXT NOT NULL, body TEXT NOT NULL,
        made_at INTEGER NOT NULL, updated_at INTEGER NOT NULL) WITHOUT ROWID""")
    # Who was asked; ``answered`` lists the questions, so that an anonymous answer needs no name and counts once.
    db.conn.execute("""CREATE TABLE survey_asked (
        incident TEXT NOT NULL REFERENCES incident(id), person TEXT NOT NULL, asked_at INTEGER NOT NULL,
        answered TEXT NOT NULL DEFAULT '[]', PRIMARY KEY (incident, person)) WITHOUT ROWID""")
    db.conn.execute("""CREATE TABLE survey_answer (
        id INTEGER PRIMARY KEY, incident TEXT NOT NULL REFERENCES incident(id), question TEXT NOT NULL,
        answer TEXT NOT NULL, person TEXT NOT NULL, person_name TEXT NOT NULL, at INTEGER NOT NULL)""")
    db.conn.execute("CREATE INDEX survey_answer_of ON survey_answer (incident, id)")
    db.conn.execute("""CREATE TABLE impact (
        id INTEGER PRIMARY KEY, incident TEXT NOT NULL REFERENCES incident(id), kind TEXT NOT NULL,
        measure TEXT NOT NULL, value TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL, source TEXT NOT NULL,
        actor TEXT NOT NULL, actor_name TEXT NOT NULL, at INTEGER NOT NULL)""")
    db.conn.execute("CREATE INDEX impact_of ON impact (incident, id)")
    # ``origin`` names what proposed it (a step, a source, a question), so that nothing is proposed twice.
    db.conn.execute("""CREATE TABLE action_item (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, incident TEXT NOT NULL REFERENCES incident(id),
        drill TEXT NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL, owner TEXT NOT NULL, due_at INTEGER NOT NULL,
        state TEXT NOT NULL, public INTEGER NOT NULL, origin TEXT NOT NULL, note TEXT NOT NULL DEFAULT '',
        created_by TEXT NOT NULL, created_at INTEGER NOT NULL, ended_by TEXT NOT NULL DEFAULT '',
        ended_at INTEGER NOT NULL DEFAULT 0)""")
    db.conn.execute("CREATE UNIQUE INDEX action_item_origin ON action_item (incident, origin) WHERE origin <> ''")
    db.conn.execute("CREATE INDEX action_item_open ON action_item (due_at) WHERE state = 'open'")
    db.conn.execute("""CREATE TRIGGER action_item_kind_is_final BEFORE UPDATE OF incident, drill ON action_item
        WHEN NEW.incident <> OLD.incident OR NEW.drill <> OLD.drill
        BEGIN SELECT RAISE(ABORT, 'an action item keeps its incident'); END""")
