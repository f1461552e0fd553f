"""Retention, and the heartbeat that is only sent while every timer is on time."""

import logging

import aiohttp
from sqlite_utils import Database

from bot.clock import DAY, HOUR, MINUTE, Clock
from bot.config import Config
from bot.delivery import timers
from bot.store.database import Priority, Store

log = logging.getLogger(__name__)

HEARTBEAT_EVERY = MINUTE
SWEEP_EVERY = HOUR
LATE = MINUTE
CHUNK = 500
# Minute counts only serve windows and charts of days; hours are kept for baselines as long as posts are.
MINUTES_KEPT = 30 * DAY
DELIVERY_KEPT = 30 * DAY


class Housekeeping:
    def __init__(self, config: Config, store: Store, clock: Clock) -> None:
        self._config = config
        self._store = store
        self._clock = clock

    async def run(self) -> None:
        """Sweep every hour, send the heartbeat every minute, until cancelled."""
        swept_at = 0
        while True:
            now = self._clock.now()
            if now - swept_at >= SWEEP_EVERY:
                swept_at = now
                removed = await self.sweep(now)
                if removed:
                    log.info("retention removed %d posts", removed)
            await self._heartbeat(now)
            await self._clock.sleep(HEARTBEAT_EVERY)

    async def sweep(self, now: int) -> int:
        """Remove what is older than the retention, in small transactions; returns how many posts went."""
        before = now - self._config.privacy.retention
        replies = self._config.linkage.auto_reply
        removed = 0
        while True:
            count = await self._store.write(lambda db: _remove_posts(db, before), Priority.BULK)
            removed += count
            if count < CHUNK:
                break
        await self._store.write(
            lambda db: _remove_counts(db, before, now, replies.keep if replies else 0), Priority.BULK
        )
        return removed

    async def _heartbeat(self, now: int) -> None:
        """Tell the outside watchdog that all is well. Silence is the alarm: nothing is sent while a timer is late."""
        if not self._config.heartbeat_url:
            return
        late = await self._store.read(lambda db: timers.overdue(db, now, LATE))
        if late:
            log.error("%d timers are late: no heartbeat", late)
            return
        try:
            timeout = aiohttp.ClientTimeout(total=10)
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.get(self._config.heartbeat_url) as answer,
            ):
                answer.raise_for_status()
        except (aiohttp.ClientError, TimeoutError) as error:
            log.warning("the heartbeat was not taken: %s", error)


def _remove_posts(db: Database, before: int) -> int:
    # Sequence numbers follow the collection, so the oldest rows are the first ones; nothing else need be looked at.
    oldest = db.conn.execute("SELECT seq, collected_at FROM post ORDER BY seq LIMIT ?", (CHUNK,))
    seqs = [row[0] for row in oldest if row[1] < before]
    if seqs:
        marks = ",".join("?" * len(seqs))
        db.conn.execute(f"DELETE FROM mention WHERE post IN ({marks})", seqs)
        db.conn.execute(f"DELETE FROM post WHERE seq IN ({marks})", seqs)
    return len(seqs)


def _remove_counts(db: Database, before: int, now: int, replies_kept: int) -> None:
    db.conn.execute("DELETE FROM bucket WHERE minute < ?", ((now - MINUTES_KEPT) // MINUTE,))
    db.conn.execute("DELETE FROM term WHERE minute < ?", ((now - MINUTES_KEPT) // MINUTE,))
    db.conn.execute("DELETE FROM hour WHERE hour < ?", (before // HOUR,))
    db.conn.execute("DELETE FROM story WHERE last_at < ?", (before,))
    for table, column in (("inbox", "done_at"), ("outbox", "sent_at"), ("timer", "fired_at"), ("call", "finished_at")):
        db.conn.execute(f"DELETE FROM {table} WHERE {column} > 0 AND {column} < ?", (now - DELIVERY_KEPT,))
    if replies_kept:
        db.conn.execute("DELETE FROM inquiry WHERE received_at < ?", (now - replies_kept,))
        db.conn.execute("DELETE FROM call WHERE key LIKE 'reply:%' AND created_at < ?", (now - replies_kept,))
    db.conn.execute("DELETE FROM console_message WHERE changed_at < ?", (before,))
    db.conn.execute("DELETE FROM console_attachment WHERE id NOT IN (SELECT attachment FROM console_message)")
    db.conn.execute("DELETE FROM outbox WHERE state = 'collapsed' AND created_at < ?", (now - DELIVERY_KEPT,))
    db.conn.execute("DELETE FROM timer WHERE state = 'cancelled' AND created_at < ?", (now - DELIVERY_KEPT,))
