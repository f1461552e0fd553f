"""What changed between two texts, word by word: Chinese by character runs, English by words."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

# One token is a Latin word or number, one Chinese character, white space, or one other sign.
_TOKEN = re.compile(r"[A-Za-z0-9]+(?:[.,:'’-][A-Za-z0-9]+)*|\s+|[\s\S]")
# Beyond this many tokens on both sides a paragraph is compared as a whole: the matcher is quadratic at worst.
MOST_TOKENS = 4_000
MOST_PAIRS = 60_000  # of equal tokens: a quarter of a second at the worst, some 2,000 characters of ordinary text
CONTEXT = 12
BETWEEN = 4  # characters that stayed between two changes and are shown with them
SHOWN = 160


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text that stayed, went or came."""

    kind: Literal["same", "gone", "new"]
    text: str


def changes(old: str, new: str) -> list[Piece]:
    """The way from one text to the other. Joining what is not new gives the old text, what is not gone the new."""
    pieces: list[Piece] = []
    for kind, text in _merged(_compare(old, new)):
        pieces.append(Piece(kind, text))
    return pieces


def change_lines(old: str, new: str, most: int = 8) -> tuple[list[str], int]:
    """Each change as a line with a little of what stands around it, ``⟦-gone-⟧⟦+new+⟧``; and how many were left out."""
    pieces = _joined(changes(old, new))
    lines: list[str] = []
    index = 0
    while index < len(pieces):
        if pieces[index].kind == "same":
            index += 1
            continue
        before = pieces[index - 1].text if index else ""
        gone = new_words = ""
        while index < len(pieces) and pieces[index].kind != "same":
            if pieces[index].kind == "gone":
                gone += pieces[index].text
            else:
                new_words += pieces[index].text
            index += 1
        after = pieces[index].text if index < len(pieces) else ""
        marks = (f"⟦-{_short(gone)}-⟧" if gone else "") + (f"⟦+{_short(new_words)}+⟧" if new_words else "")
        line = f"…{before[-CONTEXT:]}{marks}{after[:CONTEXT]}…"
        lines.append(" ".join(line.split()))
    return lines[:most], max(0, len(lines) - most)


def _joined(pieces: list[Piece]) -> list[Piece]:
    """Changes with hardly anything between them as one change: a reader sees phrases, not letters."""
    joined: list[Piece] = []
    for index, piece in enumerate(pieces):
        inside = 0 < index < len(pieces) - 1
        if piece.kind == "same" and inside and len(piece.text.strip()) <= BETWEEN and "\n" not in piece.text:
            joined += [Piece("gone", piece.text), Piece("new", piece.text)]
        else:
            joined.append(piece)
    return joined


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[: SHOWN // 2]} … {text[-SHOWN // 4 :]}"


def _compare(old: str, new: str) -> Iterator[tuple[Literal["same", "gone", "new"], str]]:
    first, second = _TOKEN.findall(old), _TOKEN.findall(new)
    start = 0
    while start < min(len(first), len(second)) and first[start] == second[start]:
        start += 1
    end = 0
    while end < min(len(first), len(second)) - start and first[-1 - end] == second[-1 - end]:
        end += 1
    if start:
        yield "same", "".join(first[:start])
    middle = first[start : len(first) - end], second[start : len(second) - end]
    yield from _between(*middle)
    if end:
        yield "same", "".join(first[len(first) - end :])


def _between(first: list[str], second: list[str]) -> Iterator[tuple[Literal["same", "gone", "new"], str]]:
    if _too_much(first, second):
        first, second = _paragraphs("".join(first)), _paragraphs("".join(second))
    if _too_much(first, second):
        yield "gone", "".join(first)
        yield "new", "".join(second)
        return
    for tag, a, b, c, d in SequenceMatcher(None, first, second, autojunk=False).get_opcodes():
        if tag == "equal":
            yield "same", "".join(first[a:b])
            continue
        if a < b:
            yield "gone", "".join(first[a:b])
        if c < d:
            yield "new", "".join(second[c:d])


def _too_much(first: list[str], second: list[str]) -> bool:
    """Whether comparing would take long. The matcher looks at every pair of equal tokens, again for each part it finds:
    a few hundred repeated lines are as bad as a book."""
    if len(first) + len(second) > MOST_TOKENS:
        return True
    there = Counter(second)
    return sum(count * there[token] for token, count in Counter(first).items()) > MOST_PAIRS


def _paragraphs(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _merged(
    pieces: Iterator[tuple[Literal["same", "gone", "new"], str]],
) -> Iterator[tuple[Literal["same", "gone", "new"], str]]:
    """Neighbours of one kind as one piece; nothing empty."""
    kind: Literal["same", "gone", "new"] | None = None
    text = ""
    for next_kind, words in pieces:
        if not words:
            continue
        if next_kind == kind:
            text += words
            continue
        if kind is not None:
            yield kind, text
        kind, text = next_kind, words
    if kind is not None:
        yield kind, text
