"""The tables of the flow, from post to drill, as sqlite-utils migrations. A migration that has been released is never
edited; a new one follows it.

Times are Unix milliseconds. ``drill`` is empty for the real world everywhere. JSON columns hold what
``to_json`` of the model types gives.
"""

from sqlite_utils import Database

from bot.store.migrations import migrations


@migrations()
def m001_posts(db: Database) -> None:
    # Two hot tables: rows come by executemany, so plain DDL with just the indexes that a query uses.
    db.conn.execute("""CREATE TABLE post (
        seq INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, id TEXT NOT NULL, source TEXT NOT NULL,
        platform TEXT NOT NULL, kind TEXT NOT NULL, url TEXT, title TEXT, text TEXT NOT NULL,
        author_key TEXT, author_name TEXT, followers INTEGER NOT NULL, verified INTEGER NOT NULL,
        published_at INTEGER NOT NULL, collected_at INTEGER NOT NULL, parent_id TEXT, root_id TEXT,
        views INTEGER NOT NULL, likes INTEGER NOT NULL, reposts INTEGER NOT NULL, comments INTEGER NOT NULL,
        location TEXT, drill TEXT NOT NULL DEFAULT '')""")
    db.conn.execute("""CREATE TABLE mention (
        subject TEXT NOT NULL, post INTEGER NOT NULL, published_at INTEGER NOT NULL, family TEXT NOT NULL,
        sentiment INTEGER NOT NULL, score REAL NOT NULL, types TEXT NOT NULL, words TEXT NOT NULL,
        story INTEGER, carrier INTEGER NOT NULL, influence INTEGER NOT NULL, engagement INTEGER NOT NULL,
        platform TEXT NOT NULL, drill TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (post, subject)) WITHOUT ROWID""")
    db.conn.execute("CREATE INDEX mention_time ON mention (subject, drill, published_at)")
    db.conn.execute("""CREATE TABLE bucket (
        subject TEXT NOT NULL, drill TEXT NOT NULL, minute INTEGER NOT NULL, family TEXT NOT NULL,
        platform TEXT NOT NULL, sentiment INTEGER NOT NULL, count INTEGER NOT NULL, engagement INTEGER NOT NULL,
        carrier INTEGER NOT NULL, carrier_post INTEGER NOT NULL, top_influence INTEGER NOT NULL,
        top_post INTEGER NOT NULL,
        PRIMARY KEY (subject, drill, minute, family, platform, sentiment)) WITHOUT ROWID""")
    # Hours are what baselines by hour of week read: eight weeks of them are 1,344 rows a subject and family.
    db.conn.execute("""CREATE TABLE hour (
        subject TEXT NOT NULL, drill TEXT NOT NULL, family TEXT NOT NULL, hour INTEGER NOT NULL,
        mentions INTEGER NOT NULL, negative INTEGER NOT NULL,
        PRIMARY KEY (subject, drill, family, hour)) WITHOUT ROWID""")
    db.conn.execute("""CREATE TABLE term (
        subject TEXT NOT NULL, drill TEXT NOT NULL, minute INTEGER NOT NULL, kind TEXT NOT NULL, word TEXT NOT NULL,
        family TEXT NOT NULL, count INTEGER NOT NULL,
        PRIMARY KEY (subject, drill, minute, kind, word, family)) WITHOUT ROWID""")
    db.conn.execute("""CREATE TABLE story (
        id INTEGER PRIMARY KEY, drill TEXT NOT NULL, first_post INTEGER NOT NULL, first_at INTEGER NOT NULL,
        last_at INTEGER NOT NULL, size INTEGER NOT NULL, signature BLOB NOT NULL)""")
    db.conn.execute("CREATE INDEX story_last ON story (last_at)")
    db.conn.execute("CREATE TABLE cursor (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID")


