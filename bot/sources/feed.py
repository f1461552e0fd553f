"""RSS, Atom and JSON Feed.

feedparser only ever gets an open stream of bytes (it would open a *file* of that name otherwise, and choose the
encoding from text it cannot see), runs off the event loop, and never sees a document nested without measure.
"""

import asyncio
import hashlib
import io
import json
import re
from calendar import timegm
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

import aiohttp
import feedparser

from bot.config import SourceConfig
from bot.model.intake import EARLIEST_AT, FUTURE_ALLOWANCE, iso
from bot.sources import seen
from bot.sources.base import KEPT_OF_REJECTED, Batch, oldest_first, problem
from bot.sources.dates import DateError, parse_moment
from bot.sources.markup import one_line, plain
from bot.sources.net import check_status, fetch, retry_after, shown

# What a document of 2 MB can need and what keeps the parser within about a second: 400,000 nested tags cost it 2.9 s,
# two million stray angle brackets or ampersands 4-5 s.
MOST_NESTED = 5_000
MOST_TAGS = 150_000
MOST_ENTITIES = 250_000
MOST_UNCLOSED = 5_000
MOST_ENTRIES = 8_000
MANY_TAGS = 5_000
_UNCLOSED = re.compile(rb"<[A-Za-z][^<>]*(?=<)")
_TAG = re.compile(rb"<(/?)([A-Za-z][\w:.-]*)[^<>]*?(/?)>|<!\[CDATA\[.*?(?:\]\]>|\Z)", re.DOTALL)
_LABEL = re.compile(rb"charset=[\"']?([A-Za-z0-9_.:-]+)", re.IGNORECASE)
_DECLARED = re.compile(rb"\s*<\?xml[^>]{0,200}?encoding=[\"']([A-Za-z0-9_.:-]+)")
_SINGLE_BYTE = re.compile(r"(us-)?ascii|iso-?8859|latin|windows-12|cp12|koi8|mac")
_ACCEPT = "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, */*;q=0.8"


class FeedSource:
    """A feed asked with conditional GET. The cursor is ``{"etag", "modified", "seen"}``."""

    def __init__(self, config: SourceConfig, session: aiohttp.ClientSession) -> None:
        self.id = config.id
        self.platform = config.platform or "news"
        self._config = config
        self._session = session

    async def poll(self, cursor: Mapping[str, Any], now: int) -> Batch:
        config = self._config
        answer = await fetch(
            self._session,
            config.url,
            headers={"Accept": _ACCEPT, **config.headers},
            timeout=config.timeout,
            etag=str(cursor.get("etag") or ""),
            modified=str(cursor.get("modified") or ""),
        )
        if answer.status == 304:
            return Batch(cursor=dict(cursor), retry_after=retry_after(answer.headers, now))
        check_status(answer, now)
        content_type = answer.headers.get("content-type", "")
        if config.encoding:
            content_type = f"text/xml; charset={config.encoding}"
        items, rejected = await asyncio.to_thread(
            parse_feed, answer.body, answer.url, content_type, now, config.timezone
        )
        known = seen.unpack(cursor.get("seen"))
        before = set(known)
        marks = [seen.mark(item["id"]) for item in items]
        fresh: dict[str, dict[str, Any]] = {}
        for digest, item in zip(marks, items, strict=True):
            if digest not in before and digest not in fresh:
                fresh[digest] = item | {"platform": self.platform, "source": self.id} | dict(config.defaults)
        return Batch(
            items=oldest_first(fresh.values()),
            cursor={
                "etag": answer.headers.get("etag", "")[:300],
                "modified": answer.headers.get("last-modified", "")[:100],
                "seen": seen.pack(marks, known),
            },
            rejected=tuple(rejected),
        )


def parse_feed(
    body: bytes, url: str, content_type: str, now: int, timezone: str = "Asia/Shanghai"
) -> tuple[list[dict[str, Any]], list[tuple[str, str]]]:
    """Posts of a feed document, and what could not become one. Raises ``SourceError`` not_a_feed or too_deep."""
    if _is_json(body, content_type):
        return _parse_json_feed(body, url, now, timezone)
    _refuse_deep(body, url)
    charset = charset_of(body, content_type)
    # Without content-location: ids stay as they stand in the feed, whichever mirror answers.
    headers = {"content-type": f"application/xml; charset={charset}"} if charset else {}
    try:
        document = feedparser.parse(
            io.BytesIO(body), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
        )
    except Exception as error:
        # Whatever a broken feed does to the parser is a finding about the feed.
        raise problem("not_a_feed", url=shown(url), cause=type(error).__name__) from error
    if not document.entries and not document.get("version"):
        raise problem("not_a_feed", url=shown(url), cause=str(document.get("bozo_exception") or "no entries")[:200])
    items: list[dict[str, Any]] = []
    rejected: list[tuple[str, str]] = []
    author = one_line(str(document.feed.get("title") or ""))[:200]
    for entry in document.entries:
        item = _entry(entry, url, now, author)
        if item is None:
            rejected.append((json.dumps(entry, default=str, ensure_ascii=False)[:KEPT_OF_REJECTED], "no title or text"))
        else:
            items.append(item)
    return items, rejected


