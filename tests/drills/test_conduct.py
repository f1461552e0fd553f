"""What a drill refuses it notes, and whom it takes out of reach cannot act in it."""

from pathlib import Path

import pytest
from stage import COMPANY, MINUTE, messages, rows, said, stage

from bot.rehearsal import Rehearsal

WITH_DEPUTY = COMPANY.replace("roles: [operations],", "roles: [operations], deputy: zhoumin,")


@pytest.fixture
def play(tmp_path: Path):
    made = stage(tmp_path, WITH_DEPUTY)
    yield made
    made.close()


async def opened(play: Rehearsal) -> str:
    """A drill whose first incident stands; its id."""
    said(play, "chenjing", "drill start withdrawal-failure --speed 10")
    await play.until(play.clock.now() + 2 * MINUTE)
    return rows(play, "SELECT id FROM incident WHERE drill = 'DR-1' ORDER BY number")[0][0]


async def test_publishing_without_approval_is_refused_noted_once_and_told_in_the_score(play: Rehearsal) -> None:
    incident = await opened(play)
    said(play, "lina", f"draft {incident} public")
    digest = rows(play, "SELECT digest FROM statement_version WHERE statement = 'S-1'")[-1][0][:6]
    said(play, "chenjing", f"publish S-1 {digest}")
    said(play, "chenjing", f"publish S-1 {digest}")
    assert len(rows(play, "SELECT 1 FROM drill_event WHERE kind = 'refused'")) == 2
    told = said(play, "chenjing", "drill report DR-1")
    assert told.count("陈静没等批准就想发布") == 1
    assert rows(play, "SELECT COUNT(*) FROM publication") == [(0,)]


async def test_somebody_out_of_reach_is_refused_in_the_drill_and_nowhere_else(play: Rehearsal) -> None:
    incident = await opened(play)
    assert "注入" in said(play, "chenjing", "drill inject DR-1 unreachable wangqiang 30m")
    refused = said(play, "wangqiang", f"ack {incident}")
    assert "联系不上" in refused and "周敏" in refused
    assert rows(play, "SELECT COUNT(*) FROM timeline WHERE kind = 'acknowledged'") == [(0,)]
    assert "联系不上" not in said(play, "wangqiang", "help")
    said(play, "zhoumin", f"ack {incident}")
    assert rows(play, "SELECT actor FROM timeline WHERE kind = 'acknowledged'") == [("zhoumin",)]
    await play.until(play.clock.now() + 4 * MINUTE)  # forty of the drill's own minutes
    assert "联系不上" not in said(play, "wangqiang", f"note {incident} 回来了")


async def test_who_watches_sees_what_is_coming_and_does_not_count(play: Rehearsal) -> None:
    incident = await opened(play)
    assert "主持人" in said(play, "zhaolei", "drill view DR-1")
    said(play, "chenjing", "演练 旁观 DR-1 赵磊")
    assert "接下来" in said(play, "zhaolei", "drill view DR-1")
    said(play, "zhaolei", f"ack {incident}")
    assert "认领 0/12" in said(play, "chenjing", "drill report DR-1")
    said(play, "chenjing", "drill observe DR-1 zhaolei remove")
    assert "认领 0/12" not in said(play, "chenjing", "drill report DR-1")


async def test_an_inject_by_hand_reaches_the_drill_channel_alone_and_stands_in_the_record(play: Rehearsal) -> None:
    await opened(play)
    said(play, "chenjing", "drill inject DR-1 call 财新记者 | 你们的客户资金还在吗？")
    said(play, "chenjing", "演练 注入 DR-1 传言 30 听说星河支付老板跑路了")
    shown = [item for item in messages(play) if (item.get("card") or {}).get("title") == "来电：财新记者"]
    assert [item["destination"] for item in shown] == ["console:drill"] and shown[0]["drill"] == "DR-1"
    assert rows(play, "SELECT COUNT(*) FROM post WHERE text LIKE '%跑路了' AND drill = 'DR-1'") == [(30,)]
    assert rows(play, "SELECT COUNT(*) FROM post WHERE drill = ''") == [(0,)]
    assert len(rows(play, "SELECT 1 FROM drill_event WHERE kind = 'manual'")) == 2
    assert "需要" in said(play, "lina", "drill inject DR-1 call x | y")
