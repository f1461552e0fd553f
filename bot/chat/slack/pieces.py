"""The building blocks of a rendered card. Text goes into plain_text and rich_text, which Slack never parses; mrkdwn is
used only where nothing else can do it, escaped and verbatim."""

from collections.abc import Sequence
from typing import Any

from bot.chat.slack import limits
from bot.chat.slack.limits import block, measure, shorten, split_text, units
from bot.chat.slack.safe import clean, escape, has_markup, mention, web_link
from bot.model.card import Button, Facts, Items, Paragraph, Quote, Section, Whole
from bot.model.text import Text
from bot.texts import render as words

Block = dict[str, Any]
GROUP = 5_000  # units of one block that holds several things: small enough to fill messages well


def plain(text: str) -> Block:
    return {"type": "plain_text", "text": text, "emoji": False}


def markup(text: str) -> Block:
    """mrkdwn that is already safe; verbatim, so that Slack adds no links and no mentions of its own."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def rich(*elements: Block) -> Block:
    return block("rich_text", elements=list(elements))


def span(text: str, **style: bool) -> Block:
    return {"type": "text", "text": text, **({"style": style} if style else {})}


def line(*spans: Block) -> Block:
    return {"type": "rich_text_section", "elements": list(spans)}


def paragraph(text: str, *, strong: bool = False) -> list[Block]:
    pieces = [piece for piece in split_text(clean(text)) if piece.strip()]
    if strong:
        return [rich(line(span(piece, bold=True))) for piece in pieces]
    return [block("section", text=plain(piece)) for piece in pieces]


def facts(section: Facts) -> list[Block]:
    blocks: list[Block] = []
    group: list[Block] = []

    def close() -> None:
        if group:
            blocks.append(block("section", fields=list(group)))
            group.clear()

    for label, value in section.rows:
        field = _fact(clean(label), clean(value))
        if field is None:
            close()
            blocks.extend(paragraph(label, strong=True) + paragraph(value))
            continue
        if len(group) == limits.FIELDS or measure(group) + measure(field) > GROUP:
            close()
        group.append(field)
    close()
    return blocks


def _fact(label: str, value: str) -> Block | None:
    """One field, ``None`` where it does not fit into one or has no two halves."""
    if not (label.strip() and value.strip()):
        return None
    bold = f"*{escape(label.strip())}*\n{escape(value)}"
    if units(bold) > limits.FIELD:
        return None
    if has_markup(label) or has_markup(value) or "\n" in label:
        return plain(f"{label}\n{value}")
    return markup(bold)


def items(section: Items, hidden: str = "") -> list[Block]:
    """A list under its title; ``hidden`` says how many more there are and where."""
    blocks = paragraph(section.title, strong=True)
    group: list[Block] = []
    for entry in section.lines:
        for index, piece in enumerate(one for one in split_text(clean(entry)) if one.strip()):
            element = line(span(piece))
            if index:  # the rest of an entry that is longer than a block: no bullet of its own
                blocks.extend([*_list(group), rich(element)])
                group = []
                continue
            if measure(group) + measure(element) > GROUP // 2:
                blocks.extend(_list(group))
                group = []
            group.append(element)
    blocks.extend(_list(group))
    for rest in (section.more, hidden):
        blocks.extend(rich(line(span(piece, italic=True))) for piece in split_text(clean(rest)) if piece.strip())
    return blocks


def _list(entries: list[Block]) -> list[Block]:
    return [rich({"type": "rich_text_list", "style": "bullet", "elements": entries})] if entries else []


def quote(section: Quote) -> list[Block]:
    blocks = [
        rich({"type": "rich_text_quote", "elements": [span(piece)]})
        for piece in split_text(clean(section.text))
        if piece.strip()
    ]
    link = web_link(section.url)
    source = clean(section.source).strip()
    if link and units(link) <= limits.LINK:
        label = source or link
        head, *rest = split_text(label)
        blocks.append(rich(line(span("— "), {"type": "link", "url": link, "text": head})))
        return [*blocks, *(rich(line(span(piece))) for piece in rest)]
    for text in (f"— {source}" if source else "", section.url):
        blocks.extend(rich(line(span(piece))) for piece in split_text(clean(text)) if piece.strip())
    return blocks


def whole(section: Whole) -> list[Block]:
    """The text between two lines, so that nobody takes anything around it for a part of it."""
    return [block("divider"), *paragraph(section.text), block("divider")]


def of_section(section: Section, hidden: str = "") -> list[Block]:
    if isinstance(section, Whole):
        return whole(section)
    if isinstance(section, Paragraph):
        return paragraph(section.text, strong=section.strong)
    if isinstance(section, Facts):
        return facts(section)
    if isinstance(section, Items):
        return items(section, hidden)
    return quote(section)


def mentions(accounts: Sequence[str]) -> list[Block]:
    """The accounts to ping, in as many sections as they need."""
    rows: list[str] = []
    for account in accounts:
        ping = mention(shorten(account, 200))
        if rows and units(rows[-1]) + units(ping) < limits.CHUNK:
            rows[-1] += " " + ping
        else:
            rows.append(ping)
    return [block("section", text=markup(row)) for row in rows]


def buttons(offered: Sequence[Button], language: str) -> tuple[list[Block], list[str]]:
    """Rows of buttons, and lines for what a button cannot hold: a longer label, question or command."""
    rows: list[Block] = []
    notes: list[str] = []
    group: list[Block] = []
    for index, button in enumerate(offered):
        if units(clean(button.command)) > limits.BUTTON_VALUE:
            notes.append(words(Text("slack.say", {"label": button.label, "command": button.command}), language))
            continue
        element, lost = _button(button, index, language)
        notes.extend(lost)
        if len(group) == limits.BUTTONS or measure(group) + measure(element) > GROUP:
            rows.append(block("actions", elements=group))
            group = []
        group.append(element)
    if group:
        rows.append(block("actions", elements=group))
    return rows, notes


def _button(button: Button, index: int, language: str) -> tuple[Block, list[str]]:
    notes = []
    label = clean(button.label).strip() or clean(button.command).strip() or limits.ELLIPSIS
    short = shorten(label, limits.BUTTON_LABEL)
    if short != label:
        notes.append(words(Text("slack.button", {"short": short, "whole": label}), language))
    action = f"form:{button.form}:{index}" if button.form else f"say:{index}"
    element: Block = {"type": "button", "text": plain(short), "action_id": shorten(action, limits.IDENTIFIER)}
    if command := clean(button.command).strip():
        element["value"] = command
    if button.style in ("primary", "danger"):
        element["style"] = button.style
    if question := clean(button.confirm).strip():
        asked = shorten(question, limits.CONFIRM_TEXT)
        if asked != question:
            notes.append(words(Text("slack.button", {"short": short, "whole": question}), language))
        element["confirm"] = {
            "title": plain(words(Text("slack.confirm.title"), language)),
            "text": plain(asked),
            "confirm": plain(shorten(label, limits.CONFIRM_BUTTON)),
            "deny": plain(words(Text("slack.confirm.no"), language)),
        }
    return element, notes


def footer(text: str, link: str, language: str) -> list[Block]:
    """The small line at the foot: footer and link; what is too long for it stands in sections."""
    blocks: list[Block] = []
    elements: list[Block] = []
    text = clean(text).strip()
    if text and units(text) <= limits.CHUNK:
        elements.append(plain(text))
    else:
        blocks.extend(paragraph(text))
    address = web_link(link)
    if address and units(address) <= limits.LINK:
        elements.append(markup(f"<{address}|{escape(words(Text('slack.open'), language))}>"))
    elif link.strip():
        blocks.extend(paragraph(link))
    return [*blocks, block("context", elements=elements)] if elements else blocks
