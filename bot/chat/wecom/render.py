"""The neutral card as WeCom message bodies: template cards for members, markdown for group robots, plain text.

Every function returns request bodies without addressee. Limits: developer pages 90236 (app messages) and 91770 (group
robots). What a template card has no room for follows whole in markdown messages; a card says so.
"""

import base64
import hashlib
import re
import unicodedata
from dataclasses import dataclass, replace
from typing import Any

import orjson

from bot.chat.spoken import spoken
from bot.chat.wecom.markdown import LAMP, card_lines
from bot.chat.wecom.words import (
    ROBOT_MARKDOWN_BYTES,
    TEXT_BYTES,
    Line,
    Marks,
    is_exact,
    lines_of,
    mention,
    safe_url,
    size,
    split,
    tame,
    tame_line,
)
from bot.delivery.chat import Refused
from bot.model.card import Button, Card, Facts, Items, Paragraph, Quote, Section, Whole, has_whole, without_whole
from bot.model.grade import Grade
from bot.model.message import Message
from bot.model.text import Text
from bot.texts import render

Body = dict[str, Any]

MAX_BUTTONS = 6
MAX_MENU_ACTIONS = 3
MAX_ROWS = 6
KEY_BYTES = 1024
TASK_ID_BYTES = 128
# What clients show; the page calls these "suggested", beyond them they cut with an ellipsis of their own.
TITLE_CHARACTERS = 36
SUBTITLE_CHARACTERS = 44
LABEL_WIDTH = 10  # the page says five characters and means Chinese ones
VALUE_CHARACTERS = 30
QUOTE_CHARACTERS = 150
TEXT_CHARACTERS = 160
SOURCE_CHARACTERS = 13

_SOURCE_COLOUR = {Grade.NONE: 0, Grade.BLUE: 3, Grade.YELLOW: 1, Grade.ORANGE: 2, Grade.RED: 2}
_BUTTON_STYLE = {"primary": 1, "default": 2, "danger": 3}


@dataclass(frozen=True, slots=True)
class Wording:
    """Keys below ``wecom.`` for what a card says about its rest, by where it is read."""

    follows: str = "full_text_follows"
    on_request: str = "full_text_on_request"
    also: str = "also_reply"


TO_MEMBERS = Wording()


@dataclass(frozen=True, slots=True)
class Posting:
    """What one message becomes. ``card`` is the template card, ``None`` where none is sent; ``rest`` are the text
    bodies that follow it (or stand alone), in order."""

    card: Body | None
    rest: tuple[Body, ...]

    @property
    def bodies(self) -> list[Body]:
        card = [{"msgtype": "template_card", "template_card": self.card}] if self.card else []
        return [*card, *self.rest]


def anchor_of(message: Message, key: str) -> str:
    """The stable part of a message's task ids: the same for every card of one object in one place."""
    seed = f"{message.destination.partition('#')[0]}\n{message.object or key}"
    word = re.sub(r"[^0-9A-Za-z_-]+", "-", message.object)[:40].strip("-") or "message"
    return f"{word}_{hashlib.sha256(seed.encode()).hexdigest()[:12]}"


def task_id_of(message: Message, key: str) -> str:
    """``<anchor>@<revision>``: unique per outbox row and what it says, the same when that is sent again."""
    return f"{anchor_of(message, key)}@{revision_of(message, key)[:16]}"


def revision_of(message: Message, key: str) -> str:
    """A digest of an outbox row and its message; a waiting row may get a newer message under the same key."""
    return hashlib.sha256(key.encode() + b"\n" + orjson.dumps(message.to_json())).hexdigest()


