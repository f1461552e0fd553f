"""JSON APIs by mapping: fields, paging, marks, limits, secrets, and mistakes said in words."""

import json

import pytest
from aiohttp import web

from bot.config import SourceConfig
from bot.sources.base import SourceError
from bot.sources.factory import source_from
from bot.sources.mapping import Mapper, parse_count
from bot.sources.preset import Resolved, Since
from bot.sources.template import add_query, fill
from bot.texts import render

from .conftest import NOW

MAP = {
    "id": "tid",
    "title": "subject",
    "text": "body",
    "published_at": "created",
    "author.name": "user.nick",
    "engagement.comments": "replies",
    "kind": "'post'",
}


def config(url: str, **more: object) -> SourceConfig:
    data = {"id": "forum", "kind": "json", "url": url, "platform": "forum", "items": "data.list[]", "map": MAP}
    return SourceConfig.model_validate(data | more)


def thread(number: int, **more: object) -> dict[str, object]:
    return {
        "tid": number,
        "subject": f"主题 {number}",
        "body": "提现失败",
        "created": "5分钟前",
        "replies": "1.2万",
    } | more


def page(*numbers: int) -> dict[str, object]:
    return {"data": {"list": [thread(number, user={"nick": "甲"}) for number in numbers]}}


async def test_fields_are_mapped_into_the_one_form(site, session) -> None:
    site.json(page(7))
    batch = await source_from(config(f"{site.url}/api"), session).poll({}, NOW)
    assert batch.items == (
        {
            "id": "7",
            "title": "主题 7",
            "text": "提现失败",
            "published_at": "2025-12-31T23:55:00Z",
            "author": {"name": "甲"},
            "engagement": {"comments": 12_000},
            "kind": "post",
            "source": "forum",
            "platform": "forum",
        },
    )


async def test_numbered_pages_are_turned_until_nothing_is_new(site, session) -> None:
    site.json(page(5, 4), page(3, 2), page(3, 2))
    numbered = config(f"{site.url}/api?page={{page}}", page={"kind": "number", "max": 9})
    batch = await source_from(numbered, session).poll({}, NOW)
    assert sorted(item["id"] for item in batch.items) == ["2", "3", "4", "5"]
    assert [request.query["page"] for request in site.requests] == ["1", "2", "3"]
    site.requests.clear()
    site.json(page(6, 5))
    second = await source_from(numbered, session).poll(json.loads(json.dumps(batch.cursor)), NOW)
    assert [item["id"] for item in second.items] == ["6"]


@pytest.mark.parametrize(
    ("paging", "asked"),
    [
        ({"kind": "number", "max": 2}, 2),
        ({"kind": "number", "max": 5, "until": "length(data.list) < `2`"}, 3),
        ({"kind": "cursor", "param": "after", "next": "data.nothing", "max": 5}, 1),
    ],
)
async def test_paging_ends_at_its_limit_its_condition_or_without_a_cursor(site, session, paging, asked: int) -> None:
    site.json(page(9, 8), page(7, 6), page(5), page(4))
    await source_from(config(site.url, page=paging), session).poll({}, NOW)
    assert len(site.requests) == asked


async def test_cursors_are_followed(site, session) -> None:
    site.json(page(3) | {"next": "abc="}, page(2) | {"next": None})
    paging = {"kind": "cursor", "param": "token", "next": "next"}
    batch = await source_from(config(site.url, page=paging), session).poll({}, NOW)
    assert [request.query.get("token") for request in site.requests] == [None, "abc="]
    assert len(batch.items) == 2 and not batch.more


async def test_since_asks_for_what_is_newer_than_the_newest_id(site, session) -> None:
    source = source_from(config(site.url, page={"kind": "since", "param": "since_id", "since": "id"}), session)
    site.json(page(9, 10), page())
    first = await source.poll({}, NOW)
    second = await source.poll(first.cursor, NOW)
    assert "since_id" not in site.requests[0].query
    assert site.requests[1].query["since_id"] == "10"
    assert second.cursor["since"] == "10"


@pytest.mark.parametrize(
    ("kind", "expected"), [("epoch", "1767225300"), ("epoch_ms", "1767225300000"), ("time", "2025-12-31T23:55:00Z")]
)
async def test_since_may_be_a_time(site, session, kind: str, expected: str) -> None:
    source = source_from(config(f"{site.url}/?from={{since}}", page={"kind": "since", "since": kind}), session)
    site.json(page(1), page())
    first = await source.poll({}, NOW)
    await source.poll(first.cursor, NOW)
    assert site.requests[1].query["from"] == expected


