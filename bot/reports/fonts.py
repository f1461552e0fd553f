"""A font file with Chinese for matplotlib, on a machine that has none.

The package ``manimgx_fonts_cjk`` carries Noto Sans CJK (SIL Open Font License) as one variable font, whose default
is the thinnest weight with Japanese shapes. From it we cut, once per set of characters, a small font with the
Simplified Chinese shapes in the weight we want.
"""

import string
import tempfile
import threading
from pathlib import Path

import manimgx_fonts_cjk
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

from bot.model.text import LANGUAGES
from bot.texts import catalogue

SOURCE = Path(manimgx_fonts_cjk.__file__).parent / "NotoSansCJK-VF.otf.ttc"
SIMPLIFIED = 2  # the collection's faces: Japanese, Korean, Simplified, Traditional, Hong Kong
WEIGHT = 430


class FontCutter:
    """Keeps the newest cut; a text with characters it lacks makes a larger one (about a second). Use from threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._folder = Path(tempfile.mkdtemp(prefix="fengbo-font-"))
        self._characters: frozenset[str] = frozenset()
        self._drawable: frozenset[int] = frozenset()
        self._file = Path()
        self._cuts = 0

    def file_for(self, text: str) -> Path:
        """A font file that has every character of ``text`` which the source has."""
        with self._lock:
            if not self._characters:
                self._cut(frozenset(text) | _usual_characters())
            elif not frozenset(text) <= self._characters:
                self._cut(frozenset(text) | self._characters)
            return self._file

    def drawable(self, text: str) -> str:
        """``text`` without what the newest cut cannot draw (emoji): better nothing than an empty box."""
        return "".join(character for character in text if ord(character) in self._drawable)

    def _cut(self, characters: frozenset[str]) -> None:
        options = Options()
        options.layout_features = []
        options.notdef_outline = True
        subsetter = Subsetter(options)
        subsetter.populate(text="".join(characters))
        with TTFont(SOURCE, fontNumber=SIMPLIFIED, lazy=True) as font:
            subsetter.subset(font)
            cut = instantiateVariableFont(font, {"wght": WEIGHT})
            self._cuts += 1
            # A new name each time: matplotlib keeps fonts by path.
            self._file = self._folder / f"chart-{self._cuts}.otf"
            cut.save(self._file)
            self._drawable = frozenset(cut.getBestCmap())
        self._characters = characters


def _usual_characters() -> frozenset[str]:
    """Letters, digits and every character that our own words on charts use."""
    words = "".join(value for language in LANGUAGES for key, value in catalogue(language).items() if "chart." in key)
    return frozenset(string.printable + words + "…·—–“”「」（），。：；！？％ⅠⅡⅢⅣ年月日时分")
