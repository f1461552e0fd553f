"""The writer: grouped commits, savepoints, priorities; migrations and backups."""

import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest
from sqlite_utils import Database

from bot.store.database import Priority, Store, StoreClosed
from bot.store.tables import migrations


@pytest.fixture
def store(tmp_path: Path):
    opened = Store(tmp_path / "fengbo.db")
    yield opened
    opened.close()


def put(name: str, value: str = "1"):
    return lambda db: db.conn.execute("INSERT INTO setting (name, value) VALUES (?, ?)", (name, value))


def names(store: Store) -> set[str]:
    return {row[0] for row in store.read_now(lambda db: db.conn.execute("SELECT name FROM setting").fetchall())}


class Gate:
    """Holds the writer inside a job, so that the jobs submitted meanwhile share the next group."""

    def __init__(self, store: Store) -> None:
        self.entered, self.leave = threading.Event(), threading.Event()
        self.future = store._submit(self._job, Priority.PEOPLE)
        self.entered.wait(5)

    def _job(self, db: Database) -> None:
        self.entered.set()
        self.leave.wait(5)


def test_a_failing_job_undoes_only_itself_in_a_shared_commit(store: Store) -> None:
    def breaks(db: Database) -> None:
        put("half")(db)
        raise RuntimeError("in the middle")

    gate = Gate(store)
    before, broken, after = (store._submit(job, Priority.PEOPLE) for job in (put("before"), breaks, put("after")))
    gate.leave.set()
    before.result(5)
    after.result(5)
    with pytest.raises(RuntimeError, match="in the middle"):
        broken.result(5)
    assert names(store) == {"before", "after"}


def test_a_job_is_answered_only_after_its_commit(store: Store) -> None:
    seen: list[int] = []
    gate = Gate(store)
    first = store._submit(put("first"), Priority.PEOPLE)
    first.add_done_callback(lambda _: seen.append(len(names(store))))
    second = store._submit(put("second"), Priority.PEOPLE)
    gate.leave.set()
    second.result(5)
    assert seen == [2], "both rows of the group stand in the file when the first job is answered"


def test_people_come_before_delivery_and_delivery_before_bulk(store: Store) -> None:
    order: list[str] = []
    gate = Gate(store)
    futures = [
        store._submit(lambda db, name=name: order.append(name), priority)
        for name, priority in (
            ("import 1", Priority.BULK),
            ("import 2", Priority.BULK),
            ("send", Priority.DELIVERY),
            ("click 1", Priority.PEOPLE),
            ("click 2", Priority.PEOPLE),
        )
    ]
    gate.leave.set()
    for future in futures:
        future.result(5)
    assert order == ["click 1", "click 2", "send", "import 1", "import 2"]


@pytest.mark.parametrize(
    ("what", "job"),
    [
        ("gives up the transaction and fails", lambda db: (db.conn.execute("ROLLBACK"), 1 / 0)),
        ("gives up the transaction silently", lambda db: db.conn.execute("ROLLBACK")),
        ("dies of a native library's panic", lambda db: (_ for _ in ()).throw(GeneratorExit("panic"))),
    ],
)
def test_whatever_a_job_does_it_is_answered_and_the_writer_goes_on(store: Store, what: str, job) -> None:
    gate = Gate(store)
    innocent = store._submit(put("innocent"), Priority.PEOPLE)
    guilty = store._submit(job, Priority.PEOPLE)
    gate.leave.set()
    with pytest.raises((ZeroDivisionError, sqlite3.OperationalError, GeneratorExit)):
        guilty.result(5)
    if innocent.exception(5) is not None:
        assert "innocent" not in names(store), "who was told of a failure has nothing written"
    else:
        assert "innocent" in names(store)
    store.write_now(put("later"))
    assert "later" in names(store)


async def test_a_cancelled_waiting_job_does_not_run_and_does_not_stop_the_writer(store: Store) -> None:
    gate = Gate(store)
    waiting = asyncio.ensure_future(store.write(put("cancelled")))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.sleep(0)
    gate.leave.set()
    await store.write(put("next"))
    assert names(store) == {"next"}


def test_closing_answers_what_still_waits_even_if_somebody_cancelled_before(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.db")
    gate = Gate(store)
    closer = threading.Thread(target=store.close)
    cancelled, waiting = store._submit(put("a"), Priority.BULK), store._submit(put("b"), Priority.BULK)
    cancelled.cancel()
    # The closing mark overtakes what waits, but not the job that runs.
    closer.start()
    while not store._closed:
        pass
    gate.leave.set()
    closer.join(5)
    assert not closer.is_alive()
    with pytest.raises(StoreClosed):
        waiting.result(5)
    with pytest.raises(StoreClosed):
        store.write_now(put("c"))


async def test_a_reader_cannot_write(store: Store) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        await store.read(put("x"))


async def test_reads_see_what_was_committed_before(store: Store) -> None:
    for number in range(20):
        await store.write(put(f"n{number}"))
        count = await store.read(lambda db: db.conn.execute("SELECT COUNT(*) FROM setting").fetchone()[0])
        assert count == number + 1


def test_migrations_run_once_and_a_second_time_change_nothing(tmp_path: Path) -> None:
    def shape(store: Store) -> list[tuple[str, str]]:
        return store.read_now(
            lambda db: db.conn.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
        )

    first = Store(tmp_path / "s.db")
    first.write_now(put("kept"))
    before = shape(first)
    first.write_now(lambda db: None)
    first.close()
    second = Store(tmp_path / "s.db")
    migrations.apply(Database(sqlite3.connect(tmp_path / "s.db")))
    assert shape(second) == before
    assert names(second) == {"kept"}
    second.close()


def test_a_backup_of_a_running_store_opens_clean_with_everything_committed_so_far(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.db")
    stop = threading.Event()

    def busy() -> None:
        number = 0
        while not stop.is_set():
            store.write_now(put(f"busy{number}", "x" * 500))
            number += 1

    store.write_now(put("before"))
    worker = threading.Thread(target=busy)
    worker.start()
    try:
        store.backup_to(tmp_path / "copy.db")
    finally:
        stop.set()
        worker.join()
    copy = sqlite3.connect(tmp_path / "copy.db")
    assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert copy.execute("SELECT COUNT(*) FROM setting WHERE name = 'before'").fetchone() == (1,)
    copy.close()
    assert not list(tmp_path.glob("*.partial")) and not (tmp_path / "copy.db-wal").exists()
    restored = Store(tmp_path / "copy.db")
    assert "before" in names(restored)
    restored.close()
    with pytest.raises(FileExistsError):
        store.backup_to(tmp_path / "copy.db")
    store.close()


def test_an_incident_never_changes_between_drill_and_reality(store: Store) -> None:
    from bot.model.grade import Grade
    from bot.store import incidents

    def job(db: Database) -> None:
        incidents.create(
            db,
            subject="s",
            subject_name="S",
            family="funds",
            crisis_type="outage",
            title="",
            grade=Grade.BLUE,
            signals=(),
            now=1,
            drill="d1",
        )
        db.conn.execute("UPDATE incident SET kind = 'real', drill = ''")

    with pytest.raises(sqlite3.IntegrityError, match="kind is set at its creation"):
        store.write_now(job)
