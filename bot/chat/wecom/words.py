"""Taming collected text for WeCom, and cutting long text into messages without losing any of it.

WeCom's markdown and text messages have no escape character: ``<@userid>`` pings, ``<font>``, ``<a>``, ``[..](..)``,
``**``, back-ticks and a leading ``#`` render. The characters that carry meaning are therefore replaced by their
full-width twins, which look alike and mean nothing.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

TEXT_BYTES = 2048  # app text, app markdown and robot text — developer pages 90236 and 91770
ROBOT_MARKDOWN_BYTES = 4096

_TWINS = str.maketrans({"<": "＜", ">": "＞", "@": "＠", "`": "｀", "*": "＊", "[": "［", "]": "］"})
# C0 and C1 controls without the line feed, zero-width marks, bidirectional overrides, lone surrogates
_UNSEEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_ENTITY = re.compile(r"&(?=#|[A-Za-z]+;)")
_HEADING = re.compile(r"^(\s*)#", re.MULTILINE)
_USER_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}")

Marks = Callable[[int, int], tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Line:
    """One tamed line; ``before`` and ``after`` is our own markup around it, repeated when the line must be broken."""

    text: str
    before: str = ""
    after: str = ""

    def __str__(self) -> str:
        return f"{self.before}{self.text}{self.after}"


def size(text: str) -> int:
    """Bytes as WeCom counts them."""
    return len(text.encode())


def tame(text: str) -> str:
    """Any text with nothing left in it that WeCom would render, ping or hide. Line feeds stay."""
    text = _BREAKS.sub("\n", text)
    text = _UNSEEN.sub("", text).translate(_TWINS)
    return _HEADING.sub(r"\1＃", _ENTITY.sub("＆", text))


def is_exact(text: str) -> bool:
    """Whether a text message shows the text as it stands."""
    return not (_UNSEEN.search(text) or _BREAKS.search(text) or _ENTITY.search(text) or "<" in text or ">" in text)


def tame_line(text: str) -> str:
    """The same on one line."""
    return " ".join(tame(text).split())


def safe_url(url: str) -> str:
    """An http(s) address that cannot end a markdown link early; empty where it is none."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return ""
    return quote(url.strip().encode("utf-8", "ignore"), safe="%/:=&?~#+!$,;'@*[]").replace("@", "%40")


def mention(account: str) -> str:
    """``<@userid>`` for one member; empty for everybody and for what cannot be a member's id."""
    if not _USER_ID.fullmatch(account) or account.lower() in ("all", "@all"):
        return ""
    return f"<@{account}>"


def lines_of(text: str, before: str = "", after: str = "") -> list[Line]:
    """Tame a text and wrap each of its lines."""
    return [Line(line, before, after) for line in tame(text).split("\n")]


def split(lines: list[Line], budget: int, marks: Marks) -> list[str]:
    """Pack lines into as few texts of at most ``budget`` bytes as order allows; nothing is lost.

    ``marks(part, total)`` gives a head and a tail line that show the reader that there is more; either may be empty.
    A line that fits no message is broken between characters.
    """
    whole = "\n".join(map(str, lines))
    if size(whole) <= budget:
        return [whole]
    reserve = max(sum(size(mark) + 1 for mark in marks(part, 999) if mark) for part in (1, 998, 999))
    parts = _pack(lines, budget - reserve)
    texts = []
    for number, part in enumerate(parts, 1):
        head, tail = marks(number, len(parts))
        texts.append("\n".join([*([head] if head else []), part, *([tail] if tail else [])]))
    return texts


def _pack(lines: list[Line], room: int) -> list[str]:
    parts: list[str] = []
    current: list[str] = []
    used = 0
    for line in lines:
        left = room - used - (1 if current else 0)
        for piece in _pieces(line, room, left if left > room // 2 else room):
            need = size(piece) + (1 if current else 0)
            if current and used + need > room:
                parts.append("\n".join(current))
                current, used, need = [], 0, size(piece)
            current.append(piece)
            used += need
    if current:
        parts.append("\n".join(current))
    return parts


def _pieces(line: Line, room: int, first: int) -> list[str]:
    """A line as it is, or broken so that every piece fits, the first one into what the current message has left."""
    if size(str(line)) <= room:
        return [str(line)]
    markup = size(line.before) + size(line.after)
    inner = max(first - markup, 4)
    if room - markup < 4:
        raise ValueError("the message budget has no room for a single character")
    pieces = []
    start = used = 0
    for index, character in enumerate(line.text):
        width = size(character)
        if used + width > inner:
            pieces.append(f"{line.before}{line.text[start:index]}{line.after}")
            start, used, inner = index, 0, room - markup
        used += width
    pieces.append(f"{line.before}{line.text[start:]}{line.after}")
    return pieces