@migrations()
def m002_incidents(db: Database) -> None:
    db.conn.execute("""CREATE TABLE incident (
        id TEXT PRIMARY KEY, number INTEGER NOT NULL UNIQUE, kind TEXT NOT NULL, drill TEXT NOT NULL,
        subject TEXT NOT NULL, subject_name TEXT NOT NULL, family TEXT NOT NULL, crisis_type TEXT NOT NULL,
        title TEXT NOT NULL, status TEXT NOT NULL, grade INTEGER NOT NULL, peak_grade INTEGER NOT NULL,
        manual_grade INTEGER NOT NULL DEFAULT 0, owner TEXT NOT NULL DEFAULT '', signals TEXT NOT NULL DEFAULT '[]',
        blind_sources TEXT NOT NULL DEFAULT '[]', opened_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
        calm_since INTEGER NOT NULL DEFAULT 0, acknowledged_at INTEGER NOT NULL DEFAULT 0,
        resolved_at INTEGER NOT NULL DEFAULT 0, closed_at INTEGER NOT NULL DEFAULT 0,
        last_alert_at INTEGER NOT NULL DEFAULT 0, escalation_level INTEGER NOT NULL DEFAULT 0,
        version INTEGER NOT NULL DEFAULT 1)""")
    db.conn.execute("CREATE INDEX incident_live ON incident (subject, drill, status)")
    # An incident's kind is set at its creation: nobody turns a drill into the real thing or back.
    db.conn.execute("""CREATE TRIGGER incident_kind_is_final BEFORE UPDATE OF kind, drill ON incident
        WHEN NEW.kind <> OLD.kind OR NEW.drill <> OLD.drill
        BEGIN SELECT RAISE(ABORT, 'an incident''s kind is set at its creation'); END""")
    db.conn.execute("""CREATE TABLE timeline (
        id INTEGER PRIMARY KEY, incident TEXT NOT NULL REFERENCES incident(id), happened_at INTEGER NOT NULL,
        recorded_at INTEGER NOT NULL, kind TEXT NOT NULL, params TEXT NOT NULL, actor TEXT NOT NULL,
        actor_name TEXT NOT NULL, chat TEXT NOT NULL)""")
    db.conn.execute("CREATE INDEX timeline_incident ON timeline (incident, happened_at)")
    db.conn.execute("""CREATE TABLE incident_role (
        incident TEXT NOT NULL REFERENCES incident(id), role TEXT NOT NULL, person TEXT NOT NULL,
        PRIMARY KEY (incident, role, person)) WITHOUT ROWID""")
    db.conn.execute("""CREATE TABLE silence (
        id INTEGER PRIMARY KEY, subject TEXT NOT NULL, incident TEXT NOT NULL, drill TEXT NOT NULL,
        starts_at INTEGER NOT NULL, ends_at INTEGER NOT NULL, reason TEXT NOT NULL, actor TEXT NOT NULL,
        actor_name TEXT NOT NULL, lifted_at INTEGER NOT NULL DEFAULT 0)""")
    db.conn.execute("CREATE INDEX silence_end ON silence (ends_at)")


