"""A drill's timeline as a picture: above the line what happened to the team, below it what the team did."""

from bot.reports.scene import Box, Dot, Line, Scene, Shape, Words, fitted, text_width

WIDTH, LEFT, RIGHT, SIZE = 1188, 40, 40, 18.0
LANE, TOP = 30, 84
Mark = tuple[int, str]


def timeline(title: str, ends: int, above: list[Mark], below: list[Mark], clock: list[Mark]) -> Scene:
    """Moments in milliseconds from the start, up to ``ends``; ``clock`` are the labels of the axis."""
    upper, lower = _lanes(above, ends), _lanes(below, ends)
    axis = TOP + LANE * (1 + max(upper, default=0)) + 16
    height = axis + LANE * (2 + max(lower, default=0)) + 56
    shapes: list[Shape] = [
        Words(24, 46, fitted(title, 27, WIDTH - 48), 27, "ink"),
        Line(((LEFT, axis), (WIDTH - RIGHT, axis)), "ink", 2.5),
    ]
    for (at, words), lane in zip(above, upper, strict=True):
        shapes += _mark(at, words, ends, axis, axis - 16 - LANE * lane, "fair")
    for (at, words), lane in zip(below, lower, strict=True):
        shapes += _mark(at, words, ends, axis, axis + 32 + LANE * lane, "good")
    for at, words in clock:
        shapes.append(Words(_x(at, ends), height - 18, words, SIZE - 2, "faint", "middle"))
    # Words last, each on a piece of paper: no line runs through them.
    shapes.sort(key=lambda shape: isinstance(shape, (Words, Box)))
    return Scene(WIDTH, int(height), tuple(shapes), title)


def _x(at: int, ends: int) -> float:
    return LEFT + min(1.0, at / max(1, ends)) * (WIDTH - LEFT - RIGHT)


def _left(at: int, words: str, ends: int) -> float:
    """Where words begin: beside their moment, or so that they end within the picture."""
    return max(8.0, min(_x(at, ends) + 8, WIDTH - 12 - text_width(words, SIZE) * 1.1))


def _lanes(marks: list[Mark], ends: int) -> list[int]:
    """The lane of each, so that no words lie over others."""
    free: list[float] = []
    found = []
    for at, words in marks:
        left = _left(at, words, ends)
        lane = next((index for index, until in enumerate(free) if until < left), len(free))
        free[lane : lane + 1] = [left + text_width(words, SIZE) * 1.1 + 14]
        found.append(lane)
    return found


def _mark(at: int, words: str, ends: int, axis: float, y: float, tone: str) -> list[Shape]:
    x = _x(at, ends)
    return [
        Line(((x, axis), (x, y)), tone, 1.4), Dot(x, axis, 6, tone),
        Box(_left(at, words, ends) - 2, y - SIZE, text_width(words, SIZE) * 1.08 + 4, SIZE * 1.3, "paper", 0.88),
        Words(_left(at, words, ends), y, words, SIZE, "ink"),
    ]  # fmt: skip
