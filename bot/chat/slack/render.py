"""The neutral card as Slack messages: measured, split or shortened with the rest counted, never cut silently."""

from dataclasses import dataclass, replace
from typing import Any

from bot.chat.slack import limits, pieces
from bot.chat.slack.limits import block, measure, shorten, split_text, units
from bot.chat.slack.pieces import Block
from bot.chat.slack.safe import clean, escape, mention
from bot.delivery.chat import Refused
from bot.model.card import Card, Items, has_whole, without_whole
from bot.model.grade import Grade
from bot.model.message import Message
from bot.model.text import Text
from bot.texts import render as words

CIRCLES = {Grade.BLUE: "🔵", Grade.YELLOW: "🟡", Grade.ORANGE: "🟠", Grade.RED: "🔴"}
# Escaping makes a character up to five: this stays below what chat.update takes as text.
PREVIEW = 600
LEAST_LINES = 3
# Room kept free in a message for the marks of a continuation.
MARKS = 600


@dataclass(frozen=True, slots=True)
class SlackMessage:
    """``text`` is what notifications show (and the whole content where there are no blocks)."""

    text: str
    blocks: tuple[dict[str, Any], ...] = ()


def render(message: Message) -> list[SlackMessage]:
    """Everything a message shows, in one Slack message where it fits, else in several in order."""
    card = message.card
    if message.verbatim:
        return [SlackMessage(preview(message), tuple(_exactly(message.text)))]
    if card is None:
        head = pieces.mentions(message.mentions)
        body = pieces.paragraph(message.text)
        return _pages(message, head, body, [])
    short, hidden = _fit_lists(message, card) if card.link else (card, {})
    parts = _parts(message, short, hidden)
    if has_whole(card) and not _fits(*parts):
        return render(replace(message, card=without_whole(card)))
    return _pages(message, *parts)


def _exactly(text: str) -> list[Block]:
    """An approved text in one message, in blocks that add up to it character for character. Raises ``Refused`` where
    Slack would not show exactly that."""
    parts = split_text(text, limits.SECTION)
    blocks = [block("section", text=pieces.plain(part)) for part in parts]
    if clean(text) != text or any(not part.strip() for part in parts):
        raise Refused("the approved text has characters that Slack does not show as they are")
    if len(blocks) > limits.MESSAGE_BLOCKS or measure(blocks) + PREVIEW > limits.MESSAGE_CHARACTERS:
        raise Refused("the approved text does not fit into one message, and it is never split")
    return blocks


def render_plain(message: Message) -> list[SlackMessage]:
    """The same without blocks: what is left to try when Slack refuses the blocks. Raises ``Refused`` for an approved
    text, which would be formatted or split so."""
    if message.verbatim:
        raise Refused("Slack does not take the blocks in which the approved text would be shown as it stands")
    if message.card is not None and has_whole(message.card) and units(escape(message.plain())) > limits.PLAIN_TEXT // 2:
        message = replace(message, card=without_whole(message.card))
    lines = [message.plain()]
    for button in message.card.buttons if message.card else ():
        lines.append(words(Text("slack.say", {"label": button.label, "command": button.command}), message.language))
    pings = " ".join(mention(account) for account in message.mentions)
    texts = split_text(clean("\n".join(lines)), limits.PLAIN_TEXT - units(pings) - 1, lambda part: units(escape(part)))
    shown = [escape(text) for text in texts if text.strip()] or [limits.ELLIPSIS]
    return [SlackMessage(f"{pings} {text}".strip() if not index else text) for index, text in enumerate(shown)]


def preview(message: Message) -> str:
    """One line for notifications and screen readers; the blocks hold the whole."""
    pings = " ".join(mention(account) for account in message.mentions[:20])
    card = message.card
    said = message.text if card is None else " ".join(part for part in (_headline(card), card.subtitle) if part)
    line = shorten(" ".join(clean(said).split()), PREVIEW)
    return f"{pings} {escape(line)}".strip() or limits.ELLIPSIS


def _headline(card: Card) -> str:
    marks = " ".join(part for part in (CIRCLES.get(card.grade, ""), card.drill, card.grade_label) if part)
    title = " ".join(clean(card.title).split())
    return f"{marks} · {title}" if marks and card.grade_label and title else f"{marks} {title}".strip()


