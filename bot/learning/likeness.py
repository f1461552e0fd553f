"""How alike a new incident is to a case, with the reasons in words. Pure.

Kind of crisis, the words people use, whom it is about and how it spreads each give points; the sum (0–1) ranks. Words
count by how rare they are among the cases, as a share of the case's own words, within the script the incident is
written in; groups of words that mean the same count in both.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bot.incidents.words import platform
from bot.learning.case import Case
from bot.learning.terms import MEANING, senses, terms
from bot.model.grade import FAMILY_OF_TYPE, GENERAL_FAMILY, CrisisType, Grade
from bot.model.text import Text
from bot.response.match import industry_text, kind_text
from bot.response.similarity import folded
from bot.response.values import Words

SAME_KIND, FURTHER_KIND, SAME_FAMILY = 0.4, 0.25, 0.2
WORDS, WORDS_FULL = 0.4, 0.3  # points for words; the share of a case's words that gives all of them
SAME_SUBJECT, SAME_INDUSTRY, SAME_SPREAD = 0.08, 0.06, 0.06
LEAST = 0.3
MOST_TEXT = 2_000
WORDS_SHOWN = 4
GROWN = 1.1
FEW = 3.0  # added to a case's weight: two words in common with a case of three say little


NOTHING = Case(
    id="-", kind="hand", title=Words(), happened=Words(), crisis_types=("other",), grade=Grade.BLUE, year=2000
)  # stands for a row that was dropped


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


def terms_of(case: Case) -> frozenset[str]:
    """The words and groups of meaning a case is compared by; a stored case brings them along."""
    if case.terms:
        return frozenset(case.terms)
    text = folded("\n".join([case.title.zh, case.title.en, *case.words]))
    # What a record says of itself in figures is no word of the matter, and the words of a report are not the public's.
    story = "" if case.incident else folded("\n".join([case.happened.zh, case.happened.en]))
    return frozenset({word.lower() for word in case.words} | terms(text) | senses(text) | senses(story))


@dataclass(slots=True)
class _Entry:
    """``weights``: of its Chinese words and of its Latin ones, each with its groups of meaning."""

    case: Case
    terms: frozenset[str]
    frame: tuple[object, ...]
    weights: tuple[float, float] = (0.0, 0.0)


class CaseIndex:
    """Cases by their words. A case that changed is put in again; how rare words are is counted anew whenever the
    index has grown by a tenth, so that one more case costs no more than itself."""

    def __init__(self, cases: Iterable[Case] = ()) -> None:
        self._rows: list[_Entry | None] = []
        self._row_of: dict[str, int] = {}
        self._holding: dict[str, set[int]] = defaultdict(set)
        self._rare: dict[str, float] = {}
        self._counted = 0
        self._table: _Table | None = None
        for case in cases:
            self._place(case)
        self._count()

    def put(self, case: Case) -> None:
        self.drop(case.id)
        entry = self._place(case)
        if len(self._row_of) > GROWN * self._counted:
            self._count()
        else:
            entry.weights = self._weights(entry)

    def drop(self, case_id: str) -> None:
        row = self._row_of.pop(case_id, None)
        entry = self._rows[row] if row is not None else None
        if entry is None or row is None:
            return
        self._rows[row] = self._table = None
        for term in entry.terms:
            self._holding[term].discard(row)
            if not self._holding[term]:
                del self._holding[term]

    def __len__(self) -> int:
        return len(self._row_of)

    def rank(
        self, situation: Situation, limit: int = 3, *, drills: bool = False, without: str = "", least: float = LEAST
    ) -> list[Similar]:
        """The cases most alike, best first. ``drills``: look at drills alone, else never at them; ``without``: the
        incident itself."""
        table = self._table = self._table or _Table(self._rows)
        text = folded("\n".join(dict.fromkeys(situation.texts))[:MOST_TEXT])
        common = [term for term in terms(text) | senses(text) if term in self._holding]
        together = np.zeros((2, len(self._rows)))
        for term in common:
            rows = table.rows_of(term, self._holding[term])
            for script in _scripts(term):
                together[script, rows] += self._rarity(term)
        around = [sum(value for value, _ in _around(case, situation)) for case in table.samples] or [0.0]
        share = (together / (table.weights + FEW)).max(axis=0)
        scores = np.asarray(around)[table.frames] + WORDS * np.minimum(1.0, share / WORDS_FULL)
        fit = (scores >= least) & (table.drills if drills else table.real)
        found = []
        for row in np.flatnonzero(fit)[np.argsort(-scores[fit], kind="stable")]:
            entry = self._rows[row]
            if entry is not None and not (without and entry.case.incident == without):
                found.append(self._explained(int(row), min(1.0, float(scores[row])), situation, common))
                if len(found) == limit:
                    break
        return found

    def _place(self, case: Case) -> _Entry:
        entry = _Entry(case, terms_of(case), _frame_of(case))
        row = self._row_of[case.id] = len(self._rows)
        self._rows.append(entry)
        for term in entry.terms:
            self._holding[term].add(row)
        self._table = None
        return entry

    def _explained(self, row: int, score: float, situation: Situation, common: Sequence[str]) -> Similar:
        entry = self._rows[row]
        assert entry is not None, "a row that was found stands"
        case = entry.case
        points = _around(case, situation)
        together = sorted(
            (term for term in common if row in self._holding[term]), key=lambda term: (-self._rarity(term), term)
        )
        shown = tuple(term for term in together if not term.startswith(MEANING))[:WORDS_SHOWN]
        if together:
            reason = Text("case.same_words", {"words": list(shown)}) if shown else Text("case.same_sense")
            points.append((score - sum(value for value, _ in points), reason))
        points.sort(key=lambda item: -item[0])
        return Similar(case, round(score, 3), tuple(reason for _, reason in points), shown)

    def _count(self) -> None:
        self._counted = len(self._row_of)
        self._table = None
        self._rare = {
            term: math.log((1 + self._counted) / (1 + len(holding))) + 0.1 for term, holding in self._holding.items()
        }
        for entry in filter(None, self._rows):
            entry.weights = self._weights(entry)

    def _weights(self, entry: _Entry) -> tuple[float, float]:
        sums = [0.0, 0.0]
        for term in entry.terms:
            for script in _scripts(term):
                sums[script] += self._rarity(term)
        return sums[0], sums[1]

    def _rarity(self, term: str) -> float:
        """A word that came after the counting is taken for rare."""
        return self._rare.get(term) or math.log((1 + self._counted) / 2) + 0.1


class _Table:
    """The rows as columns of numbers, made once per state of the index."""

    def __init__(self, rows: Sequence[_Entry | None]) -> None:
        numbers: dict[tuple[object, ...], int] = {}
        self.samples: list[Case] = []
        frames = []
        for entry in rows:
            frame = entry.frame if entry else ()
            if frame not in numbers:
                numbers[frame] = len(numbers)
                self.samples.append(entry.case if entry else NOTHING)
            frames.append(numbers[frame])
        self.frames = np.asarray(frames, dtype=np.int64)
        self.weights = np.asarray([entry.weights if entry else (0.0, 0.0) for entry in rows]).reshape(-1, 2).T
        self.real = np.asarray([entry is not None and entry.case.real for entry in rows], dtype=bool)
        self.drills = np.asarray([entry is not None and not entry.case.real for entry in rows], dtype=bool)
        self._known: dict[str, npt.NDArray[np.int64]] = {}

    def rows_of(self, term: str, holding: set[int]) -> npt.NDArray[np.int64]:
        found = self._known.get(term)
        if found is None:
            found = self._known[term] = np.fromiter(holding, dtype=np.int64, count=len(holding))
        return found


def _scripts(term: str) -> tuple[int, ...]:
    """0 Chinese, 1 Latin; a group of meaning counts in both."""
    return (0, 1) if term.startswith(MEANING) else (1,) if term.isascii() else (0,)


def _frame_of(case: Case) -> tuple[object, ...]:
    """All of a case that ``_around`` looks at: equal ones get equal points."""
    return case.crisis_types, case.family, case.industries, case.subject, case.platforms, case.grade


def _around(case: Case, situation: Situation) -> list[tuple[float, Text]]:
    """The points for everything but words, each with its reason."""
    points: list[tuple[float, Text]] = []
    _kind(case, situation, points)
    _frame(case, situation, points)
    return points


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
