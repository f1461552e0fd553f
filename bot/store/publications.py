"""Publications, their receipts and the newsroom as rows."""

from collections.abc import Iterable
from typing import Any

import orjson
from sqlite_utils import Database

from bot.model.publication import NewsroomItem, Publication, PublicationState, Receipt, ReceiptState
from bot.model.statement import StatementKind

_COLUMNS = (
    "id, statement, digest, incident, drill, kind, replaces, audience, language, version, title, body, state, at,"
    " embargo, hold_until, actor, actor_name, chat, begun_at, settled_at, error"
)
_RECEIPT = (
    "r.publication, p.statement, r.target, r.kind, r.title, r.position, r.embargoed, r.state, r.link, r.reference,"
    " r.error, r.counts, r.handed_at, r.settled_at, r.attempt, r.by"
)
_ITEM = (
    "slug, statement, publication, publisher, incident, drill, kind, replaces, audience, language, title, body, digest,"
    " published_at, updated_at, replaced_by, replaced_kind"
)
_ERROR = 500


def create(db: Database, publication: Publication) -> Publication:
    """Keep a new publication; its ``id`` is given by the store."""
    values = [getattr(publication, name.strip()) for name in _COLUMNS.split(",")[1:]]
    marks = ", ".join("?" * len(values))
    cursor = db.conn.execute(f"INSERT INTO publication ({_COLUMNS[4:]}) VALUES ({marks})", values)
    found = get(db, int(cursor.lastrowid or 0))
    assert found is not None
    return found


def get(db: Database, publication_id: int) -> Publication | None:
    row = db.conn.execute(f"SELECT {_COLUMNS} FROM publication WHERE id = ?", (publication_id,)).fetchone()
    return _publication(row) if row else None


def by_digest(db: Database, statement: str, digest: str) -> Publication | None:
    row = db.conn.execute(
        f"SELECT {_COLUMNS} FROM publication WHERE statement = ? AND digest = ?", (statement, digest)
    ).fetchone()
    return _publication(row) if row else None


def latest(db: Database, statement: str) -> Publication | None:
    """The newest publication of a statement: an edit after a cancelled one makes another."""
    row = db.conn.execute(
        f"SELECT {_COLUMNS} FROM publication WHERE statement = ? ORDER BY id DESC LIMIT 1", (statement,)
    ).fetchone()
    return _publication(row) if row else None


def open_of(db: Database, incident: str) -> list[Publication]:
    """What of an incident is scheduled, held back or on its way."""
    rows = db.conn.execute(
        f"SELECT {_COLUMNS} FROM publication WHERE incident = ? AND state IN ('scheduled', 'held', 'publishing')"
        " ORDER BY id",
        (incident,),
    )
    return [_publication(row) for row in rows]


def move(
    db: Database, publication_id: int, state: PublicationState, *, only_from: Iterable[PublicationState],
    settled_at: int = 0, error: str = "",
) -> bool:  # fmt: skip
    """Change a publication's state if it is in one of ``only_from``."""
    states = list(only_from)
    return bool(
        db.conn.execute(
            f"UPDATE publication SET state = ?, settled_at = ?, error = ? WHERE id = ?"
            f" AND state IN ({', '.join('?' * len(states))})",
            (state.value, settled_at, error[:_ERROR], publication_id, *states),
        ).rowcount
    )


def revive(db: Database, publication_id: int, at: int, embargo: int, now: int) -> int:
    """A publication that ended without anything being out begins anew; returns the number of its attempt, which keeps
    its rows elsewhere apart from those that were taken back."""
    row = db.conn.execute("SELECT MAX(attempt) FROM receipt WHERE publication = ?", (publication_id,)).fetchone()
    db.conn.execute("DELETE FROM receipt WHERE publication = ?", (publication_id,))
    db.conn.execute(
        "UPDATE publication SET state = 'scheduled', at = ?, embargo = ?, hold_until = 0, begun_at = ?, settled_at = 0,"
        " error = '' WHERE id = ? AND state IN ('cancelled', 'failed', 'stopped')",
        (at, embargo, now, publication_id),
    )
    return int(row[0] or 0) + 1


def hold(db: Database, publication_id: int, until: int) -> None:
    db.conn.execute("UPDATE publication SET hold_until = ? WHERE id = ?", (until, publication_id))


def add_receipt(db: Database, receipt: Receipt) -> None:
    db.conn.execute(
        "INSERT INTO receipt (publication, target, kind, title, position, embargoed, state, attempt)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            receipt.publication, receipt.target, receipt.kind, receipt.title, receipt.position, receipt.embargoed,
            receipt.state.value, receipt.attempt,
        ),
    )  # fmt: skip


def put_receipt(db: Database, receipt: Receipt) -> None:
    """Write down how a receipt stands now."""
    db.conn.execute(
        "UPDATE receipt SET state = ?, link = ?, reference = ?, error = ?, counts = ?, handed_at = ?, settled_at = ?,"
        " attempt = ?, by = ? WHERE publication = ? AND target = ?",
        (
            receipt.state.value, receipt.link, receipt.reference, receipt.error[:_ERROR],
            orjson.dumps(receipt.counts).decode(), receipt.handed_at, receipt.settled_at, receipt.attempt, receipt.by,
            receipt.publication, receipt.target,
        ),
    )  # fmt: skip


