"""Lanes of work: one task a destination or system, so that none holds up another; paced, paused, resumed from rows."""

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import suppress
from functools import partial
from typing import Any

from bot.clock import SECOND, Clock, Rewind, sleep_or_wake

log = logging.getLogger(__name__)

LOOK_AGAIN = 500  # milliseconds; rows of another process have no other way to wake us
FIRST_PAUSE = 1 * SECOND
MANY = 50
BREATH = 2  # milliseconds for each ``MANY`` lanes under way
MOST_PACED = 6_000  # the largest number that any limit counts


class Lanes:
    """``waiting`` gives (lane, moment of its head) of all rows that are to leave; ``drain`` works one lane off until it
    is empty, paced or blocked; ``name`` says what a lane is, as a log may hold it. ``rewound(now, before)`` hears that
    the clock was set back, before anything else is done at the earlier time."""

    def __init__(
        self,
        clock: Clock,
        waiting: Callable[[], Awaitable[Iterable[tuple[str, int]]]],
        drain: Callable[[str], Coroutine[Any, Any, None]],
        name: Callable[[str], str],
        rewound: Callable[[int, int], Awaitable[None]],
    ) -> None:
        self._clock = clock
        self._waiting = waiting
        self._drain = drain
        self._name = name
        self._rewound = rewound
        self._rewind = Rewind(clock)
        self._wake = asyncio.Event()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._paused_until: dict[str, int] = {}
        self._recent: defaultdict[str, deque[int]] = defaultdict(lambda: deque(maxlen=MOST_PACED))

    def wake(self) -> None:
        """A row was added."""
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled; what is under way then is given up and resumed from its row."""
        try:
            while True:
                self._wake.clear()
                pause = await self._start()
                # Each lane that ends wakes us. With hundreds of them looking is work too, of which they get a share.
                if len(self._tasks) > MANY:
                    await self._clock.sleep(len(self._tasks) // MANY * BREATH)
                await sleep_or_wake(self._clock, pause, self._wake)
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def idle(self) -> bool:
        """Whether nothing is due now (tests and graceful stops wait for it)."""
        now = self._clock.now()
        return not self._tasks and not any(self._due_at(lane, at) <= now for lane, at in await self._waiting())

    def pause(self, lane: str, until: int) -> None:
        """Let a lane rest."""
        self._paused_until[lane] = until

    # -- limits, each counted under a key that lanes may share

    def take(self, key: str, now: int) -> None:
        """Take one place in a limit."""
        self._recent[key].append(now)

    def give_back(self, key: str, now: int) -> None:
        """It was not needed after all."""
        with suppress(ValueError):  # forgotten meanwhile, because the clock was set back
            self._recent[key].remove(now)

    def wait_for(self, key: str, count: int, period: int, now: int) -> int:
        """Milliseconds until a limit of ``count`` in ``period`` has a place."""
        recent = self._recent[key]
        return max(0, recent[-count] + period - now) if len(recent) >= count else 0

    # -- helpers

    async def _start(self) -> int:
        """Begin every lane that is due; milliseconds until the next look."""
        now, pause = self._clock.now(), LOOK_AGAIN
        if back := self._rewind.by(now):
            # Moments that now lie in the future would keep a lane shut for as long as the clock was wrong.
            self._recent.clear()
            self._paused_until.clear()
            await self._rewound(now, now + back)
        for lane, not_before in await self._waiting():
            if lane in self._tasks:
                continue
            due_at = self._due_at(lane, not_before)
            if due_at > now:
                pause = min(pause, due_at - now)
                continue
            task = asyncio.create_task(self._drain(lane), name=self._name(lane))
            self._tasks[lane] = task
            task.add_done_callback(partial(self._ended, lane))
        return pause

    def _ended(self, lane: str, task: "asyncio.Task[None]") -> None:
        self._tasks.pop(lane, None)
        if not task.cancelled() and task.exception():
            log.error("%s stopped; it goes on with the next look", self._name(lane), exc_info=task.exception())
            self._paused_until[lane] = self._clock.now() + FIRST_PAUSE
        self._wake.set()

    def _due_at(self, lane: str, not_before: int) -> int:
        return max(not_before, self._paused_until.get(lane, 0))
