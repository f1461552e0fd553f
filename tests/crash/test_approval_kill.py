"""The real process, killed while people agree to a text: no acknowledged vote lost, nothing out that was not agreed."""

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
from bench.statements import BODY
from bot.testkit.platforms import FakePlatforms
from tests.scenarios.house import complaints

KILLS = 1  # and once more with the publication under way
VOTERS = 9
SETTLED_WITHIN = 40.0


def settings(platforms: FakePlatforms, folder: Path) -> dict[str, Any]:
    whole = configuration(platforms)
    voters = [{"id": f"p{n}", "name": f"审批人{n}", "roles": ["approver"], "slack": f"U0P{n}"} for n in range(VOTERS)]
    for voter in voters:
        platforms.slack.workspace.add_user(str(voter["slack"]), str(voter["name"]))
    return {
        **whole, "store": str(folder / "fengbo.db"), "people": [*whole["people"], *voters],
        "publishers": [{"id": "news", "kind": "newsroom", "audiences": ["public"]}],
        "statements": {
            "approval": [{"need": [f"approver*{VOTERS}"]}], "values": {"hotline": "95000"}, "hotlines": ["95000"],
        },
    }  # fmt: skip


@pytest.mark.crash
async def test_an_approval_survives_being_killed_between_its_votes(tmp_path: Path) -> None:
    dice = random.Random(5)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    async with FakePlatforms() as platforms:
        whole = settings(platforms, tmp_path)
        store = tmp_path / "fengbo.db"
        (tmp_path / "fengbo.yaml").write_text(yaml.safe_dump(whole, allow_unicode=True), encoding="utf-8")
        process = Process(tmp_path, {**platforms.environment(), "PUSH_TOKEN": TOKEN}, port)
        platforms.connect(process.url)
        channel = whole["channels"]["starpay"]["slack"]

        async def say(line: str, user: str = "U0LINA") -> None:
            """Until it is acknowledged: what a person does who saw nothing happen."""
            for _ in range(400):
                if (await platforms.slack.slash(line, user, channel)).ok:
                    return
                await asyncio.sleep(0.05)
            raise AssertionError(f"never acknowledged: {line}")

        async def vote_all(line: str, first: int, last: int) -> None:
            for number in range(first, last):
                await say(line, f"U0P{number}")
                await asyncio.sleep(0.08)

        try:
            await process.start()
            await _incident(process, store)
            await say("draft I-1 public")
            await _until(store, "SELECT COUNT(*) FROM statement", 1)
            await say(f"edit S-1 说明\n{BODY}")
            await say("submit S-1")
            await _until(store, "SELECT status FROM statement WHERE id = 'S-1'", "asked")
            digest = str(_one(store, "SELECT digest FROM statement_version ORDER BY number DESC LIMIT 1"))
            voting = asyncio.create_task(vote_all(f"同意 S-1 {digest[:8]}", 0, VOTERS - 1))
            for _ in range(KILLS):
                await asyncio.sleep(dice.uniform(0.05, 0.3))
                await process.end(signal.SIGKILL)
                await process.start()
            await voting
            await say(f"publish S-1 {digest[:8]}")  # one vote is missing: this must not get anything out
            await _until(store, "SELECT COUNT(*) FROM inbox WHERE state = 'new'", 0)
            assert _one(store, "SELECT status FROM statement WHERE id = 'S-1'") == "asked"
            assert _one(store, "SELECT COUNT(*) FROM publication") == 0
            voted = "SELECT COUNT(*) FROM statement_event WHERE kind = 'voted'"
            assert _one(store, voted) == VOTERS - 1, "an acknowledged vote was lost, or counted twice"
            await vote_all(f"同意 S-1 {digest[:8]}", VOTERS - 1, VOTERS)
            await _until(store, "SELECT status FROM statement WHERE id = 'S-1'", "approved")
            await say(f"publish S-1 {digest[:8]}")
            await process.end(signal.SIGKILL)
            await process.start()
            await _until(store, "SELECT status FROM statement WHERE id = 'S-1'", "published")
            assert _one(store, "SELECT COUNT(*) FROM publication") == 1
            assert _one(store, "SELECT digest FROM publication") == digest
            assert _one(store, "SELECT COUNT(*) FROM statement_event WHERE kind = 'approved'") == 1
        finally:
            await process.end(signal.SIGTERM)


async def _incident(process: Process, store: Path) -> None:
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as session,
        session.post(f"{process.url}/api/v1/posts", json=complaints(8, WORDS["starpay"])) as answer,
    ):
        assert answer.status == 202
    await _until(store, "SELECT COUNT(*) FROM incident", 1)


def _one(store: Path, question: str) -> Any:
    with contextlib.closing(sqlite3.connect(store)) as db:
        row = db.execute(question).fetchone()
        return row[0] if row else None


async def _until(store: Path, question: str, wanted: object) -> None:
    deadline = asyncio.get_running_loop().time() + SETTLED_WITHIN
    found: Any = None
    while asyncio.get_running_loop().time() < deadline:
        with contextlib.suppress(sqlite3.Error):
            if (found := _one(store, question)) == wanted:
                return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{question}: {found}, not {wanted}")
