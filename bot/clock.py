"""The one clock. Nobody else reads the time or sleeps, so that replays and drills of days run in seconds."""

import asyncio
import heapq
import itertools
import time
from typing import Protocol

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class Clock(Protocol):
    def now(self) -> int:
        """Unix time in milliseconds, UTC."""
        ...

    async def sleep(self, milliseconds: int) -> None:
        """Return when ``milliseconds`` of this clock have passed."""
        ...


async def sleep_or_wake(clock: Clock, milliseconds: int, wake: asyncio.Event) -> None:
    """Return when the time has passed or ``wake`` is set, whichever comes first; leaves nothing running behind."""
    sleeper = asyncio.ensure_future(clock.sleep(milliseconds))
    waker = asyncio.ensure_future(wake.wait())
    try:
        await asyncio.wait({sleeper, waker}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        sleeper.cancel()
        waker.cancel()


class Rewind:
    """Notices that a clock was set back, as a machine's is when its time was wrong."""

    def __init__(self, clock: Clock) -> None:
        self._seen = clock.now()

    def by(self, now: int) -> int:
        """By how many milliseconds since the last look; 0 for less than a second, which is a correction."""
        back, self._seen = self._seen - now, now
        return back if back > SECOND else 0


class SystemClock:
    """The time of the machine."""

    def now(self) -> int:
        return time.time_ns() // 1_000_000

    async def sleep(self, milliseconds: int) -> None:
        await asyncio.sleep(max(0, milliseconds) / 1000)


class VirtualClock:
    """A clock that stands still until it is moved; sleepers wake in the order of their deadlines."""

    def __init__(self, start: int = 0) -> None:
        self._now = start
        self._order = itertools.count()
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []

    def now(self) -> int:
        return self._now

    async def sleep(self, milliseconds: int) -> None:
        if milliseconds <= 0:
            await asyncio.sleep(0)
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + milliseconds, next(self._order), waiter))
        await waiter

    def set(self, now: int) -> None:
        """Jump without waking sleepers one by one; time never runs backwards."""
        self._now = max(self._now, now)

    def set_back(self, milliseconds: int) -> None:
        """The machine's time was wrong and is put right; who sleeps sleeps as long as before."""
        self._now -= milliseconds
        self._sleepers = [(due - milliseconds, order, waiter) for due, order, waiter in self._sleepers]

    async def advance(self, milliseconds: int) -> None:
        """Move on, waking every sleeper at its own moment and letting it run before the next."""
        end = self._now + milliseconds
        while self._sleepers and self._sleepers[0][0] <= end:
            due, _, waiter = heapq.heappop(self._sleepers)
            self._now = max(self._now, due)
            if not waiter.done():
                waiter.set_result(None)
            for _ in range(10):
                await asyncio.sleep(0)
        self._now = end
        for _ in range(10):
            await asyncio.sleep(0)
