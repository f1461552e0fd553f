"""Charts as SVG for the console: classes instead of colours, so that the page's light and dark styles apply, and no
style attributes, which its content security policy forbids."""

from collections.abc import Callable, Sequence
from html import escape

from bot.clock import MINUTE
from bot.model.text import Text
from bot.reports.axes import clock_label, count_ticks, short_count, time_ticks
from bot.reports.charts import Chart
from bot.reports.series import Series
from bot.texts import render

_Scale = Callable[[float], float]  # a value of an axis → a coordinate

LEFT, RIGHT, TOP, BOTTOM = 34, 8, 26, 20
FLAG = 44  # about the width of a grade flag


def chart_svg(chart: Chart, width: int = 720, height: int = 240) -> str:
    """The chart's plot; title and footnote are the page's. Texts are in the file's own units, so ``width`` should be
    about what it is shown at."""
    series = chart.series
    across, down = width - LEFT - RIGHT, height - TOP - BOTTOM
    ticks = count_ticks(chart.highest)
    highest = ticks[-1].at

    def x(at: float) -> float:
        return round(LEFT + (at - series.start) / (chart.end - series.start) * across, 1)

    def y(count: float) -> float:
        return round(TOP + down - min(count, highest) / highest * down, 1)

    parts = [
        f'<svg class="chart" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img"'
        f' aria-label="{escape(chart.summary)}">'
    ]
    for tick in ticks:
        parts.append(f'<path class="grid" d="M{LEFT} {y(tick.at)}H{width - RIGHT}"/>')
        parts.append(f'<text class="axis" x="{LEFT - 6}" y="{y(tick.at) + 4}" text-anchor="end">{tick.label}</text>')
    for tick in time_ticks(series.start, chart.end, max(3, width // 90), chart.zone):
        parts.append(f'<path class="tick" d="M{x(tick.at)} {height - BOTTOM}v4"/>')
        if LEFT + 12 <= x(tick.at) <= width - 14:
            parts.append(
                f'<text class="axis" x="{x(tick.at)}" y="{height - 4}" text-anchor="middle">{tick.label}</text>'
            )
    parts.extend(_ahead(chart, x, y))
    parts.extend(_bars(chart, x, y))
    parts.extend(_usual(series, x, y))
    parts.extend(_changes(chart, x, width, height))
    if not series.posts:
        words = escape(render(Text("chart.nothing"), chart.language))
        parts.append(f'<text class="nothing" x="{width / 2}" y="{TOP + down / 2}" text-anchor="middle">{words}</text>')
    parts.append("</svg>")
    return "".join(parts)


def spark_svg(counts: Sequence[int], label: str, width: int = 120, height: int = 28) -> str:
    """A line without axes; the last point is marked. ``label`` says in words what it shows."""
    highest = max([*counts, 1])
    across = (width - 8) / max(1, len(counts) - 1)
    points = [
        (round(4 + index * across, 1), round(height - 4 - count / highest * (height - 8), 1))
        for index, count in enumerate(counts)
    ] or [(4.0, height - 4.0)]
    line = " ".join(f"{px},{py}" for px, py in points)
    area = f"M{points[0][0]} {height - 3}L{line.replace(' ', 'L')}L{points[-1][0]} {height - 3}Z"
    return (
        f'<svg class="spark" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img"'
        f' aria-label="{escape(label)}"><path class="area" d="{area}"/><polyline class="line" points="{line}"/>'
        f'<circle class="dot" cx="{points[-1][0]}" cy="{points[-1][1]}" r="2.5"/></svg>'
    )


def _ahead(chart: Chart, x: _Scale, y: _Scale) -> list[str]:
    """The forecast: a band from low to high with a line in its middle, and words on touching it."""
    if not chart.ahead:
        return []
    parts = [f'<path class="now" d="M{x(chart.ahead[0].start)} {TOP}V{y(0)}"/>']
    line = ""
    for band in chart.ahead:
        left, right = x(band.start), x(band.end)
        words = Text(
            "chart.ahead_step",
            {
                "time": clock_label(band.start, chart.zone),
                "low": short_count(round(band.low)),
                "high": short_count(round(band.high)),
            },
        )
        top, base = y(band.high), y(band.low)
        size = f'width="{round(right - left, 1)}" height="{round(base - top, 1)}"'
        title = escape(render(words, chart.language))
        parts.append(f'<g><title>{title}</title><rect class="ahead" x="{left}" y="{top}" {size}/></g>')
        line += f"{'L' if line else 'M'}{left} {y(band.middle)}L{right} {y(band.middle)}"
    return [*parts, f'<path class="ahead-line" d="{line}"/>']


def _bars(chart: Chart, x: _Scale, y: _Scale) -> list[str]:
    series = chart.series
    width = round(max(1.0, (x(series.start + series.step) - x(series.start)) * 0.8), 1)
    parts = []
    for index, total in enumerate(series.totals):
        if not total:
            continue
        at = series.start + index * series.step
        values = (series.negative[index], series.neutral[index], series.positive[index])
        words = Text(
            "chart.bar",
            {
                "time": clock_label(at, chart.zone, "%H:%M" if series.step >= MINUTE else "%H:%M:%S"),
                "total": total,
                "negative": values[0],
                "neutral": values[1],
                "positive": values[2],
            },
        )
        partial = ' class="partial"' if series.partial and index == len(series.totals) - 1 else ""
        parts.append(f"<g{partial}><title>{escape(render(words, chart.language))}</title>")
        bottom = 0
        left = round(x(at + series.step / 2) - width / 2, 1)
        for name, value in zip(("negative", "neutral", "positive"), values, strict=True):
            if value:
                top, base = y(bottom + value), y(bottom)
                parts.append(
                    f'<rect class="{name}" x="{left}" y="{top}" width="{width}" height="{round(base - top, 1)}"/>'
                )
            bottom += value
        parts.append("</g>")
    return parts


def _usual(series: Series, x: _Scale, y: _Scale) -> list[str]:
    path, pen_down = "", False
    for index, value in enumerate(series.usual):
        if value is None:
            pen_down = False
            continue
        at = series.start + index * series.step
        path += f"{'L' if pen_down else 'M'}{x(at)} {y(value)}L{x(at + series.step)} {y(value)}"
        pen_down = True
    return [f'<path class="usual" d="{path}"/>'] if path else []


def _changes(chart: Chart, x: _Scale, width: int, height: int) -> list[str]:
    parts = []
    last = float("-inf")
    level = 0
    places = [x(max(change.at, chart.series.start)) for change in chart.changes]
    for index, (change, at) in enumerate(zip(chart.changes, places, strict=True)):
        line = f'<g class="change grade-{change.grade.word}"><path d="M{at} {TOP - 4}V{height - BOTTOM}"/>'
        if index + 1 < len(places) and places[index + 1] - at < FLAG / 4:
            parts.append(f"{line}</g>")  # the next change came at once: its flag says enough
            continue
        level = 1 - level if at - last < FLAG else 0
        last = at
        room = at < width - 48  # a flag at the right edge points to the left
        word = escape(render(Text(f"chart.grade.{change.grade.word}"), chart.language))
        parts.append(
            f'{line}<text x="{at + 3 * (1 if room else -1)}" y="{TOP - 6 - 11 * level}"'
            f' text-anchor="{"start" if room else "end"}">{word}</text></g>'
        )
    return parts
