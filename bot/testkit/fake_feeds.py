"""The outside world of feeds and JSON interfaces on loopback, in good and in bad moods."""

import gzip
import hashlib
import json
import zlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from bot.clock import SECOND, Clock
from bot.testkit.faults import Failure
from bot.testkit.feed_bodies import KINDS, Item, http_date
from bot.testkit.server import FakeServer
from bot.testkit.watched import Call

CHUNK = 64 * 1024
Serve = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Feed:
    """A feed that changes. ``encoding`` is the truth about its bytes, ``declared`` and ``header`` may lie.

    ``longest`` is how many of the newest items are shown, as real feeds forget.
    """

    title: str
    kind: str = "rss"
    encoding: str = "utf-8"
    declared: str | None = None
    header: str | None = None
    conditional: bool = True
    longest: int = 100
    items: list[Item] = field(default_factory=list)
    changed_at: int = 0

    def body(self) -> bytes:
        write, _ = KINDS[self.kind]
        newest = list(reversed(self.items[-self.longest :]))
        return write(self.title, newest, self.declared or self.encoding).encode(self.encoding, errors="replace")

    def content_type(self) -> str:
        return self.header if self.header is not None else f"{KINDS[self.kind][1]}; charset={self.encoding}"


@dataclass(slots=True)
class JsonApi:
    """Rows behind a JSON interface. ``paging`` is ``page``, ``cursor``, ``since`` or empty for everything at once.

    ``items_at`` and ``cursor_at`` are dotted places in the answer; rows are shown newest first except with ``since``,
    which gives rows whose ``since_field`` is greater than the parameter, oldest first.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    paging: str = ""
    size: int = 20
    items_at: str = "data.list"
    cursor_at: str = "data.next_cursor"
    since_field: str = "id"
    header: tuple[str, str] | None = None
    query: tuple[str, str] | None = None
    extra_headers: dict[str, str] = field(default_factory=dict)

    def allows(self, request: web.Request) -> bool:
        by_header = self.header is None or request.headers.get(self.header[0]) == self.header[1]
        return by_header and (self.query is None or request.query.get(self.query[0]) == self.query[1])

    def answer(self, query: Mapping[str, str]) -> dict[str, Any]:
        """One page; raises ``ValueError`` for a parameter that is no number."""
        size = min(int(query.get("size", self.size)), self.size)
        whole: dict[str, Any] = {}
        newest = list(reversed(self.rows))
        if self.paging == "since":
            after = query.get("since", "")
            rows = [row for row in self.rows if not after or _later(row.get(self.since_field), after)]
            _put(whole, self.items_at, rows[:size])
        elif self.paging == "page":
            page = max(1, int(query.get("page", 1)))
            _put(whole, self.items_at, newest[(page - 1) * size : page * size])
            whole["total"] = len(newest)
        elif self.paging == "cursor":
            # The cursor counts from the oldest row, so that rows added meanwhile do not shift the pages.
            end = int(query["cursor"]) if query.get("cursor") else len(self.rows)
            start = max(0, end - size)
            _put(whole, self.items_at, list(reversed(self.rows[start:end])))
            _put(whole, self.cursor_at, str(start) if start else None)
        else:
            _put(whole, self.items_at, newest)
        return whole


def _later(value: object, after: str) -> bool:
    """Whether a row's value is past the parameter: as numbers where both are, else as text."""
    try:
        return float(str(value)) > float(after)
    except ValueError:
        return str(value) > after


def _put(whole: dict[str, Any], place: str, value: object) -> None:
    *way, last = place.split(".")
    for name in way:
        whole = whole.setdefault(name, {})
    whole[last] = value


