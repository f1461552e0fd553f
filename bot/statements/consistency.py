"""May we say that? A question from customer service or the media, answered from text that is out or approved, with its
source, or not at all: then nothing is approved yet.

A sentence answers if it covers what the question speaks of and nothing in it stands against the question: no other
number, no other yes or no, not "some" for "all", not "will" for "has". Whoever is in doubt gets no answer.
"""

import math
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from bot import quick_yaml
from bot.model.statement import EarlierText
from bot.statements.review.numbers import Quantity, quantities
from bot.statements.review.text import Reading, fold

OUTWARD = ("affected_customers", "customers", "partners", "media", "kols", "public")
"""Audiences whose texts may be quoted to a customer or a journalist."""

MOST_STATEMENTS, MOST_SENTENCES, QUESTION_LIMIT = 200, 2_000, 500
_COVERED, _OPEN_COVERED = 0.56, 0.42
_BEFORE = 0.5  # the flask, in the sentence after the one that names it
_NEAR = 0.85  # of the best one: a second sentence that says as much
_STEM, _MEANING = 6, 1.6
_HAN_RUN = re.compile("[\u3400-\u9fff]+")
_LATIN = re.compile(r"[a-z][a-z']+|\d+(?:\.\d+)?")
_JOINING = frozenset("的了是在我你他她它们就都也还和与这那个一有说被把让给到要会能很吗呢啊吧啦请问您什么怎样如何多少几")


@dataclass(frozen=True, slots=True)
class Answer:
    """``sentences`` word for word from the text, ``score`` how much of the question they cover (0–1)."""

    statement: str
    audience: str
    sentences: tuple[str, ...]
    score: float
    published_at: int


@dataclass(frozen=True, slots=True)
class _Asked:
    text: str
    features: dict[str, float]
    quantities: tuple[Quantity, ...]
    wants: str  # a kind of quantity, cause, advice, phone; empty for yes or no


@dataclass(frozen=True, slots=True)
class _Said:
    source: EarlierText
    sentence: str
    folded: str
    features: frozenset[str]
    before: frozenset[str]


def answer(
    question: str,
    statements: Sequence[EarlierText],
    language: str,
    *,
    approved: Collection[str] = (),
    audiences: Collection[str] = OUTWARD,
) -> Answer | None:
    """The approved words that answer a question, or None. Only texts that are published, or named in ``approved``, for
    one of the ``audiences`` and in the question's language are read; of equal answers the latest counts."""
    words = _language(language)
    if words is None:
        return None
    said = list(_said(statements, language, approved, audiences))[:MOST_SENTENCES]
    rarity = _Rarity(said)
    asked = _asked(fold(question[:QUESTION_LIMIT]), words, language, rarity)
    if not asked.features:
        return None
    least = _OPEN_COVERED if asked.wants else _COVERED
    scored = [
        (score, item)
        for item in said
        if (score := rarity.covered(asked.features, item)) >= least and _agrees(asked, item, words)
    ]
    if not scored:
        return None
    best, chosen = max(scored, key=lambda pair: (round(pair[0], 2), pair[1].source.published_at))
    sentences = [
        item.sentence for score, item in scored if item.source is chosen.source and score >= _NEAR * best
    ]  # fmt: skip
    return Answer(
        chosen.source.statement, chosen.source.audience, tuple(dict.fromkeys(sentences))[:2], round(best, 3),
        chosen.source.published_at,
    )  # fmt: skip


def _said(
    statements: Sequence[EarlierText], language: str, approved: Collection[str], audiences: Collection[str]
) -> Iterator[_Said]:
    for source in statements[:MOST_STATEMENTS]:
        if source.language != language or source.audience not in audiences:
            continue
        if not source.published_at and source.statement not in approved:
            continue
        reading, before = Reading.of(source.body, language), frozenset[str]()
        for start, end in reading.sentences:
            if (start, end) in reading.questions:
                continue
            folded = reading.folded[start:end]
            features = frozenset(_features(folded))
            yield _Said(source, source.body[start:end], folded, features, before)
            before = features


class _Rarity:
    """How telling a feature is among the sentences that could answer."""

    def __init__(self, said: Sequence[_Said]) -> None:
        self._counts = Counter(feature for item in said for feature in item.features)
        self._all = len(said)

    def of(self, feature: str) -> float:
        weight = _MEANING if feature.startswith("=") else 1.0
        return weight * math.log(1 + (1 + self._all) / (1 + self._counts[feature]))

    def covered(self, asked: dict[str, float], item: _Said) -> float:
        """The share of what is asked that a sentence speaks of; the one before it says in part what it is about."""
        whole = sum(asked.values())
        if not any(feature in item.features for feature in asked if not feature.startswith("=")):
            return 0.0  # no word in common, a meaning at most
        found = sum(
            weight * (1.0 if feature in item.features else _BEFORE if feature in item.before else 0.0)
            for feature, weight in asked.items()
        )
        return found / whole if whole else 0.0


