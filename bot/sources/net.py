"""The one HTTP client for addresses that come from users and feeds: bounded in size, time and reach.

Private, loopback, link-local, multicast and metadata addresses are refused unless their host is allowed by name
(``privacy.allow_hosts``). The check runs on the addresses a name resolves to, which are the ones connected to, and
once more on the socket address itself, so that a name whose answer changes between two look-ups gains nothing.
"""

import asyncio
import ipaddress
import socket
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from bot.sources.base import SourceError, problem
from bot.sources.dates import http_date

MEGABYTE = 1024 * 1024
DEFAULT_LIMIT = 2 * MEGABYTE
DEFAULT_TIMEOUT = 20_000
REDIRECTS = 5
USER_AGENT = "Fengbo/0.1 (public-opinion monitor)"
# Ranges the ipaddress module calls global but that lead inside: carrier NAT, NAT64 and 6to4 with an inner address.
_ALSO_REFUSED = tuple(
    ipaddress.ip_network(net) for net in ("100.64.0.0/10", "192.88.99.0/24", "64:ff9b:1::/48", "168.63.129.16/32")
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_REDIRECT = frozenset({301, 302, 303, 307, 308})
_SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})


class AddressRefused(OSError):
    """The address leads somewhere a feed has no business."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer. ``headers`` have lower-case names; ``body`` is decompressed; ``url`` is where it came from."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


def is_public(address: str) -> bool:
    """Whether an IP address may be reached without being allowed by name."""
    try:
        parsed = ipaddress.ip_address(address.split("%", 1)[0])
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour
        if inner is None and parsed in _NAT64:
            inner = ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if parsed.teredo is not None:
            return False
    if any(parsed.version == net.version and parsed in net for net in _ALSO_REFUSED):
        return False
    return parsed.is_global and not parsed.is_multicast


class Guard:
    """Decides which hosts and addresses may be reached; remembers what allowed names resolved to."""

    def __init__(self, allow_hosts: Iterable[str] = ()) -> None:
        self.hosts = frozenset(host.strip("[]").rstrip(".").lower() for host in allow_hosts)
        self._addresses: set[str] = set()

    def allows(self, host: str) -> bool:
        return host.strip("[]").rstrip(".").lower() in self.hosts

    def check(self, host: str, address: str) -> None:
        """Raise ``AddressRefused`` unless ``host`` is allowed by name or ``address`` is public."""
        if self.allows(host):
            self._addresses.add(address)
        elif not is_public(address):
            raise AddressRefused(f"{host} leads to the private address {address}")

    def open_socket(self, info: Any) -> socket.socket:
        """Make the socket for one resolved address: the last check before the connection."""
        family, kind, protocol, _, target = info
        address = str(target[0])
        if not (is_public(address) or address in self._addresses or self.allows(address)):
            raise AddressRefused(f"{address} is private")
        return socket.socket(family=family, type=kind, proto=protocol)


class GuardedResolver(AbstractResolver):
    """Looks names up and leaves only addresses the guard lets through."""

    def __init__(self, guard: Guard, inner: AbstractResolver | None = None) -> None:
        self._guard = guard
        self._inner = inner or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        for entry in found:
            # One private answer among public ones is a trap or a mistake; either way nobody should connect.
            self._guard.check(host, entry["host"])
        return found

    async def close(self) -> None:
        await self._inner.close()


class GuardedConnector(aiohttp.TCPConnector):
    """Opens connections only where its guard allows them."""

    def __init__(self, guard: Guard, resolver: AbstractResolver | None = None) -> None:
        super().__init__(
            resolver=GuardedResolver(guard, resolver),
            socket_factory=guard.open_socket,
            limit=32,
            limit_per_host=4,
            ttl_dns_cache=60,
        )
        self.guard = guard


def new_session(allow_hosts: Iterable[str] = (), resolver: AbstractResolver | None = None) -> aiohttp.ClientSession:
    """The session all sources share. Must be made inside the running loop and closed by whoever made it."""
    return aiohttp.ClientSession(
        connector=GuardedConnector(Guard(allow_hosts), resolver),
        auto_decompress=False,  # decompressed here, so that the cap counts what comes out
        trust_env=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": USER_AGENT, "Accept-Encoding": "gzip, deflate"},
        max_line_size=16_384,
        max_field_size=16_384,
    )


async def fetch(
    session: aiohttp.ClientSession,
    url: str,
    headers: Mapping[str, str] | None = None,
    limit: int = DEFAULT_LIMIT,
    timeout: int = DEFAULT_TIMEOUT,
    etag: str = "",
    modified: str = "",
) -> Fetched:
    """GET ``url`` and read at most ``limit`` decompressed bytes within ``timeout`` milliseconds.

    ``etag`` and ``modified`` make the request conditional. Any status is returned, see ``check_status``. Raises
    ``SourceError`` with the codes bad_url, private_address, unreachable, timeout, too_large, too_many_redirects,
    bad_encoding.
    """
    sent = {name: value for name, value in (headers or {}).items()}
    if etag:
        sent["If-None-Match"] = etag
    if modified:
        sent["If-Modified-Since"] = modified
    try:
        async with asyncio.timeout(timeout / 1000):
            return await _follow(session, url, sent, limit)
    except TimeoutError:
        raise problem("timeout", url=shown(url), seconds=timeout // 1000) from None
    except AddressRefused as error:
        raise problem("private_address", permanent=True, url=shown(url), cause=str(error)) from None
    except aiohttp.InvalidURL:
        raise problem("bad_url", permanent=True, url=shown(url)) from None
    except aiohttp.ClientError as error:
        if _was_refused(error):
            raise problem("private_address", permanent=True, url=shown(url), cause=str(error)) from None
        raise problem("unreachable", url=shown(url), cause=_cause(error)) from None
    except (OSError, ValueError) as error:
        raise problem("unreachable", url=shown(url), cause=_cause(error)) from None


def shown(url: str) -> str:
    """An address as people may see it: without query, user name and password, which may hold secrets."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", f":{parts.port}" if parts.port else ""
    except ValueError:
        return url.split("?", 1)[0].rsplit("@", 1)[-1][:200]
    return f"{parts.scheme}://{host}{port}{parts.path}"[:200]