class FakeFeeds(FakeServer):
    """Serves what it is given under a path; calls are recorded and failed by path (``fail_next("/rss", ...)``)."""

    def __init__(self, clock: Clock | None = None) -> None:
        super().__init__(clock)
        self.served: dict[str, int] = {}
        self._paths: dict[str, Serve] = {}

    def address(self, path: str) -> str:
        return self.url + path

    # -- good moods ---------------------------------------------------------------------------------------------

    def feed(self, path: str, title: str = "News", **how: Any) -> Feed:
        """A feed at ``path``; see ``Feed`` for the keywords. Add items with ``publish``."""
        feed = Feed(title, changed_at=self.clock.now(), **how)

        async def serve(request: web.Request) -> web.StreamResponse:
            return self._conditional(request, feed)

        self._paths[path] = serve
        return feed

    def publish(self, feed: Feed, *items: Item) -> None:
        feed.items.extend(items)
        feed.changed_at = self.clock.now()

    def publish_rows(self, feed: Feed, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add JSON posts (``id``, ``text``, ``published_at`` as anything, ``author``) as items of a growing feed."""
        for row in rows:
            at = row.get("published_at")
            written = None if isinstance(at, int) else str(at)
            author = str((row.get("author") or {}).get("name") or (row.get("author") or {}).get("id") or "")
            moment = at * SECOND if isinstance(at, int) and at < 10**11 else at if isinstance(at, int) else 0
            text = str(row.get("text") or "")
            url = str(row.get("url") or f"https://posts.example/{row['id']}")
            self.publish(feed, Item(str(row["id"]), str(row.get("title") or ""), text, url, moment, author, written))

    def json_api(self, path: str, rows: Sequence[dict[str, Any]] = (), **how: Any) -> JsonApi:
        """A JSON interface at ``path``; see ``JsonApi`` for the keywords. Append to its ``rows``."""
        api = JsonApi(list(rows), **how)

        async def serve(request: web.Request) -> web.StreamResponse:
            if not api.allows(request):
                return web.json_response({"error": "unauthorized"}, status=401)
            try:
                return web.json_response(api.answer(request.query), headers=api.extra_headers)
            except ValueError:
                return web.json_response({"error": "bad parameter"}, status=400)

        self._paths[path] = serve
        return api

    def raw(self, path: str, body: bytes, content_type: str = "application/xml", **headers: str) -> None:
        """These very bytes, whatever they are."""

        async def serve(request: web.Request) -> web.StreamResponse:
            return web.Response(body=body, headers={"Content-Type": content_type, **headers})

        self._paths[path] = serve

    # -- bad moods ----------------------------------------------------------------------------------------------

    def redirect(self, path: str, to: str, status: int = 302) -> None:
        """For example to ``http://169.254.169.254/``, where a bot must not follow."""

        async def serve(request: web.Request) -> web.StreamResponse:
            return web.Response(status=status, headers={"Location": to})

        self._paths[path] = serve

    def gzip_bomb(self, path: str, megabytes: int = 200) -> None:
        """A small body that unpacks to this much."""
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        zeros = bytes(1 << 20)
        packed = b"".join(packer.compress(zeros) for _ in range(megabytes)) + packer.flush()
        self.raw(path, packed, "application/rss+xml", **{"Content-Encoding": "gzip"})

    def gzipped(self, path: str, body: bytes, content_type: str = "application/rss+xml") -> None:
        self.raw(path, gzip.compress(body), content_type, **{"Content-Encoding": "gzip"})

    def endless(self, path: str, start: bytes = b"<rss><channel>") -> None:
        """A body that never ends; ``served[path]`` tells how many bytes the client took."""
        self._stream(path, start, lambda: b"<item><title>more</title></item>" * (CHUNK // 32), 0)

    def slow(self, path: str, every: int = SECOND, start: bytes = b"<rss><channel>") -> None:
        """One byte every ``every`` milliseconds of the fake's clock, for ever."""
        self._stream(path, start, lambda: b" ", every)

    def _stream(self, path: str, start: bytes, more: Callable[[], bytes], every: int) -> None:
        async def serve(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse(headers={"Content-Type": "application/rss+xml"})
            await response.prepare(request)
            self.served[path] = 0
            try:
                chunk = start
                while True:
                    await response.write(chunk)
                    self.served[path] += len(chunk)
                    if every:
                        await self.clock.sleep(every)
                    chunk = more()
            except ConnectionError:
                return response

        self._paths[path] = serve

    # -- the one path -------------------------------------------------------------------------------------------

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_route("*", "/{path:.*}", self._serve)

    async def body_of(self, request: web.Request) -> Mapping[str, Any]:
        body: dict[str, Any] = dict(request.query)
        if request.content_type == "application/json" and request.can_read_body:
            try:
                parsed = json.loads(await request.read())
            except ValueError:
                return body
            body |= parsed if isinstance(parsed, dict) else {}
        return body

    def refusal(self, call: Call, failure: Failure) -> web.Response:
        headers = {"Retry-After": str(failure.retry_after)} if failure.retry_after is not None else {}
        return web.Response(status=failure.status or 503, text=str(failure.error or "fake failure"), headers=headers)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        serve = self._paths.get(request.path)
        return await serve(request) if serve else web.Response(status=404, text="nothing here")

    @staticmethod
    def _conditional(request: web.Request, feed: Feed) -> web.Response:
        body = feed.body()
        if not feed.conditional:
            return web.Response(body=body, headers={"Content-Type": feed.content_type()})
        tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        modified = http_date(feed.changed_at)
        headers = {"ETag": tag, "Last-Modified": modified}
        asked = request.headers.get("If-None-Match")
        # RFC 9110 13.1.3: If-Modified-Since counts only where If-None-Match is not sent.
        same = asked == tag if asked is not None else request.headers.get("If-Modified-Since") == modified
        if same:
            return web.Response(status=304, headers=headers)
        return web.Response(body=body, headers={**headers, "Content-Type": feed.content_type()})