def _parts(message: Message, card: Card, hidden: dict[int, str]) -> tuple[list[Block], list[Block], list[Block]]:
    """Head, which opens the first message; body, which flows; tail with buttons and footer, kept with the head."""
    language = message.language
    headline = " ".join(clean(_headline(card)).split())
    short = shorten(headline, limits.HEADER)
    head = pieces.mentions(message.mentions)
    if short:
        head.append(block("header", text=pieces.plain(short)))
    body: list[Block] = []
    if short != headline:
        body.extend(pieces.paragraph(headline, strong=True))
    body.extend(pieces.paragraph(card.subtitle))
    for index, section in enumerate(card.sections):
        body.extend(pieces.of_section(section, hidden.get(index, "")))
    rows, notes = pieces.buttons(card.buttons, language)
    for note in notes:
        body.extend(pieces.paragraph(note))
    tail = [*rows, *pieces.footer(card.footer, card.link, language)]
    return head, body, tail


def _fits(head: list[Block], body: list[Block], tail: list[Block]) -> bool:
    whole = [*head, *body, *tail]
    return len(whole) <= limits.MESSAGE_BLOCKS and measure(whole) + PREVIEW <= limits.MESSAGE_CHARACTERS


def _fit_lists(message: Message, card: Card) -> tuple[Card, dict[int, str]]:
    """Shorten lists, the longest first, until the card fits into one message, and say for each how many lines are
    behind the link. A card that does not fit even so keeps all its lines and becomes several messages."""
    shown = {index: len(section.lines) for index, section in enumerate(card.sections) if isinstance(section, Items)}
    short, hidden = card, dict[int, str]()
    while not _fits(*_parts(message, short, hidden)):
        index = max(shown, key=lambda one: shown[one], default=-1)
        if index < 0 or shown[index] <= LEAST_LINES:
            return card, {}
        shown[index] = max(LEAST_LINES, shown[index] * 3 // 4)
        short, hidden = _with_lines(card, shown, message.language)
    return short, hidden


def _with_lines(card: Card, shown: dict[int, int], language: str) -> tuple[Card, dict[int, str]]:
    sections = list(card.sections)
    hidden = {}
    for index, count in shown.items():
        section = card.sections[index]
        assert isinstance(section, Items)
        if rest := len(section.lines) - count:
            sections[index] = replace(section, lines=section.lines[:count])
            hidden[index] = words(Text("slack.more", {"count": rest, "link": card.link}), language)
    return replace(card, sections=tuple(sections)), hidden


def _pages(message: Message, head: list[Block], body: list[Block], tail: list[Block]) -> list[SlackMessage]:
    text = preview(message)
    if not (head or body or tail):
        return [SlackMessage(text)]
    if _fits(head, body, tail):
        return [SlackMessage(text, (*head, *body, *tail))]
    # Buttons belong to the message with the title, unless they leave no room in it.
    if measure(tail) + measure(head) > limits.MESSAGE_CHARACTERS // 2 or len(tail) + len(head) > 25:
        head, body, tail = [], [*head, *body, *tail], []
    pages: list[list[Block]] = []
    page, room = list(head), _room([*head, *tail])
    blocks_left = limits.MESSAGE_BLOCKS - len(head) - len(tail) - 1
    for one in body:
        size = measure(one)
        if size > room or not blocks_left:
            pages.append(page)
            page, room, blocks_left = [], _room([]), limits.MESSAGE_BLOCKS - 1
        page.append(one)
        room -= size
        blocks_left -= 1
    pages.append(page)
    if len(pages) == 1:
        return [SlackMessage(text, (*pages[0], *tail))]
    return [_marked(message, text, page, tail, index, len(pages)) for index, page in enumerate(pages)]


def _room(taken: list[Block]) -> int:
    return limits.MESSAGE_CHARACTERS - PREVIEW - MARKS - measure(taken)


def _marked(message: Message, text: str, page: list[Block], tail: list[Block], index: int, of: int) -> SlackMessage:
    """One of several messages, with its number and, on the first, where it goes on."""
    title = shorten(_headline(message.card), 120) if message.card else ""
    params = {"part": index + 1, "parts": of, "title": title}
    key = "slack.part" if index else "slack.continues"
    mark = words(Text(key, params), message.language)
    note = block("context", elements=[pieces.plain(mark)])
    if index:
        return SlackMessage(escape(mark), (note, *page))
    return SlackMessage(text, (*page, note, *tail))
