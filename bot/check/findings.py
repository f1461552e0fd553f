"""What a check says: a level and a sentence."""

from typing import Any, Literal

from bot.model.text import Text

Level = Literal["ok", "note", "warn", "error"]
Finding = tuple[Level, Text]


def ok(name: str, /, **params: Any) -> Finding:
    return "ok", Text(f"check.{name}", params)


def note(name: str, /, **params: Any) -> Finding:
    return "note", Text(f"check.{name}", params)


def warn(name: str, /, **params: Any) -> Finding:
    return "warn", Text(f"check.{name}", params)


def error(name: str, /, **params: Any) -> Finding:
    return "error", Text(f"check.{name}", params)
