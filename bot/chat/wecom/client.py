"""The WeCom API over aiohttp: one access token for everybody, error codes as the four things a sender can do.

Facts: developer pages 91039 (token), 90313 (error codes), 90236 (send), 94888 (update), 91770 (group robots).
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import aiohttp
import orjson

from bot.clock import HOUR, MINUTE, SECOND, Clock
from bot.config import WecomConfig
from bot.delivery.chat import Blocked, Delay, Refused, Unclear

TIMEOUT_SECONDS = 10.0
TOKEN_EVERY = 5 * SECOND  # never ask for a token more often: gettoken is itself rate limited
TOKEN_MARGIN = 5 * MINUTE
TOKEN_REJECTED = (40014, 42001)
# Nothing gets through until a person mends it: wrong secret, corporation, application or robot key, address not
# trusted, permission missing, token missing. 93000 is the robots' "invalid webhook url".
NEEDS_MENDING = frozenset(
    {40001, 40013, 40014, 40056, 40082, 41001, 41002, 41004, 41011, 42001, 48001, 48002, 48003, 48004, 50001, 50003}
    | {60011, 60020, 93000, 301002, 301005}
)
RATE_LIMITED = frozenset({45009, 45011, 45033, 45047})


class WecomRefusal(Refused):
    """WeCom answered with an error that will not pass by itself. ``code`` is its errcode."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(f"{code} {words}".strip())
        self.code = code


