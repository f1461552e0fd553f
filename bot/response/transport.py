"""The one door to linked systems: authentication, signature, time-outs, TLS. A drill does not get through it."""

import asyncio
import base64
import hashlib
import hmac
import itertools
import logging
import sqlite3
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import aiohttp
import orjson
from yarl import URL

from bot.clock import Clock
from bot.config_linkage import LinkageConfig, SystemConfig
from bot.delivery.chat import Blocked, Refused, Unclear
from bot.response.actions import Answer, Prepared
from bot.sources.net import USER_AGENT, shown

log = logging.getLogger(__name__)

SHORTEST_SECRET = 4
MOST_ROWS = 100_000
MOST_STEPS = 20_000  # of ten thousand instructions each: some ten seconds of one processor
ANSWER_LIMIT = 8 * 1024 * 1024
_READING = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE})


class DrillStopped(Exception):
    """Something that belongs to a drill was about to leave the house: a defect of the caller."""


def open_session() -> aiohttp.ClientSession:
    """The session of all linked systems: no cookies, no proxies from the environment. Close it yourself."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=32, force_close=True),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        headers={"User-Agent": USER_AGENT},
    )


class Transport:
    def __init__(
        self,
        linkage: LinkageConfig,
        session: aiohttp.ClientSession,
        clock: Clock,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._linkage = linkage
        self._session = session
        self._clock = clock
        self._environ = environ
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._hidden = self._spellings()

    def clean(self, text: str) -> str:
        """A text without any secret of the linkage, however an answer or an error spells it."""
        for spelling in self._hidden:
            text = text.replace(spelling, "…")
        return text

    async def send(self, system: str, prepared: Prepared, reference: str, *, drill: str) -> Answer:
        """Send one request. Raises ``Blocked`` (did not leave), ``Unclear`` (left, no answer), ``Refused``, and
        ``DrillStopped`` for anything of a drill."""
        if drill:
            raise DrillStopped(f"a drill tried to reach {system}")
        config = self._linkage.systems[system]
        url, headers = self._authenticated(config, prepared)
        headers["Idempotency-Key"] = reference
        self._sign(config, headers, prepared.body)
        timeout = aiohttp.ClientTimeout(total=config.timeout / 1000, sock_connect=config.timeout / 2000)
        try:
            async with self._session.request(
                prepared.method, URL(url, encoded=True), data=prepared.body or None, headers=headers, timeout=timeout,
                allow_redirects=False, ssl=self._tls(config),
            ) as answer:  # fmt: skip
                body = await _read(answer)
                return Answer(
                    answer.status, {name.lower(): self.clean(value) for name, value in answer.headers.items()}, body
                )
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise Blocked(self.clean(f"{shown(url)} cannot be reached: {_cause(error)}")) from None
        except aiohttp.InvalidURL:
            raise Refused(f"{shown(url)} is not an address") from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unclear(self.clean(f"no answer from {shown(url)}: {_cause(error)}")) from None

    async def query(self, system: str, sql: str, values: Mapping[str, Any], *, drill: str) -> Answer:
        """Ask a database that is only read. Raises like ``send``; a question is never unclear."""
        if drill:
            raise DrillStopped(f"a drill tried to reach {system}")
        config = self._linkage.systems[system]
        path = config.database.removeprefix("sqlite:///")
        scalars = {name: value for name, value in values.items() if isinstance(value, str | int | float | None)}
        try:
            rows = await asyncio.to_thread(_select, path, sql, scalars)
        except sqlite3.OperationalError as error:
            reason = str(error)
            if "unable to open" in reason or "locked" in reason or "interrupted" in reason:
                raise Blocked(f"the database of {system}: {reason}") from None
            raise Refused(f"the database of {system}: {reason}") from None
        except sqlite3.Error as error:
            raise Refused(f"the database of {system}: {error}") from None
        return Answer(200, {}, orjson.dumps(rows, default=str))

    def _authenticated(self, config: SystemConfig, prepared: Prepared) -> tuple[str, dict[str, str]]:
        url, headers, auth = prepared.url, dict(prepared.headers), config.auth
        if auth is None or auth.kind == "none":
            return url, headers
        secret = auth.secret("secret", self._environ)
        if not secret:
            raise Blocked(f"the secret of {shown(url)} is not there: set {auth.secret_env or auth.secret_file}")
        if auth.kind == "bearer":
            headers["Authorization"] = f"Bearer {secret}"
        elif auth.kind == "basic":
            headers["Authorization"] = "Basic " + base64.b64encode(f"{auth.username}:{secret}".encode()).decode()
        elif auth.kind == "header":
            headers[auth.name] = f"{auth.scheme} {secret}".strip()
        else:
            url += ("&" if "?" in url else "?") + f"{quote(auth.name, safe='')}={quote(secret, safe='')}"
        return url, headers

    def _sign(self, config: SystemConfig, headers: dict[str, str], body: bytes) -> None:
        if config.sign is None:
            return
        key = config.sign.secret("key", self._environ)
        if not key:
            raise Blocked(f"the signing key is not there: set {config.sign.key_env or config.sign.key_file}")
        stamp = str(self._clock.now() // 1000)
        digest = hmac.new(key.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        headers[config.sign.timestamp_header] = stamp
        headers[config.sign.header] = f"v1={digest}"

    def _tls(self, config: SystemConfig) -> ssl.SSLContext | bool:
        """Certificates and host names are always verified; a company's own authority is added, never instead of."""
        if not config.ca_file:
            return True
        if config.ca_file not in self._contexts:
            try:
                self._contexts[config.ca_file] = ssl.create_default_context(cafile=config.ca_file)
            except (OSError, ssl.SSLError) as error:
                raise Blocked(f"the certificate authority {config.ca_file} cannot be read: {error}") from None
        return self._contexts[config.ca_file]

    def _spellings(self) -> list[str]:
        found: set[str] = set()
        for config in self._linkage.systems.values():
            secrets = [config.auth.secret("secret", self._environ)] if config.auth else []
            secrets += [config.sign.secret("key", self._environ)] if config.sign else []
            for secret in secrets:
                if len(secret) >= SHORTEST_SECRET:
                    found |= {secret, quote(secret, safe=""), quote_plus(secret)}
                    found.add(base64.b64encode(secret.encode()).decode())
            if config.auth and config.auth.kind == "basic" and secrets[0]:
                found.add(base64.b64encode(f"{config.auth.username}:{secrets[0]}".encode()).decode())
        return sorted(found, key=len, reverse=True)


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in answer.content.iter_chunked(65_536):
        body += chunk
        if len(body) > ANSWER_LIMIT:
            raise Unclear(f"the answer is larger than {ANSWER_LIMIT // 1024 // 1024} MB")
    return bytes(body)


def _select(path: str, sql: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of one question, at most ``MOST_ROWS``; whatever is not a question is refused by the database itself."""
    steps = itertools.count()
    connection = sqlite3.connect(f"{Path(path).absolute().as_uri()}?mode=ro", uri=True, timeout=5)
    try:
        connection.set_authorizer(
            lambda action, first, second, database, trigger: (
                sqlite3.SQLITE_OK
                if action in _READING and str(second).lower() != "load_extension"
                else sqlite3.SQLITE_DENY
            )
        )
        connection.set_progress_handler(lambda: next(steps) > MOST_STEPS, 10_000)
        cursor = connection.execute(sql, values)
        columns = [column[0] for column in cursor.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchmany(MOST_ROWS)]
    finally:
        connection.close()


def _cause(error: BaseException) -> str:
    return (str(error) or type(error).__name__)[:200]
