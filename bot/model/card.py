"""The neutral card: what a message shows and offers, before any chat renders it.

All strings are plain text without markup; escaping is each renderer's business, in one place.
"""

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from bot.model.grade import Grade


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: str
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """Label and value pairs, most important first."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Items:
    """A titled list; ``more`` says how many were left out and where they are, empty where none were."""

    title: str
    lines: tuple[str, ...]
    more: str = ""


@dataclass(frozen=True, slots=True)
class Quote:
    """Collected text, hostile until escaped. ``source`` says who said it where; ``url`` links to it."""

    text: str
    source: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Whole:
    """A text that people decide about: shown whole in one message or not at all. Where it does not fit, ``instead``
    stands in its place: it names the digest and where the whole text is."""

    text: str
    instead: str


Section = Paragraph | Facts | Items | Quote | Whole


@dataclass(frozen=True, slots=True)
class Button:
    """``command`` is the line that pressing it says, for example ``ack I-12``; ``form`` names a registered form to
    open first, whose fields are appended; ``confirm`` asks before."""

    label: str
    command: str
    style: str = "default"  # default | primary | danger
    confirm: str = ""
    form: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """``object`` identifies what is shown (``incident:I-12``): the same object in the same place is rewritten."""

    title: str
    object: str = ""
    grade: Grade = Grade.NONE
    grade_label: str = ""
    subtitle: str = ""
    sections: tuple[Section, ...] = ()
    buttons: tuple[Button, ...] = ()
    footer: str = ""
    link: str = ""
    drill: str = ""  # the mark shown on everything that belongs to a drill, empty in the real world

    def to_json(self) -> dict[str, Any]:
        data = asdict(self)
        data["grade"] = self.grade.word
        data["sections"] = [{"kind": type(section).__name__.lower(), **asdict(section)} for section in self.sections]
        return data

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Card":
        return cls(
            title=data["title"],
            object=data.get("object", ""),
            grade=Grade.from_word(data.get("grade", "none")),
            grade_label=data.get("grade_label", ""),
            subtitle=data.get("subtitle", ""),
            sections=tuple(_section(section) for section in data.get("sections", ())),
            buttons=tuple(Button(**button) for button in data.get("buttons", ())),
            footer=data.get("footer", ""),
            link=data.get("link", ""),
            drill=data.get("drill", ""),
        )

    def plain(self) -> str:
        """The card as plain text: the fallback of every chat, the body of SMS and text e-mail."""
        lines = [" ".join(part for part in (self.drill, self.grade_label, self.title) if part)]
        if self.subtitle:
            lines.append(self.subtitle)
        for section in self.sections:
            lines.extend(_plain_section(section))
        if self.footer:
            lines.append(self.footer)
        if self.link:
            lines.append(self.link)
        return "\n".join(lines)


def without_whole(card: Card) -> Card:
    """The card with the sentence that stands instead of each text it cannot show whole."""
    return replace(card, sections=tuple(
        Paragraph(section.instead, strong=True) if isinstance(section, Whole) else section for section in card.sections
    ))  # fmt: skip


def has_whole(card: Card) -> bool:
    return any(isinstance(section, Whole) for section in card.sections)


@dataclass(frozen=True, slots=True)
class FormField:
    """``kind``: text, multiline, choice or person; ``options`` are (value, label) pairs of a choice."""

    name: str
    label: str
    kind: str = "text"
    required: bool = True
    placeholder: str = ""
    options: tuple[tuple[str, str], ...] = ()
    initial: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """A form a chat can open. Submitting it says ``command`` with the fields beside it."""

    id: str
    title: str
    command: str
    fields: tuple[FormField, ...] = field(default=())
    submit: str = ""
    cancel: str = ""


def _section(data: dict[str, Any]) -> Section:
    kind = data["kind"]
    if kind == "paragraph":
        return Paragraph(data["text"], bool(data.get("strong")))
    if kind == "facts":
        return Facts(tuple((str(row[0]), str(row[1])) for row in data["rows"]))
    if kind == "items":
        return Items(data["title"], tuple(data["lines"]), data.get("more", ""))
    if kind == "quote":
        return Quote(data["text"], data.get("source", ""), data.get("url", ""))
    if kind == "whole":
        return Whole(data["text"], data["instead"])
    raise ValueError(f"unknown card section {kind!r}")


def _plain_section(section: Section) -> list[str]:
    if isinstance(section, Paragraph | Whole):
        return [section.text]
    if isinstance(section, Facts):
        return [f"{label}: {value}" for label, value in section.rows]
    if isinstance(section, Items):
        lines = [section.title, *(f"- {line}" for line in section.lines)]
        return [*lines, section.more] if section.more else lines
    return [f"“{section.text}” {section.source}".rstrip()]
