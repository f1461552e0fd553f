"""What a drill refuses it notes, and whom it takes out of reach cannot act in it."""

from pathlib import Path

import pytest
from stage import COMPANY, MINUTE, rows, said, stage

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