@migrations()
def m003_delivery(db: Database) -> None:
    db.conn.execute("""CREATE TABLE inbox (
        id INTEGER PRIMARY KEY, chat TEXT NOT NULL, key TEXT NOT NULL, payload TEXT NOT NULL,
        received_at INTEGER NOT NULL, state TEXT NOT NULL DEFAULT 'new', attempts INTEGER NOT NULL DEFAULT 0,
        done_at INTEGER NOT NULL DEFAULT 0, error TEXT NOT NULL DEFAULT '', UNIQUE (chat, key))""")
    db.conn.execute("CREATE INDEX inbox_new ON inbox (state, id) WHERE state = 'new'")
    db.conn.execute("""CREATE TABLE outbox (
        id INTEGER PRIMARY KEY, destination TEXT NOT NULL, object TEXT NOT NULL, key TEXT NOT NULL UNIQUE,
        message TEXT NOT NULL, drill TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'waiting',
        created_at INTEGER NOT NULL, not_before INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
        claimed_at INTEGER NOT NULL DEFAULT 0, sent_at INTEGER NOT NULL DEFAULT 0, error TEXT NOT NULL DEFAULT '')""")
    db.conn.execute("""CREATE INDEX outbox_waiting ON outbox (destination, id)
        WHERE state IN ('waiting', 'sending')""")
    # Where an object stands in a chat: the message that is rewritten in place.
    db.conn.execute("""CREATE TABLE placement (
        object TEXT NOT NULL, destination TEXT NOT NULL, anchor TEXT NOT NULL, reference TEXT NOT NULL,
        placed_at INTEGER NOT NULL, PRIMARY KEY (object, destination)) WITHOUT ROWID""")
    db.conn.execute("CREATE INDEX placement_anchor ON placement (anchor)")
    db.conn.execute("""CREATE TABLE timer (
        id INTEGER PRIMARY KEY, kind TEXT NOT NULL, object TEXT NOT NULL, due_at INTEGER NOT NULL,
        payload TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'waiting', created_at INTEGER NOT NULL,
        fired_at INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0, error TEXT NOT NULL DEFAULT '')""")
    db.conn.execute("CREATE UNIQUE INDEX timer_one ON timer (kind, object) WHERE state = 'waiting'")
    db.conn.execute("CREATE INDEX timer_due ON timer (due_at) WHERE state = 'waiting'")
    db.conn.execute("""CREATE TABLE lease (
        name TEXT PRIMARY KEY, holder TEXT NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID""")
    # The console is a chat like the others; these rows are its server side.
    db.conn.execute("""CREATE TABLE console_message (
        id INTEGER PRIMARY KEY, channel TEXT NOT NULL, thread INTEGER NOT NULL DEFAULT 0, object TEXT NOT NULL,
        author TEXT NOT NULL, audience TEXT NOT NULL DEFAULT '', card TEXT NOT NULL, text TEXT NOT NULL,
        attachment TEXT NOT NULL DEFAULT '', outbox_key TEXT NOT NULL DEFAULT '', drill TEXT NOT NULL DEFAULT '',
        posted_at INTEGER NOT NULL, changed_at INTEGER NOT NULL, revision INTEGER NOT NULL)""")
    db.conn.execute("CREATE INDEX console_channel ON console_message (channel, id)")
    db.conn.execute("CREATE INDEX console_revision ON console_message (revision)")
    db.conn.execute("CREATE UNIQUE INDEX console_key ON console_message (outbox_key) WHERE outbox_key <> ''")


@migrations()
def m004_sources_rules_audit(db: Database) -> None:
    db.conn.execute("""CREATE TABLE source_state (
        source TEXT PRIMARY KEY, cursor TEXT NOT NULL DEFAULT '{}', next_due_at INTEGER NOT NULL DEFAULT 0,
        last_try_at INTEGER NOT NULL DEFAULT 0, last_success_at INTEGER NOT NULL DEFAULT 0,
        last_post_at INTEGER NOT NULL DEFAULT 0, failures INTEGER NOT NULL DEFAULT 0,
        last_error TEXT NOT NULL DEFAULT '', health TEXT NOT NULL DEFAULT 'new',
        health_since INTEGER NOT NULL DEFAULT 0,
        posts INTEGER NOT NULL DEFAULT 0, first_seen_at INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID""")
    db.conn.execute("""CREATE TABLE rule (
        id INTEGER PRIMARY KEY, subject TEXT NOT NULL, version INTEGER NOT NULL, rule TEXT NOT NULL,
        state TEXT NOT NULL, actor TEXT NOT NULL, actor_name TEXT NOT NULL, created_at INTEGER NOT NULL,
        reason TEXT NOT NULL DEFAULT '', UNIQUE (subject, version))""")
    db.conn.execute("""CREATE TABLE rejected_post (
        id INTEGER PRIMARY KEY, source TEXT NOT NULL, error TEXT NOT NULL, item TEXT NOT NULL,
        rejected_at INTEGER NOT NULL)""")
    db.conn.execute("""CREATE TABLE audit (
        seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL, chat TEXT NOT NULL, action TEXT NOT NULL,
        object TEXT NOT NULL, detail TEXT NOT NULL, previous TEXT NOT NULL, digest TEXT NOT NULL)""")
    for change in ("UPDATE", "DELETE"):
        db.conn.execute(f"""CREATE TRIGGER audit_no_{change.lower()} BEFORE {change} ON audit
            BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""")
    db.conn.execute("CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")


@migrations()
def m005_console(db: Database) -> None:
    # Pictures and files shown in the console: in the store, so that a backup and a restart keep them.
    db.conn.execute("""CREATE TABLE console_attachment (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, media_type TEXT NOT NULL, caption TEXT NOT NULL,
        content BLOB NOT NULL, audience TEXT NOT NULL, made_at INTEGER NOT NULL)""")
    db.conn.execute("ALTER TABLE console_message ADD COLUMN mentions TEXT NOT NULL DEFAULT '[]'")
    db.conn.execute("CREATE INDEX console_thread ON console_message (thread) WHERE thread > 0")


