"""A drill's score as a picture: a bar for every objective against its weight, and where the last drill and the best one
stood. Everything it shows comes with the message, as the record stood at that moment."""

from collections.abc import Awaitable, Callable
from typing import Any

from bot.delivery.chat import AttachmentMaker, Made
from bot.model.message import Attachment
from bot.reports import scene_png
from bot.reports.scene import Box, Dot, Line, Scene, Shape, Words, fitted, text_width

SCORE = "score"
WIDTH, LEFT, RIGHT = 1188, 300, 150
TOP, ROW, FOOT = 176, 52, 62
HUGE, LARGE, MEDIUM, SMALL = 58.0, 30.0, 23.0, 19.0
WELL, FAIR = 0.8, 0.4  # of a line's weight


def lay_out(shown: dict[str, Any]) -> Scene:
    """``shown``: ``title``, ``total``, ``of``, ``compared``, ``legend`` (last, best), and ``rows`` of label, points,
    weight, last time's points and the best drill's (None where there is none)."""
    rows = shown["rows"]
    height = TOP + ROW * len(rows) + FOOT
    total = f"{shown['total']:g}"
    shapes: list[Shape] = [
        Words(24, 48, fitted(shown["title"], LARGE, WIDTH - 48), LARGE, "ink"),
        Words(24, 124, total, HUGE, tone_of(shown["total"] / 100)),
        Words(34 + text_width(total, HUGE) * 1.3, 124, shown["of"], MEDIUM, "faint"),
        Words(LEFT, 124, fitted(shown["compared"], MEDIUM, WIDTH - LEFT - 24), MEDIUM, "ink"),
    ]
    heaviest = max((row[2] for row in rows), default=1) or 1
    for index, row in enumerate(rows):
        shapes += _row(row, TOP + ROW * index, (WIDTH - LEFT - RIGHT) / heaviest)
    if any(row[3] is not None for row in rows):
        shapes += _legend(shown["legend"], height - 24)
    summary = ", ".join(f"{row[0]} {row[1]:g}/{row[2]}" for row in rows)
    return Scene(WIDTH, height, tuple(shapes), f"{shown['title']}: {total}. {summary}")


def tone_of(share: float) -> str:
    return "good" if share >= WELL else "fair" if share >= FAIR else "poor"


def _row(row: list[Any], top: float, dots: float) -> list[Shape]:
    label, points, weight, last, best = row
    middle = top + ROW * 0.5
    shapes: list[Shape] = [
        Words(LEFT - 18, middle + 8, fitted(label, MEDIUM, LEFT - 42), MEDIUM, "ink", "end"),
        Box(LEFT, middle - 15, weight * dots, 30, "grid"),
        Box(LEFT, middle - 15, points * dots, 30, tone_of(points / weight if weight else 1)),
        Words(LEFT + weight * dots + 14, middle + 8, f"{points:g}/{weight}", MEDIUM, "faint"),
    ]
    if best is not None:
        shapes.append(Dot(LEFT + best * dots, middle, 7, "ink"))
    if last is not None:
        x = LEFT + last * dots
        shapes.append(Line(((x, middle - 21), (x, middle + 21)), "ink", 3.0))
    return shapes


def _legend(words: list[str], y: float) -> list[Shape]:
    last, best = words
    second = LEFT + 24 + text_width(last, SMALL) + 40
    return [
        Line(((LEFT + 6, y - 18), (LEFT + 6, y + 4)), "ink", 3.0), Words(LEFT + 20, y, last, SMALL, "faint"),
        Dot(second, y - 7, 7, "ink"), Words(second + 16, y, best, SMALL, "faint"),
    ]  # fmt: skip


def score_maker(draw: Callable[[Scene], Awaitable[bytes]] = scene_png.draw) -> AttachmentMaker:
    """Makes the picture of ``Attachment(kind="score")``, whose params are what ``lay_out`` takes."""

    async def make(attachment: Attachment, language: str) -> Made:
        scene = lay_out(attachment.params)
        return Made(await draw(scene), "drill-score.png", "image/png", scene.summary)

    return make
