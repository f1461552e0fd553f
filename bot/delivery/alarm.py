"""Fires durable timers at their moment, once, and watches that none is late."""

import asyncio
import logging
from collections.abc import Callable, Mapping

from sqlite_utils import Database

from bot.clock import MINUTE, SECOND, Clock, sleep_or_wake
from bot.delivery import timers
from bot.delivery.timers import Timer
from bot.store.database import Priority, Store

log = logging.getLogger(__name__)

Handler = Callable[[Database, Timer, int], None]
LOOK_AGAIN = 500  # milliseconds; a timer set by another process has no other way to wake us
GRACE = 60 * SECOND
RETRY = 5 * SECOND
LONGEST_RETRY = 10 * MINUTE


class Alarm:
    """``handlers`` maps a timer's kind to what it does; handler and "fired" are one transaction."""

    def __init__(
        self, store: Store, clock: Clock, handlers: Mapping[str, Handler], on_fired: Callable[[], None] | None = None
    ) -> None:
        self._store = store
        self._clock = clock
        self._handlers = handlers
        self._on_fired = on_fired or (lambda: None)
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """A timer was set: it may be due sooner than the one we wait for."""
        self._wake.set()

    async def run(self) -> None:
        """Fire until cancelled."""
        while True:
            self._wake.clear()
            fired = await self.fire_due()
            following = await self._store.read(timers.next_due)
            pause = 0 if fired else LOOK_AGAIN
            if following is not None:
                pause = max(0, min(pause, following - self._clock.now()))
            if pause == 0:
                await asyncio.sleep(0)
                continue
            await sleep_or_wake(self._clock, pause, self._wake)

    async def fire_due(self) -> int:
        """Fire what is due now; returns how many fired."""
        due = await self._store.read(lambda db: timers.due(db, self._clock.now()))
        fired = 0
        for timer in due:
            fired += await self._fire(timer)
        if fired:
            self._on_fired()
        return fired

    async def late(self) -> int:
        """How many timers should have fired more than a minute ago."""
        return await self._store.read(lambda db: timers.overdue(db, self._clock.now(), GRACE))

    async def _fire(self, timer: Timer) -> int:
        now = self._clock.now()

        def job(db: Database) -> bool:
            if not timers.claim(db, timer.id, now):
                return False
            self._handlers[timer.kind](db, timer, now)
            return True

        try:
            return int(await self._store.write(job, Priority.PEOPLE))
        except Exception as error:  # a broken handler must not stop the other timers; the row keeps the reason
            log.exception("timer %s of %s failed", timer.kind, timer.object)
            retry = min(RETRY * 2 ** min(timer.attempts, 20), LONGEST_RETRY)
            reason = f"{type(error).__name__}: {error}"
            await self._store.write(lambda db: timers.failed(db, timer.id, now + retry, reason), Priority.PEOPLE)
            return 0
