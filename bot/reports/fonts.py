"""A font with Chinese for matplotlib, on a machine that has none.

The package ``manimgx_fonts_cjk`` carries Noto Sans CJK (SIL Open Font License) as one variable font in a collection.
matplotlib draws such a font in its thinnest weight, so texts get an outline of their own colour, which makes them
regular; cutting a fixed weight out of the file would take seconds and 400 MB.
"""

from functools import cache
from pathlib import Path
from typing import Any

import manimgx_fonts_cjk

FILE = Path(manimgx_fonts_cjk.__file__).parent / "NotoSansCJK-VF.otf.ttc"
SIMPLIFIED = 2  # the collection's faces: Japanese, Korean, Simplified, Traditional, Hong Kong
OUTLINE = 0.055  # of the letter size


def dress(text: Any, size: float, colour: str) -> None:
    """Give a matplotlib text our font, in points, at regular weight."""
    from matplotlib.font_manager import FontPath, FontProperties
    from matplotlib.patheffects import withStroke

    text.set_fontproperties(FontProperties(fname=FontPath(str(FILE), SIMPLIFIED), size=size))
    text.set_color(colour)
    text.set_path_effects([withStroke(linewidth=size * OUTLINE, foreground=colour)])
    # Collected titles are never formulas.
    text.set_parse_math(False)


def drawable(text: str) -> str:
    """``text`` without what the font cannot draw (emoji): better nothing than an empty box."""
    face = _face()
    return "".join(character for character in text if face.get_char_index(ord(character)))


@cache
def _face() -> Any:
    from matplotlib.ft2font import FT2Font

    return FT2Font(str(FILE), face_index=SIMPLIFIED)
