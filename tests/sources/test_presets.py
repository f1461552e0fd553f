"""Every preset against an answer of the shape its public documentation describes (written here, not recorded)."""

import json
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from bot.config import SourceConfig
from bot.model.intake import parse_post
from bot.sources import preset
from bot.sources.base import SourceError
from bot.sources.factory import source_from, sources_from
from bot.sources.feed import FeedSource
from bot.sources.hook import HookMapper
from bot.sources.json_api import JsonSource
from bot.sources.preset import load, names, resolve

from .conftest import NOW

PARAMETERS = {"query": "星河支付", "base": "https://hub.example", "list": "weibo", "route": "/36kr/newsflashes"}


def config(name: str, **more: object) -> SourceConfig:
    needed = {key: PARAMETERS[key] for key in load(name).get("parameters") or {}}
    return SourceConfig.model_validate({"id": "it", "preset": name, "with": needed} | more)


def at(site, name: str, **more: object) -> SourceConfig:
    """The preset with its server replaced by the test's."""
    url = urlsplit(
        resolve(config(name)).config.url.replace("{base}", "https://hub.example").replace("{host}", "h.example")
    )
    return config(name, url=f"{site.url}{url.path}?{url.query}", **more)


@pytest.mark.parametrize("name", names())
def test_every_preset_resolves_compiles_and_says_what_is_to_be_checked(name: str) -> None:
    resolved = resolve(config(name))
    assert resolved.config.platform and resolved.config.kind in ("json", "feed", "hook")
    text = (preset.resources.files("bot.sources") / "presets" / f"{name}.yaml").read_text(encoding="utf-8")
    assert text.startswith("#")
    if resolved.config.kind == "hook":
        HookMapper(config(name))


@pytest.mark.parametrize("name", [name for name in names() if load(name)["kind"] != "hook"])
async def test_every_polled_preset_makes_a_source_and_misses_its_parameters_aloud(session, name: str) -> None:
    assert isinstance(source_from(config(name), session), JsonSource | FeedSource)
    with pytest.raises(SourceError) as caught:
        source_from(SourceConfig.model_validate({"id": "it", "preset": name}), session)
    assert caught.value.code == "missing_parameter"


def test_what_the_configuration_says_goes_before_the_preset() -> None:
    mine = config("hackernews", platform="news", every="10m", map={"title": "story_title"}, page={"max": 2})
    merged = resolve(mine).config
    assert (merged.platform, merged.every, merged.map["title"]) == ("news", 600_000, "story_title")
    assert merged.map["id"] == "objectID"
    assert merged.kind == "json"


@pytest.mark.parametrize("name", names())
def test_a_preset_merged_twice_is_the_same(name: str) -> None:
    once = resolve(config(name, every="10m", page={"max": 2}) if load(name).get("page") else config(name, every="10m"))
    assert resolve(once.config) == once


async def test_broken_settings_stop_one_source_and_not_the_others(session) -> None:
    sources = [
        config("hackernews"),
        SourceConfig.model_validate({"id": "b", "preset": "nonsense"}),
        config("hook_lesi"),
    ]
    sources.append(config("hackernews", id="off", enabled=False))
    built = sources_from(sources, session)
    assert [full.kind for full, _ in built] == ["json", "feed", "hook", "json"]
    assert [made is not None for _, made in built] == [True, True, False, False]
    with pytest.raises(SourceError) as caught:
        await built[1][1].poll({}, NOW)
    assert caught.value.code == "unknown_preset"


async def poll(site, session, name: str, document: object, environ=None, **more: object):
    site.json(document, {})
    source = source_from(at(site, name, **more), session, environ or {})
    batch = await source.poll({}, NOW)
    for item in batch.items:
        parse_post(item, source="s", platform="p", now=NOW)
    return batch


