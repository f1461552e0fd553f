"""An approval file as one HTML page. Pure; every value is escaped by the template, and nothing in it runs."""

from collections.abc import Sequence
from functools import cache
from importlib import resources

from jinja2 import PackageLoader
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bot.model.text import Text
from bot.statements.export import Block
from bot.statements.publish_shapes import exact
from bot.texts import render

STYLE = "approval.css"


def page(blocks: Sequence[Block], language: str, *, style: str = "", pdf: str = "") -> bytes:
    """``style`` is the address of the style sheet; without one it stands in the page, for a file on its own. ``pdf`` is
    the address of the same as PDF."""

    def say(key: str) -> str:
        return render(Text(f"export.{key}"), language)

    code = "zh-Hans" if language == "zh-CN" else language
    inside = "" if style else css().decode()
    template = _environment().get_template("approval.html")
    return template.render(blocks=blocks, code=code, style=style, pdf=pdf, t=say, css=inside).encode()


@cache
def css() -> bytes:
    """The style sheet."""
    return (resources.files(__package__) / "static" / STYLE).read_bytes()


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    made = ImmutableSandboxedEnvironment(
        loader=PackageLoader("bot.statements", "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    made.filters["exact"] = exact
    return made
