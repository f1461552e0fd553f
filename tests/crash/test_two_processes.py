"""The web process and the worker apart, as the Procfile starts them; a second worker takes over from a dead one."""

import signal
import socket
import sqlite3
from pathlib import Path

import aiohttp
import pytest
import yaml

from bench.crash import TOKEN, WORDS, Process, configuration
from bot.testkit.fake_aibot import GROUP_ID
from bot.testkit.platforms import FakePlatforms
from tests.scenarios.house import complaints

TAKE_OVER_WITHIN = 40.0


@pytest.mark.crash
async def test_a_standby_worker_goes_on_where_a_killed_one_stopped(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    async with FakePlatforms() as platforms:
        settings = {**configuration(platforms), "store": str(tmp_path / "fengbo.db")}
        (tmp_path / "fengbo.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")
        environment = {**platforms.environment(), "PUSH_TOKEN": TOKEN}
        web = Process(tmp_path, environment, port, ("run", "--role", "web"))
        workers = [Process(tmp_path, environment, port, ("worker",)) for _ in range(2)]
        platforms.connect(web.url)
        channel = settings["channels"]["starpay"]["slack"]
        try:
            await web.start()
            await workers[0].start()
            await _push(web, 8)
            card = await platforms.slack.wait_for_message(channel, "I-1", timeout=20)
            await workers[1].start()
            await workers[0].end(signal.SIGKILL)
            # Accepted by the web process alone, done by the worker that takes over.
            assert (await platforms.slack.click(card, "ack I-1", "U0LINA")).ok
            await platforms.slack.wait_for(lambda: "已确认" in card.visible, timeout=TAKE_OVER_WITHIN)
        finally:
            for process in (web, *workers):
                await process.end(signal.SIGTERM)


@pytest.mark.crash
async def test_the_group_s_one_connection_moves_to_the_standby_and_a_press_lost_between_is_made_good_by_words(
    tmp_path: Path,
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    async with FakePlatforms() as platforms:
        group = platforms.aibot
        settings = {**configuration(platforms), "store": str(tmp_path / "fengbo.db")}
        settings["channels"]["starpay"]["wecom_group"] = GROUP_ID
        (tmp_path / "fengbo.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")
        environment = {**platforms.environment(), "PUSH_TOKEN": TOKEN}
        web = Process(tmp_path, environment, port, ("run", "--role", "web"))
        workers = [Process(tmp_path, environment, port, ("worker",)) for _ in range(2)]
        try:
            await web.start()
            for worker in workers:
                await worker.start()
            await _push(web, 8)
            card = await group.wait_for(lambda: next((c for c in group.cards() if "I-1" in c.text), None), timeout=20)
            assert card is not None and group.subscriptions == 1
            first = _holder_of_the_lease(tmp_path / "fengbo.db", workers)
            await first.end(signal.SIGKILL)
            await group.wait_for(lambda: group.live is None)
            await group.press(card, "ack I-1", "lina")
            assert len(group.missed) == 1
            await group.wait_for(lambda: group.live is not None, timeout=TAKE_OVER_WITHIN)
            await group.say("lina", "ack I-1")
            await group.wait_for(lambda: any("由 李娜 跟进" in one.text for one in group.screen()), timeout=20)
            assert (group.subscriptions, group.kicks) == (2, 0)
        finally:
            for process in (web, *workers):
                await process.end(signal.SIGTERM)


async def _push(web: Process, count: int) -> None:
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as session,
        session.post(f"{web.url}/api/v1/posts", json=complaints(count, WORDS["starpay"])) as answer,
    ):
        assert answer.status == 202


def _holder_of_the_lease(store: Path, workers: list[Process]) -> Process:
    with sqlite3.connect(store) as db:
        holder = str(db.execute("SELECT holder FROM lease WHERE name = 'worker'").fetchone()[0])
    return next(one for one in workers if one.running is not None and holder.endswith(f":{one.running.pid}"))
