"""A document as PDF. Cutting the font takes seconds of computing, so ``make`` does it in a child process:
``python -m bot.reports.document_pdf`` reads the blocks as JSON and writes the PDF."""

import asyncio
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE
from base64 import b64decode
from collections.abc import Sequence
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson

from bot.model.text import Text
from bot.reports import pdf_font
from bot.reports.document import Block
from bot.texts import render

WITHIN = 90.0  # seconds; a long file takes about ten
FAMILY = "cjk"
BODY, SMALL, TINY = 10.5, 9.0, 7.5
LINE = 1.55  # of the letter size
POINT = 0.3528  # millimetres
FIGURES_ABREAST, FIGURE_HEIGHT = 3, 19.0
GREEN, RED, GREY, BLACK, PALE = (15, 81, 50), (138, 31, 31), (87, 96, 106), (28, 33, 40), (246, 248, 250)
BOLD_KINDS = ("title", "heading", "figures", "mark")


class PdfFailed(RuntimeError):
    """The PDF could not be made; the message says why."""


async def make(blocks: Sequence[Block], language: str, name: str, sealed: bytes, made_at: int) -> bytes:
    """The PDF, with ``sealed`` (the bytes of a digest, if there are any) attached as ``<name>.json``. Raises
    ``PdfFailed``."""
    question = {
        "blocks": [block.to_json() for block in blocks], "language": language, "name": name,
        "sealed": sealed.decode(), "made_at": made_at,
    }  # fmt: skip
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot.reports.document_pdf", stdin=PIPE, stdout=PIPE, stderr=DEVNULL
    )
    try:
        answer, _ = await asyncio.wait_for(child.communicate(orjson.dumps(question)), WITHIN)
    except TimeoutError:
        raise PdfFailed(f"not done within {WITHIN:.0f} s") from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode or not answer.startswith(b"%PDF"):
        raise PdfFailed(f"the process that makes it ended with {child.returncode}")
    return answer


def draw(blocks: Sequence[Block], language: str, name: str, sealed: bytes, made_at: int) -> bytes:
    """The PDF itself; see ``make``."""
    from fpdf import FPDF

    everything = "".join(_words(block) for block in blocks) + render(Text("export.no_glyph"), language)
    footer = render(Text("export.page", {"page": "0123456789"}), language)
    lacking = pdf_font.missing(everything)

    mark = next((block.text for block in blocks if block.kind == "mark"), "")

    class Paper(FPDF):
        def header(self) -> None:
            if mark:
                self.set_font(FAMILY, "B", SMALL)
                self.set_text_color(*RED)
                self.cell(0, 5, mark, align="R", new_x="LMARGIN", new_y="NEXT")

        def footer(self) -> None:
            self.set_y(-12)
            self.set_font(FAMILY, size=TINY)
            self.set_text_color(*GREY)
            page = render(Text("export.page", {"page": self.page_no()}), language)
            self.cell(0, 5, f"{name}   {page}", align="C")

    paper = Paper(format="A4")
    paper.set_creation_date(datetime.fromtimestamp(made_at / 1000, UTC))
    paper.set_title(name)
    paper.set_lang(language)
    paper.set_margins(18, 16, 18)
    paper.set_auto_page_break(True, margin=18)
    bold = "".join(_words(block) for block in blocks if block.kind in BOLD_KINDS)
    heads = "".join("".join(block.rows[0]) for block in blocks if block.kind == "table" and block.rows)
    with tempfile.TemporaryDirectory() as folder:
        for style, characters, weight in (
            ("", everything + footer + name + "[]U+0123456789ABCDEF", pdf_font.REGULAR),
            ("B", bold + heads + name + "[]U+0123456789ABCDEF", pdf_font.BOLD),
        ):
            file = Path(folder) / f"cjk{style}.ttf"
            file.write_bytes(pdf_font.cut(set(characters), weight))
            paper.add_font(FAMILY, style, file)
        paper.add_page()
        _Page(paper, lacking).blocks(blocks)
        if lacking:
            _Page(paper, lacking).paragraph(render(Text("export.no_glyph"), language), SMALL, GREY)
        if sealed:
            paper.embed_file(basename=f"{name}.json", bytes=sealed, desc="digest")
        return bytes(paper.output())