class WecomClient:
    """``call`` for the application, ``robot`` for group robots. Neither retries but once with a fresh token.

    Raises Delay, Blocked, Unclear and WecomRefusal (a Refused). Messages of errors never hold the token or a key.
    """

    def __init__(
        self,
        config: WecomConfig,
        clock: Clock,
        *,
        environ: Mapping[str, str] | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self.config = config
        self._clock = clock
        self._base = config.base_url.rstrip("/") + "/"
        self._secret = config.secret("secret", environ)
        self._robots = {name: robot.secret("key", environ) for name, robot in config.robots.items()}
        # An application without a callback may not send cards with buttons, and hears no commands (page 90236).
        self.has_callback = bool(config.secret("token", environ) and config.secret("aes_key", environ))
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds, sock_connect=timeout_seconds / 2)
        self._session: aiohttp.ClientSession | None = None
        self._lock = asyncio.Lock()
        self._token = ""
        self._token_until = 0
        self._asked_at: int | None = None
        self._token_error = ""

    @property
    def absent(self) -> bool:
        """Whether no application is configured at all, only robots."""
        return not (self.config.corp_id or self.config.agent_id)

    @property
    def agent_id(self) -> int:
        return self.config.agent_id

    @property
    def robots(self) -> Mapping[str, str]:
        """Keys of the configured group robots by name; empty where the secret is missing."""
        return self._robots

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def call(
        self,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        params: Mapping[str, str] | None = None,
        form: "Upload | None" = None,
    ) -> dict[str, Any]:
        """One API call with the application's token: POST with a body or a form, GET without. Returns the answer of
        errcode 0."""
        token = await self._valid_token()
        answer = await self._exchange(path, body, {**(params or {}), "access_token": token}, form)
        if _code(answer) in TOKEN_REJECTED:
            token = await self._valid_token(rejected=token)
            answer = await self._exchange(path, body, {**(params or {}), "access_token": token}, form)
        return _accepted(answer)

    async def upload(self, content: bytes, name: str, media_type: str, kind: str) -> str:
        """Store a picture or file for three days and return its media id (page 90253). ``kind``: image or file."""
        answer = await self.call("media/upload", params={"type": kind}, form=Upload(content, name, media_type))
        return str(answer.get("media_id", ""))

    async def robot(self, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Post through a group robot's webhook."""
        key = self._robots.get(name, "")
        if not key:
            raise Blocked(f"the group robot {name} has no key")
        return _accepted(await self._exchange("webhook/send", body, {"key": key}))

    async def _valid_token(self, rejected: str = "") -> str:
        """The cached token, or a new one if it is about to expire or was just rejected. One request at a time."""
        async with self._lock:
            now = self._clock.now()
            if self._token and self._token != rejected and now < self._token_until:
                return self._token
            if self._asked_at is not None and now - self._asked_at < TOKEN_EVERY:
                if self._token_error:
                    raise Blocked(self._token_error)
                raise Delay(self._asked_at + TOKEN_EVERY - now, "the access token was rejected right after its issue")
            self._asked_at, self._token, self._token_error = now, "", ""
            try:
                await self._ask_token(now)
            except (Blocked, Refused, Unclear) as error:
                # Nothing has been sent yet, so nothing can be unclear: without a token nothing gets through.
                self._token_error = f"no access token: {error}"
                raise Blocked(self._token_error) from error
            return self._token

    async def _ask_token(self, now: int) -> None:
        params = {"corpid": self.config.corp_id, "corpsecret": self._secret}
        answer = _accepted(await self._exchange("gettoken", None, params))
        token = answer.get("access_token")
        if not isinstance(token, str) or not token:
            raise Blocked("gettoken answered without a token")
        lifetime = int(answer.get("expires_in") or 7200) * SECOND
        self._token = token
        self._token_until = now + lifetime - min(TOKEN_MARGIN, lifetime // 2)

    async def _exchange(
        self,
        path: str,
        body: Mapping[str, Any] | None,
        params: Mapping[str, str],
        form: "Upload | None" = None,
    ) -> dict[str, Any]:
        """One HTTP request; the decoded answer, whatever its errcode. Exceptions of aiohttp hold the address with its
        secrets, so only their class is passed on."""
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout)
        url, method, headers = self._base + path, "GET" if body is None and form is None else "POST", {}
        data: bytes | aiohttp.FormData | None = form.data() if form else None
        if body is not None:
            data, headers = orjson.dumps(body), {"Content-Type": "application/json; charset=utf-8"}
        try:
            async with self._session.request(
                method, url, params=dict(params), data=data, headers=headers, allow_redirects=False
            ) as response:
                raw = await response.content.read(1 << 20)
                status = response.status
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            raise Blocked(f"cannot connect to WeCom: {type(error).__name__}") from None
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unclear(f"no answer from WeCom to {path}: {type(error).__name__}") from None
        return _decoded(path, status, raw)


class Upload:
    """A file to be sent as a form; made anew for a second try, because aiohttp uses a form up."""

    def __init__(self, content: bytes, name: str, media_type: str) -> None:
        self._content, self._name, self._media_type = content, name, media_type

    def data(self) -> aiohttp.FormData:
        form = aiohttp.FormData()
        form.add_field("media", self._content, filename=self._name, content_type=self._media_type)
        return form


def _decoded(path: str, status: int, raw: bytes) -> dict[str, Any]:
    try:
        answer = orjson.loads(raw)
    except orjson.JSONDecodeError:
        answer = None
    if status < 400 and isinstance(answer, dict):
        return answer
    if status == 429:
        raise Delay(MINUTE, "HTTP 429")
    if status >= 500 or status < 300:
        raise Unclear(f"{path} answered HTTP {status} without a readable body")
    raise Blocked(f"{path} answered HTTP {status}: is base_url right?")


def _code(answer: Mapping[str, Any]) -> int:
    try:
        return int(answer.get("errcode") or 0)
    except (TypeError, ValueError):
        return -2


def _accepted(answer: dict[str, Any]) -> dict[str, Any]:
    code = _code(answer)
    if code == 0:
        return answer
    words = str(answer.get("errmsg") or "")[:200]
    raise trouble(code, words)


def trouble(code: int, words: str) -> Exception:
    """What an errcode asks of the sender."""
    if code == -1:
        return Delay(5 * SECOND, "WeCom is busy")
    if code in RATE_LIMITED:
        # Blocks last 60 s for minute limits and an hour for hour limits; only the message tells which.
        hours = any(word in words.lower() for word in ("hour", "小时", "day", "天"))
        return Delay(HOUR if hours else MINUTE, f"rate limit {code}")
    if code in NEEDS_MENDING:
        return Blocked(f"{code} {words}".strip())
    return WecomRefusal(code, words)
