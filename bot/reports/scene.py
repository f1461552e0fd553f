"""A picture as plain shapes in dots, measured once and drawn by either renderer: PNG for chats, SVG for pages."""

import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Box:
    x: float
    y: float
    width: float
    height: float
    tone: str
    alpha: float = 1.0


@dataclass(frozen=True, slots=True)
class Line:
    points: tuple[tuple[float, float], ...]
    tone: str
    width: float = 1.0
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Dot:
    x: float
    y: float
    radius: float
    tone: str


@dataclass(frozen=True, slots=True)
class Words:
    """``y`` is the base line; ``anchor`` start, middle or end."""

    x: float
    y: float
    text: str
    size: float
    tone: str
    anchor: str = "start"


Shape = Box | Line | Dot | Words


@dataclass(frozen=True, slots=True)
class Scene:
    """Shapes in the order they are drawn. Tones: ink, faint, grid, paper, or a platform's name."""

    width: int
    height: int
    shapes: tuple[Shape, ...]
    summary: str


def text_width(text: str, size: float) -> float:
    """About how wide words are: wide characters (Chinese) a whole size, others about half of it."""
    return sum(size if unicodedata.east_asian_width(character) in "WF" else size * 0.47 for character in text)


def fitted(text: str, size: float, room: float) -> str:
    """The text, or as much as has room, with an ellipsis."""
    if text_width(text, size) <= room:
        return text
    kept = text
    while kept and text_width(kept + "…", size) > room:
        kept = kept[:-1]
    return kept.rstrip() + "…"
