"""Briefs in the console: a list, each as the page that was sent, and as PDF."""

from aiohttp import web

from bot.chat.console.guard import Guard
from bot.clock import Clock
from bot.config import Config
from bot.model.text import Text
from bot.newsroom.routes import HEADERS
from bot.reports import document_html, document_pdf
from bot.reports.document import Block, Writer
from bot.store import briefs as store
from bot.store.database import Store
from bot.texts import render

# Pictures stand in the page itself; nothing else comes from anywhere.
POLICY = HEADERS["Content-Security-Policy"].replace("img-src 'self'", "img-src 'self' data:")


class ReportPages:
    """Members only."""

    def __init__(self, config: Config, rows: Store, clock: Clock, guard: Guard) -> None:
        self._config = config
        self._store = rows
        self._clock = clock
        self._guard = guard

    def add_routes(self, app: web.Application) -> None:
        page = self._guard.page
        app.router.add_get("/reports", page(self.list))
        app.router.add_get(f"/reports/{document_html.STYLE}", self._guard.public(self.style))
        app.router.add_get(r"/reports/{brief:B-\d{1,9}}", page(self.page))
        app.router.add_get(r"/reports/{brief:B-\d{1,9}}.pdf", page(self.pdf))

    async def style(self, request: web.Request) -> web.Response:
        return web.Response(body=document_html.css(), content_type="text/css", charset="utf-8", headers=HEADERS)

    async def list(self, request: web.Request) -> web.Response:
        to = Writer(self._guard.language(request))
        rows = await self._store.read(store.recent)
        to.add("title", Text("brief.page_list"))
        if rows:
            to.add("links", rows=[(f"{row.id} {row.title}", f"/reports/{row.id}") for row in rows])
        else:
            to.add("paragraph", Text("brief.list_none"))
        return self._shown(document_html.page(to.blocks, to.language, style=f"/reports/{document_html.STYLE}"))

    async def page(self, request: web.Request) -> web.Response:
        row = await self._row(request)
        blocks = [Block.from_json(one) for one in row.blocks]
        style, paper = f"/reports/{document_html.STYLE}", f"/reports/{row.id}.pdf"
        return self._shown(document_html.page(blocks, row.language, style=style, pdf=paper))

    async def pdf(self, request: web.Request) -> web.Response:
        row = await self._row(request)
        try:
            made = await document_pdf.make(
                [Block.from_json(one) for one in row.blocks], row.language, row.id, b"", row.made_at
            )
        except document_pdf.PdfFailed as error:
            words = render(Text("export.pdf_failed", {"cause": str(error)}), self._guard.language(request))
            raise web.HTTPServiceUnavailable(text=words + "\n") from None
        shown = {**HEADERS, "Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{row.id}.pdf"'}
        return web.Response(body=made, content_type="application/pdf", headers=shown)

    async def _row(self, request: web.Request) -> store.BriefRow:
        wanted = request.match_info["brief"]
        found = await self._store.read(lambda db: store.get(db, wanted))
        if found is None:
            words = render(Text("brief.none", {"id": wanted}), self._guard.language(request))
            raise web.HTTPNotFound(text=words + "\n", headers=HEADERS)
        return found

    @staticmethod
    def _shown(body: bytes) -> web.Response:
        headers = {**HEADERS, "Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
        return web.Response(body=body, content_type="text/html", charset="utf-8", headers=headers)
