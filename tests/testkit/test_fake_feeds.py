"""Feeds change, honour conditional requests, lie about themselves and misbehave as told."""

import asyncio
import json
from itertools import islice

import aiohttp
import feedparser
import pytest

from bot.clock import SECOND, VirtualClock
from bot.testkit.fake_feeds import FakeFeeds
from bot.testkit.feed_bodies import Item, cascade_rows

START = 1_760_000_000_000
ITEM = Item("i1", "提现 <失败> & 投诉", "正文", "https://news.example/1?a=1&b=2", START, "记者")


@pytest.fixture
async def clock():
    return VirtualClock(START)


@pytest.fixture
async def feeds(clock):
    async with FakeFeeds(clock) as server:
        yield server


@pytest.fixture
async def get(feeds):
    async with aiohttp.ClientSession() as session:

        async def fetch(path, headers=None, **query):
            how = {"headers": headers, "params": query, "allow_redirects": False}
            async with session.get(feeds.address(path), **how) as response:
                return response.status, await response.read(), response.headers

        yield fetch


@pytest.mark.parametrize("kind", ["rss", "atom"])
async def test_a_feed_is_read_by_feedparser_as_it_was_written(feeds, get, kind):
    feed = feeds.feed("/news", kind=kind)
    feeds.publish(feed, ITEM)
    _, body, headers = await get("/news")
    parsed = feedparser.parse(body, response_headers=dict(headers))
    (entry,) = parsed.entries
    assert (entry.id, entry.link) == (ITEM.id, ITEM.url)
    assert entry.published_parsed[:3] == (2025, 10, 9) if kind != "atom" else entry.updated_parsed[0] == 2025
    assert feedparser.parse(body, sanitize_html=False).entries[0].title == ITEM.title


async def test_a_json_feed_has_the_fields_of_its_standard(feeds, get):
    feeds.publish(feeds.feed("/news", kind="json"), ITEM)
    _, body, headers = await get("/news")
    (entry,) = json.loads(body)["items"]
    assert (entry["id"], entry["content_text"], entry["authors"]) == ("i1", "正文", [{"name": "记者"}])
    assert headers["Content-Type"].startswith("application/feed+json")


async def test_a_feed_in_gb18030_says_so_unless_told_to_lie(feeds, get):
    feeds.publish(feeds.feed("/honest", encoding="gb18030"), ITEM)
    feeds.publish(feeds.feed("/liar", encoding="gb18030", declared="utf-8", header="text/xml; charset=utf-8"), ITEM)
    _, honest, _ = await get("/honest")
    _, liar, headers = await get("/liar")
    assert "提现" in honest.decode("gb18030")
    assert b"encoding='utf-8'" in liar
    assert headers["Content-Type"] == "text/xml; charset=utf-8"
    with pytest.raises(UnicodeDecodeError):
        liar.decode("utf-8")


async def test_an_unchanged_feed_answers_304_until_it_changes(feeds, get, clock):
    feed = feeds.feed("/news")
    feeds.publish(feed, ITEM)
    _, _, first = await get("/news")
    tag, date = {"If-None-Match": first["ETag"]}, {"If-Modified-Since": first["Last-Modified"]}
    assert (await get("/news", tag))[:2] == (304, b"")
    assert (await get("/news", date))[0] == 304
    await clock.advance(5 * SECOND)
    feeds.publish(feed, Item("i2", "next"))
    assert (await get("/news", tag))[0] == 200
    assert (await get("/news", tag | {"If-Modified-Since": "x"}))[0] == 200
    assert (await get("/news", date))[0] == 200


async def test_a_feed_forgets_its_oldest_items(feeds, get):
    feed = feeds.feed("/news", longest=2)
    feeds.publish(feed, *(Item(f"i{number}") for number in range(4)))
    _, body, _ = await get("/news")
    assert [entry.id for entry in feedparser.parse(body).entries] == ["i3", "i2"]


async def test_planned_failures_of_a_path_carry_retry_after(feeds, get):
    feeds.feed("/news")
    feeds.fail_next("/news", status=429, retry_after=30)
    feeds.fail_next("/news", status=503)
    status, _, headers = await get("/news")
    assert (status, headers["Retry-After"]) == (429, "30")
    assert [(await get("/news"))[0] for _ in range(2)] == [503, 200]
    assert (await get("/other"))[0] == 404


