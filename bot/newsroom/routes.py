"""The newsroom over HTTP: ``/newsroom``, its entries and feeds, for everybody; a drill's preview for members only."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime

from aiohttp import web
from sqlite_utils import Database

from bot.clock import SECOND, Clock
from bot.config import Config
from bot.model.publication import NewsroomItem
from bot.model.text import LANGUAGES, Text
from bot.newsroom import feeds, pages
from bot.newsroom.pages import SERVED, Room
from bot.statements.publish_targets import newsroom_address
from bot.store import publications as store
from bot.store.database import Store
from bot.texts import render

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Feed = Callable[[Room, list[NewsroomItem]], bytes]
HEADERS = {
    "Content-Security-Policy": pages.POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # A correction must be seen at once: everybody asks again, and mostly hears that nothing changed.
    "Cache-Control": "no-cache",
}
HTML, ATOM, JSON = "text/html", "application/atom+xml", "application/feed+json"
KEPT = SECOND  # a page is made at most once a second, however many ask for it


@dataclass(frozen=True, slots=True)
class Page:
    body: bytes
    media_type: str
    modified: int
    made_at: int

    @property
    def tag(self) -> str:
        return f'"{hashlib.sha256(self.body).hexdigest()[:32]}"'


class Newsroom:
    """``members`` wraps a handler so that only members reach it."""

    def __init__(self, config: Config, store: Store, clock: Clock, members: Callable[[Handler], Handler]) -> None:
        self._config = config
        self._store = store
        self._clock = clock
        self._members = members
        self._kept: dict[tuple[str, str], Page] = {}

    def add_routes(self, app: web.Application) -> None:
        """The public pages only where a newsroom is configured to be served; previews always."""
        served = any(one.kind == "newsroom" and one.serve for one in self._config.publishers)
        app.router.add_get(f"/newsroom/{pages.STYLE}", self.style)
        if served:
            app.router.add_get("/newsroom", self.index)
            app.router.add_get("/newsroom/feed.atom", self.atom)
            app.router.add_get("/newsroom/feed.json", self.json)
            app.router.add_get("/newsroom/{slug}", self.item)
        app.router.add_get("/statements/preview/{statement}", self._members(self.preview))

    async def style(self, request: web.Request) -> web.StreamResponse:
        return _answer(request, Page(pages.style(), "text/css", 0, 0))

    async def index(self, request: web.Request) -> web.StreamResponse:
        language = self._language(request) or self._config.language

        def make(items: list[NewsroomItem]) -> bytes:
            return pages.index(self.room(), items, language, SERVED)

        return _answer(request, await self._page("/", language, HTML, make))

    async def atom(self, request: web.Request) -> web.StreamResponse:
        return await self._feed(request, "atom", ATOM, feeds.atom)

    async def json(self, request: web.Request) -> web.StreamResponse:
        return await self._feed(request, "json", JSON, feeds.json_feed)

    async def _feed(self, request: web.Request, path: str, media_type: str, make: Feed) -> web.StreamResponse:
        language = self._language(request)
        made = await self._page(path, language, media_type, lambda items: make(self.room(), _in(items, language)))
        return _answer(request, made)

    async def item(self, request: web.Request) -> web.StreamResponse:
        slug = request.match_info["slug"]

        def read(db: Database) -> tuple[NewsroomItem | None, list[NewsroomItem]]:
            found = store.item(db, slug)
            return found, [] if found is None else store.neighbours(db, found)

        found, items = await self._store.read(read)
        if found is None:
            words = render(Text("newsroom.not_found"), self._config.language)
            raise web.HTTPNotFound(text=words + "\n", headers=HEADERS)
        body = pages.item(self.room(), items, found, SERVED)
        return _answer(request, Page(body, HTML, found.updated_at, 0))

    async def preview(self, request: web.Request) -> web.StreamResponse:
        """What a drill would have published; its text never stands below ``/newsroom``."""
        found = await self._store.read(lambda db: store.item_of(db, request.match_info["statement"]))
        if found is None or not found.drill:
            raise web.HTTPNotFound(headers=HEADERS)
        mark = render(Text("newsroom.preview"), found.language)
        return _answer(request, Page(pages.item(self.room(), [], found, SERVED, drill=mark), HTML, found.updated_at, 0))

    def room(self) -> Room:
        return room(self._config)

    async def _page(
        self, path: str, language: str, media_type: str, make: Callable[[list[NewsroomItem]], bytes]
    ) -> Page:
        now, key = self._clock.now(), (path, language)
        kept = self._kept.get(key)
        if kept is not None and 0 <= now - kept.made_at < KEPT:
            return kept
        items = await self._store.read(store.public_items)
        page = Page(make(items), media_type, max((item.updated_at for item in items), default=0), now)
        self._kept[key] = page
        return page

    @staticmethod
    def _language(request: web.Request) -> str:
        """The language asked for, empty for none."""
        asked = request.query.get("lang", "")
        return asked if asked in LANGUAGES else ""


def room(config: Config) -> Room:
    """How the newsroom calls itself."""
    publisher = next((one for one in config.publishers if one.kind == "newsroom"), None)
    title = (publisher.title if publisher else "") or render(Text("newsroom.title"), config.language)
    return Room(title, newsroom_address(config), config.language)


def _in(items: list[NewsroomItem], language: str) -> list[NewsroomItem]:
    return [item for item in items if not language or item.language == language]


def _answer(request: web.Request, page: Page) -> web.StreamResponse:
    headers = {**HEADERS, "ETag": page.tag}
    if page.modified:
        headers["Last-Modified"] = formatdate(page.modified / 1000, usegmt=True)
    if _known(request, page):
        return web.Response(status=304, headers=headers)
    return web.Response(body=page.body, content_type=page.media_type, charset="utf-8", headers=headers)


def _known(request: web.Request, page: Page) -> bool:
    """Whether the reader has this very page. A date says less than a tag and counts only where no tag is given."""
    tags = request.headers.get("If-None-Match", "")
    if tags:
        return page.tag in [tag.strip().removeprefix("W/") for tag in tags.split(",")] or tags.strip() == "*"
    since = request.headers.get("If-Modified-Since", "")
    if not since or not page.modified:
        return False
    try:
        return parsedate_to_datetime(since).timestamp() >= page.modified // 1000
    except (ValueError, TypeError, OverflowError):
        return False
