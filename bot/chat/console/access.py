"""Signing in and out, the language switch, static files."""

import mimetypes
from typing import TYPE_CHECKING

from aiohttp import web

from bot.chat.console.guard import LANGUAGE_COOKIE
from bot.chat.console.identity import COOKIE, SEAT, SESSION
from bot.chat.console.render import static_files, static_version
from bot.clock import DAY, SECOND
from bot.model.text import LANGUAGES

if TYPE_CHECKING:
    from bot.chat.console.console import Console

MAX_TOKEN = 500
FOREVER = "public, max-age=31536000, immutable"


def add_routes(app: web.Application, console: "Console") -> None:
    access = Access(console)
    guard = console.guard
    app.router.add_get("/console/login", guard.public(access.login_page))
    app.router.add_post("/console/login", guard.public(access.login))
    app.router.add_post("/console/logout", guard.public(access.logout))
    app.router.add_get("/console/language/{language}", guard.public(access.language))
    app.router.add_get("/console/seat/{person}", guard.public(access.seat))
    app.router.add_get("/console/static/{version}/{name}", guard.public(access.static))


class Access:
    def __init__(self, console: "Console") -> None:
        self._console = console

    async def login_page(self, request: web.Request) -> web.Response:
        console = self._console
        if await console.identities.member(request.cookies.get(COOKIE, "")):
            raise web.HTTPSeeOther("/")
        return web.Response(
            text=console.renderer.page("login.html", console.guard.language(request)), content_type="text/html"
        )

    async def login(self, request: web.Request) -> web.Response:
        """``{"token"}`` → 204 with the session cookie, 401 for a wrong one, 429 after too many of them."""
        console, address = self._console, request.remote or ""
        if not console.identities.may_try(address):
            raise web.HTTPTooManyRequests
        try:
            secret = (await request.json())["token"]
        except (ValueError, KeyError, TypeError):
            raise web.HTTPBadRequest from None
        cookie = await console.identities.sign_in(str(secret)[:MAX_TOKEN].strip())
        if cookie is None:
            console.identities.failed(address)
            raise web.HTTPUnauthorized
        response = web.Response(status=204)
        secure = console.guard.secure(request)
        response.set_cookie(
            COOKIE, cookie, max_age=SESSION // SECOND, httponly=True, samesite="Strict", secure=secure, path="/"
        )
        return response

    async def logout(self, _: web.Request) -> web.Response:
        response = web.Response(status=204)
        response.del_cookie(COOKIE, path="/")
        return response

    async def language(self, request: web.Request) -> web.Response:
        language = request.match_info["language"]
        if language not in LANGUAGES:
            raise web.HTTPNotFound
        back = request.query.get("next", "/")
        # Only back to a place of ours: a path, not another host.
        response = web.HTTPSeeOther(back if back.startswith("/") and not back.startswith(("//", "/\\")) else "/")
        response.set_cookie(LANGUAGE_COOKIE, language, max_age=365 * DAY // SECOND, samesite="Lax", path="/")
        raise response

    async def seat(self, request: web.Request) -> web.Response:
        """Play another colleague's part, where nobody has to sign in: approvals take several people."""
        console, person = self._console, request.match_info["person"]
        if not console.identities.open or person not in {one.id for one in console.identities.people}:
            raise web.HTTPNotFound
        response = web.HTTPSeeOther("/")
        response.set_cookie(SEAT, person, max_age=SESSION // SECOND, httponly=True, samesite="Lax", path="/")
        raise response

    async def static(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        found = static_files().get(name)
        if found is None:
            raise web.HTTPNotFound
        content, digest = found
        if request.headers.get("If-None-Match") == f'"{digest}"':
            raise web.HTTPNotModified
        current = request.match_info["version"] == static_version()
        media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
        return web.Response(
            body=content,
            content_type="text/javascript" if name.endswith(".js") else media_type,
            charset="utf-8" if name.endswith((".js", ".css", ".svg")) else None,
            headers={"Cache-Control": FOREVER if current else "no-cache", "ETag": f'"{digest}"'},
        )