def receipts(db: Database, publication_id: int) -> list[Receipt]:
    """In the order in which the targets are handed the text."""
    rows = db.conn.execute(
        f"SELECT {_RECEIPT} FROM receipt r JOIN publication p ON p.id = r.publication WHERE r.publication = ?"
        " ORDER BY r.position, r.target",
        (publication_id,),
    )
    return [_receipt(row) for row in rows]


def receipt_of_notice(db: Database, notice: int) -> Receipt | None:
    """The receipt that a notice to customers belongs to."""
    row = db.conn.execute(
        f"SELECT {_RECEIPT} FROM receipt r JOIN publication p ON p.id = r.publication"
        " WHERE r.kind = 'customers' AND r.reference = ?",
        (str(notice),),
    ).fetchone()
    return _receipt(row) if row else None


def letters(db: Database, prefix: str) -> dict[str, int]:
    """Outbox rows whose key starts with ``prefix`` (it ends with a colon), by state."""
    rows = db.conn.execute(
        "SELECT state, COUNT(*) FROM outbox WHERE key >= ? AND key < ? GROUP BY state", (prefix, prefix[:-1] + ";")
    )
    return dict(rows.fetchall())


def letter_errors(db: Database, prefix: str, limit: int = 3) -> list[tuple[str, str]]:
    """``(destination, error)`` of the first letters that were refused."""
    rows = db.conn.execute(
        "SELECT destination, error FROM outbox WHERE key >= ? AND key < ? AND state = 'failed' ORDER BY id LIMIT ?",
        (prefix, prefix[:-1] + ";", limit),
    )
    return [(row[0], row[1]) for row in rows]


def letters_left(db: Database, prefix: str) -> bool:
    """Whether any letter may have left: one that was claimed once, whatever became of it."""
    row = db.conn.execute(
        "SELECT 1 FROM outbox WHERE key >= ? AND key < ? AND (state <> 'waiting' OR attempts > 0) LIMIT 1",
        (prefix, prefix[:-1] + ";"),
    ).fetchone()
    return row is not None


def take_letters_back(db: Database, prefix: str) -> None:
    """Take letters that have not left out of the outbox."""
    db.conn.execute("DELETE FROM outbox WHERE key >= ? AND key < ? AND state = 'waiting'", (prefix, prefix[:-1] + ";"))


# -- the newsroom


def add_item(db: Database, item: NewsroomItem) -> bool:
    """Put an entry into the newsroom, once per statement; returns whether it is new."""
    names = [name.strip() for name in _ITEM.split(",")]
    return bool(
        db.conn.execute(
            f"INSERT OR IGNORE INTO newsroom_item ({_ITEM}) VALUES ({', '.join('?' * len(names))})",
            [getattr(item, name) for name in names],
        ).rowcount
    )


def public_items(db: Database, limit: int = 200) -> list[NewsroomItem]:
    """What the public sees, newest first; never anything of a drill."""
    rows = db.conn.execute(
        f"SELECT {_ITEM} FROM newsroom_item WHERE drill = '' ORDER BY published_at DESC, slug DESC LIMIT ?", (limit,)
    )
    return [_item(row) for row in rows]


def item(db: Database, slug: str) -> NewsroomItem | None:
    """One public entry by its slug."""
    row = db.conn.execute(f"SELECT {_ITEM} FROM newsroom_item WHERE slug = ? AND drill = ''", (slug,)).fetchone()
    return _item(row) if row else None


def neighbours(db: Database, item: NewsroomItem) -> list[NewsroomItem]:
    """The public entries that an entry replaces or is replaced by."""
    rows = db.conn.execute(
        f"SELECT {_ITEM} FROM newsroom_item WHERE drill = '' AND statement IN (?, ?)",
        (item.replaced_by, item.replaces),
    )
    return [_item(row) for row in rows]


def item_of(db: Database, statement: str) -> NewsroomItem | None:
    """The entry of a statement, previews of drills among them."""
    row = db.conn.execute(f"SELECT {_ITEM} FROM newsroom_item WHERE statement = ?", (statement,)).fetchone()
    return _item(row) if row else None


def replace_item(db: Database, old: str, new: str, kind: str, now: int) -> bool:
    """Mark the entry of ``old`` as corrected or withdrawn by ``new``; returns whether that is news."""
    return bool(
        db.conn.execute(
            "UPDATE newsroom_item SET replaced_by = ?, replaced_kind = ?, updated_at = MAX(?, updated_at + 1)"
            " WHERE statement = ? AND (replaced_by <> ? OR replaced_kind <> ?)",
            (new, kind, now, old, new, kind),
        ).rowcount
    )


def _publication(row: Any) -> Publication:
    values = dict(zip((name.strip() for name in _COLUMNS.split(",")), row, strict=True))
    return Publication(**{**values, "kind": StatementKind(values["kind"]), "state": PublicationState(values["state"])})


def _receipt(row: Any) -> Receipt:
    return Receipt(
        publication=row[0], statement=row[1], target=row[2], kind=row[3], title=row[4], position=row[5],
        embargoed=bool(row[6]), state=ReceiptState(row[7]), link=row[8], reference=row[9], error=row[10],
        counts=orjson.loads(row[11]), handed_at=row[12], settled_at=row[13], attempt=row[14], by=row[15],
    )  # fmt: skip


def _item(row: Any) -> NewsroomItem:
    values = dict(zip((name.strip() for name in _ITEM.split(",")), row, strict=True))
    return NewsroomItem(**{**values, "kind": StatementKind(values["kind"])})
