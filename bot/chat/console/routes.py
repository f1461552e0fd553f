"""The console over HTTP: pages, paging, what members say and press. Everything they do is stored in the inbox before
it is answered."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web
from markupsafe import Markup
from sqlite_utils import Database

from bot.chat.console import access, messages, stream
from bot.chat.console.adapter import DIRECT
from bot.chat.console.board import read_board
from bot.chat.console.guard import MEMBER
from bot.chat.console.identity import Member
from bot.chat.console.messages import Draft, Entry
from bot.delivery import inbox
from bot.model.card import Button, Form
from bot.model.message import Event
from bot.model.text import Text, UserError
from bot.reports import spreads
from bot.reports.scene_svg import scene_svg
from bot.reports.spread_scene import lay_out
from bot.texts import render

if TYPE_CHECKING:
    from bot.chat.console.console import Console

MAX_LINE = 4_000  # characters of one message
MAX_FIELD = 8_000
MAX_FIELDS = 30
HOURS = (0.0, 1.0, 6.0, 24.0, 72.0)  # 0: what fits what goes on
_KEY = re.compile(r"[A-Za-z0-9-]{16,64}")
_ANCHOR = re.compile(r"console/(\d{1,15})")


def add_routes(app: web.Application, console: "Console") -> None:
    """All routes of the console: the pages ``/``, ``/dashboard``, ``/spread/…``; the rest lives below ``/console/``."""
    pages = Pages(console)
    guard = console.guard
    app.router.add_get("/", guard.page(pages.conversation))
    app.router.add_get("/dashboard", guard.page(pages.dashboard))
    app.router.add_get("/spread/{incident}", guard.page(pages.spread))
    app.router.add_get("/console/messages", guard.data(pages.older))
    app.router.add_get("/console/side", guard.data(pages.side))
    app.router.add_get("/console/board", guard.data(pages.board))
    app.router.add_get("/console/form", guard.data(pages.form))
    app.router.add_get("/console/complete", guard.data(pages.complete))
    app.router.add_get("/console/attachment/{id}", guard.data(pages.attachment))
    app.router.add_post("/console/say", guard.data(pages.say))
    app.router.add_post("/console/press", guard.data(pages.press))
    stream.add_routes(app, console)
    access.add_routes(app, console)


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button as it stands on a message now."""

    entry: Entry
    button: Button


