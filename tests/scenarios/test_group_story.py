"""A WeCom group in which people press: the smart robot's connection, the real process, Slack and the console."""

from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from bot.testkit.fake_aibot import GROUP_ID
from tests.scenarios.house import CHANNEL, complaints, house

CHANNELS: dict[str, dict[str, Any]] = {
    "alerts": {"slack": CHANNEL, "console": "alerts", "wecom_group": GROUP_ID},
}


def on_the_console(db: Database) -> str:
    """The incident's card as the console shows it."""
    row = db.conn.execute("SELECT card FROM console_message WHERE object = 'incident:I-1'").fetchone()
    return str(row[0]) if row else ""


def timeline(db: Database) -> list[tuple[str, ...]]:
    return list(db.conn.execute("SELECT * FROM timeline WHERE incident = 'I-1'").fetchall())


async def test_an_alert_is_taken_in_hand_in_a_wecom_group_and_every_chat_shows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subjects = [{"id": "starpay", "name": "星辰支付", "industry": "internet-finance", "channel": "alerts",
                 "match": {"any": ["星辰支付"]}}]  # fmt: skip
    async with house(tmp_path, monkeypatch, channels=CHANNELS, subjects=subjects) as home:
        slack, group = home.platforms.slack, home.platforms.aibot
        await home.push(complaints(9))
        in_slack = await slack.wait_for_message(CHANNEL, "I-1")
        card = await group.wait_for(lambda: next((one for one in group.cards() if "I-1" in one.text), None))
        assert card is not None and "ack I-1" in card.buttons

        # A stranger may look, not act; the group sees who cannot.
        await group.press(card, "ack I-1", "zhaolei")
        await group.wait_for_message("还不认识你")
        assert (await home.api("/api/v1/incidents/I-1"))["status"] == "open"

        # Lina presses: stored, done, shown on the very card, in Slack and in the console.
        await group.press(card, "ack I-1", "lina", times=2)
        incident = await home.until_incident(lambda item: item["status"] == "acknowledged")
        assert incident["owner"] == "lina"
        await group.wait_for(lambda: "李娜 已按" in card.text and "ack I-1" not in card.buttons)
        await home.until(lambda: "已确认" in in_slack.visible)
        await home.until(lambda: "已确认" in home.app.store.read_now(on_the_console))
        full = await home.api("/api/v1/incidents/I-1")
        taken = [entry for entry in full["timeline"] if entry["kind"] == "acknowledged"]
        assert [(entry["actor"], entry["chat"]) for entry in taken] == [("lina", "wecom")]

        # What is done in Slack comes into the group as a card of its own; words do what buttons do.
        await slack.slash("grade I-1 orange 监管已过问", "U0LINA", CHANNEL)
        await home.until_incident(lambda item: item["grade"] == "orange")
        await group.wait_for(lambda: "橙色" in group.cards()[-1].card["source"]["desc"])
        assert len(group.cards()) == 2
        await group.say("chenjing", "决定 I-1 先发情况说明")
        await group.wait_for_message("<@chenjing>")
        # Whoever quotes a card need not name the incident.
        await group.say("lina", "备注 已联系清算行", quoting=group.cards()[0])
        await home.until(lambda: "已联系清算行" in str(home.app.store.read_now(timeline)))

        # The checklist of a playbook is worked off in the group, too: a press shows the next step on the same card.
        start = next(key for key in group.cards()[-1].buttons if key.startswith("start "))
        await group.press(group.cards()[-1], start, "lina")
        checklist = await group.wait_for(lambda: next((one for one in group.cards() if "R-1" in one.text), None))
        assert checklist is not None
        before = checklist.text
        step = next(key for key in checklist.buttons if "R-1" in key)
        await group.press(checklist, step, "lina")
        await group.wait_for(lambda: "李娜 已按" in checklist.text and checklist.text != before)
        assert len([one for one in group.cards() if one.task_id.startswith("run")]) == 1