async def _follow(session: aiohttp.ClientSession, url: str, headers: dict[str, str], limit: int) -> Fetched:
    for _ in range(REDIRECTS + 1):
        _check_url(session, url)
        async with session.get(url, headers=headers, allow_redirects=False, timeout=aiohttp.ClientTimeout()) as answer:
            target = answer.headers.get("Location")
            if answer.status in _REDIRECT and target:
                following = urljoin(url, target)
                if _origin(following) != _origin(url):
                    # A secret meant for one site must not follow a redirect to another; custom key headers neither.
                    headers = {name: value for name, value in headers.items() if name.lower() in ("accept",)}
                url = following
                continue
            body = b"" if answer.status == 304 else await _read(answer, limit, url)
            plain = {name.lower(): value for name, value in answer.headers.items()}
            return Fetched(answer.status, plain, body, url)
    raise problem("too_many_redirects", url=shown(url), limit=REDIRECTS)


def _check_url(session: aiohttp.ClientSession, url: str) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise problem("bad_url", permanent=True, url=shown(url)) from None
    if parts.scheme not in ("http", "https") or not host:
        raise problem("bad_url", permanent=True, url=shown(url))
    try:
        ipaddress.ip_address(host.split("%", 1)[0])
    except ValueError:
        return  # a name, or a number in disguise: the resolver sees it
    connector = session.connector
    if not isinstance(connector, GuardedConnector):
        raise TypeError("fetch takes sessions made by new_session only: others reach private addresses")
    connector.guard.check(host, host)


