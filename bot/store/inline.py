"""The store without threads and without the disk, for replays and rehearsals: what is asked is done at once."""

import sqlite3
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from bot.store.database import Priority, Result, Store
from bot.store.tables import migrations


class Here(ThreadPoolExecutor):
    """Runs at once what would go to a thread: nobody waits meanwhile, and the way there and back costs
    more than most of the work."""

    def submit(self, fn: Callable[..., Result], /, *args: Any, **kwargs: Any) -> "Future[Result]":
        future: Future[Result] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - handed to whoever awaits it
            future.set_exception(error)
        return future


class InlineStore(Store):
    """The store without its threads and without waiting for the disk: jobs run where they are given. Without ``path``
    on a private database that only leaves memory when it grows large."""

    def __init__(self, path: str = "") -> None:
        self.path = Path(path)
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode=MEMORY")
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA cache_size=-131072")
        self._database = Database(connection)
        migrations.apply(self._database)

    async def write(self, job: Callable[[Database], Result], priority: Priority = Priority.PEOPLE) -> Result:
        return self.write_now(job, priority)

    async def read(self, job: Callable[[Database], Result]) -> Result:
        return job(self._database)

    def write_now(self, job: Callable[[Database], Result], priority: Priority = Priority.PEOPLE) -> Result:
        with self._database.atomic():
            return job(self._database)

    def read_now(self, job: Callable[[Database], Result]) -> Result:
        return job(self._database)

    def close(self) -> None:
        self._database.close()