@migrations()
def m006_runs(db: Database) -> None:
    # The plan as it stood when a run began: runs of one version share one copy, kept by its digest.
    db.conn.execute("CREATE TABLE playbook_copy (digest TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID")
    db.conn.execute("""CREATE TABLE run (
        id TEXT PRIMARY KEY, number INTEGER NOT NULL UNIQUE, incident TEXT NOT NULL REFERENCES incident(id),
        drill TEXT NOT NULL, playbook TEXT NOT NULL, digest TEXT NOT NULL REFERENCES playbook_copy(digest),
        status TEXT NOT NULL, parent TEXT NOT NULL DEFAULT '', started_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
        version INTEGER NOT NULL, state TEXT NOT NULL)""")
    db.conn.execute("CREATE INDEX run_incident ON run (incident, number)")
    db.conn.execute("CREATE INDEX run_open ON run (status) WHERE status IN ('running', 'paused')")
    db.conn.execute("""CREATE TRIGGER run_kind_is_final BEFORE UPDATE OF drill, digest ON run
        WHEN NEW.drill <> OLD.drill OR NEW.digest <> OLD.digest
        BEGIN SELECT RAISE(ABORT, 'a run keeps its kind and its frozen plan'); END""")
    db.conn.execute("""CREATE TABLE run_step (
        run TEXT NOT NULL REFERENCES run(id), number INTEGER NOT NULL, step TEXT NOT NULL, status TEXT NOT NULL,
        person TEXT NOT NULL, due_at INTEGER NOT NULL, state TEXT NOT NULL,
        PRIMARY KEY (run, number)) WITHOUT ROWID""")
    db.conn.execute("CREATE INDEX run_step_person ON run_step (person) WHERE status = 'open'")
    db.conn.execute("""CREATE TABLE run_event (
        id INTEGER PRIMARY KEY, run TEXT NOT NULL REFERENCES run(id), step TEXT NOT NULL, kind TEXT NOT NULL,
        detail TEXT NOT NULL, actor TEXT NOT NULL, actor_name TEXT NOT NULL, chat TEXT NOT NULL,
        at INTEGER NOT NULL)""")
    db.conn.execute("CREATE INDEX run_event_run ON run_event (run, id)")
    # Every version of every fact stays; the newest one of a name counts.
    db.conn.execute("""CREATE TABLE fact (
        id INTEGER PRIMARY KEY, incident TEXT NOT NULL REFERENCES incident(id), name TEXT NOT NULL,
        value TEXT NOT NULL, confirmed INTEGER NOT NULL, source TEXT NOT NULL, since INTEGER NOT NULL,
        actor TEXT NOT NULL, actor_name TEXT NOT NULL, chat TEXT NOT NULL, recorded_at INTEGER NOT NULL)""")
    db.conn.execute("CREATE INDEX fact_incident ON fact (incident, name, id)")


@migrations()
def m007_calls(db: Database) -> None:
    db.conn.execute("""CREATE TABLE call (
        id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, system TEXT NOT NULL, action TEXT NOT NULL,
        params TEXT NOT NULL, context TEXT NOT NULL DEFAULT '{}', incident TEXT NOT NULL DEFAULT '',
        run TEXT NOT NULL DEFAULT '', step TEXT NOT NULL DEFAULT '', drill TEXT NOT NULL DEFAULT '',
        state TEXT NOT NULL DEFAULT 'waiting', attempts INTEGER NOT NULL DEFAULT 0, not_before INTEGER NOT NULL,
        status INTEGER NOT NULL DEFAULT 0, answer TEXT NOT NULL DEFAULT '', result TEXT NOT NULL DEFAULT '{}',
        error TEXT NOT NULL DEFAULT '', created_at INTEGER NOT NULL, told_at INTEGER NOT NULL DEFAULT 0,
        finished_at INTEGER NOT NULL DEFAULT 0)""")
    db.conn.execute("CREATE INDEX call_open ON call (system, id) WHERE state IN ('waiting', 'sending')")
    db.conn.execute("CREATE INDEX call_incident ON call (incident, id)")
    # A call of a drill never turns into a real one.
    db.conn.execute("""CREATE TRIGGER call_kind_is_final BEFORE UPDATE OF drill ON call WHEN NEW.drill <> OLD.drill
        BEGIN SELECT RAISE(ABORT, 'a call''s kind is set at its creation'); END""")


