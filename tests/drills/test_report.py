"""The report of a drill: a picture that says how it went, a document whose every line names what it rests on."""

from pathlib import Path

import pytest
from stage import MINUTE, messages, said, stage

from bot.drills.report import document, picture_of, timeline_of
from bot.drills.scorecard import report
from bot.rehearsal import Rehearsal
from bot.reports.document_html import page
from bot.reports.score_scene import lay_out
from bot.store import drills


@pytest.fixture
def play(tmp_path: Path):
    made = stage(tmp_path)
    yield made
    made.close()


async def test_a_second_drill_is_shown_beside_the_first_and_everything_is_escaped(play: Rehearsal) -> None:
    for number in (1, 2):
        said(play, "chenjing", "drill start withdrawal-failure --speed 600")
        said(play, "chenjing", f"drill inject DR-{number} call <script>记者 | 在吗")
        await play.until(play.clock.now() + MINUTE // 2)
    pictures = [item for item in messages(play) if (item.get("attachment") or {}).get("kind") == "score"]
    assert [(item["destination"], item["drill"]) for item in pictures] == [
        ("console:drill", "DR-1"),
        ("console:drill", "DR-2"),
    ]
    assert all(row[3] is None for row in pictures[0]["attachment"]["params"]["rows"])
    assert all(row[3] is not None for row in pictures[1]["attachment"]["params"]["rows"])

    def written(db) -> tuple[bytes, str, str]:
        drill = drills.get(db, "DR-2")
        assert drill is not None
        found = report(db, drill, play.app.drills.drills.roles())
        shown = page(document(db, found, "zh-CN"), "zh-CN")
        return shown, lay_out(picture_of(found, "zh-CN")).summary, str(timeline_of(db, found, "en").shapes)

    shown, summary, line = play.app.store.read_now(written)
    assert "主持人加的" in shown.decode() and b"<script>" not in shown
    assert "DR-2" in summary and "认领 0/12" in summary and "by hand" in line
