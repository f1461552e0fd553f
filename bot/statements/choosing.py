"""Which template is right for an audience at this moment, and why. Pure.

How much is known decides first (a first hour without facts is no time for an explanation), then the kind of crisis,
then the order of strategies in the plan at work (Coombs, situational crisis communication theory: the answer follows
how much the public holds us responsible). What a plan says to avoid is never offered.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from bot.model.grade import Grade
from bot.model.text import Text
from bot.response.parts import Template
from bot.response.vocabulary import TEXT_FIELDS

# Ways to say that it was not so, or not us: never before a person has confirmed that the claim is false.
DENYING = frozenset({"denial", "attack_accuser", "scapegoat", "victimage"})
_KIND, _OWN, _EXACT = 40, 15, 80
_STRATEGIES = 10  # the first of the plan's strategies; two less for each that follows
_GAP, _GAPS_AT_MOST = 3, 15
_CLOSED, _CLOSED_AT_MOST = 25, 50


class Phase(StrEnum):
    """``unknown``: no fact is confirmed; ``known``: some are; ``update``: this audience has heard from us before;
    ``calm``: people watch over the end of it."""

    UNKNOWN = "unknown"
    KNOWN = "known"
    UPDATE = "update"
    CALM = "calm"


# variant → how well it fits each phase; what is not named fits it not at all.
_MOMENTS: dict[str, dict[Phase, int]] = {
    "holding": {Phase.UNKNOWN: _EXACT},
    "first": {Phase.UNKNOWN: 10, Phase.KNOWN: _EXACT, Phase.UPDATE: 30},
    "update": {Phase.KNOWN: 20, Phase.UPDATE: _EXACT, Phase.CALM: 20},
    "recovery": {Phase.UPDATE: 10, Phase.CALM: _EXACT},
    "final": {Phase.UPDATE: 10, Phase.CALM: _EXACT - 5},
    "apology": {Phase.KNOWN: 30, Phase.UPDATE: 50, Phase.CALM: 40},
    "rumour": {Phase.KNOWN: _EXACT + 10, Phase.UPDATE: _EXACT + 10, Phase.CALM: 20},
    "regulator": {Phase.UNKNOWN: 60, Phase.KNOWN: _EXACT, Phase.UPDATE: 40, Phase.CALM: 20},
    "qa": {Phase.UNKNOWN: 20, Phase.KNOWN: _EXACT, Phase.UPDATE: 70, Phase.CALM: 40},
    "correction": {},
    "": {Phase.UNKNOWN: 20, Phase.KNOWN: 60, Phase.UPDATE: 60, Phase.CALM: 40},
}
# How the templates of plans are called that name no variant.
_NAMED = (
    ("holding", "holding"), ("apology", "apology"), ("authority_report", "regulator"), ("first", "first"),
    ("progress", "update"), ("update", "update"), ("restored", "recovery"), ("recovery", "recovery"),
    ("result", "final"), ("cause", "final"), ("review", "final"), ("full_", "final"), ("follow_up", "final"),
    ("compensation", "final"), ("findings", "final"), ("correction", "correction"), ("clarification", "rumour"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Candidate:
    """A template with its name; ``own`` where it belongs to a plan at work."""

    name: str
    template: Template
    own: bool = False


@dataclass(frozen=True, slots=True)
class Situation:
    """What the choice rests on.

    ``strategies`` of the plan at work in its order, and those to ``avoid``; ``told`` the facts that can be filled in
    for this audience now; ``closed`` those that it may not be told at this grade even once they are confirmed;
    ``denial_verified`` whether a person has confirmed that a claim is false.
    """

    crisis_type: str
    audience: str
    grade: Grade = Grade.NONE
    cluster: str = ""
    strategies: tuple[str, ...] = ()
    avoid: frozenset[str] = frozenset()
    phase: Phase = Phase.UNKNOWN
    language: str = "zh-CN"
    told: frozenset[str] = frozenset()
    closed: frozenset[str] = frozenset()
    denial_verified: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    name: str
    template: Template
    points: int
    reasons: tuple[Text, ...]


def choose(candidates: Iterable[Candidate], situation: Situation) -> tuple[Choice, ...]:
    """Those that may be used here, best first; of one name only the first counts, as it does when it is asked for."""
    by_name: dict[str, Candidate] = {}
    for candidate in candidates:
        by_name.setdefault(candidate.name, candidate)
    found = [choice for item in by_name.values() if (choice := _judged(item, situation)) is not None]
    return tuple(sorted(found, key=lambda choice: (-choice.points, choice.name)))


def variant_of(name: str, template: Template) -> str:
    """The moment a template is for: as it says itself, else as its name tells."""
    return template.variant or next((variant for part, variant in _NAMED if part in name), "")


def _judged(candidate: Candidate, situation: Situation) -> Choice | None:
    template = candidate.template
    variant = variant_of(candidate.name, template)
    if not _possible(template, variant, situation):
        return None
    moment = _MOMENTS[variant].get(situation.phase, 0)
    points, reasons = moment, [_moment_reason(moment, situation.phase)]
    if situation.crisis_type in template.crisis_types or (candidate.own and not template.crisis_types):
        points += _KIND
        reasons.append(Text("choose.kind"))
    else:
        reasons.append(Text("choose.general"))
    if candidate.own:
        points += _OWN
        reasons.append(Text("choose.own"))
    if template.strategy in situation.strategies:
        place = situation.strategies.index(template.strategy)
        points += max(0, _STRATEGIES - 2 * place)
        reasons.append(Text("choose.strategy", {"strategy": Text(f"strategy.{template.strategy}"), "n": place + 1}))
    lost, why = _gaps(template, situation)
    return Choice(candidate.name, template, points - lost, (*reasons, *why))


def _possible(template: Template, variant: str, situation: Situation) -> bool:
    """What stands against a template whatever speaks for it."""
    if template.audience != situation.audience or situation.language in template.body.missing():
        return False
    if template.crisis_types and situation.crisis_type not in template.crisis_types:
        return False
    if template.grades is not None and template.grades.start > situation.grade:
        return False
    if template.strategy in situation.avoid:
        return False
    denies = template.strategy in DENYING or variant == "rumour"
    return not denies or (situation.denial_verified and situation.cluster != "preventable")


def _moment_reason(moment: int, phase: Phase) -> Text:
    key = f"choose.phase_{phase.value}" if moment >= _EXACT - 20 else "choose.other_moment"
    return Text(key)


def _gaps(template: Template, situation: Situation) -> tuple[int, list[Text]]:
    """What is lost for facts that are still open, and for those this audience may not be told."""
    wanted = facts_in(template)
    closed = sorted(wanted & situation.closed)
    missing = sorted(wanted - situation.told - situation.closed)
    reasons = []
    if missing:
        reasons.append(Text("choose.open_facts", {"n": len(missing)}))
    elif not closed:
        reasons.append(Text("choose.no_gap"))
    if closed:
        reasons.append(Text("choose.closed_facts", {"n": len(closed)}))
    lost = min(_GAP * len(missing), _GAPS_AT_MOST) + min(_CLOSED * len(closed), _CLOSED_AT_MOST)
    return lost, reasons


def facts_in(template: Template) -> set[str]:
    """The facts a text asks for. Whatever the program fills in by itself is none."""
    return (template.title.placeholders() | template.body.placeholders()) - set(TEXT_FIELDS)
