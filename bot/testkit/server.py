"""What all fake platforms share: a loopback aiohttp server that records calls and can be told to fail."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

from aiohttp import web

from bot.clock import Clock, SystemClock
from bot.testkit.faults import ANY, Failure, Faults

MAXIMUM_BODY = 64 * 1024 * 1024
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
Found = TypeVar("Found")


@dataclass(slots=True)
class Call:
    """One request as the fake saw it. ``answer`` and ``status`` are filled in when it has been answered."""

    at_monotonic: float
    received_at: int
    method: str
    body: Mapping[str, Any]
    raw: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    status: int | None = None
    answer: bytes = b""
    trouble: str | None = None


CALL = web.RequestKey("call", Call)


class FakeServer:
    """A server on loopback. Subclasses add routes and say how a method is named and a failure is worded."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock: Clock = clock or SystemClock()
        self.calls: list[Call] = []
        self.faults = Faults(self.clock)
        self._changed = asyncio.Condition()
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

    # -- watching -----------------------------------------------------------------------------------------------

    async def wait_for(self, predicate: Callable[[], Found], timeout: float = 5.0) -> Found:
        """Return the first true value of ``predicate``, looked at after every change of the fake.

        Raises ``TimeoutError`` that lists the calls seen so far after ``timeout`` real seconds.
        """
        try:
            async with asyncio.timeout(timeout), self._changed:
                while not (found := predicate()):
                    await self._changed.wait()
                return found
        except TimeoutError:
            seen = ", ".join(call.method for call in self.calls[-30:]) or "none"
            raise TimeoutError(f"not within {timeout} s; calls seen: {seen}") from None

    async def wait_for_calls(self, method: str, count: int = 1, timeout: float = 5.0) -> list[Call]:
        """Wait until ``method`` was answered ``count`` times (or cut off), and return those calls."""

        def done() -> list[Call] | None:
            answered = [call for call in self.calls_of(method) if call.status is not None or call.trouble]
            return answered if len(answered) >= count else None

        answered = await self.wait_for(done, timeout)
        assert answered is not None
        return answered

    def calls_of(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]

    async def changed(self) -> None:
        """Tell those who wait that something is different now."""
        async with self._changed:
            self._changed.notify_all()

    # -- failing ------------------------------------------------------------------------------------------------

    def fail_next(
        self,
        method: str = ANY,
        error: str | int | None = None,
        *,
        status: int | None = None,
        times: int = 1,
        retry_after: int | None = None,
    ) -> None:
        """Refuse the next ``times`` calls of ``method`` with a platform error, an HTTP status, or both."""
        self.faults.plan(Failure(method, "fail", times, error, status, retry_after))

    def rate_limit(self, target: str, per: int, seconds: float) -> None:
        """Allow ``per`` calls in ``seconds`` to a method or destination, then refuse as the platform does."""
        self.faults.rate_limit(target, per, seconds)

    def hang(self, method: str = ANY, times: int = 1) -> None:
        """Never answer the next calls (until ``release`` or ``stop``); they have no effect."""
        self.faults.plan(Failure(method, "hang", times))

    def drop_before_effect(self, method: str = ANY, times: int = 1) -> None:
        """Cut the connection before anything happened."""
        self.faults.plan(Failure(method, "drop_before_effect", times))

    def drop_after_effect(self, method: str = ANY, times: int = 1) -> None:
        """Do what was asked, then cut the connection without an answer: the unclear failure."""
        self.faults.plan(Failure(method, "drop_after_effect", times))

    def latency(self, milliseconds: int, method: str = ANY) -> None:
        self.faults.latency(milliseconds, method)

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
