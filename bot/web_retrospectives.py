"""Retrospectives in the console: a page, and the same as PDF and JSON. Members only."""

from base64 import b64encode

from aiohttp import web

from bot.chat.console.guard import Guard
from bot.clock import Clock
from bot.config import Config
from bot.learning.retro_cards import name_of
from bot.learning.retro_document import document
from bot.learning.retro_json import as_json
from bot.learning.retro_picture import retro_chart
from bot.learning.retrospect import Retrospect
from bot.learning.retrospectives import Retrospectives
from bot.model.text import Text
from bot.newsroom.routes import HEADERS
from bot.reports import document_html, document_pdf
from bot.reports.charts import Chart
from bot.reports.document import Block
from bot.reports.studio import Studio
from bot.store import incidents as incident_store
from bot.store.database import Store
from bot.texts import render

SHOWN = {
    **HEADERS, "Cache-Control": "no-store",
    "Content-Security-Policy": HEADERS["Content-Security-Policy"].replace("img-src 'self'", "img-src 'self' data:"),
}  # fmt: skip
ID = r"{incident:[ID]-\d{1,9}}"


class RetrospectivePages:
    def __init__(
        self, config: Config, store: Store, clock: Clock, guard: Guard, retrospectives: Retrospectives, studio: Studio
    ) -> None:
        self._config = config
        self._store = store
        self._clock = clock
        self._guard = guard
        self._retrospectives = retrospectives
        self._studio = studio

    def add_routes(self, app: web.Application) -> None:
        page = self._guard.page
        app.router.add_get(f"/retrospectives/{document_html.STYLE}", self._guard.public(self.style))
        app.router.add_get(f"/retrospectives/{ID}", page(self.page))
        app.router.add_get(f"/retrospectives/{ID}.pdf", page(self.pdf))
        app.router.add_get(f"/retrospectives/{ID}.json", page(self.json))

    async def style(self, request: web.Request) -> web.Response:
        return web.Response(body=document_html.css(), content_type="text/css", charset="utf-8", headers=HEADERS)

    async def page(self, request: web.Request) -> web.Response:
        name, language = request.match_info["incident"], self._guard.language(request)
        blocks, _ = await self._blocks(request)
        body = document_html.page(
            blocks, language, style=f"/retrospectives/{document_html.STYLE}", pdf=f"/retrospectives/{name}.pdf"
        )
        return web.Response(body=body, content_type="text/html", charset="utf-8", headers=SHOWN)

    async def pdf(self, request: web.Request) -> web.Response:
        language = self._guard.language(request)
        blocks, found = await self._blocks(request)
        name = f"{found.incident.id}-retrospective"
        try:
            made = await document_pdf.make(blocks, language, name, b"", found.moments.made_at)
        except document_pdf.PdfFailed as error:
            words = render(Text("export.pdf_failed", {"cause": str(error)}), language)
            raise web.HTTPServiceUnavailable(text=words + "\n") from None
        shown = {**SHOWN, "Content-Disposition": f'attachment; filename="{name}.pdf"'}
        return web.Response(body=made, content_type="application/pdf", headers=shown)

    async def json(self, request: web.Request) -> web.Response:
        found, _ = await self._found(request)
        return web.Response(body=as_json(found), content_type="application/json", headers=SHOWN)

    async def _blocks(self, request: web.Request) -> tuple[list[Block], Retrospect]:
        found, chart = await self._found(request)
        picture = b64encode(await self._studio.draw(chart)).decode() if chart else ""
        return document(found, self._guard.language(request), picture, name_of(self._config)), found

    async def _found(self, request: web.Request) -> tuple[Retrospect, Chart | None]:
        name, language, now = request.match_info["incident"], self._guard.language(request), self._clock.now()
        incident = await self._store.read(lambda db: incident_store.get(db, name))
        if incident is None:
            words = render(Text("error.no_such_incident", {"id": name}), language)
            raise web.HTTPNotFound(text=words + "\n", headers=HEADERS)
        found = await self._store.read(lambda db: self._retrospectives.look(db, incident, now))
        return found, await self._store.read(lambda db: retro_chart(db, found, language))
