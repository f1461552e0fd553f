"""The approval file of a statement: who agreed to which words, when, in which chat, and where they went, with proof."""

from dataclasses import dataclass, field

from bot.model.publication import Publication, Receipt
from bot.model.statement import Finding, Statement, Version
from bot.model.text import Text
from bot.store.audit import AuditRow


@dataclass(frozen=True, slots=True)
class FileVersion:
    """One text and what its review found."""

    version: Version
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class FileVote:
    """One decision on one digest. ``decision`` is a key below ``export.vote_``: yes, no, withdrawn, void."""

    name: str
    roles: tuple[str, ...]
    decision: str
    digest: str
    chat: str
    at: int
    reason: str = ""
    instead_of: str = ""


@dataclass(frozen=True, slots=True)
class FileOverride:
    """A finding that somebody with the role let pass, and why."""

    finding: str
    name: str
    reason: str
    at: int
    version: int = 0
    role: str = ""


@dataclass(frozen=True, slots=True)
class FileEvent:
    """One line of the timeline."""

    at: int
    what: Text | str
    name: str = ""
    chat: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """The rows of the audit chain about the statement, how long the whole chain is, and where it is broken (None: it
    is whole)."""

    rows: tuple[AuditRow, ...]
    length: int
    broken_at: int | None


@dataclass(frozen=True, slots=True)
class ApprovalFile:
    """``approved`` is the digest that was agreed to, empty while none was; versions are in their order."""

    statement: Statement
    incident_title: Text | str
    versions: tuple[FileVersion, ...]
    approved: str
    proof: Proof
    made_at: int
    votes: tuple[FileVote, ...] = ()
    overrides: tuple[FileOverride, ...] = ()
    events: tuple[FileEvent, ...] = ()
    publication: Publication | None = None
    receipts: tuple[Receipt, ...] = field(default=())

    @property
    def text(self) -> Version:
        """The approved version, or the newest one while none is approved."""
        fitting = [one.version for one in self.versions if one.version.digest == self.approved]
        return fitting[-1] if fitting else self.versions[-1].version
