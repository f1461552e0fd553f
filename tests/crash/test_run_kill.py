"""The real process, killed while people work off a playbook: no press lost, no step done twice, deadlines kept."""

import asyncio
import contextlib
import random
import signal
import socket
import sqlite3
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from bench.crash import TOKEN, WORDS, Process, configuration
from bot.testkit.platforms import FakePlatforms
from tests.scenarios.house import complaints

KILLS = 3
STEPS = 24
SETTLED_WITHIN = 60.0
DEADLINE_MINUTES = 90


def library(folder: Path) -> str:
    """One plan of many small tasks, each with a deadline, one opening the next of its row."""
    steps: list[dict[str, Any]] = []
    for number in range(1, STEPS + 1):
        title = {"zh-CN": f"第{number}步", "en": f"Step {number}"}
        step = {"id": f"s{number}", "kind": "task", "title": title, "role": "pr", "due": f"{DEADLINE_MINUTES}m"}
        steps.append(step | ({"after": [f"s{number - 4}"]} if number > 4 else {}))
    words = {"zh-CN": "试验", "en": "Trial"}
    plan = {
        "id": "trial", "version": 1, "title": words, "summary": words, "crisis_types": ["withdrawal_failure"],
        "industries": ["general"], "grades": {"from": "blue"},
        "scct": {"cluster": "accidental", "strategies": ["instructing_information"]},
        "owner": "pr", "review_by": "2030-01-01",
        "roles": {"pr": {"title": {"zh-CN": "公关", "en": "PR"}, "department": "pr", "people": ["pr"]}},
        "steps": steps,
    }  # fmt: skip
    (folder / "plans").mkdir()
    (folder / "plans" / "trial.yaml").write_text(yaml.safe_dump(plan, allow_unicode=True), encoding="utf-8")
    return str(folder / "plans")


@pytest.mark.crash
async def test_a_run_survives_being_killed_while_its_steps_are_pressed(tmp_path: Path) -> None:
    dice = random.Random(3)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    async with FakePlatforms() as platforms:
        store = tmp_path / "fengbo.db"
        settings = {**configuration(platforms), "store": str(store), "playbooks": {"library": library(tmp_path)}}
        (tmp_path / "fengbo.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")
        process = Process(tmp_path, {**platforms.environment(), "PUSH_TOKEN": TOKEN}, port)
        platforms.connect(process.url)
        channel = settings["channels"]["starpay"]["slack"]
        accepted: set[int] = set()
        try:
            await process.start()
            await _incident(process, store)
            assert (await platforms.slack.slash("start trial I-1", "U0LINA", channel)).ok
            await _until(store, "SELECT COUNT(*) FROM run", 1)
            pressing = asyncio.create_task(_press_all(platforms, channel, accepted))
            for _ in range(KILLS):
                await asyncio.sleep(dice.uniform(0.1, 0.7))
                await process.end(signal.SIGKILL)
                await process.start()
            await pressing
            assert accepted == set(range(1, STEPS - 3))
            await _until(store, "SELECT COUNT(*) FROM inbox WHERE state = 'new'", 0)
        finally:
            await process.end(signal.SIGTERM)
        _judge(store)


async def _press_all(platforms: FakePlatforms, channel: str, accepted: set[int]) -> None:
    """Each step as soon as it can be done, from Slack and WeCom in turn, pressed again until it was acknowledged; a
    repetition is what a person does who saw nothing happen."""
    for number in range(1, STEPS - 3):
        done = False
        while not done:
            if number % 6:
                done = (await platforms.slack.slash(f"done R-1.{number} press-{number}", "U0LINA", channel)).ok
            else:
                done = (await platforms.wecom.say("lina", f"完成 R-1.{number} press-{number}")).ok
            await asyncio.sleep(0.1)
        accepted.add(number)


async def _incident(process: Process, store: Path) -> None:
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as session,
        session.post(f"{process.url}/api/v1/posts", json=complaints(8, WORDS["starpay"])) as answer,
    ):
        assert answer.status == 202
    await _until(store, "SELECT COUNT(*) FROM incident", 1)


async def _until(store: Path, question: str, wanted: int) -> None:
    deadline = asyncio.get_running_loop().time() + SETTLED_WITHIN
    found: Any = None
    while asyncio.get_running_loop().time() < deadline:
        with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(store)) as db:
            found = db.execute(question).fetchone()[0]
            if found == wanted:
                return
        await asyncio.sleep(0.1)
    raise AssertionError(f"{question}: {found}, not {wanted}")


def _judge(store: Path) -> None:
    with contextlib.closing(sqlite3.connect(store)) as db:
        states = dict(db.execute("SELECT number, status FROM run_step"))
        done = dict(db.execute("SELECT step, COUNT(*) FROM run_event WHERE kind = 'done' GROUP BY step"))
        ended = dict(db.execute("SELECT step, COUNT(*) FROM run_event WHERE kind = 'ended' GROUP BY step"))
        started = db.execute("SELECT started_at FROM run").fetchone()[0]
        due = dict(db.execute("SELECT number, due_at FROM run_step"))
        timers = {
            row[0] for row in db.execute("SELECT object FROM timer WHERE state = 'waiting' AND object LIKE 'R-1.%'")
        }
        failed = db.execute("SELECT COUNT(*) FROM inbox WHERE state = 'failed'").fetchone()[0]
    pressed, left = range(1, STEPS - 3), range(STEPS - 3, STEPS + 1)
    assert failed == 0
    assert {number for number in pressed if states[number] != "done"} == set(), "a press was lost"
    assert done == ended == {f"s{number}": 1 for number in pressed}, "a step was done twice"
    assert {number for number in left if states[number] != "open"} == set()
    assert timers == {f"R-1.s{number}" for number in left}, "a deadline was lost, or kept for a step that is done"
    assert {due[number] - started for number in left} == {DEADLINE_MINUTES * 60_000}
