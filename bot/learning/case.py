"""A case: one crisis as it is remembered, whether our own, a drill, written by hand, or publicly known.

The same format is the row of the store (JSON) and a file of ``playbooks/cases`` (YAML).
"""

from typing import Annotated, Any, Literal

import orjson
from pydantic import BeforeValidator, Field, model_validator

from bot.response.parts import Strategy
from bot.response.values import GradeWord, Identifier, Part, Words

SCHEMA_ID = "case.schema.json"

Principle = Literal[
    "be_first", "be_right", "be_credible", "express_empathy", "promote_action", "show_respect",  # CERC, the six
    "responsibility_accepted", "responsibility_denied", "blame_shifted", "victims_first", "corrective_action",
    "compensation", "one_voice", "staff_first", "updates_on_a_cadence", "stonewalling", "contradiction",
]  # fmt: skip
"""What a practice is judged by: the principles of CERC (be first … show respect) and postures of SCCT."""


class Moment(Part):
    """One thing that was done. ``at`` is a day (2012-08-01), a month, or a distance from the beginning (+45m)."""

    at: Annotated[str, BeforeValidator(str)] = Field(
        pattern=r"^(\d{4}(-\d{2}(-\d{2})?)?|\+\d+(\.\d+)?[mhd])$", description="When. 日期或距开始的时间"
    )
    what: Words


class Practice(Part):
    """Something that helped, or that did not, and the principle by which it is judged."""

    principle: Principle
    what: Words


class Source(Part):
    """Where the facts of a public case stand."""

    title: str = Field(min_length=4)
    publisher: str = Field(min_length=2)
    year: int = Field(ge=1950, le=2100)


class PlanUsed(Part):
    """A playbook at work: its run, how it ended, and how far its steps came."""

    playbook: str
    title: Words
    run: str
    status: str
    done: int
    steps: int
    late: int
    skipped: int


class StatementUsed(Part):
    id: str
    title: str
    audience: str
    strategy: str = ""
    published: bool = False


class Case(Part):
    """``figures``: milestones in milliseconds after the opening (``acknowledged``, ``run``, ``statement``,
    ``resolved``, ``closed``) and counts (``mentions``, ``negative``); what is not known is not there. ``unknown`` are
    words, with how many people used them, of posts whose kind nothing recognised; ``strays`` those of posts that no
    keyword rule let in though they speak of the same."""

    id: str = Field(min_length=1, max_length=64)
    kind: Literal["own", "drill", "hand", "public", "archetype"]
    title: Words
    happened: Words = Field(description="What happened, in two or three sentences. 经过，两三句话")
    crisis_types: tuple[Identifier, ...] = Field(min_length=1, description="The main one first. 首要类型放最前")
    industries: tuple[Identifier, ...] = ("general",)
    grade: GradeWord
    year: int = Field(ge=1950, le=2100)
    company: str = Field(default="", description="Only of public cases. 仅公开案例")
    subject: str = ""
    family: str = ""
    incident: str = ""
    drill: str = ""
    opened_at: int = 0
    figures: dict[str, int] = Field(default={})
    platforms: tuple[str, ...] = ()
    strategies: tuple[Strategy, ...] = ()
    plans: tuple[PlanUsed, ...] = ()
    recommended: str = ""
    statements: tuple[StatementUsed, ...] = ()
    words: tuple[str, ...] = Field(default=(), description="What people wrote, both languages. 公众用词，中英文")
    unknown: dict[str, int] = Field(default={}, description="Made by the program. 由程序生成，文件中不写")
    strays: dict[str, int] = Field(default={}, description="Made by the program. 由程序生成，文件中不写")
    terms: tuple[str, ...] = Field(default=(), description="Made by the program. 由程序生成，文件中不写")
    timeline: tuple[Moment, ...] = ()
    worked: tuple[Practice, ...] = ()
    failed: tuple[Practice, ...] = ()
    lessons: tuple[Words, ...] = ()
    sources: tuple[Source, ...] = ()
    links: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _sure(self) -> "Case":
        """A real company only with a source; an archetype never with a company."""
        if self.kind == "public" and not (self.sources and self.company):
            raise ValueError("case_source")
        if self.kind == "archetype" and (self.company or self.sources):
            raise ValueError("case_archetype")
        return self

    @property
    def real(self) -> bool:
        """Whether it counts beside real incidents; drills stand apart."""
        return self.kind != "drill"

    def frozen(self) -> str:
        return self.model_dump_json(by_alias=True, exclude_defaults=True)

    @classmethod
    def thaw(cls, text: str) -> "Case":
        return cls.model_validate_json(text)


def json_schema() -> str:
    """The JSON Schema (draft 2020-12) of a case file, for editors."""
    schema: dict[str, Any] = Case.model_json_schema(by_alias=True)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_ID, "title": "Fengbo case"}
    return orjson.dumps({**schema, **head}, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode() + "\n"
