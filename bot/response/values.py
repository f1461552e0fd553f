"""The small values a playbook is written in: two-language words, durations, grades, ids, conditions."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)

from bot.model.grade import Grade
from bot.response.condition import parse_condition

_UNITS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([smhdw])\s*")
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")


class Part(BaseModel):
    """A piece of a playbook: what is not in the format is refused, what is read does not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Words(Part):
    """One text in both languages. A missing language is a finding of the linter, not a reason to refuse the file."""

    zh: str = Field(default="", alias="zh-CN")
    en: str = ""

    @model_validator(mode="before")
    @classmethod
    def _mapping(cls, value: Any) -> Any:
        if not isinstance(value, Mapping | Words):
            raise ValueError("words")
        return value

    def in_language(self, language: str) -> str:
        """The text for ``zh-CN`` or ``en``; the other language where this one is not written."""
        return (self.zh or self.en) if language == "zh-CN" else (self.en or self.zh)

    def missing(self) -> list[str]:
        """The languages that are not written."""
        return [name for name, value in (("zh-CN", self.zh), ("en", self.en)) if not value.strip()]

    def placeholders(self) -> set[str]:
        """The ``{names}`` that either language expects to be filled."""
        return set(_PLACEHOLDER.findall(self.zh)) | set(_PLACEHOLDER.findall(self.en))


def parse_duration(value: Any) -> int:
    """``15m`` or ``5h`` → milliseconds. A bare number is refused: nobody can see whether it means minutes or hours."""
    if isinstance(value, int) and not isinstance(value, bool) and value < 0:
        raise ValueError("duration")
    match = _DURATION.fullmatch(str(value))
    if not match:
        raise ValueError("duration")
    return round(float(match[1]) * _UNITS[match[2]])


def show_duration(milliseconds: int) -> str:
    """Milliseconds in the shortest exact way of writing (``90m``, ``5h``): the reverse of ``parse_duration``."""
    for unit in ("w", "d", "h", "m"):
        if milliseconds and milliseconds % _UNITS[unit] == 0:
            return f"{milliseconds // _UNITS[unit]}{unit}"
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds}.{rest:03d}s" if rest else f"{seconds}s"


def _grade(value: Any) -> Grade:
    if isinstance(value, Grade):
        return value
    try:
        grade = Grade.from_word(str(value))
    except ValueError:
        raise ValueError("grade") from None
    if grade is Grade.NONE:
        raise ValueError("grade")
    return grade


def _identifier(value: str) -> str:
    if not _ID.fullmatch(value):
        raise ValueError("identifier")
    return value


def _condition(value: Any) -> str:
    # YAML reads a bare ``yes`` as true; a condition is always a sentence.
    if not isinstance(value, str):
        raise ValueError("condition_not_text")
    parse_condition(value)
    return value


_GRADE_WORDS = [grade.word for grade in Grade if grade is not Grade.NONE]

Duration = Annotated[
    int,
    BeforeValidator(parse_duration),
    PlainSerializer(show_duration, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d+)?\s*[smhdw]$", "examples": ["15m", "1h", "5h", "2d"]}),
]
GradeWord = Annotated[
    Grade,
    BeforeValidator(_grade),
    PlainSerializer(lambda grade: grade.word, return_type=str, when_used="json"),
    WithJsonSchema({"enum": _GRADE_WORDS}),
]
Identifier = Annotated[
    str, AfterValidator(_identifier), WithJsonSchema({"type": "string", "pattern": f"^{_ID.pattern}$"})
]
Condition = Annotated[str, BeforeValidator(_condition)]
