"""A drill on the real flow: isolated, paused, skipped, stopped, asked, restarted."""

from pathlib import Path

import pytest
from stage import COMPANY, MINUTE, company, messages, rows, said, stage

from bot.rehearsal import Rehearsal


@pytest.fixture
def play(tmp_path: Path):
    made = stage(tmp_path)
    yield made
    made.close()


def state(play: Rehearsal, drill: str = "DR-1") -> str:
    return rows(play, "SELECT state FROM drill WHERE id = ?", drill)[0][0]


async def minutes(play: Rehearsal, count: float) -> None:
    await play.until(play.clock.now() + round(count * MINUTE))


async def test_its_posts_open_a_drill_incident_by_the_same_flow_and_none_of_it_is_real(play: Rehearsal) -> None:
    assert "DR-1" in said(play, "chenjing", "演练 开始 withdrawal-failure 倍速 10")
    await minutes(play, 8)
    ((incident, kind, drill),) = rows(play, "SELECT id, kind, drill FROM incident WHERE family = 'funds'")
    assert (incident[:2], kind, drill) == ("D-", "drill", "DR-1")
    assert rows(play, "SELECT COUNT(*) FROM post WHERE drill = ''") == [(0,)]
    assert rows(play, "SELECT COUNT(*) FROM incident WHERE kind = 'real'") == [(0,)]
    posted = [item for item in messages(play) if item.get("reason") not in ("answer",)]
    assert posted and all(item["destination"].startswith("console:drill") for item in posted)
    assert all(item.get("drill") == "DR-1" for item in posted)


async def test_members_who_may_not_lead_drills_are_told_so_and_nothing_starts(play: Rehearsal) -> None:
    assert "需要" in said(play, "lina", "drill start withdrawal-failure")
    assert rows(play, "SELECT COUNT(*) FROM drill") == [(0,)]


async def test_every_inject_comes_once_at_its_drill_time(play: Rehearsal) -> None:
    said(play, "chenjing", "drill start network-outage --speed 10")
    await minutes(play, 19)
    injects = rows(play, "SELECT detail, position FROM drill_event WHERE kind IN ('inject', 'withheld') ORDER BY id")
    due = [0, 4, 12, 15, 25, 45, 50, 60, 70]
    assert len(injects) == len(due)
    for (_, position), minute in zip(injects, due, strict=True):
        assert minute * MINUTE <= position <= (minute + 1) * MINUTE
    assert state(play) == "ended"
    assert rows(play, "SELECT COUNT(*) FROM incident WHERE status NOT IN ('closed', 'false_alarm')") == [(0,)]


async def test_pausing_stops_its_time_and_resuming_goes_on_where_it_was(play: Rehearsal) -> None:
    said(play, "chenjing", "drill start withdrawal-failure")
    await minutes(play, 10)
    said(play, "chenjing", "drill pause")
    before = rows(play, "SELECT COUNT(*) FROM post")
    await minutes(play, 30)
    assert rows(play, "SELECT COUNT(*) FROM post") == before and state(play) == "paused"
    said(play, "chenjing", "drill resume")
    await minutes(play, 5)
    ((position,),) = rows(play, "SELECT position FROM drill")
    assert 14.5 * MINUTE <= position <= 15 * MINUTE
    assert rows(play, "SELECT COUNT(*) FROM post") > before


async def test_skipping_goes_to_the_next_thing_of_the_timeline(play: Rehearsal) -> None:
    said(play, "chenjing", "drill start withdrawal-failure")
    await minutes(play, 1)
    said(play, "chenjing", "演练 跳过 DR-1")
    await minutes(play, 0.1)
    texts = [item["card"]["title"] for item in messages(play) if item.get("card")]
    assert any("监控系统" in title for title in texts) and not any("总经理" in title for title in texts)


async def test_stopping_closes_its_incidents_and_leaves_real_ones_alone(tmp_path: Path) -> None:
    play = stage(tmp_path, cards=True)
    said(play, "chenjing", "drill start withdrawal-failure --speed 20")
    await minutes(play, 3)
    real = [
        {
            "id": f"real-{number}",
            "text": f"星河支付提现失败，{number}元没到账，怎么回事",
            "published_at": play.clock.now() // 1000,
        }
        for number in range(60)
    ]
    await play.app.intake.take(real, "vendor", "weibo")
    await minutes(play, 1)
    before = rows(play, "SELECT id, status, owner FROM incident WHERE kind = 'real'")
    assert before, "a real crisis during a drill opens its own incident"
    said(play, "chenjing", "drill stop")
    assert {row[0] for row in rows(play, "SELECT status FROM incident WHERE kind = 'drill'")} == {"closed"}
    assert rows(play, "SELECT id, status, owner FROM incident WHERE kind = 'real'") == before
    real_messages = [item for item in messages(play) if item.get("object", "").startswith("incident:I-")]
    assert real_messages and not any(item.get("drill") for item in real_messages)
    assert not any(item["destination"].startswith("console:drill") for item in real_messages)


async def test_facts_are_told_to_who_asks_and_not_before_their_time(play: Rehearsal) -> None:
    said(play, "chenjing", "drill start withdrawal-failure")
    await minutes(play, 2)
    assert "还不知道" in said(play, "lina", "演练 问 原因是什么")
    await minutes(play, 14)
    assert "证书过期" in said(play, "lina", "演练 问 原因是什么")


async def test_the_rumour_grows_only_where_nothing_was_published(play: Rehearsal) -> None:
    said(play, "chenjing", "drill start withdrawal-failure --speed 60")
    await minutes(play, 1.4)
    ((rumours,),) = rows(play, "SELECT COUNT(*) FROM post WHERE text LIKE '%跑路%' OR text LIKE '%资金链断%'")
    assert rumours > 10


async def test_hints_are_for_the_facilitator_alone(play: Rehearsal) -> None:
    said(play, "chenjing", "drill start withdrawal-failure")
    await minutes(play, 1)
    hints = [item for item in messages(play) if "先认领" in item.get("text", "")]
    assert hints and all(item["audience"] == "chenjing" for item in hints)


async def test_a_surprise_is_not_announced(play: Rehearsal) -> None:
    said(play, "chenjing", "演练 开始 withdrawal-failure 突击")
    await minutes(play, 0.2)
    assert not [item for item in messages(play) if item.get("card") and "演练开始" in item["card"]["title"]]


async def test_two_drills_at_once_do_not_meet(play: Rehearsal) -> None:
    said(play, "chenjing", "drill start withdrawal-failure --speed 10")
    said(play, "chenjing", "drill start bank-run-rumour --speed 10")
    await minutes(play, 8)
    assert {row[0] for row in rows(play, "SELECT DISTINCT drill FROM incident")} == {"DR-1", "DR-2"}
    assert "DR-1" in said(play, "chenjing", "drill pause")
    assert state(play) == "running" and "DR-2" in said(play, "chenjing", "drill pause DR-2")
    assert (state(play), state(play, "DR-2")) == ("running", "paused")


async def test_a_restart_in_the_middle_loses_and_doubles_nothing(tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    for folder in (whole, broken):
        folder.mkdir()
    played = []
    for folder in (whole, broken):
        play = stage(folder)
        said(play, "chenjing", "drill start withdrawal-failure --speed 10")
        for _ in range(4):
            await minutes(play, 2.5)
            if folder is broken:
                now = play.clock.now()
                play.close()
                play = Rehearsal(company(folder, COMPANY), now, inline=True, unseen=True)
        played.append(rows(play, "SELECT platform, text FROM post ORDER BY id"))
        play.close()
    assert played[0] and sorted(played[0]) == sorted(played[1])
