"""The newsroom as a folder of static pages, for a web server of its own: written new, then renamed, as often as wanted
with the same result."""

import asyncio
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from uuid import uuid4

from sqlite_utils import Database

from bot.clock import MINUTE
from bot.config import Config
from bot.delivery import timers
from bot.delivery.timers import Timer
from bot.model.publication import NewsroomItem
from bot.model.text import LANGUAGES
from bot.newsroom import feeds, pages
from bot.newsroom.pages import Room
from bot.newsroom.routes import room
from bot.statements.publish_targets import FOLDER
from bot.statements.publishing import Publishing
from bot.store import publications as store
from bot.store.database import Store

log = logging.getLogger(__name__)

EVERYTHING = 10_000


class FolderErrand:
    """What the timer ``publish_folder`` of a publisher does. A folder that cannot be written is tried every minute, and
    its receipts say why meanwhile."""

    def __init__(self, config: Config, store: Store, publishing: Publishing) -> None:
        self._config = config
        self._store = store
        self._publishing = publishing

    async def __call__(self, timer: Timer) -> Callable[[Database, int], None]:
        publisher = next((one for one in self._config.publishers if one.id == timer.object and one.folder), None)
        if publisher is None:
            return lambda db, now: None
        items = await self._store.read(lambda db: store.public_items(db, EVERYTHING))
        problem = ""
        try:
            await asyncio.to_thread(write, Path(publisher.folder), site(room(self._config), items))
        except OSError as error:
            problem = f"{error.strerror}: {publisher.folder}"
            log.error("the newsroom's folder cannot be written: %s", error)

        def apply(db: Database, now: int) -> None:
            if problem:
                self._publishing.folder_failed(db, publisher.id, problem)
                timers.schedule(db, FOLDER, publisher.id, now + MINUTE, now)
                return
            self._publishing.folder_written(db, publisher.id, [item.slug for item in items], now)
            if store.public_items(db, EVERYTHING) != items:  # something came in while the pages were written
                timers.schedule(db, FOLDER, publisher.id, now, now)

        return apply


def site(shown: Room, items: Sequence[NewsroomItem]) -> Mapping[str, bytes]:
    """Every file of the newsroom by its path below the folder."""
    top, below = pages.static_links(shown, 0), pages.static_links(shown, 1)
    files = {f"{item.slug}/index.html": pages.item(shown, items, item, below) for item in items}
    for language in LANGUAGES:
        files[pages.index_name(shown, language)] = pages.index(shown, items, language, top)
    return {
        **files, pages.STYLE: pages.style(), "feed.atom": feeds.atom(shown, items),
        "feed.json": feeds.json_feed(shown, items),
    }  # fmt: skip


def write(folder: Path, files: Mapping[str, bytes]) -> int:
    """Write what differs; a reader sees the old file or the new one, never a part. Returns how many were written."""
    written = 0
    for name, content in files.items():
        target = folder / name
        if target.is_file() and target.read_bytes() == content:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = target.with_name(f".{target.name}.{uuid4().hex}")
        try:
            with fresh.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            fresh.chmod(0o644)
            fresh.replace(target)
        finally:
            fresh.unlink(missing_ok=True)
        written += 1
    return written
