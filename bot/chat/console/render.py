"""Everything the console shows as HTML. Jinja2 escapes every value, the sandbox keeps templates from reaching further;
collected text is only ever a value."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

import orjson
from jinja2 import PackageLoader
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from bot.chat.console.board import Board
from bot.chat.console.identity import Identities, Member
from bot.chat.console.messages import BOT, Entry
from bot.model.card import Form
from bot.model.intake import iso
from bot.model.text import Text
from bot.reports.charts import Chart
from bot.reports.svg import chart_svg, spark_svg
from bot.texts import catalogue, has, render

SCRIPT_TEXTS = "console.js."  # the catalogue's part that the page's modules need
WIDE, NARROW = (720, 230), (352, 210)
TONES = 8  # avatar colours


class Renderer:
    """One for the process."""

    def __init__(self, identities: Identities) -> None:
        self._identities = identities
        environment = ImmutableSandboxedEnvironment(
            loader=PackageLoader("bot.chat.console", "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
        )
        environment.globals.update(safe_url=safe_url, iso=iso, static=static_url, tone=tone, initial=initial)
        environment.globals.update(chart=_chart, spark=_spark, language_code=_language_code)
        self._templates = environment

    def message(self, entry: Entry, member: Member, language: str) -> str:
        """One message with its card."""
        return self._render("message.html", language, entry=entry, member=member)

    def messages(self, entries: Sequence[Entry], member: Member, language: str) -> str:
        return "".join(self.message(entry, member, language) for entry in entries)

    def form(self, form: Form, language: str) -> str:
        """The inside of a form's dialogue."""
        people = [(person.id, person.name) for person in self._identities.people]
        return self._render("form.html", language, form=form, people=people)

    def incidents(self, board: Board, language: str) -> str:
        return self._render("incidents.html", language, board=board)

    def side(self, board: Board, language: str) -> str:
        return self._render("side.html", language, board=board)

    def dashboard(self, board: Board, language: str) -> str:
        return self._render("board.html", language, board=board)

    def page(self, name: str, language: str, **values: Any) -> str:
        """A whole page: ``console.html``, ``dashboard.html`` or ``login.html``."""
        return self._render(name, language, script_texts=script_texts(language), **values)

    def _render(self, name: str, language: str, **values: Any) -> str:
        def translate(key: str, **params: Any) -> str:
            return render(Text(f"console.{key}", params), language)

        def name_of(account: str) -> str:
            return translate("brand") if account == BOT else self._identities.name_of(account)

        return self._templates.get_template(name).render(
            name_of=name_of, t=translate, word=_word(language), language=language, **values
        )


def safe_url(url: str) -> str:
    """The address if a browser may open it on a click, empty otherwise."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return ""
    return url.strip() if parts.scheme in ("http", "https") and parts.netloc else ""


def tone(name: str) -> int:
    """A steady colour number for a name."""
    return hashlib.sha256(name.encode()).digest()[0] % TONES


def initial(name: str) -> str:
    """What stands in an avatar: a Chinese given name's character, a Latin name's first letter."""
    return name[-1:] if name and not name.isascii() else name[:1].upper()


@cache
def script_texts(language: str) -> str:
    """The words of the page's modules as JSON."""
    texts: Mapping[str, str] = {
        key.removeprefix(SCRIPT_TEXTS): value
        for key, value in catalogue(language).items()
        if key.startswith(SCRIPT_TEXTS)
    }
    return orjson.dumps(texts).decode()


@cache
def static_files() -> Mapping[str, tuple[bytes, str]]:
    """Every static file with its digest, read once."""
    folder = resources.files("bot.chat.console").joinpath("static")
    files = {item.name: item.read_bytes() for item in folder.iterdir() if item.is_file()}
    return {name: (content, hashlib.sha256(content).hexdigest()[:12]) for name, content in files.items()}


@cache
def static_version() -> str:
    """Changes with any static file. It stands in the path, so that modules import each other in one version."""
    return hashlib.sha256("".join(sorted(digest for _, digest in static_files().values())).encode()).hexdigest()[:12]


def static_url(name: str) -> str:
    return f"/console/static/{static_version()}/{name}"


def _word(language: str) -> Any:
    def word(area: str, name: str) -> str:
        """A word of a closed vocabulary, the name itself where the catalogue has none (a platform of one's own)."""
        key = f"console.{area}.{name}"
        return render(Text(key), language) if has(key) else name

    return word


def _chart(chart: Chart) -> Markup:
    # Both sizes, the style sheet shows the fitting one: SVG text would shrink with the picture.
    wide, narrow = chart_svg(chart, *WIDE), chart_svg(chart, *NARROW)
    return Markup('<div class="plot wide">{}</div><div class="plot narrow">{}</div>').format(
        Markup(wide),
        Markup(narrow),
    )


def _spark(counts: Sequence[int], language: str) -> Markup:
    label = render(Text("chart.spark", {"hours": len(counts), "count": sum(counts)}), language)
    return Markup(spark_svg(counts, label))


def _language_code(language: str) -> str:
    return "zh-Hans" if language == "zh-CN" else language