def gist_of(card: Card) -> str:
    """A digest of what a member must not miss: grade and choices, without the figures that change all the time."""
    parts = [card.grade.word, card.grade_label, card.drill, *(button.command for button in card.buttons)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def member_posting(message: Message, task_id: str, *, interactive: bool = True) -> Posting:
    """A new app message: a template card where there is something to press or open, markdown otherwise.

    ``interactive`` says whether presses and replies can be received at all."""
    if message.verbatim:
        return Posting(None, (exact_body(message.text),))
    if message.card is None:
        return Posting(None, tuple(text_bodies(message.text, message.language)))
    shown = message.card if interactive else replace(message.card, buttons=(), object="")
    shown, texts = _apart(shown, message.language)
    card, complete = template_card(shown, message.language, task_id)
    if card is not None and complete:
        return Posting(card, texts)
    lines = card_lines(shown, message.language)
    if card is None:  # else the choices are on the card
        lines += choice_lines(shown, message.language, "also_reply")
    return Posting(card, (*texts, *markdown_bodies(lines, message.language, TEXT_BYTES)))


def member_revision(message: Message, task_id: str) -> Posting:
    """The same for a card that is rewritten in place, which is always a template card.

    WeCom tells nobody that a card was rewritten. So when the message has a reason to interrupt, a line about it
    follows, or the long text; without a reason nothing follows and the card says how to ask for the long text.
    """
    assert message.card is not None
    quiet = not message.reason
    shown, texts = _apart(message.card, message.language)
    card, complete = template_card(shown, message.language, task_id, revising=True, quiet=quiet)
    if quiet:
        return Posting(card, ())
    if complete:
        return Posting(card, texts or (_notice(shown, message.language),))
    return Posting(card, (*texts, *markdown_bodies(card_lines(shown, message.language), message.language, TEXT_BYTES)))


def _apart(card: Card, language: str) -> tuple[Card, tuple[Body, ...]]:
    """The card without the texts that must be shown whole, and each of them as one message of its own; one that does
    not fit into a message leaves its sentence on the card."""
    texts: list[Body] = []
    sections: list[Section] = []
    for section in card.sections:
        if isinstance(section, Whole):
            bodies = text_bodies(section.text, language)
            if len(bodies) == 1:
                texts.extend(bodies)
            else:
                sections.append(Paragraph(section.instead, strong=True))
        else:
            sections.append(section)
    return replace(card, sections=tuple(sections)), tuple(texts)


def _notice(card: Card, language: str) -> Body:
    """The line that rings the member's phone when a card above was rewritten."""
    parts = " ".join(filter(None, (tame_line(card.drill), tame_line(card.grade_label), tame_line(card.title))))
    headline = f"{LAMP.get(card.grade, '')}{_shorten(parts, TEXT_CHARACTERS)}"
    return {
        "msgtype": "text",
        "text": {"content": render(Text("wecom.card_changed", {"headline": headline}), language)},
    }


def robot_bodies(message: Message, *, interactive: bool = True) -> list[Body]:
    """A group robot's messages: markdown for a card, text otherwise; the mentions stand in the first one.

    A robot cannot take clicks, so the choices become commands to say to the app.
    """
    if message.verbatim:
        return [exact_body(message.text)]
    pings = " ".join(filter(None, map(mention, message.mentions)))
    if message.card is None:
        if not message.text.strip():
            return []
        lines = [*([Line(pings)] if pings else []), *lines_of(message.text)]
        return [{"msgtype": "text", "text": {"content": text}} for text in _cut(lines, message.language, TEXT_BYTES)]
    lines = card_lines(message.card, message.language)
    if interactive:
        lines += choice_lines(message.card, message.language, "act_in_app")
    if pings:
        lines.insert(1, Line(pings))
    bodies = markdown_bodies(lines, message.language, ROBOT_MARKDOWN_BYTES)
    if len(bodies) > 1 and has_whole(message.card):
        return robot_bodies(replace(message, card=without_whole(message.card)), interactive=interactive)
    return bodies


def robot_image_body(content: bytes) -> Body:
    """A picture as a group robot takes it: at most 2 MB before encoding, PNG or JPEG (page 91770)."""
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return {"msgtype": "image", "image": {"base64": base64.b64encode(content).decode(), "md5": digest}}


def text_bodies(text: str, language: str) -> list[Body]:
    """Plain text messages; none for no text."""
    if not text.strip():
        return []
    return [{"msgtype": "text", "text": {"content": part}} for part in _cut(lines_of(text), language, TEXT_BYTES)]


def exact_body(text: str) -> Body:
    """An approved text as one text message. Raises ``Refused`` where WeCom would not show exactly that: text messages
    know links and mentions in angle brackets, and nothing else (developer pages 90236 and 91770)."""
    if not is_exact(text):
        raise Refused("the approved text has characters that WeCom does not show as they are")
    if size(text) > TEXT_BYTES:
        raise Refused("the approved text does not fit into one message, and it is never split")
    return {"msgtype": "text", "text": {"content": text}}


def markdown_bodies(lines: list[Line], language: str, budget: int) -> list[Body]:
    return [{"msgtype": "markdown", "markdown": {"content": part}} for part in _cut(lines, language, budget)]


def template_card(
    card: Card,
    language: str,
    task_id: str,
    *,
    revising: bool = False,
    quiet: bool = False,
    wording: Wording = TO_MEMBERS,
) -> tuple[Body | None, bool]:
    """The template card, and whether it holds everything. ``None`` where the card has neither buttons nor a link."""
    pressed, menu, said = _choices(card)
    url = safe_url(card.link)
    show = _show(card, language)
    if revising and not pressed and not url and show:
        pressed = [show]  # an interactive card must keep a button, or it could not be rewritten into
    if not pressed and not url:
        return None, False
    body: Body = {"card_type": "button_interaction" if pressed else "text_notice", "task_id": task_id}
    if url:
        body["card_action"] = {"type": 1, "url": url}
    if pressed:
        body["button_list"] = [_button(button) for button in pressed]
    elif show:
        menu = [show]  # without it a notice gives no response code
    if menu:
        body["action_menu"] = _action_menu(menu, language)
    return body, _fill(body, card, language, said, show if quiet else None, wording, quiet=quiet)


def _fill(
    body: Body, card: Card, language: str, said: list[Button], show: Button | None, wording: Wording, *, quiet: bool
) -> bool:
    """Put title, facts, quotation and text into the card; returns whether all of it fits."""
    title, subtitle = tame_line(card.title), tame_line(card.subtitle)
    shown = [_shorten(title, TITLE_CHARACTERS) or render(Text("wecom.title"), language)]
    shown.append(_shorten(subtitle, SUBTITLE_CHARACTERS))
    complete = len(title) <= TITLE_CHARACTERS and len(subtitle) <= SUBTITLE_CHARACTERS
    body["source"] = {"desc": _source(card, language), "desc_color": _SOURCE_COLOUR[card.grade]}
    body["main_title"] = {"title": shown[0], **({"desc": shown[1]} if shown[1] else {})}
    rows, quotation, lines = _place(card)
    if rows:
        body["horizontal_content_list"] = [{"keyname": label, "value": value} for label, value in rows]
    if quotation:
        body["quote_area"] = _quote_area(quotation)
    hint = _hint(said, language, wording.also)
    full = "\n".join([*lines, *([hint] if hint else [])])
    if complete and len(full) <= TEXT_CHARACTERS:
        if full:
            body["sub_title_text"] = full
        return True
    if quiet:
        command = _in_words(show.command, language) if show else ""
        note = render(Text(f"wecom.{wording.on_request}", {"command": command}), language) if show else "…"
    else:
        note = render(Text(f"wecom.{wording.follows}"), language)
    body["sub_title_text"] = _excerpt(lines, hint, note)
    return False


def _place(card: Card) -> tuple[list[tuple[str, str]], Quote | None, list[str]]:
    """Which facts stand in rows, which quotation in its own area, and the lines of everything else."""
    rows: list[tuple[str, str]] = []
    quotation: Quote | None = None
    lines: list[str] = []
    for section in card.sections:
        if isinstance(section, Facts):
            for label, value in ((tame_line(label), tame_line(value)) for label, value in section.rows):
                if len(rows) < MAX_ROWS and 0 < _width(label) <= LABEL_WIDTH and len(value) <= VALUE_CHARACTERS:
                    rows.append((label, value))
                else:
                    lines.append(f"{label}: {value}")
        elif isinstance(section, Quote) and quotation is None and len(tame(section.text)) <= QUOTE_CHARACTERS:
            quotation = section
        else:
            lines.extend(_section_words(section))
    if card.footer:
        lines.append(tame_line(card.footer))
    return rows, quotation, [line for line in lines if line.strip()]


def _section_words(section: Section) -> list[str]:
    if isinstance(section, Paragraph | Whole):
        return tame(section.text).split("\n")
    if isinstance(section, Items):
        lines = [tame_line(section.title), *(f"· {tame_line(line)}" for line in section.lines)]
        return [*lines, tame_line(section.more)] if section.more else lines
    if isinstance(section, Quote):
        return [f"“{tame_line(section.text)}” {tame_line(section.source)}".rstrip()]
    return [f"{tame_line(label)}: {tame_line(value)}" for label, value in section.rows]


def _excerpt(lines: list[str], hint: str, note: str) -> str:
    """As many whole lines as fit above the note that says where the rest is."""
    tail = [note]
    if hint and len(hint) + len(note) + 1 <= TEXT_CHARACTERS // 2:
        tail.insert(0, hint)
    room = TEXT_CHARACTERS - sum(len(line) + 1 for line in tail)
    taken: list[str] = []
    for line in lines:
        if len(line) + 1 > room:
            break
        taken.append(line)
        room -= len(line) + 1
    if not taken and lines and room > 20:
        taken.append(_shorten(lines[0], room - 1))
    return "\n".join([*taken, *tail])


def _shorten(text: str, characters: int) -> str:
    return text if len(text) <= characters else text[: characters - 1] + "…"


def _width(text: str) -> int:
    """Columns on the screen: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _source(card: Card, language: str) -> str:
    name = render(Text("wecom.product"), language)
    mark = " · ".join(filter(None, (tame_line(card.drill), tame_line(card.grade_label))))
    full = f"{name} · {mark}" if mark else name
    return full if len(full) <= SOURCE_CHARACTERS else _shorten(mark or name, SOURCE_CHARACTERS)


def _quote_area(quotation: Quote) -> Body:
    area: Body = {"quote_text": tame(quotation.text)}
    if quotation.source:
        area["title"] = tame_line(quotation.source)
    url = safe_url(quotation.url)
    return {"type": 1, "url": url, **area} if url else {"type": 0, **area}


def _button(button: Button) -> Body:
    return {"text": tame_line(button.label), "style": _BUTTON_STYLE.get(button.style, 2), "key": button.command}


def _action_menu(buttons: list[Button], language: str) -> Body:
    return {
        "desc": render(Text("wecom.more_actions"), language),
        "action_list": [{"text": tame_line(button.label), "key": button.command} for button in buttons],
    }


def _show(card: Card, language: str) -> Button | None:
    """Asking for the whole object, where it has a name that a command can use."""
    name = card.object.partition(":")[2]
    return Button(render(Text("wecom.show"), language), f"show {name}") if name else None


def _choices(card: Card) -> tuple[list[Button], list[Button], list[Button]]:
    """Buttons to press, those for the card's menu, and those to be said in words as well: WeCom has no forms, six
    places, three in the menu, and keys of 1,024 bytes."""
    fit: list[Button] = []
    for button in card.buttons:
        known = any(one.command == button.command for one in fit)  # keys are unique on a card
        if not known and 0 < size(button.command) <= KEY_BYTES and tame_line(button.label):
            fit.append(button)
    ordered = sorted(fit, key=lambda button: bool(button.form))
    pressed = sorted(ordered[:MAX_BUTTONS], key=card.buttons.index)
    keys = {button.command for button in pressed}
    said = [button for button in card.buttons if button.form or button.command not in keys]
    menu = [button for button in ordered[MAX_BUTTONS:] if not button.form][:MAX_MENU_ACTIONS]
    return pressed, menu, [button for button in said if button.command]


def _hint(buttons: list[Button], language: str, key: str) -> str:
    if not buttons:
        return ""
    said = [_in_words(button.command, language) + (" …" if button.form else "") for button in buttons]
    return render(Text(f"wecom.{key}", {"commands": said}), language)


def _in_words(command: str, language: str) -> str:
    """The command line with its name in the member's language, where the registry knows such a word."""
    return tame_line(spoken(command, language))


def choice_lines(card: Card, language: str, key: str) -> list[Line]:
    hint = _hint(list(card.buttons), language, key)
    return [Line(hint, '<font color="comment">', "</font>")] if hint else []


def _cut(lines: list[Line], language: str, budget: int) -> list[str]:
    return split(lines, budget, _marks(language))


def _marks(language: str) -> Marks:
    def marks(part: int, total: int) -> tuple[str, str]:
        numbers = {"part": part, "total": total}
        head = render(Text("wecom.part_continued", numbers), language) if part > 1 else ""
        tail = render(Text("wecom.part_continues", numbers), language) if part < total else ""
        return head, tail

    return marks
