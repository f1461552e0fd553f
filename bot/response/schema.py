"""The playbook as data: one YAML file that PR staff read and edit, checked by pydantic, bilingual throughout."""

from datetime import date
from typing import Annotated, Any

import orjson
from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from bot.response.parts import (
    KNOWN_KINDS,
    AutoStart,
    Compensation,
    Contact,
    Evidence,
    Fact,
    Grades,
    Match,
    MediaLine,
    Quiz,
    Recovery,
    Release,
    Role,
    Scct,
    Support,
    Template,
)
from bot.response.steps import Escalation, Step
from bot.response.values import Duration, Identifier, Part, Words

SCHEMA_ID = "playbook.schema.json"


def _auto_start(value: Any) -> Any:
    """``never``, a grade word alone, or the long form."""
    if value is None or value == "never":
        return None
    return {"from": value} if isinstance(value, str) else value


def _day(value: Any) -> date:
    if type(value) is date:
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise ValueError("day") from None


Kind = Annotated[
    Identifier,
    WithJsonSchema({"anyOf": [{"enum": list(KNOWN_KINDS)}, {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]*$"}]}),
]
Day = Annotated[
    date,
    BeforeValidator(_day),
    PlainSerializer(lambda day: day.isoformat(), return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date"}),
]


class Defaults(Part):
    """What a step has where it says nothing itself."""

    remind_before: Duration = 600_000
    escalate: Escalation | None = None


class Playbook(Part):
    """One plan. Ids are unique inside their list; roles, steps, facts and templates refer to each other by id."""

    id: Identifier
    version: int = Field(ge=1, description="One more with every change. 每次修改加一")
    title: Words
    summary: Words = Field(description="When to take this playbook, in two or three sentences. 何时用本预案")
    crisis_types: tuple[Kind, ...] = Field(min_length=1, description="The main one first. 首要类型放最前")
    industries: tuple[Identifier, ...] = Field(min_length=1, description="general: every industry. general 表示通用")
    grades: Grades
    scct: Scct
    match: Match = Match()
    auto_start: Annotated[
        AutoStart | None, BeforeValidator(_auto_start), Field(description="never, a grade, or from/score/when.")
    ] = None
    owner: str = Field(min_length=1, description="Role or person who keeps it current. 维护人")
    review_by: Day = Field(description="Day by which it is looked through again. 下次复核日期")
    roles: dict[Identifier, Role] = Field(min_length=1)
    defaults: Defaults = Defaults()
    facts: tuple[Fact, ...] = ()
    steps: tuple[Step, ...] = Field(min_length=1)
    templates: dict[Identifier, Template] = Field(default={})
    media_line: MediaLine | None = None
    contacts: tuple[Contact, ...] = ()
    evidence: Evidence = Evidence()
    release: tuple[Release, ...] = ()
    compensation: Compensation | None = None
    recovery: Recovery | None = None
    support: Support | None = None
    related: tuple[Identifier, ...] = Field(default=(), description="Other playbooks to look at. 相关预案")
    sources: tuple[str, ...] = Field(default=(), description="Law and theory it rests on. 依据")
    quiz: tuple[Quiz, ...] = ()

    def step(self, step_id: str) -> Step | None:
        """The step of that id, or ``None``."""
        return next((step for step in self.steps if step.id == step_id), None)

    def frozen(self) -> str:
        """The whole playbook as JSON, for the copy a run keeps; ``thaw`` reads it back equal."""
        return self.model_dump_json(by_alias=True, exclude_none=True)

    @classmethod
    def thaw(cls, text: str) -> "Playbook":
        return cls.model_validate_json(text)


def json_schema() -> str:
    """The JSON Schema (draft 2020-12) for editors: completion, hints in both languages, red underlines while typing."""
    schema = Playbook.model_json_schema(by_alias=True)
    properties = schema["properties"]
    automatic = {"anyOf": [{"enum": ["never", "blue", "yellow", "orange", "red"]}, {"$ref": "#/$defs/AutoStart"}]}
    properties["auto_start"] = {**automatic, "default": "never", "description": properties["auto_start"]["description"]}
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_ID, "title": "Fengbo playbook"}
    return orjson.dumps({**schema, **head}, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode() + "\n"
