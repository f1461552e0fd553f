"""What changed between two texts, word by word; Chinese character by character. Pure."""

import re
from difflib import SequenceMatcher

_TOKEN = re.compile(r"[A-Za-z0-9]+(?:[.,:'’-][A-Za-z0-9]+)*|\s|.", re.DOTALL)
MOST_TOKENS = 20_000  # beyond, lines are compared: the time grows with the product of both lengths

KEPT, REMOVED, ADDED = "=", "-", "+"
Part = tuple[str, str]


def differences(old: str, new: str) -> list[Part]:
    """``(mark, words)`` in reading order: what is kept and removed adds up to ``old``, kept and added to ``new``."""
    before, after = _TOKEN.findall(old), _TOKEN.findall(new)
    if len(before) + len(after) > MOST_TOKENS:
        before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    parts: list[Part] = []
    for kind, start, end, other_start, other_end in SequenceMatcher(a=before, b=after, autojunk=False).get_opcodes():
        if kind == "equal":
            _add(parts, KEPT, before[start:end])
        else:
            _add(parts, REMOVED, before[start:end])
            _add(parts, ADDED, after[other_start:other_end])
    return parts


def _add(parts: list[Part], mark: str, tokens: list[str]) -> None:
    if tokens:
        parts.append((mark, "".join(tokens)))
