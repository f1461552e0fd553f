"""Statements: a text for one audience, its versions, what a review finds in them, and what an approval is bound to."""

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import orjson

from bot.model.grade import Grade
from bot.model.text import Text

# Audiences a statement may be for, in the order in which people should hear of it: nobody inside learns from the news.
AUDIENCES = (
    "core_team", "management", "staff", "authority", "affected_customers", "customers", "partners", "media", "kols",
    "public",
)  # fmt: skip
DIGEST_SHOWN = 8  # characters of a digest that people see and type
DIGEST_LEAST = 4  # fewer could be hit by chance
BODY_LIMIT = 100_000
TITLE_LIMIT = 200


class StatementStatus(StrEnum):
    """``asked``: voters were asked for this digest; ``approved``: they agreed to it; ``publishing``: on its way to its
    targets; ``corrected`` and ``withdrawn`` are published statements that a later one has taken the place of."""

    DRAFT = "draft"
    ASKED = "asked"
    APPROVED = "approved"
    SCHEDULED = "scheduled"
    PUBLISHING = "publishing"
    PUBLISHED = "published"
    CORRECTED = "corrected"
    WITHDRAWN = "withdrawn"
    DISCARDED = "discarded"

    @property
    def editable(self) -> bool:
        """Whether its text may still change: nothing of it has left the house."""
        return self in (
            StatementStatus.DRAFT,
            StatementStatus.ASKED,
            StatementStatus.APPROVED,
            StatementStatus.SCHEDULED,
        )

    @property
    def out(self) -> bool:
        """Whether it has been published, whatever became of it since."""
        return self in (StatementStatus.PUBLISHED, StatementStatus.CORRECTED, StatementStatus.WITHDRAWN)


class StatementKind(StrEnum):
    ORIGINAL = "original"
    CORRECTION = "correction"
    WITHDRAWAL = "withdrawal"


class Severity(StrEnum):
    """``block`` stops the approval until it is mended or a role overrides it with a reason."""

    BLOCK = "block"
    WARN = "warn"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a review found. ``start`` and ``end`` are character offsets into ``title + "\\n" + body`` (equal where
    something is missing); ``words`` are the words there; ``why`` and ``mend`` are sentences for the author.
    ``overridable`` is False where no reason can make it right, such as a placeholder that nobody filled."""

    rule: str
    severity: Severity
    start: int
    end: int
    words: str
    why: Text
    mend: Text
    overridable: bool = True

    @property
    def key(self) -> str:
        """What an override names: the rule and the words, so that it holds for this place in this text only."""
        return f"{self.rule}:{hashlib.sha256(self.words.encode()).hexdigest()[:6]}"

    def to_json(self) -> dict[str, Any]:
        return {
            "rule": self.rule, "severity": self.severity.value, "start": self.start, "end": self.end,
            "words": self.words, "why": self.why.to_json(), "mend": self.mend.to_json(),
            "overridable": self.overridable,
        }  # fmt: skip

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Finding":
        return cls(
            data["rule"], Severity(data["severity"]), data["start"], data["end"], data["words"],
            Text.from_json(data["why"]), Text.from_json(data["mend"]), data.get("overridable", True),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Version:
    """One text of a statement. ``aside`` is set where somebody else's version came first: it is kept, not current.
    ``author`` is empty for a text that the machine filled from a template."""

    statement: str
    number: int
    audience: str
    language: str
    title: str
    body: str
    author: str
    author_name: str
    chat: str
    created_at: int
    reason: str = ""
    aside: bool = False

    @property
    def text(self) -> str:
        """Title and body as reviews and diffs see them."""
        return f"{self.title}\n{self.body}"

    @property
    def digest(self) -> str:
        """SHA-256 over the UTF-8 JSON array ``["fengbo-statement-1", statement, number, audience, language, title,
        body]`` without spaces: anybody can compute it again from an approval file. The number is part of it, so that
        an edit that is taken back is a new text all the same."""
        return hashlib.sha256(self.sealed).hexdigest()

    @property
    def sealed(self) -> bytes:
        """The very bytes that the digest is taken over: saved as a file, ``sha256sum`` gives the digest."""
        parts = ["fengbo-statement-1", self.statement, self.number, self.audience, self.language, self.title, self.body]
        return orjson.dumps(parts)


@dataclass(frozen=True, slots=True)
class Statement:
    """One row of the ``statement`` table. ``id`` is what people type (``S-12``); ``version`` the number of the current
    text; ``run`` and ``step`` name the playbook step that asked for it; ``replaces`` the published statement that this
    one corrects or withdraws; ``revision`` counts every visible change."""

    id: str
    incident: str
    drill: str
    kind: StatementKind
    audience: str
    language: str
    status: StatementStatus
    grade: Grade
    version: int
    created_at: int
    updated_at: int
    revision: int = 1
    template: str = ""
    strategy: str = ""
    run: str = ""
    step: str = ""
    replaces: str = ""
    channels: tuple[str, ...] = ()  # publishers its step names; empty: all of its audience


@dataclass(frozen=True, slots=True)
class FactView:
    """A fact as a review sees it: its value in words and whether somebody vouched for it."""

    value: str
    confirmed: bool
    label: str = ""


@dataclass(frozen=True, slots=True)
class EarlierText:
    """A text that must not be contradicted: published (``published_at`` > 0), or a sibling for another audience."""

    statement: str
    audience: str
    language: str
    title: str
    body: str
    published_at: int = 0


@dataclass(frozen=True, slots=True)
class ReviewContext:
    """What a review knows besides the text. All of it is data of the moment: the same input gives the same findings.

    ``facts`` by name; ``tellable`` the names this audience may be told at this grade (None: no rule);
    ``subject_names`` how company and products are rightly written; ``internal_names`` people, systems and code names
    that must not go out; ``targets`` the platforms it goes to (``weibo``, ``sms``, ``slack`` …) for their lengths;
    ``strategy`` the SCCT strategy of the template; ``denial_verified`` whether a rumour is verified false.
    """

    audience: str
    language: str
    grade: Grade = Grade.NONE
    crisis_type: str = ""
    cluster: str = ""
    strategy: str = ""
    now: int = 0
    facts: dict[str, FactView] = field(default_factory=dict)
    tellable: frozenset[str] | None = None
    earlier: tuple[EarlierText, ...] = ()
    subject_names: tuple[str, ...] = ()
    internal_names: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    denial_verified: bool = False
    hosts: tuple[str, ...] = ()  # our own hosts: other links are named
    hotlines: tuple[str, ...] = ()  # numbers that may be printed
    kind: StatementKind = StatementKind.ORIGINAL  # a correction may say other than what it corrects
    template_text: str = ""  # the unfilled template, both parts: numbers of its own are the library's, not the author's
