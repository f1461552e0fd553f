"""What people do has one effect, however often it is delivered and whenever it fails."""

import asyncio
from pathlib import Path

import pytest
from factories import NOW, event, message
from sqlite_utils import Database

from bot.clock import VirtualClock
from bot.delivery import inbox, outbox
from bot.delivery.processor import Processor
from bot.model.message import Event
from bot.store.database import Store


class Desk:
    def __init__(self, folder: Path) -> None:
        self.store, self.clock = Store(folder / "s.db"), VirtualClock(NOW)
        self.broken: dict[str, int] = {}
        self.speechless = False
        self.order: list[str] = []
        self.processor = self.new()

    def new(self) -> Processor:
        return Processor(self.store, self.clock, self.handle, self.give_up)

    def handle(self, db: Database, row_id: int, said: Event, received_at: int, now: int) -> None:
        self.order.append(said.line)
        outbox.enqueue(db, message(text=f"done {said.line}"), f"inbox:{row_id}:0", now)
        if self.broken.get(said.line, 0):
            self.broken[said.line] -= 1
            raise RuntimeError("in the middle")

    def give_up(self, db: Database, row_id: int, said: Event, now: int) -> None:
        outbox.enqueue(db, message(text=f"sorry {said.line}"), f"inbox:{row_id}:failed", now)
        if self.speechless:
            raise KeyError("no words")

    def accept(self, key: str, line: str) -> bool:
        return self.store.write_now(lambda db: inbox.accept(db, key, event(line), self.clock.now()))

    def answers(self) -> list[str]:
        rows = self.store.read_now(
            lambda db: db.conn.execute("SELECT message ->> '$.text' FROM outbox ORDER BY id").fetchall()
        )
        return [row[0] for row in rows]

    def states(self) -> list[tuple[str, int]]:
        return self.store.read_now(
            lambda db: db.conn.execute("SELECT state, attempts FROM inbox ORDER BY id").fetchall()
        )


@pytest.fixture
def desk(tmp_path: Path):
    made = Desk(tmp_path)
    yield made
    made.store.close()


async def test_an_event_delivered_three_times_has_one_effect(desk: Desk) -> None:
    assert [desk.accept("evt-1", "ack I-1") for _ in range(3)] == [True, False, False]
    await desk.processor.work_off()
    assert desk.accept("evt-1", "ack I-1") is False, "not even after it was handled"
    await desk.processor.work_off()
    assert desk.answers() == ["done ack I-1"]


async def test_two_different_clicks_in_the_same_moment_have_two_effects_in_their_order(desk: Desk) -> None:
    desk.accept("evt-1", "one")
    desk.accept("evt-2", "two")
    assert await desk.processor.work_off() == 2
    assert desk.answers() == ["done one", "done two"]


def test_the_same_key_in_another_chat_is_another_event(desk: Desk) -> None:
    assert desk.accept("1", "one")
    assert desk.store.write_now(lambda db: inbox.accept(db, "1", event("one", chat="console"), NOW)) is True


async def test_effect_and_done_mark_are_one_transaction(desk: Desk) -> None:
    desk.broken["fails"] = 1
    desk.accept("1", "fails")
    desk.accept("2", "works")
    await desk.processor.work_off()
    assert desk.answers() == ["done works"], "nothing of the half-done one, and the other one is not held up"
    assert desk.states() == [("new", 1), ("done", 0)]
    await desk.processor.work_off()
    assert desk.answers() == ["done works", "done fails"]


async def test_after_three_tries_the_person_is_answered_and_the_row_kept_with_its_reason(desk: Desk) -> None:
    desk.broken["fails"] = 99
    desk.accept("1", "fails")
    for _ in range(5):
        await desk.processor.work_off()
    assert desk.answers() == ["sorry fails"]
    assert desk.states() == [("failed", 3)]
    assert desk.order == ["fails"] * 3
    error = desk.store.read_now(lambda db: db.conn.execute("SELECT error FROM inbox").fetchone()[0])
    assert error == "RuntimeError: in the middle"


async def test_an_answer_that_fails_as_well_stops_nobody(desk: Desk) -> None:
    desk.broken["fails"], desk.speechless = 99, True
    desk.accept("1", "fails")
    for _ in range(3):
        await desk.processor.work_off()
    desk.accept("2", "works")
    await desk.processor.work_off()
    assert desk.answers() == ["done works"], "half an apology is no apology"
    assert desk.states() == [("failed", 3), ("done", 0)]


async def test_a_restart_in_the_middle_goes_on_by_itself(desk: Desk) -> None:
    desk.accept("1", "one")
    assert await desk.new().work_off() == 1
    assert await desk.new().work_off() == 0
    assert desk.answers() == ["done one"]


async def test_a_stored_event_of_another_version_does_not_stop_the_inbox(desk: Desk) -> None:
    desk.accept("1", "one")
    desk.store.write_now(
        lambda db: db.conn.execute("UPDATE inbox SET payload = json_set(payload, '$.from_the_future', 1)")
    )
    await desk.processor.work_off()
    assert desk.answers() == ["done one"]


async def test_the_processor_runs_wakes_at_once_and_finds_what_another_process_accepted(desk: Desk) -> None:
    done = asyncio.Event()
    processor = Processor(desk.store, desk.clock, desk.handle, desk.give_up, done.set)
    task = asyncio.create_task(processor.run())
    await asyncio.sleep(0.02)
    desk.accept("1", "woken")
    processor.wake()
    await asyncio.wait_for(done.wait(), 5)
    done.clear()
    await asyncio.sleep(0.02)
    desk.accept("2", "found")
    for _ in range(100):
        await asyncio.sleep(0.005)
        await desk.clock.advance(50)
        if done.is_set():
            break
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert desk.answers() == ["done woken", "done found"]


def test_every_field_of_an_event_survives_the_inbox(desk: Desk) -> None:
    said = Event(
        "slack", "U1", "slack:C1", "note", "Li", {"a": "b"}, "slack/1", True, {"url": "x"}, "s", "u", 5, "form"
    )
    desk.store.write_now(lambda db: inbox.accept(db, "k", said, NOW))
    ((_, read, received, attempts),) = desk.store.read_now(inbox.waiting)
    assert (read, received, attempts) == (said, NOW, 0)
