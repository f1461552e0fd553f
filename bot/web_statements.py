"""The approval file in the console: a page, the same as PDF, and the very bytes that the digest is taken over."""

from aiohttp import web

from bot.chat.console.guard import Guard
from bot.clock import Clock
from bot.config import Config
from bot.model.text import Text
from bot.newsroom.routes import HEADERS
from bot.reports import document_html, document_pdf
from bot.statements import filing
from bot.statements.approval_file import ApprovalFile
from bot.statements.export import document
from bot.store.database import Store
from bot.texts import render


class StatementPages:
    """Members only; everybody who may see the console may see them."""

    def __init__(self, config: Config, store: Store, clock: Clock, guard: Guard) -> None:
        self._config = config
        self._store = store
        self._clock = clock
        self._guard = guard

    def add_routes(self, app: web.Application) -> None:
        page = self._guard.page
        app.router.add_get(f"/statements/{document_html.STYLE}", self._guard.public(self.style))
        app.router.add_get(r"/statements/{statement:S-\d{1,9}}", page(self.page))
        app.router.add_get(r"/statements/{statement:S-\d{1,9}}.pdf", page(self.pdf))
        app.router.add_get(r"/statements/{statement:S-\d{1,9}}.json", page(self.sealed))

    async def style(self, request: web.Request) -> web.Response:
        return web.Response(body=document_html.css(), content_type="text/css", charset="utf-8", headers=HEADERS)

    async def page(self, request: web.Request) -> web.Response:
        file, language = await self._file(request), self._guard.language(request)
        address = f"/statements/{file.statement.id}.pdf"
        body = document_html.page(
            document(file, language), language, style=f"/statements/{document_html.STYLE}", pdf=address
        )
        return web.Response(body=body, content_type="text/html", charset="utf-8", headers=_private())

    async def pdf(self, request: web.Request) -> web.Response:
        file, language = await self._file(request), self._guard.language(request)
        name = file.statement.id
        try:
            made = await document_pdf.make(document(file, language), language, name, file.text.sealed, file.made_at)
        except document_pdf.PdfFailed as error:
            words = render(Text("export.pdf_failed", {"cause": str(error)}), language)
            raise web.HTTPServiceUnavailable(text=words + "\n") from None
        shown = {**_private(), "Content-Disposition": f'attachment; filename="{name}.pdf"'}
        return web.Response(body=made, content_type="application/pdf", headers=shown)

    async def sealed(self, request: web.Request) -> web.Response:
        """``sha256sum`` of this file is the digest."""
        file = await self._file(request)
        shown = {**_private(), "Content-Disposition": f'attachment; filename="{file.statement.id}.json"'}
        return web.Response(body=file.text.sealed, content_type="application/json", headers=shown)

    async def _file(self, request: web.Request) -> ApprovalFile:
        now, wanted = self._clock.now(), request.match_info["statement"]
        found = await self._store.read(lambda db: filing.collect(db, self._config, wanted, now))
        if found is None or not found.versions:
            words = render(Text("export.not_found"), self._guard.language(request))
            raise web.HTTPNotFound(text=words + "\n", headers=HEADERS)
        return found


def _private() -> dict[str, str]:
    return {**HEADERS, "Cache-Control": "no-store"}
