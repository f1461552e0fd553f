"""What every request to the console passes: the right host, the right origin, a member, and the answer's headers."""

from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import web

from bot.chat.console.identity import COOKIE, SEAT, Identities, Member
from bot.config import Config
from bot.model.text import LANGUAGES

LANGUAGE_COOKIE = "fengbo_language"
MEMBER: web.RequestKey[Member] = web.RequestKey("console_member", Member)
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "font-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Guard:
    """Wraps handlers. ``page`` sends strangers to the sign-in page, ``data`` answers 401."""

    def __init__(self, config: Config, identities: Identities) -> None:
        self._identities = identities
        self._language = config.language
        host, _ = config.address
        self._hosts = {"localhost", "127.0.0.1", "::1", host}
        self._public = urlsplit(config.chat.console.public_url)
        if self._public.hostname:
            self._hosts.add(self._public.hostname)
        # Beyond loopback the page asks for a token, and a rebound name does not carry our cookie. Within, the
        # name in the request is what tells our page from a stranger's that points its own name at this machine.
        self._any_host = bool(config.tokens) and not _is_loopback(host)

    def public(self, handler: Handler) -> Handler:
        """For everybody: static files, signing in."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            self._check(request)
            return await _protected(handler, request)

        return guarded

    def page(self, handler: Handler) -> Handler:
        async def guarded(request: web.Request) -> web.StreamResponse:
            self._check(request)
            member = await self._identities.member(request.cookies.get(COOKIE, ""), request.cookies.get(SEAT, ""))
            if member is None:
                raise web.HTTPSeeOther("/console/login", headers=HEADERS)
            request[MEMBER] = member
            return await _protected(handler, request)

        return guarded

    def data(self, handler: Handler) -> Handler:
        async def guarded(request: web.Request) -> web.StreamResponse:
            self._check(request)
            member = await self._identities.member(request.cookies.get(COOKIE, ""), request.cookies.get(SEAT, ""))
            if member is None:
                raise web.HTTPUnauthorized(headers=HEADERS)
            if request.method != "GET" and not member.acts:
                raise web.HTTPForbidden(headers=HEADERS)
            request[MEMBER] = member
            return await _protected(handler, request)

        return guarded

    def language(self, request: web.Request) -> str:
        """The reader's choice, the configuration's otherwise."""
        chosen = request.cookies.get(LANGUAGE_COOKIE, "")
        return chosen if chosen in LANGUAGES else self._language

    def secure(self, request: web.Request) -> bool:
        """Whether the page is reached over TLS, so that cookies may be marked so."""
        return request.secure or self._public.scheme == "https"

    def _check(self, request: web.Request) -> None:
        if not self._any_host and _hostname(request.host) not in self._hosts:
            raise web.HTTPMisdirectedRequest(headers=HEADERS, text="This name does not belong to the console.\n")
        if request.method in ("GET", "HEAD"):
            return
        if request.content_type != "application/json":
            raise web.HTTPUnsupportedMediaType(headers=HEADERS)
        if not self._same_origin(request):
            raise web.HTTPForbidden(headers=HEADERS, text="This request comes from another page.\n")

    def _same_origin(self, request: web.Request) -> bool:
        """Browsers name the page a request comes from; a form or script elsewhere cannot fake it."""
        _, _, origin = request.headers.get("Origin", "").partition("://")
        return bool(origin) and origin in (request.host, self._public.netloc)


async def _protected(handler: Handler, request: web.Request) -> web.StreamResponse:
    try:
        response = await handler(request)
    except web.HTTPException as refusal:
        refusal.headers.update(HEADERS)
        raise
    if not response.prepared:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _hostname(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:  # not a host at all, for example an open bracket
        return ""


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