def charset_of(body: bytes, content_type: str) -> str:
    """The charset to read the feed by, empty where the parser finds out best itself.

    Servers label GB feeds as ISO-8859-1, which fits any bytes: a label that proves nothing yields to one that could
    have failed and did not.
    """
    if body[:4].startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")) or b"\x00" in body[:4]:
        return ""
    found = (_LABEL.search(content_type.encode("utf-8", "replace")), _DECLARED.match(body))
    labels = [match[1].decode("ascii").lower() for match in found if match]
    telling = [label for label in labels if not _SINGLE_BYTE.match(label)]
    for label in (*telling, "utf-8", *labels, "gb18030"):
        try:
            body.decode("gb18030" if label in ("gb2312", "gbk") else label)
        except (UnicodeError, LookupError):
            continue
        return "gb18030" if label in ("gb2312", "gbk") else label
    return ""


def _is_json(body: bytes, content_type: str) -> bool:
    return body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{" or "json" in content_type.lower()


def _refuse_deep(body: bytes, url: str) -> None:
    """Refuse what costs the parser seconds. Unclosed tags inside one entry do not add up to the next."""
    tags = body.count(b"<")
    entries = body.count(b"<item") + body.count(b"<entry")
    if tags > MOST_TAGS or body.count(b"&") > MOST_ENTITIES or entries > MOST_ENTRIES:
        raise problem("too_deep", url=shown(url), limit=MOST_TAGS)
    if tags < MANY_TAGS:
        return
    # Attributes whose quotes never close make the parser quadratic: 150,000 of them cost it 7 s.
    if sum(1 for _ in _UNCLOSED.finditer(body)) > MOST_UNCLOSED:
        raise problem("too_deep", url=shown(url), limit=MOST_UNCLOSED)
    depth = 0
    for match in _TAG.finditer(body):
        name = match[2]
        if name is None or match[3]:
            continue
        if match[1]:
            depth = min(depth, 4) if name in (b"item", b"entry") else max(depth - 1, 0)
        else:
            depth += 1
        if depth > MOST_NESTED:
            raise problem("too_deep", url=shown(url), limit=MOST_NESTED)


def _entry(entry: Any, url: str, now: int, feed_title: str) -> dict[str, Any] | None:
    title = one_line(_string(entry.get("title")))[:2_000]
    bodies = [_string(part.get("value")) for part in entry.get("content") or [] if isinstance(part, Mapping)]
    text = plain(next((body for body in bodies if body.strip()), "") or _string(entry.get("summary")))
    if not title and not text:
        return None
    link = _string(entry.get("link"))
    link = urljoin(url, link) if link else ""
    published = _struct(entry.get("published_parsed")) or _struct(entry.get("updated_parsed"))
    return _post(
        identity=_string(entry.get("id")) or link,
        title=title,
        text=text,
        link=link,
        published=published,
        author=one_line(_string(entry.get("author")))[:200] or feed_title,
        now=now,
    )


def _post(
    identity: str, title: str, text: str, link: str, published: int | None, author: str, now: int
) -> dict[str, Any]:
    if published is None or not EARLIEST_AT <= published <= now + FUTURE_ALLOWANCE:
        published = now  # no date, or one that cannot be: the moment it was first seen
    if not identity:
        material = "\x1f".join((title, text, link))
        identity = hashlib.blake2b(material.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
    return {
        "id": identity[:200] if len(identity) <= 200 else seen.mark(identity) + identity[:190],
        "kind": "article",
        "url": link or None,
        "title": title or None,
        "text": text or title,
        "author": {"name": author} if author else None,
        "published_at": iso(min(published, now)),
    }


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _struct(value: Any) -> int | None:
    try:
        return timegm(value) * 1000 if value else None
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


def _parse_json_feed(
    body: bytes, url: str, now: int, timezone: str
) -> tuple[list[dict[str, Any]], list[tuple[str, str]]]:
    """JSON Feed 1.0 and 1.1 (jsonfeed.org/version/1.1)."""
    try:
        document = json.loads(body.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError) as error:
        raise problem("not_a_feed", url=shown(url), cause=str(error)[:200]) from None
    entries = document.get("items") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise problem("not_a_feed", url=shown(url), cause="no items")
    feed_author = _json_author(document) or one_line(_string(document.get("title")))[:200]
    items: list[dict[str, Any]] = []
    rejected: list[tuple[str, str]] = []
    for entry in entries:
        if not isinstance(entry, dict):
            rejected.append((json.dumps(entry)[:KEPT_OF_REJECTED], "an item must be an object"))
            continue
        title = one_line(_string(entry.get("title")))[:2_000]
        text = _string(entry.get("content_text")).strip() or plain(_string(entry.get("content_html")))
        text = plain(text or _string(entry.get("summary")))
        if not title and not text:
            rejected.append((json.dumps(entry, ensure_ascii=False)[:KEPT_OF_REJECTED], "no title or text"))
            continue
        link = _string(entry.get("url")) or _string(entry.get("external_url"))
        items.append(
            _post(
                identity=str(entry["id"]) if isinstance(entry.get("id"), str | int) else link,
                title=title,
                text=text,
                link=urljoin(url, link) if link else "",
                published=_json_date(entry, now, timezone),
                author=_json_author(entry) or feed_author,
                now=now,
            )
        )
    return items, rejected


def _json_author(node: Mapping[str, Any]) -> str:
    authors = node.get("authors")
    first = authors[0] if isinstance(authors, list) and authors else node.get("author")
    return one_line(_string(first.get("name")))[:200] if isinstance(first, Mapping) else ""


def _json_date(entry: Mapping[str, Any], now: int, timezone: str) -> int | None:
    for field in ("date_published", "date_modified"):
        try:
            return parse_moment(entry.get(field), now, timezone)
        except DateError:
            continue
    return None
