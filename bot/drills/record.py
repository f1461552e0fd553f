"""What a team did in a drill, read from the rows of the flow itself: nothing is kept twice for the score."""

from dataclasses import dataclass

from sqlite_utils import Database

from bot.drills.schema import Done, Scenario
from bot.model.incident import Incident
from bot.model.statement import Severity, Statement
from bot.store import incidents as incident_store
from bot.store import runs as run_store
from bot.store import statements as statement_store
from bot.store.drills import Drill

GRADED = ("opened", "raised", "lowered", "graded")


@dataclass(frozen=True, slots=True)
class Deed:
    """The first time something was done: when (real moment), by whom, and what shows it. ``person`` is empty where the
    machine did it."""

    at: int
    person: str = ""
    name: str = ""
    what: str = ""


def incidents_of(db: Database, drill: str) -> list[Incident]:
    """The incidents that a drill's posts opened, oldest first."""
    rows = db.conn.execute("SELECT id FROM incident WHERE drill = ? ORDER BY number", (drill,)).fetchall()
    return [found for row in rows if (found := incident_store.get(db, row[0])) is not None]


def statements_of(db: Database, incidents: list[Incident]) -> list[Statement]:
    return [item for incident in incidents for item in statement_store.of_incident(db, incident.id)]


def deeds(db: Database, drill: Drill, scenario: Scenario, watching: frozenset[str] = frozenset()) -> dict[Done, Deed]:
    """What was done so far, each with its first moment; what observers (``watching``) did is left out."""
    incidents = incidents_of(db, drill.id)
    found: dict[Done, Deed] = {}

    def note(name: Done, deed: Deed) -> None:
        if deed.person in watching:
            return
        if name not in found or deed.at < found[name].at:
            found[name] = deed

    for incident in incidents:
        for entry in incident_store.timeline(db, incident.id):
            deed = Deed(entry.recorded_at, entry.actor, entry.actor_name, incident.id)
            if entry.kind == "acknowledged":
                note("acknowledged", deed)
            elif entry.kind in GRADED and entry.params.get("grade") == scenario.grade.word:
                note("graded", deed)
        for run in run_store.of_incident(db, incident.id):
            if run.playbook in scenario.playbooks:
                first = next(iter(run_store.events(db, run.id)), None)
                note(
                    "playbook",
                    Deed(run.started_at, first.actor if first else "", first.actor_name if first else "", run.id),
                )
    for statement in statements_of(db, incidents):
        for version in statement_store.versions(db, statement):
            findings = statement_store.findings(db, statement.id, version.number)
            if not any(item.severity is Severity.BLOCK for item in findings):
                note("drafted", Deed(version.created_at, version.author, version.author_name, statement.id))
        by, by_name = "", ""
        for event in statement_store.events(db, statement.id, "approved", "publishing", "scheduled", "published"):
            if event.kind == "approved":
                note("approved", Deed(event.at, event.actor, event.actor_name, statement.id))
            elif event.kind == "published":
                note("published", Deed(event.at, by or event.actor, by_name or event.actor_name, statement.id))
            else:
                by, by_name = event.actor, event.actor_name
    return found
