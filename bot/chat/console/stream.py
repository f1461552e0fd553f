"""Live updates as server-sent events. Each carries its revision as id, so that a page which lost the connection goes
on where it was."""

from functools import partial
from typing import TYPE_CHECKING

import orjson
from aiohttp import web
from sqlite_utils import Database

from bot.chat.console import messages
from bot.chat.console.guard import HEADERS, MEMBER
from bot.chat.console.hub import News
from bot.chat.console.identity import COOKIE, Member
from bot.chat.console.messages import Entry

if TYPE_CHECKING:
    from bot.chat.console.console import Console

HEARTBEAT = 15_000  # milliseconds; proxies close what is silent for long
BATCH = 100
TOO_OLD = 2_000  # a page that missed more is loaded anew


def add_routes(app: web.Application, console: "Console") -> None:
    """The stream; it ends when the application shuts down."""
    live = Live(console)
    app.router.add_get("/console/stream", console.guard.data(live.stream))

    async def close(_: web.Application) -> None:
        await console.hub.close()

    app.on_shutdown.append(close)


class Live:
    def __init__(self, console: "Console") -> None:
        self._console = console

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Events ``message`` (a message posted or rewritten), ``state`` (the side has changed), ``reload``."""
        member, language = request[MEMBER], self._console.guard.language(request)
        after = _revision(request)
        response = web.StreamResponse(headers={**HEADERS, "Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        response.content_type = "text/event-stream"
        await response.prepare(request)
        try:
            # The first bytes open the stream in the browser; a second is how long it waits before coming back.
            await response.write(b"retry: 1000\n\n")
            async with self._console.hub.reading():
                await self._follow(request, response, member, language, after)
        except ConnectionResetError:
            pass  # the page was closed: the usual end of a stream
        return response

    async def _follow(
        self, request: web.Request, response: web.StreamResponse, member: Member, language: str, after: int
    ) -> None:
        hub, store = self._console.hub, self._console.store
        if await store.read(messages.latest) - after > TOO_OLD:
            await response.write(b"event: reload\ndata: {}\n\n")
            return
        seen = News(-1)
        while not hub.closed:
            news = hub.news
            if news.revision != seen.revision:
                after = await self._tell(response, member, language, after)
            if news.state != seen.state:
                await response.write(b"event: state\ndata: {}\n\n")
            seen = news
            if await hub.wait(seen, HEARTBEAT) == seen:
                await response.write(b": still here\n\n")
                # A session that ended, or a token that was taken away, ends its streams too.
                if await self._console.identities.member(request.cookies.get(COOKIE, "")) is None:
                    return

    async def _tell(self, response: web.StreamResponse, member: Member, language: str, after: int) -> int:
        """Send what is newer than ``after``; returns the newest revision looked at."""

        def news(db: Database, since: int) -> tuple[list[Entry], int]:
            return messages.changed(db, member.account, since, BATCH), messages.latest(db)

        while True:
            entries, newest = await self._console.store.read(partial(news, since=after))
            for entry in entries:
                await response.write(self._event(entry, member, language))
            if len(entries) < BATCH:
                return max(after, newest)
            after = entries[-1].revision

    def _event(self, entry: Entry, member: Member, language: str) -> bytes:
        data = {
            "id": entry.id,
            "channel": entry.channel,
            "mine": entry.author == member.account,
            "mentioned": member.account in entry.mentions,
            "changed": entry.changed_at > entry.posted_at,
            "title": entry.card.title if entry.card else entry.text[:80],
            "html": self._console.renderer.message(entry, member, language),
        }
        return b"id: %d\nevent: message\ndata: %s\n\n" % (entry.revision, orjson.dumps(data))


def _revision(request: web.Request) -> int:
    given = request.headers.get("Last-Event-ID") or request.query.get("after", "0")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 16 else 0
