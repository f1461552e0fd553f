"""What all fake platforms share: a loopback aiohttp server that records calls and can be told to fail."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Self

from aiohttp import web

from bot.clock import Clock
from bot.testkit.faults import Failure
from bot.testkit.watched import Call, Watched

MAXIMUM_BODY = 64 * 1024 * 1024
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


CALL = web.RequestKey("call", Call)


class FakeServer(Watched):
    """A server on loopback. Subclasses add routes and say how a method is named and a failure is worded."""

    def __init__(self, clock: Clock | None = None) -> None:
        super().__init__(clock)
        self._runner: web.AppRunner | None = None
        self._url = ""

    # -- life ---------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Address without a trailing slash; raises ``RuntimeError`` before ``start``."""
        if not self._url:
            raise RuntimeError(f"{type(self).__name__} is not started")
        return self._url

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> Self:
        application = web.Application(middlewares=[self._middleware], client_max_size=MAXIMUM_BODY)
        self.add_routes(application.router)
        self._runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=0.2, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        actual = self._runner.addresses[0][1]
        self._url = f"http://{host}:{actual}"
        return self

    async def stop(self) -> None:
        self.faults.release()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    # -- for subclasses -----------------------------------------------------------------------------------------

    def add_routes(self, router: web.UrlDispatcher) -> None:
        raise NotImplementedError

    def method_of(self, request: web.Request) -> str:
        """The name a call is recorded and failed under."""
        return request.path

    async def body_of(self, request: web.Request) -> Mapping[str, Any]:
        """The request's arguments as recorded; must not raise on nonsense."""
        return {}

    def limit_targets(self, call: Call) -> list[str]:
        """Names whose rate limits this call counts against."""
        return [call.method]

    def refusal(self, call: Call, failure: Failure) -> web.Response:
        """The answer for a planned failure."""
        headers = {"Retry-After": str(failure.retry_after)} if failure.retry_after is not None else {}
        return web.Response(status=failure.status or 500, text=str(failure.error or ""), headers=headers)

    def limited(self, call: Call, wait: int) -> web.Response:
        """The answer for a call over its limit."""
        return web.Response(status=429, headers={"Retry-After": str(wait)})

    # -- the one path every call takes --------------------------------------------------------------------------

    @web.middleware
    async def _middleware(self, request: web.Request, handler: Answer) -> web.StreamResponse:
        # A form with files is a stream that is read once; its parts stay with the request.
        several = request.content_type == "multipart/form-data"
        raw = b"" if several and await request.post() is not None else await request.read()
        call = Call(
            at_monotonic=asyncio.get_running_loop().time(),
            received_at=self.clock.now(),
            method=self.method_of(request),
            body=await self.body_of(request),
            raw=raw,
            headers=request.headers.copy(),
            query=dict(request.query),
        )
        self.calls.append(call)
        request[CALL] = call
        await self.changed()
        try:
            return await self._answer(request, call, handler)
        finally:
            await self.changed()

    async def _answer(self, request: web.Request, call: Call, handler: Answer) -> web.StreamResponse:
        await self.faults.delay(call.method)
        failure = self.faults.next_failure(call.method)
        call.trouble = failure.kind if failure else None
        response: web.StreamResponse
        if failure and failure.kind in ("hang", "drop_before_effect"):
            if failure.kind == "hang":
                await self.changed()
                await self.faults.hang()
            return self._cut(request)
        if failure and failure.kind == "fail":
            response = self.refusal(call, failure)
        elif wait := self.faults.over_limit(self.limit_targets(call)):
            response = self.limited(call, wait)
        else:
            response = await handler(request)
        if failure and failure.kind == "drop_after_effect":
            return self._cut(request)
        call.status = response.status
        if isinstance(response, web.Response) and isinstance(response.body, bytes):
            call.answer = response.body
        return response

    @staticmethod
    def _cut(request: web.Request) -> web.StreamResponse:
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)
