"""Who may be told what: the release rules of the plans at work, applied to the fact sheet. Pure.

A fact may be told to an audience when a person has confirmed it and every plan that speaks of that audience releases it
at the grade of the incident. With several plans the strictest counts. An audience without rules of its own is told what
the wider one is told; the core team knows all that is confirmed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from bot.model.grade import Grade
from bot.model.text import Text
from bot.response.facts import Line
from bot.response.parts import Release
from bot.response.schema import Playbook
from bot.response.steps import Audience
from bot.response.values import Words
from bot.response.vocabulary import fact_ids

AUDIENCES: tuple[str, ...] = get_args(Audience)
CORE_TEAM = "core_team"
WIDER: Mapping[str, tuple[str, ...]] = {"affected_customers": ("customers", "public"), CORE_TEAM: (), "public": ()}
_WIDER_OF_THE_REST = ("public",)


@dataclass(frozen=True, slots=True)
class Ruling:
    """One fact. ``reason`` says why it may not be told, None where it may; ``approve`` names roles that release it."""

    line: Line
    reason: Text | None = None
    approve: tuple[str, ...] = ()
    notes: tuple[Words, ...] = ()


@dataclass(frozen=True, slots=True)
class Tellable:
    """The fact sheet as one audience may know it."""

    audience: str
    grade: Grade
    rulings: tuple[Ruling, ...]

    @property
    def told(self) -> tuple[Ruling, ...]:
        return tuple(ruling for ruling in self.rulings if ruling.reason is None)

    @property
    def withheld(self) -> tuple[Ruling, ...]:
        return tuple(ruling for ruling in self.rulings if ruling.reason is not None)

    @property
    def names(self) -> frozenset[str]:
        """The facts that may be told."""
        return frozenset(ruling.line.name for ruling in self.told)

    @property
    def approve(self) -> tuple[str, ...]:
        """The roles that release what may be told, each once."""
        return tuple(dict.fromkeys(role for ruling in self.told for role in ruling.approve))

    @property
    def notes(self) -> tuple[Words, ...]:
        """What the plans remark on telling this audience, each once."""
        return tuple(dict.fromkeys(note for ruling in self.told for note in ruling.notes))

    def values(self, language: str) -> dict[str, str | Text]:
        """What a text for this audience may be filled with: fact → value. Anything else has to stay a gap."""
        return {ruling.line.name: ruling.line.value(language) for ruling in self.told}

    def reason(self, fact: str) -> Text | None:
        """Why a fact may not be told; None where it may. A fact that nobody knows of may not."""
        for ruling in self.rulings:
            if ruling.line.name == fact:
                return ruling.reason
        return Text("release.unknown")


def tellable(audience: str, grade: Grade, facts: Iterable[Line], playbooks: Sequence[Playbook]) -> Tellable:
    """What of the fact sheet may be told to an audience at a grade, what not, and why.

    Args:
        facts: the lines of ``bot.response.facts.sheet``.
        playbooks: the plans at work in the incident; without any, nothing leaves the core team.
    """
    return Tellable(audience, grade, tuple(_ruling(line, audience, grade, playbooks) for line in facts))


def _ruling(line: Line, audience: str, grade: Grade, playbooks: Sequence[Playbook]) -> Ruling:
    if line.row is None or not line.row.value:
        return Ruling(line, Text("release.unknown"))
    if not line.row.confirmed:
        return Ruling(line, Text("release.unconfirmed", {"name": line.name}))
    opinions = [
        _opinion(line.name, rules, grade)
        for playbook in playbooks
        if line.name in fact_ids(playbook) and (rules := rules_for(playbook, audience))
    ]
    refusals = [opinion for opinion in opinions if isinstance(opinion, _Refused)]
    if refusals:
        return Ruling(line, _refusal(refusals, audience))
    if opinions:
        granted = [rule for opinion in opinions if isinstance(opinion, tuple) for rule in opinion]
        approve = tuple(dict.fromkeys(role for rule in granted for role in rule.approve))
        notes = tuple(dict.fromkeys(rule.note for rule in granted if rule.note))
        return Ruling(line, None, approve, notes)
    if audience == CORE_TEAM:
        return Ruling(line)
    key = "release.no_rule" if playbooks else "release.no_plan"
    return Ruling(line, Text(key, {"audience": audience_text(audience)}))


def rules_for(playbook: Playbook, audience: str) -> tuple[Release, ...]:
    """The rules a plan has for an audience, else those for the next wider one that it speaks of."""
    for name in (audience, *WIDER.get(audience, _WIDER_OF_THE_REST)):
        found = tuple(rule for rule in playbook.release if rule.audience == name)
        if found:
            return found
    return ()


def audience_text(audience: str) -> Text:
    return Text(f"audience.{audience}")


@dataclass(frozen=True, slots=True)
class _Refused:
    """``start``: the grade from which it may be told; none where this audience is never told."""

    start: Grade | None


def _opinion(fact: str, rules: Sequence[Release], grade: Grade) -> tuple[Release, ...] | _Refused:
    naming = [rule for rule in rules if fact in rule.facts]
    granted = tuple(rule for rule in naming if grade >= rule.from_grade)
    if granted:
        return granted
    return _Refused(min((rule.from_grade for rule in naming), default=None))


def _refusal(refusals: Sequence[_Refused], audience: str) -> Text:
    starts = [refusal.start for refusal in refusals if refusal.start is not None]
    if len(starts) < len(refusals):
        return Text("release.not_listed", {"audience": audience_text(audience)})
    return Text("release.from_grade", {"grade": Text(f"grade.{max(starts).word}")})
