"""What the console shows beside the conversation: open incidents, volume, platforms, coverage, queues. One read."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlite_utils import Database

from bot.clock import HOUR, MINUTE
from bot.config import Config
from bot.delivery import outbox, timers
from bot.model.grade import Grade
from bot.model.incident import LIVE, Status
from bot.reports.charts import Chart, bands, describe, incident_title
from bot.reports.series import GradeChange, families_of, fitting_span, read_grade_changes, read_series, step_for
from bot.store.source_states import explain
from bot.texts import render
from bot.warning.outlook import read_outlook

SPARK_HOURS = 12
RECENT = 6 * HOUR  # an incident that ended is still listed on the dashboard for so long
OVERDUE_GRACE = MINUTE
LONGEST_SPAN = 6 * HOUR  # of a chart that looks for its span itself
MEASURED, MISSING, PAUSED = "measured", "missing", "paused"
# The order of the list: what blinds comes first. The words are the collectors' own.
WORST_FIRST = ("failing", MISSING, "silent", "new", MEASURED, PAUSED)


@dataclass(frozen=True, slots=True)
class IncidentLine:
    """An incident in the list. ``message`` and ``channel`` say where its card stands in the console, 0 if nowhere."""

    id: str
    title: str
    subject: str
    grade: Grade
    status: Status
    owner: str
    opened_at: int
    updated_at: int
    drill: str
    spark: tuple[int, ...]
    channel: str
    message: int
    blind: int

    @property
    def live(self) -> bool:
        return self.status in LIVE


@dataclass(frozen=True, slots=True)
class SourceLine:
    """Coverage of one source; moments are Unix milliseconds, 0 for never."""

    id: str
    platform: str
    state: str
    since: int
    last_post_at: int
    posts: int
    error: str


@dataclass(frozen=True, slots=True)
class Queues:
    waiting: int
    failed: int
    inbox: int
    overdue: int

    @property
    def well(self) -> bool:
        return not (self.failed or self.overdue) and self.waiting < 50 and self.inbox < 50


@dataclass(frozen=True, slots=True)
class Board:
    incidents: tuple[IncidentLine, ...]
    sources: tuple[SourceLine, ...]
    queues: Queues
    chart: Chart | None
    span: int
    now: int

    @property
    def covered(self) -> int:
        return sum(source.state == MEASURED for source in self.sources)

    @property
    def expected(self) -> int:
        """The sources that should be measured: all but the ones switched off."""
        return sum(source.state != PAUSED for source in self.sources)

    @property
    def going_on(self) -> int:
        """How many real incidents are live."""
        return sum(line.live and not line.drill for line in self.incidents)

    @property
    def drilling(self) -> int:
        return sum(line.live and bool(line.drill) for line in self.incidents)

    @property
    def worst(self) -> Grade:
        """The highest grade of a real incident that is still going on."""
        return max((line.grade for line in self.incidents if line.live and not line.drill), default=Grade.NONE)


def read_board(
    db: Database, config: Config, now: int, language: str, title: str, hours: float = 0, recent: bool = False
) -> Board:
    """Everything at once, so that the parts agree. ``hours`` is the span of the volume chart, 0 for what fits what
    goes on; ``recent`` adds what ended a short while ago."""
    subjects = [subject.id for subject in config.subjects] or _known_subjects(db)
    span = int(hours * HOUR) or (fitting_span(db, subjects, now, LONGEST_SPAN) if subjects else LONGEST_SPAN)
    return Board(
        incidents=tuple(_incidents(db, now, recent, language)),
        sources=tuple(_sources(db, config, language)),
        queues=_queues(db, now),
        chart=_volume(db, subjects, now, span, language, title) if subjects else None,
        span=span,
        now=now,
    )


def _incidents(db: Database, now: int, recent: bool, language: str) -> list[IncidentLine]:
    rows = db.conn.execute(
        "SELECT i.id, i.title, i.subject_name, i.grade, i.status, i.owner, i.opened_at, i.updated_at, i.drill,"
        " i.subject, i.family, json_array_length(i.blind_sources), i.crisis_type,"
        " COALESCE(m.channel, ''), COALESCE(m.id, 0) FROM incident i"
        " LEFT JOIN console_message m ON m.id = (SELECT MAX(id) FROM console_message"
        "   WHERE object = 'incident:' || i.id AND audience = '')"
        " WHERE i.status NOT IN ('closed', 'false_alarm') OR (? AND i.updated_at > ?)"
        " ORDER BY i.status IN ('resolved', 'closed', 'false_alarm'), i.drill <> '', i.grade DESC, i.opened_at DESC"
        " LIMIT 100",
        (recent, now - RECENT),
    ).fetchall()
    lines = []
    for row in rows:
        series = read_series(
            db, [row[9]], now - SPARK_HOURS * HOUR, now, HOUR, families_of(row[10]), row[8], usual=False, aligned=False
        )
        lines.append(
            IncidentLine(
                id=row[0],
                title=incident_title(row[1], row[2], row[12], language),
                subject=row[2],
                grade=Grade(row[3]),
                status=Status(row[4]),
                owner=row[5],
                opened_at=row[6],
                updated_at=row[7],
                drill=row[8],
                spark=series.negative,
                channel=row[13],
                message=row[14],
                blind=row[11],
            )
        )
    return lines


def _sources(db: Database, config: Config, language: str) -> list[SourceLine]:
    states = {
        row[0]: row
        for row in db.conn.execute(
            "SELECT source, health, health_since, last_post_at, posts, last_error, first_seen_at FROM source_state"
        )
    }
    configured = {source.id: source.platform for source in config.sources if source.enabled}
    lines = []
    for name in [*configured, *sorted(set(states) - set(configured))]:
        platform = configured.get(name, "")
        if name not in states:
            lines.append(SourceLine(name, platform, MISSING, 0, 0, 0, ""))
            continue
        _, health, since, last_post_at, posts, error, first_seen_at = states[name]
        told = render(explain(error), language) if error and health != MEASURED else ""
        lines.append(SourceLine(name, platform, health, since or first_seen_at, last_post_at, posts, told))
    return sorted(lines, key=lambda line: WORST_FIRST.index(line.state) if line.state in WORST_FIRST else -1)


def _queues(db: Database, now: int) -> Queues:
    backlog = outbox.backlog(db)
    waiting = db.conn.execute("SELECT COUNT(*) FROM inbox WHERE state = 'new'").fetchone()[0]
    return Queues(
        waiting=backlog.get("waiting", 0) + backlog.get("sending", 0),
        failed=backlog.get("failed", 0),
        inbox=int(waiting),
        overdue=timers.overdue(db, now, OVERDUE_GRACE),
    )


def _volume(db: Database, subjects: Sequence[str], now: int, span: int, language: str, title: str) -> Chart:
    series = read_series(db, subjects, now - span, now, step_for(span))
    ahead = bands(series, read_outlook(db, subjects, None, "", now), now)
    return describe(series, title, language, now, _changes(db, subjects, now - span), ahead=ahead)


def _changes(db: Database, subjects: Sequence[str], since: int) -> tuple[GradeChange, ...]:
    """Grade changes of the most serious open incident: more would fill the chart with flags."""
    row = db.conn.execute(
        f"SELECT id, opened_at, grade FROM incident WHERE drill = '' AND subject IN ({', '.join('?' * len(subjects))})"
        " AND status IN ('open', 'acknowledged', 'responding', 'monitoring') ORDER BY grade DESC, opened_at DESC",
        tuple(subjects),
    ).fetchone()
    if row is None:
        return ()
    changes = read_grade_changes(db, row[0], row[1], Grade(row[2]))
    return tuple(change for change in changes if change.at >= since)


def _known_subjects(db: Database) -> list[str]:
    return [row[0] for row in db.conn.execute("SELECT DISTINCT subject FROM incident")]
