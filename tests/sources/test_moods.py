"""The fake outside world in all its moods, through the factory as the program uses it."""

import json

import pytest

from bot.config import SourceConfig
from bot.sources.base import SourceError
from bot.sources.factory import source_from
from bot.testkit.fake_feeds import FakeFeeds
from bot.testkit.feed_bodies import Item

from .conftest import NOW


def feed(fake_feeds: FakeFeeds, path: str, **more: object) -> SourceConfig:
    return SourceConfig.model_validate({"id": "it", "kind": "feed", "url": fake_feeds.address(path), **more})


def item(number: int, **more: object) -> Item:
    return Item(
        f"n{number}",
        f"标题 {number}",
        f"提现失败 {number}",
        f"https://n.example/{number}",
        NOW - 60_000 + number,
        "甲",
        **more,
    )


@pytest.mark.parametrize("kind", ["rss", "atom", "json"])
async def test_a_living_feed_gives_every_item_once(fake_feeds: FakeFeeds, session, kind: str) -> None:
    feed_ = fake_feeds.feed("/f", kind=kind)
    source = source_from(feed(fake_feeds, "/f"), session)
    fake_feeds.publish(feed_, item(1), item(2))
    first = await source.poll({}, NOW)
    assert [found["text"] for found in first.items] == ["提现失败 1", "提现失败 2"]
    assert (await source.poll(first.cursor, NOW)).items == ()
    assert fake_feeds.calls[-1].status == 304
    fake_feeds.publish(feed_, item(3))
    assert [found["title"] for found in (await source.poll(first.cursor, NOW)).items] == ["标题 3"]


@pytest.mark.parametrize(
    ("encoding", "declared", "header"),
    [
        ("gb18030", "gb2312", "text/xml"),
        ("gb18030", "gbk", "text/xml; charset=iso-8859-1"),
        ("gb18030", "utf-8", "text/xml; charset=utf-8"),
        ("utf-8", "gb2312", "text/xml; charset=latin-1"),
    ],
)
async def test_feeds_that_lie_about_their_charset_are_read(fake_feeds, session, encoding, declared, header) -> None:
    feed_ = fake_feeds.feed("/f", encoding=encoding, declared=declared, header=header)
    fake_feeds.publish(feed_, item(1))
    (found,) = (await source_from(feed(fake_feeds, "/f"), session).poll({}, NOW)).items
    assert found["title"] == "标题 1"


async def test_a_bomb_an_endless_body_and_a_trickle_are_given_up(fake_feeds: FakeFeeds, session) -> None:
    fake_feeds.gzip_bomb("/bomb")
    fake_feeds.endless("/endless")
    fake_feeds.slow("/slow", every=20)
    for path, code in (("/bomb", "too_large"), ("/endless", "too_large"), ("/slow", "timeout")):
        with pytest.raises(SourceError) as caught:
            await source_from(feed(fake_feeds, path, timeout="400ms"), session).poll({}, NOW)
        assert caught.value.code == code, path
    assert fake_feeds.served["/endless"] < 16 * 1024 * 1024


async def test_a_redirect_inside_is_not_followed(fake_feeds: FakeFeeds, session) -> None:
    fake_feeds.redirect("/r", "http://169.254.169.254/latest/meta-data/")
    with pytest.raises(SourceError) as caught:
        await source_from(feed(fake_feeds, "/r"), session).poll({}, NOW)
    assert caught.value.code == "private_address"


@pytest.mark.parametrize(
    ("how", "query", "page"),
    [
        ({"paging": "page"}, "?page={page}", {"kind": "number", "max": 10}),
        ({"paging": "cursor"}, "", {"kind": "cursor", "param": "cursor", "next": "data.next_cursor", "max": 10}),
    ],
)
async def test_a_json_interface_is_read_to_its_end_and_then_only_for_news(
    fake_feeds, session, how, query, page
) -> None:
    rows = [{"id": number, "body": f"p{number}", "at": NOW - 60_000 + number} for number in range(55)]
    api = fake_feeds.json_api("/api", rows, **how)
    config = feed(
        fake_feeds,
        f"/api{query}",
        kind="json",
        items="data.list",
        page=page,
        map={"id": "id", "text": "body", "published_at": "at"},
    )
    source = source_from(config, session)
    first = await source.poll({}, NOW)
    assert [found["text"] for found in first.items] == [f"p{number}" for number in range(55)]
    api.rows.append({"id": 55, "body": "p55", "at": NOW})
    second = await source.poll(json.loads(json.dumps(first.cursor)), NOW)
    assert [found["text"] for found in second.items] == ["p55"]
