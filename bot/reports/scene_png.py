"""A scene as PNG bytes."""

import asyncio
from io import BytesIO
from typing import Any

from bot.reports import palette
from bot.reports.fonts import drawable, dress
from bot.reports.png import DPI, drawing
from bot.reports.scene import Box, Dot, Line, Scene, Words

_POINT = 72 / DPI  # points of a dot
_ALIGN = {"start": "left", "middle": "center", "end": "right"}


async def draw(scene: Scene) -> bytes:
    """The scene as a PNG of its size in dots."""
    return await asyncio.to_thread(draw_now, scene)


def draw_now(scene: Scene) -> bytes:
    """As ``draw``, in the calling thread."""
    with drawing:
        return _draw(scene)


def _draw(scene: Scene) -> bytes:
    # Imported here: a process that never sends a picture does not pay a second and 40 MB for it.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(scene.width / DPI, scene.height / DPI), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, scene.width)
    axes.set_ylim(scene.height, 0)
    axes.axis("off")
    for order, shape in enumerate(scene.shapes):
        _add(axes, shape, order)
    target = BytesIO()
    figure.savefig(target, format="png")
    return target.getvalue()


def _add(axes: Any, shape: Box | Line | Dot | Words, order: int) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Circle, Rectangle

    colour = palette.tone(shape.tone)
    match shape:
        case Box():
            axes.add_patch(Rectangle((shape.x, shape.y), shape.width, shape.height, color=colour, alpha=shape.alpha,
                                     linewidth=0, zorder=order))  # fmt: skip
        case Line():
            across, down = zip(*shape.points, strict=True)
            style = (0, (4, 3)) if shape.dashed else "-"
            axes.add_line(Line2D(across, down, color=colour, lw=shape.width * _POINT, ls=style, zorder=order))
        case Dot():
            axes.add_patch(Circle((shape.x, shape.y), shape.radius, facecolor=colour, edgecolor="white",
                                  linewidth=1.0, zorder=order))  # fmt: skip
        case Words():
            text = axes.text(shape.x, shape.y, drawable(shape.text), ha=_ALIGN[shape.anchor], va="baseline",
                             zorder=order)  # fmt: skip
            dress(text, shape.size * _POINT, colour)
