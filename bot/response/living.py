"""The library as people change it: propose, look for mistakes, show the difference, approve, go back, review.

A proposal is a version with its text. Its owner puts it in force; the live version outranks the file on disk. Runs keep
their frozen copies, so nothing that is under way changes.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlite_utils import Database

from bot.config import Config, PersonConfig
from bot.incidents.people import MANAGER_ROLES
from bot.model.incident import Actor
from bot.model.text import UserError
from bot.response.difference import difference
from bot.response.editing import with_value, with_version
from bot.response.findings import Finding
from bot.response.library import Entry, Library, parse_playbook
from bot.response.lint import lint_entry
from bot.response.schema import Playbook
from bot.response.shelf import Shelf
from bot.store import audit
from bot.store import playbook_versions as store
from bot.store.playbook_versions import Version

APPROVERS = frozenset({"pr_head", "admin"})
PASTED = "playbook.yaml"


@dataclass(frozen=True, slots=True)
class Proposal:
    """What was proposed. ``version`` is 0 where errors forbade it: then nothing was stored."""

    playbook: Playbook | None
    version: int
    findings: list[Finding]
    difference: list[str]
    reason: str = ""

    @property
    def errors(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.severity == "error"]


class Living:
    def __init__(self, config: Config, shelf: Shelf) -> None:
        self._config = config
        self._shelf = shelf

    def follow(self, db: Database) -> Library:
        """The library with what is in force now."""
        self._shelf.follow(db)
        return self._shelf.library()

    def entry(self, db: Database, playbook_id: str) -> Entry | None:
        return self.follow(db).entries.get(playbook_id)

    def file_version(self, playbook_id: str) -> int:
        """The version that the file on disk has, 0 where there is none."""
        entry = self._shelf.file(playbook_id)
        return entry.playbook.version if entry else 0

    def propose(self, db: Database, text: str, actor: Actor, now: int, reason: str = "") -> Proposal:
        """Store the whole text of a playbook as its next version, unless the linter finds errors in it."""
        entry, findings = parse_playbook(text, PASTED)
        if entry is None:
            return Proposal(None, 0, findings, [])
        playbook_id = entry.playbook.id
        current = self.entry(db, playbook_id)
        if current is not None and with_version(text, 1).strip() == with_version(current.source, 1).strip():
            raise UserError("error.playbook_unchanged", id=playbook_id)
        number = 1 + max(
            store.highest(db, playbook_id),
            self.file_version(playbook_id),
            current.playbook.version if current else 0,
        )
        text = with_version(text, number)
        proposal = self.judged(db, text, number, now, reason)
        if proposal.version:
            base = digest(current.source) if current else ""
            store.add(
                db, playbook=playbook_id, version=number, text=text, base=base, reason=reason, actor=actor, now=now
            )  # fmt: skip
            self._audit(db, actor, "playbook_proposed", playbook_id, now, version=number)
        return proposal

    def edit(self, db: Database, playbook_id: str, path: str, value: str, actor: Actor, now: int) -> Proposal:
        """Propose one simple value at another place of the YAML, the rest as it stands."""
        entry = self._existing(db, playbook_id)
        assert entry.root is not None, "a playbook in use was read from YAML"
        text = with_value(entry.source, entry.root, path, value)
        return self.propose(db, text, actor, now, f"{path} = {value}")

    def judged(self, db: Database, text: str, number: int, now: int, reason: str = "") -> Proposal:
        """A text with its findings and what it changes, without storing it."""
        entry, findings = parse_playbook(text, PASTED)
        if entry is None:
            return Proposal(None, 0, findings, [])
        library = self.follow(db)
        current = library.entries.get(entry.playbook.id)
        place = f"{entry.playbook.id} v{number}"
        around = Library({**library.entries, entry.playbook.id: entry}, library.templates)
        named = Entry(entry.playbook, place, entry.root, entry.source)
        findings = lint_entry(named, around, day_of(now))
        broken = any(finding.severity == "error" for finding in findings)
        changes = difference(current.source if current else "", text)
        return Proposal(entry.playbook, 0 if broken else number, findings, changes, reason)

    def version(self, db: Database, playbook_id: str, number: int) -> Version:
        found = store.get(db, playbook_id, number)
        if found is None:
            known = [f"v{item.version}" for item in store.history(db, playbook_id)]
            raise UserError("error.playbook_no_version", id=playbook_id, version=number, known=known or ["—"])
        return found

    def apply(self, db: Database, playbook_id: str, number: int, actor: Actor, now: int) -> Proposal:
        """Put a proposal in force. Raises UserError where something else came into force since it was made."""
        version = self.version(db, playbook_id, number)
        self._permit(db, playbook_id, actor)
        if version.state != "proposed":
            raise UserError("error.playbook_not_proposed", id=playbook_id, version=number)
        current = self.entry(db, playbook_id)
        if version.base != (digest(current.source) if current else ""):
            there = current.playbook.version if current else 0
            raise UserError("error.playbook_overtaken", id=playbook_id, version=number, current=there)
        proposal = self.judged(db, version.text, number, now, version.reason)
        if proposal.version:
            store.put_in_force(db, playbook_id, number, actor, now)
            self._audit(db, actor, "playbook_applied", playbook_id, now, version=number)
            self.follow(db)
        return proposal

    def reject(self, db: Database, playbook_id: str, number: int, actor: Actor, now: int, reason: str = "") -> Version:
        version = self.version(db, playbook_id, number)
        if actor.person != version.actor or not actor.person:  # whoever proposed may take it back
            self._permit(db, playbook_id, actor)
        if version.state != "proposed":
            raise UserError("error.playbook_not_proposed", id=playbook_id, version=number)
        store.reject(db, playbook_id, number, actor, now)
        self._audit(db, actor, "playbook_rejected", playbook_id, now, version=number, reason=reason)
        return version

    def rollback(self, db: Database, playbook_id: str, number: int | None, actor: Actor, now: int) -> int:
        """Back to the version before, to a named one, or to the file (0); returns which one it is now."""
        self._permit(db, playbook_id, actor)
        entry = self.entry(db, playbook_id)
        if entry is None or not entry.stored:
            raise UserError("error.playbook_nothing_to_undo", id=playbook_id)
        if number is None:
            earlier = [item for item in store.history(db, playbook_id, 1000)
                       if item.state == "replaced" and item.version < entry.stored]  # fmt: skip
            number = earlier[0].version if earlier else 0
        elif number and self.version(db, playbook_id, number).state != "replaced":
            raise UserError("error.playbook_never_live", id=playbook_id, version=number)
        store.put_in_force(db, playbook_id, number, actor, now)
        self._audit(db, actor, "playbook_rolled_back", playbook_id, now, version=number, before=entry.stored)
        self.follow(db)
        return number

    def wish(self, db: Database, playbook_id: str, words: str, actor: Actor, now: int) -> int:
        """A change request in words, for the owner."""
        self._existing(db, playbook_id)
        return store.wish(db, playbook_id, words, actor, now)

    def owners(self, playbook: Playbook) -> list[PersonConfig]:
        """Who keeps a playbook: the people behind its owner's name, else those who lead."""
        config = self._config
        found = [item for item in config.people if playbook.owner == item.id or playbook.owner in item.roles]
        return (
            found
            or [item for item in config.people if APPROVERS & set(item.roles)]
            or [item for item in config.people if MANAGER_ROLES & set(item.roles)]
        )

    def may_decide(self, db: Database, playbook_id: str, actor: Actor) -> bool:
        entry = self.entry(db, playbook_id)
        owner = entry.playbook.owner if entry else ""
        return bool(actor.roles & (APPROVERS | {owner}) or (actor.person and actor.person == owner))

    def stale(self, db: Database, today: date) -> list[Playbook]:
        """Playbooks past their review day, the longest overdue first."""
        found = [item for item in self.follow(db).playbooks() if item.review_by < today]
        return sorted(found, key=lambda item: item.review_by)

    def _existing(self, db: Database, playbook_id: str) -> Entry:
        entry = self.entry(db, playbook_id)
        if entry is None:
            known = list(self._shelf.library().entries)[:5]
            raise UserError("error.no_such_playbook", name=playbook_id, near=known or ["—"])
        return entry

    def _permit(self, db: Database, playbook_id: str, actor: Actor) -> None:
        if not self.may_decide(db, playbook_id, actor):
            entry = self.entry(db, playbook_id)
            names = [item.name for item in self.owners(entry.playbook)] if entry else sorted(APPROVERS)
            raise UserError("error.playbook_not_yours", id=playbook_id, owners=names or ["—"])

    def _audit(self, db: Database, actor: Actor, action: str, playbook_id: str, now: int, **detail: object) -> None:
        audit.append(db, actor, action, f"playbook:{playbook_id}", now, detail)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def day_of(now: int) -> date:
    return datetime.fromtimestamp(now / 1000, UTC).date()
