"""The newsroom's pages. Pure: entries in, bytes out; the same for what Fengbo serves and for a folder of static pages.

Every value is escaped. The text of an entry stands in one element whose text content is the approved text, character
for character; nothing in it becomes a link, a heading or a picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import PackageLoader
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bot.incidents.words import CHINA
from bot.model.intake import iso
from bot.model.publication import NewsroomItem
from bot.model.text import LANGUAGES, Text
from bot.reports.document_html import exact
from bot.texts import render

STYLE = "style.css"
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
LISTED = 200


@dataclass(frozen=True, slots=True)
class Links:
    """Where things stand, seen from one page. ``home`` by language; ``item`` has ``{slug}`` in it."""

    home: dict[str, str]
    item: str
    style: str
    atom: str
    json: str

    def of(self, slug: str) -> str:
        return self.item.replace("{slug}", slug)


@dataclass(frozen=True, slots=True)
class Room:
    """What every page says of the newsroom. ``base`` is its public address without a slash at the end."""

    title: str
    base: str
    language: str


SERVED = Links(
    home={language: f"/newsroom?lang={language}" for language in LANGUAGES}, item="/newsroom/{slug}",
    style=f"/newsroom/{STYLE}", atom="/newsroom/feed.atom", json="/newsroom/feed.json",
)  # fmt: skip


def static_links(room: Room, depth: int) -> Links:
    """The same in a folder: pages of entries stand one level below the index."""
    up = "../" * depth
    home = {language: up + index_name(room, language) for language in LANGUAGES}
    return Links(home, f"{up}{{slug}}/", f"{up}{STYLE}", f"{up}feed.atom", f"{up}feed.json")


def index_name(room: Room, language: str) -> str:
    """The file of the index in a language; the newsroom's own language is the one that a browser gets."""
    return "index.html" if language == room.language else f"index.{language}.html"


def index(room: Room, items: Sequence[NewsroomItem], language: str, links: Links) -> bytes:
    """The list of entries in one language, newest first, grouped by day."""
    shown = [item for item in items if item.language == language][:LISTED]
    others = [one for one in LANGUAGES if one != language and any(item.language == one for item in items)]
    days: list[tuple[str, list[NewsroomItem]]] = []
    for item in shown:
        day = _moment(item.published_at)[:10]
        if not days or days[-1][0] != day:
            days.append((day, []))
        days[-1][1].append(item)
    return _render("index.html", room, language, links, days=days, others=others)


def item(room: Room, items: Sequence[NewsroomItem], shown: NewsroomItem, links: Links, *, drill: str = "") -> bytes:
    """One entry, with what it corrects and what corrects it. ``drill`` is the mark of a preview."""
    by_statement = {one.statement: one for one in items}
    return _render(
        "item.html", room, shown.language, links, item=shown, drill=drill,
        newer=by_statement.get(shown.replaced_by), older=by_statement.get(shown.replaces), others=[],
    )  # fmt: skip


def headline(item: NewsroomItem) -> str:
    """The title, or the first line of a text without one."""
    return item.title.strip() or item.body.strip().partition("\n")[0][:80] or item.statement


@cache
def style() -> bytes:
    """The one style sheet."""
    return (resources.files(__package__) / "static" / STYLE).read_bytes()


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    made = ImmutableSandboxedEnvironment(
        loader=PackageLoader("bot.newsroom", "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    made.filters["exact"] = exact
    made.globals.update(
        headline=headline, iso=iso, moment=_moment, code=lambda one: "zh-Hans" if one == "zh-CN" else one
    )
    return made


def _render(name: str, room: Room, language: str, links: Links, **values: Any) -> bytes:
    def say(key: str, **params: Any) -> str:
        return render(Text(f"newsroom.{key}", params), language)

    template = _environment().get_template(name)
    return template.render(room=room, language=language, links=links, t=say, **values).encode()


def _code(language: str) -> str:
    return "zh-Hans" if language == "zh-CN" else language


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, CHINA).strftime("%Y-%m-%d %H:%M")
