"""Contradictions: with what was published, with what another audience is told, and of a text with itself.

Three ways: topics that are so or are not (``topics.yaml``), whatever the language; the same thing counted, paid or
timed otherwise; and a sentence that an earlier one denies word by word.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from bot.model.statement import EarlierText
from bot.model.text import Text
from bot.statements.review.findings import Hit
from bot.statements.review.numbers import Quantity, quantities
from bot.statements.review.reviewing import Reviewing
from bot.statements.review.rules import Rules, Topic
from bot.statements.review.text import Reading, Span, inside
from bot.statements.review.words import matches

MOST_EARLIER = 40
_MOST_QUANTITIES = 60
_MOST_SENTENCES = 60
_AROUND = 300  # characters of the words around a number
_READ = 12_000  # characters of which numbers are compared, some pages
_ALIKE, _DENIED = 0.55, 0.72
_LEAST_SHARED = 3
_MOVES = re.compile(
    r"截至|截止|更正|更新|升至|增至|降至|上升|新增|累计|最新|此前|as of|now|updated?|correct|rose|risen|so far|earlier"
)
_IN_TIME = re.compile(r"尚|还|仍|暂|目前|已|正在|将|yet|still|so far|currently|now|will|was|been")
_NOT = re.compile(r"并不|并未|没有|从未|不会|并非|不|未|无|没|非|\b(?:not|no|never|none|cannot|without)\b|n't\b")
_NOISE = re.compile(r"[\s\d.,，。、；：:!?！？%\"'“”()（）-]+")
_STEM = 6


@dataclass(frozen=True, slots=True)
class Counted:
    """A quantity and the words of its clause."""

    quantity: Quantity
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Denied:
    """A sentence without its negations."""

    span: Span
    words: frozenset[str]
    negated: bool


@dataclass(frozen=True)
class Taken:
    """An earlier text, taken apart once."""

    sides: dict[str, dict[bool, Span]]
    counted: tuple[Counted, ...]
    denied: tuple[Denied, ...]
    language: str


def check(review: Reviewing) -> Iterator[Hit]:
    mine = _take(review.rules, review.reading)
    for name, sides in mine.sides.items():
        if len(sides) == 2:
            yield Hit("contradicts_itself", *max(sides.values()), {"topic": Text(f"review.topic.{name}")})
    for earlier in review.context.earlier[:MOST_EARLIER]:
        if earlier.statement == review.version.statement and not earlier.published_at:
            continue
        theirs = _taken(review.rules, f"{earlier.title}\n{earlier.body}", earlier.language)
        yield from _topics(review, mine, theirs, earlier)
        if theirs.language == mine.language:
            yield from _numbers(review, mine, theirs, earlier)
            yield from _denials(mine, theirs, earlier)


def _hit(earlier: EarlierText, span: Span, because: str, **params: object) -> Hit:
    rule = "contradicts_published" if earlier.published_at else "contradicts_sibling"
    return Hit(rule, *span, {"other": earlier.statement, **params}, because)


def _take(rules: Rules, reading: Reading) -> Taken:
    sides: dict[str, dict[bool, Span]] = {}
    for topic in rules.topics:
        found = {side: span for side in (True, False) if (span := _first(topic, side, reading)) is not None}
        if found:
            sides[topic.id] = found
    return Taken(sides, tuple(_counted(reading)), tuple(_denied(reading)), reading.language)


@lru_cache(maxsize=256)
def _taken(rules: Rules, text: str, language: str) -> Taken:
    return _take(rules, Reading.of(text, language))


def _first(topic: Topic, side: bool, reading: Reading) -> Span | None:
    patterns = topic.yes if side else topic.no
    for language in reading.languages:
        if language in patterns:
            for span in matches(reading, patterns[language]):
                if not inside(span, reading.quoted) and not inside(span, reading.questions):
                    return span
    return None


def _topics(review: Reviewing, mine: Taken, theirs: Taken, earlier: EarlierText) -> Iterator[Hit]:
    for topic in review.rules.topics:
        ours, other = mine.sides.get(topic.id, {}), theirs.sides.get(topic.id, {})
        if len(ours) != 1 or len(other) != 1 or ours.keys() == other.keys():
            continue
        side = next(iter(ours))
        if topic.progress and side and earlier.published_at:
            continue  # it was broken and is mended now
        yield _hit(earlier, ours[side], "", topic=Text(f"review.topic.{topic.id}"))


def _words(text: str, language: str) -> frozenset[str]:
    if language == "zh-CN":
        plain = _NOISE.sub("", text)
        return frozenset(plain[at : at + 2] for at in range(len(plain) - 1))
    return frozenset(word[:_STEM] for word in re.findall(r"[a-z]{3,}", text))


def _alike(one: frozenset[str], other: frozenset[str]) -> float:
    shared = len(one & other)
    return 2 * shared / (len(one) + len(other)) if shared >= _LEAST_SHARED else 0.0


def _counted(reading: Reading) -> Iterator[Counted]:
    for quantity in quantities(reading.folded[:_READ])[:_MOST_QUANTITIES]:
        if not quantity.kind or inside((quantity.start, quantity.end), reading.questions):
            continue
        chinese = reading.language == "zh-CN"
        start, end = reading.clause_at(quantity.start) if chinese else reading.sentence_at(quantity.start)
        start, end = max(start, quantity.start - _AROUND), min(end, quantity.end + _AROUND)
        clause = reading.folded[start : quantity.start] + " " + reading.folded[quantity.end : end]
        if not _MOVES.search(clause):
            yield Counted(quantity, _words(clause, reading.language))


def _numbers(review: Reviewing, mine: Taken, theirs: Taken, earlier: EarlierText) -> Iterator[Hit]:
    for ours in mine.counted:
        span = (ours.quantity.start, ours.quantity.end)
        if review.says("next_update", review.reading.sentence_at(span[0])):
            continue
        like = [other for other in theirs.counted if other.quantity.kind == ours.quantity.kind]
        if any(ours.quantity.same(other.quantity) or other.quantity.same(ours.quantity) for other in like):
            continue
        for other in like:
            stands = any(other.quantity.same(mine_too.quantity) for mine_too in mine.counted)
            if not stands and _alike(ours.words, other.words) >= _ALIKE:
                yield _hit(earlier, span, "number")
                break


def _denied(reading: Reading) -> Iterator[Denied]:
    for start, end in reading.sentences[:_MOST_SENTENCES]:
        sentence = reading.folded[start:end]
        if len(sentence) > 300 or _IN_TIME.search(sentence) or inside((start, end), reading.questions):
            continue
        yield Denied((start, end), _words(_NOT.sub("", sentence), reading.language), bool(_NOT.search(sentence)))


def _denials(mine: Taken, theirs: Taken, earlier: EarlierText) -> Iterator[Hit]:
    for ours in mine.denied:
        for other in theirs.denied:
            if ours.negated != other.negated and _alike(ours.words, other.words) >= _DENIED:
                yield _hit(earlier, ours.span, "denied")
                break
