"""Plays the recorded feed into the running system: two weeks of calm history, the evening, then a trickle."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from bot.clock import DAY, Clock
from bot.demo import player

log = logging.getLogger(__name__)

Take = Callable[[list[dict[str, Any]], str, str], Awaitable[None]]
Begin = Callable[[int], Awaitable[None]]
HISTORY_BATCH = 500
HISTORY_DAYS = 14


class DemoFeed:
    """``begin(since)`` says from when on the history is whole; ``take(items, source, platform)`` stores posts as any
    collector would; ``sources`` maps source ids to platforms; ``speed`` 2 plays twice as fast."""

    def __init__(self, clock: Clock, take: Take, begin: Begin, sources: dict[str, str], speed: float = 1.0) -> None:
        self._clock = clock
        self._take = take
        self._begin = begin
        self._sources = sources
        self._speed = speed

    async def run(self) -> None:
        """Play until cancelled."""
        await self._prime()
        started_at = self._clock.now()
        log.info("the demonstration begins: a payment company's worst evening, in about two minutes")
        background = player.load_background()
        run = f"-{started_at // 1000:x}"
        record = player.schedule(player.load_feed(), started_at, speed=self._speed, run=run)
        await self._play(record, started_at)
        last = record[-1][0] if record else 0
        await self._play(
            player.trickle(background, started_at, first_offset=last, speed=self._speed, seed=started_at), started_at
        )

    async def _prime(self) -> None:
        await self._begin(self._clock.now() - HISTORY_DAYS * DAY)
        history = list(player.history(player.load_background(), self._clock.now(), HISTORY_DAYS))
        by_source: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for item in history:
            by_source[item["source"]].append(item)
        for source, items in by_source.items():
            for start in range(0, len(items), HISTORY_BATCH):
                await self._take(items[start : start + HISTORY_BATCH], source, self._sources.get(source, "other"))

    async def _play(self, timed: Iterable[tuple[int, dict[str, Any]]], started_at: int) -> None:
        for offset, item in timed:
            wait = started_at + offset - self._clock.now()
            if wait > 0:
                await self._clock.sleep(wait)
            else:
                await asyncio.sleep(0)
            source = item["source"]
            await self._take([item], source, self._sources.get(source, "other"))
