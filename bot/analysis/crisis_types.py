"""Which kind of crisis a post speaks of, by weighted words, with the words that decided.

The words and what takes them back stand in ``crisis_terms.yaml``, where its rules are written at the top. A text costs
one pass of one automaton; only texts in which a word stands cost more.
"""

import functools
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import ahocorasick_rs

from bot import quick_yaml
from bot.analysis.keywords import kind_of_edge, stands_alone
from bot.analysis.text import fold_all
from bot.model.grade import CrisisType
from bot.model.post import TypeHit

THRESHOLD = 0.4
MAX_WORDS = 8
_WEIGHTS = {"strong": 0.8, "medium": 0.5, "weak": 0.25}
_MAX_HITS = 400  # a hostile text made of words only; what comes later would not change the answer
_UNLESS_REACH = 2  # characters between a word and the phrase that takes it back
_NEGATION_REACH = 1
_HEAVY, _WEAK, _FIRST, _SECOND = 1, 2, 4, 8
_PAIR = _FIRST | _SECOND
# What usually follows another crisis weighs less beside it, so that the post counts to the crisis itself.
FOLLOWERS = frozenset(
    {
        CrisisType.COMPLAINT_SURGE, CrisisType.RUMOUR, CrisisType.REGULATORY_ACTION, CrisisType.POLICY_TIGHTENING,
        CrisisType.KOL_INCIDENT,
    }
)  # fmt: skip
_FOLLOWER_FACTOR, _LEADER_WEIGHT = 0.75, 0.5


_ORDER = {type_: place for place, type_ in enumerate(CrisisType)}
_Count = Callable[[CrisisType, float, int, int, bool], None]


class TermsError(ValueError):
    """The terms file has a mistake; the message names the type and the entry."""


@dataclass(frozen=True, slots=True)
class _Hit:
    word: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Pair:
    type: CrisisType
    first: frozenset[int]
    second: frozenset[int]
    within: int
    weight: float


