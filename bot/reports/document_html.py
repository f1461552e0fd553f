"""A document as one HTML page. Pure; every value is escaped by the template, and nothing in it runs."""

from collections.abc import Sequence
from functools import cache
from importlib import resources

from jinja2 import PackageLoader
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from bot.model.text import Text
from bot.reports.document import Block
from bot.texts import render

STYLE = "document.css"


def page(blocks: Sequence[Block], language: str, *, style: str = "", pdf: str = "") -> bytes:
    """``style`` is the address of the style sheet; without one it stands in the page, for a file on its own. ``pdf`` is
    the address of the same as PDF."""

    def say(key: str) -> str:
        return render(Text(f"export.{key}"), language)

    code = "zh-Hans" if language == "zh-CN" else language
    inside = "" if style else css().decode()
    template = _environment().get_template("document.html")
    return template.render(blocks=blocks, code=code, style=style, pdf=pdf, t=say, css=inside).encode()


@cache
def css() -> bytes:
    """The style sheet."""
    return (resources.files(__package__) / "static" / STYLE).read_bytes()


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    made = ImmutableSandboxedEnvironment(
        loader=PackageLoader("bot.reports", "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    made.filters["exact"] = exact
    made.filters["safe_address"] = safe_address
    return made


def exact(text: str) -> Markup:
    """Escaped so that a browser's text content is the text: it would turn carriage returns into line feeds."""
    return Markup(str(escape(text)).replace("\r", "&#13;"))


def safe_address(address: str) -> bool:
    """Whether an address may be clicked: a page of our own or of the web, never a script."""
    return address.startswith(("https://", "http://")) or (address.startswith("/") and not address.startswith("//"))