@migrations()
def m007_customers(db: Database) -> None:
    db.conn.execute("""CREATE TABLE notice (
        id INTEGER PRIMARY KEY, incident TEXT NOT NULL, run TEXT NOT NULL DEFAULT '', step TEXT NOT NULL DEFAULT '',
        segment TEXT NOT NULL, drill TEXT NOT NULL DEFAULT '', state TEXT NOT NULL, title TEXT NOT NULL,
        text TEXT NOT NULL, params TEXT NOT NULL DEFAULT '{}', counts TEXT NOT NULL DEFAULT '{}',
        error TEXT NOT NULL DEFAULT '', asked_by TEXT NOT NULL, created_at INTEGER NOT NULL)""")
    # The only table with customers' names and addresses; emptied when their time is over.
    db.conn.execute("""CREATE TABLE notice_person (
        notice INTEGER NOT NULL REFERENCES notice(id), number INTEGER NOT NULL, name TEXT NOT NULL,
        channel TEXT NOT NULL, address TEXT NOT NULL, fields TEXT NOT NULL, state TEXT NOT NULL,
        reason TEXT NOT NULL DEFAULT '', PRIMARY KEY (notice, number)) WITHOUT ROWID""")
    db.conn.execute("CREATE INDEX notice_person_waiting ON notice_person (notice, state, number)")
    db.conn.execute("""CREATE TRIGGER notice_kind_is_final BEFORE UPDATE OF drill ON notice WHEN NEW.drill <> OLD.drill
        BEGIN SELECT RAISE(ABORT, 'a notice''s kind is set at its creation'); END""")


@migrations()
def m007_contacts(db: Database) -> None:
    db.conn.execute("""CREATE TABLE liaison (
        id INTEGER PRIMARY KEY, contact TEXT NOT NULL, incident TEXT NOT NULL DEFAULT '', about TEXT NOT NULL,
        actor TEXT NOT NULL, actor_name TEXT NOT NULL, happened_at INTEGER NOT NULL, recorded_at INTEGER NOT NULL)""")
    db.conn.execute("CREATE INDEX liaison_contact ON liaison (contact, happened_at)")
    db.conn.execute("""CREATE TABLE interview (
        id INTEGER PRIMARY KEY, contact TEXT NOT NULL, incident TEXT NOT NULL DEFAULT '', question TEXT NOT NULL,
        due_at INTEGER NOT NULL, state TEXT NOT NULL DEFAULT 'open', answer TEXT NOT NULL DEFAULT '',
        owner TEXT NOT NULL DEFAULT '', drill TEXT NOT NULL DEFAULT '', asked_at INTEGER NOT NULL,
        answered_at INTEGER NOT NULL DEFAULT 0)""")
    db.conn.execute("CREATE INDEX interview_open ON interview (state, due_at)")


@migrations()
def m007_replies(db: Database) -> None:
    db.conn.execute("""CREATE TABLE reply_window (
        id INTEGER PRIMARY KEY, run TEXT NOT NULL, step TEXT NOT NULL, incident TEXT NOT NULL, drill TEXT NOT NULL,
        text TEXT NOT NULL, topics TEXT NOT NULL, hours TEXT NOT NULL, per_person INTEGER NOT NULL,
        hand_over TEXT NOT NULL, opened_at INTEGER NOT NULL, until_at INTEGER NOT NULL, closed_at INTEGER NOT NULL
        DEFAULT 0, UNIQUE (run, step, opened_at))""")
    # What customers wrote and what became of it: the person as a keyed hash, numbers masked.
    db.conn.execute("""CREATE TABLE inquiry (
        id INTEGER PRIMARY KEY, source TEXT NOT NULL, message TEXT NOT NULL, person TEXT NOT NULL,
        text TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL, slot INTEGER NOT NULL DEFAULT 0,
        incident TEXT NOT NULL DEFAULT '', reply TEXT NOT NULL DEFAULT '', received_at INTEGER NOT NULL,
        UNIQUE (source, message))""")
    db.conn.execute("CREATE INDEX inquiry_person ON inquiry (person, received_at)")


