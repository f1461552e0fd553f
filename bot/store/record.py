"""What the record of an incident is read from afterwards: first posts, first messages, volumes between two moments."""

from collections.abc import Sequence

from sqlite_utils import Database

SHOWN = 200  # posts that a count names one by one


def first_sent(db: Database, object_: str) -> tuple[int, int, str] | None:
    """``(outbox row, when it was sent, destination)`` of the first message of an object that left."""
    row = db.conn.execute(
        "SELECT id, sent_at, destination FROM outbox WHERE object = ? AND state = 'sent' AND sent_at > 0"
        " ORDER BY sent_at, id LIMIT 1",
        (object_,),
    ).fetchone()
    return (int(row[0]), int(row[1]), str(row[2])) if row else None


def first_post(db: Database, subject: str, drill: str, seqs: Sequence[int], since: int) -> tuple[int, int] | None:
    """``(post, when it was published)`` of the oldest post in the topics of some posts, at ``since`` or later; of the
    posts themselves where they have no topic."""
    marks = ", ".join("?" * len(seqs))
    row = db.conn.execute(
        "SELECT m.post, m.published_at FROM mention m LEFT JOIN story s ON s.id = m.story"
        f" WHERE m.subject = ? AND m.drill = ? AND m.published_at >= ? AND (m.post IN ({marks}) OR s.topic IN"
        f" (SELECT o.topic FROM mention n JOIN story o ON o.id = n.story WHERE n.subject = ? AND n.post IN ({marks})))"
        " ORDER BY m.published_at, m.post LIMIT 1",
        (subject, drill, since, *seqs, subject, *seqs),
    ).fetchone()
    return (int(row[0]), int(row[1])) if row else None


def loudest(
    db: Database, subject: str, drill: str, families: Sequence[str], since: int, until: int
) -> list[int]:  # fmt: skip
    """The negative posts between two moments in the topic that most of them belong to; none where none has a topic."""
    where, params = _matter(subject, drill, families, since, until, "m.")
    negative = f"FROM mention m JOIN story s ON s.id = m.story WHERE {where} AND m.sentiment < 0"
    row = db.conn.execute(
        f"SELECT s.topic {negative} GROUP BY s.topic ORDER BY COUNT(*) DESC, s.topic LIMIT 1", params
    ).fetchone()
    if row is None:
        return []
    return [found[0] for found in db.conn.execute(f"SELECT m.post {negative} AND s.topic = ? ORDER BY m.post LIMIT ?",
                                                  (*params, row[0], SHOWN))]  # fmt: skip


def volume(
    db: Database, subject: str, drill: str, families: Sequence[str], since: int, until: int
) -> tuple[int, int, list[int]]:
    """``(mentions, negative ones, the first posts)`` of a matter from ``since`` until before ``until``."""
    where, params = _matter(subject, drill, families, since, until)
    count, negative = db.conn.execute(
        f"SELECT COUNT(*), COALESCE(SUM(sentiment < 0), 0) FROM mention WHERE {where}", params
    ).fetchone()
    rows = db.conn.execute(f"SELECT post FROM mention WHERE {where} ORDER BY published_at, post LIMIT ?",
                           (*params, SHOWN))  # fmt: skip
    return int(count), int(negative), [row[0] for row in rows]


def fullest(
    db: Database, subject: str, drill: str, families: Sequence[str], since: int, until: int, step: int
) -> tuple[int, int] | None:
    """``(beginning, mentions)`` of the step of ``step`` milliseconds with the most posts, the earliest of equals."""
    where, params = _matter(subject, drill, families, since, until)
    row = db.conn.execute(
        f"SELECT published_at / ? * ?, COUNT(*) FROM mention WHERE {where} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1",
        (step, step, *params),
    ).fetchone()
    return (int(row[0]), int(row[1])) if row else None


def late_posts(
    db: Database, subject: str, drill: str, families: Sequence[str], since: int, alert: int
) -> list[tuple[int, str, int, int]]:
    """``(post, source, published, collected)`` of posts that were published before an alert and collected after it."""
    where, params = _matter(subject, drill, families, since, alert, "m.")
    return db.conn.execute(
        "SELECT p.seq, p.source, p.published_at, p.collected_at FROM mention m JOIN post p ON p.seq = m.post"
        f" WHERE {where} AND p.collected_at > ? ORDER BY p.published_at, p.seq LIMIT 500",
        (*params, alert),
    ).fetchall()


def _matter(
    subject: str, drill: str, families: Sequence[str], since: int, until: int, of: str = ""
) -> tuple[str, tuple[str | int, ...]]:
    marks = ", ".join("?" * len(families))
    where = (
        f"{of}subject = ? AND {of}drill = ? AND {of}published_at >= ? AND {of}published_at < ?"
        f" AND {of}family IN ({marks})"
    )
    return where, (subject, drill, since, until, *families)
