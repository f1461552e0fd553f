"""Collecting the approval file of a statement from the store."""

from sqlite_utils import Database

from bot.config import Config
from bot.incidents import words
from bot.model.statement import Statement, StatementStatus
from bot.model.text import Text
from bot.statements.approval_file import ApprovalFile, FileEvent, FileOverride, FileVersion, FileVote, Proof
from bot.statements.publish_targets import receipts_of
from bot.store import audit, publications
from bot.store import incidents as incident_store
from bot.store import statements as store
from bot.store.statements import StatementEvent
from bot.texts import has

_AGREED = (StatementStatus.APPROVED, StatementStatus.SCHEDULED, StatementStatus.PUBLISHING)


def collect(db: Database, config: Config, statement_id: str, now: int) -> ApprovalFile | None:
    """The file as it stands now; None where there is no such statement. The whole audit chain is verified anew."""
    statement = store.get(db, statement_id)
    if statement is None:
        return None
    approved = _approved(db, statement)
    incident = incident_store.get(db, statement.incident)
    return ApprovalFile(
        statement=statement,
        incident_title=words.title(incident) if incident else "—",
        versions=tuple(
            FileVersion(version, tuple(store.findings(db, statement.id, version.number)))
            for version in store.versions(db, statement)
        ),
        approved=approved,
        proof=Proof(tuple(audit.about(db, statement.id)), audit.length(db), audit.verify(db)),
        made_at=now,
        votes=tuple(_vote(config, event, approved) for event in store.votes(db, statement.id)),
        overrides=tuple(_override(event) for event in store.overrides(db, statement.id)),
        events=tuple(_event(event) for event in store.events(db, statement.id)),
        publication=publications.latest(db, statement.id),
        receipts=tuple(receipts_of(db, statement.id)),
    )


def approved_audiences(db: Database, incident: str) -> list[str]:
    """Whom the statements of an incident are for that are approved and that nobody has begun to publish."""
    found = store.of_incident(db, incident, open_only=True)
    return [statement.audience for statement in found if statement.status is StatementStatus.APPROVED]


def _approved(db: Database, statement: Statement) -> str:
    """The digest that was agreed to: of what is published or on its way, else of an agreement that stands."""
    publication = publications.latest(db, statement.id)
    if publication is not None and (statement.status.out or publication.state.open):
        return publication.digest
    version = store.version(db, statement)
    return version.digest if version is not None and (statement.status in _AGREED or statement.status.out) else ""


def _vote(config: Config, event: StatementEvent, approved: str) -> FileVote:
    other = str(event.detail.get("stands_for") or "")
    person = config.person(other) if other else None
    decision = "no" if event.kind == "rejected" else "yes" if event.digest == approved or not approved else "void"
    return FileVote(
        name=event.actor_name, roles=tuple(str(seat) for seat in event.detail.get("seats", ())), decision=decision,
        digest=event.digest, chat=event.chat, at=event.at, reason=str(event.detail.get("reason", "")),
        instead_of=person.name if person else other,
    )  # fmt: skip


def _override(event: StatementEvent) -> FileOverride:
    detail = event.detail
    finding = str(detail.get("finding") or detail.get("key") or detail.get("rule") or "—")
    role = str(detail.get("role", ""))
    return FileOverride(finding, event.actor_name, str(detail.get("reason", "")), event.at, event.version, role)


def _event(event: StatementEvent) -> FileEvent:
    key = f"export.event_{event.kind}"
    what = Text(key, {"number": event.version}) if has(key) else event.kind
    return FileEvent(event.at, what, event.actor_name, event.chat)
