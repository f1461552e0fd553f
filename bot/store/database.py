"""The store: one SQLite file, one writer thread, a few reader threads.

Every change runs as a function of the open database on the writer thread. Waiting jobs share one commit, each inside
its own savepoint, so that many small deliveries cost one disk flush and a failing job undoes only itself. A job's
future resolves after the commit: whoever awaited it may acknowledge.
"""

import asyncio
import itertools
import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from enum import IntEnum
from pathlib import Path
from typing import Any, TypeVar

from sqlite_utils import Database

from bot.store.tables import migrations

Result = TypeVar("Result")
log = logging.getLogger(__name__)

BUSY_TIMEOUT_SECONDS = 30
CACHE_KIB = 64 * 1024
READER_CACHE_KIB = 8 * 1024  # readers look at recent minutes; the system caches the file itself
# How long jobs may gather behind the first one before the commit; a bound on the latency a bulk job adds to a click.
GROUP_SECONDS = 0.015
GROUP_JOBS = 64


class Priority(IntEnum):
    """Order in which waiting jobs run: a click and its answer never wait behind a bulk import, or behind five hundred
    plans that look around at once."""

    PEOPLE = 0
    DELIVERY = 1
    TIMERS = 2
    BULK = 3


class StoreClosed(RuntimeError):
    """The store was closed while a job waited; the job did not run."""


class StoreTooNew(RuntimeError):
    """The file was written by a newer Fengbo, whose tables this one does not know; nothing was touched."""


class Store:
    """``path`` is the file, created with its folder; ``readers`` how many threads answer ``read``."""

    def __init__(self, path: str | Path, readers: int = 2) -> None:
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._jobs: queue.PriorityQueue[tuple[int, int, Callable[[Database], Any] | None, Future[Any]]] = (
            queue.PriorityQueue()
        )
        self._order = itertools.count()
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._closed = False
        self._door = threading.Lock()  # no job slips in behind the last one: it would wait for ever
        writer = self._connect()
        _refuse_newer(writer)
        migrations.apply(writer)
        self._writer = threading.Thread(target=self._write_loop, args=(writer,), name="store-writer", daemon=True)
        self._writer.start()
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="store-reader")

    # -- asynchronous interface, for services on the event loop

    async def write(self, job: Callable[[Database], Result], priority: Priority = Priority.PEOPLE) -> Result:
        """Run ``job`` in a transaction; return its result after the commit. Its exception undoes only its changes."""
        return await asyncio.wrap_future(self._submit(job, priority))

    async def read(self, job: Callable[[Database], Result]) -> Result:
        """Run ``job`` on a reader thread against the last committed state."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, lambda: job(self._reader()))

    # -- blocking interface, for the command line and tests

    def write_now(self, job: Callable[[Database], Result], priority: Priority = Priority.PEOPLE) -> Result:
        return self._submit(job, priority).result()

    def read_now(self, job: Callable[[Database], Result]) -> Result:
        return job(self._reader())

    def close(self) -> None:
        """Finish the running group, refuse what still waits, fold the write-ahead log into the file."""
        with self._door:
            if self._closed:
                return
            self._closed = True
            self._jobs.put((-1, next(self._order), None, Future()))
        self._writer.join()
        self._readers.shutdown(wait=True)
        for connection in self._connections:
            connection.close()

    def backup_to(self, target: str | Path) -> None:
        """Copy the running store page by page into ``target``, which must not exist yet."""
        destination = Path(target)
        if destination.exists():
            raise FileExistsError(destination)
        partial = destination.with_name(destination.name + ".partial")
        partial.unlink(missing_ok=True)
        copy = sqlite3.connect(partial)
        try:
            self._reader().conn.backup(copy, pages=4096)
            copy.execute("PRAGMA journal_mode=DELETE")
        finally:
            copy.close()
        partial.rename(destination)

    def _submit(self, job: Callable[[Database], Result], priority: Priority) -> "Future[Result]":
        future: Future[Result] = Future()
        with self._door:
            if self._closed:
                raise StoreClosed("the store is closed")
            self._jobs.put((int(priority), next(self._order), job, future))
        return future

    def _reader(self) -> Database:
        database = getattr(self._local, "database", None)
        if database is None:
            database = self._connect(READER_CACHE_KIB)
            database.conn.execute("PRAGMA query_only=ON")
            self._local.database = database
        return database

    def _connect(self, cache_kib: int = CACHE_KIB) -> Database:
        connection = sqlite3.connect(
            self.path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode=WAL")
        # FULL: an acknowledged row survives a power cut, not only a killed process; grouped commits keep it cheap.
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute(f"PRAGMA cache_size=-{cache_kib}")
        connection.execute("PRAGMA wal_autocheckpoint=4000")
        self._connections.append(connection)
        return Database(connection)

    def _write_loop(self, database: Database) -> None:
        while True:
            group = [self._jobs.get()]
            if group[0][2] is None:
                break
            self._run_group(database, group)
        while not self._jobs.empty():
            _, _, _, future = self._jobs.get_nowait()
            if future.set_running_or_notify_cancel():  # whoever waited may have been cancelled before
                future.set_exception(StoreClosed("the store is closed"))

    def _run_group(
        self, database: Database, group: list[tuple[int, int, Callable[[Database], Any] | None, Future[Any]]]
    ) -> None:
        done: list[tuple[Future[Any], Any]] = []
        deadline = time.monotonic() + GROUP_SECONDS  # a bound on work, not a moment of the flow: the machine's time
        try:
            # IMMEDIATE: with a second process on the file, waiting happens here and never in the middle of a job.
            database.conn.execute("BEGIN IMMEDIATE")
            while group:
                _, _, job, future = group.pop()
                assert job is not None
                self._run_job(database, job, future, done)
                if len(done) < GROUP_JOBS and time.monotonic() < deadline:
                    try:
                        following = self._jobs.get_nowait()
                    except queue.Empty:
                        break
                    if following[2] is None:
                        self._jobs.put(following)
                        break
                    group.append(following)
            database.conn.execute("COMMIT")
        except BaseException as error:
            if database.conn.in_transaction:
                database.conn.execute("ROLLBACK")
            log.exception("a group of %d writes was rolled back", len(done))
            for _, _, _, future in group:
                if future.set_running_or_notify_cancel():
                    future.set_exception(error)
            for future, _ in done:
                future.set_exception(error)
            return
        for future, result in done:
            future.set_result(result)

    def _run_job(
        self,
        database: Database,
        job: Callable[[Database], Any],
        future: Future[Any],
        done: list[tuple[Future[Any], Any]],
    ) -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            database.conn.execute("SAVEPOINT job")
            result = job(database)
            database.conn.execute("RELEASE job")
        except BaseException as error:  # noqa: BLE001 - handed to whoever awaits the job; a native panic is no Exception
            future.set_exception(error)
            # Where the error took the whole transaction with it (a full disk), this fails, and with it the group:
            # nothing of it was written, and nobody is told otherwise.
            database.conn.execute("ROLLBACK TO job")
            database.conn.execute("RELEASE job")
        else:
            done.append((future, result))


def _refuse_newer(database: Database) -> None:
    known = {migration.name for migration in migrations.pending(Database(memory=True))}
    unknown = sorted({migration.name for migration in migrations.applied(database)} - known)
    if unknown:
        raise StoreTooNew(f"the store has {unknown[-1]}, which this version does not know; use the newer Fengbo")
