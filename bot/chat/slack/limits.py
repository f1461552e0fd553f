"""How much fits into a Slack message, measured the careful way: in UTF-16 units, so that an emoji counts twice."""

from collections.abc import Callable, Mapping
from typing import Any
from unicodedata import combining

# Sizes: reference pages at docs.slack.dev/reference/block-kit; the sum over a message is undocumented and fails with
# msg_blocks_too_long near 13,200 characters (bolt-js issue 2509).
MESSAGE_BLOCKS = 50
MESSAGE_CHARACTERS = 13_000
VIEW_BLOCKS = 100
HEADER = 150
SECTION = 3_000
FIELD = 2_000
FIELDS = 10
BUTTONS = 25
BUTTON_LABEL = 75
BUTTON_VALUE = 2_000
CONFIRM_TEXT = 300
CONFIRM_BUTTON = 30
IDENTIFIER = 255
OPTION_LABEL = 75
OPTION_VALUE = 150
OPTIONS = 100
VIEW_TITLE = 24
PRIVATE_METADATA = 3_000
PLACEHOLDER = 150
# chat.update takes 4,000 characters of text, chat.postMessage more: one size for both.
PLAIN_TEXT = 3_900
LINK = 2_000
# Long texts are cut into blocks of this size, so that filling a message leaves little room unused.
CHUNK = 2_400
ELLIPSIS = "…"
_JOINERS = "\u200d\ufe0e\ufe0f"


def units(text: str) -> int:
    """Length in UTF-16 units: never less than what Slack counts, whichever way it counts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def measure(value: object) -> int:
    """Units of all strings anywhere in blocks: never less than the figure behind Slack's message limit."""
    if isinstance(value, str):
        return units(value)
    if isinstance(value, Mapping):
        return sum(measure(item) for item in value.values())
    if isinstance(value, list | tuple):
        return sum(measure(item) for item in value)
    return 0


def split_text(text: str, limit: int = CHUNK, weigh: Callable[[str], int] = units) -> list[str]:
    """Pieces of at most ``limit`` that add up to the text, cut at a line end or a space where one is near, never
    inside a character that is written with several code points."""
    pieces = []
    rest = text
    # No character weighs less than one: the long rest need not be weighed.
    while len(rest) > limit or weigh(rest) > limit:
        head = _fitting(rest, limit, weigh)
        cut = max(head.rfind("\n"), head.rfind("。"), head.rfind(" ")) + 1
        cut = cut if cut > len(head) // 2 else _whole_characters(rest, len(head))
        pieces.append(rest[:cut])
        rest = rest[cut:]
    return [*pieces, rest] if rest else pieces


def shorten(text: str, limit: int) -> str:
    """The text itself, or its beginning and an ellipsis; whoever calls shows the whole somewhere else."""
    if units(text) <= limit:
        return text
    head = _fitting(text, limit - len(ELLIPSIS), units)
    return text[: _whole_characters(text, len(head))].rstrip() + ELLIPSIS


def block(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, **fields}


def _fitting(text: str, limit: int, weigh: Callable[[str], int]) -> str:
    head = text[:limit]
    while len(head) > 1 and (surplus := weigh(head) - limit) > 0:
        # No character weighs more than six (an escaped quotation mark), so this never takes away too much by far.
        head = head[: max(1, len(head) - max(1, surplus // 6))]
    return head


def _whole_characters(text: str, cut: int) -> int:
    """Move a cut to before a sequence that one character is made of; gives up after 20 code points."""
    for place in range(cut, max(1, cut - 20), -1):
        follows = text[place : place + 1]
        if follows not in _JOINERS and not combining(follows) and text[place - 1] != "\u200d":
            return place
        if not follows:
            return place
    return cut
