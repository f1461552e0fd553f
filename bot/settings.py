"""What every section of the configuration is made of: values with their own errors, secrets from outside the file."""

import os
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

from bot.model.grade import Grade

_UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_DURATION = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)\s*$")


def parse_duration(value: Any) -> int:
    """``90s``, ``5m``, ``2h``, ``7d`` → milliseconds; a bare number is seconds."""
    if isinstance(value, bool):
        raise ValueError("duration")
    if isinstance(value, int | float):
        return int(value * 1000)
    match = _DURATION.match(str(value))
    if not match:
        raise ValueError("duration")
    return int(float(match[1]) * _UNITS[match[2]])


def _grade(value: Any) -> Grade:
    if isinstance(value, Grade):
        return value
    grade = Grade.from_word(str(value)) if str(value).upper() in Grade.__members__ else None
    if grade is None or grade is Grade.NONE:
        raise ValueError("grade")
    return grade


def _identifier(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", value):
        raise ValueError("identifier")
    return value


def _moment(value: Any) -> int:
    """A moment of the file as Unix milliseconds; it must carry its offset from UTC."""
    parsed = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    if parsed.tzinfo is None:
        raise ValueError("moment")
    return int(parsed.timestamp() * 1000)


def _positive(value: int) -> int:
    if value <= 0:
        raise ValueError("duration")
    return value


def _span(value: str) -> str:
    """``23:00-07:00``: two times of day."""
    if not re.fullmatch(r"\s*([01]?\d|2[0-4])(:[0-5]\d)?\s*-\s*([01]?\d|2[0-4])(:[0-5]\d)?\s*", value):
        raise ValueError("span")
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("timezone") from None
    return value


def _address(value: Any) -> str:
    """``host:port``; a bare port listens on this machine only."""
    text = f"127.0.0.1:{value}" if str(value).isdigit() else str(value)
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65_535:
        raise ValueError("listen")
    return text


Duration = Annotated[int, BeforeValidator(parse_duration)]
Period = Annotated[int, BeforeValidator(parse_duration), AfterValidator(_positive)]
QuietSpan = Annotated[str, AfterValidator(_span)]
Zone = Annotated[str, AfterValidator(_zone)]
Address = Annotated[str, BeforeValidator(_address)]
GradeWord = Annotated[Grade, BeforeValidator(_grade)]
Identifier = Annotated[str, AfterValidator(_identifier)]
Moment = Annotated[int, BeforeValidator(_moment)]
Language = Literal["zh-CN", "en"]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class SecretHolder(Section):
    """A section whose secrets come from ``<name>_env`` or ``<name>_file``."""

    def secret(self, name: str, environ: Mapping[str, str] | None = None) -> str:
        """The secret ``name``, empty where it is not configured or the variable is unset."""
        environ = os.environ if environ is None else environ
        variable = getattr(self, f"{name}_env", "")
        if variable and environ.get(variable):
            return environ[variable].strip()
        file = getattr(self, f"{name}_file", "")
        if file and Path(file).is_file():
            return Path(file).read_text(encoding="utf-8").strip()
        return ""
