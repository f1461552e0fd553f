"""A scene as SVG for pages: classes instead of colours, so that light and dark styles apply, and no style attributes,
which the console's content security policy forbids."""

import re
from html import escape

from bot.reports.palette import PLATFORM
from bot.reports.scene import Box, Dot, Line, Scene, Shape, Words

_PLAIN = frozenset({"ink", "faint", "grid", "paper"})
# What XML does not take, whatever collected names hold.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def scene_svg(scene: Scene) -> str:
    """The scene as one element; it takes the width it is given."""
    shapes = "".join(_shape(shape) for shape in scene.shapes)
    return (
        f'<svg class="scene" viewBox="0 0 {scene.width} {scene.height}" role="img"'
        f' aria-label="{_plain(scene.summary)}">{shapes}</svg>'
    )


def _shape(shape: Shape) -> str:
    tone = _tone(shape.tone)
    match shape:
        case Box():
            return (
                f'<rect class="{tone}" x="{shape.x:.1f}" y="{shape.y:.1f}" width="{shape.width:.1f}"'
                f' height="{shape.height:.1f}" fill-opacity="{shape.alpha:g}"/>'
            )
        case Line():
            points = " ".join(f"{x:.1f},{y:.1f}" for x, y in shape.points)
            dashes = ' stroke-dasharray="6 5"' if shape.dashed else ""
            return f'<polyline class="line {tone}" points="{points}" stroke-width="{shape.width:g}"{dashes}/>'
        case Dot():
            return f'<circle class="dot {tone}" cx="{shape.x:.1f}" cy="{shape.y:.1f}" r="{shape.radius:.1f}"/>'
        case Words():
            return (
                f'<text class="{tone}" x="{shape.x:.1f}" y="{shape.y:.1f}" font-size="{shape.size:g}"'
                f' text-anchor="{shape.anchor}">{_plain(shape.text)}</text>'
            )


def _tone(name: str) -> str:
    return f"tone-{name if name in _PLAIN or name in PLATFORM else 'other'}"


def _plain(text: str) -> str:
    return escape(_FORBIDDEN.sub("", text))
