"""RSS, Atom and JSON Feed documents written out, and rows for JSON interfaces."""

import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a feed. ``published`` overrides the written date, to serve broken ones."""

    id: str
    title: str = ""
    text: str = ""
    url: str = ""
    published_at: int = 0
    author: str = ""
    published: str | None = None


def http_date(at: int) -> str:
    """Unix milliseconds as HTTP and RSS write dates."""
    return format_datetime(datetime.fromtimestamp(at / 1000, UTC), usegmt=True)


def iso_date(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat()


def rss(title: str, items: Sequence[Item], encoding: str) -> str:
    entries = "".join(
        f"<item><guid isPermaLink='false'>{escape(item.id)}</guid><title>{escape(item.title)}</title>"
        f"<link>{escape(item.url)}</link><description>{escape(item.text)}</description>"
        f"<author>{escape(item.author)}</author>"
        f"<pubDate>{escape(item.published or http_date(item.published_at))}</pubDate></item>"
        for item in items
    )
    head = f"<?xml version='1.0' encoding='{encoding}'?><rss version='2.0'><channel>"
    return f"{head}<title>{escape(title)}</title><link>https://example.com/</link>{entries}</channel></rss>"


def atom(title: str, items: Sequence[Item], encoding: str) -> str:
    entries = "".join(
        f"<entry><id>{escape(item.id)}</id><title>{escape(item.title)}</title><link href={quoteattr(item.url)}/>"
        f"<updated>{escape(item.published or iso_date(item.published_at))}</updated>"
        f"<author><name>{escape(item.author)}</name></author><content>{escape(item.text)}</content></entry>"
        for item in items
    )
    head = f"<?xml version='1.0' encoding='{encoding}'?><feed xmlns='http://www.w3.org/2005/Atom'>"
    return f"{head}<title>{escape(title)}</title><id>urn:fake</id>{entries}</feed>"


def json_feed(title: str, items: Sequence[Item], encoding: str) -> str:
    entries = [
        {
            "id": item.id,
            "title": item.title,
            "url": item.url,
            "content_text": item.text,
            "date_published": item.published or iso_date(item.published_at),
            "authors": [{"name": item.author}] if item.author else [],
        }
        for item in items
    ]
    whole = {"version": "https://jsonfeed.org/version/1.1", "title": title, "items": entries}
    return json.dumps(whole, ensure_ascii=False)


KINDS = {
    "rss": (rss, "application/rss+xml"),
    "atom": (atom, "application/atom+xml"),
    "json": (json_feed, "application/feed+json"),
}


def cascade_rows(file: Path, cascades: int = 1) -> Iterator[dict[str, Any]]:
    """Posts of the recorded repost cascades as JSON posts, with their dirt (dates as written, duplicates, disorder).

    The first row of each cascade is the post, then its reposts in the order of the file.
    """
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            if number >= cascades:
                return
            event = json.loads(line)
            root = str(event["event"])
            shared = {"platform": "weibo", "root_id": root}
            about = event.get("author") or {}
            author = {"id": f"author-{root}", "followers": about.get("followers"), "verified": about.get("verified")}
            yield {
                "id": root,
                "kind": "post",
                "text": event["text"],
                "published_at": event["time"],
                "author": author,
                "platform": "weibo",
                "engagement": {"likes": event.get("likes") or 0, "reposts": event.get("reposts_stated") or 0},
            }
            for repost in event["reposts"]:
                yield {
                    **shared,
                    "id": repost["id"],
                    "kind": "repost",
                    "text": repost["text"],
                    "published_at": repost["date"],
                    "author": {"id": repost["author"]},
                    "parent_id": repost["parent"] or root,
                }
