"""Feeds: conditional GET, broken dates and charsets, hostile documents, and two thousand real specimens."""

import contextlib
import json
import tarfile
import time

import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.config import SourceConfig
from bot.model.intake import parse_post
from bot.sources import seen
from bot.sources.base import SourceError
from bot.sources.feed import FeedSource, parse_feed

from .conftest import NOW

RSS = """<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>财经晚报</title>
<item><guid>n-2</guid><title>星河支付回应提现延迟</title><link>/a/2</link>
<description>&lt;p&gt;公司称&lt;b&gt;系统升级&lt;/b&gt;，&lt;br&gt;资金安全。&lt;/p&gt;&lt;script&gt;alert(1)&lt;/script&gt;</description>
<pubDate>Wed, 31 Dec 2025 12:00:00 +0800</pubDate><author>a@b.example (王记者)</author></item>
<item><guid>n-1</guid><title>平静的一天</title><link>https://news.example/a/1</link>
<pubDate>Wed, 31 Dec 2025 09:00:00 +0800</pubDate></item>
<item><title>没有日期</title><link>https://news.example/a/0</link></item></channel></rss>"""


def feed(url: str, **more: object) -> SourceConfig:
    return SourceConfig.model_validate({"id": "news", "kind": "feed", "url": url, "platform": "news", **more})


def serve(body: bytes | str, **headers: str):
    data = body.encode() if isinstance(body, str) else body
    return lambda request: web.Response(body=data, headers={"Content-Type": "application/rss+xml", **headers})


async def test_items_become_posts_oldest_first(site, session) -> None:
    site.answer(serve(RSS))
    batch = await FeedSource(feed(site.url), session).poll({}, NOW)
    assert [item["id"] for item in batch.items] == ["n-1", "n-2", "https://news.example/a/0"]
    item = batch.items[1]
    assert item["text"] == "公司称系统升级，\n资金安全。"
    assert item["url"] == f"{site.url}/a/2"
    assert item["published_at"] == "2025-12-31T04:00:00Z"
    assert item["platform"] == "news" and item["kind"] == "article"
    # Without a date the first sight counts.
    assert batch.items[2]["published_at"] == "2026-01-01T00:00:00Z"
    assert [parse_post(item, source="s", platform="p", now=NOW).id for item in batch.items]


async def test_the_second_poll_is_conditional_and_gives_only_what_is_new(site, session) -> None:
    source = FeedSource(feed(site.url), session)
    site.answer(
        serve(RSS, ETag='"v1"', **{"Last-Modified": "Wed, 31 Dec 2025 12:00:00 GMT"}),
        lambda request: web.Response(status=304),
        serve(RSS.replace("<item><guid>n-2", "<item><guid>n-3</guid><title>新</title></item><item><guid>n-2")),
    )
    first = await source.poll({}, NOW)
    second = await source.poll(json.loads(json.dumps(first.cursor)), NOW + 60_000)
    assert site.requests[1].headers["If-None-Match"] == '"v1"'
    assert site.requests[1].headers["If-Modified-Since"] == "Wed, 31 Dec 2025 12:00:00 GMT"
    assert second.items == () and second.cursor == first.cursor
    third = await source.poll(second.cursor, NOW + 120_000)
    assert [item["id"] for item in third.items] == ["n-3"]


async def test_the_headers_of_a_source_are_sent_and_its_defaults_apply(site, session) -> None:
    site.answer(serve(RSS))
    config = feed(site.url, headers={"X-Key": "k"}, defaults={"location": "上海"})
    batch = await FeedSource(config, session).poll({}, NOW)
    assert site.requests[0].headers["X-Key"] == "k"
    assert batch.items[0]["location"] == "上海"


@pytest.mark.parametrize(
    ("encoding", "declared", "header"),
    [
        ("gb18030", "gb2312", "text/xml; charset=utf-8"),
        ("gb18030", "gb18030", "application/xml"),
        ("gb18030", "gbk", "text/xml; charset=iso-8859-1"),
        ("utf-8", "utf-8", "text/xml; charset=gb2312"),
        ("big5", "big5", "text/xml"),
        ("utf-16", "utf-16", "application/xml"),
    ],
)
def test_wrong_charsets_are_survived(encoding: str, declared: str, header: str) -> None:
    document = RSS.replace("utf-8", declared).replace("晚报", "晚報").replace("资", "資").encode(encoding, "replace")
    items, _ = parse_feed(document, "https://a.example/", header, NOW)
    assert items[1]["title"].startswith("平") and len(items) == 3


@pytest.mark.parametrize("status", [403, 404, 429, 500])
async def test_an_error_page_is_an_error_and_keeps_the_cursor_out_of_it(site, session, status: int) -> None:
    site.answer(lambda request: web.Response(status=status, text="<html>oops</html>"))
    with pytest.raises(SourceError):
        await FeedSource(feed(site.url), session).poll({}, NOW)


