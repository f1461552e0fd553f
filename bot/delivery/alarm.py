"""Fires durable timers at their moment, once, and watches that none is late."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from sqlite_utils import Database

from bot.clock import MINUTE, SECOND, Clock, Rewind, sleep_or_wake
from bot.delivery import timers
from bot.delivery.timers import Timer
from bot.store.database import Priority, Store

log = logging.getLogger(__name__)

Handler = Callable[[Database, Timer, int], None]
# Work outside the store (fetching a page) that gives what is to be written afterwards, in one transaction with "fired".
Errand = Callable[[Timer], Awaitable[Callable[[Database, int], None]]]
LOOK_AGAIN = 500  # milliseconds; a timer set by another process has no other way to wake us
GRACE = 60 * SECOND
RETRY = 5 * SECOND
LONGEST_RETRY = 10 * MINUTE
ERRAND_LEASE = MINUTE  # an errand whose process died is run again after this
ERRAND_TRIES = 3
# So many timers share their commits where many fall due together (deadlines on the full minute). Few enough that what
# the sender writes down in between need not wait long.
AT_ONCE = 50


class Alarm:
    """``handlers`` maps a timer's kind to what it does; handler and "fired" are one transaction. ``errands`` are kinds
    that first need something from outside; they run beside the timers and never hold one up. ``rewound(db, now)`` hears
    that the clock was set back."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        handlers: Mapping[str, Handler],
        on_fired: Callable[[], None] | None = None,
        errands: Mapping[str, Errand] | None = None,
        rewound: Callable[[Database, int], None] | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._handlers = handlers
        self._on_fired = on_fired or (lambda: None)
        self._errands = dict(errands or {})
        self._rewound = rewound or (lambda db, now: None)
        self._rewind = Rewind(clock)
        self._out: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """A timer was set: it may be due sooner than the one we wait for."""
        self._wake.set()

    async def run(self) -> None:
        """Fire until cancelled; errands under way are given up then, and run again from their rows."""
        try:
            while True:
                self._wake.clear()
                if self._rewind.by(self._clock.now()):
                    await self._store.write(lambda db: self._rewound(db, self._clock.now()), Priority.TIMERS)
                fired = await self.fire_due()
                following = await self._store.read(timers.next_due)
                pause = 0 if fired else LOOK_AGAIN
                if following is not None:
                    pause = max(0, min(pause, following - self._clock.now()))
                if pause == 0:
                    await asyncio.sleep(0)
                    continue
                await sleep_or_wake(self._clock, pause, self._wake)
        finally:
            for errand in self._out:
                errand.cancel()
            await asyncio.gather(*self._out, return_exceptions=True)

    async def fire_due(self) -> int:
        """Fire what is due now; returns how many fired."""
        due = await self._store.read(lambda db: timers.due(db, self._clock.now(), AT_ONCE))
        for timer in due:
            if timer.kind in self._errands:
                await self._send_out(timer)
        # Handed to the store in the order of their moments, and it keeps that order.
        fired = sum(await asyncio.gather(*(self._fire(timer) for timer in due if timer.kind not in self._errands)))
        if fired:
            self._on_fired()
        return fired

    async def home(self) -> None:
        """Wait for the errands that are out: in virtual time nothing may happen meanwhile."""
        await asyncio.gather(*self._out, return_exceptions=True)

    async def late(self) -> int:
        """How many timers should have fired more than a minute ago."""
        return await self._store.read(lambda db: timers.overdue(db, self._clock.now(), GRACE))

    async def _send_out(self, timer: Timer) -> None:
        """Start an errand; its row waits for the outcome, so that a crash in between repeats it."""
        until = self._clock.now() + ERRAND_LEASE
        await self._store.write(lambda db: timers.postpone(db, timer.id, until), Priority.PEOPLE)
        task = asyncio.create_task(self._errand(timer), name=f"{timer.kind} {timer.object}")
        self._out.add(task)
        task.add_done_callback(self._out.discard)

    async def _errand(self, timer: Timer) -> None:
        try:
            apply = await self._errands[timer.kind](timer)
            await self._store.write(lambda db: self._bring_back(db, timer, apply), Priority.PEOPLE)
        except Exception as error:
            log.exception("errand %s of %s failed (try %d)", timer.kind, timer.object, timer.attempts + 1)
            if timer.attempts + 1 < ERRAND_TRIES:
                retry, reason = self._clock.now() + RETRY, f"{type(error).__name__}: {error}"
                await self._store.write(lambda db: timers.failed(db, timer.id, retry, reason), Priority.PEOPLE)
            else:
                await self._store.write(lambda db: timers.claim(db, timer.id, self._clock.now()), Priority.PEOPLE)
            return
        self._on_fired()

    def _bring_back(self, db: Database, timer: Timer, apply: Callable[[Database, int], None]) -> None:
        now = self._clock.now()
        if timers.claim(db, timer.id, now):
            apply(db, now)

    async def _fire(self, timer: Timer) -> int:
        def job(db: Database) -> bool:
            now = self._clock.now()  # when it is done, not when it was handed over: a run's time never goes back
            if not timers.claim(db, timer.id, now):
                return False
            self._handlers[timer.kind](db, timer, now)
            return True

        try:
            # Behind people and messages: who presses, and the answer, do not wait for a whole minute's deadlines.
            return int(await self._store.write(job, Priority.TIMERS))
        except Exception as error:  # a broken handler must not stop the other timers; the row keeps the reason
            log.exception("timer %s of %s failed", timer.kind, timer.object)
            retry = self._clock.now() + min(RETRY * 2 ** min(timer.attempts, 20), LONGEST_RETRY)
            reason = f"{type(error).__name__}: {error}"
            await self._store.write(lambda db: timers.failed(db, timer.id, retry, reason), Priority.PEOPLE)
            return 0
