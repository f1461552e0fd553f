"""Timers are rows: they fire once, survive restarts, and a late one is seen."""

import asyncio
import threading
from pathlib import Path

import pytest
from factories import MINUTE, NOW
from sqlite_utils import Database

from bot.clock import SECOND, VirtualClock
from bot.delivery import timers
from bot.delivery.alarm import Alarm
from bot.delivery.lease import Lease
from bot.delivery.timers import Timer
from bot.store.database import Store


@pytest.fixture
def store(tmp_path: Path):
    opened = Store(tmp_path / "s.db")
    yield opened
    opened.close()


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(NOW)


def set_timer(store: Store, object_: str = "I-1", due: int = NOW + MINUTE, kind: str = "ring", **payload: int) -> None:
    store.write_now(lambda db: timers.schedule(db, kind, object_, due, NOW, payload))


class Bell:
    """Rings are rows as well, so that a rolled-back ring leaves no trace."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures

    def __call__(self, db: Database, timer: Timer, now: int) -> None:
        db.conn.execute(
            "INSERT INTO setting (name, value) VALUES (?, ?)", (f"{timer.object}@{now}", str(timer.payload))
        )
        if self.failures:
            self.failures -= 1
            raise RuntimeError("the bell is broken")

    @staticmethod
    def rings(store: Store) -> list[str]:
        rows = store.read_now(lambda db: db.conn.execute("SELECT name FROM setting ORDER BY name").fetchall())
        return [row[0] for row in rows]


async def test_a_timer_fires_at_its_moment_and_once(store: Store, clock: VirtualClock) -> None:
    alarm = Alarm(store, clock, {"ring": Bell()})
    set_timer(store)
    assert await alarm.fire_due() == 0
    clock.set(NOW + MINUTE)
    assert await alarm.fire_due() == 1
    assert await alarm.fire_due() == 0
    assert Bell.rings(store) == [f"I-1@{NOW + MINUTE}"]


async def test_a_timer_survives_a_restart_and_fires_late_rather_than_never(tmp_path: Path, clock: VirtualClock) -> None:
    first = Store(tmp_path / "r.db")
    set_timer(first)
    first.close()
    second = Store(tmp_path / "r.db")
    clock.set(NOW + 60 * MINUTE)
    assert await Alarm(second, clock, {"ring": Bell()}).fire_due() == 1
    second.close()


async def test_two_alarms_that_race_fire_a_timer_once(store: Store, clock: VirtualClock) -> None:
    for number in range(10):
        set_timer(store, f"I-{number}")
    clock.set(NOW + MINUTE)
    alarms = [Alarm(store, clock, {"ring": Bell()}) for _ in range(2)]
    fired = await asyncio.gather(*(alarm.fire_due() for alarm in alarms))
    assert sum(fired) == 10
    assert len(Bell.rings(store)) == 10


async def test_setting_a_timer_again_moves_it_and_a_cancelled_one_never_fires(
    store: Store, clock: VirtualClock
) -> None:
    alarm = Alarm(store, clock, {"ring": Bell()})
    set_timer(store, due=NOW + MINUTE, n=1)
    set_timer(store, due=NOW + 3 * MINUTE, n=2)
    set_timer(store, "I-2")
    assert store.write_now(lambda db: timers.cancel(db, "ring", "I-2")) is True
    assert store.write_now(lambda db: timers.cancel(db, "ring", "I-2")) is False
    clock.set(NOW + 2 * MINUTE)
    assert await alarm.fire_due() == 0
    clock.set(NOW + 3 * MINUTE)
    assert await alarm.fire_due() == 1
    assert store.read_now(lambda db: db.conn.execute("SELECT value FROM setting").fetchall()) == [("{'n': 2}",)]


async def test_a_timer_may_set_itself_again_while_it_fires(store: Store, clock: VirtualClock) -> None:
    def again(db: Database, timer: Timer, now: int) -> None:
        timers.schedule(db, "ring", timer.object, now + MINUTE, now)

    set_timer(store)
    alarm = Alarm(store, clock, {"ring": again})
    for minute in (1, 2, 3):
        clock.set(NOW + minute * MINUTE)
        assert await alarm.fire_due() == 1


async def test_a_failing_handler_is_undone_retried_and_does_not_stop_the_others(
    store: Store, clock: VirtualClock
) -> None:
    alarm = Alarm(store, clock, {"ring": Bell(), "broken": Bell(failures=2)})
    set_timer(store, "I-1", kind="broken")
    set_timer(store, "I-2")
    clock.set(NOW + MINUTE)
    assert await alarm.fire_due() == 1
    assert Bell.rings(store) == [f"I-2@{NOW + MINUTE}"], "what the failing handler wrote is gone"
    assert await alarm.fire_due() == 0, "it waits before it tries again"
    clock.set(clock.now() + 5 * SECOND)
    assert await alarm.fire_due() == 0
    clock.set(clock.now() + 10 * SECOND)
    assert await alarm.fire_due() == 1
    error = store.read_now(
        lambda db: db.conn.execute("SELECT error, state FROM timer WHERE kind = 'broken'").fetchone()
    )
    assert tuple(error) == ("RuntimeError: the bell is broken", "fired")


async def test_many_timers_of_one_moment_fire_in_order_and_heed_what_the_earlier_ones_did(
    store: Store, clock: VirtualClock
) -> None:
    fired: list[str] = []

    def ring(db: Database, timer: Timer, now: int) -> None:
        fired.append(timer.object)
        timers.cancel(db, "ring", "I-60")

    for number in range(120):
        set_timer(store, f"I-{number}", due=NOW + number)
    clock.set(NOW + MINUTE)
    alarm = Alarm(store, clock, {"ring": ring})
    while await alarm.fire_due():
        pass
    assert fired == [f"I-{number}" for number in range(120) if number != 60]


async def test_somebody_who_presses_does_not_wait_for_the_deadlines_of_a_moment(
    store: Store, clock: VirtualClock
) -> None:
    order: list[str] = []
    begun, pressed = threading.Event(), threading.Event()

    def ring(db: Database, timer: Timer, now: int) -> None:
        begun.set()
        pressed.wait(5)
        order.append(timer.object)

    for number in range(20):
        set_timer(store, f"I-{number}")
    clock.set(NOW + MINUTE)
    firing = asyncio.create_task(Alarm(store, clock, {"ring": ring}).fire_due())
    await asyncio.to_thread(begun.wait, 5)
    press = asyncio.create_task(store.write(lambda db: order.append("press")))
    await asyncio.sleep(0)
    pressed.set()
    await asyncio.gather(firing, press)
    assert order.index("press") <= 2


async def test_a_timer_that_nobody_handles_is_kept_and_counted_as_late(store: Store, clock: VirtualClock) -> None:
    alarm = Alarm(store, clock, {})
    set_timer(store, kind="unknown")
    clock.set(NOW + MINUTE)
    assert (await alarm.fire_due(), await alarm.late()) == (0, 0)
    for _ in range(6):
        clock.set(clock.now() + 10 * MINUTE)
        await alarm.fire_due()
        clock.set(clock.now() + SECOND)
    assert await alarm.late() == 1, "it is tried again and again, and still too late"


async def test_a_timer_more_than_a_minute_late_is_counted(store: Store, clock: VirtualClock) -> None:
    alarm = Alarm(store, clock, {"ring": Bell()})
    set_timer(store, due=NOW)
    clock.set(NOW + 59 * SECOND)
    assert await alarm.late() == 0
    clock.set(NOW + 60 * SECOND)
    assert await alarm.late() == 1
    await alarm.fire_due()
    assert await alarm.late() == 0


async def test_the_alarm_runs_wakes_for_a_new_timer_and_tells_when_something_fired(
    store: Store, clock: VirtualClock
) -> None:
    told: list[int] = []
    alarm = Alarm(store, clock, {"ring": Bell()}, lambda: told.append(clock.now()))
    task = asyncio.create_task(alarm.run())
    set_timer(store, due=NOW + 2 * SECOND)
    alarm.wake()
    for _ in range(40):
        await asyncio.sleep(0.005)
        await clock.advance(100)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(told) == 1 and NOW + 2 * SECOND <= told[0] < NOW + 3 * SECOND


def lease(store: Store, clock: VirtualClock, holder: str) -> Lease:
    return Lease(store, clock, "worker", holder, 15 * SECOND)


async def test_only_one_holds_the_lease_and_a_successor_takes_over_after_its_death(
    store: Store, clock: VirtualClock
) -> None:
    first, second = lease(store, clock, "one"), lease(store, clock, "two")
    await first.acquire()
    keeper = asyncio.create_task(first.keep())
    waiting = asyncio.create_task(second.acquire())

    async def pass_time(seconds: int) -> None:
        for _ in range(seconds):
            await asyncio.sleep(0.005)
            await clock.advance(SECOND)
            await asyncio.sleep(0.005)

    await pass_time(40)
    assert not waiting.done(), "the first one renews it"
    keeper.cancel()
    died_at = clock.now()
    await pass_time(20)
    assert waiting.done()
    assert clock.now() - died_at <= 20 * SECOND


async def test_a_released_lease_is_free_at_once(store: Store, clock: VirtualClock) -> None:
    first, second = lease(store, clock, "one"), lease(store, clock, "two")
    await first.acquire()
    assert await second._take() is False
    await first.release()
    assert await second._take() is True
    await first.release()
    assert await first._take() is False, "who lost it cannot give away the successor's"


async def test_who_lost_the_lease_stops_keeping_it(store: Store, clock: VirtualClock) -> None:
    first, second = lease(store, clock, "one"), lease(store, clock, "two")
    await first.acquire()
    clock.set(NOW + 16 * SECOND)
    await second.acquire()
    await asyncio.wait_for(first.keep(), 5)


# -- errands: timers that first need something from outside


class Page:
    """An errand that fetches; ``open`` lets it go on, ``failures`` break it, ``broken`` breaks what it brings back."""

    def __init__(self, failures: int = 0, broken: int = 0) -> None:
        self.open, self.failures, self.broken, self.fetched = asyncio.Event(), failures, broken, 0
        self.open.set()

    async def __call__(self, timer: Timer):
        await self.open.wait()
        self.fetched += 1
        if self.failures:
            self.failures -= 1
            raise RuntimeError("no page")

        def apply(db: Database, now: int) -> None:
            Bell()(db, timer, now)
            if self.broken:
                self.broken -= 1
                raise RuntimeError("no room")

        return apply


async def until_idle(alarm: Alarm) -> None:
    for _ in range(500):
        await asyncio.sleep(0.002)
        if not alarm._out:
            return


async def test_an_errand_brings_its_outcome_back_once_and_holds_no_timer_up(store: Store, clock: VirtualClock) -> None:
    page = Page()
    page.open.clear()
    alarm = Alarm(store, clock, {"ring": Bell()}, errands={"fetch": page})
    set_timer(store, "page", due=NOW, kind="fetch")
    set_timer(store, "bell", due=NOW)
    assert await alarm.fire_due() == 1
    assert Bell.rings(store) == [f"bell@{NOW}"], "the bell rings while the page is still being fetched"
    assert await alarm.fire_due() == 0, "the errand is not sent out twice"
    page.open.set()
    await until_idle(alarm)
    assert Bell.rings(store) == [f"bell@{NOW}", f"page@{NOW}"] and page.fetched == 1
    clock.set(NOW + 10 * MINUTE)
    await alarm.fire_due()
    assert page.fetched == 1


@pytest.mark.parametrize("page", [lambda: Page(failures=2), lambda: Page(broken=2)])
async def test_a_failing_errand_is_tried_three_times_and_its_half_outcome_undone(
    store: Store, clock: VirtualClock, page
) -> None:
    made = page()
    alarm = Alarm(store, clock, {}, errands={"fetch": made})
    set_timer(store, "page", due=NOW, kind="fetch")
    for tries in range(1, 4):
        await alarm.fire_due()
        await until_idle(alarm)
        assert made.fetched == tries
        clock.set(clock.now() + 5 * SECOND)
    assert len(Bell.rings(store)) == 1
    assert store.read_now(timers.next_due) is None


async def test_an_errand_that_never_works_is_given_up(store: Store, clock: VirtualClock) -> None:
    page = Page(failures=99)
    alarm = Alarm(store, clock, {}, errands={"fetch": page})
    set_timer(store, "page", due=NOW, kind="fetch")
    for _ in range(6):
        await alarm.fire_due()
        await until_idle(alarm)
        clock.set(clock.now() + 5 * SECOND)
    assert page.fetched == 3 and store.read_now(timers.next_due) is None


async def test_an_errand_whose_process_died_is_run_again(store: Store, clock: VirtualClock) -> None:
    stuck, page = Page(), Page()
    stuck.open.clear()
    first = Alarm(store, clock, {}, errands={"fetch": stuck})
    set_timer(store, "page", due=NOW, kind="fetch")
    task = asyncio.create_task(first.run())
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert not first._out, "a stop leaves nothing running"
    second = Alarm(store, clock, {}, errands={"fetch": page})
    clock.set(NOW + 2 * MINUTE)
    await second.fire_due()
    await until_idle(second)
    assert Bell.rings(store) == [f"page@{NOW + 2 * MINUTE}"]
