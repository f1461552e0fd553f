"""Who waits for news, and how they hear of it: at once from this process, by looking at the store for what another
process wrote, and only while somebody is connected."""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass

from sqlite_utils import Database

from bot.chat.console import messages
from bot.clock import Clock
from bot.store.database import Store

POLL = 500  # milliseconds between two looks at the store
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class News:
    """``revision`` is the newest message change; ``state`` changes when incidents, sources or queues did."""

    revision: int = 0
    state: tuple[object, ...] = ()


class Hub:
    """One for the process. ``close`` ends every stream."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._news = News()
        self._changed = asyncio.Event()
        self._readers = 0
        self._poller: asyncio.Task[None] | None = None
        self.closed = False

    @property
    def news(self) -> News:
        return self._news

    def notify(self, revision: int) -> None:
        """Say that the store holds messages up to ``revision``."""
        if revision > self._news.revision:
            self._publish(News(revision, self._news.state))

    async def wait(self, known: News, milliseconds: int) -> News:
        """Return as soon as the news differs from ``known``, or after the given time with what there is."""
        if self._news == known and not self.closed:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), milliseconds / 1000)
        return self._news

    @contextlib.asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        """While inside, the store is watched."""
        self._readers += 1
        if self._poller is None:
            self._poller = asyncio.create_task(self._poll())
        try:
            yield
        finally:
            self._readers -= 1
            if self._readers == 0 and self._poller is not None:
                self._poller.cancel()
                self._poller = None

    async def close(self) -> None:
        self.closed = True
        if self._poller is not None:
            self._poller.cancel()
        self._wake()

    def _publish(self, news: News) -> None:
        self._news = news
        self._wake()

    def _wake(self) -> None:
        waiting, self._changed = self._changed, asyncio.Event()
        waiting.set()

    async def _poll(self) -> None:
        while True:
            try:
                news = await self._store.read(_look)
            except sqlite3.Error:
                log.warning("the console could not look for news; it tries again", exc_info=True)
            else:
                if news.revision > self._news.revision or news.state != self._news.state:
                    self._publish(News(max(news.revision, self._news.revision), news.state))
            await self._clock.sleep(POLL)


def _look(db: Database) -> News:
    state = db.conn.execute("""SELECT
        (SELECT COUNT(*) || '/' || COALESCE(SUM(version), 0) FROM incident),
        (SELECT COUNT(*) || '/' || group_concat(health, ',') FROM source_state),
        (SELECT COUNT(*) FROM outbox WHERE state IN ('waiting', 'sending')),
        (SELECT COALESCE(MAX(seq), 0) FROM post)""").fetchone()
    return News(messages.latest(db), tuple(state))