X_ANSWER = {
    "data": [
        {
            "id": "1900000000000000002",
            "text": "RT @a: 提现失败",
            "author_id": "7",
            "created_at": "2025-12-31T10:00:00.000Z",
            "conversation_id": "1900000000000000002",
            "referenced_tweets": [{"type": "retweeted", "id": "1900000000000000001"}],
            "public_metrics": {
                "retweet_count": 4,
                "reply_count": 1,
                "like_count": 9,
                "quote_count": 0,
                "impression_count": 900,
            },
        },
        {
            "id": "1900000000000000001",
            "text": "withdrawals fail &amp; nobody answers",
            "author_id": "8",
            "created_at": "2025-12-31T09:00:00.000Z",
            "conversation_id": "1900000000000000001",
            "public_metrics": {
                "retweet_count": 0,
                "reply_count": 0,
                "like_count": 0,
                "quote_count": 0,
                "impression_count": 3,
            },
        },
    ],
    "includes": {
        "users": [
            {"id": "7", "name": "A", "username": "alice", "verified": True, "public_metrics": {"followers_count": 5200}}
        ]
    },
    "meta": {
        "newest_id": "1900000000000000002",
        "oldest_id": "1900000000000000001",
        "result_count": 2,
        "next_token": "b26v",
    },
}


async def test_x_joins_the_authors_and_remembers_the_newest_id(site, session) -> None:
    batch = await poll(site, session, "x_recent_search", X_ANSWER, {"X_BEARER_TOKEN": "t"})
    original, repost = batch.items
    assert site.requests[0].headers["Authorization"] == "Bearer t"
    assert site.requests[0].query["query"] == "星河支付"
    assert site.requests[1].query["next_token"] == "b26v"
    assert repost["author"] == {"id": "7", "name": "alice", "followers": 5200, "verified": True}
    assert (repost["kind"], repost["parent_id"]) == ("repost", "1900000000000000001")
    assert original["kind"] == "post" and original["text"] == "withdrawals fail & nobody answers"
    assert original["author"] == {"id": "8"}
    assert repost["engagement"] == {"views": 900, "likes": 9, "reposts": 4, "comments": 1}
    assert batch.cursor["since"] == "1900000000000000002"


async def test_x_without_results_and_with_errors(site, session) -> None:
    assert (
        await poll(site, session, "x_recent_search", {"meta": {"result_count": 0}}, {"X_BEARER_TOKEN": "t"})
    ).items == ()
    trouble = {"title": "Unauthorized", "detail": "Unauthorized", "status": 401}
    site.answer(lambda request: web.json_response(trouble, status=401))
    with pytest.raises(SourceError) as caught:
        await source_from(at(site, "x_recent_search"), session, {"X_BEARER_TOKEN": "t"}).poll({}, NOW)
    assert caught.value.code == "api_error" and caught.value.permanent


HN_ANSWER = {
    "hits": [
        {
            "objectID": "42000002",
            "created_at_i": 1767225000,
            "author": "pg2",
            "comment_text": "It&#x27;s <i>down</i>",
            "story_id": 42000001,
            "parent_id": 42000001,
            "story_title": "Outage",
            "title": None,
            "points": None,
        },
        {
            "objectID": "42000001",
            "created_at_i": 1767224000,
            "author": "ann",
            "title": "Outage at Xinghe Pay",
            "url": "https://n.example",
            "points": 120,
            "num_comments": 33,
            "story_id": 42000001,
        },
    ],
    "nbHits": 2,
    "page": 0,
    "nbPages": 1,
    "hitsPerPage": 100,
}


async def test_hacker_news_by_algolia(site, session) -> None:
    batch = await poll(site, session, "hackernews", HN_ANSWER)
    story, comment = batch.items
    assert (comment["text"], comment["kind"], comment["parent_id"]) == ("It's down", "comment", "42000001")
    assert (story["title"], story["engagement"]) == ("Outage at Xinghe Pay", {"likes": 120, "comments": 33})
    assert story["url"] == "https://news.ycombinator.com/item?id=42000001"
    # The first poll looks a day back.
    assert site.requests[0].query["numericFilters"] == f"created_at_i>{NOW // 1000 - 86_400}"
    site.requests.clear()
    site.json(HN_ANSWER | {"nbPages": 0})
    await source_from(at(site, "hackernews"), session).poll(json.loads(json.dumps(batch.cursor)), NOW)
    assert site.requests[0].query["numericFilters"] == f"created_at_i>{1767225000 - 600}"


