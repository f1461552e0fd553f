"""Charts as PNG bytes: matplotlib's object interface, one figure a picture, in a thread."""

import asyncio
import threading
from io import BytesIO
from typing import TYPE_CHECKING, Any

from bot.model.grade import Sentiment
from bot.model.text import Text
from bot.reports import palette
from bot.reports.axes import count_ticks, time_ticks
from bot.reports.fonts import drawable, dress
from bot.texts import render

if TYPE_CHECKING:
    from bot.reports.charts import Chart

WIDTH, HEIGHT, DPI = 6.6, 3.5, 180  # inches and dots: 1188 × 630; large letters, for it is read on phones
FLAG = 0.08  # about the share of the width that a grade flag takes
# matplotlib's font cache is shared by all figures, so pictures are drawn one after the other.
drawing = threading.Lock()


async def draw(chart: "Chart") -> bytes:
    """The chart as a PNG of 1188 × 630 dots."""
    return await asyncio.to_thread(draw_now, chart)


def draw_now(chart: "Chart") -> bytes:
    """As ``draw``, in the calling thread. The first call imports matplotlib (a second or two)."""
    with drawing:
        return _draw(chart)


def warm_up() -> None:
    """Import matplotlib and read the font, so that the first real picture takes no longer than the others."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with drawing:
        figure = Figure(figsize=(1, 1))
        dress(figure.text(0, 0, "风"), 10, "black")
        canvas: Any = FigureCanvasAgg(figure)
        canvas.draw()


def _draw(chart: "Chart") -> bytes:
    # Imported here: a process that never sends a picture does not pay a second and 40 MB for it.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, HEIGHT), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.068, 0.165, 0.912, 0.575))
    _bars(axes, chart)
    _ahead(axes, chart)
    _scales(axes, chart)
    _marks(axes, chart)
    _moments(axes, chart)
    _frame(figure, axes, chart)
    target = BytesIO()
    figure.savefig(target, format="png")
    return target.getvalue()


def _bars(axes: Any, chart: "Chart") -> None:
    series = chart.series
    places = [series.start + (index + 0.5) * series.step for index in range(len(series.negative))]
    bottom = [0] * len(places)
    for sentiment, counts in (
        (Sentiment.NEGATIVE, series.negative),
        (Sentiment.NEUTRAL, series.neutral),
        (Sentiment.POSITIVE, series.positive),
    ):
        label = render(Text(f"chart.{sentiment.value}"), chart.language)
        colour = palette.SENTIMENT[sentiment]
        bars = axes.bar(places, counts, width=series.step * 0.82, bottom=bottom, color=colour, label=label, linewidth=0)
        if series.partial:
            bars[-1].set_alpha(0.45)
        bottom = [low + count for low, count in zip(bottom, counts, strict=True)]
    if any(value is not None for value in series.usual):
        edges = [series.start + index * series.step for index in range(len(series.usual) + 1)]
        values = [float("nan") if value is None else value for value in series.usual]
        label = render(Text("chart.usual"), chart.language)
        axes.step(edges, [*values, values[-1]], where="post", color=palette.USUAL, lw=1.1, ls=(0, (4, 2)), label=label)


def _ahead(axes: Any, chart: "Chart") -> None:
    """The forecast as a band behind a line, from the last bar on."""
    if not chart.ahead:
        return
    edges = [band.start for band in chart.ahead] + [chart.end]
    low, middle, high = (
        [*values, values[-1]]
        for values in zip(*((band.low, band.middle, band.high) for band in chart.ahead), strict=True)
    )
    label = render(Text("chart.ahead"), chart.language)
    axes.fill_between(edges, low, high, step="post", color=palette.AHEAD, alpha=0.22, lw=0, label=label)
    axes.step(edges, middle, where="post", color=palette.AHEAD, lw=1.4)
    axes.axvline(chart.ahead[0].start, color=palette.FAINT, lw=0.8, ls=(0, (2, 2)))


def _scales(axes: Any, chart: "Chart") -> None:
    series = chart.series
    counts = count_ticks(chart.highest)
    axes.set_ylim(0, counts[-1].at * 1.06)
    axes.set_yticks([tick.at for tick in counts], [tick.label for tick in counts])
    times = time_ticks(series.start, chart.end, 8, chart.zone)
    axes.set_xlim(series.start, chart.end)
    axes.set_xticks([tick.at for tick in times], [tick.label for tick in times])
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        dress(label, 8.5, palette.FAINT)


def _marks(axes: Any, chart: "Chart") -> None:
    """Grade changes as thin lines with a small flag above the plot. Flags that would collide step up."""
    series = chart.series
    flag = (chart.end - series.start) * FLAG
    places = [max(change.at, series.start) for change in chart.changes]
    level, last = 0, float("-inf")
    for index, (change, at) in enumerate(zip(chart.changes, places, strict=True)):
        colour = palette.GRADE[change.grade]
        axes.axvline(at, color=colour, lw=1.2, alpha=0.9)
        if index + 1 < len(places) and places[index + 1] - at < flag / 4:
            continue  # the next change came at once: its flag says enough
        level = 1 - level if at - last < flag else 0
        last = at
        room = chart.end - at > flag
        flag_text = axes.annotate(
            render(Text(f"chart.grade.{change.grade.word}"), chart.language),
            (at, 1),
            xycoords=("data", "axes fraction"),
            xytext=(2 if room else -2, 3 + level * 12),
            textcoords="offset points",
            ha="left" if room else "right",
            annotation_clip=False,
        )
        dress(flag_text, 8, colour)


def _moments(axes: Any, chart: "Chart") -> None:
    """What happened when, above the plot; what came at nearly the same time shares a flag, neighbours step up."""
    width = chart.end - chart.series.start
    groups: list[tuple[int, list[str]]] = []
    for mark in sorted(chart.marks, key=lambda item: item.at):
        at = min(max(mark.at, chart.series.start), chart.end)
        axes.axvline(at, color=palette.INK, lw=0.9, ls=(0, (1, 1.6)), alpha=0.75)
        if groups and at - groups[-1][0] < width * 0.02:
            groups[-1][1].append(mark.label)
        else:
            groups.append((at, [mark.label]))
    ends = [float("-inf")] * 3
    for at, labels in groups:
        words = " · ".join(labels)
        room = width * 0.0145 * sum(2 if ord(letter) > 0x2E80 else 1 for letter in words) / 1.6
        left = at + room < chart.end
        begin = at if left else at - room
        level = next((index for index, end in enumerate(ends) if begin >= end), 0)
        ends[level] = begin + room
        flag = axes.annotate(
            words, (at, 1), xycoords=("data", "axes fraction"), xytext=(2 if left else -2, 3 + level * 11),
            textcoords="offset points", ha="left" if left else "right", annotation_clip=False,
        )  # fmt: skip
        dress(flag, 7.5, palette.INK)


def _frame(figure: Any, axes: Any, chart: "Chart") -> None:
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(palette.FAINT)
    axes.tick_params(length=0, axis="y")
    axes.tick_params(color=palette.FAINT, axis="x")
    axes.grid(axis="y", color=palette.GRID, lw=0.8)
    axes.set_axisbelow(True)
    dress(figure.text(0.018, 0.975, drawable(chart.title), va="top"), 13, palette.INK)
    dress(figure.text(0.018, 0.885, chart.subtitle, va="top"), 9, palette.FAINT)
    dress(figure.text(0.018, 0.022, chart.footnote, va="bottom"), 8, palette.FAINT)
    if not chart.series.posts:
        words = render(Text("chart.nothing"), chart.language)
        dress(axes.text(0.5, 0.5, words, transform=axes.transAxes, ha="center"), 12, palette.FAINT)
        return
    _legend(figure, axes, chart)


def _legend(figure: Any, axes: Any, chart: "Chart") -> None:
    handles, labels = axes.get_legend_handles_labels()
    last = [render(Text(key), chart.language) for key in ("chart.usual", "chart.ahead")]
    order = sorted(range(len(labels)), key=lambda index: last.index(labels[index]) if labels[index] in last else -1)
    legend = figure.legend(
        [handles[index] for index in order],
        [labels[index] for index in order],
        loc="upper right",
        bbox_to_anchor=(0.985, 0.905),
        ncols=5,
        frameon=False,
        handlelength=1.1,
        columnspacing=1.4,
        borderaxespad=0,
    )
    for text in legend.get_texts():
        dress(text, 8.5, palette.INK)