class Pages:
    """The handlers. They read the store, ask the renderer, and hand what people do to the inbox."""

    def __init__(self, console: "Console") -> None:
        self._console = console

    async def conversation(self, request: web.Request) -> web.Response:
        console, member, language = self._console, request[MEMBER], self._language(request)
        known = await self._channels(member)
        channel = request.query.get("channel", console.channels[0])
        if channel not in known:
            raise web.HTTPNotFound
        title = render(Text("console.volume"), language)
        now = console.clock.now()

        def read(db: Database) -> tuple[int, list[Entry], Any]:
            # The revision first: what comes in between is told again by the stream, and replaced by id.
            board = read_board(db, console.config, now, language, title)
            return messages.latest(db), messages.page(db, member.account, channel), board

        revision, entries, board = await console.store.read(read)
        body = console.renderer.page(
            "console.html",
            language,
            member=member,
            channel=channel,
            channels=known,
            entries=console.renderer.messages(entries, member, language),
            more=len(entries) == messages.PAGE,
            revision=revision,
            incidents=console.renderer.incidents(board, language),
            side=console.renderer.side(board, language),
            worst=board.worst,
            open=console.identities.open,
            people=console.identities.people if console.identities.open else (),
        )
        return web.Response(text=body, content_type="text/html")

    async def dashboard(self, request: web.Request) -> web.Response:
        console, language = self._console, self._language(request)
        hours = _hours(request)
        body = console.renderer.page(
            "dashboard.html",
            language,
            member=request[MEMBER],
            board=await self._board_html(language, hours),
            hours=hours,
            choices=HOURS,
            open=console.identities.open,
        )
        return web.Response(text=body, content_type="text/html")

    async def spread(self, request: web.Request) -> web.Response:
        """How an incident travels, as a picture that takes the page's width and colours."""
        console, language = self._console, self._language(request)
        try:
            reading = await spreads.read(console.store, request.match_info["incident"][:20], console.clock.now())
        except UserError:
            raise web.HTTPNotFound from None
        shown = spreads.picture(reading, language)
        body = console.renderer.page(
            "spread.html",
            language,
            member=request[MEMBER],
            incident=reading.incident.id,
            heading=shown.title,
            picture=Markup(scene_svg(lay_out(shown))),
            open=console.identities.open,
        )
        return web.Response(text=body, content_type="text/html")

    async def older(self, request: web.Request) -> web.Response:
        """``{"html", "more"}``: the messages before one."""
        console, member = self._console, request[MEMBER]
        channel = request.query.get("channel", "")
        before = _number(request.query.get("before", ""))
        if channel not in await self._channels(member):
            raise web.HTTPNotFound
        entries = await console.store.read(lambda db: messages.page(db, member.account, channel, before))
        html = console.renderer.messages(entries, member, self._language(request))
        return web.json_response({"html": html, "more": len(entries) == messages.PAGE})

    async def side(self, request: web.Request) -> web.Response:
        console, language, now = self._console, self._language(request), self._console.clock.now()
        title = render(Text("console.volume"), language)
        board = await console.store.read(lambda db: read_board(db, console.config, now, language, title))
        return web.json_response(
            {
                "incidents": console.renderer.incidents(board, language),
                "side": console.renderer.side(board, language),
                "worst": board.worst.word,
            }
        )

    async def board(self, request: web.Request) -> web.Response:
        html = await self._board_html(self._language(request), _hours(request))
        return web.json_response({"html": html})

    async def form(self, request: web.Request) -> web.Response:
        console, member, language = self._console, request[MEMBER], self._language(request)
        query = request.query
        pressed = await self._pressed(
            member, query.get("message", ""), query.get("index", ""), query.get("command", "")
        )
        form = self._form(pressed.button, language)
        if form is None:
            raise web.HTTPNotFound
        console.opened(form.id, form.command, "console", member.account)
        html = console.renderer.form(form, language)
        return web.json_response({"html": html})

    async def complete(self, request: web.Request) -> web.Response:
        line = request.query.get("line", "")[:MAX_LINE]
        found = self._console.complete(line, self._language(request))
        return web.json_response([{"line": line, "description": description} for line, description in found[:12]])

    async def attachment(self, request: web.Request) -> web.Response:
        member, identity = request[MEMBER], request.match_info["id"]
        found = await self._console.store.read(lambda db: messages.content(db, member.account, identity))
        if found is None:
            raise web.HTTPNotFound
        name, media_type, content = found
        picture = media_type in ("image/png", "image/jpeg", "image/gif", "image/webp")
        # Anything but a plain picture is saved, never shown: it must not run as a page of ours.
        return web.Response(
            body=content,
            content_type=media_type if picture else "application/octet-stream",
            headers={
                "Content-Security-Policy": "default-src 'none'; sandbox",
                "Cache-Control": "private, max-age=86400",
                "Content-Disposition": f'{"inline" if picture else "attachment"}; filename="{_file_name(name)}"',
            },
        )

    async def say(self, request: web.Request) -> web.Response:
        """``{"channel", "text", "key", "anchor"?}`` → 202 with ``{"new"}`` after the commit."""
        console, member = self._console, request[MEMBER]
        body = await _body(request)
        channel, line, key = str(body.get("channel", "")), str(body.get("text", "")).strip(), _key(body)
        if channel not in await self._channels(member):
            raise web.HTTPNotFound
        if not line or len(line) > MAX_LINE:
            raise web.HTTPUnprocessableEntity
        thread = await self._thread(member, str(body.get("anchor") or ""))
        private = channel.startswith(DIRECT)
        audience = member.account if private else ""
        event = self._event(member, channel, line, f"console/{thread}" if thread else "")
        draft = Draft(
            channel=channel,
            key=f"say:{member.account}:{key}",
            author=member.account,
            audience=audience,
            thread=thread,
            text=line,
        )
        now = console.clock.now()

        def write(db: Database) -> tuple[bool, int]:
            new = inbox.accept(db, f"{member.account}:{key}", event, now)
            messages.post(db, draft, now)
            return new, messages.latest(db)

        new, revision = await console.store.write(write)
        console.hub.notify(revision)
        console.accepted()
        return web.json_response({"new": new}, status=202)

    async def press(self, request: web.Request) -> web.Response:
        """``{"message", "index", "command", "key", "fields"?}`` → 202 after the commit, 409 where the card has
        changed and no longer offers this."""
        console, member = self._console, request[MEMBER]
        body = await _body(request)
        key = _key(body)
        pressed = await self._pressed(
            member, str(body.get("message")), str(body.get("index")), str(body.get("command"))
        )
        fields = _fields(body.get("fields"))
        line = pressed.button.command
        if pressed.button.form:
            form = self._form(pressed.button, self._language(request))
            line = form.command if form else line
        event = self._event(
            member, pressed.entry.channel, line, pressed.entry.anchor, "form" if fields else "button", fields
        )
        now = console.clock.now()
        new = await console.store.write(lambda db: inbox.accept(db, f"{member.account}:{key}", event, now))
        console.accepted()
        return web.json_response({"new": new}, status=202)

    def _event(
        self,
        member: Member,
        channel: str,
        line: str,
        anchor: str,
        origin: str = "text",
        fields: dict[str, str] | None = None,
    ) -> Event:
        return Event(
            chat="console",
            account=member.account,
            account_name=member.name,
            destination=f"console:{channel}",
            line=line,
            fields=fields or {},
            anchor=anchor,
            private=channel.startswith(DIRECT),
            happened_at=self._console.clock.now(),
            origin=origin,
        )

    def _form(self, button: Button, language: str) -> Form | None:
        return self._console.form_for(button.form, button.command, language) if button.form else None

    async def _board_html(self, language: str, hours: float) -> str:
        console, now = self._console, self._console.clock.now()
        title = render(Text("console.volume"), language)
        board = await console.store.read(
            lambda db: read_board(db, console.config, now, language, title, hours, recent=True)
        )
        return console.renderer.dashboard(board, language)

    async def _channels(self, member: Member) -> dict[str, int]:
        """The channels a member sees, the configured ones first, each with its newest message."""
        found = await self._console.store.read(messages.channels)
        return {name: found.get(name, 0) for name in [*self._console.channels, *found, member.direct]}

    async def _thread(self, member: Member, anchor: str) -> int:
        match = _ANCHOR.fullmatch(anchor)
        if match is None:
            return 0
        entry = await self._console.store.read(lambda db: messages.get(db, member.account, int(match[1])))
        return (entry.thread or entry.id) if entry else 0

    async def _pressed(self, member: Member, message: str, index: str, command: str) -> Pressed:
        entry = await self._console.store.read(lambda db: messages.get(db, member.account, _number(message)))
        if entry is None:
            raise web.HTTPNotFound
        buttons = entry.card.buttons if entry.card else ()
        place = _number(index)
        if place < len(buttons) and buttons[place].command == command:
            return Pressed(entry, buttons[place])
        # The card was rewritten between the look and the click: the button counts if it is still there.
        moved = next((button for button in buttons if button.command == command), None)
        if moved is None:
            raise web.HTTPConflict
        return Pressed(entry, moved)

    def _language(self, request: web.Request) -> str:
        return self._console.guard.language(request)


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError:
        raise web.HTTPBadRequest from None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest
    return body


def _key(body: dict[str, Any]) -> str:
    """The key the page made for this act: the same act sent again has the same one."""
    key = str(body.get("key", ""))
    if not _KEY.fullmatch(key):
        raise web.HTTPUnprocessableEntity
    return key


def _fields(data: Any) -> dict[str, str]:
    if data is None:
        return {}
    if not isinstance(data, dict) or len(data) > MAX_FIELDS:
        raise web.HTTPUnprocessableEntity
    if any(not isinstance(value, str) or len(value) > MAX_FIELD for value in data.values()):
        raise web.HTTPUnprocessableEntity
    return {str(name)[:100]: value for name, value in data.items()}


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


def _hours(request: web.Request) -> float:
    try:
        hours = float(request.query.get("hours", "0"))
    except ValueError:
        return 0.0
    return hours if hours in HOURS else 0.0


def _file_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", name)[:80] or "file"
