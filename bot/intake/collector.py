"""Asking the sources, storing what they give with the new cursor in one transaction, keeping their health."""

import asyncio
import json
import logging
import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from sqlite_utils import Database

from bot.clock import MINUTE, SECOND, Clock
from bot.config import SourceConfig
from bot.intake.accept import Accepted
from bot.model.text import Text
from bot.sources.base import Batch, Source, SourceError, problem
from bot.sources.schedule import (
    FAILING_AFTER,
    Health,
    Outcome,
    Record,
    health,
    interval,
    next_due,
)
from bot.store import source_states
from bot.store.database import Priority, Store
from bot.store.source_states import SourceState

log = logging.getLogger(__name__)

CONCURRENCY = 8
CHUNK = 500
HEALTH_EVERY = MINUTE
# The longest a poller sleeps before it looks whether a sensitive period has begun.
LONGEST_SLEEP = 5 * SECOND

Accept = Callable[[Database, list[dict[str, Any]], SourceConfig, int], Accepted]
OnHealth = Callable[[Database, str, str, str, int], None]


def _nothing(db: Database, source: str, old: str, new: str, now: int) -> None:
    """Nobody listens to changes of health."""


class Collector:
    """Polls ``sources`` until cancelled.

    ``sensitive(now)`` says whether a sensitive period is on. ``accept(db, items, config, now)`` stores items inside the
    transaction and returns the outcome. ``on_health(db, source, old, new, now)`` is called inside the transaction that
    records a change of health. Sources without something to poll (pushed, imported, demo) get health only.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        sources: Sequence[tuple[SourceConfig, Source | None]],
        sensitive: Callable[[int], bool],
        accept: Accept,
        on_health: OnHealth = _nothing,
        *,
        concurrency: int = CONCURRENCY,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._clock = clock
        self._sources = list(sources)
        self._configs = {config.id: config for config, _ in sources}
        self._polled = {config.id for config, source in sources if source is not None}
        self._sensitive = sensitive
        self._accept = accept
        self._on_health = on_health
        self._slots = asyncio.Semaphore(concurrency)
        self._jitter = jitter
        self._wake = {config.id: asyncio.Event() for config, _ in sources}
        self._watching_since = clock.now()

    async def run(self) -> None:
        """Poll until cancelled; one source's trouble never stops another."""
        self._watching_since = self._clock.now()
        await self._store.write(self._begin, Priority.DELIVERY)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch_health(), name="source-health")
            for config, source in self._sources:
                if source is not None and config.enabled:
                    tasks.create_task(self._poll_forever(config, source), name=f"source-{config.id}")

    def poke(self, source: str) -> None:
        """Poll a source now, whatever its plan says."""
        if source in self._wake:
            self._wake[source].set()

    def note_push(self, db: Database, source_id: str, count: int, now: int) -> None:
        """A push, import or hand-made addition of ``count`` posts came in; runs in the caller's transaction.

        Polled sources are counted with their poll, unknown senders not at all.
        """
        config = self._configs.get(source_id)
        if config is None or source_id in self._polled:
            return
        state = source_states.ensure(db, source_id, now)
        state.note_success(count, now)
        self._judge(db, config, state, now)
        source_states.save(db, state)

    def describe(self, db: Database, source_id: str, now: int) -> tuple[Health, Text]:
        """A source's health with the reason, for whoever asks."""
        state = source_states.load(db, source_id) or SourceState(source_id, first_seen_at=now)
        return health(self._configs[source_id], self._record(state), now)

    async def poll_once(self, config: SourceConfig, source: Source) -> SourceState:
        """One poll with everything that follows from it; returns the new state."""
        state = await self._store.read(lambda db: source_states.load(db, config.id))
        cursor = state.cursor if state is not None else {}
        started = self._clock.now()
        try:
            batch = await source.poll(cursor, started)
        except SourceError as error:
            return await self._failed(config, error, started)
        except Exception as error:
            log.exception("source %s stopped with an unexpected error", config.id)
            return await self._failed(config, problem("broken", cause=type(error).__name__), started)
        return await self._stored(config, batch, started)

    # -- one source

    async def _poll_forever(self, config: SourceConfig, source: Source) -> None:
        while True:
            try:
                await self._wait_until_due(config)
                async with self._slots:
                    await self.poll_once(config, source)
            except Exception:
                # The store refused: say so and go on. Nothing is lost, the cursor stands where it stood.
                log.exception("what source %s gave could not be stored", config.id)
                await self._clock.sleep(10 * SECOND)

    async def _wait_until_due(self, config: SourceConfig) -> None:
        state = await self._store.read(lambda db: source_states.load(db, config.id))
        wake = self._wake[config.id]
        while state is not None and not wake.is_set():
            now = self._clock.now()
            wait = self._due(config, state, now) - now
            if wait <= 0:
                break
            await self._sleep(min(wait, LONGEST_SLEEP), wake)
        wake.clear()

    async def _sleep(self, milliseconds: int, wake: asyncio.Event) -> None:
        sleeper = asyncio.ensure_future(self._clock.sleep(milliseconds))
        waker = asyncio.ensure_future(wake.wait())
        try:
            await asyncio.wait((sleeper, waker), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeper.cancel()
            waker.cancel()

    def _due(self, config: SourceConfig, state: SourceState, now: int) -> int:
        """A sensitive period that began meanwhile shortens the wait, unless the source is failing or asked to wait."""
        usual = state.last_try_at + int(1.06 * interval(config, False))
        if state.failures or state.next_due_at > usual or not self._sensitive(now):
            return state.next_due_at
        return min(state.next_due_at, state.last_try_at + interval(config, True))

    async def _stored(self, config: SourceConfig, batch: Batch, started: int) -> SourceState:
        items = list(batch.items)
        accepted = 0
        # All but the last part go ahead of the cursor: a crash between two parts repeats posts, which the store knows.
        while len(items) > CHUNK:
            part, items = items[:CHUNK], items[CHUNK:]
            stored = await self._store.write(partial(self._take, config, part), Priority.BULK)
            accepted += stored.accepted

        def finish(db: Database) -> SourceState:
            now = self._clock.now()
            count = accepted + (self._take(config, items, db).accepted if items else 0)
            state = source_states.ensure(db, config.id, started)
            state.cursor = dict(batch.cursor)
            state.last_try_at = started
            state.note_success(count, now)
            outcome = Outcome.MORE if batch.more else Outcome.WELL
            state.next_due_at = next_due(
                config, now, outcome, 0, self._sensitive(now), self._jitter(), batch.retry_after
            )
            source_states.reject(db, config.id, batch.rejected, now)
            self._judge(db, config, state, now)
            source_states.save(db, state)
            return state

        return await self._store.write(finish, Priority.BULK)

    def _take(self, config: SourceConfig, items: list[dict[str, Any]], db: Database) -> Accepted:
        return self._accept(db, items, config, self._clock.now())

    async def _failed(self, config: SourceConfig, error: SourceError, started: int) -> SourceState:
        log.warning("source %s: %s", config.id, error)

        def record(db: Database) -> SourceState:
            now = self._clock.now()
            state = source_states.ensure(db, config.id, started)
            state.last_try_at = started
            state.failures += 1
            if error.permanent:
                # Waiting for a third refusal of the same key would only keep people in the dark.
                state.failures = max(state.failures, FAILING_AFTER)
            state.last_error = json.dumps(error.text.to_json(), ensure_ascii=False, default=str)
            outcome = Outcome.REFUSED if error.permanent else Outcome.FAILED
            sensitive, jitter = self._sensitive(now), self._jitter()
            state.next_due_at = next_due(config, now, outcome, state.failures, sensitive, jitter, error.retry_after)
            self._judge(db, config, state, now)
            source_states.save(db, state)
            return state

        return await self._store.write(record, Priority.DELIVERY)

    # -- health

    def _record(self, state: SourceState) -> Record:
        return Record(
            first_seen_at=state.first_seen_at,
            last_success_at=state.last_success_at,
            last_post_at=state.last_post_at,
            failures=state.failures,
            gaps=state.gaps,
            watching_since=self._watching_since,
            cause=source_states.explain(state.last_error),
        )

    def _judge(self, db: Database, config: SourceConfig, state: SourceState, now: int) -> bool:
        """Set the state's health; tells the listener of a change, inside the transaction."""
        found, _ = health(config, self._record(state), now)
        if found.value == state.health:
            return False
        old, state.health, state.health_since = state.health, found.value, now
        source_states.save(db, state)  # the listener may read it
        self._on_health(db, config.id, old, found.value, now)
        return True

    def _begin(self, db: Database) -> None:
        now = self._clock.now()
        for config in self._configs.values():
            source_states.ensure(db, config.id, now)
        for name, state in source_states.every(db).items():
            if name not in self._configs and state.health != Health.PAUSED:
                # Its cursor is kept in case it comes back into the configuration.
                state.health, state.health_since = Health.PAUSED.value, now
                source_states.save(db, state)
        self.check_health(db)

    def check_health(self, db: Database) -> None:
        """Judge every source anew: silence is the one change that no event announces."""
        now = self._clock.now()
        states = source_states.every(db)
        for config in self._configs.values():
            state = states.get(config.id)
            if state is not None and self._judge(db, config, state, now):
                source_states.save(db, state)

    async def _watch_health(self) -> None:
        while True:
            await self._clock.sleep(HEALTH_EVERY)
            try:
                await self._store.write(self.check_health, Priority.BULK)
            except Exception:
                log.exception("the health of the sources could not be checked")