class Terms:
    """The compiled terms. ``data`` is the parsed YAML; raises ``TermsError`` where it is not what the file says."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._numbers: dict[str, int] = {}
        self._single: dict[int, list[tuple[CrisisType, float]]] = defaultdict(list)
        self._unless: dict[int, list[CrisisType]] = defaultdict(list)
        self._pairs: list[_Pair] = []
        self._negations = set(self._add(data.get("negations") or [], "negations"))
        for name, entry in (data.get("types") or {}).items():
            self._read_type(name, entry)
        self._pairs_of_first: dict[int, list[_Pair]] = defaultdict(list)
        self._seconds: set[int] = set()
        for pair in self._pairs:
            for number in pair.first:
                self._pairs_of_first[number].append(pair)
            self._seconds |= pair.second
        words = list(self._numbers)
        if not words:
            raise TermsError("types: no words")
        self._edges = [(kind_of_edge(word[0]), kind_of_edge(word[-1])) for word in words]
        self._bounded = [edges != (0, 0) for edges in self._edges]
        self._begins_negated = self._words_that_begin_negated(words)
        self._roles = [self._role(number) for number in range(len(words))]
        self._automaton = ahocorasick_rs.AhoCorasick(words, store_patterns=False)

    def classify(self, folded_texts: Sequence[str]) -> list[tuple[TypeHit, ...]]:
        """Per text the types found, heaviest first, at most ``MAX_WORDS`` deciding words each; none is other."""
        results: list[tuple[TypeHit, ...]] = [()] * len(folded_texts)
        # One search over the joined batch costs half of one search per text.
        raw = self._automaton.find_matches_as_indexes("\n".join(folded_texts), overlapping=True)
        number, begin, end = -1, 0, 0
        hits: list[tuple[int, int, int]] = []
        for hit in raw:
            if hit[1] > end or number < 0:
                if hits:
                    results[number] = self._decide_where_it_matters(folded_texts[number], hits)
                    hits = []
                while number < 0 or hit[1] > end:
                    number += 1
                    begin = end + 1 if number else 0
                    end = begin + len(folded_texts[number])
            hits.append((hit[0], hit[1] - begin, hit[2] - begin))
        if hits:
            results[number] = self._decide_where_it_matters(folded_texts[number], hits)
        return results

    def _decide_where_it_matters(self, text: str, hits: Sequence[tuple[int, int, int]]) -> tuple[TypeHit, ...]:
        # Most texts hold at most a negation, one weak word or half a pair.
        roles, weak = 0, 0
        for hit in hits:
            role = self._roles[hit[0]]
            roles |= role
            weak += bool(role & _WEAK)
        if roles & _HEAVY or weak > 1 or roles & _PAIR == _PAIR:
            return self._decide(text, hits)
        return ()

    def _decide(self, text: str, raw: Sequence[tuple[int, int, int]]) -> tuple[TypeHit, ...]:
        bounded, edges = self._bounded, self._edges
        hits = [
            _Hit(number, start, end)
            for number, start, end in raw[:_MAX_HITS]
            if not bounded[number] or stands_alone(text, start, end, edges[number])
        ]
        negated_at = {hit.end for hit in hits if hit.word in self._negations}
        taken_back = [(type_, hit) for hit in hits for type_ in self._unless.get(hit.word, ())]
        weights: dict[CrisisType, dict[str, float]] = defaultdict(dict)

        def count(type_: CrisisType, weight: float, start: int, end: int, begins_negated: bool) -> None:
            if any(
                back is type_ and hit.start - _UNLESS_REACH <= end and start <= hit.end + _UNLESS_REACH
                for back, hit in taken_back
            ):
                return
            if not begins_negated and any(start - reach in negated_at for reach in range(_NEGATION_REACH + 1)):
                return
            word = text[start:end]
            found = weights[type_]
            found[word] = max(found.get(word, 0.0), weight)

        for hit in hits:
            for type_, weight in self._single.get(hit.word, ()):
                count(type_, weight, hit.start, hit.end, hit.word in self._begins_negated)
        self._count_pairs(hits, negated_at, count)
        return _ranked(weights)

    def _count_pairs(self, hits: Sequence[_Hit], negated_at: set[int], count: _Count) -> None:
        seconds = [hit for hit in hits if hit.word in self._seconds]
        if not seconds:
            return
        for first in hits:
            for pair in self._pairs_of_first.get(first.word, ()):
                for second in seconds:
                    gap = max(second.start - first.end, first.start - second.end)
                    if 0 <= gap <= pair.within and second.word in pair.second:
                        if second.word not in self._begins_negated and second.start in negated_at:
                            continue
                        start, end = min(first.start, second.start), max(first.end, second.end)
                        count(pair.type, pair.weight, start, end, False)
                        break

    def _role(self, number: int) -> int:
        weights = [weight for _, weight in self._single.get(number, ())]
        role = _HEAVY if weights and max(weights) >= THRESHOLD else _WEAK if weights else 0
        role |= _FIRST if number in self._pairs_of_first else 0
        return role | (_SECOND if number in self._seconds else 0)

    def _read_type(self, name: str, entry: Any) -> None:
        try:
            type_ = CrisisType(name)
        except ValueError:
            raise TermsError(f"types: {name!r} is not a crisis type") from None
        if not isinstance(entry, Mapping):
            raise TermsError(f"types.{name}: must be a mapping")
        for level, weight in _WEIGHTS.items():
            for number in self._add(entry.get(level) or [], f"types.{name}.{level}"):
                self._single[number].append((type_, weight))
        for number in self._add(entry.get("unless") or [], f"types.{name}.unless"):
            self._unless[number].append(type_)
        for place, near in enumerate(entry.get("near") or []):
            where = f"types.{name}.near[{place}]"
            if not isinstance(near, Mapping) or not {"first", "second", "within", "weight"} <= set(near):
                raise TermsError(f"{where}: needs first, second, within and weight")
            first, second = self._add(near["first"], where), self._add(near["second"], where)
            pair = _Pair(type_, frozenset(first), frozenset(second), int(near["within"]), float(near["weight"]))
            self._pairs.append(pair)

    def _add(self, words: Any, where: str) -> list[int]:
        if not isinstance(words, list):
            raise TermsError(f"{where}: must be a list of words")
        folded = fold_all([str(word).strip() for word in words])
        if any(not word for word in folded):
            raise TermsError(f"{where}: has an empty word")
        return [self._numbers.setdefault(word, len(self._numbers)) for word in folded]

    def _words_that_begin_negated(self, words: Sequence[str]) -> set[int]:
        negations = tuple(words[number] for number in self._negations)
        return {number for number, word in enumerate(words) if word.startswith(negations)}


def _ranked(weights: Mapping[CrisisType, Mapping[str, float]]) -> tuple[TypeHit, ...]:
    totals = {type_: _total(found) for type_, found in weights.items()}
    totals = {type_: total for type_, total in totals.items() if total >= THRESHOLD}
    led = any(total >= _LEADER_WEIGHT for type_, total in totals.items() if type_ not in FOLLOWERS)
    hits = []
    for type_, total in totals.items():
        found = weights[type_]
        words = sorted(found, key=lambda word: (-found[word], word))[:MAX_WORDS]
        weight = total * _FOLLOWER_FACTOR if led and type_ in FOLLOWERS else total
        hits.append(TypeHit(type_, round(weight, 4), tuple(words)))
    return tuple(sorted(hits, key=lambda hit: (-hit.weight, _ORDER[hit.type])))


def _total(found: Mapping[str, float]) -> float:
    remains = 1.0
    for word, weight in found.items():
        # A word inside a longer one that counted says nothing new.
        if not any(word != other and word in other and found[other] >= weight for other in found):
            remains *= 1 - weight
    return 1 - remains


@functools.cache
def default_terms() -> Terms:
    """The terms that come with Fengbo."""
    text = resources.files("bot.analysis").joinpath("crisis_terms.yaml").read_text(encoding="utf-8")
    return Terms(quick_yaml.load(text))


def classify(folded_texts: Sequence[str]) -> list[tuple[TypeHit, ...]]:
    """``Terms.classify`` with the terms that come with Fengbo."""
    return default_terms().classify(folded_texts)
