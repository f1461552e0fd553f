"""A text as the rules read it: folded without moving a character, cut into sentences, with its quotations known."""

import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import opencc

ENOUGH_HAN, ENOUGH_WORDS = 15, 12
"""From how many characters or words of a language its rules are used on a text of another one."""

_SENTENCE = re.compile(r"[^。！？!?；;\n]*?(?:[。！？!?；;\n]+[”’」』\"')）]*|\.(?=[\s\"”')]|\Z)|\Z)", re.DOTALL)
_CLAUSE_ENDS = frozenset("，,。！？!?；;\n")
_QUOTES = {"“": "”", "「": "」", "『": "』", "‘": "’", '"': '"'}
_QUOTE_REACH = _CLAUSE_REACH = 200
_QUESTION_LINE = re.compile(
    r"^[ \t]*(?:(?:问|Q\d{0,2}|Question)[ \t]*[:：.、].*$|[^\n。.]{2,120}[?？][ \t]*$(?=\n\s*\S))", re.MULTILINE
)
_HAN = re.compile("[\u3400-\u9fff]")
_WORD = re.compile(r"[A-Za-z]{2,}")

Span = tuple[int, int]


@lru_cache(maxsize=1)
def _simplify() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")


@lru_cache(maxsize=1 << 16)
def _fold_character(character: str) -> str:
    """Lower case, half width, simplified: always one character. Punctuation keeps its width, a lone surrogate becomes
    the replacement character, which no rule looks for."""
    code = ord(character)
    if code in (0x3000, 0xA0):
        return " "
    if 0xD800 <= code <= 0xDFFF:
        return "\ufffd"
    if 0xFF10 <= code <= 0xFF5A or code == 0xFF05:
        narrow = unicodedata.normalize("NFKC", character)
        return narrow.lower() if narrow.isalnum() or narrow == "%" else character
    lower = character.lower()
    if len(lower) != 1:
        return character
    if 0x3400 <= code <= 0x9FFF:
        simple = str(_simplify().convert(character))
        return simple if len(simple) == 1 else character
    if 0x1D7CE <= code <= 0x1D7FF or unicodedata.category(character) == "Nd":
        digit = unicodedata.digit(character, None)
        return character if digit is None else str(digit)
    return lower


def fold(text: str) -> str:
    """The spelling rules are written in, character by character, so that offsets stay."""
    if text.isascii():
        return text.lower()
    table = {ord(character): _fold_character(character) for character in set(text)}
    return text.translate(table)


@dataclass(frozen=True)
class Reading:
    """A text prepared once for all rules. ``text`` is as written, ``folded`` has the same length."""

    text: str
    folded: str
    language: str

    @classmethod
    def of(cls, text: str, language: str) -> "Reading":
        return cls(text, fold(text), language)

    @cached_property
    def encoded(self) -> bytes:
        return self.folded.encode("utf-8")

    @cached_property
    def _starts(self) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
        """The byte at which each character begins."""
        raw = np.frombuffer(self.encoded, dtype=np.uint8)
        return np.flatnonzero((raw & 0xC0) != 0x80)

    def place(self, byte: int) -> int:
        """The character that a byte of ``encoded`` belongs to."""
        if len(self.encoded) == len(self.folded):
            return byte
        return int(np.searchsorted(self._starts, byte))

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """Whose rules apply: the statement's language, and the other one where enough of it is there."""
        found = [self.language] if self.language in ("zh-CN", "en") else []
        if "zh-CN" not in found and len(_HAN.findall(self.text)) >= ENOUGH_HAN:
            found.append("zh-CN")
        if "en" not in found and len(_WORD.findall(self.text)) >= ENOUGH_WORDS:
            found.append("en")
        return tuple(found)

    @cached_property
    def sentences(self) -> tuple[Span, ...]:
        spans = []
        for match in _SENTENCE.finditer(self.text):
            start, end = match.span()
            while start < end and self.text[start].isspace():
                start += 1
            while end > start and self.text[end - 1].isspace():
                end -= 1
            if end > start:
                spans.append((start, end))
        return tuple(spans)

    @cached_property
    def _sentence_starts(self) -> list[int]:
        return [start for start, _ in self.sentences]

    def sentence_at(self, place: int) -> Span:
        """The sentence that a character stands in; an empty one where there is none."""
        index = bisect_right(self._sentence_starts, place) - 1
        return self.sentences[index] if index >= 0 else (place, place)

    def clause_at(self, place: int) -> Span:
        """The part of a sentence between commas around a character, or as much of it as a clause may be long."""
        start, end = self.sentence_at(place)
        start, end = max(start, place - _CLAUSE_REACH), min(end, place + _CLAUSE_REACH)
        left = place
        while left > start and not self._ends_clause(left - 1):
            left -= 1
        right = min(place, len(self.text))
        while right < end and not self._ends_clause(right):
            right += 1
        return left, right

    def _ends_clause(self, place: int) -> bool:
        character = self.text[place]
        if character == "," and 0 < place < len(self.text) - 1:  # 2,300 is one number
            return not (self.text[place - 1].isdigit() and self.text[place + 1].isdigit())
        return character in _CLAUSE_ENDS

    @cached_property
    def quoted(self) -> tuple[Span, ...]:
        """What stands in quotation marks, in order: other people's words or words that are named and not said."""
        spans: list[Span] = []
        place, text = 0, self.text
        while place < len(text):
            closing = _QUOTES.get(text[place])
            end = text.find(closing, place + 1, place + 1 + _QUOTE_REACH) if closing else -1
            if end < 0 or "\n" in text[place:end]:
                place += 1
                continue
            spans.append((place, end + 1))
            place = end + 1
        return tuple(spans)

    @cached_property
    def questions(self) -> tuple[Span, ...]:
        """Lines that ask, as in questions and answers for the media."""
        return tuple(match.span() for match in _QUESTION_LINE.finditer(self.text))

    @cached_property
    def paragraphs(self) -> tuple[Span, ...]:
        spans, place = [], 0
        for line in self.text.split("\n"):
            kept = line.strip()
            if kept:
                start = place + line.index(kept[0])
                spans.append((start, start + len(kept)))
            place += len(line) + 1
        return tuple(spans)


def inside(span: Span, spans: tuple[Span, ...]) -> bool:
    """Whether a span lies wholly in one of several ordered spans that do not overlap."""
    index = bisect_right(spans, span[0], key=lambda item: item[0]) - 1
    return index >= 0 and span[1] <= spans[index][1]


def touches(span: Span, spans: tuple[Span, ...]) -> bool:
    """Whether a span shares a character with one of several ordered spans that do not overlap."""
    index = bisect_right(spans, span[0], key=lambda item: item[0]) - 1
    if index >= 0 and span[0] < spans[index][1]:
        return True
    return index + 1 < len(spans) and spans[index + 1][0] < span[1]
