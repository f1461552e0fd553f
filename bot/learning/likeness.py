"""How alike a new incident is to a case, with the reasons in words. Pure.

Kind of crisis, the words people use, whom it is about and how it spreads each give points; the sum (0–1) ranks. Words
count by how rare they are among the cases, as a share of the case's own words, within the script the incident is
written in; groups of words that mean the same count in both.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bot.incidents.words import platform
from bot.learning.case import Case
from bot.learning.terms import MEANING, senses, terms
from bot.model.grade import FAMILY_OF_TYPE, GENERAL_FAMILY, CrisisType, Grade
from bot.model.text import Text
from bot.response.match import industry_text, kind_text
from bot.response.similarity import folded

SAME_KIND, FURTHER_KIND, SAME_FAMILY = 0.4, 0.25, 0.2
WORDS, WORDS_FULL = 0.4, 0.3  # points for words; the share of a case's words that gives all of them
SAME_SUBJECT, SAME_INDUSTRY, SAME_SPREAD = 0.08, 0.06, 0.06
LEAST = 0.3
MOST_TEXT = 2_000
WORDS_SHOWN = 4
FEW = 3.0  # added to a case's weight: two words in common with a case of three say little


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known of the new incident. ``texts`` are posts behind its signals."""

    crisis_type: str
    family: str = ""
    industry: str = "general"
    subject: str = ""
    grade: Grade = Grade.BLUE
    platforms: Sequence[str] = ()
    texts: Sequence[str] = ()
    kinds: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Similar:
    """``score`` 0–1; ``reasons`` the weightiest first; ``words`` those it shares with the incident."""

    case: Case
    score: float
    reasons: tuple[Text, ...]
    words: tuple[str, ...] = ()


@dataclass(slots=True)
class _Entry:
    case: Case
    terms: dict[str, frozenset[str]]  # by script: latin, chinese, meaning


@dataclass(slots=True)
class CaseIndex:
    """Cases by their words. A case that changed is put in again; nothing else is counted anew."""

    _entries: dict[str, _Entry] = field(default_factory=dict)
    _holding: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def put(self, case: Case) -> None:
        self.drop(case.id)
        parts = [case.title.zh, case.title.en, *case.words]
        if not case.incident:  # what a record says of itself in figures is no word of the matter
            parts += [case.happened.zh, case.happened.en]
        text = folded("\n".join(parts))
        found = {word.lower() for word in case.words} | terms(text) | senses(text)
        entry = _Entry(case, {script: frozenset(filter(None, found & _of(found, script))) for script in _SCRIPTS})
        self._entries[case.id] = entry
        for term in found:
            self._holding[term].add(case.id)

    def drop(self, case_id: str) -> None:
        entry = self._entries.pop(case_id, None)
        for term in frozenset().union(*entry.terms.values()) if entry else ():
            self._holding[term].discard(case_id)
            if not self._holding[term]:
                del self._holding[term]

    def __len__(self) -> int:
        return len(self._entries)

    def cases(self) -> list[Case]:
        return [entry.case for entry in self._entries.values()]

    def rank(
        self, situation: Situation, limit: int = 3, *, drills: bool = False, without: str = "", least: float = LEAST
    ) -> list[Similar]:
        """The cases most alike, best first. ``drills``: look at drills alone, else never at them; ``without``: the
        incident itself."""
        text = folded("\n".join(situation.texts)[:MOST_TEXT])
        said = terms(text) | senses(text)
        shared: dict[str, list[str]] = defaultdict(list)
        for term in said:
            for case_id in self._holding.get(term, ()):
                shared[case_id].append(term)
        found = []
        for case_id, entry in self._entries.items():
            case = entry.case
            if case.real is drills or (without and case.incident == without):
                continue
            similar = self._one(entry, situation, shared.get(case_id, ()))
            if similar.score >= least:
                found.append(similar)
        return sorted(found, key=lambda item: (-item.score, -item.case.opened_at, item.case.id))[:limit]

    def _one(self, entry: _Entry, situation: Situation, shared: Iterable[str]) -> Similar:
        case = entry.case
        points: list[tuple[float, Text]] = []
        _kind(case, situation, points)
        together = sorted(shared, key=lambda term: (-self._rarity(term), term))
        share = self._share(entry, together)
        shown = tuple(term for term in together if not term.startswith(MEANING))[:WORDS_SHOWN]
        if share:
            reason = Text("case.same_words", {"words": list(shown)}) if shown else Text("case.same_sense")
            points.append((WORDS * min(1.0, share / WORDS_FULL), reason))
        _frame(case, situation, points)
        points.sort(key=lambda item: -item[0])
        score = min(1.0, sum(value for value, _ in points))
        return Similar(case, round(score, 3), tuple(reason for _, reason in points), shown)

    def _share(self, entry: _Entry, together: Sequence[str]) -> float:
        """The weight of the common words among the case's own, in the script where it is larger."""
        if not together:
            return 0.0
        common = set(together)
        best = 0.0
        for script in ("chinese", "latin"):
            own = entry.terms[script] | entry.terms["meaning"]
            weight = sum(map(self._rarity, own & common))
            best = max(best, weight / (sum(map(self._rarity, own)) + FEW)) if weight else best
        return best

    def _rarity(self, term: str) -> float:
        return math.log((1 + len(self._entries)) / (1 + len(self._holding.get(term, ())))) + 0.1


_SCRIPTS = ("chinese", "latin", "meaning")


def _of(found: set[str], script: str) -> set[str]:
    if script == "meaning":
        return {term for term in found if term.startswith(MEANING)}
    rest = {term for term in found if not term.startswith(MEANING)}
    return {term for term in rest if term.isascii() == (script == "latin")}


def _kind(case: Case, situation: Situation, points: list[tuple[float, Text]]) -> None:
    """The kind of crisis: the same first one, one of several, or one of its family."""
    wanted = {situation.crisis_type, *situation.kinds}
    if case.crisis_types[0] == situation.crisis_type:
        points.append((SAME_KIND, Text("case.same_kind", {"kind": kind_text(situation.crisis_type)})))
    elif common := [kind for kind in case.crisis_types if kind in wanted]:
        points.append((FURTHER_KIND, Text("case.also_kind", {"kind": kind_text(common[0])})))
    elif situation.family not in ("", GENERAL_FAMILY) and situation.family in _families(case):
        points.append((SAME_FAMILY, Text("case.near_kind", {"kind": kind_text(case.crisis_types[0])})))


def _families(case: Case) -> set[str]:
    known = {kind.value for kind in CrisisType}
    return {case.family} | {FAMILY_OF_TYPE[CrisisType(kind)] for kind in case.crisis_types if kind in known}


def _frame(case: Case, situation: Situation, points: list[tuple[float, Text]]) -> None:
    if case.subject and case.subject == situation.subject:
        points.append((SAME_SUBJECT, Text("case.same_subject")))
    if situation.industry != "general" and situation.industry in case.industries:
        points.append((SAME_INDUSTRY, Text("case.same_industry", {"industry": industry_text(situation.industry)})))
    common = [name for name in situation.platforms if name in case.platforms]
    if common and abs(case.grade - situation.grade) <= 1:
        points.append((SAME_SPREAD, Text("case.same_spread", {
            "platforms": [platform(name) for name in common[:3]], "grade": Text(f"grade.{case.grade.word}"),
        })))  # fmt: skip