@migrations()
def m009_learning(db: Database) -> None:
    # Every answer stays; the newest one of a person, playbook, version and question counts.
    db.conn.execute("""CREATE TABLE lesson_answer (
        id INTEGER PRIMARY KEY, person TEXT NOT NULL, playbook TEXT NOT NULL, version INTEGER NOT NULL,
        question TEXT NOT NULL, answer TEXT NOT NULL, "right" INTEGER NOT NULL, at INTEGER NOT NULL)""")
    db.conn.execute("CREATE INDEX lesson_answer_person ON lesson_answer (person, playbook, version, question, id)")
    # What a person was asked last, so that a typed letter has something to answer.
    db.conn.execute("""CREATE TABLE lesson_asked (
        person TEXT PRIMARY KEY, playbook TEXT NOT NULL, question TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID""")


@migrations()
def m009_playbook_versions(db: Database) -> None:
    # A playbook as people changed it: the live row outranks the file. ``base`` is the digest of what it was made from.
    db.conn.execute("""CREATE TABLE playbook_version (
        id INTEGER PRIMARY KEY, playbook TEXT NOT NULL, version INTEGER NOT NULL, text TEXT NOT NULL,
        state TEXT NOT NULL, base TEXT NOT NULL, reason TEXT NOT NULL, actor TEXT NOT NULL, actor_name TEXT NOT NULL,
        created_at INTEGER NOT NULL, decided_by TEXT NOT NULL DEFAULT '', decided_at INTEGER NOT NULL DEFAULT 0,
        UNIQUE (playbook, version))""")
    db.conn.execute("CREATE UNIQUE INDEX playbook_live ON playbook_version (playbook) WHERE state = 'live'")
    db.conn.execute("""CREATE TRIGGER playbook_text_is_final BEFORE UPDATE OF playbook, version, text
        ON playbook_version BEGIN SELECT RAISE(ABORT, 'a version keeps its text'); END""")
    db.conn.execute("""CREATE TABLE playbook_request (
        id INTEGER PRIMARY KEY, playbook TEXT NOT NULL, words TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'open',
        actor TEXT NOT NULL, actor_name TEXT NOT NULL, created_at INTEGER NOT NULL)""")


@migrations()
def m008_outbox_object(db: Database) -> None:
    # A card that changes often looks for its own waiting edit: not among everything else that waits there.
    db.conn.execute("CREATE INDEX outbox_object ON outbox (object, destination) WHERE state = 'waiting'")


@migrations()
def m012_publications(db: Database) -> None:
    # An approved text on its way out: a copy of the version whose digest was approved, never changed afterwards.
    db.conn.execute("""CREATE TABLE publication (
        id INTEGER PRIMARY KEY, statement TEXT NOT NULL, digest TEXT NOT NULL, incident TEXT NOT NULL,
        drill TEXT NOT NULL DEFAULT '', kind TEXT NOT NULL, replaces TEXT NOT NULL DEFAULT '', audience TEXT NOT NULL,
        language TEXT NOT NULL, version INTEGER NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL, state TEXT NOT NULL,
        at INTEGER NOT NULL DEFAULT 0, embargo INTEGER NOT NULL DEFAULT 0, hold_until INTEGER NOT NULL DEFAULT 0,
        actor TEXT NOT NULL, actor_name TEXT NOT NULL, chat TEXT NOT NULL, begun_at INTEGER NOT NULL,
        settled_at INTEGER NOT NULL DEFAULT 0, error TEXT NOT NULL DEFAULT '', UNIQUE (statement, digest))""")
    db.conn.execute(
        "CREATE INDEX publication_open ON publication (incident) WHERE state IN ('scheduled', 'held', 'publishing')"
    )
    db.conn.execute("""CREATE TRIGGER publication_text_is_final BEFORE UPDATE OF statement, digest, drill, audience,
        language, version, title, body ON publication
        BEGIN SELECT RAISE(ABORT, 'a publication keeps its text and its kind'); END""")
    # What each target said. ``position`` is the order in which they are handed the text.
    db.conn.execute("""CREATE TABLE receipt (
        publication INTEGER NOT NULL REFERENCES publication(id), target TEXT NOT NULL, kind TEXT NOT NULL,
        title TEXT NOT NULL, position INTEGER NOT NULL, embargoed INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL,
        link TEXT NOT NULL DEFAULT '', reference TEXT NOT NULL DEFAULT '', error TEXT NOT NULL DEFAULT '',
        counts TEXT NOT NULL DEFAULT '{}', handed_at INTEGER NOT NULL DEFAULT 0, settled_at INTEGER NOT NULL DEFAULT 0,
        attempt INTEGER NOT NULL DEFAULT 1, by TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (publication, target)) WITHOUT ROWID""")
    # The public pages. A drill's entry is a preview and never among them.
    db.conn.execute("""CREATE TABLE newsroom_item (
        slug TEXT PRIMARY KEY, statement TEXT NOT NULL UNIQUE, publication INTEGER NOT NULL REFERENCES publication(id),
        publisher TEXT NOT NULL, incident TEXT NOT NULL, drill TEXT NOT NULL DEFAULT '', kind TEXT NOT NULL,
        replaces TEXT NOT NULL DEFAULT '', audience TEXT NOT NULL, language TEXT NOT NULL, title TEXT NOT NULL,
        body TEXT NOT NULL, digest TEXT NOT NULL, published_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
        replaced_by TEXT NOT NULL DEFAULT '', replaced_kind TEXT NOT NULL DEFAULT '') WITHOUT ROWID""")
    db.conn.execute("CREATE INDEX newsroom_public ON newsroom_item (published_at) WHERE drill = ''")
    db.conn.execute("""CREATE TRIGGER newsroom_text_is_final BEFORE UPDATE OF statement, drill, title, body, digest
        ON newsroom_item BEGIN SELECT RAISE(ABORT, 'what was published is not changed, only corrected'); END""")