@pytest.mark.parametrize(
    "body", [b"", b"<html><body>login</body></html>", b"/etc/passwd", b"\x00\x01\x02", b"{}", b'{"items": 3}']
)
def test_what_is_no_feed_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(SourceError) as caught:
        parse_feed(body, "https://a.example/", "", NOW)
    assert caught.value.code == "not_a_feed"


def test_a_future_or_ancient_date_is_replaced_by_the_first_sight() -> None:
    for year in ("1970", "2099"):
        items, _ = parse_feed(RSS.replace("31 Dec 2025", f"31 Dec {year}").encode(), "https://a.example/", "", NOW)
        assert items[0]["published_at"] == "2026-01-01T00:00:00Z"


JSON_FEED = {
    "version": "https://jsonfeed.org/version/1.1",
    "title": "博客",
    "authors": [{"name": "某人"}],
    "items": [
        {
            "id": "1",
            "url": "https://a.example/1",
            "content_html": "<p>正文<br>二</p>",
            "date_published": "2025-12-31T10:00:00+08:00",
        },
        {"id": 2, "content_text": "A & B < C", "authors": [{"name": "另一人"}]},
        {"id": "3"},
        "not an object",
    ],
}


def test_json_feed_is_read() -> None:
    items, rejected = parse_feed(json.dumps(JSON_FEED).encode(), "https://a.example/", "application/feed+json", NOW)
    assert [(item["id"], item["text"], item["author"]["name"]) for item in items] == [
        ("1", "正文\n二", "某人"),
        ("2", "A & B < C", "另一人"),
    ]
    assert len(rejected) == 2


HEAD = b'<rss version="2.0"><channel>'


@pytest.mark.parametrize(
    "body",
    [
        b"<rss>" + b"<a>" * 400_000,
        HEAD + b"<item><title>" + b"<" * 1_900_000,
        HEAD + b"<item><title>" + b"&" * 1_900_000,
        b'<a b="' * 140_000,
        HEAD + b"<item><title>x</title></item>" * 37_000,
        HEAD + b"<item><description>" + b"&lt;div&gt;" * 200_000,
    ],
)
def test_documents_that_would_cost_seconds_are_refused_at_once(body: bytes) -> None:
    started = time.perf_counter()
    with pytest.raises(SourceError) as caught:
        parse_feed(body, "https://a.example/", "", NOW)
    assert caught.value.code == "too_deep"
    assert time.perf_counter() - started < 2


def test_entities_that_multiply_are_not_expanded() -> None:
    bomb = b'<!DOCTYPE l [<!ENTITY a "' + b"x" * 10_000 + b'"><!ENTITY b "' + b"&a;" * 1_000 + b'">]>'
    items, _ = parse_feed(
        bomb + HEAD + b"<item><title>" + b"&b;" * 1_000 + b"</title></item></channel></rss>", "u", "", NOW
    )
    assert len(json.dumps(items)) < 100_000


def test_external_entities_are_not_read() -> None:
    body = (
        b'<!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
        + HEAD
        + b"<item><title>t&x;</title></item></channel></rss>"
    )
    items, _ = parse_feed(body, "https://a.example/", "", NOW)
    assert "root:" not in json.dumps(items)


def test_unclosed_tags_in_entries_do_not_add_up() -> None:
    body = HEAD + b"<item><title>x</title><description><p>y<br>z</description></item>" * 3_000 + b"</channel></rss>"
    assert len(parse_feed(body, "https://a.example/", "", NOW)[0]) == 3_000


@given(st.binary(max_size=400))
@settings(max_examples=60, deadline=None)
def test_any_bytes_are_posts_or_a_source_error(body: bytes) -> None:
    with contextlib.suppress(SourceError):
        parse_feed(HEAD + body, "https://a.example/", "", NOW)


def test_what_stands_in_a_feed_is_remembered_however_long_it_is() -> None:
    current = [seen.mark(str(number)) for number in range(3_000)]
    packed = seen.pack(current, [seen.mark("old")])
    assert seen.unpack(packed) == current
    assert seen.unpack(seen.pack(current[:5], current)) == current[: seen.KEPT]
    assert seen.unpack("broken") == [] and seen.unpack(None) == []


@pytest.mark.data
def test_two_thousand_real_feeds_never_raise_anything_but_source_errors(data_dir) -> None:
    files = with_items = posts = 0
    with tarfile.open(data_dir / "fixtures" / "feeds_feedparser_tests.tar.gz") as archive:
        for member in archive:
            if not member.isfile():
                continue
            files += 1
            body = archive.extractfile(member).read()
            try:
                items, _ = parse_feed(body, "https://feeds.example/feed.xml", "", NOW)
            except SourceError:
                continue
            with_items += bool(items)
            for item in items:
                parse_post(item, source="s", platform="p", now=NOW)
                posts += 1
    assert files > 2_000
    assert with_items > 500 and posts > 550
