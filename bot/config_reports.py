"""The section ``reports``: briefs on a cadence, to a channel and by e-mail."""

from collections.abc import Collection
from typing import Any, Literal

from pydantic import Field

from bot.settings import Identifier, Language, Section, Zone

Place = tuple[str | int, ...]


class ReportConfig(Section):
    """One brief. It is made at ``hour`` o'clock of the first day after its period. ``channel`` is one of ``channels``,
    ``email`` are people or addresses; ``subjects`` empty means all."""

    cadence: Literal["daily", "weekly", "monthly"]
    channel: Identifier | Literal[""] = ""
    email: list[str] = []
    subjects: list[Identifier] = []
    hour: int = Field(default=9, ge=0, le=23)
    timezone: Zone = "Asia/Shanghai"
    language: Language | None = None


def references(
    reports: list[ReportConfig], channels: Collection[str], people: Collection[str], subjects: Collection[str]
) -> list[tuple[Place, str, dict[str, Any]]]:
    """Names that point nowhere, and briefs that would reach nobody, for ``bot.config``."""
    found: list[tuple[Place, str, dict[str, Any]]] = []
    for index, report in enumerate(reports):
        if report.channel and report.channel not in channels:
            params = {"value": report.channel, "known": ", ".join(channels) or "-"}
            found.append((("reports", index, "channel"), "config.unknown_channel", params))
        if not report.channel and not report.email:
            found.append((("reports", index), "config.report_to_nobody", {}))
        for place, person in enumerate(report.email):
            if person not in people and "@" not in person:
                found.append((("reports", index, "email", place), "config.unknown_person", {"value": person}))
        for place, subject in enumerate(report.subjects):
            if subject not in subjects:
                params = {"value": subject, "known": ", ".join(subjects) or "-"}
                found.append((("reports", index, "subjects", place), "config.report_subject", params))
    return found
