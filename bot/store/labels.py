"""What people said of posts: not us, not negative, negative, advertising. Rows for training and for proposals."""

from dataclasses import dataclass
from enum import StrEnum

from sqlite_utils import Database

from bot.model.grade import Sentiment


class Verdict(StrEnum):
    NOT_US = "not-us"
    NOT_NEGATIVE = "not-negative"
    NEGATIVE = "negative"
    ADVERTISING = "advertising"
    FALSE_ALARM = "false-alarm"


SENTIMENT_OF_VERDICT = {Verdict.NOT_NEGATIVE: Sentiment.NEUTRAL, Verdict.NEGATIVE: Sentiment.NEGATIVE}
"""What a verdict teaches about the mood; the others say whose or what kind of post it is."""


@dataclass(frozen=True, slots=True)
class Label:
    """One verdict of one person, with the words of the post."""

    post: int
    subject: str
    person: str
    verdict: Verdict
    incident: str
    at: int
    text: str


def record(
    db: Database, *, post: int, subject: str, person: str, verdict: Verdict, incident: str, drill: str, now: int
) -> None:
    """Keep a verdict; a person's earlier one on the same post and subject is replaced."""
    db.conn.execute(
        "INSERT OR REPLACE INTO label (post, subject, person, verdict, incident, drill, at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (post, subject, person, verdict.value, incident, drill, now),
    )


def labels(db: Database, limit: int = 100_000) -> list[Label]:
    """Every verdict on real posts that are still stored, oldest first."""
    rows = db.conn.execute(
        "SELECT l.post, l.subject, l.person, l.verdict, l.incident, l.at, p.title, p.text FROM label l"
        " JOIN post p ON p.seq = l.post WHERE l.drill = '' ORDER BY l.at, l.post LIMIT ?",
        (limit,),
    )
    return [
        Label(row[0], row[1], row[2], Verdict(row[3]), row[4], row[5], "\n".join(filter(None, (row[6], row[7]))))
        for row in rows
    ]


def subjects_of_post(db: Database, post: int) -> list[tuple[str, str]]:
    """(subject, drill) of a stored post's mentions."""
    rows = db.conn.execute("SELECT subject, drill FROM mention WHERE post = ? ORDER BY subject", (post,))
    return [(row[0], row[1]) for row in rows]
