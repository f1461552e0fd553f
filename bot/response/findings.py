"""What the library and the linter have to say about a file: how bad, where, what, and how to mend it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bot.model.text import Text
from bot.yaml_lines import Place

Severity = Literal["error", "warning", "note"]
ORDER: dict[Severity, int] = {"error": 0, "warning": 1, "note": 2}


@dataclass(frozen=True, slots=True)
class Complaint:
    """A finding inside one playbook, before its line is looked up. ``key`` is a catalogue name under ``playbook.``."""

    severity: Severity
    place: Place
    key: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding of a person's reading: ``file`` and ``line`` (from 1), and a sentence that says what to do."""

    severity: Severity
    file: str
    line: int
    text: Text

    @property
    def where(self) -> str:
        return f"{self.file}:{self.line}"


def in_order(findings: list[Finding]) -> list[Finding]:
    """Errors first, then by file and line; the same finding once."""
    unique = {(item.where, item.text.key, repr(item.text.params)): item for item in findings}
    return sorted(unique.values(), key=lambda item: (ORDER[item.severity], item.file, item.line, item.text.key))
