"""A sentence that is not written yet: a catalogue key and its parameters, turned into words per channel language."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LANGUAGES = ("zh-CN", "en")


@dataclass(frozen=True, slots=True)
class Text:
    """``key`` names an entry of the catalogues in ``bot/texts``; ``params`` fill its placeholders.

    A parameter may itself be a ``Text``. Parameters are plain data; they are never parsed for placeholders again.
    """

    key: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The JSON shape kept in rows: ``{"key", "params"}`` with nested texts marked by ``{"text": …}``."""
        return {
            "key": self.key,
            "params": {
                name: {"text": value.to_json()} if isinstance(value, Text) else value
                for name, value in self.params.items()
            },
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Text":
        params = {
            name: cls.from_json(value["text"]) if isinstance(value, dict) and set(value) == {"text"} else value
            for name, value in dict(data.get("params") or {}).items()
        }
        return cls(str(data["key"]), params)


class UserError(Exception):
    """Something a person asked for cannot be done. ``text`` says what happened and what to do; nothing was changed."""

    def __init__(self, key: str, **params: Any) -> None:
        super().__init__(key)
        self.text = Text(key, params)
