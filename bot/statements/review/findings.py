"""From what a rule hit to findings: graded for the audience, explained, in order, and never more than people read."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.model.statement import Finding, ReviewContext, Severity
from bot.model.text import Text
from bot.statements.review.rules import Rule, Rules
from bot.statements.review.text import Reading

MOST = 25
"""Findings of one rule that are shown; where there are more, the last one says how many."""
SHOWN = 80  # characters of the words that a finding repeats
_ORDER = {Severity.BLOCK: 0, Severity.WARN: 1, Severity.NOTE: 2}


@dataclass(frozen=True, slots=True)
class Hit:
    """A place that a rule means. ``params`` fill its sentences; ``because`` names another wording of them."""

    rule: str
    start: int
    end: int
    params: Mapping[str, Any] = field(default_factory=dict)
    because: str = ""


class Collected:
    """Gathers hits of one review."""

    def __init__(self, rules: Rules, reading: Reading, context: ReviewContext) -> None:
        self._rules, self._reading, self._context = rules, reading, context
        self._hits: dict[str, list[Hit]] = defaultdict(list)
        self._seen: dict[str, set[int]] = defaultdict(set)
        self._beyond: dict[str, int] = defaultdict(int)

    def add(self, hit: Hit) -> None:
        found, seen = self._hits[hit.rule], self._seen[hit.rule]
        if hit.start in seen or any(hit.start < other.end and other.start < hit.end for other in found):
            return
        seen.add(hit.start)
        if len(found) < MOST:
            found.append(hit)
        else:
            self._beyond[hit.rule] += 1

    def findings(self) -> tuple[Finding, ...]:
        found = []
        for name, hits in self._hits.items():
            rule = self._rules.by_id[name]
            severity = rule.severity(self._context)
            if severity is None:
                continue
            found += [self._finding(rule, severity, hit) for hit in hits]
            if beyond := self._beyond[name]:
                found.append(self._more(name, hits[-1], beyond))
        return tuple(sorted(found, key=lambda item: (item.start, item.end, _ORDER[item.severity], item.rule)))

    def _finding(self, rule: Rule, severity: Severity, hit: Hit) -> Finding:
        words = printable(self._reading.text[hit.start : hit.end])
        short = words if len(words) <= SHOWN else f"{words[: SHOWN - 1]}…"
        key = f"review.{rule.id}{'_' + hit.because if hit.because else ''}"
        params = {"words": short, **hit.params}
        return Finding(
            rule.id, severity, hit.start, hit.end, words, Text(f"{key}.why", params), Text(f"{key}.mend", params),
            rule.overridable,
        )  # fmt: skip

    def _more(self, rule: str, last: Hit, count: int) -> Finding:
        why = Text("review.more.why", {"count": count, "most": MOST})
        return Finding(f"{rule}_more", Severity.NOTE, last.end, last.end, "", why, Text("review.more.mend"))


def printable(words: str) -> str:
    """Words that can be stored and shown: a lone surrogate cannot be encoded."""
    return words.encode("utf-8", "replace").decode("utf-8") if not words.isprintable() else words
