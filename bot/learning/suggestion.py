"""One thing the record suggests to change in the library: what, why with its counts, and the change itself as data."""

import math
from typing import Annotated, Any, Literal

from pydantic import Field

from bot.model.text import Text
from bot.response.values import Part, Words

# One-sided 95 %: how large the share is at least, from so many of so many (Wilson 1927, with continuity left out).
Z = 1.645
LEAST_RUNS, LEAST_DRILLS = 5, 8
LEAST_SHARE = 0.6


def at_least(part: int, whole: int) -> float:
    """The lower bound of a share: Wilson's score interval, one-sided 95 %. 5 of 5 give 0.65, 9 of 10 give 0.65."""
    if not whole:
        return 0.0
    share = part / whole
    middle = share + Z * Z / (2 * whole)
    spread = Z * math.sqrt(share * (1 - share) / whole + Z * Z / (4 * whole * whole))
    return max(0.0, (middle - spread) / (1 + Z * Z / whole))


class DropStep(Part):
    kind: Literal["drop_step"] = "drop_step"
    step: str


class SetValues(Part):
    """``(step, name, value)`` each; an empty step means a path of the playbook itself."""

    kind: Literal["set_values"] = "set_values"
    values: tuple[tuple[str, str, str], ...]


class AddStep(Part):
    kind: Literal["add_step"] = "add_step"
    id: str
    title: Words
    role: str
    due: str


class AddWords(Part):
    kind: Literal["add_words"] = "add_words"
    words: tuple[str, ...]


class RuleWords(Part):
    """Words for a subject's keyword rule, which is changed by its own trial and approval."""

    kind: Literal["rule_words"] = "rule_words"
    subject: str
    words: tuple[str, ...]


class Rephrase(Part):
    kind: Literal["rephrase"] = "rephrase"
    old: str
    new: str


class NewStep(Part):
    title: str
    due: str


class NewPlan(Part):
    """A playbook that nobody has written yet: what such incidents were, in which words, and what people did."""

    kind: Literal["new_plan"] = "new_plan"
    id: str
    title: Words
    crisis_type: str
    industry: str
    grade: str
    words: tuple[str, ...]
    examples: tuple[str, ...] = ()
    steps: tuple[NewStep, ...] = ()


Change = Annotated[
    DropStep | SetValues | AddStep | AddWords | RuleWords | Rephrase | NewPlan, Field(discriminator="kind")
]


class Suggestion(Part):
    """``key`` names it over the weeks; ``said`` and ``params`` are the reason (a catalogue key with plain values);
    ``evidence`` are ids of what speaks for it; ``drills`` where only drills do."""

    key: str
    kind: str
    playbook: str = ""
    said: str
    params: dict[str, Any]
    evidence: tuple[str, ...]
    weight: int
    drills: bool = False
    change: Change

    def reason(self, language: str) -> Text:
        """Why, with names in the reader's language."""
        return Text(self.said, {name: _shown(name, value, language) for name, value in self.params.items()})


def _shown(name: str, value: Any, language: str) -> Any:
    if isinstance(value, dict):
        return Words.model_validate(value).in_language(language)
    if name in ("grade", "now_grade"):
        return Text(f"grade.{value}")
    if name == "kind":
        return Text(f"type.{value}")
    return value
