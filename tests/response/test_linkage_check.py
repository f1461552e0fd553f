"""``fengbo check`` on the linkage, and the door for customers' messages over HTTP."""

import json
import os
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.app import App
from bot.check import run_checks
from bot.clock import VirtualClock
from bot.config import parse
from bot.testkit.fake_system import FakeSystem
from bot.texts import render

BASE = """
subjects: [{id: brand, name: 星河, match: {any: [星河支付]}, channel: alerts}]
people: [{id: lina, name: 李娜, roles: [pr, pr_head], console: lina}]
channels: {alerts: {console: alerts}, drill: {console: drill}}
"""


def configured(folder: Path, linkage: dict[str, Any], more: str = "") -> Any:
    text = f"store: {folder}/var/x.db\n{BASE}{more}\nlinkage: {json.dumps(linkage)}\n"
    return parse(text, "test.yaml")


async def keys(config: Any, *, offline: bool = True, **environ: str) -> dict[str, str]:
    found = await run_checks(config, offline=offline, clock=VirtualClock(1_790_000_000_000), environ=environ)
    for _, text in found:
        for language in ("zh-CN", "en"):
            assert "hidden-secret" not in render(text, language)
    return {text.key.removeprefix("check."): level for level, text in found}


DESK = {"desk": {"base_url": "https://desk.example", "auth": {"secret_env": "DESK"}}}


@pytest.mark.parametrize(
    ("linkage", "level", "key"),
    [
        ({"systems": DESK, "actions": {"a": {"system": "desk", "preset": "jiira"}}}, "error", "action_unusable"),
        ({"systems": DESK, "actions": {"a": {"system": "desk"}}}, "error", "action_unusable"),
        ({"systems": DESK, "actions": {"a": {"system": "desk", "preset": "jira-cloud-issue"}}}, "error",
         "action_missing"),
        ({"systems": DESK, "actions": {"a": {"system": "desk", "path": "/x"}}}, "note", "action_by_person"),
        ({"systems": {"d": {"base_url": "http://desk.example", "auth": {"secret_env": "DESK"}}}}, "warn",
         "system_plain"),
        ({"systems": {"d": {"base_url": "https://desk.example", "ca_file": "/no/such.pem"}}}, "error", "system_no_ca"),
        ({"systems": {"d": {"database": "sqlite:////no/such.db"}}}, "error", "system_no_file"),
        ({"customers": {"segments": {"s": {"file": "no.csv"}}}}, "warn", "segment_no_file"),
        ({"customers": {"segments": {"s": {"file": "no.csv"}}, "roles": ["legal"]}}, "error", "customers_nobody"),
        ({"systems": DESK, "actions": {"a": {"system": "desk", "path": "/x"}},
          "auto_reply": {"source": "nobody", "reply": "a", "map": {"id": "id"}}}, "error", "replies_no_hook"),
    ],
)  # fmt: skip
async def test_each_mistake_is_named(tmp_path: Path, linkage: dict[str, Any], level: str, key: str) -> None:
    assert (await keys(configured(tmp_path, linkage), DESK="hidden-secret")).get(key) == level


async def test_a_missing_secret_is_named_by_its_variable(tmp_path: Path) -> None:
    assert "secret_missing" in await keys(configured(tmp_path, {"systems": DESK}))


@pytest.mark.parametrize(("token", "key"), [("hidden-secret", "system"), ("wrong-secret!", "system_denied")])
async def test_a_system_is_asked_whether_it_takes_our_secret(tmp_path: Path, token: str, key: str) -> None:
    async with FakeSystem() as desk:
        desk.token = token
        linkage = {"systems": {"desk": {"base_url": desk.url, "auth": {"secret_env": "DESK"}}}}
        found = await keys(configured(tmp_path, linkage), offline=False, DESK="hidden-secret")
        assert key in found and desk.done == []
        await desk.stop()
        found = await keys(configured(tmp_path, linkage), offline=False, DESK="hidden-secret")
        assert found["system_unreachable"] == "error"
        assert "system_unreachable" not in await keys(configured(tmp_path, linkage), DESK="hidden-secret")


async def test_customers_messages_come_in_by_their_hook_and_are_taken_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "INBOX", "inbox-token-0123456789")
    linkage = {
        "systems": DESK, "actions": {"a": {"system": "desk", "path": "/x"}},
        "auto_reply": {"source": "inbox", "reply": "a", "map": {"id": "id", "person": "from", "text": "body"}},
    }  # fmt: skip
    more = "sources: [{id: inbox, kind: hook, platform: ticket, token_env: INBOX}]\nlisten: 127.0.0.1:0"
    app = App(configured(tmp_path, linkage, more))
    await app.start()
    try:
        url = f"http://127.0.0.1:{app.port}/api/v1/hooks/inbox"
        headers = {"Authorization": "Bearer inbox-token-0123456789"}
        message = {"id": "1", "from": "u1", "body": "提现没到"}
        async with aiohttp.ClientSession() as session:
            async with session.post(url, json=message) as answer:
                assert answer.status == 401
            for expected in ({"recorded": 1}, {"duplicates": 1}):
                async with session.post(url, json=message, headers=headers) as answer:
                    assert answer.status == 202
                    assert {name: count for name, count in (await answer.json()).items() if count} == expected
            async with session.post(url, json={"id": "2"}, headers=headers) as answer:
                assert answer.status == 400
        rows = app.store.read_now(lambda db: db.conn.execute("SELECT state, reason FROM inquiry").fetchall())
        assert rows == [("recorded", "closed")]
    finally:
        await app.stop()
