"""The newsroom as Atom (RFC 4287) and JSON Feed 1.1. Pure. A corrected entry keeps its id and gets a new date."""

import re
import uuid
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

import orjson

from bot.model.intake import iso
from bot.model.publication import NewsroomItem
from bot.model.text import Text
from bot.newsroom.pages import Room, headline
from bot.texts import render

ENTRIES = 50
# What XML 1.0 cannot hold, not even escaped.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def atom(room: Room, items: Sequence[NewsroomItem]) -> bytes:
    updated = max((item.updated_at for item in items), default=0)
    parts = [
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">',
        f"<title>{_xml(room.title)}</title><id>{_xml(identity(room.base))}</id><updated>{iso(updated)}</updated>",
        f"<author><name>{_xml(room.title)}</name></author>",
        f'<link rel="self" type="application/atom+xml" href="{_xml(room.base)}/feed.atom"/>',
        f'<link rel="alternate" type="text/html" href="{_xml(room.base)}"/>',
        *(_entry(room, items, item) for item in items[:ENTRIES]),
        "</feed>\n",
    ]
    return "\n".join(parts).encode()


def json_feed(room: Room, items: Sequence[NewsroomItem]) -> bytes:
    feed: dict[str, Any] = {
        "version": "https://jsonfeed.org/version/1.1", "title": room.title, "home_page_url": room.base,
        "feed_url": f"{room.base}/feed.json", "language": room.language, "authors": [{"name": room.title}],
        "items": [_json_item(room, items, item) for item in items[:ENTRIES]],
    }  # fmt: skip
    return orjson.dumps(feed, option=orjson.OPT_INDENT_2)


def identity(seed: str) -> str:
    """A name that never changes, whatever address the newsroom moves to."""
    return uuid.uuid5(uuid.NAMESPACE_URL, seed).urn


def _entry(room: Room, items: Sequence[NewsroomItem], item: NewsroomItem) -> str:
    link = f"{room.base}/{item.slug}"
    newer = _newer(items, item)
    summary = status(item)
    parts = [
        f'<entry xml:lang="{_xml(item.language)}"><title>{_xml(headline(item))}</title>',
        f"<id>{_xml(identity(item.digest))}</id>",
        f"<published>{iso(item.published_at)}</published><updated>{iso(item.updated_at)}</updated>",
        f'<link rel="alternate" type="text/html" href="{_xml(link)}"/>',
        f'<link rel="related" href="{_xml(room.base)}/{newer.slug}"/>' if newer else "",
        f'<category term="{_xml(item.replaced_kind or item.kind.value)}"/>',
        f"<summary>{_xml(summary)}</summary>" if summary else "",
        f'<content type="text">{_xml(item.body)}</content></entry>',
    ]
    return "".join(parts)


def _json_item(room: Room, items: Sequence[NewsroomItem], item: NewsroomItem) -> dict[str, Any]:
    newer = _newer(items, item)
    return {
        "id": identity(item.digest), "url": f"{room.base}/{item.slug}", "title": headline(item),
        "content_text": item.body, "language": item.language, "date_published": iso(item.published_at),
        "date_modified": iso(item.updated_at), **({"summary": status(item)} if status(item) else {}),
        **({"external_url": f"{room.base}/{newer.slug}"} if newer else {}),
        "_fengbo": {
            "statement": item.statement, "digest": item.digest, "kind": item.kind.value, "replaces": item.replaces,
            "replaced_by": item.replaced_by, "replaced_kind": item.replaced_kind,
        },
    }  # fmt: skip


def status(item: NewsroomItem) -> str:
    """``Corrected by S-14``; empty for an entry that stands as it is."""
    if not item.replaced_by:
        return ""
    params = {"by": item.replaced_by}
    return render(Text(f"newsroom.by_{item.replaced_kind}", params), item.language)


def _newer(items: Sequence[NewsroomItem], item: NewsroomItem) -> NewsroomItem | None:
    return next((one for one in items if item.replaced_by and one.statement == item.replaced_by), None)


def _xml(text: str) -> str:
    cleaned = _NOT_XML.sub("\ufffd", text)
    return escape(cleaned, {'"': "&quot;", "\r": "&#13;"})
