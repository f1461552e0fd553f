"""The picture of a spread laid out in dots."""

from collections.abc import Sequence

from bot.model.text import Text
from bot.reports.axes import clock_label, time_ticks
from bot.reports.scene import Box, Dot, Line, Scene, Shape, Words, fitted, text_width
from bot.reports.spread_picture import Picture, Row
from bot.texts import has, render

WIDTH = 1188
LEFT, RIGHT = 212, 40
TOP, ROW, STRIP, FOOT = 128, 78, 104, 84
BINS = 96
LARGE, MEDIUM, NAMES, SMALL = 31.0, 22.0, 21.0, 19.0
BASE = 0.74  # of a row's height: where its line runs
_TALLEST = 0.4  # of a row's height, for the bars on its line
_DAY = 86_400_000


def lay_out(picture: Picture) -> Scene:
    """Shapes of a picture; a picture without rows says so."""
    rows = picture.rows
    height = TOP + ROW * max(1, len(rows)) + STRIP + FOOT
    shapes: list[Shape] = [
        Words(24, 48, fitted(picture.title, LARGE, WIDTH - 48), LARGE, "ink"),
        _subtitle(picture.subtitle),
    ]
    bottom = TOP + ROW * max(1, len(rows))
    plot = _Plot(picture.start, picture.end)
    shapes += _axis(picture, plot, bottom + STRIP)
    if not rows:
        words = render(Text("spread.no_chain" if picture.posts else "spread.nothing"), picture.language)
        shapes.append(Words(WIDTH / 2, TOP + ROW * 0.6, words, MEDIUM, "faint", "middle"))
    shapes += _links(rows, plot)
    for index, row in enumerate(rows):
        shapes += _row(picture, row, index, plot)
    shapes += _strip(picture, plot, bottom)
    shapes.append(Words(24, height - 18, fitted(picture.footnote, SMALL, WIDTH - 48), SMALL, "faint"))
    return Scene(WIDTH, height, tuple(shapes), picture.summary)


class _Plot:
    """Moments to dots."""

    def __init__(self, start: int, end: int) -> None:
        self.start, self.end = start, end

    def x(self, at: int) -> float:
        share = (at - self.start) / (self.end - self.start)
        return LEFT + min(1.0, max(0.0, share)) * (WIDTH - LEFT - RIGHT)

    def bins(self, times: Sequence[int]) -> list[int]:
        counts = [0] * BINS
        for at in times:
            share = (at - self.start) / (self.end - self.start)
            counts[min(BINS - 1, max(0, int(share * BINS)))] += 1
        return counts


_BIN = (WIDTH - LEFT - RIGHT) / BINS


def _base(index: int) -> float:
    return TOP + ROW * (index + BASE)


def _row(picture: Picture, row: Row, index: int, plot: _Plot) -> list[Shape]:
    base, x = _base(index), plot.x(row.at)
    shapes: list[Shape] = [Line(((x, base), (WIDTH - RIGHT, base)), row.platform, 1.6)]
    counts = plot.bins(row.times)
    highest = max([4, *counts])
    for number, count in enumerate(counts):
        if count:
            tall = ROW * _TALLEST * (count / highest) ** 0.5
            shapes.append(Box(LEFT + number * _BIN, base - tall, _BIN * 0.84, tall, row.platform, 0.38))
    radius = min(17.0, 6 + 1.6 * max(1, row.carried) ** 0.33)
    shapes.append(Dot(x, base, radius, row.platform))
    show = "%m-%d %H:%M" if picture.end - picture.start > _DAY else "%H:%M"
    platform = platform_words(row.platform, picture.language)
    shapes.append(Words(24, base - 12, fitted(platform, SMALL + 1, LEFT - 52), SMALL + 1, row.platform))
    shapes.append(Words(24, base + 13, clock_label(row.at, picture.zone, show), SMALL - 1, "faint"))
    return [*shapes, *_label(row, base, x)]


def _label(row: Row, base: float, x: float) -> list[Shape]:
    """Name and figures above the line: to the right of the dot where there is room, else ending at it. Links run
    behind."""
    name, gap = fitted(row.name, NAMES, 300), 14 if row.name else 0
    detail = fitted(row.detail, SMALL, 560)
    first, second = text_width(name, NAMES), text_width(detail, SMALL)
    left = x + 6 if x + first + gap + second < WIDTH - 20 else max(LEFT, min(x + 24, WIDTH - 14) - first - gap - second)
    y = base - ROW * 0.44
    return [
        Box(left - 3, y - NAMES * 0.86, first + gap + second + 6, NAMES * 1.12, "paper", 0.86),
        Words(left, y, name, NAMES, "ink"),
        Words(left + first + gap, y, detail, SMALL, "faint"),
    ]


def _subtitle(text: str) -> Words:
    """A long line in smaller letters rather than cut."""
    size = MEDIUM if text_width(text, MEDIUM) <= WIDTH - 48 else SMALL
    return Words(24, 90, fitted(text, size, WIDTH - 48), size, "faint")


def _links(rows: Sequence[Row], plot: _Plot) -> list[Shape]:
    """From the row it came from straight down to where it begins."""
    return [
        Line(
            ((plot.x(row.at), _base(row.above)), (plot.x(row.at), _base(index))),
            row.platform if row.same_words else rows[row.above].platform,
            2.2,
            dashed=row.same_words,
        )
        for index, row in enumerate(rows)
        if row.above >= 0
    ]


def _strip(picture: Picture, plot: _Plot, top: float) -> list[Shape]:
    """All posts, stacked by platform."""
    names = list(dict.fromkeys(platform for _, platform in sorted(picture.posts)))
    by_platform = {name: plot.bins([at for at, platform in picture.posts if platform == name]) for name in names}
    totals = [sum(counts[number] for counts in by_platform.values()) for number in range(BINS)]
    highest = max([4, *totals])
    room = STRIP - 34
    bottom = top + STRIP
    shapes: list[Shape] = [Words(24, bottom - 14, render(Text("spread.all_posts"), picture.language), SMALL, "faint")]
    for number in range(BINS):
        low = bottom
        for name in names:
            tall = by_platform[name][number] / highest * room
            if tall:
                low -= tall
                shapes.append(Box(LEFT + number * _BIN, low, _BIN * 0.84, tall, name, 0.9))
    return shapes


def _axis(picture: Picture, plot: _Plot, bottom: float) -> list[Shape]:
    shapes: list[Shape] = [Line(((LEFT, bottom), (WIDTH - RIGHT, bottom)), "faint", 1.2)]
    for tick in time_ticks(picture.start, picture.end, 8, picture.zone):
        x = plot.x(tick.at)
        shapes.append(Line(((x, TOP - 8), (x, bottom)), "grid", 1.2))
        shapes.append(Words(x, bottom + 24, tick.label, SMALL - 1, "faint", "middle"))
    return shapes


def platform_words(platform: str, language: str) -> str:
    """A platform's name in the reader's language, as given where Fengbo knows no better."""
    key = f"platform.{platform}"
    return render(Text(key), language) if has(key) else platform[:20]