REDDIT_ANSWER = {
    "kind": "Listing",
    "data": {
        "after": None,
        "children": [
            {
                "kind": "t3",
                "data": {
                    "name": "t3_abc",
                    "title": "Xinghe Pay froze my account",
                    "selftext": "Any **help**?",
                    "created_utc": 1767220000.0,
                    "permalink": "/r/fintech/comments/abc/x/",
                    "author": "bob",
                    "author_fullname": "t2_b",
                    "score": 17,
                    "num_comments": 5,
                    "subreddit_name_prefixed": "r/fintech",
                },
            }
        ],
    },
}


async def test_reddit_with_and_without_a_token(site, session) -> None:
    (item,) = (await poll(site, session, "reddit", REDDIT_ANSWER)).items
    assert "Authorization" not in site.requests[0].headers
    assert (item["id"], item["author"], item["location"]) == ("t3_abc", {"id": "t2_b", "name": "bob"}, "r/fintech")
    assert item["engagement"] == {"likes": 17, "comments": 5}
    site.requests.clear()
    await poll(site, session, "reddit", REDDIT_ANSWER, {"REDDIT_TOKEN": "t"})
    assert site.requests[0].headers["Authorization"] == "Bearer t"


async def test_gdelt(site, session) -> None:
    article = {
        "url": "https://n.example/1",
        "url_mobile": "",
        "title": "Xinghe Pay : users report delays",
        "seendate": "20251231T101500Z",
        "socialimage": "",
        "domain": "n.example",
        "language": "English",
        "sourcecountry": "Singapore",
    }
    (item,) = (await poll(site, session, "gdelt_doc", {"articles": [article]})).items
    assert (item["id"], item["published_at"], item["kind"]) == (
        "https://n.example/1",
        "2025-12-31T10:15:00Z",
        "article",
    )
    assert (await poll(site, session, "gdelt_doc", {})).items == ()


async def test_newsnow_takes_a_topic_once_with_the_moment_of_first_sight(site, session) -> None:
    answer = {
        "status": "cache",
        "id": "weibo",
        "updatedTime": NOW - 60_000,
        "items": [
            {"id": 12, "title": "星河支付 提现", "url": "https://s.example/12", "extra": {"info": "热", "icon": False}},
            {"id": "13", "title": "天气", "url": "https://s.example/13", "pubDate": NOW - 3_600_000},
        ],
    }
    batch = await poll(site, session, "newsnow", answer)
    assert [(item["id"], item["kind"], item["published_at"]) for item in batch.items] == [
        ("13", "hot_topic", "2025-12-31T23:00:00Z"),
        ("12", "hot_topic", "2026-01-01T00:00:00Z"),
    ]
    site.json(answer)
    assert (await source_from(at(site, "newsnow"), session).poll(batch.cursor, NOW + 60_000)).items == ()


async def test_rsshub_route(site, session) -> None:
    feed = "<rss version='2.0'><channel><item><guid>1</guid><title>快讯</title></item></channel></rss>"
    site.answer(lambda request: web.Response(text=feed, content_type="application/xml"))
    with_ = {"base": site.url, "route": "/36kr/newsflashes?limit=5"}
    source = source_from(config("rsshub", **{"with": with_}), session)
    assert [item["title"] for item in (await source.poll({}, NOW)).items] == ["快讯"]
    assert (site.requests[0].path, site.requests[0].query["limit"]) == ("/36kr/newsflashes", "5")


WEIBO_ANSWER = {
    "statuses": [
        {
            "created_at": "Wed Dec 31 19:02:11 +0800 2025",
            "id": 5000000000000001,
            "mid": "5000000000000001",
            "text": "转发微博",
            "user": {
                "id": 111,
                "idstr": "111",
                "screen_name": "某网友",
                "followers_count": 320,
                "verified": False,
                "location": "上海",
            },
            "retweeted_status": {"id": 5000000000000000, "mid": "5000000000000000", "text": "原微博"},
            "reposts_count": 2,
            "comments_count": 3,
            "attitudes_count": 4,
        }
    ],
    "total_number": 1,
}


