"""A drill on a date: told before, begun by itself, also after a restart, and never into a real crisis."""

from pathlib import Path

import pytest
from stage import MINUTE, messages, rows, said, stage

from bot.incidents.words import clock_time
from bot.model.grade import Grade
from bot.rehearsal import Rehearsal
from bot.store import incidents

HOUR = 60 * MINUTE


@pytest.fixture
def play(tmp_path: Path):
    made = stage(tmp_path)
    yield made
    made.close()


def planned(play: Rehearsal, hours: float, more: str = "") -> str:
    """Set a drill so many hours ahead; what was answered."""
    when = clock_time(play.clock.now() + round(hours * HOUR))
    year = rows(play, "SELECT strftime('%Y', ?, 'unixepoch')", play.clock.now() // 1000)[0][0]
    return said(play, "chenjing", f"演练 安排 withdrawal-failure {year}-{when} --speed 10 {more}")


def titles(play: Rehearsal) -> str:
    return "\n".join(item["card"]["title"] for item in messages(play) if item.get("card"))


async def test_it_is_told_an_hour_before_and_begins_by_itself(play: Rehearsal) -> None:
    assert "DP-1" in planned(play, 3)
    await play.until(play.clock.now() + round(2.5 * HOUR))
    assert "一小时内开始" in titles(play) and rows(play, "SELECT COUNT(*) FROM drill") == [(0,)]
    await play.until(play.clock.now() + HOUR)
    assert rows(play, "SELECT state, drill FROM drill_plan") == [("begun", "DR-1")]
    assert rows(play, "SELECT facilitator, speed FROM drill") == [("chenjing", 10.0)]


async def test_a_surprise_is_told_to_nobody_but_the_facilitator(play: Rehearsal) -> None:
    planned(play, 3, "--surprise")
    await play.until(play.clock.now() + round(2.5 * HOUR))
    told = [item for item in messages(play) if "DP-1" in str(item)]
    assert told and all(item["audience"] == "chenjing" for item in told)
    assert "DP-1" not in said(play, "lina", "drill plan") and "DP-1" in said(play, "chenjing", "演练 日程")


async def test_a_real_crisis_puts_it_off_and_says_so(play: Rehearsal) -> None:
    planned(play, 2)
    await play.until(play.clock.now() + round(1.9 * HOUR))
    crisis(play)
    await play.until(play.clock.now() + round(0.2 * HOUR))
    assert "推迟" in titles(play) and rows(play, "SELECT COUNT(*) FROM drill") == [(0,)]
    assert "真实危机" in said(play, "chenjing", "drill start network-outage")
    assert "DR-1" in said(play, "chenjing", "drill start network-outage anyway")


async def test_it_is_cancelled_by_its_number_and_then_nothing_begins(play: Rehearsal) -> None:
    planned(play, 2)
    assert "需要" in said(play, "lina", "drill cancel DP-1")
    assert "取消" in said(play, "chenjing", "drill cancel DP-1")
    await play.until(play.clock.now() + 3 * HOUR)
    assert rows(play, "SELECT COUNT(*) FROM drill") == [(0,)]


async def test_it_survives_a_restart_and_what_lies_behind_is_refused(play: Rehearsal) -> None:
    assert "例如" in said(play, "chenjing", "drill schedule withdrawal-failure 2020-01-01 10:00")
    planned(play, 2)
    path, at = Path(play.app.store.path), play.clock.now()
    play.close()
    again = stage(path.parent, start=at)
    try:
        await again.until(at + round(2.1 * HOUR))
        assert rows(again, "SELECT id FROM drill") == [("DR-1",)]
    finally:
        again.close()


def crisis(play: Rehearsal) -> None:
    """A live orange incident of the real world."""
    play.app.store.write_now(
        lambda db: incidents.create(
            db, subject="xinghe-pay", subject_name="星河支付", family="funds", crisis_type="", title="真实的事故",
            grade=Grade.ORANGE, signals=(), now=play.clock.now(),
        )
    )  # fmt: skip
