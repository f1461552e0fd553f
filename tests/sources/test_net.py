"""What the HTTP client refuses, and that it says so in words."""

import asyncio
import gzip
import socket
import zlib

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver
from hypothesis import given
from hypothesis import strategies as st

from bot.sources.base import SourceError
from bot.sources.net import Fetched, Guard, check_status, fetch, is_public, new_session, retry_after, shown, used_up

from .conftest import NOW


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.9.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
        "198.18.0.1",
        "168.63.129.16",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2001:db8::1",
        "2001::1",
        "not an address",
        "",
    ],
)
def test_addresses_inside_a_network_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)


@given(st.integers(min_value=0, max_value=2**32 - 1))
def test_an_ipv4_address_is_judged_the_same_when_it_is_wrapped_in_ipv6(number: int) -> None:
    plain = socket.inet_ntoa(number.to_bytes(4, "big"))
    assert (
        is_public(f"::ffff:{plain}") == is_public(plain) == is_public(f"64:ff9b::{number >> 16:x}:{number & 0xFFFF:x}")
    )


class Names(AbstractResolver):
    """A resolver with a book of names; counts the look-ups and can change its mind."""

    def __init__(self, **answers: list[str]) -> None:
        self.answers = answers
        self.asked = 0

    async def resolve(self, host, port=0, family=socket.AF_INET):
        self.asked += 1
        addresses = self.answers[host.replace(".", "_")]
        address = addresses.pop(0) if len(addresses) > 1 else addresses[0]
        return [{"hostname": host, "host": address, "port": port, "family": socket.AF_INET, "proto": 0, "flags": 0}]

    async def close(self) -> None: ...


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "localhost", "0"])
async def test_loopback_is_refused_however_it_is_written(site, host: str) -> None:
    site.json({})
    port = site.url.rsplit(":", 1)[1]
    async with new_session() as session:
        with pytest.raises(SourceError) as caught:
            await fetch(session, f"http://{host}:{port}/")
    # Bare numbers are no host names for the client; everything else is looked up and found to lead inside.
    assert caught.value.code == ("bad_url" if host.isdigit() else "private_address")
    assert caught.value.permanent
    assert site.requests == []


async def test_a_name_that_leads_inside_is_refused_and_one_allowed_by_name_is_not(site) -> None:
    site.json({"fine": True})
    port = site.url.rsplit(":", 1)[1]
    async with new_session(resolver=Names(inside_example=["127.0.0.1"])) as session:
        with pytest.raises(SourceError) as caught:
            await fetch(session, f"http://inside.example:{port}/")
        assert caught.value.code == "private_address"
    async with new_session(["inside.example"], Names(inside_example=["127.0.0.1"])) as session:
        assert (await fetch(session, f"http://inside.example:{port}/")).status == 200


async def test_a_redirect_to_a_private_address_is_refused(site) -> None:
    port = site.url.rsplit(":", 1)[1]
    site.answer(lambda request: web.Response(status=302, headers={"Location": f"http://127.0.0.1:{port}/secret"}))
    async with new_session(["front.example"], Names(front_example=["127.0.0.1"])) as session:
        with pytest.raises(SourceError) as caught:
            await fetch(session, f"http://front.example:{port}/")
    # 127.0.0.1 is known as the address of an allowed name, but a redirect names it directly: that host is not allowed.
    assert caught.value.code == "private_address"
    assert len(site.requests) == 1


def test_the_socket_is_the_last_check_when_a_name_changes_its_answer() -> None:
    guard = Guard()
    info = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("10.0.0.1", 80))
    with pytest.raises(OSError, match="private"):
        guard.open_socket(info)


async def test_secrets_do_not_follow_a_redirect_to_another_host(site) -> None:
    port = site.url.rsplit(":", 1)[1]
    site.answer(
        lambda request: web.Response(status=302, headers={"Location": f"http://other.example:{port}/"}),
        lambda request: web.json_response({}),
    )
    names = Names(one_example=["127.0.0.1"], other_example=["127.0.0.1"])
    async with new_session(["one.example", "other.example"], names) as session:
        await fetch(session, f"http://one.example:{port}/", headers={"Authorization": "Bearer x", "X-Key": "y"})
    assert site.requests[0].headers["Authorization"] == "Bearer x"
    assert "Authorization" not in site.requests[1].headers
    assert "X-Key" not in site.requests[1].headers


async def test_redirects_end(site, session) -> None:
    site.answer(lambda request: web.Response(status=301, headers={"Location": "/again"}))
    with pytest.raises(SourceError) as caught:
        await fetch(session, site.url)
    assert caught.value.code == "too_many_redirects"
    assert len(site.requests) == 6


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.com/",
        "gopher://x/",
        "//example.com",
        "http://",
        "http://[bad",
        "",
        "http://a:b:c/",
    ],
)
async def test_only_whole_http_addresses_are_opened(session, url: str) -> None:
    with pytest.raises(SourceError) as caught:
        await fetch(session, url)
    assert caught.value.code == "bad_url"


