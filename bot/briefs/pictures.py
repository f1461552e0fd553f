"""The charts of a brief, laid out in dots: volume over time, and bars beside each other. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.briefs.period import Period
from bot.briefs.reading import Brief
from bot.incidents import words
from bot.model.text import Text
from bot.reports.axes import count_ticks
from bot.reports.scene import Box, Line, Scene, Shape, Words, fitted
from bot.texts import has, render

WIDTH = 1188
LARGE, MEDIUM, SMALL = 30.0, 21.0, 19.0
LEFT, RIGHT, TOP, PLOT, FOOT = 84, 40, 118, 300, 64
ROW, NAME, VALUE = 50, 240, 250
DAY, HOUR = 86_400_000, 3_600_000
MOST_ROWS = 8


@dataclass(frozen=True, slots=True)
class Bar:
    """One row: of ``total`` posts ``negative`` are negative."""

    name: str
    total: int
    negative: int
    strong: bool = False


def volume(brief: Brief, language: str) -> Scene | None:
    """Posts about the own subjects, an hour a bar for a day, else a day a bar; None where there are none."""
    period = brief.period
    if not brief.hours:
        return None
    step = HOUR if period.cadence == "daily" else DAY
    count = max(1, round(period.length / step))
    totals, negative = [0] * count, [0] * count
    for at, posts, bad in brief.hours:
        place = min(count - 1, (at - period.start) // step)
        totals[place] += posts
        negative[place] += bad
    ticks = count_ticks(max(totals))
    highest = ticks[-1].at
    across = WIDTH - LEFT - RIGHT
    share = round(100 * sum(negative) / sum(totals))
    say = {"n": f"{sum(totals):,}", "share": share, "period": period.label()}
    unit = Text("brief.chart_hour" if step == HOUR else "brief.chart_day")
    shapes: list[Shape] = [
        Words(24, 46, fitted(render(Text("brief.chart_volume", say), language), LARGE, WIDTH - 48), LARGE, "ink"),
        Words(24, 84, render(unit, language), MEDIUM, "faint"),
        *_legend(language),
    ]
    for tick in ticks:
        y = TOP + PLOT * (1 - tick.at / highest)
        shapes += [
            Line(((LEFT, y), (WIDTH - RIGHT, y)), "grid"),
            Words(LEFT - 12, y + 6, tick.label, SMALL, "faint", "end"),
        ]
    width = across / count
    every = -(-count // 12)
    for index in range(count):
        x = LEFT + index * width + width * 0.12
        for height, tone, base in (
            ((totals[index] - negative[index]) / highest * PLOT, "neutral", negative[index] / highest * PLOT),
            (negative[index] / highest * PLOT, "negative", 0.0),
        ):
            if height > 0:
                shapes.append(Box(x, TOP + PLOT - base - height, width * 0.76, height, tone))
        if index % every == 0:
            label = _moment(period.start + index * step, period.zone, step)
            shapes.append(Words(LEFT + (index + 0.5) * width, TOP + PLOT + 32, label, SMALL, "faint", "middle"))
    summary = render(Text("brief.chart_volume", say), language)
    return Scene(WIDTH, TOP + PLOT + FOOT, tuple(shapes), summary)


def compared(brief: Brief, language: str) -> Scene | None:
    """The own subjects beside their competitors; None where there is nobody to compare with."""
    rows = [
        Bar(one.name, one.mentions, one.negative, one.kind == "own")
        for one in (*brief.of("own"), *brief.of("competitor"))
    ]
    if len(rows) < 2 or not any(row.total for row in rows):
        return None
    ordered = sorted(rows, key=lambda row: (-row.total, row.name))[:MOST_ROWS]
    return _bars(ordered, Text("brief.chart_compared"), brief.period, language)


def platforms(brief: Brief, language: str) -> Scene | None:
    """Where it was said, for the own subjects together."""
    found: dict[str, tuple[int, int]] = {}
    for subject in brief.of("own"):
        for name, total, negative, _ in subject.platforms:
            posts, bad = found.get(name, (0, 0))
            found[name] = posts + total, bad + negative
    if not found:
        return None
    ordered = sorted(found.items(), key=lambda item: (-item[1][0], item[0]))[:MOST_ROWS]
    rows = [Bar(platform_name(name, language), *counts) for name, counts in ordered]
    return _bars(rows, Text("brief.chart_platforms"), brief.period, language)


def platform_name(name: str, language: str) -> str:
    return render(Text(f"platform.{name}"), language) if has(f"platform.{name}") else name


def _bars(rows: Sequence[Bar], title: Text, period: Period, language: str) -> Scene:
    said = f"{render(title, language)} · {period.label()}"
    shapes: list[Shape] = [Words(24, 46, fitted(said, LARGE, WIDTH - 48), LARGE, "ink"), *_legend(language, 84)]
    highest = max(1, *(row.total for row in rows))
    room = WIDTH - NAME - VALUE - 24
    for index, row in enumerate(rows):
        y = TOP + index * ROW
        name = fitted(row.name, MEDIUM, NAME - 40)
        shapes.append(Words(NAME - 16, y + 29, name, MEDIUM, "ink" if row.strong else "faint", "end"))
        bad, all_ = row.negative / highest * room, row.total / highest * room
        shapes += [Box(NAME, y + 8, max(1.0, all_), ROW - 20, "neutral"), Box(NAME, y + 8, bad, ROW - 20, "negative")]
        share = f"{round(100 * row.negative / row.total)} %" if row.total else "—"
        told = render(Text("brief.chart_row", {"n": f"{row.total:,}", "share": share}), language)
        shapes.append(Words(NAME + max(1.0, all_) + 14, y + 29, told, SMALL, "ink"))
    summary = said + "; " + "; ".join(f"{row.name}: {row.total:,}" for row in rows)
    return Scene(WIDTH, TOP + len(rows) * ROW + 24, tuple(shapes), summary)


def _legend(language: str, y: int = 84) -> list[Shape]:
    shapes: list[Shape] = []
    x = WIDTH - RIGHT
    for tone in ("neutral", "negative"):
        label = render(Text(f"brief.legend_{tone}"), language)
        shapes.append(Words(x, y, label, SMALL, "faint", "end"))
        x -= 26 + round(len(label.encode("gbk", "replace")) * SMALL * 0.5)
        shapes.append(Box(x, y - 15, 16, 16, tone))
        x -= 24
    return shapes


def _moment(at: int, zone: str, step: int) -> str:
    return datetime.fromtimestamp(at / 1000, ZoneInfo(zone)).strftime("%H:%M" if step == HOUR else "%m-%d")


def span(milliseconds: int | None, language: str) -> str:
    """A length of time in words, a dash for none."""
    return render(words.duration(milliseconds), language) if milliseconds is not None else "—"