async def _read(answer: aiohttp.ClientResponse, limit: int, url: str) -> bytes:
    encoding = answer.headers.get("Content-Encoding", "").strip().lower()
    inflate = _inflater(encoding, url)
    body = bytearray()
    async for chunk in answer.content.iter_chunked(65_536):
        data = chunk
        while data:
            if inflate is None:
                body += data
                data = b""
            else:
                try:
                    body += inflate.decompress(data, limit + 1 - len(body))
                except zlib.error:
                    if encoding == "deflate" and not body:
                        # Many servers send raw deflate under this name.
                        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
                        continue
                    raise problem("bad_encoding", url=shown(url), encoding=encoding) from None
                data = inflate.unconsumed_tail
            if len(body) > limit:
                raise problem("too_large", url=shown(url), megabytes=limit / MEGABYTE)
    return bytes(body)


def _inflater(encoding: str, url: str) -> Any:
    if encoding in ("", "identity"):
        return None
    if encoding in ("gzip", "x-gzip"):
        return zlib.decompressobj(16 + zlib.MAX_WBITS)
    if encoding == "deflate":
        return zlib.decompressobj()
    raise problem("bad_encoding", url=shown(url), encoding=encoding[:40])


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    try:
        return parts.scheme, parts.hostname, parts.port
    except ValueError:
        return parts.scheme, parts.hostname, -1


def _was_refused(error: BaseException) -> bool:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, AddressRefused) or isinstance(getattr(seen, "os_error", None), AddressRefused):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def _cause(error: BaseException) -> str:
    return (str(error) or type(error).__name__)[:200]


def check_status(fetched: Fetched, now: int) -> None:
    """Turn an error status into a ``SourceError`` in words: 401/403, 404/410, 429, other 4xx, 5xx."""
    status = fetched.status
    if status < 400:
        return
    where = shown(fetched.url)
    wait = retry_after(fetched.headers, now)
    if status in (401, 403):
        raise problem("denied", url=where, status=status, retry_after=wait, permanent=wait is None)
    if status in (404, 410):
        raise problem("gone", url=where, status=status, permanent=True)
    if status == 429:
        raise problem("rate_limited", url=where, retry_after=wait if wait is not None else 60_000)
    if status >= 500:
        raise problem("server_error", url=where, status=status, retry_after=wait)
    raise problem("bad_request", url=where, status=status, retry_after=wait)


def retry_after(headers: Mapping[str, str], now: int) -> int | None:
    """The wait in milliseconds that an answer's headers ask for, or None.

    ``Retry-After`` in seconds or as a date (RFC 9110 10.2.3); ``x-rate-limit-reset`` (X: epoch seconds) and
    ``x-ratelimit-reset`` (Reddit: seconds from now) count once nothing remains or the answer is an error.
    """
    value = headers.get("retry-after", "").strip()
    if value:
        try:
            return max(0, int(float(value) * 1000))
        except (ValueError, OverflowError):
            moment = http_date(value)
            if moment is not None:
                return max(0, moment - now)
    reset = headers.get("x-rate-limit-reset") or headers.get("x-ratelimit-reset") or headers.get("ratelimit-reset")
    if not reset:
        return None
    try:
        number = float(reset.strip())
    except ValueError:
        return None
    if not 0 <= number < 1e12:
        return None
    # A number this large is a moment, a small one a span.
    return max(0, int(number * 1000) - now) if number > 1_000_000_000 else int(number * 1000)


def used_up(headers: Mapping[str, str]) -> bool:
    """Whether the answer says that no further request is allowed for now."""
    left = headers.get("x-rate-limit-remaining") or headers.get("x-ratelimit-remaining")
    try:
        return left is not None and float(left.strip()) < 1
    except ValueError:
        return False


__all__ = [
    "AddressRefused", "Fetched", "Guard", "SourceError", "check_status", "fetch", "is_public", "new_session",
    "retry_after", "shown", "used_up",
]  # fmt: skip