async def test_weibo_business_search(site, session) -> None:
    batch = await poll(site, session, "weibo_search_limited", WEIBO_ANSWER, {"WEIBO_ACCESS_TOKEN": "t"})
    (item,) = batch.items
    assert site.requests[0].query["access_token"] == "t" and site.requests[0].query["q"] == "星河支付"
    assert site.requests[0].query["starttime"] == str(NOW // 1000 - 3600)
    assert (item["id"], item["kind"], item["parent_id"]) == ("5000000000000001", "repost", "5000000000000000")
    assert item["url"] == "https://weibo.com/111/5000000000000001"
    assert item["engagement"] == {"likes": 4, "reposts": 2, "comments": 3}
    assert item["published_at"] == "2025-12-31T11:02:11Z"


@pytest.mark.parametrize(
    ("code", "expected", "wait"),
    [(10023, "rate_limited", 600_000), (21301, "api_error", None), (10022, "rate_limited", 600_000)],
)
async def test_weibo_errors_come_in_the_body(site, session, code: int, expected: str, wait: int | None) -> None:
    site.answer(
        lambda request: web.json_response({"error": "auth faild!", "error_code": code, "request": "/2/x"}, status=403)
    )
    with pytest.raises(SourceError) as caught:
        await source_from(at(site, "weibo_search_limited"), session, {"WEIBO_ACCESS_TOKEN": "t"}).poll({}, NOW)
    assert (caught.value.code, caught.value.retry_after) == (expected, wait)


POST = {"id": "p1", "text": "x", "published_at": "2025-12-31T10:00:00Z"}


@pytest.mark.parametrize(
    "payload",
    [
        POST,
        [POST],
        {"posts": [POST]},
        {"items": [POST]},
        {"data": [POST]},
        {"data": {"list": [POST]}},
        {"documents": [POST]},
    ],
)
def test_a_generic_push_may_be_wrapped_in_many_ways(payload: object) -> None:
    items, rejected = HookMapper(config("hook_generic", platform="weibo")).map(payload, NOW)
    assert [item["id"] for item in items] == ["p1"] and rejected == []
    assert items[0]["platform"] == "weibo"


@pytest.mark.parametrize("payload", [[], {}, {"posts": []}, {"data": {"list": []}}])
def test_an_empty_push_is_no_mistake(payload: object) -> None:
    assert HookMapper(config("hook_generic")).map(payload, NOW) == ([], [])


def test_meltwater_documents_in_both_templates() -> None:
    payload = {
        "request": {"company_id": "c", "hook_id": "h", "inputs": []},
        "documents": [
            {
                "id": "1713459776000_K49u",
                "published_date": "2025-12-31T10:00:45.000Z",
                "url": "https://n.example/1",
                "source": {"name": "Example News", "information_type": "news"},
                "author": {"name": "Ann"},
                "content": {"title": "Payments stall", "opening_text": "Users report"},
                "metrics": {"views": 12},
            },
            {
                "document_id": "d2",
                "document_title": "Old form",
                "document_publish_date": "2025-12-31T09:00:00Z",
                "source_name": "S",
            },
        ],
    }
    items, rejected = HookMapper(config("hook_meltwater")).map(payload, NOW)
    assert rejected == []
    assert (items[0]["text"], items[0]["platform"], items[0]["author"]["name"]) == ("Users report", "news", "Ann")
    assert (items[1]["text"], items[1]["author"]["name"]) == ("Old form", "S")


def test_a_chinese_vendor_payload_in_usual_words() -> None:
    payload = {
        "code": 0,
        "data": {
            "list": [
                {
                    "articleId": 9,
                    "title": "某平台提现异常",
                    "content": "用户反映…",
                    "publishTime": "2025-12-31 18:00:00",
                    "mediaType": "微博",
                    "author": "某用户",
                    "fansCount": "2.3万",
                    "commentCount": 5,
                    "url": "https://w.example/9",
                },
                {"标题": "另一条", "发布时间": "2025-12-31 18:00", "平台": "论坛", "来源": "某论坛"},
            ]
        },
    }
    items, rejected = HookMapper(config("hook_lesi")).map(payload, NOW)
    assert rejected == []
    assert (items[0]["published_at"], items[0]["author"]["followers"]) == ("2025-12-31T10:00:00Z", 23_000)
    assert (items[1]["title"], items[1]["platform"], items[1]["author"]["name"]) == ("另一条", "论坛", "某论坛")
