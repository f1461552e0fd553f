"""A playbook's action step in the whole program: called, shown in the thread, and the run goes on."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from factories import actor
from plans import plan

from bot.app import App
from bot.config import parse
from bot.model.grade import Grade
from bot.response import run_rows
from bot.response.library import parse_playbook
from bot.store import incidents as incident_store
from bot.testkit.fake_system import FakeSystem

STEPS = """
  - {id: tell, kind: action, title: {zh-CN: 通知工单系统, en: Open a ticket}, role: pr, action: ticket, confirm: false,
     params: {text: "{what}"}}
  - {id: after, kind: task, title: {zh-CN: 之后, en: After}, role: pr, after: [tell]}
"""
BASE = """
subjects: [{id: brand, name: 星河, match: {any: [星河支付]}, channel: alerts}]
people: [{id: lina, name: 李娜, roles: [pr, pr_head], console: lina}]
channels: {alerts: {console: alerts}, drill: {console: drill}}
listen: 127.0.0.1:0
"""


async def until(wanted: Callable[[], Any]) -> None:
    for _ in range(400):
        if wanted():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it does not happen")


@pytest.mark.parametrize("drill", ["", "spring"])
async def test_a_step_is_called_and_the_run_goes_on(
    tmp_path: Path, drill: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESK", "fake-system-token")
    entry, findings = parse_playbook(plan(STEPS), "plan.yaml")
    assert entry is not None, findings
    async with FakeSystem() as desk:
        linkage = {
            "systems": {"desk": {"base_url": desk.url, "auth": {"secret_env": "DESK"}}},
            "actions": {"ticket": {"system": "desk", "path": "/tickets", "body": {"title": "{title}"},
                                   "result": {"id": "body.id"}}},
        }  # fmt: skip
        app = App(parse(f"store: {tmp_path}/x.db\n{BASE}linkage: {json.dumps(linkage)}\n", "test.yaml"))
        await app.start()
        try:
            now = app.clock.now()

            def begin(db: Any) -> str:
                incident = incident_store.create(
                    db, subject="brand", subject_name="星河", family="funds", crisis_type="withdrawal_failure",
                    title="提现失败", grade=Grade.YELLOW, signals=(), now=now, drill=drill,
                )  # fmt: skip
                return app.runs.start(db, entry.playbook, incident, actor(), now).id

            run_id = await app.store.write(begin)

            def state(step: str) -> str:
                run = app.store.read_now(lambda db: run_rows.load(db, run_id))
                assert run is not None
                return run.step(step).status.value

            await until(lambda: state("tell") == "done")
            assert state("after") == "open"
            assert len(desk.done) == (0 if drill else 1)
            said = app.store.read_now(
                lambda db: [
                    row[0] for row in db.conn.execute("SELECT message FROM outbox") if '"reason":"call"' in row[0]
                ]
            )
            assert len(said) == 1 and ("演练" in said[0] if drill else "T-1" in said[0])
        finally:
            await app.stop()