async def test_redirects_lead_where_a_bot_must_not_go(feeds, get):
    feeds.redirect("/moved", "http://169.254.169.254/latest/meta-data")
    status, _, headers = await get("/moved")
    assert (status, headers["Location"]) == (302, "http://169.254.169.254/latest/meta-data")


async def test_a_bomb_is_small_on_the_line_and_huge_unpacked(feeds):
    feeds.gzip_bomb("/bomb", megabytes=8)
    async with (
        aiohttp.ClientSession(auto_decompress=False) as session,
        session.get(feeds.address("/bomb")) as response,
    ):
        packed = await response.read()
    assert len(packed) < 20_000
    assert int(response.headers["Content-Length"]) == len(packed)
    async with aiohttp.ClientSession() as session, session.get(feeds.address("/bomb")) as response:
        total = sum([len(chunk) async for chunk in response.content.iter_any()])
    assert total == 8 << 20


async def test_an_endless_body_goes_on_until_the_client_leaves(feeds):
    feeds.endless("/endless")
    async with aiohttp.ClientSession() as session, session.get(feeds.address("/endless")) as response:
        taken = await response.content.readexactly(1 << 20)
        assert taken.startswith(b"<rss>")
        response.close()
    assert feeds.served["/endless"] >= 1 << 20
    await asyncio.wait_for(feeds.stop(), 2)


async def test_a_slow_body_gives_a_byte_a_second(feeds, clock):
    feeds.slow("/slow", start=b"<")
    async with aiohttp.ClientSession() as session, session.get(feeds.address("/slow")) as response:
        assert await response.content.readexactly(1) == b"<"
        for _ in range(3):
            await clock.advance(SECOND)
            assert await response.content.readexactly(1) == b" "
        response.close()


ROWS = [{"id": number, "text": f"t{number}"} for number in range(1, 6)]


async def pages(get, **first):
    """Ids of all pages by following the cursor."""
    found, query = [], first
    while True:
        _, body, _ = await get("/api", **query)
        data = json.loads(body)["data"]
        found.append([row["id"] for row in data["list"]])
        if not data.get("next_cursor"):
            return found
        query = {"cursor": data["next_cursor"]}


async def test_cursor_pages_do_not_shift_when_rows_are_added(feeds, get):
    api = feeds.json_api("/api", ROWS, paging="cursor", size=2)
    assert await pages(get) == [[5, 4], [3, 2], [1]]
    _, body, _ = await get("/api")
    cursor = json.loads(body)["data"]["next_cursor"]
    api.rows.append({"id": 6})
    assert await pages(get, cursor=cursor) == [[3, 2], [1]]


@pytest.mark.parametrize(
    ("paging", "query", "ids"),
    [
        ("page", {"page": "1"}, [5, 4]),
        ("page", {"page": "3"}, [1]),
        ("page", {"page": "4"}, []),
        ("since", {}, [1, 2]),
        ("since", {"since": "3"}, [4, 5]),
        ("", {}, [5, 4, 3, 2, 1]),
    ],
)
async def test_a_json_interface_pages_in_every_style(feeds, get, paging, query, ids):
    feeds.json_api("/api", ROWS, paging=paging, size=2, items_at="items")
    _, body, _ = await get("/api", **query)
    assert [row["id"] for row in json.loads(body)["items"]] == ids


async def test_a_json_interface_may_want_a_key_and_tell_its_limits(feeds, get):
    feeds.json_api("/h", header=("Authorization", "Bearer k"), extra_headers={"X-RateLimit-Remaining": "0"})
    feeds.json_api("/q", query=("key", "k"))
    assert (await get("/h"))[0] == 401
    status, _, headers = await get("/h", {"Authorization": "Bearer k"})
    assert (status, headers["X-RateLimit-Remaining"]) == (200, "0")
    assert [(await get("/q", key=key))[0] for key in ("k", "x")] == [200, 401]


async def test_recorded_cascades_become_a_growing_feed(feeds, get, data_dir):
    file = data_dir / "cascades" / "weibo_reposts.jsonl.gz"
    rows = list(islice(cascade_rows(file, 2), 60))
    feed = feeds.feed("/weibo", longest=1000)
    feeds.publish_rows(feed, rows[:10])
    assert len(feedparser.parse((await get("/weibo"))[1]).entries) == 10
    feeds.publish_rows(feed, rows[10:])
    assert len(feedparser.parse((await get("/weibo"))[1]).entries) == 60
    assert rows[0]["kind"] == "post"
    assert {row["root_id"] for row in rows[1:]} == {rows[0]["id"]}