@migrations()
def m013_labels(db: Database) -> None:
    # What people say of posts: one row a post, subject and person, the newest word counts. The text stays with the
    # post alone, so that retention and forgetting reach it.
    db.conn.execute("""CREATE TABLE label (
        post INTEGER NOT NULL, subject TEXT NOT NULL, person TEXT NOT NULL, verdict TEXT NOT NULL,
        incident TEXT NOT NULL, drill TEXT NOT NULL DEFAULT '', at INTEGER NOT NULL,
        PRIMARY KEY (post, subject, person)) WITHOUT ROWID""")


@migrations()
def m014_topics(db: Database) -> None:
    # Stories that resemble each other are one topic, which has the number of its oldest story.
    db.conn.execute("ALTER TABLE story ADD COLUMN topic INTEGER NOT NULL DEFAULT 0")
    db.conn.execute("UPDATE story SET topic = id")
    db.conn.execute("CREATE INDEX story_topic ON story (topic)")


@migrations()
def m010_statements(db: Database) -> None:
    db.conn.execute("""CREATE TABLE statement (
        id TEXT PRIMARY KEY, number INTEGER NOT NULL UNIQUE, incident TEXT NOT NULL REFERENCES incident(id),
        drill TEXT NOT NULL, kind TEXT NOT NULL, audience TEXT NOT NULL, language TEXT NOT NULL, status TEXT NOT NULL,
        grade INTEGER NOT NULL, version INTEGER NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
        revision INTEGER NOT NULL DEFAULT 1, template TEXT NOT NULL DEFAULT '', strategy TEXT NOT NULL DEFAULT '',
        run TEXT NOT NULL DEFAULT '', step TEXT NOT NULL DEFAULT '', replaces TEXT NOT NULL DEFAULT '',
        channels TEXT NOT NULL DEFAULT '[]', approval TEXT NOT NULL DEFAULT '{}')""")
    db.conn.execute("CREATE INDEX statement_incident ON statement (incident, number)")
    db.conn.execute("CREATE INDEX statement_step ON statement (run, step) WHERE run <> ''")
    db.conn.execute("""CREATE TRIGGER statement_kind_is_final
        BEFORE UPDATE OF drill, kind, incident, audience, replaces ON statement
        WHEN NEW.drill <> OLD.drill OR NEW.kind <> OLD.kind OR NEW.incident <> OLD.incident
            OR NEW.audience <> OLD.audience OR NEW.replaces <> OLD.replaces
        BEGIN SELECT RAISE(ABORT, 'what a statement is and whom it is for is set at its creation'); END""")
    # A text never changes: an edit is a new row, and a digest names one row for ever.
    db.conn.execute("""CREATE TABLE statement_version (
        statement TEXT NOT NULL REFERENCES statement(id), number INTEGER NOT NULL, title TEXT NOT NULL,
        body TEXT NOT NULL, digest TEXT NOT NULL, author TEXT NOT NULL, author_name TEXT NOT NULL, chat TEXT NOT NULL,
        created_at INTEGER NOT NULL, reason TEXT NOT NULL DEFAULT '', aside INTEGER NOT NULL DEFAULT 0,
        findings TEXT NOT NULL DEFAULT '[]', PRIMARY KEY (statement, number)) WITHOUT ROWID""")
    db.conn.execute("""CREATE TRIGGER statement_text_is_final
        BEFORE UPDATE OF statement, number, title, body, digest, author, created_at ON statement_version
        BEGIN SELECT RAISE(ABORT, 'a version keeps its text'); END""")
    # Everything that happened to a statement, append-only: edits, votes, comments, overrides, publication.
    db.conn.execute("""CREATE TABLE statement_event (
        id INTEGER PRIMARY KEY, statement TEXT NOT NULL REFERENCES statement(id), version INTEGER NOT NULL,
        digest TEXT NOT NULL, kind TEXT NOT NULL, detail TEXT NOT NULL, actor TEXT NOT NULL, actor_name TEXT NOT NULL,
        chat TEXT NOT NULL, at INTEGER NOT NULL)""")
    db.conn.execute("CREATE INDEX statement_event_of ON statement_event (statement, id)")
    for change in ("UPDATE", "DELETE"):
        db.conn.execute(f"""CREATE TRIGGER statement_event_no_{change.lower()} BEFORE {change} ON statement_event
            BEGIN SELECT RAISE(ABORT, 'what happened to a statement is append-only'); END""")
    # Who may vote for whom: a statement's id, or empty for all until ``until_at``.
    db.conn.execute("""CREATE TABLE delegation (
        person TEXT NOT NULL, to_person TEXT NOT NULL, statement TEXT NOT NULL, until_at INTEGER NOT NULL,
        created_at INTEGER NOT NULL, PRIMARY KEY (person, statement)) WITHOUT ROWID""")
    db.conn.execute("CREATE TABLE second_factor (person TEXT PRIMARY KEY, step INTEGER NOT NULL) WITHOUT ROWID")
    # Who has the form open: a hint to others, never a lock.
    db.conn.execute("""CREATE TABLE statement_editing (
        statement TEXT NOT NULL, person TEXT NOT NULL, person_name TEXT NOT NULL, version INTEGER NOT NULL,
        since INTEGER NOT NULL, PRIMARY KEY (statement, person)) WITHOUT ROWID""")


