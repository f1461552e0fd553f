"""Works off the inbox: every event once, its effects and its answer in one transaction."""

import asyncio
import logging
from collections.abc import Callable

from sqlite_utils import Database

from bot.clock import Clock, sleep_or_wake
from bot.delivery import inbox
from bot.model.message import Event
from bot.store.database import Priority, Store

log = logging.getLogger(__name__)

LOOK_AGAIN = 250  # milliseconds; events accepted by another process have no other way to wake us
TRIES = 3

Handle = Callable[[Database, int, Event, int, int], None]
GiveUp = Callable[[Database, int, Event, int], None]


class Processor:
    """``handle(db, row id, event, received_at, now)`` does what the event asks and enqueues the answer; ``give_up``
    answers in its place when it failed three times."""

    def __init__(
        self, store: Store, clock: Clock, handle: Handle, give_up: GiveUp, on_done: Callable[[], None] | None = None
    ) -> None:
        self._store = store
        self._clock = clock
        self._handle = handle
        self._give_up = give_up
        self._on_done = on_done or (lambda: None)
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """An event was accepted."""
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            self._wake.clear()
            if await self.work_off():
                continue
            await sleep_or_wake(self._clock, LOOK_AGAIN, self._wake)

    async def work_off(self) -> int:
        """Handle what waits now, in the order it arrived; returns how many events were handled."""
        rows = await self._store.read(inbox.waiting)
        for row_id, event, received_at, attempts in rows:
            await self._one(row_id, event, received_at, attempts)
        if rows:
            self._on_done()
        return len(rows)

    async def _one(self, row_id: int, event: Event, received_at: int, attempts: int) -> None:
        now = self._clock.now()

        def job(db: Database) -> None:
            self._handle(db, row_id, event, received_at, now)
            inbox.done(db, row_id, now)

        try:
            await self._store.write(job, Priority.PEOPLE)
        except (
            Exception
        ) as error:  # one event that cannot be handled must not stop the others; the row keeps the reason
            give_up = attempts + 1 >= TRIES
            log.exception("event %d from %s failed (try %d)", row_id, event.chat, attempts + 1)
            reason = f"{type(error).__name__}: {error}"

            def record(db: Database) -> None:
                inbox.failed(db, row_id, now, reason, give_up=give_up)
                if give_up:
                    self._answer_failure(db, row_id, event, now)

            await self._store.write(record, Priority.PEOPLE)

    def _answer_failure(self, db: Database, row_id: int, event: Event, now: int) -> None:
        try:
            with db.atomic():
                self._give_up(db, row_id, event, now)
        except Exception:  # not even the apology can be said: the row keeps the first reason, and the others go on
            log.exception("event %d from %s could not be answered", row_id, event.chat)
