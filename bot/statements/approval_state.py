"""What an approval is: what it takes, who has voted, and the events that move it. See ``bot.statements.approval``."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from bot.model.statement import DIGEST_LEAST, StatementStatus
from bot.model.text import Text

Status = StatementStatus
VOTABLE = frozenset({Status.ASKED, Status.APPROVED, Status.SCHEDULED})


@dataclass(frozen=True, slots=True)
class Requirement:
    """``count`` different people who hold one of ``roles`` or are among ``people``; ``id`` is what people read."""

    id: str
    roles: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    count: int = 1

    def met_by(self, person: str, roles: Iterable[str]) -> bool:
        return person in self.people or bool(set(self.roles) & set(roles))


@dataclass(frozen=True, slots=True)
class Policy:
    """``expires``: how long voters have; ``valid``: how long an approval may wait for publication; ``deputies_after``:
    when deputies are asked too. Milliseconds. ``ordered``: a requirement is voted on only when those before are met."""

    requirements: tuple[Requirement, ...]
    expires: int
    valid: int
    deputies_after: int
    ordered: bool = False
    second_factor: bool = False

    @property
    def seats(self) -> tuple[str, ...]:
        """One requirement id for each vote that is needed, in order."""
        return tuple(item.id for item in self.requirements for _ in range(item.count))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Policy":
        requirements = tuple(
            Requirement(item["id"], tuple(item["roles"]), tuple(item["people"]), item["count"])
            for item in data["requirements"]
        )
        return cls(requirements, **{name: value for name, value in data.items() if name != "requirements"})


@dataclass(frozen=True, slots=True)
class Vote:
    """A yes of one person to the digest that the state names. ``seats`` are the requirements it may count for;
    ``stands_for`` is whoever the person stood in for."""

    person: str
    name: str
    seats: tuple[str, ...]
    at: int
    chat: str
    stands_for: str = ""
    roles: tuple[str, ...] = ()  # of whose vote it is: seats that are added later may be taken by it too

    @property
    def identity(self) -> str:
        """Whose vote it is: one person cannot count twice by having somebody stand in as well."""
        return self.stands_for or self.person


@dataclass(frozen=True, slots=True)
class Approval:
    """The state. ``blocks`` are findings that stop it; ``contributors`` whoever wrote the text; ``until`` when the
    asking (asked) or the approval (approved) lapses."""

    status: Status
    digest: str
    contributors: frozenset[str] = frozenset()
    blocks: frozenset[str] = frozenset()
    policy: Policy | None = None
    votes: tuple[Vote, ...] = ()
    asked_at: int = 0
    asked_by: str = ""
    until: int = 0
    escalated: bool = False

    @property
    def seated(self) -> dict[str, list[Vote]]:
        """The votes by the requirement they count for: as many seats taken as can be."""
        return seat(self.policy, self.votes) if self.policy else {}

    @property
    def open_seats(self) -> tuple[str, ...]:
        """The requirements that still lack a vote, one entry for each lacking vote."""
        if self.policy is None:
            return ()
        taken = {name: len(votes) for name, votes in self.seated.items()}
        missing = []
        for item in self.policy.requirements:
            missing.extend([item.id] * (item.count - taken.get(item.id, 0)))
        return tuple(missing)

    @property
    def met(self) -> bool:
        return self.policy is not None and not self.open_seats

    @property
    def turn(self) -> tuple[Requirement, ...]:
        """The requirements whose votes are asked for now."""
        if self.policy is None:
            return ()
        missing = set(self.open_seats)
        waiting = tuple(item for item in self.policy.requirements if item.id in missing)
        return waiting[:1] if self.policy.ordered else waiting

    def to_json(self) -> dict[str, Any]:
        return {
            "contributors": sorted(self.contributors), "blocks": sorted(self.blocks),
            "policy": self.policy.to_json() if self.policy else None, "votes": [asdict(vote) for vote in self.votes],
            "asked_at": self.asked_at, "asked_by": self.asked_by, "until": self.until, "escalated": self.escalated,
        }  # fmt: skip

    @classmethod
    def from_json(cls, status: Status, digest: str, data: dict[str, Any]) -> "Approval":
        votes = tuple(
            Vote(**{**vote, "seats": tuple(vote["seats"]), "roles": tuple(vote.get("roles", ()))})
            for vote in data.get("votes", ())
        )
        policy = Policy.from_json(data["policy"]) if data.get("policy") else None
        return cls(
            status, digest, frozenset(data.get("contributors", ())), frozenset(data.get("blocks", ())), policy, votes,
            data.get("asked_at", 0), data.get("asked_by", ""), data.get("until", 0), data.get("escalated", False),
        )  # fmt: skip


# -- events


@dataclass(frozen=True, slots=True)
class Edited:
    digest: str
    author: str  # empty: the machine filled it from a template
    blocks: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Reviewed:
    """The same text looked at again: facts, siblings or the day have changed, or a block was overridden."""

    blocks: frozenset[str]


@dataclass(frozen=True, slots=True)
class Ask:
    by: str
    policy: Policy


@dataclass(frozen=True, slots=True)
class Yes:
    """``roles`` are the voter's own, ``stands_for`` others for whom they may vote, each with their roles;
    ``second_factor`` says whether it was given and right."""

    person: str
    name: str
    chat: str
    digest: str
    roles: frozenset[str] = frozenset()
    stands_for: tuple[tuple[str, frozenset[str]], ...] = ()
    second_factor: bool = False


@dataclass(frozen=True, slots=True)
class No:
    person: str
    digest: str
    reason: str
    roles: frozenset[str] = frozenset()
    stands_for: tuple[tuple[str, frozenset[str]], ...] = ()


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Nobody is asked any more, and what was agreed no longer counts; nothing has left the house."""

    by: str


