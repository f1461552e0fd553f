"""Publications: an approved text on its way to its targets, and what each of them said."""

from dataclasses import dataclass, field
from enum import StrEnum

from bot.model.statement import StatementKind, Version


class PublicationState(StrEnum):
    """``held``: an earlier audience is still being told; ``failed``: settled, but not everywhere; ``stopped``: the
    approval no longer held when the next target's turn came."""

    SCHEDULED = "scheduled"
    HELD = "held"
    PUBLISHING = "publishing"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"
    CANCELLED = "cancelled"

    @property
    def open(self) -> bool:
        return self in (PublicationState.SCHEDULED, PublicationState.HELD, PublicationState.PUBLISHING)


class ReceiptState(StrEnum):
    """``waiting``: for its moment, or for a person; ``sending``: handed over; ``unclear``: perhaps there, a person has
    to look; ``simulated``: a drill, nothing left the house; ``stopped``: never handed over."""

    WAITING = "waiting"
    SENDING = "sending"
    DONE = "done"
    FAILED = "failed"
    UNCLEAR = "unclear"
    SIMULATED = "simulated"
    STOPPED = "stopped"

    @property
    def open(self) -> bool:
        return self in (ReceiptState.WAITING, ReceiptState.SENDING)

    @property
    def good(self) -> bool:
        return self in (ReceiptState.DONE, ReceiptState.SIMULATED)


@dataclass(frozen=True, slots=True)
class Publication:
    """One approved text being published, once per statement and digest. The text is a copy of the stored version,
    frozen; ``at`` and ``embargo`` are moments or 0; ``hold_until`` ends the wait for earlier audiences."""

    id: int
    statement: str
    digest: str
    incident: str
    drill: str
    kind: StatementKind
    replaces: str
    audience: str
    language: str
    version: int
    title: str
    body: str
    state: PublicationState
    at: int
    embargo: int
    hold_until: int
    actor: str
    actor_name: str
    chat: str
    begun_at: int
    settled_at: int = 0
    error: str = ""

    @property
    def computed_digest(self) -> str:
        """The digest of the copy itself, computed anew: what must equal ``digest`` before a text is handed over."""
        return Version(
            self.statement, self.version, self.audience, self.language, self.title, self.body, "", "", "", 0
        ).digest

    @property
    def text(self) -> str:
        """What a place with nothing but text shows: the title, an empty line, the body; neither changed."""
        return f"{self.title}\n\n{self.body}" if self.title else self.body


@dataclass(frozen=True, slots=True)
class Receipt:
    """What one target said. ``link`` is where the text stands; ``reference`` what the target calls it; ``counts`` are
    receivers by what became of them; ``attempt`` counts a person's decisions to try again."""

    publication: int
    statement: str
    target: str
    kind: str
    title: str
    position: int
    embargoed: bool
    state: ReceiptState
    link: str = ""
    reference: str = ""
    error: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    handed_at: int = 0
    settled_at: int = 0
    attempt: int = 1
    by: str = ""

    @property
    def handed(self) -> bool:
        return self.handed_at > 0


@dataclass(frozen=True, slots=True)
class NewsroomItem:
    """One entry of the newsroom; with ``drill`` it is a preview that only members see. ``replaced_by`` names the
    statement that corrects or withdraws it (``replaced_kind``)."""

    slug: str
    statement: str
    publication: int
    publisher: str
    incident: str
    drill: str
    kind: StatementKind
    replaces: str
    audience: str
    language: str
    title: str
    body: str
    digest: str
    published_at: int
    updated_at: int
    replaced_by: str = ""
    replaced_kind: str = ""
