"""Knobs that make a fake platform misbehave in the ways the real ones do."""

import asyncio
import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from bot.clock import SECOND, Clock

ANY = "*"


@dataclass(slots=True)
class Failure:
    """One kind of planned trouble for ``method`` (``"*"`` for every method), used up after ``times`` calls."""

    method: str
    kind: str
    times: int
    error: str | int | None = None
    status: int | None = None
    retry_after: int | None = None


@dataclass(slots=True)
class Window:
    """At most ``per`` calls in any ``seconds``."""

    per: int
    seconds: float
    taken_at: deque[int] = field(default_factory=deque)

    def wait(self, now: int) -> int:
        """Whole seconds until the next call fits; 0 means it fits now. Takes no place."""
        while self.taken_at and self.taken_at[0] <= now - self.seconds * SECOND:
            self.taken_at.popleft()
        if len(self.taken_at) < self.per:
            return 0
        left = self.taken_at[0] + self.seconds * SECOND - now
        return max(1, math.ceil(left / SECOND))

    def take(self, now: int) -> None:
        self.taken_at.append(now)


class Faults:
    """The planned troubles of one server; decides, for each call, what goes wrong with it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._planned: list[Failure] = []
        self._windows: dict[str, Window] = {}
        self._latency: dict[str, int] = {}
        self._released = asyncio.Event()

    def plan(self, failure: Failure) -> None:
        self._planned.append(failure)

    def rate_limit(self, target: str, per: int, seconds: float) -> None:
        """Allow ``per`` calls in ``seconds`` for a method or a destination; ``per`` 0 takes the limit away."""
        self._windows.pop(target, None)
        if per:
            self._windows[target] = Window(per, seconds)

    def has_limit(self, target: str) -> bool:
        return target in self._windows

    def latency(self, milliseconds: int, method: str = ANY) -> None:
        """Answer this much later, by the fake's clock."""
        self._latency[method] = milliseconds

    def clear(self) -> None:
        """End all planned trouble; calls that hang are let go with their connection cut."""
        self._planned.clear()
        self._windows.clear()
        self._latency.clear()
        self.release()

    def release(self) -> None:
        """Let go of calls that hang now."""
        self._released.set()
        self._released = asyncio.Event()

    def next_failure(self, method: str) -> Failure | None:
        """The first planned failure that fits, with one of its times used up."""
        for failure in self._planned:
            if failure.method in (method, ANY):
                failure.times -= 1
                if failure.times <= 0:
                    self._planned.remove(failure)
                return failure
        return None

    def over_limit(self, targets: Iterable[str]) -> int:
        """Seconds to wait when one of the targets is over its limit, else 0 and a place is taken in each."""
        now = self._clock.now()
        windows = [self._windows[target] for target in targets if target in self._windows]
        wait = max((window.wait(now) for window in windows), default=0)
        if not wait:
            for window in windows:
                window.take(now)
        return wait

    async def delay(self, method: str) -> None:
        milliseconds = self._latency.get(method, self._latency.get(ANY, 0))
        if milliseconds:
            await self._clock.sleep(milliseconds)

    async def hang(self) -> None:
        await self._released.wait()