class _Page:
    """Writes blocks onto the paper."""

    def __init__(self, paper: Any, lacking: set[str]) -> None:
        self._paper = paper
        self._spelt = {ord(character): f"[U+{ord(character):04X}]" for character in lacking}

    def blocks(self, blocks: Sequence[Block]) -> None:
        for block in blocks:
            match block.kind:
                case "title":
                    self.paragraph(block.text, 18, BLACK, "B")
                case "heading":
                    self._heading(block.text)
                case "figures":
                    self._figures(block.rows)
                case "picture":
                    self._picture(block)
                case "links" | "items":
                    self._items(block.rows)
                case "mark":
                    pass  # in the head of every page
                case "facts":
                    self._facts(block.rows)
                case "text":
                    self._boxed(block.text, BODY)
                case "code":
                    self._boxed(block.text, TINY)
                case "table":
                    self._table(block.rows)
                case "change":
                    self._change(block.rows)
                case _:
                    self.paragraph(block.text, SMALL, GREY)

    def paragraph(self, text: str, size: float, colour: tuple[int, int, int], style: str = "") -> None:
        paper = self._paper
        paper.set_font(FAMILY, style, size)
        paper.set_text_color(*colour)
        paper.multi_cell(0, _line(size), self._shown(text), align="L", new_x="LMARGIN", new_y="NEXT", wrapmode="CHAR")
        paper.ln(1)

    def _heading(self, text: str) -> None:
        paper = self._paper
        paper.ln(4)
        if paper.will_page_break(24):  # a heading never stands alone at the foot of a page
            paper.add_page()
        self.paragraph(text, 13, BLACK, "B")

    def _facts(self, rows: Sequence[Sequence[str]]) -> None:
        paper = self._paper
        for label, value in rows:
            paper.set_font(FAMILY, size=SMALL)
            paper.set_text_color(*GREY)
            paper.cell(32, _line(SMALL), self._shown(label))
            paper.set_text_color(*BLACK)
            paper.multi_cell(
                0, _line(SMALL), self._shown(value), align="L", new_x="LMARGIN", new_y="NEXT", wrapmode="CHAR"
            )
        paper.ln(1)

    def _figures(self, rows: Sequence[Sequence[str]]) -> None:
        """Numbers in a row of boxes, three beside each other."""
        paper = self._paper
        width = paper.epw / FIGURES_ABREAST
        for start in range(0, len(rows), FIGURES_ABREAST):
            if paper.will_page_break(FIGURE_HEIGHT):
                paper.add_page()
            left, top = paper.l_margin, paper.get_y()
            for place, (label, value, remark) in enumerate(rows[start : start + FIGURES_ABREAST]):
                for words, size, style, colour, down in (
                    (label, TINY, "", GREY, 0.0), (value, 15, "B", BLACK, 4.5), (remark, TINY, "", GREY, 12.5),
                ):  # fmt: skip
                    paper.set_xy(left + place * width, top + down)
                    paper.set_font(FAMILY, style, size)
                    paper.set_text_color(*colour)
                    paper.multi_cell(width - 2, _line(size), self._shown(words), align="L", wrapmode="CHAR")
            paper.set_xy(left, top + FIGURE_HEIGHT)
        paper.ln(1)

    def _picture(self, block: Block) -> None:
        paper = self._paper
        content = BytesIO(b64decode(block.data))
        shown = paper.image(content, w=paper.epw, keep_aspect_ratio=True, alt_text=block.text)
        del shown
        self.paragraph(block.text, TINY, GREY)

    def _items(self, rows: Sequence[Sequence[str]]) -> None:
        """A list; an address stands behind its words, since paper cannot be clicked."""
        for words, address in rows:
            behind = f" ({address})" if address.startswith("http") else ""
            self.paragraph(f"· {words}{behind}", SMALL, BLACK)

    def _boxed(self, text: str, size: float) -> None:
        paper = self._paper
        paper.set_font(FAMILY, size=size)
        paper.set_text_color(*BLACK)
        paper.set_fill_color(*PALE)
        paper.multi_cell(
            0, _line(size), self._shown(text), align="L", fill=True, padding=2, new_x="LMARGIN", new_y="NEXT",
            wrapmode="CHAR",
        )  # fmt: skip
        paper.ln(1.5)

    def _table(self, rows: Sequence[Sequence[str]]) -> None:
        from fpdf.fonts import FontFace

        paper = self._paper
        size = TINY if len(rows[0]) > 6 else SMALL - 0.5
        paper.set_font(FAMILY, size=size)
        paper.set_text_color(*BLACK)
        paper.set_draw_color(216, 222, 228)
        head = FontFace(emphasis="BOLD", color=GREY)
        with paper.table(
            headings_style=head, line_height=_line(size), align="LEFT", text_align="LEFT", padding=1,
            borders_layout="HORIZONTAL_LINES", col_widths=_widths(rows), wrapmode="CHAR",
        ) as table:  # fmt: skip
            for row in rows:
                line = table.row()
                for cell in row:
                    line.cell(self._shown(cell))
        paper.ln(2)

    def _change(self, rows: Sequence[Sequence[str]]) -> None:
        """Kept, added (underlined) and removed (struck out) words in one flow: told apart without colours too."""
        paper = self._paper
        paper.set_font(FAMILY, size=SMALL)
        for mark, words in rows:
            paper.set_text_color(*(GREEN if mark == "+" else RED if mark == "-" else BLACK))
            paper.set_font(FAMILY, style="U" if mark == "+" else "S" if mark == "-" else "", size=SMALL)
            paper.write(_line(SMALL), self._shown(words), wrapmode="CHAR")
        paper.set_font(FAMILY, size=SMALL)
        paper.ln(_line(SMALL) + 2)

    def _shown(self, text: str) -> str:
        """The text with what the font lacks written out; line ends as the library knows them."""
        return text.replace("\r\n", "\n").replace("\r", "\n").translate(self._spelt)


def _widths(rows: Sequence[Sequence[str]]) -> tuple[int, ...]:
    """Shares of the width by what stands in the columns: none starves, none takes all."""
    longest = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return tuple(min(40, max(9, size)) for size in longest)


def _line(size: float) -> float:
    return size * POINT * LINE


def _words(block: Block) -> str:
    return block.text + "".join("".join(row) for row in block.rows)


def _main() -> None:
    question = orjson.loads(sys.stdin.buffer.read())
    blocks = [Block.from_json(block) for block in question["blocks"]]
    made = draw(blocks, question["language"], question["name"], question["sealed"].encode(), question["made_at"])
    sys.stdout.buffer.write(made)


if __name__ == "__main__":
    _main()
