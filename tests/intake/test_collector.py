"""The collector: posts and cursor together, failures, health, sensitive periods; in virtual time."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.clock import DAY, HOUR, MINUTE, SECOND, VirtualClock
from bot.config import SourceConfig
from bot.intake.accept import Accepted
from bot.intake.collector import CHUNK, Collector
from bot.sources.base import Batch, SourceError, problem
from bot.store import source_states
from bot.store.database import Priority, Store

NOW = 1_767_225_600_000


def config(name: str = "news", **more: object) -> SourceConfig:
    return SourceConfig.model_validate({"id": name, "kind": "feed", "every": "60s", "every_sensitive": "15s"} | more)


class Script:
    """A source that gives what it is told, and remembers when it was asked with which cursor."""

    platform = "news"

    def __init__(self, clock: VirtualClock, *answers: Batch | Exception, name: str = "news") -> None:
        self.id = name
        self.clock = clock
        self.answers = list(answers)
        self.asked: list[tuple[int, dict[str, Any]]] = []

    async def poll(self, cursor: Any, now: int) -> Batch:
        self.asked.append((now - NOW, dict(cursor)))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def moments(self) -> list[int]:
        return [moment // SECOND for moment, _ in self.asked]


def batch(*ids: int, **more: Any) -> Batch:
    return Batch(items=tuple({"id": str(number)} for number in ids), cursor={"at": max(ids, default=0)}, **more)


class WatchedStore(Store):
    """A store that knows how many jobs are under way, so that virtual time waits for real threads."""

    pending = 0

    async def write(self, job: Any, priority: Priority = Priority.PEOPLE) -> Any:
        self.pending += 1
        try:
            return await super().write(job, priority)
        finally:
            self.pending -= 1

    async def read(self, job: Any) -> Any:
        self.pending += 1
        try:
            return await super().read(job)
        finally:
            self.pending -= 1


class World:
    def __init__(self, store: WatchedStore) -> None:
        self.store = store
        self.clock = VirtualClock(NOW)
        self.stored: list[str] = []
        self.changes: list[tuple[str, str, str, int]] = []
        self.sensitive_from = NOW + 1000 * DAY
        self.accept_error: Exception | None = None
        self.task: asyncio.Task[None] | None = None

    def collector(self, *sources: tuple[SourceConfig, Any], **more: Any) -> Collector:
        self.made = Collector(
            self.store,
            self.clock,
            sources,
            lambda now: now >= self.sensitive_from,
            self.accept,
            lambda db, source, old, new, now: self.changes.append((source, old, new, (now - NOW) // SECOND)),
            jitter=lambda: 0.5,
            **more,
        )
        return self.made

    def accept(self, db: Any, items: list[dict[str, Any]], config: SourceConfig, now: int) -> Accepted:
        if self.accept_error is not None:
            raise self.accept_error
        fresh = [item["id"] for item in items if item["id"] not in self.stored]
        self.stored.extend(fresh)
        return Accepted(len(fresh), len(items) - len(fresh))

    async def start(self, *sources: tuple[SourceConfig, Any], **more: Any) -> None:
        collector = self.collector(*sources, **more)
        self.task = asyncio.create_task(collector.run())
        await self.settle()

    async def settle(self) -> None:
        """Return when no job of the store is under way and nothing on the loop starts another."""
        quiet = 0
        while quiet < 25:
            await asyncio.sleep(0.0005 if self.store.pending else 0)
            quiet = 0 if self.store.pending else quiet + 1

    async def advance(self, milliseconds: int, step: int = 5 * SECOND) -> None:
        end = self.clock.now() + milliseconds
        while self.clock.now() < end:
            await self.clock.advance(min(step, end - self.clock.now()))
            await self.settle()

    def state(self, name: str = "news") -> source_states.SourceState:
        found = self.store.read_now(lambda db: source_states.load(db, name))
        assert found is not None
        return found


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    store = WatchedStore(tmp_path / "s.db")
    world = World(store)
    yield world
    if world.task is not None:
        world.task.cancel()
        await asyncio.gather(world.task, return_exceptions=True)
    store.close()


async def test_a_source_is_asked_at_once_and_then_at_its_interval(world: World) -> None:
    source = Script(world.clock, batch(1, 2), batch(2, 3), batch())
    await world.start((config(), source))
    await world.advance(2 * MINUTE + 10 * SECOND)
    assert source.moments == [0, 60, 120]
    assert source.asked[1][1] == {"at": 2}
    assert world.stored == ["1", "2", "3"]
    state = world.state()
    assert (state.posts, state.health, state.failures) == (3, "measured", 0)
    assert state.cursor == {"at": 0} and state.gaps == (60_000,)


async def test_posts_and_cursor_stand_or_fall_together(world: World) -> None:
    source = Script(world.clock, batch(1))
    collector = world.collector((config(), source))
    world.accept_error = RuntimeError("disk full")
    with pytest.raises(RuntimeError):
        await collector.poll_once(config(), source)
    assert world.store.read_now(lambda db: source_states.load(db, "news")) is None
    world.accept_error = None
    await collector.poll_once(config(), source)
    assert world.stored == ["1"] and world.state().cursor == {"at": 1}


async def test_a_store_that_refuses_does_not_end_the_polling(world: World) -> None:
    source = Script(world.clock, batch(1))
    world.accept_error = RuntimeError("disk full")
    await world.start((config(), source))
    world.accept_error = None
    await world.advance(15 * SECOND)
    assert world.stored == ["1"]


async def test_the_cursor_survives_a_restart_and_the_plan_is_kept(world: World) -> None:
    source = Script(world.clock, batch(7))
    await world.start((config(), source))
    await world.advance(30 * SECOND)
    world.task.cancel()
    await asyncio.gather(world.task, return_exceptions=True)
    again = Script(world.clock, batch())
    await world.start((config(), again))
    await world.advance(40 * SECOND)
    assert again.asked[0][1] == {"at": 7}
    assert again.moments[0] == 60


async def test_more_is_fetched_at_once(world: World) -> None:
    source = Script(world.clock, batch(1, more=True), batch(2, more=True), batch(3))
    await world.start((config(), source))
    await world.advance(10 * SECOND, SECOND)
    assert source.moments == [0, 1, 2]


async def test_failures_back_off_open_the_breaker_and_close_it_again(world: World) -> None:
    failure = problem("unreachable", url="u", cause="c")
    source = Script(world.clock, batch(1), *[failure] * 6, batch(2))
    await world.start((config(), source))
    await world.advance(2 * HOUR, MINUTE)
    gaps = [later - earlier for earlier, later in zip(source.moments, source.moments[1:], strict=False)]
    assert gaps[0] == pytest.approx(60, abs=65)
    assert sorted(gaps[:6]) == gaps[:6] and gaps[5] >= 30 * 60
    assert [change[1:3] for change in world.changes] == [
        ("new", "measured"),
        ("measured", "failing"),
        ("failing", "measured"),
    ]
    assert world.state().failures == 0 and world.state().last_error == ""


async def test_a_refusal_is_told_at_once_and_in_words(world: World) -> None:
    source = Script(world.clock, batch(1), problem("denied", permanent=True, url="https://a.example", status=401))
    await world.start((config(), source))
    await world.advance(70 * SECOND)
    state = world.state()
    assert state.health == "failing"
    error = source_states.explain(state.last_error)
    assert error.key == "sources.denied" and error.params["status"] == 401


async def test_a_wait_that_the_other_side_asks_for_is_kept_even_in_a_sensitive_period(world: World) -> None:
    source = Script(world.clock, batch(1, retry_after=600_000), batch())
    world.sensitive_from = NOW
    await world.start((config(), source))
    await world.advance(590 * SECOND, 10 * SECOND)
    assert source.moments == [0]
    await world.advance(20 * SECOND)
    assert len(source.moments) == 2


async def test_a_sensitive_period_shortens_the_wait_that_is_running(world: World) -> None:
    source = Script(world.clock, batch(1))
    await world.start((config(every="10m"), source))
    world.sensitive_from = NOW + MINUTE
    await world.advance(100 * SECOND)
    assert source.moments[1] <= 65
    assert len(source.moments) >= 3


async def test_a_poke_polls_at_once(world: World) -> None:
    source = Script(world.clock, batch(1))
    await world.start((config(every="1h"), source))
    world.made.poke("news")
    await world.settle()
    assert len(source.asked) == 2


async def test_an_unexpected_error_of_one_source_does_not_stop_the_others(world: World) -> None:
    broken = Script(world.clock, RuntimeError("defect"), name="broken")
    good = Script(world.clock, batch(1), name="good")
    await world.start((config("broken"), broken), (config("good"), good))
    await world.advance(4 * MINUTE)
    assert len(good.asked) >= 4
    assert world.state("broken").health == "missing"
    assert source_states.explain(world.state("broken").last_error).key == "sources.broken"


async def test_at_most_so_many_sources_are_asked_at_the_same_time(world: World) -> None:
    running = most = 0

    class Slow(Script):
        async def poll(self, cursor: Any, now: int) -> Batch:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await world.clock.sleep(SECOND)
            running -= 1
            return batch(1)

    sources = [(config(f"s{number}"), Slow(world.clock, batch(), name=f"s{number}")) for number in range(6)]
    await world.start(*sources, concurrency=2)
    await world.advance(10 * SECOND, SECOND)
    assert most == 2
    assert all(world.state(f"s{number}").last_success_at for number in range(6))


async def test_a_large_batch_is_stored_in_parts(world: World) -> None:
    calls: list[int] = []
    accept = world.accept
    world.accept = lambda db, items, config, now: calls.append(len(items)) or accept(db, items, config, now)  # type: ignore[method-assign]
    source = Script(world.clock, batch(*range(2 * CHUNK + 3)))
    await world.collector((config(), source)).poll_once(config(), source)
    assert calls == [CHUNK, CHUNK, 3]
    assert world.state().posts == 2 * CHUNK + 3


async def test_rejected_items_are_kept_up_to_a_limit(world: World) -> None:
    rejected = tuple((f'{{"n": {number}}}', "text: is missing") for number in range(250))
    source = Script(world.clock, batch(1, rejected=rejected))
    collector = world.collector((config(), source))
    await collector.poll_once(config(), source)
    await collector.poll_once(config(), source)
    rows = world.store.read_now(lambda db: db.conn.execute("SELECT item FROM rejected_post ORDER BY id").fetchall())
    assert len(rows) == 200 and rows[-1][0] == '{"n": 249}'


async def test_a_source_that_falls_silent_is_noticed_and_noticed_again_when_it_speaks(world: World) -> None:
    source = Script(world.clock, batch(1), *[batch()] * 5, batch(2), batch())
    await world.start((config(silent_after="3m"), source))
    await world.advance(8 * MINUTE)
    assert [change[1:3] for change in world.changes] == [
        ("new", "measured"),
        ("measured", "silent"),
        ("silent", "measured"),
    ]
    assert 180 <= world.changes[1][3] <= 240


async def test_a_push_source_is_missing_until_something_is_pushed(world: World) -> None:
    vendor = config("vendor", kind="hook", silent_after="5m")
    await world.start((vendor, None))
    assert world.state("vendor").health == "new"
    await world.advance(7 * MINUTE, 30 * SECOND)
    assert world.state("vendor").health == "missing"
    now = world.clock.now()
    await world.store.write(lambda db: world.made.note_push(db, "vendor", 3, now))
    assert (world.state("vendor").health, world.state("vendor").posts) == ("measured", 3)
    await world.advance(7 * MINUTE, 30 * SECOND)
    assert world.state("vendor").health == "silent"
    assert [change[2] for change in world.changes] == ["missing", "measured", "silent"]


async def test_pushes_of_unknown_senders_and_of_polled_sources_are_not_counted_here(world: World) -> None:
    source = Script(world.clock, batch(1))
    collector = world.collector((config(), source))
    await collector.poll_once(config(), source)
    await world.store.write(lambda db: collector.note_push(db, "news", 5, NOW))
    await world.store.write(lambda db: collector.note_push(db, "stranger", 5, NOW))
    assert world.state().posts == 1
    assert world.store.read_now(lambda db: source_states.load(db, "stranger")) is None


async def test_a_change_of_health_and_its_announcement_are_one_transaction(world: World) -> None:
    source = Script(world.clock, batch(1))

    def fail(*anything: Any) -> None:
        raise RuntimeError("the alert could not be stored")

    collector = world.collector((config(), source))
    collector._on_health = fail
    with pytest.raises(RuntimeError):
        await collector.poll_once(config(), source)
    assert world.store.read_now(lambda db: source_states.load(db, "news")) is None


async def test_switched_off_and_removed_sources_are_paused(world: World) -> None:
    await world.store.write(lambda db: source_states.ensure(db, "gone", NOW))
    source = Script(world.clock, batch(1))
    await world.start((config(enabled=False), source))
    await world.advance(2 * MINUTE)
    assert source.asked == []
    assert (world.state().health, world.state("gone").health) == ("paused", "paused")


@pytest.mark.parametrize(
    "stored", ["", "plain words", "{broken", '{"key": "sources.gone", "params": {"url": "u", "status": 404}}']
)
def test_stored_errors_are_explained_whatever_they_are(stored: str) -> None:
    found = source_states.explain(stored)
    assert found == stored or getattr(found, "key", "") == "sources.gone"


async def test_describe_gives_the_reason(world: World) -> None:
    source = Script(world.clock, SourceError("x", problem("no_url", where="sources.news").text, permanent=True))
    collector = world.collector((config(), source))
    await collector.poll_once(config(), source)
    word, reason = await world.store.read(lambda db: collector.describe(db, "news", NOW))
    assert word == "missing" and reason.params["cause"].key == "sources.no_url"
