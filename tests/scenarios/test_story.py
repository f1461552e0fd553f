"""One crisis from the first post to its end, through Slack, WeCom, the console, mail and SMS together."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.testkit.fake_wecom import ROBOT_KEY
from tests.scenarios.house import CHANNEL, ENGLISH, House, complaint, complaints, house


async def test_a_crisis_is_alerted_taken_in_hand_and_ended_across_three_chats(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(tmp_path, monkeypatch) as home:
        slack, wecom = home.platforms.slack, home.platforms.wecom
        # Nine complaints: blue, one card in each chat, with its reasons.
        await home.push(complaints(9), times=3)
        incident = await home.until_incident(lambda item: item["subject"] == "starpay")
        assert incident["grade"] == "blue"
        assert incident["status"] == "open"
        assert any(reason["metric"] == "negative_60m" and reason["value"] == 9 for reason in incident["reasons"])
        card = await slack.wait_for_message(CHANNEL, "I-1")
        assert "蓝色" in card.visible
        assert "近 60 分钟负面 9 条" in card.visible
        await wecom.wait_for_message("lina", "I-1")
        await home.until(lambda: wecom.robot(ROBOT_KEY))

        # More, and a national medium: the same card is rewritten, the thread says so, nobody gets a second card.
        await home.push(complaints(60))
        await home.push(
            [complaint("星辰支付大面积提现困难，监管部门已介入调查", platform="news", kind="article",
                       author={"id": "n1", "name": "新华社", "followers": 9_000_000, "verified": True})]
        )  # fmt: skip
        await home.until_incident(lambda item: item["grade"] in ("yellow", "orange"))
        await home.until(lambda: "蓝色" not in card.visible)
        cards = [message for message in slack.screen(CHANNEL) if message.blocks and "I-1 星辰支付" in message.visible]
        assert cards[0] is card
        assert len(card.revisions) >= 1
        await home.until(lambda: any("升为" in reply.visible for reply in slack.thread(card)))

        # Lina presses in Slack; the card shows it in every chat.
        await slack.click(card, "ack I-1", "U0LINA")
        await home.until_incident(lambda item: item["status"] == "acknowledged" and item["owner"] == "lina")
        await home.until(lambda: "已确认" in card.visible)
        # WeCom lets a card be rewritten once a code: the newest one tells, rewritten or posted anew.
        await home.until(lambda: any("已确认" in message.visible("lina") for message in wecom.inbox("lina")))

        # A decision from WeCom in words, a note in the Slack thread without naming the incident.
        assert (await wecom.say("chenjing", "决定 I-1 先发情况说明，不开发布会")).ok
        assert (await slack.mention("note 已联系清算行", "U0LINA", CHANNEL, thread_ts=card.ts)).ok
        full = await _timeline(home, {"decision", "note"})
        decision = next(entry for entry in full["timeline"] if entry["kind"] == "decision")
        assert (decision["actor"], decision["chat"]) == ("chenjing", "wecom")
        assert decision["details"]["text"] == "先发情况说明，不开发布会"
        note = next(entry for entry in full["timeline"] if entry["kind"] == "note")
        assert (note["actor"], note["chat"], note["details"]["text"]) == ("lina", "slack", "已联系清算行")

        # The second one to take it is told who has it; the end is one word.
        assert (await wecom.say("chenjing", "确认 I-1")).ok
        await wecom.wait_for_message("chenjing", "已经有人跟进：李娜")
        await slack.slash("close I-1 款项已全部到账", "U0CHEN", CHANNEL)
        await home.until_incident(lambda item: item["status"] == "closed")
        await home.until(lambda: "已关闭" in card.visible)


async def _timeline(home: House, kinds: set[str]) -> dict[str, Any]:
    for _ in range(200):
        full: dict[str, Any] = await home.api("/api/v1/incidents/I-1")
        if kinds <= {entry["kind"] for entry in full["timeline"]}:
            return full
        await asyncio.sleep(0.05)
    raise AssertionError([entry["kind"] for entry in full["timeline"]])


async def test_an_english_channel_reads_english_and_cloud_customers_are_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(tmp_path, monkeypatch) as home:
        await home.push(complaints(10, "Farcloud is down again, our whole site is offline, terrible outage"))
        card = await home.platforms.slack.wait_for_message(ENGLISH, "I-1")
        assert "negative posts in 60 minutes" in card.visible
        assert "service outage" in card.visible
        await home.platforms.slack.slash("why I-1", "U0LINA", ENGLISH)
        await home.until(lambda: any("Signals" in m.visible for m in home.platforms.slack.ephemerals("U0LINA")))


async def test_a_red_incident_gets_a_slack_channel_of_its_own_with_the_right_people(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(tmp_path, monkeypatch) as home:
        slack = home.platforms.slack
        await home.push(complaints(9))
        card = await slack.wait_for_message(CHANNEL, "I-1")
        await slack.slash("grade I-1 red 监管已立案", "U0CHEN", CHANNEL)
        room = await home.until(
            lambda: next((item for item in slack.workspace.channels.values() if item.name == "crisis-i-1"), None)
        )
        inside = await slack.wait_for_message(room.id, "I-1")
        assert {"U0LINA", "U0CHEN"} <= room.members
        assert "红色" in inside.visible
        # In the room nobody need name the incident, and the card there follows.
        await slack.mention("ack", "U0LINA", room.id)
        await home.until_incident(lambda item: item["owner"] == "lina")
        await home.until(lambda: "已确认" in inside.visible and "已确认" in card.visible)
        mails = await home.until(lambda: home.platforms.mail and home.platforms.mail.mails)
        assert mails is not None


async def test_nobody_answers_so_the_next_circle_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    escalate = {"blue": "400ms", "yellow": "400ms", "orange": "400ms", "red": "400ms"}
    async with house(tmp_path, monkeypatch, grading={"update_every": "200ms", "escalate_after": escalate}) as home:
        await home.push(complaints(9))
        card = await home.platforms.slack.wait_for_message(CHANNEL, "I-1")
        await home.until(lambda: any("没有人确认" in reply.visible for reply in home.platforms.slack.thread(card)))
        await home.platforms.wecom.wait_for_message("chenjing", "没有人确认")
        await home.platforms.slack.click(card, "ack I-1", "U0CHEN")
        await home.until_incident(lambda item: item["status"] == "acknowledged")


async def test_wrong_tokens_signatures_and_oversized_bodies_are_refused_clearly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(tmp_path, monkeypatch) as home:
        posts = f"{home.url}/api/v1/posts"
        bearer = {"Authorization": "Bearer push-token-of-the-tests"}
        async with home.session.post(posts, json=[], headers={"Authorization": "Bearer wrong"}) as answer:
            assert answer.status == 401
        async with home.session.post(posts, data=b"{not json", headers=bearer) as answer:
            assert (answer.status, (await answer.json())["rejected"][0]["index"]) == (202, 0)
        async with home.session.post(posts, data=b"[1, 2", headers=bearer) as answer:
            assert (answer.status, (await answer.json())["error"]["code"]) == (400, "not_json")
        try:
            async with home.session.post(posts, data=b"x" * (50 << 20), headers=bearer) as answer:
                assert answer.status == 413
        except aiohttp.ClientError:
            pass  # the server hung up in the middle of the body, which is its right
        slack, wecom = home.platforms.slack, home.platforms.wecom
        assert (await slack.slash("status", "U0LINA", CHANNEL, sign_with="another secret")).status == 401
        assert (await slack.slash("status", "U0LINA", CHANNEL, age=301_000)).status == 401
        assert (await wecom.say("lina", "状态", sign_with="another token")).status == 403
        assert (await wecom.say("lina", "状态", age=3_600_000)).status == 403
        assert (await wecom.say("lina", "状态", corrupt=True)).status == 403
        rows = home.app.store.read_now(lambda db: db.conn.execute("SELECT COUNT(*) FROM inbox").fetchone()[0])
        assert rows == 0


async def test_a_storm_of_429_delays_the_alerts_and_loses_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with house(tmp_path, monkeypatch) as home:
        slack = home.platforms.slack
        slack.fail_next("chat.postMessage", "ratelimited", status=429, times=4, retry_after=1)
        await home.push(complaints(9))
        card = await slack.wait_for_message(CHANNEL, "I-1", timeout=15)
        assert len([message for message in slack.screen(CHANNEL) if "I-1 星辰支付" in message.visible]) == 1
        assert "蓝色" in card.visible
        # The other chats did not wait for Slack.
        assert home.platforms.wecom.inbox("lina")


async def test_a_rule_edited_in_chat_is_tried_first_and_then_watches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(tmp_path, monkeypatch) as home:
        slack = home.platforms.slack
        await home.push(complaints(12, "星仔卡刷不出钱了，客服也不理人，太差劲了"))
        await slack.slash("rules starpay any+ 星仔卡", "U0CHEN", CHANNEL)
        trial = await home.until(lambda: next((m for m in slack.ephemerals("U0CHEN") if "0 → 12" in m.visible), None))
        await slack.click(trial, "rules-apply starpay v1", "U0CHEN")
        await home.until(lambda: home.app.watch.version == 1)
        await home.push(complaints(12, "星仔卡刷不出钱了，客服也不理人，太差劲了"))
        await home.until_incident(lambda item: item["subject"] == "starpay")
