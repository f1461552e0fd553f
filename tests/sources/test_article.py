"""The text of a page a person found."""

import pytest
from aiohttp import web

from bot.sources.article import extract, read_page
from bot.sources.base import SourceError

from .conftest import NOW

BODY = (
    "星河支付用户反映提现长时间未到账，客服电话无人接听，公司尚未回应此事。"
    "记者多次致电均未接通，多位用户表示已向监管部门投诉。" * 3
)
PAGE = f"""<!doctype html><html><head><meta charset="CHARSET"><title>星河支付提现延迟 - 晚报</title>
<meta property="article:published_time" content="2025-12-31T10:00:00+08:00"></head>
<body><nav><a href="/">首页</a> <a href="/x">娱乐</a></nav><article><h1>星河支付提现延迟</h1><p>{BODY}</p>
<p>{BODY[::-1]}</p></article>
<footer>版权所有</footer></body></html>"""


@pytest.mark.parametrize("charset", ["utf-8", "gb18030"])
async def test_title_text_and_date_of_an_article(site, session, charset: str) -> None:
    body = PAGE.replace("CHARSET", charset).encode(charset)
    site.answer(lambda request: web.Response(body=body, headers={"Content-Type": "text/html"}))
    title, text, published = await extract(session, f"{site.url}/a/1", NOW)
    assert "星河支付提现延迟" in title
    assert "客服电话无人接听" in text and "首页" not in text and "<" not in text
    assert published is not None and published < NOW


@pytest.mark.parametrize(
    "body", [b"", b"<html></html>", b"<html><body><script>x()</script></body></html>", b"<" * 100_000]
)
async def test_a_page_without_text_is_said_to_have_none(site, session, body: bytes) -> None:
    site.answer(lambda request: web.Response(body=body, headers={"Content-Type": "text/html"}))
    with pytest.raises(SourceError) as caught:
        await extract(session, site.url, NOW)
    assert caught.value.code == "no_article"


async def test_a_missing_page_is_an_error(site, session) -> None:
    site.answer(lambda request: web.Response(status=404))
    with pytest.raises(SourceError) as caught:
        await extract(session, site.url, NOW)
    assert caught.value.code == "gone"


async def test_private_addresses_are_refused_for_articles_too(session) -> None:
    with pytest.raises(SourceError) as caught:
        await extract(session, "http://169.254.169.254/latest/meta-data/", NOW)
    assert caught.value.code == "private_address"


def test_plain_text_is_taken_as_it_is() -> None:
    assert read_page("标题\n正文".encode(), "text/plain; charset=utf-8", "u", NOW) == ("标题", "标题\n正文", None)
