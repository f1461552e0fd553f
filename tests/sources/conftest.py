"""A loopback server that answers what a test tells it to, and records what it was asked."""

from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest
from aiohttp import web

from bot.sources.net import new_session

Handler = Callable[[web.Request], Awaitable[web.StreamResponse] | web.StreamResponse]
NOW = 1_767_225_600_000  # 2026-01-01T00:00:00Z


class Site:
    def __init__(self) -> None:
        self.requests: list[web.Request] = []
        self.answers: list[Handler] = []
        self.url = ""

    def answer(self, *handlers: Handler) -> None:
        """The next requests get these answers in turn; the last one stays."""
        self.answers = list(handlers)

    def json(self, *documents: object, **kwargs: object) -> None:
        self.answer(
            *[lambda request, document=document: web.json_response(document, **kwargs) for document in documents]
        )

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        handler = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        answer = handler(request)
        return answer if isinstance(answer, web.StreamResponse) else await answer


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    site = Site()
    application = web.Application()
    application.router.add_route("*", "/{tail:.*}", site.handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    listener = web.TCPSite(runner, "127.0.0.1", 0)
    await listener.start()
    host, port = runner.addresses[0][:2]
    site.url = f"http://{host}:{port}"
    yield site
    await runner.cleanup()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    session = new_session(allow_hosts=["127.0.0.1"])
    yield session
    await session.close()