def _asked(question: str, words: "_Words", language: str, rarity: _Rarity) -> _Asked:
    wants = next((kind for kind, pattern in words.open.items() if pattern.search(question)), "")
    if words.asks_leave.search(question):
        wants = ""  # may we say WHEN it was is a leave for a sentence
    text = words.ending.sub("", words.frame.sub("", question, count=1))
    for pattern in words.open.values() if wants else ():
        text = pattern.sub(" ", text)
    features = {feature: rarity.of(feature) for feature in _features(text)}
    return _Asked(text, features, quantities(text, bare=True), wants)


def _agrees(asked: _Asked, item: _Said, words: "_Words") -> bool:
    """Whether nothing in a sentence stands against the question, and what the question wants is there."""
    found = quantities(item.folded)
    if any(not any(wanted.same(here) for here in found) for wanted in asked.quantities):
        return False
    if asked.wants:
        return _supplies(asked.wants, item, found, words)
    said = _clause(asked, item.folded)
    if words.negated(asked.text) != words.negated(said):
        return False
    if words.whole.search(asked.text) and (not words.whole.search(said) or words.part.search(said)):
        return False
    if words.done.search(asked.text) and not words.done.search(said) and words.coming.search(said):
        return False
    return not (words.hedge.search(said) and not words.hedge.search(asked.text))


def _supplies(wants: str, item: _Said, found: tuple[Quantity, ...], words: "_Words") -> bool:
    if wants in words.says:
        return words.says[wants].search(item.folded) is not None
    if wants == "time":
        return any(quantity.timely for quantity in found)
    kinds = ("people", "count") if wants == "people" else (wants,)
    return any(quantity.kind in kinds for quantity in found)


def _clause(asked: _Asked, sentence: str) -> str:
    """The clauses of a sentence that the question speaks of: a no further on is about something else."""
    clauses = [clause for clause in re.split(r"[，,；;:：]", sentence) if clause.strip()]
    shared = [(asked.features.keys() & set(_features(clause)), clause) for clause in clauses]
    best = max((found for found, _ in shared), key=len, default=set[str]())
    if not best:
        return sentence
    return "，".join(
        clause for found, clause in shared if found == best or (found - best and len(found) * 2 >= len(best))
    )


def _features(text: str) -> Iterator[str]:
    for run in _HAN_RUN.findall(text):
        for at in range(len(run) - 1):
            pair = run[at : at + 2]
            if pair[0] not in _JOINING and pair[1] not in _JOINING:
                yield pair
    for word in _LATIN.findall(text):
        if word not in _small() and not word.isdigit():
            yield "w" + word.removesuffix("'s")[:_STEM]
    for number, pattern in enumerate(_meanings()):
        if pattern.search(text):
            yield f"={number}"


@dataclass(frozen=True)
class _Words:
    """Compiled ``consistency.yaml`` of one language."""

    frame: re.Pattern[str]
    ending: re.Pattern[str]
    asks_leave: re.Pattern[str]
    negation: re.Pattern[str]
    neutral: re.Pattern[str]
    done: re.Pattern[str]
    coming: re.Pattern[str]
    whole: re.Pattern[str]
    part: re.Pattern[str]
    hedge: re.Pattern[str]
    open: dict[str, re.Pattern[str]]
    says: dict[str, re.Pattern[str]]

    def negated(self, text: str) -> bool:
        """Whether an odd number of negations stands in a text."""
        return len(self.negation.findall(self.neutral.sub(" ", text))) % 2 == 1


@cache
def _data() -> dict[str, Any]:
    text = resources.files(__package__).joinpath("consistency.yaml").read_text(encoding="utf-8")
    read: dict[str, Any] = quick_yaml.load(text)
    return read


@cache
def _small() -> frozenset[str]:
    return frozenset(_data()["small"].split())


@cache
def _language(language: str) -> _Words | None:
    given = _data().get(language)
    if given is None:
        return None

    def compiled(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: re.compile(pattern) for name, pattern in value.items()}
        return re.compile(value)

    return _Words(**{name: compiled(value) for name, value in given.items()})


@cache
def _meanings() -> tuple[re.Pattern[str], ...]:
    patterns = []
    for listed in _data()["meanings"]:
        written = [re.escape(word) if not word.isascii() else rf"\b{re.escape(word)}\b" for word in listed]
        patterns.append(re.compile("|".join(written)))
    return tuple(patterns)
