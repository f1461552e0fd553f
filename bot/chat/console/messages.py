"""The console's messages as rows. ``revision`` counts every post and every rewrite, so that a page knows what it has
not seen; it grows in commit order because there is one writer."""

import json
import secrets
from dataclasses import dataclass

import orjson
from sqlite_utils import Database

from bot.delivery.chat import Made
from bot.model.card import Card

PAGE = 60
BOT = ""  # the author of what Fengbo itself says


@dataclass(frozen=True, slots=True)
class Picture:
    """An attachment as the page shows it; the bytes are fetched by ``id``."""

    id: str
    name: str
    media_type: str
    caption: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A message before it has a row. ``key`` makes it one: a second draft with the key of the first changes nothing."""

    channel: str
    key: str
    author: str = BOT
    audience: str = ""
    object: str = ""
    thread: int = 0
    card: Card | None = None
    text: str = ""
    mentions: tuple[str, ...] = ()
    made: Made | None = None
    drill: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One message as stored. ``thread`` is the id of the message it stands under, 0 for none; ``about`` the title of
    that message."""

    id: int
    channel: str
    thread: int
    about: str
    object: str
    author: str
    audience: str
    card: Card | None
    text: str
    mentions: tuple[str, ...]
    picture: Picture | None
    drill: str
    posted_at: int
    changed_at: int
    revision: int

    @property
    def anchor(self) -> str:
        """Where an answer to it belongs: the message that opened the thread."""
        return f"console/{self.thread or self.id}"


_SELECT = """SELECT m.id, m.channel, m.thread, m.object, m.author, m.audience, m.card, m.text, m.mentions, m.drill,
    m.posted_at, m.changed_at, m.revision, a.id, a.name, a.media_type, a.caption,
    json_extract(NULLIF(root.card, ''), '$.title')
    FROM console_message m LEFT JOIN console_attachment a ON a.id = m.attachment
    LEFT JOIN console_message root ON root.id = m.thread AND root.audience IN ('', :account)
    WHERE m.audience IN ('', :account)"""


def post(db: Database, draft: Draft, now: int) -> int:
    """Store a message once per key and return its id."""
    known = db.conn.execute("SELECT id FROM console_message WHERE outbox_key = ?", (draft.key,)).fetchone()
    if known:
        return int(known[0])
    row = db.conn.execute(
        "INSERT INTO console_message (channel, thread, object, author, audience, card, text, attachment, outbox_key,"
        " drill, posted_at, changed_at, revision, mentions) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            draft.channel,
            draft.thread,
            draft.object,
            draft.author,
            draft.audience,
            _card_text(draft.card),
            draft.text,
            _attach(db, draft, now),
            draft.key,
            draft.drill,
            now,
            now,
            latest(db) + 1,
            json.dumps(list(draft.mentions)),
        ),
    )
    return int(row.lastrowid or 0)


def rewrite(db: Database, message: int, draft: Draft, now: int) -> bool:
    """Show something else in the place of a message; returns whether it still stands."""
    attachment = _attach(db, draft, now)
    if attachment:
        db.conn.execute(
            "DELETE FROM console_attachment WHERE id = (SELECT attachment FROM console_message WHERE id = ?)",
            (message,),
        )
    return bool(
        db.conn.execute(
            "UPDATE console_message SET card = ?, text = ?, mentions = ?, attachment = COALESCE(NULLIF(?, ''),"
            " attachment), drill = ?, changed_at = ?, revision = ? WHERE id = ?",
            (
                _card_text(draft.card),
                draft.text,
                json.dumps(list(draft.mentions)),
                attachment,
                draft.drill,
                now,
                latest(db) + 1,
                message,
            ),
        ).rowcount
    )


def latest(db: Database) -> int:
    """The newest revision, 0 in an empty store."""
    return int(db.conn.execute("SELECT COALESCE(MAX(revision), 0) FROM console_message").fetchone()[0])


def by_key(db: Database, key: str) -> int:
    """The id of the message that a delivery made, 0 if it has not arrived."""
    row = db.conn.execute("SELECT id FROM console_message WHERE outbox_key = ?", (key,)).fetchone()
    return int(row[0]) if row else 0


def get(db: Database, account: str, message: int) -> Entry | None:
    """One message, if the account may see it."""
    row = db.conn.execute(f"{_SELECT} AND m.id = :id", {"account": account, "id": message}).fetchone()
    return _entry(row) if row else None


def page(db: Database, account: str, channel: str, before: int = 0, limit: int = PAGE) -> list[Entry]:
    """The newest messages of a channel that the account may see, oldest first; ``before`` pages back."""
    rows = db.conn.execute(
        f"{_SELECT} AND m.channel = :channel AND (:before = 0 OR m.id < :before) ORDER BY m.id DESC LIMIT :limit",
        {"account": account, "channel": channel, "before": before, "limit": limit},
    ).fetchall()
    return [_entry(row) for row in reversed(rows)]


def changed(db: Database, account: str, after: int, limit: int) -> list[Entry]:
    """What was posted or rewritten after a revision, in order."""
    rows = db.conn.execute(
        f"{_SELECT} AND m.revision > :after ORDER BY m.revision LIMIT :limit",
        {"account": account, "after": after, "limit": limit},
    )
    return [_entry(row) for row in rows]


def channels(db: Database) -> dict[str, int]:
    """Every channel with its newest message id, without the ones between Fengbo and one member."""
    return dict(
        db.conn.execute(
            "SELECT channel, MAX(id) FROM console_message WHERE substr(channel, 1, 1) <> '@' GROUP BY channel"
        ).fetchall()
    )


def content(db: Database, account: str, attachment: str) -> tuple[str, str, bytes] | None:
    """``(name, media type, bytes)`` of an attachment that the account may see."""
    row = db.conn.execute(
        "SELECT name, media_type, content FROM console_attachment WHERE id = ? AND audience IN ('', ?)",
        (attachment, account),
    ).fetchone()
    return (row[0], row[1], row[2]) if row else None


def _attach(db: Database, draft: Draft, now: int) -> str:
    if draft.made is None:
        return ""
    identity = secrets.token_urlsafe(18)
    db.conn.execute(
        "INSERT INTO console_attachment (id, name, media_type, caption, content, audience, made_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            identity,
            draft.made.name,
            draft.made.media_type,
            draft.made.caption,
            draft.made.content,
            draft.audience,
            now,
        ),
    )
    return identity


def _card_text(card: Card | None) -> str:
    return orjson.dumps(card.to_json()).decode() if card else ""


def _entry(row: tuple[object, ...]) -> Entry:
    (identity, channel, thread, object_, author, audience, card, text, mentions, drill, posted_at, changed_at) = row[
        :12
    ]
    return Entry(
        id=int(str(identity)),
        channel=str(channel),
        thread=int(str(thread)),
        about=str(row[17] or ""),
        object=str(object_),
        author=str(author),
        audience=str(audience),
        card=Card.from_json(orjson.loads(str(card))) if card else None,
        text=str(text),
        mentions=tuple(json.loads(str(mentions))),
        picture=Picture(str(row[13]), str(row[14]), str(row[15]), str(row[16])) if row[13] else None,
        drill=str(drill),
        posted_at=int(str(posted_at)),
        changed_at=int(str(changed_at)),
        revision=int(str(row[12])),
    )
