"""The neutral card for a WeCom group in which the smart robot sits: markdown and template cards of aibot_send_msg.

``text`` is refused there (40008, seen by public users), so everything said is markdown. The template cards are those of
app messages (pages 101031 and 90236 describe the same structure). What a card has no room for stands whole in markdown
messages *above* it, so that whoever reaches its buttons has read it.
"""

import hashlib
import re
from dataclasses import replace

import orjson

from bot.chat.wecom.aibot_frames import MARKDOWN_BYTES
from bot.chat.wecom.markdown import LAMP, card_lines
from bot.chat.wecom.render import Body, Wording, choice_lines, gist_of, markdown_bodies, template_card
from bot.chat.wecom.words import Line, lines_of, mention, size, tame_line
from bot.model.card import Card, Facts, Section, has_whole, without_whole
from bot.model.message import Message
from bot.model.text import Text
from bot.texts import render

IN_GROUPS = Wording("full_text_above", "full_text_on_mention", "also_mention")
# A text that is approved is read in one piece or not here.
WHOLE = "statement:"
SHORT_SECTION_BYTES = 600
BUTTON_CHARACTERS = 10
# The smart robot's markdown has no font colours (page 101138), but rules, tables and strike-through.
# Whether a single line feed breaks a line there, no page says; two spaces before it do in every markdown.
_BREAK = "  "
_FONT = re.compile(r"</?font[^>]*>")
_RULE = re.compile(r"^\s*(?:[-=_]\s*){3,}$")
_RULE_TWINS = str.maketrans({"-": "－", "=": "＝", "_": "＿"})


def digest_of(card: Card) -> str:
    """What stands on a card, all of it: two cards of one digest look the same."""
    return hashlib.sha256(orjson.dumps(card.to_json())).hexdigest()[:16]


def worth_a_new_card(message: Message, gist: str) -> bool:
    """Whether a change is worth another card in a group, where nothing older than five seconds can be rewritten:
    what has a reason is; else a changed grade, state or decision, but not every tick of a checklist."""
    assert message.card is not None
    return bool(message.reason) or (gist_of(message.card) != gist and not message.object.startswith("run:"))


def group_bodies(message: Message, task_id: str, *, mentions: tuple[str, ...] = ()) -> list[Body]:
    """The messages that a message becomes, in order; the last one is the card with its buttons, if there is one."""
    language = message.language
    pings = " ".join(filter(None, map(mention, dict.fromkeys(mentions))))
    if message.card is None:
        lines = group_lines(lines_of(message.text)) if message.text.strip() else []
        called = [Line(pings + _BREAK), *lines] if pings else lines
        return markdown_bodies(called, language, MARKDOWN_BYTES) if lines else []
    card, complete = template_card(message.card, language, task_id, wording=IN_GROUPS)
    parts: list[list[Line]] = []
    if card is None or not complete:
        parts.append(_whole_lines(message))
        if card is None:  # else the choices are on the card
            parts.append(group_lines(choice_lines(message.card, language, IN_GROUPS.also)))
    elif pings:
        parts.append([Line(_headline(message.card))])
    if parts and pings:
        parts.insert(0, [Line(pings + _BREAK)])
    if not message.object.startswith(WHOLE):  # what is approved shares its message with nothing
        parts = [[line for part in parts for line in part]]
    bodies = [body for part in parts if part for body in markdown_bodies(part, language, MARKDOWN_BYTES)]
    return [*bodies, *([{"msgtype": "template_card", "template_card": card}] if card else [])]


def answer_card(card: Card, language: str, task_id: str, pressed: str, note: str) -> Body | None:
    """The card with which a press is answered within five seconds: the newest state, and who pressed what.

    ``task_id`` is that of the pressed card: the update must name it (page 101463)."""
    subtitle = " · ".join(filter(None, (note, card.subtitle)))
    shown = replace(card, subtitle=subtitle)
    body, _ = template_card(shown, language, task_id, revising=True, quiet=True, wording=IN_GROUPS)
    for button in (body or {}).get("button_list", []):
        if button.get("key") == pressed:
            button["text"] = f"✓ {button['text']}"[:BUTTON_CHARACTERS]
            button["style"] = 2
    return body


def group_lines(lines: list[Line]) -> list[Line]:
    """Lines as the smart robot's markdown takes them."""
    return [_line(line) if str(line) else line for line in lines]


def _line(line: Line) -> Line:
    return Line(_plain(line.text), _markup(line.before), _markup(line.after) + _BREAK)


def _plain(text: str) -> str:
    text = text.replace("~~", "～～")
    return text.translate(_RULE_TWINS) if _RULE.fullmatch(text) else text


def _markup(ours: str) -> str:
    """Our own markup without colours; the words of a link are collected text, its address is not touched."""
    label, mark, address = _FONT.sub("", ours).partition("](")
    return label.replace("~~", "～～") + mark + address


def _whole_lines(message: Message) -> list[Line]:
    """The whole card as markdown lines. A text to be approved that one message cannot hold is not split: what is short
    stays, and the reader is sent to the place where the whole of it stands."""
    assert message.card is not None
    lines = group_lines(card_lines(message.card, message.language))
    needed = size("\n".join(map(str, lines)))
    if not message.object.startswith(WHOLE) or needed <= MARKDOWN_BYTES:
        return lines
    if has_whole(message.card):
        return _whole_lines(replace(message, card=without_whole(message.card)))
    kept = tuple(section for section in message.card.sections if _is_short(section))
    short = replace(message.card, sections=kept)
    if size("\n".join(map(str, card_lines(short, message.language)))) > MARKDOWN_BYTES - SHORT_SECTION_BYTES:
        short = replace(message.card, sections=tuple(one for one in kept if isinstance(one, Facts)))
    key = "wecom.whole_text_at_link" if message.card.link else "wecom.whole_text_in_console"
    note = render(Text(key, {"bytes": needed, "limit": MARKDOWN_BYTES}), message.language)
    return group_lines([*card_lines(short, message.language), Line(note, "**", "**")])


def _is_short(section: Section) -> bool:
    return size(Card("", sections=(section,)).plain()) <= SHORT_SECTION_BYTES


def _headline(card: Card) -> str:
    parts = " ".join(filter(None, (tame_line(card.drill), tame_line(card.grade_label), tame_line(card.title))))
    return f"{LAMP.get(card.grade, '')}{parts}"
