"""Noto Sans CJK for PDF files: the characters a document needs, cut out of the variable font at a fixed weight.

PDF libraries embed TrueType outlines; the package's font has cubic ones in a collection with a weight axis. Only the
wanted characters are drawn at the wanted weight and written as a small TrueType font: a few seconds of work for a long
Chinese document, so it belongs into a process of its own.
"""

from collections.abc import Collection, Mapping
from functools import cache
from io import BytesIO
from typing import Any

from bot.reports.fonts import FILE, SIMPLIFIED

REGULAR, BOLD = 400, 700
TOLERANCE = 1.0  # of the 1000 units of the letter square: the curves' largest deviation


def missing(text: str) -> set[str]:
    """Characters that the font cannot draw, line feeds and blanks aside."""
    known = _characters()
    return {character for character in set(text) if ord(character) not in known and not character.isspace()}


def cut(characters: Collection[str], weight: int) -> bytes:
    """A TrueType font with these characters, as far as there are outlines for them."""
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.cu2quPen import Cu2QuPen
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    font = _font()
    known = _characters()
    names = {ord(character): known[ord(character)] for character in {*characters, " "} if ord(character) in known}
    order = [".notdef", *sorted(set(names.values()) - {".notdef"})]
    outlines = font.getGlyphSet(location={"wght": weight})
    drawn, widths = {}, {}
    for name in order:
        pen = TTGlyphPen(None)
        outlines[name].draw(Cu2QuPen(pen, TOLERANCE, reverse_direction=True))
        drawn[name], widths[name] = pen.glyph(), round(outlines[name].width)
    builder = FontBuilder(font["head"].unitsPerEm, isTTF=True)
    builder.setupGlyphOrder(order)
    builder.setupCharacterMap(names)
    builder.setupGlyf(drawn)
    glyf = builder.font["glyf"]
    builder.setupHorizontalMetrics({name: (widths[name], getattr(glyf[name], "xMin", 0) or 0) for name in order})
    builder.setupHorizontalHeader(ascent=font["hhea"].ascent, descent=font["hhea"].descent)
    style = "Bold" if weight >= BOLD else "Regular"
    builder.setupNameTable({"familyName": "Fengbo Sans CJK", "styleName": style})
    builder.setupOS2(sTypoAscender=880, sTypoDescender=-120, usWinAscent=1160, usWinDescent=288)
    builder.setupPost()
    buffer = BytesIO()
    builder.save(buffer)
    return buffer.getvalue()


@cache
def _font() -> Any:
    from fontTools.ttLib import TTFont

    return TTFont(FILE, fontNumber=SIMPLIFIED, lazy=True)


@cache
def _characters() -> Mapping[int, str]:
    found: Mapping[int, str] = _font().getBestCmap()
    return found
