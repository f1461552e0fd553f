"""The text of one page, for a post that a person found and adds by its address."""

import asyncio
import json

import aiohttp

from bot.sources.base import problem
from bot.sources.dates import DateError, parse_moment
from bot.sources.feed import charset_of
from bot.sources.files import detect_encoding
from bot.sources.markup import one_line, plain
from bot.sources.net import check_status, fetch, shown

# The page must not cost the parser seconds: the same reasoning as for feeds.
MOST_TAGS = 60_000
_ACCEPT = "text/html, application/xhtml+xml, text/plain;q=0.8"


async def extract(
    session: aiohttp.ClientSession, url: str, now: int, timeout: int = 20_000
) -> tuple[str, str, int | None]:
    """Title, text and moment of publication (None where the page does not say) of an article.

    Raises ``SourceError``: everything of ``fetch``, and no_article where there is no text to find.
    """
    answer = await fetch(session, url, headers={"Accept": _ACCEPT}, timeout=timeout)
    check_status(answer, now)
    title, text, published = await asyncio.to_thread(
        read_page, answer.body, answer.headers.get("content-type", ""), answer.url, now
    )
    if not text and not title:
        raise problem("no_article", permanent=True, url=shown(url))
    return title, text or title, published


def read_page(body: bytes, content_type: str, url: str, now: int) -> tuple[str, str, int | None]:
    """The same of a page that is there already; empty strings where nothing was found."""
    charset = charset_of(body, content_type) or detect_encoding(body[:65_536])
    page = body.decode(charset, "replace")
    if content_type.lower().startswith("text/plain"):
        lines = page.strip().split("\n", 1)
        return one_line(lines[0])[:200], plain(page), None
    if body.count(b"<") > MOST_TAGS:
        return "", "", None
    # Imported here: the first page waits for it, in its thread, and not every start.
    import trafilatura

    try:
        found = trafilatura.extract(
            page, url=url, output_format="json", with_metadata=True, include_comments=False, include_tables=False
        )
        data = json.loads(found) if found else {}
    except (ValueError, RecursionError, AttributeError, TypeError):
        data = {}
    try:
        published: int | None = parse_moment(data.get("date"), now)
    except DateError:
        published = None
    return one_line(str(data.get("title") or ""))[:2_000], plain(str(data.get("text") or "")), published