@migrations()
def m015_drills(db: Database) -> None:
    # A drill with its frozen scenario. ``position`` (drill milliseconds) was reached at the real moment ``clock_at``.
    db.conn.execute("""CREATE TABLE drill (
        id TEXT PRIMARY KEY, number INTEGER NOT NULL UNIQUE, scenario TEXT NOT NULL, version INTEGER NOT NULL,
        body TEXT NOT NULL, subject TEXT NOT NULL, company TEXT NOT NULL, speed REAL NOT NULL, state TEXT NOT NULL,
        surprise INTEGER NOT NULL, position INTEGER NOT NULL, clock_at INTEGER NOT NULL, facilitator TEXT NOT NULL,
        facilitator_name TEXT NOT NULL, chat TEXT NOT NULL, account TEXT NOT NULL, started_at INTEGER NOT NULL,
        ended_at INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID""")
    db.conn.execute("""CREATE TRIGGER drill_is_final BEFORE UPDATE OF id, scenario, version, body, subject, company,
        started_at ON drill BEGIN SELECT RAISE(ABORT, 'a drill keeps its scenario'); END""")
    db.conn.execute("""CREATE TABLE drill_event (
        id INTEGER PRIMARY KEY, drill TEXT NOT NULL REFERENCES drill(id), kind TEXT NOT NULL, detail TEXT NOT NULL,
        actor TEXT NOT NULL, actor_name TEXT NOT NULL, at INTEGER NOT NULL, position INTEGER NOT NULL)""")
    db.conn.execute("CREATE INDEX drill_event_of ON drill_event (drill, id)")
    db.conn.execute("CREATE INDEX incident_drill ON incident (drill) WHERE drill <> ''")
