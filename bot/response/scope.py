"""What conditions of playbooks may ask about an incident: measured now, from stored counts and the fact sheet."""

from sqlite_utils import Database

from bot.config import Config
from bot.model.grade import GENERAL_FAMILY
from bot.model.incident import Incident
from bot.response.condition import Value
from bot.response.run_state import CHANNELS
from bot.store import counts, facts
from bot.warning.metrics import HOUR_MINUTES, WINDOW_MINUTES, measure

MINUTE = 60_000
HOUR = 3_600_000


def incident_scope(db: Database, config: Config, incident: Incident, now: int) -> dict[str, Value]:
    """The names of ``bot.response.vocabulary`` with their values; what cannot be said now is missing.

    While sources of the incident are blind, quiet is not calm: the measured names are left out.
    """
    subject = next((item for item in config.subjects if item.id == incident.subject), None)
    scope: dict[str, Value] = {
        "grade": incident.grade.word,
        "type": frozenset({incident.crisis_type}),
        "hours": (now - incident.opened_at) / HOUR,
        "posture": config.playbooks.posture,
        CHANNELS: frozenset(config.channels),
        "sensitive_period": any(period.from_ <= now < period.to for period in config.grading.sensitive_periods),
    }
    if subject is not None:
        scope |= {"industry": subject.industry, "subject_kind": subject.kind}
    if not incident.blind_sources:
        scope |= _measured(db, incident, now)
    for name, row in facts.current(db, incident.id).items():
        if row.value:
            scope[f"facts.{name}"] = row.value
    return scope


def _measured(db: Database, incident: Incident, now: int) -> dict[str, Value]:
    minute = now // MINUTE
    buckets = counts.buckets(db, incident.subject, incident.drill, minute - WINDOW_MINUTES + 1, minute)
    families = None if incident.family == GENERAL_FAMILY else frozenset({incident.family, GENERAL_FAMILY})
    measured = measure(buckets, (), (), families, minute)
    scope: dict[str, Value] = {
        "negative_share": measured.negative / measured.mentions if measured.mentions else 0.0,
        "mentions_per_hour": measured.mentions,
        "negative_per_hour": measured.negative,
        "platform": frozenset(
            bucket.platform for bucket in buckets if bucket.sentiment < 0 and minute - bucket.minute < HOUR_MINUTES
        ),
    }
    posts = [post for signal in incident.signals for post in signal.posts]
    if posts:
        marks = ", ".join("?" * len(posts))
        row = db.conn.execute(f"SELECT MAX(views), MAX(reposts) FROM post WHERE seq IN ({marks})", posts).fetchone()
        if row[0] is not None:
            scope |= {"views": row[0], "reposts": row[1]}
    return scope
