"""From a stored post to an incident: once, in any order, across restarts and rule changes."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from factories import MINUTE, House, analysis, house, post

from bot.analysis.pipeline import Analyser
from bot.intake.coverage import Coverage
from bot.intake.pipeline import Pipeline
from bot.model.grade import CrisisType, Grade, Sentiment
from bot.model.incident import Status
from bot.model.message import Message
from bot.model.post import Analysis, KeywordRule, Post, Subject
from bot.model.text import Text
from bot.store import counts, posts, rules
from bot.store import incidents as incident_store


class Reader:
    """Stands in for the analysis: what it says is decided by the words of the post."""

    def __init__(self, subjects: Sequence[Subject]) -> None:
        self.subjects = tuple(subjects)
        self.seen: list[str] = []

    def with_subjects(self, subjects: Sequence[Subject]) -> "Reader":
        return Reader(subjects)

    def analyse(self, batch: Sequence[Post]) -> list[Analysis]:
        self.seen += [item.text for item in batch]
        found = []
        for item in batch:
            matching = tuple((s.id, ("x",)) for s in self.subjects if any(word in item.text for word in s.rule.any))
            bad = "失败" in item.text
            kind = CrisisType.WITHDRAWAL_FAILURE if bad else None
            sentiment = Sentiment.NEGATIVE if bad else Sentiment.POSITIVE
            found.append(analysis(sentiment, kind, subjects=matching))
        return found


@pytest.fixture
def home(tmp_path: Path):
    made = house(tmp_path)
    yield made
    made.store.close()


def worker(home: House, changes: list[int] | None = None) -> Pipeline:
    told = changes if changes is not None else []
    reader = Reader(home.watch.subjects())
    return Pipeline(home.store, home.clock, home.watch, reader, home.incidents, lambda: told.append(home.now))  # type: ignore[arg-type]


def arrive(home: House, count: int, text: str = "星河支付提现失败", **fields) -> None:
    fields.setdefault("published_at", home.now - MINUTE)
    batch = [post(text, **fields) for _ in range(count)]
    home.do(lambda db: posts.store(db, batch, home.now))


def live(home: House) -> list[str]:
    return [item.id for item in home.look(incident_store.live)]


def counted(home: House) -> int:
    return sum(bucket.count for bucket in home.look(lambda db: counts.buckets(db, "xinghe-pay", "", 0, 1 << 40)))


async def test_posts_become_an_incident_and_its_cards_in_one_step(home: House) -> None:
    changes: list[int] = []
    pipeline = worker(home, changes)
    await pipeline.start()
    arrive(home, 12)
    assert await pipeline.step() is True
    assert live(home) == ["I-1"] and changes
    assert {item.destination for item in home.outbox(reason="opened")} == {"slack:C0ALERTS", "console:alerts"}
    assert await pipeline.step() is False


async def test_nothing_is_analysed_twice_across_a_restart(home: House) -> None:
    first = worker(home)
    await first.start()
    arrive(home, 700)
    await first.step()
    assert counted(home) == 512
    second = worker(home)
    await second.start()
    while await second.step():
        pass
    assert counted(home) == 700
    assert len(live(home)) == 1


async def test_two_workers_that_race_count_each_post_once_and_open_one_incident(home: House) -> None:
    workers = [worker(home), worker(home)]
    for pipeline in workers:
        await pipeline.start()
    arrive(home, 300)
    for _ in range(3):
        await asyncio.gather(*(pipeline.step() for pipeline in workers))
    assert counted(home) == 300
    assert live(home) == ["I-1"]


async def test_what_was_counted_before_a_crash_is_judged_after_it(home: House) -> None:
    crashed = worker(home)
    await crashed.start()
    arrive(home, 20)
    rows = home.look(lambda db: posts.unanalysed(db, 100))
    await crashed._analyse(rows)
    assert live(home) == []
    again = worker(home)
    await again.start()
    await again.step()
    assert live(home) == ["I-1"]


async def test_posts_about_nothing_watched_move_the_cursor_and_count_nowhere(home: House) -> None:
    pipeline = worker(home)
    await pipeline.start()
    arrive(home, 30, "别家公司提现失败")
    await pipeline.step()
    assert (counted(home), home.look(posts.backlog), live(home)) == (0, 0, [])


async def test_a_live_incident_is_judged_again_though_nothing_comes_in(home: House) -> None:
    pipeline = worker(home)
    await pipeline.start()
    arrive(home, 12)
    await pipeline.step()
    for _ in range(20):
        home.clock.set(home.now + 30 * MINUTE)
        await pipeline.step()
    assert home.incident("I-1").status is Status.RESOLVED


async def test_rules_from_chat_hold_from_the_next_batch_on(home: House) -> None:
    pipeline = worker(home)
    await pipeline.start()
    arrive(home, 3, "星河卡失败")
    await pipeline.step()
    assert counted(home) == 0

    def change(db) -> None:
        from factories import actor

        number = rules.propose(db, "xinghe-pay", KeywordRule(any=("星河卡",)), actor(), home.now)
        rules.activate(db, "xinghe-pay", number)

    home.do(change)
    home.look(home.watch.load)
    arrive(home, 4, "星河卡失败")
    await pipeline.step()
    assert counted(home) == 4


async def test_the_pipeline_runs_and_wakes(home: House) -> None:
    changes: list[int] = []
    pipeline = worker(home, changes)
    task = asyncio.create_task(pipeline.run())
    await asyncio.sleep(0.02)
    arrive(home, 12)
    pipeline.wake()
    for _ in range(500):
        await asyncio.sleep(0.005)
        await home.clock.advance(50)
        if live(home):
            break
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert live(home) == ["I-1"]


async def test_the_real_analysis_finds_the_same(home: House) -> None:
    pipeline = Pipeline(home.store, home.clock, home.watch, Analyser(home.watch.subjects()), home.incidents)
    await pipeline.start()
    for number in range(15):
        arrive(home, 1, f"星河支付提现失败，三天没到账，客服不理人，骗子公司！{number}号用户")
    await pipeline.step()
    incident = home.incident("I-1")
    assert incident.family == "funds" and incident.grade >= Grade.BLUE
    assert home.look(lambda db: db.conn.execute("SELECT COUNT(*), SUM(size) FROM story").fetchone())[1] == 15


# -- blind spots


def change_health(home: House, source: str, old: str, new: str) -> list[Message]:
    coverage = Coverage(home.config, home.incidents)
    before = len(home.outbox(reason="coverage"))

    def job(db) -> None:
        db.conn.execute("INSERT OR REPLACE INTO source_state (source, health) VALUES (?, ?)", (source, new))
        coverage.changed(db, source, old, new, Text("sources.reason.new"), home.now)

    home.do(job)
    home.clock.set(home.now + 1000)
    return home.outbox(reason="coverage")[before:]


def test_a_blind_spot_is_an_alert_of_its_own_and_named_on_the_live_incident(home: House) -> None:
    home.judge(Grade.YELLOW)
    said = change_health(home, "finance-news", "measured", "silent")
    assert {item.destination for item in said} == {"slack:C0ALERTS", "console:alerts", "slack:C0BOSS"}
    texts = {item.destination: item.text for item in said}
    assert "finance-news" in texts["slack:C0ALERTS"] and "silent" in texts["slack:C0BOSS"]
    assert home.incident("I-1").blind_sources == ("finance-news",)
    back = change_health(home, "finance-news", "silent", "measured")
    assert len(back) == 3 and "back" in {item.destination: item.text for item in back}["slack:C0BOSS"]
    assert home.incident("I-1").blind_sources == ()


@pytest.mark.parametrize(
    ("source", "old", "new"),
    [
        ("finance-news", "new", "measured"),
        ("finance-news", "silent", "failing"),
        ("finance-news", "measured", "paused"),
        ("unknown", "measured", "silent"),
    ],
)
def test_other_changes_of_health_disturb_nobody(home: House, source: str, old: str, new: str) -> None:
    assert change_health(home, source, old, new) == []


async def test_copies_share_a_story_edited_ones_a_topic_and_a_drill_neither(home: House) -> None:
    said = "星河支付提现失败三天了还没有到账，客服电话一直打不通，到底什么时候能给大家一个说法"
    edited = said.replace("三天", "四天").replace("电话", "热线")
    analyser = Analyser(home.watch.subjects())

    def at_work() -> Pipeline:
        return Pipeline(home.store, home.clock, home.watch, analyser, home.incidents)

    arrive(home, 2, said)
    arrive(home, 1, said, drill="D-1")
    first = at_work()
    await first.start()
    await first.step()
    arrive(home, 1, edited)
    again = at_work()
    await again.start()  # a restart: what was known is known again
    await again.step()
    arrive(home, 1, said + "！")
    await again.step()
    rows = home.look(lambda db: db.conn.execute("SELECT id, topic, size, drill FROM story ORDER BY id").fetchall())
    assert rows == [(1, 1, 3, ""), (2, 2, 1, "D-1"), (3, 1, 1, "")]
