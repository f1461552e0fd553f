"""The section ``statements``: who approves what, for how long, and what a review is told about the company."""

from typing import Any, Literal

from pydantic import Field

from bot.model.statement import AUDIENCES
from bot.settings import GradeWord, Identifier, Period, Section

Hour = 3_600_000


class ApprovalConfig(Section):
    """One rule. The first whose ``grades`` and ``audiences`` fit is used (empty: all). ``need`` are roles, each a
    different person; ``a|b`` means either role, ``a*2`` two people."""

    grades: list[GradeWord] = []
    audiences: list[str] = []
    need: list[str] = Field(min_length=1)
    ordered: bool = False
    expires: Period = 2 * Hour
    valid: Period = 24 * Hour
    deputies_after: Period = Hour // 2
    second_factor: bool = False


class StatementsConfig(Section):
    """``approval`` rules come before those that Fengbo brings; ``override`` are the roles that may override a finding;
    ``internal_names`` must not go out; ``hosts`` and ``hotlines`` may stand in texts; ``values`` fill placeholders such
    as ``hotline`` and ``website``; ``next_update`` is how far ahead a draft promises the next message."""

    approval: list[ApprovalConfig] = []
    override: list[Identifier] = ["legal", "pr_head"]
    internal_names: list[str] = []
    names: list[str] = []
    hosts: list[str] = []
    hotlines: list[str] = []
    values: dict[str, str] = {}
    next_update: Period = Hour
    platforms: dict[str, list[str]] = {}  # audience: platforms whose lengths count
    release: Literal["enforce", "warn"] = "enforce"

    def problems(self) -> list[tuple[tuple[str | int, ...], str, dict[str, Any]]]:
        """Names that point nowhere, for ``bot.config``."""
        found: list[tuple[tuple[str | int, ...], str, dict[str, Any]]] = []
        for index, rule in enumerate(self.approval):
            for place, audience in enumerate(rule.audiences):
                if audience not in AUDIENCES:
                    params = {"value": audience, "known": ", ".join(AUDIENCES)}
                    found.append((("statements", "approval", index, "audiences", place), "config.audience", params))
        return found
