"""Incidents, their timeline, roles and silences as rows."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import orjson
from sqlite_utils import Database

from bot.model.grade import Grade
from bot.model.incident import LIVE, Actor, Incident, Status, TimelineEntry
from bot.model.signal import Signal

_COLUMNS = (
    "id, kind, drill, subject, subject_name, family, crisis_type, title, status, grade, peak_grade, opened_at,"
    " updated_at, version, owner, signals, manual_grade, calm_since, acknowledged_at, resolved_at, closed_at,"
    " last_alert_at, escalation_level, blind_sources"
)
_LIVE = ", ".join(f"'{status.value}'" for status in sorted(LIVE))


def create(
    db: Database,
    *,
    subject: str,
    subject_name: str,
    family: str,
    crisis_type: str,
    title: str,
    grade: Grade,
    signals: Sequence[Signal],
    now: int,
    drill: str = "",
) -> Incident:
    """Open an incident under the next number; a drill's incidents are numbered ``D-…`` so that nobody mistakes one."""
    number = db.conn.execute("SELECT COALESCE(MAX(number), 0) + 1 FROM incident").fetchone()[0]
    incident = Incident(
        id=f"{'D' if drill else 'I'}-{number}",
        kind="drill" if drill else "real",
        drill=drill,
        subject=subject,
        subject_name=subject_name,
        family=family,
        crisis_type=crisis_type,
        title=title,
        status=Status.OPEN,
        grade=grade,
        peak_grade=grade,
        opened_at=now,
        updated_at=now,
        signals=tuple(signals),
        last_alert_at=now,
    )
    row = _row(incident)
    db.conn.execute(
        f"INSERT INTO incident (number, {', '.join(row)}) VALUES ({', '.join('?' * (len(row) + 1))})",
        (number, *row.values()),
    )
    return incident


def save(db: Database, incident: Incident, now: int) -> Incident:
    """Write a changed incident back with the next version number."""
    incident = replace(incident, version=incident.version + 1, updated_at=now)
    _update(db, incident)
    return incident


def _update(db: Database, incident: Incident) -> None:
    row = _row(incident)
    assignments = ", ".join(f"{column} = ?" for column in row if column not in ("id", "kind", "drill"))
    values = [value for column, value in row.items() if column not in ("id", "kind", "drill")]
    db.conn.execute(f"UPDATE incident SET {assignments} WHERE id = ?", (*values, incident.id))


def save_quietly(db: Database, incident: Incident) -> None:
    """Keep new measurements that nobody needs to be shown yet: neither version nor time of the last change move."""
    _update(db, incident)


def get(db: Database, incident_id: str) -> Incident | None:
    row = db.conn.execute(f"SELECT {_COLUMNS} FROM incident WHERE id = ?", (incident_id.upper(),)).fetchone()
    return _incident(row) if row else None


def live(db: Database, *, subject: str | None = None, drill: str | None = None) -> list[Incident]:
    """Incidents that signals still change, worst and newest first."""
    where, parameters = f"status IN ({_LIVE})", []
    if subject is not None:
        where += " AND subject = ?"
        parameters.append(subject)
    if drill is not None:
        where += " AND drill = ?"
        parameters.append(drill)
    return _select(db, f"{where} ORDER BY grade DESC, opened_at DESC, number DESC", parameters)


def recent(db: Database, limit: int = 50) -> list[Incident]:
    """The newest incidents of any status."""
    return _select(db, "1 ORDER BY number DESC LIMIT ?", [limit])


def last_ended(db: Database, subject: str, family: str, drill: str, since: int) -> Incident | None:
    """The newest incident of this subject and family that ended after ``since``."""
    found = _select(
        db,
        f"subject = ? AND family = ? AND drill = ? AND status NOT IN ({_LIVE}) AND updated_at >= ?"
        " ORDER BY number DESC LIMIT 1",
        [subject, family, drill, since],
    )
    return found[0] if found else None


def load_of(db: Database, person: str) -> int:
    """How many live incidents a person owns."""
    return int(
        db.conn.execute(f"SELECT COUNT(*) FROM incident WHERE owner = ? AND status IN ({_LIVE})", (person,)).fetchone()[
            0
        ]
    )


def note(
    db: Database,
    incident_id: str,
    kind: str,
    now: int,
    actor: Actor,
    params: dict[str, Any] | None = None,
    happened_at: int | None = None,
) -> None:
    """Add to the timeline. ``happened_at`` differs from the moment of recording where somebody tells of it later."""
    db.conn.execute(
        "INSERT INTO timeline (incident, happened_at, recorded_at, kind, params, actor, actor_name, chat)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            incident_id, now if happened_at is None else happened_at, now, kind, orjson.dumps(params or {}).decode(),
            actor.person, actor.name, actor.chat,
        ),
    )  # fmt: skip


