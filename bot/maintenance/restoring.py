"""Putting a backup in the place of the store: checked, prepared beside it, swapped in one step, the old one kept."""

import os
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from bot.clock import Clock, SystemClock
from bot.maintenance.operator import operator
from bot.model.incident import Actor
from bot.model.text import Text
from bot.store import audit
from bot.store.files import State, examine, read_only
from bot.store.tables import migrations

LOCK_SECONDS = 2


class RestoreRefused(Exception):
    """The backup was not put in place and nothing was changed; ``text`` says why and what to do."""

    def __init__(self, key: str, **params: Any) -> None:
        super().__init__(f"{key}: {params}")
        self.text = Text(key, params)


def restore_store(source: Path, target: Path, *, clock: Clock | None = None, actor: Actor | None = None) -> Path | None:
    """Replace ``target`` by the backup ``source``; returns where the store before is kept, None if there was none.

    Raises ``RestoreRefused`` for a backup that is not whole or of a newer version, and while somebody uses the store.
    """
    now = (clock or SystemClock()).now()
    if target.exists() and source.resolve() == target.resolve():
        raise RestoreRefused("cli.restore_same", file=str(source))
    state, cause = examine(source, thorough=True)
    if state is not State.OURS:
        key = "cli.restore_newer" if state is State.NEWER else "cli.restore_bad"
        raise RestoreRefused(key, file=str(source), cause=cause)
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f"{target.name}.restoring")
    _remove(fresh)
    try:
        _prepare(source, fresh, actor or operator(), now)
        kept = _put_aside(target, now) if target.exists() else None
        fresh.replace(target)
        _flush_folder(target.parent)
    finally:
        _remove(fresh)
    return kept


def _prepare(source: Path, fresh: Path, actor: Actor, now: int) -> None:
    """A copy of the backup, brought to this version, whole and on the disk, before anything old is touched."""
    with closing(read_only(source)) as backup, closing(sqlite3.connect(fresh, isolation_level=None)) as copy:
        backup.backup(copy, pages=4096)
        copy.execute("PRAGMA journal_mode=DELETE")
        copy.execute("PRAGMA synchronous=FULL")
        database = Database(copy)
        migrations.apply(database)
        with database.atomic():
            # What waited when the backup was made may have been sent since: the sender must look before it sends.
            copy.execute("UPDATE outbox SET state = 'sending' WHERE state = 'waiting'")
            copy.execute("DELETE FROM lease")
            audit.append(database, actor, "restored", source.name, now)
        finding = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if finding != "ok":
        raise RestoreRefused("cli.restore_bad", file=str(source), cause=finding)


def _put_aside(target: Path, now: int) -> Path:
    """Keep the store that is replaced under a name with the moment; its journal goes with it."""
    whole = _take_from_everybody(target, now)
    stamp = datetime.fromtimestamp(now / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
    kept = target.with_name(f"{target.name}.before-{stamp}")
    number = 1
    while kept.exists():
        number += 1
        kept = target.with_name(f"{target.name}.before-{stamp}-{number}")
    for suffix in ("-wal", "-shm"):
        # Only a damaged store still has them. They must not stand beside the new one, which would read them.
        journal = target.with_name(target.name + suffix)
        if journal.exists():
            if whole:
                journal.unlink()
            else:
                journal.rename(kept.with_name(kept.name + suffix))
    try:
        os.link(target, kept)  # the name of the store is never without a store
    except OSError:
        target.rename(kept)
    return kept


def _take_from_everybody(target: Path, now: int) -> bool:
    """Make sure that nobody has the store open, and fold its journal into it; False if it is too damaged for that."""
    if examine(target)[0] in (State.DAMAGED, State.FOREIGN):
        return False  # opening it for writing could cost what a specialist might still save from its journal
    try:
        with closing(sqlite3.connect(target, timeout=LOCK_SECONDS, isolation_level=None)) as connection:
            try:
                lease = connection.execute("SELECT holder FROM lease WHERE until > ?", (now,)).fetchone()
                if lease:
                    raise RestoreRefused("cli.restore_running", holder=lease[0])
                # Leaving the write-ahead log takes the exclusive lock: it fails while any process has the file open.
                connection.execute("PRAGMA journal_mode=DELETE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                    raise RestoreRefused("cli.restore_running", holder=str(target)) from None
                raise
    except sqlite3.DatabaseError:
        return False
    return True


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _flush_folder(folder: Path) -> None:
    """The new name is on the disk before we say so; not every file system can flush a folder."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