@dataclass(frozen=True, slots=True)
class PolicyChanged:
    """The incident's grade rose while people were voting or before publication."""

    policy: Policy


@dataclass(frozen=True, slots=True)
class Lapse:
    """The timer of ``until`` fired."""


@dataclass(frozen=True, slots=True)
class Escalate:
    """Deputies are asked too."""


@dataclass(frozen=True, slots=True)
class Schedule:
    at: int


@dataclass(frozen=True, slots=True)
class Publish:
    digest: str


@dataclass(frozen=True, slots=True)
class Settled:
    """Every target has answered."""


@dataclass(frozen=True, slots=True)
class Discard:
    pass


Event = (
    Edited | Reviewed | Ask | Yes | No | Withdraw | PolicyChanged | Lapse | Escalate | Schedule | Publish | Settled
    | Discard
)  # fmt: skip


class Effect(StrEnum):
    """What has to follow in the same transaction."""

    ASK_VOTERS = "ask_voters"  # those whose turn it is
    VOIDED = "voided"  # those who had voted or been asked are told why their votes no longer count
    VOTED = "voted"
    APPROVED = "approved"
    REJECTED = "rejected"
    LAPSED = "lapsed"
    ESCALATED = "escalated"
    WITHDRAWN = "withdrawn"
    PUBLISH = "publish"
    PUBLISHED = "published"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class Decision:
    """``refused`` says why nothing changed; else ``state`` and ``effects`` are what follows."""

    state: Approval
    effects: tuple[Effect, ...] = ()
    refused: Text | None = None
    voided: tuple[Vote, ...] = field(default=())


def seat(policy: Policy, votes: Sequence[Vote]) -> dict[str, list[Vote]]:
    """The votes on seats, as many as can be (augmenting paths; there are never more than a dozen seats)."""
    seats = [(name, index) for index, name in enumerate(policy.seats)]
    taken: dict[tuple[str, int], Vote] = {}

    def place(vote: Vote, tried: set[tuple[str, int]]) -> bool:
        for one in seats:
            if one[0] not in vote.seats or one in tried:
                continue
            tried.add(one)
            if one not in taken or place(taken[one], tried):
                taken[one] = vote
                return True
        return False

    seen: set[str] = set()
    for vote in votes:
        if vote.identity not in seen and place(vote, set()):
            seen.add(vote.identity)
    found: dict[str, list[Vote]] = {}
    for (name, _), vote in sorted(taken.items(), key=lambda item: item[0][1]):
        found.setdefault(name, []).append(vote)
    return found


def same_digest(digest: str, given: str) -> bool:
    """Whether what a person typed or pressed names this digest: its beginning, four characters at least."""
    given = given.strip().lower().lstrip("#")
    return len(given) >= DIGEST_LEAST and digest.startswith(given)