def timeline(db: Database, incident_id: str, kinds: Iterable[str] = (), limit: int = 500) -> list[TimelineEntry]:
    """What happened, in the order it happened; the newest ``limit`` entries."""
    names = list(kinds)
    where = f" AND kind IN ({', '.join('?' * len(names))})" if names else ""
    rows = db.conn.execute(
        "SELECT id, incident, happened_at, recorded_at, kind, params, actor, actor_name, chat FROM timeline"
        f" WHERE incident = ?{where} ORDER BY happened_at DESC, id DESC LIMIT ?",
        (incident_id, *names, limit),
    ).fetchall()
    return [
        TimelineEntry(
            id=row[0], incident=row[1], happened_at=row[2], recorded_at=row[3], kind=row[4],
            params=orjson.loads(row[5]), actor=row[6], actor_name=row[7], chat=row[8],
        )
        for row in reversed(rows)
    ]  # fmt: skip


def set_role(db: Database, incident_id: str, role: str, person: str) -> bool:
    """Give a person a role in an incident; False if they have it already."""
    return bool(
        db.conn.execute(
            "INSERT OR IGNORE INTO incident_role (incident, role, person) VALUES (?, ?, ?)", (incident_id, role, person)
        ).rowcount
    )


def roles(db: Database, incident_id: str) -> list[tuple[str, str]]:
    """``(role, person id)`` of an incident."""
    return db.conn.execute(
        "SELECT role, person FROM incident_role WHERE incident = ? ORDER BY role, person", (incident_id,)
    ).fetchall()


def silence(
    db: Database, *, subject: str, incident: str, drill: str, now: int, ends_at: int, reason: str, actor: Actor
) -> int:
    """Silence a subject or one incident until ``ends_at``; returns the silence's number."""
    cursor = db.conn.execute(
        "INSERT INTO silence (subject, incident, drill, starts_at, ends_at, reason, actor, actor_name)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (subject, incident, drill, now, ends_at, reason, actor.person, actor.name),
    )
    return int(cursor.lastrowid or 0)


def lift_silences(db: Database, *, subject: str, incident: str, now: int) -> int:
    """End the silences of an incident or, with an empty incident, of a subject; returns how many."""
    return db.conn.execute(
        "UPDATE silence SET lifted_at = ? WHERE subject = ? AND incident = ? AND lifted_at = 0 AND ends_at > ?",
        (now, subject, incident, now),
    ).rowcount


def silenced(db: Database, *, subject: str, incident: str, drill: str, now: int) -> tuple[int, str, str] | None:
    """``(ends_at, reason, who)`` of the longest silence that covers an incident now."""
    row = db.conn.execute(
        "SELECT ends_at, reason, actor_name FROM silence WHERE drill = ? AND lifted_at = 0 AND ends_at > ?"
        " AND (incident = ? OR (incident = '' AND subject = ?)) ORDER BY ends_at DESC LIMIT 1",
        (drill, now, incident, subject),
    ).fetchone()
    return (row[0], row[1], row[2]) if row else None


def _select(db: Database, where: str, parameters: Sequence[Any]) -> list[Incident]:
    return [_incident(row) for row in db.conn.execute(f"SELECT {_COLUMNS} FROM incident WHERE {where}", parameters)]


def _row(incident: Incident) -> dict[str, Any]:
    return {
        "id": incident.id,
        "kind": incident.kind,
        "drill": incident.drill,
        "subject": incident.subject,
        "subject_name": incident.subject_name,
        "family": incident.family,
        "crisis_type": incident.crisis_type,
        "title": incident.title,
        "status": incident.status.value,
        "grade": int(incident.grade),
        "peak_grade": int(incident.peak_grade),
        "opened_at": incident.opened_at,
        "updated_at": incident.updated_at,
        "version": incident.version,
        "owner": incident.owner,
        "signals": orjson.dumps([signal.to_json() for signal in incident.signals]).decode(),
        "manual_grade": int(incident.manual_grade),
        "calm_since": incident.calm_since,
        "acknowledged_at": incident.acknowledged_at,
        "resolved_at": incident.resolved_at,
        "closed_at": incident.closed_at,
        "last_alert_at": incident.last_alert_at,
        "escalation_level": incident.escalation_level,
        "blind_sources": orjson.dumps(incident.blind_sources).decode(),
    }


def _incident(row: Sequence[Any]) -> Incident:
    return Incident(
        id=row[0], kind=row[1], drill=row[2], subject=row[3], subject_name=row[4], family=row[5], crisis_type=row[6],
        title=row[7], status=Status(row[8]), grade=Grade(row[9]), peak_grade=Grade(row[10]), opened_at=row[11],
        updated_at=row[12], version=row[13], owner=row[14],
        signals=tuple(Signal.from_json(item) for item in orjson.loads(row[15])), manual_grade=Grade(row[16]),
        calm_since=row[17], acknowledged_at=row[18], resolved_at=row[19], closed_at=row[20], last_alert_at=row[21],
        escalation_level=row[22], blind_sources=tuple(orjson.loads(row[23])),
    )  # fmt: skip
