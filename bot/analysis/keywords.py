"""Which subjects a post is about: any/all/none words, phrases, regular expressions, limits by platform.

All words of all subjects stand in one Aho-Corasick automaton and all regular expressions in one RE2 filter, so the
cost of a text does not grow with the number of rules. RE2 is linear in the text whatever the pattern, so no rule can
stop the intake. Words and patterns are folded as the texts are (``bot.analysis.text.fold``).
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import ahocorasick_rs
import re2

from bot.analysis.text import clean, fold
from bot.model.post import Subject

MAX_WORD = 100
MAX_REGEX = 300
MAX_WORDS_OF_A_RULE = 10_000
MAX_WORDS_REPORTED = 20

Matches = tuple[tuple[str, tuple[str, ...]], ...]


class RuleError(ValueError):
    """A keyword rule cannot be used. ``subject`` is its id, ``place`` the entry (``any[2]``), ``code`` one of
    ``empty``, ``empty_word``, ``long_word``, ``too_many_words``, ``long_regex``, ``bad_regex``,
    ``regex_matches_everything``, ``contradiction``; ``detail`` is the word, or what the pattern
    parser said."""

    def __init__(self, subject: str, place: str, code: str, detail: str = "") -> None:
        super().__init__(f"{subject}: {place}: {code}: {detail}" if detail else f"{subject}: {place}: {code}")
        self.subject = subject
        self.place = place
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class _Rule:
    """A rule with its words as numbers of the automaton, and the shown spelling of each."""

    id: str
    order: int
    any: dict[int, str]
    all: dict[int, str]
    none: frozenset[int]
    regex: dict[int, str]
    platforms: frozenset[str]
    answer: Matches | None  # of a rule that is one word and nothing else


def fold_pattern(pattern: str) -> str:
    """Fold a regular expression without touching its syntax: a full-width sign that folds to ASCII is escaped, letters
    keep their case (``\\S`` is not ``\\s``; matching ignores case anyway)."""
    parts = []
    for character in pattern:
        if character.isascii():
            parts.append(character)
            continue
        folded = fold(character)
        sign = folded.isascii() and len(folded) == 1 and not folded.isalnum() and folded != " "
        parts.append("\\" + folded if sign else folded)
    return "".join(parts)


def _options() -> re2.Options:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    return options


class Matcher:
    """Matches folded texts against the rules of ``subjects``. Raises ``RuleError`` for the first bad rule."""

    def __init__(self, subjects: Sequence[Subject]) -> None:
        self.subjects = tuple(subjects)
        self._numbers: dict[str, int] = {}
        self._patterns: list[str] = []
        self._rules = [self._compile(order, subject) for order, subject in enumerate(subjects)]
        words = list(self._numbers)
        self._edges = [(kind_of_edge(word[0]), kind_of_edge(word[-1])) for word in words]
        self._bounded = [first != 0 or last != 0 for first, last in self._edges]
        # Overlapping search needs the standard kind; the leftmost kinds would hide a word inside another.
        self._automaton = ahocorasick_rs.AhoCorasick(words, store_patterns=False) if words else None
        self._filter: re2.Filter | None = None
        if self._patterns:
            self._filter = re2.Filter()
            for pattern in self._patterns:
                self._filter.Add(pattern, _options())
            self._filter.Compile()
        self._rules_of_word: dict[int, list[_Rule]] = defaultdict(list)
        self._rules_of_regex: dict[int, list[_Rule]] = defaultdict(list)
        for rule in self._rules:
            # A rule can only hold where one of its any-words or patterns stands, or, without them, its all-words.
            for number in rule.any or ({} if rule.regex else rule.all):
                self._rules_of_word[number].append(rule)
            for number in rule.regex:
                self._rules_of_regex[number].append(rule)

    def match(self, folded_texts: Sequence[str], platforms: Sequence[str]) -> list[Matches]:
        """Per text the subjects it is about, in the order of the subjects, each with the words that matched as the
        rule spells them. Both sequences have the same length."""
        found: list[Matches] = []
        automaton, patterns = self._automaton, self._filter
        for text, platform in zip(folded_texts, platforms, strict=True):
            hits = automaton.find_matches_as_indexes(text, overlapping=True) if automaton is not None else ()
            matched = patterns.Match(text.encode("utf-8", "replace")) if patterns is not None else None
            found.append(self._decide(text, platform, hits, matched or ()) if hits or matched else ())
        return found

    def explain(self, texts: Sequence[str], platform: str = "") -> list[Matches]:
        """``match`` for texts as collected, for showing what a rule would match before it goes live."""
        return self.match([fold(clean(text)) for text in texts], [platform] * len(texts))

    def _decide(
        self, text: str, platform: str, hits: Sequence[tuple[int, int, int]], matched: Sequence[int]
    ) -> Matches:
        bounded, edges = self._bounded, self._edges
        present: set[int] = set()
        for number, start, end in hits:
            if number in present:
                continue
            if not bounded[number] or stands_alone(text, start, end, edges[number]):
                present.add(number)
        candidates: dict[int, _Rule] = {}
        for number in present:
            for rule in self._rules_of_word.get(number, ()):
                candidates[rule.order] = rule
        for number in matched:
            for rule in self._rules_of_regex.get(number, ()):
                candidates[rule.order] = rule
        if not candidates:
            return ()
        results = []
        for order in sorted(candidates):
            rule = candidates[order]
            if rule.answer is not None:
                results.append(rule.answer[0])
                continue
            if rule.platforms and platform not in rule.platforms:
                continue
            if any(number not in present for number in rule.all) or not rule.none.isdisjoint(present):
                continue
            words = [word for number, word in rule.any.items() if number in present] if rule.any else []
            words += [word for number, word in rule.all.items() if number in present]
            words += [shown for number, shown in rule.regex.items() if number in matched]
            results.append((rule.id, tuple(dict.fromkeys(words))[:MAX_WORDS_REPORTED]))
        return tuple(results)

    def _compile(self, order: int, subject: Subject) -> _Rule:
        rule = subject.rule
        if not rule.any and not rule.all and not rule.regex:
            raise RuleError(subject.id, "match", "empty")
        if len(rule.any) + len(rule.all) + len(rule.none) + len(rule.regex) > MAX_WORDS_OF_A_RULE:
            raise RuleError(subject.id, "match", "too_many_words")
        any_words = self._words(subject, "any", rule.any)
        all_words = self._words(subject, "all", rule.all)
        none_words = self._words(subject, "none", rule.none)
        for number, word in (any_words | all_words).items():
            if number in none_words and (number in all_words or len(any_words) == 1):
                raise RuleError(subject.id, "none", "contradiction", word)
        patterns = {self._regex(subject, place, pattern): pattern for place, pattern in enumerate(rule.regex)}
        platforms = frozenset(platform.strip().lower() for platform in rule.platforms)
        single = len(any_words) == 1 and not (all_words or none_words or patterns or platforms)
        answer = ((subject.id, tuple(any_words.values())),) if single else None
        return _Rule(subject.id, order, any_words, all_words, frozenset(none_words), patterns, platforms, answer)

    def _words(self, subject: Subject, field: str, words: Sequence[str]) -> dict[int, str]:
        numbers: dict[int, str] = {}
        for place, word in enumerate(words):
            folded = fold(clean(word))
            if not folded:
                raise RuleError(subject.id, f"{field}[{place}]", "empty_word", word)
            if len(folded) > MAX_WORD:
                raise RuleError(subject.id, f"{field}[{place}]", "long_word", word[:MAX_WORD])
            number = self._numbers.setdefault(folded, len(self._numbers))
            numbers.setdefault(number, word.strip())
        return numbers

    def _regex(self, subject: Subject, place: int, pattern: str) -> int:
        where = f"regex[{place}]"
        if len(pattern) > MAX_REGEX:
            raise RuleError(subject.id, where, "long_regex", pattern[:40])
        folded = fold_pattern(pattern)
        try:
            compiled = re2.compile(folded.encode("utf-8"), options=_options())
        except (re2.error, UnicodeEncodeError) as error:
            reason = error.args[0] if error.args else ""
            detail = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(error)
            raise RuleError(subject.id, where, "bad_regex", detail) from None
        if not pattern.strip() or compiled.search(b""):
            raise RuleError(subject.id, where, "regex_matches_everything", pattern)
        self._patterns.append(folded)
        return len(self._patterns) - 1


_LETTER, _DIGIT = 1, 2
_LAST_SPACED_SCRIPT = 0x0E00  # Latin, Greek, Cyrillic, Hebrew, Arabic …: scripts that put spaces between words


def kind_of_edge(character: str) -> int:
    """What may not stand beside it: letters beside a letter, digits beside a digit; 0 for Chinese and signs."""
    if ord(character) >= _LAST_SPACED_SCRIPT:
        return 0
    if character.isdigit():
        return _DIGIT
    return _LETTER if character.isalpha() else 0


def stands_alone(text: str, start: int, end: int, edges: tuple[int, int]) -> bool:
    before, after = edges
    if before and start > 0 and kind_of_edge(text[start - 1]) == before:
        return False
    return not (after and end < len(text) and kind_of_edge(text[end]) == after)