async def test_a_body_larger_than_the_limit_is_refused(site, session) -> None:
    site.answer(lambda request: web.Response(body=b"x" * 100_001))
    with pytest.raises(SourceError) as caught:
        await fetch(session, site.url, limit=100_000)
    assert caught.value.code == "too_large"
    assert len((await fetch(session, site.url, limit=100_001)).body) == 100_001


async def _endless(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse()
    await answer.prepare(request)
    try:
        while True:
            await answer.write(b"x" * 65_536)
    except ConnectionError:
        return answer


async def test_an_endless_body_is_refused(site, session) -> None:
    site.answer(_endless)
    with pytest.raises(SourceError) as caught:
        await fetch(session, site.url)
    assert caught.value.code == "too_large"


def _encoded(data: bytes, name: str):
    return lambda request: web.Response(body=data, headers={"Content-Encoding": name})


async def test_the_limit_counts_what_comes_out_of_a_compressed_body(site, session) -> None:
    site.answer(_encoded(gzip.compress(bytes(50_000_000)), "gzip"))
    with pytest.raises(SourceError) as caught:
        await fetch(session, site.url)
    assert caught.value.code == "too_large"


RAW = zlib.compressobj(wbits=-zlib.MAX_WBITS)
RAW_DEFLATE = RAW.compress(b"hello " * 1000) + RAW.flush()


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (gzip.compress(b"hello " * 1000), "gzip"),
        (zlib.compress(b"hello " * 1000), "deflate"),
        (RAW_DEFLATE, "deflate"),
        (b"hello " * 1000, "identity"),
    ],
    ids=["gzip", "deflate with header", "raw deflate", "identity"],  # gzip bytes carry the time: ids of their own
)
async def test_compressed_bodies_are_read(site, session, data: bytes, name: str) -> None:
    site.answer(_encoded(data, name))
    assert (await fetch(session, site.url)).body == b"hello " * 1000


@pytest.mark.parametrize(("data", "name"), [(b"x", "br"), (b"not gzip", "gzip"), (b"\x00\x01", "zstd")])
async def test_other_compressions_are_refused(site, session, data: bytes, name: str) -> None:
    site.answer(_encoded(data, name))
    with pytest.raises(SourceError) as caught:
        await fetch(session, site.url)
    assert caught.value.code == "bad_encoding"


async def _silent(request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(5)
    return web.Response()


async def test_a_server_that_does_not_answer_is_given_up(site, session) -> None:
    site.answer(_silent)
    with pytest.raises(SourceError) as caught:
        await fetch(session, site.url, timeout=100)
    assert caught.value.code == "timeout"


async def test_nobody_listening_is_unreachable(session) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(SourceError) as caught:
        await fetch(session, f"http://127.0.0.1:{port}/")
    assert caught.value.code == "unreachable"


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after": "30"}, 30_000),
        ({"retry-after": "Thu, 01 Jan 2026 00:02:00 GMT"}, 120_000),
        ({"retry-after": "Wed, 31 Dec 2025 00:00:00 GMT"}, 0),
        ({"x-rate-limit-reset": str(NOW // 1000 + 900)}, 900_000),
        ({"x-ratelimit-reset": "42"}, 42_000),
        ({"retry-after": "soon"}, None),
        ({"x-rate-limit-reset": "never"}, None),
        ({}, None),
    ],
)
def test_the_wait_is_read_from_the_headers(headers: dict[str, str], wait: int | None) -> None:
    assert retry_after(headers, NOW) == wait


@pytest.mark.parametrize(
    ("value", "expected"), [("0", True), ("0.0", True), ("1", False), ("many", False), (None, False)]
)
def test_the_last_allowed_request_is_noticed(value: str | None, expected: bool) -> None:
    assert used_up({"x-rate-limit-remaining": value} if value is not None else {}) is expected


@pytest.mark.parametrize(
    ("status", "code", "permanent"),
    [
        (401, "denied", True),
        (403, "denied", True),
        (404, "gone", True),
        (410, "gone", True),
        (429, "rate_limited", False),
        (500, "server_error", False),
        (503, "server_error", False),
        (400, "bad_request", False),
    ],
)
def test_every_error_status_has_its_words(status: int, code: str, permanent: bool) -> None:
    with pytest.raises(SourceError) as caught:
        check_status(Fetched(status, {}, b"", "https://a.example/x?token=secret"), NOW)
    assert (caught.value.code, caught.value.permanent) == (code, permanent)
    assert "secret" not in str(caught.value)


def test_an_address_is_shown_without_its_secrets() -> None:
    assert shown("https://user:pass@a.example:8443/path?access_token=abc#x") == "https://a.example:8443/path"