async def test_a_burst_larger_than_one_poll_is_finished_before_the_mark_moves(site, session) -> None:
    from bot.sources.json_api import JsonSource

    paging = {"kind": "cursor", "param": "token", "next": "next", "max": 2}
    resolved = Resolved(config(site.url, page=paging), since=Since(param="since_id"))
    source = JsonSource(resolved, session)
    site.json(page(9) | {"next": "p2"}, page(8) | {"next": "p3"}, page(7) | {"next": None}, page())
    first = await source.poll({"since": "6"}, NOW)
    assert first.more and first.cursor["rest"] == "p3" and first.cursor["since"] == "6"
    second = await source.poll(first.cursor, NOW)
    assert [item["id"] for item in second.items] == ["7"]
    assert not second.more and second.cursor["since"] == "9" and "rest" not in second.cursor
    assert [request.query["since_id"] for request in site.requests] == ["6", "6", "6"]


async def test_an_expired_page_token_begins_the_run_again(site, session) -> None:
    from bot.sources.json_api import JsonSource

    paging = {"kind": "cursor", "param": "token", "next": "next", "max": 2}
    source = JsonSource(Resolved(config(site.url, page=paging), since=Since(param="since_id")), session)
    site.answer(lambda request: web.json_response({}, status=400), lambda request: web.json_response(page(9)))
    batch = await source.poll({"since": "6", "rest": "old"}, NOW)
    assert [item["id"] for item in batch.items] == ["9"]


async def test_a_page_that_fails_keeps_what_came_before_and_waits(site, session) -> None:
    site.answer(
        lambda request: web.json_response(page(3)),
        lambda request: web.json_response({}, status=429, headers={"Retry-After": "33"}),
    )
    batch = await source_from(config(site.url, page={"kind": "number"}), session).poll({}, NOW)
    assert [item["id"] for item in batch.items] == ["3"]
    assert batch.retry_after == 33_000


