"""Recorded calls, waiting for a condition, and the knobs that make a fake misbehave: for HTTP and for others."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from bot.clock import Clock, SystemClock
from bot.testkit.faults import ANY, Failure, Faults

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


class Watched:
    """Something that is called, watched by a test, and told to fail."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock: Clock = clock or SystemClock()
        self.calls: list[Call] = []
        self.faults = Faults(self.clock)
        self._changed = asyncio.Condition()

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
