"""Our own names, written wrongly: one character off, or right but in another style."""

import re
from collections.abc import Iterator, Sequence

from bot.statements.review.check_links import LINK
from bot.statements.review.findings import Hit
from bot.statements.review.reviewing import Reviewing
from bot.statements.review.text import Span, fold, touches

_LEAST_HAN, _LEAST_LATIN = 4, 5
_MOST_WORDS = 4_000  # of a hostile text; a statement has some hundreds
_WORD = re.compile(r"[a-z][a-z0-9]{1,39}")
_LONG = 8  # letters of a word in which two may be wrong


def check(review: Reviewing) -> Iterator[Hit]:
    names = [name.strip() for name in review.context.subject_names if name.strip()]
    folded_names = {fold(name) for name in names}
    links: tuple[Span, ...] = tuple(match.span() for match in LINK.finditer(review.reading.folded))
    for name in names:
        folded = fold(name)
        found = _han(review.reading.folded, folded) if not folded.isascii() else _latin(review.reading.folded, folded)
        for start, end in found:
            written = review.reading.folded[start:end]
            if written not in folded_names and not touches((start, end), review.names):
                yield Hit("wrong_name", start, end, {"name": name})
        for start, end in _styles(review.reading.folded, folded):
            written = review.reading.text[start:end]
            if written not in names and not written.isupper() and not touches((start, end), links):
                yield Hit("name_style", start, end, {"name": name})


def _han(text: str, name: str) -> Iterator[Span]:
    """Places where exactly one character of a name is another: one half of it is then still right."""
    if len(name) < _LEAST_HAN:
        return
    half = len(name) // 2
    for part, offset in ((name[:half], 0), (name[half:], half)):
        place = text.find(part)
        while place >= 0:
            start = place - offset
            window = text[start : start + len(name)] if start >= 0 else ""
            if len(window) == len(name):
                wrong = [at for at, (one, other) in enumerate(zip(window, name, strict=True)) if one != other]
                if len(wrong) == 1 and "\u4e00" <= window[wrong[0]] <= "\u9fff" and _same_word(name, wrong[0], window):
                    yield start, start + len(name)
            place = text.find(part, place + 1)


_JOINING = frozenset("的了是在我你他她它们就都也还和与这那个一不有没说被把让给到要会能很对向于为")


def _same_word(name: str, at: int, window: str) -> bool:
    return window[at] not in _JOINING


def _latin(text: str, name: str) -> Iterator[Span]:
    """Runs of as many words as a name has, in which one word is misspelt by a letter or two."""
    wanted = _WORD.findall(name)
    if not wanted or len("".join(wanted)) < _LEAST_LATIN:
        return
    words: Sequence[re.Match[str]] = list(_WORD.finditer(text))[:_MOST_WORDS]
    for at in range(len(words) - len(wanted) + 1):
        window = words[at : at + len(wanted)]
        wrong = [(match[0], right) for match, right in zip(window, wanted, strict=True) if match[0] != right]
        if len(wrong) == 1 and _misspelt(*wrong[0]):
            yield window[0].start(), window[-1].end()


def _misspelt(written: str, right: str) -> bool:
    if len(right) < _LEAST_LATIN or abs(len(written) - len(right)) > 1 or written[0] != right[0]:
        return False
    if written in (f"{right}s", f"{right}d") or right == f"{written}s":
        return False
    if len(set(written) ^ set(right)) > 3:
        return False
    return _distance(written, right) <= (2 if len(right) >= _LONG else 1)


def _distance(one: str, other: str) -> int:
    """Insertions, deletions, replacements and swapped neighbours (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        older, before, row = before, row, [i]
        for j, b in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
    return row[-1]


def _styles(text: str, name: str) -> Iterator[Span]:
    """A Latin name in any case, its words joined or apart."""
    if not name.isascii() or sum(character.isalpha() for character in name) < 4:
        return
    pieces = [re.escape(piece) for piece in re.findall(r"[a-z]+|\d+", name)]
    for match in re.finditer(rf"(?<![a-z0-9@._/-])(?:{r'[ -]?'.join(pieces)})(?![a-z0-9@])", text):
        yield match.span()