async def test_the_last_request_of_a_quota_ends_the_poll(site, session) -> None:
    reset = str(NOW // 1000 + 600)
    site.json(page(3), headers={"x-rate-limit-remaining": "0", "x-rate-limit-reset": reset})
    batch = await source_from(config(site.url, page={"kind": "number"}), session).poll({}, NOW)
    assert len(site.requests) == 1 and batch.retry_after == 600_000


@pytest.mark.parametrize(
    ("auth", "header", "query"),
    [
        ({"header": "Authorization", "scheme": "Bearer", "value_env": "KEY"}, "Bearer s3cret+/=", None),
        ({"query": "access_token", "value_env": "KEY"}, None, "s3cret+/="),
    ],
)
async def test_the_secret_goes_into_header_or_query(site, session, auth, header, query) -> None:
    site.json(page(1))
    await source_from(config(f"{site.url}/?a=1", auth=auth), session, {"KEY": "s3cret+/="}).poll({}, NOW)
    assert site.requests[0].headers.get("Authorization") == header
    assert site.requests[0].query.get("access_token") == query


async def test_a_missing_secret_is_named_before_anything_is_asked(site, session) -> None:
    source = source_from(config(site.url, auth={"header": "X-Key", "value_env": "FORUM_KEY"}), session, {})
    with pytest.raises(SourceError) as caught:
        await source.poll({}, NOW)
    assert caught.value.code == "no_secret" and "FORUM_KEY" in render(caught.value.text, "en")


async def test_parameters_are_encoded_where_they_stand(site, session) -> None:
    site.json(page())
    url = f"{site.url}/{{path}}?q={{query}}"
    with_ = {"query": "星河 & {page} +1", "path": "a/b"}
    await source_from(config(url, **{"with": with_}), session).poll({}, NOW)
    assert site.requests[0].query["q"] == "星河 & {page} +1"
    assert site.requests[0].path == "/a/b"


@pytest.mark.parametrize(
    ("more", "code", "word"),
    [
        ({"map": {"text": "a ||"}}, "bad_expression", "sources.forum.map.text"),
        ({"items": "data[["}, "bad_expression", "sources.forum.items"),
        ({"page": {"until": "]"}}, "bad_expression", "sources.forum.page.until"),
        ({"map": {"words": "a"}}, "unknown_target", "words"),
        ({"url": "http://x.example/{nobody}"}, "unknown_placeholder", "nobody"),
        ({"url": ""}, "no_url", "sources.forum"),
        ({"preset": "nonsense"}, "unknown_preset", "nonsense"),
        ({"preset": "hackernews"}, "missing_parameter", "query"),
    ],
)
@pytest.mark.parametrize("language", ["en", "zh-CN"])
async def test_a_mistake_in_the_settings_is_named_with_its_place(session, more, code, word, language) -> None:
    with pytest.raises(SourceError) as caught:
        source_from(config(**({"url": "http://x.example/"} | more)), session)
    assert caught.value.code == code and caught.value.permanent
    assert word in render(caught.value.text, language)


@pytest.mark.parametrize(
    ("document", "code"),
    [({"data": {"list": "none"}}, None), ({"data": 3}, None), ({"data": {"list": {"a": 1}}}, None)],
)
async def test_an_answer_without_the_list_has_no_items(site, session, document, code) -> None:
    site.json(document)
    assert (await source_from(config(site.url), session).poll({}, NOW)).items == ()


async def test_an_answer_with_something_else_in_place_of_the_list_is_an_error(site, session) -> None:
    site.json({"data": {"list": "none"}})
    with pytest.raises(SourceError) as caught:
        await source_from(config(site.url, items="data.list"), session).poll({}, NOW)
    assert caught.value.code == "no_items"


async def test_a_login_page_is_no_json(site, session) -> None:
    site.answer(lambda request: web.Response(text="<html>login"))
    with pytest.raises(SourceError) as caught:
        await source_from(config(site.url), session).poll({}, NOW)
    assert caught.value.code == "not_json"


async def test_deep_json_is_refused_without_harm(site, session) -> None:
    site.answer(lambda request: web.Response(text="[" * 400_000))
    with pytest.raises(SourceError) as caught:
        await source_from(config(site.url), session).poll({}, NOW)
    assert caught.value.code == "not_json"


@pytest.mark.parametrize(
    ("item", "error"),
    [
        ({"tid": 1, "created": NOW}, "text: is missing"),
        ({"tid": 1, "body": "x", "created": "soon"}, "published_at"),
        ({"tid": 1, "body": "x"}, "published_at: the date is missing"),
        ({"tid": 1, "body": {"html": "x"}, "created": NOW}, "text: must be a string"),
        ("just text", "must be a JSON object"),
    ],
)
def test_an_item_that_cannot_be_a_post_is_rejected_with_its_reason(item: object, error: str) -> None:
    mapped = Mapper("forum", "", MAP).apply([item, thread(2)], NOW)
    assert [found["id"] for found in mapped.items] == ["2"]
    assert error in mapped.rejected[0][1]
    assert json.loads(mapped.rejected[0][0]) == item


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1,234", 1234),
        ("1.2万", 12_000),
        ("3亿", 300_000_000),
        ("2.5k", 2500),
        ("10w+", 100_000),
        (7, 7),
        (7.9, 7),
        (-1, 0),
        ("", 0),
        (None, 0),
        (True, 0),
        ("many", 0),
        ("转发", 0),
        (float("nan"), 0),
        (float("inf"), 0),
        ("9" * 40, 1 << 53),
    ],
)
def test_counts_are_read_as_platforms_show_them(value: object, expected: int) -> None:
    assert parse_count(value) == expected


def test_markup_in_texts_becomes_plain_text() -> None:
    item = thread(1, body="<a href='x'>#星河#</a> 提现<br/>失败 &amp; 投诉 1 < 2", subject="a<b>c</b>\n d")
    post = Mapper("forum", "", MAP).apply([item], NOW).items[0]
    assert post["text"] == "#星河# 提现\n失败 & 投诉 1 < 2"
    assert post["title"] == "ac d"


def test_templates_put_values_in_once() -> None:
    assert fill("/a?x={one}", {"one": "{two}", "two": "!"}, "w") == "/a?x=%7Btwo%7D"
    assert add_query("https://a.example/?x=1#top", {"k": "ü&"}) == "https://a.example/?x=1&k=%C3%BC%26#top"
