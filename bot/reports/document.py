"""A document of plain blocks, which become a page (``document_html``) or a PDF (``document_pdf``). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from bot.model.text import Text
from bot.texts import render

BlockKind = Literal[
    "title", "subtitle", "heading", "facts", "figures", "text", "table", "change", "paragraph", "code", "picture",
    "links", "items", "mark",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Block:
    """``rows`` of facts (label, value), figures (label, value, remark), tables (the first one is the head), changes
    (mark, words), links (words, address) and items (words, address or nothing); ``text`` of everything else. A picture
    is a PNG in base64 in ``data`` with its description in ``text``; a mark stands on every page (a drill's)."""

    kind: BlockKind
    text: str = ""
    rows: tuple[tuple[str, ...], ...] = ()
    data: str = ""

    def to_json(self) -> list[Any]:
        return [self.kind, self.text, [list(row) for row in self.rows], self.data]

    @classmethod
    def from_json(cls, data: list[Any]) -> "Block":
        return cls(data[0], data[1], tuple(tuple(row) for row in data[2]), data[3])


@dataclass(slots=True)
class Writer:
    """Collects blocks in one language."""

    language: str
    blocks: list[Block] = field(default_factory=list)

    def say(self, text: Text | str) -> str:
        return render(text, self.language)

    def add(self, kind: BlockKind, text: Text | str = "", rows: Sequence[Sequence[Text | str]] = ()) -> None:
        """One block; its rows may be texts still."""
        self.blocks.append(Block(kind, self.say(text), tuple(tuple(self.say(cell) for cell in row) for row in rows)))

    def picture(self, data: str, caption: Text | str) -> None:
        """``data`` is a PNG in base64; nothing where there is no picture."""
        if data:
            self.blocks.append(Block("picture", self.say(caption), data=data))
