"""Importing a file of posts, also while Fengbo runs: the same door, masks and duplicate check as any other way in."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from bot.clock import Clock, SystemClock
from bot.config import Config, SourceConfig
from bot.intake.intake import Intake
from bot.intake.minimise import Minimiser, install_key
from bot.model.text import Text, UserError
from bot.sources.files import Rejected, numbered_posts
from bot.store import source_states
from bot.store.database import Store

BATCH = 2_000
TELL_EVERY = 10_000
# A file with ten thousand bad lines has one problem, not ten thousand.
REJECTED_SHOWN = 1_000

Say = Callable[[Text], None]


async def import_file(
    config: Config, source_id: str, path: Path, say: Say, *, clock: Clock | None = None
) -> tuple[int, int, list[tuple[int, str]]]:
    """Import ``path`` as posts of a configured source: (accepted, duplicates, [(line, what is wrong)]).

    ``say`` hears of the progress. Raises ``UserError`` for an unknown source, ``SourceError`` for a file that cannot
    be read or has no column for text or time.
    """
    source = next((item for item in config.sources if item.id == source_id), None)
    if source is None:
        known = ", ".join(item.id for item in config.sources) or "-"
        raise UserError("cli.import_unknown_source", source=source_id, known=known)
    clock = clock or SystemClock()
    store = Store(config.store)
    try:
        return await _Import(config, source, store, clock, say).run(path)
    finally:
        store.close()


class _Import:
    def __init__(self, config: Config, source: SourceConfig, store: Store, clock: Clock, say: Say) -> None:
        key = store.write_now(lambda db: install_key(db, config.privacy.secret("author_key")))
        minimiser = Minimiser(config.privacy.mask, key)
        self._intake = Intake(config, store, clock, minimiser, _note, lambda outcome: None)
        self._source = source
        self._clock = clock
        self._say = say
        self._accepted = 0
        self._duplicates = 0
        self._rejected: list[tuple[int, str]] = []

    async def run(self, path: Path) -> tuple[int, int, list[tuple[int, str]]]:
        source = self._source
        batch: list[tuple[int, dict[str, Any]]] = []
        posts = numbered_posts(
            path, source.map, source=source.id, platform=source.platform, now=self._clock.now(),
            timezone=source.timezone, date_format=source.date_format, encoding=source.encoding,
        )  # fmt: skip
        for read, (line, found) in enumerate(posts, 1):
            if isinstance(found, Rejected):
                self._reject(line, found.error)
            else:
                batch.append((line, {**source.defaults, **found}))
            if len(batch) >= BATCH:
                await self._take(batch)
                batch = []
            if read % TELL_EVERY == 0:
                self._say(Text("cli.import_progress", {"n": read}))
        await self._take(batch)
        return self._accepted, self._duplicates, sorted(self._rejected)

    async def _take(self, batch: list[tuple[int, dict[str, Any]]]) -> None:
        if not batch:
            return
        outcome = await self._intake.take(
            [item for _, item in batch], self._source.id, self._source.platform or "other"
        )
        self._accepted += outcome.accepted
        self._duplicates += outcome.duplicates
        for index, error in outcome.rejected:
            self._reject(batch[index][0], error)

    def _reject(self, line: int, error: str) -> None:
        if len(self._rejected) < REJECTED_SHOWN:
            self._rejected.append((line, error))


def _note(db: Database, source: str, count: int, now: int) -> None:
    """An import is a sign of life of its source."""
    state = source_states.ensure(db, source, now)
    state.note_success(count, now)
    source_states.save(db, state)
