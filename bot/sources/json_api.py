"""Any JSON API by mapping: where the items are, which field is what, how to turn the page, when to wait."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from bot.config import AuthConfig, PageConfig
from bot.model.intake import iso
from bot.sources import seen
from bot.sources.base import Batch, SourceError, oldest_first, problem
from bot.sources.dates import DateError, parse_moment
from bot.sources.expression import Expression
from bot.sources.mapping import Mapped, Mapper
from bot.sources.net import Fetched, check_status, fetch, retry_after, shown, used_up
from bot.sources.preset import Resolved, Since
from bot.sources.template import add_query, fill, placeholders

LIMIT = 4 * 1024 * 1024


@dataclass(slots=True)
class _Poll:
    """What one poll has gathered so far."""

    now: int
    known: list[str]
    before: set[str]
    items: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[tuple[str, str]] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)
    newest: str = ""
    retry_after: int | None = None
    rest: str = ""  # page or cursor token at which the next poll goes on

    def take(self, mapped: Mapped) -> int:
        """Keep what is new; returns how many that were."""
        fresh = 0
        for item in mapped.items:
            digest = seen.mark(identity_of(item))
            if digest not in self.before:
                self.before.add(digest)
                self.items.append(item)
                fresh += 1
            self.marks.append(digest)
        self.rejected.extend(mapped.rejected)
        return fresh


class JsonSource:
    """One JSON API. The cursor is ``{"seen", "since", "rest", "pending"}``.

    With ``since``, a poll that ends at its page limit goes on where it stopped (``rest``) before the mark moves
    (``pending`` holds the newest so far): a burst larger than one poll loses nothing.
    """

    def __init__(self, resolved: Resolved, session: aiohttp.ClientSession, environ: Mapping[str, str] | None = None):
        config = resolved.config
        self.id = config.id
        self.platform = config.platform or "other"
        self._config = config
        self._resolved = resolved
        self._session = session
        self._environ = environ
        self._where = f"sources.{config.id}"
        self._mapper = Mapper(
            config.id,
            config.items,
            config.map,
            platform=self.platform,
            defaults=config.defaults,
            date_format=config.date_format,
            timezone=config.timezone,
            joins=resolved.joins,
        )
        page = config.page
        self._page: PageConfig | None = page if page is not None and page.kind != "since" else None
        self._until = Expression(page.until, f"{self._where}.page.until") if page and page.until else None
        self._next = Expression(page.next, f"{self._where}.page.next") if page and page.next else None
        shape = resolved.error
        self._message = Expression(shape.message, f"{self._where}.error") if shape and shape.message else None
        self._code = Expression(shape.code, f"{self._where}.error") if shape and shape.code else None
        self._build_url("", "1", 0)  # an unknown placeholder is a mistake of the configuration: say so now

    async def poll(self, cursor: Mapping[str, Any], now: int) -> Batch:
        known = seen.unpack(cursor.get("seen"))
        poll = _Poll(now=now, known=known, before=set(known), newest=str(cursor.get("pending") or ""))
        since = str(cursor.get("since") or "")
        rest = str(cursor.get("rest") or "")
        try:
            try:
                await self._pages(poll, since, rest)
            except SourceError as error:
                if not rest or poll.items or error.code not in ("bad_request", "gone", "api_error"):
                    raise
                # The token of an interrupted run has expired: begin again rather than fail for ever.
                await self._pages(poll, since, "")
        except SourceError as error:
            if not poll.items:
                raise
            # What earlier pages gave is kept; the failed page comes again with the next poll.
            poll.retry_after = error.retry_after or poll.retry_after
        return Batch(
            items=oldest_first(poll.items),
            cursor=self._next_cursor(poll, since),
            rejected=tuple(poll.rejected),
            retry_after=poll.retry_after,
            more=bool(poll.rest) and poll.retry_after is None,
        )

    def _next_cursor(self, poll: _Poll, since: str) -> dict[str, Any]:
        following: dict[str, Any] = {"seen": seen.pack(poll.marks, poll.known)}
        if self._resolved.since is not None:
            if poll.rest:
                following |= {"since": since, "rest": poll.rest, "pending": poll.newest}
            else:
                following["since"] = _later(since, poll.newest)
        return following

    async def _pages(self, poll: _Poll, since: str, rest: str) -> None:
        page = self._page
        token = rest or (str(page.first) if page is not None and page.kind == "number" else "")
        for _ in range(page.max if page is not None else 1):
            if self._resolved.since is not None:
                poll.rest = token if token != self._first() else ""
            document, answer = await self._ask(since, token, poll.now)
            mapped = self._mapper.apply(document, poll.now)
            fresh = poll.take(mapped)
            self._remember_newest(poll, mapped)
            token = self._following(document, mapped, fresh, token)
            if used_up(answer.headers):
                poll.retry_after = retry_after(answer.headers, poll.now)
            if not token or poll.retry_after is not None:
                break
        poll.rest = token if self._resolved.since is not None else ""

    def _first(self) -> str:
        return str(self._page.first) if self._page is not None and self._page.kind == "number" else ""

    def _following(self, document: Any, mapped: Mapped, fresh: int, token: str) -> str:
        """The next page's number or cursor; empty at the end, or where everything on the page was known already."""
        page = self._page
        if page is None or not mapped.raw or (not fresh and not mapped.rejected):
            return ""
        if self._until is not None and self._until.search(document):
            return ""
        if page.kind == "number":
            return str(int(token) + 1)
        following = self._next.search(document) if self._next else None
        value = "" if following in (None, "", False, 0) else str(following)
        return "" if value == token else value

    def _remember_newest(self, poll: _Poll, mapped: Mapped) -> None:
        since = self._resolved.since
        if since is None:
            return
        for item in mapped.items:
            value = str(item.get("id") or "") if since.kind == "id" else str(_moment(item, poll.now))
            poll.newest = _later(poll.newest, value)

    async def _ask(self, since: str, token: str, now: int) -> tuple[Any, Fetched]:
        config = self._config
        url = self._build_url(since, token, now)
        headers = {"Accept": "application/json", **config.headers}
        url = self._authorise(config.auth, url, headers)
        answer = await fetch(self._session, url, headers=headers, limit=LIMIT, timeout=config.timeout)
        document = await self._decode(answer, now)
        return document, answer

    async def _decode(self, answer: Fetched, now: int) -> Any:
        try:
            if len(answer.body) > 200_000:
                document = await asyncio.to_thread(json.loads, answer.body)
            else:
                document = json.loads(answer.body)
        except (ValueError, RecursionError):
            check_status(answer, now)
            start = answer.body[:80].decode("utf-8", "replace")
            raise problem("not_json", url=shown(answer.url), start=start) from None
        self._check_error(document, answer, now)
        check_status(answer, now)
        return document

    def _check_error(self, document: Any, answer: Fetched, now: int) -> None:
        shape = self._resolved.error
        if shape is None:
            return
        code = str(self._code.search(document) or "") if self._code else ""
        message = str(self._message.search(document) or "") if self._message else ""
        if code and code in shape.limits:
            wait = retry_after(answer.headers, now)
            raise problem("rate_limited", url=shown(answer.url), retry_after=wait if wait is not None else 600_000)
        if message:
            cause = f"{code} {message}".strip()[:200]
            raise problem("api_error", permanent=answer.status in (401, 403), url=shown(answer.url), cause=cause)

    def _build_url(self, since: str, token: str, now: int) -> str:
        url = self._config.url
        wanted = placeholders(url)
        values = dict(self._resolved.parameters)
        extra: dict[str, str] = {}
        if self._page is not None:
            if self._page.kind == "number" or "page" in wanted:
                values["page"] = token or str(self._page.first)
            if "page" not in wanted and token:
                extra[self._page.param] = token
        mark = _since_value(self._resolved.since, since, now)
        if self._resolved.since is not None:
            if "since" in wanted:
                values["since"] = mark
            elif mark and self._resolved.since.param:
                extra[self._resolved.since.param] = mark
        return add_query(fill(url, values, f"{self._where}.url"), extra)

    def _authorise(self, auth: AuthConfig | None, url: str, headers: dict[str, str]) -> str:
        if auth is None or not (auth.header or auth.query):
            return url
        secret = auth.secret("value", self._environ)
        if not secret:
            if self._resolved.auth_optional:
                return url
            place = auth.value_env or auth.value_file or "value_env"
            raise problem("no_secret", permanent=True, where=f"{self._where}.auth", place=place)
        if auth.header:
            headers[auth.header] = f"{auth.scheme} {secret}".strip()
            return url
        return add_query(url, {auth.query: secret})


def identity_of(item: Mapping[str, Any]) -> str:
    """What makes an item the same one: its id, else its address, else its words."""
    return str(item.get("id") or item.get("url") or f"{item.get('title')}\x1f{item.get('text')}")


def _moment(item: Mapping[str, Any], now: int) -> int:
    try:
        return parse_moment(item.get("published_at"), now)
    except DateError:
        return 0


def _later(left: str, right: str) -> str:
    """The greater of two marks: numbers by size (ids outgrow their digits), other ids by length, then by letter."""
    if left.isdigit() and right.isdigit():
        return max(left, right, key=int)
    return max(left, right, key=lambda value: (len(value), value))


def _since_value(since: Since | None, mark: str, now: int) -> str:
    if since is None:
        return ""
    if since.kind == "id":
        return mark
    moment = int(mark) - since.overlap if mark.isdigit() else now - since.first
    if since.kind == "epoch":
        return str(moment // 1000)
    return str(moment) if since.kind == "epoch_ms" else iso(max(moment, 0))
