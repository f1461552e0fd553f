"""The posts of an incident, as the analysis of spread reads them."""

from sqlite_utils import Database

from bot.model.grade import GENERAL_FAMILY, Carrier
from bot.model.incident import Incident
from bot.model.seen import Seen
from bot.store.posts import SENTIMENT_OF_NUMBER, post_of

NEWEST = 20_000
"""Posts of an incident that are looked at; the newest ones where there are more."""

BEFORE = 24 * 3_600_000  # how far before the opening a matter may have begun
AFTER = 3_600_000  # and how long after the end it is still looked at
TEXT = 4_000  # characters of a text, enough for any chain
_COLUMNS = (
    "p.seq, p.id, p.source, p.platform, p.kind, p.url, p.title, substr(p.text, 1, ?), p.author_key, p.author_name,"
    " p.followers, p.verified, p.published_at, p.parent_id, p.root_id, p.views, p.likes, p.reposts, p.comments,"
    " p.location, p.drill"
)


def posts_around(db: Database, incident: Incident, now: int, most: int = NEWEST) -> tuple[list[Seen], bool]:
    """The newest ``most`` posts about the incident's subject in its families, from a day before it opened to an hour
    after its end; and whether there are more."""
    families = tuple(dict.fromkeys((incident.family, GENERAL_FAMILY)))
    until = min(now, incident.closed_at + AFTER) if incident.closed_at else now
    marks = ", ".join("?" * len(families))
    rows = db.conn.execute(
        f"SELECT {_COLUMNS}, COALESCE(s.topic, m.story), m.family, m.sentiment, m.carrier, m.influence, m.story"
        " FROM mention m JOIN post p ON p.seq = m.post LEFT JOIN story s ON s.id = m.story"
        " WHERE m.subject = ? AND m.drill = ? AND m.published_at >= ? AND m.published_at <= ?"
        f" AND m.family IN ({marks}) ORDER BY m.published_at DESC LIMIT ?",
        (TEXT, incident.subject, incident.drill, incident.opened_at - BEFORE, until, *families, most + 1),
    ).fetchall()
    seen = [
        Seen(
            row[0],
            post_of(row),
            row[21] or 0,
            row[26] or 0,
            row[22],
            SENTIMENT_OF_NUMBER[row[23]],
            Carrier(row[24]),
            row[25],
        )
        for row in rows[:most]
    ]
    return seen, len(rows) > most
