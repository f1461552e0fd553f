"""A real process, killed with SIGKILL while it publishes: no statement lost, none published twice."""

import asyncio
import random
import signal
import sqlite3
import sys
from pathlib import Path

import pytest
from publish_process import STATEMENTS, approved

from bot.testkit.fake_mail import FakeMail
from bot.testkit.fake_system import FakeSystem

KILLS = 8
WITHIN = 90.0
CONFIG = """
language: zh-CN
store: {folder}/fengbo.db
chat: {{email: {{host: 127.0.0.1, port: {port}, sender: pr@corp.example}}}}
linkage:
  systems: {{cms: {{base_url: "{cms}", auth: {{secret_env: CMS_TOKEN}}}}}}
  actions: {{account: {{system: cms, preset: publish, path: /articles}}}}
publishers:
  - {{id: newsroom, kind: newsroom, audiences: [public], url: "https://news.example", folder: "{folder}/site"}}
  - {{id: account, kind: webhook, audiences: [public], action: account}}
  - {{id: press, kind: email, audiences: [public], to: [desk@paper.example, news@tv.example]}}
"""


@pytest.mark.crash
async def test_publishing_survives_being_killed_at_any_instant(tmp_path: Path) -> None:
    dice, in_the_midst = random.Random(11), 0
    async with FakeMail() as mail, FakeSystem(once=True) as cms:
        settings = CONFIG.format(folder=tmp_path, cms=cms.url, port=mail.port)
        (tmp_path / "fengbo.yaml").write_text(settings, encoding="utf-8")
        for kill in range(KILLS + 1):
            child = await asyncio.create_subprocess_exec(
                sys.executable, str(Path(__file__).with_name("publish_process.py")), str(tmp_path)
            )
            if kill < KILLS:
                seen = len(cms.calls) + len(mail.mails)
                await until(lambda: (tmp_path / "fengbo.db").exists(), child)
                if kill:  # let something happen in every life, and die in the midst of it
                    await until(lambda seen=seen: len(cms.calls) + len(mail.mails) > seen or settled(tmp_path), child)
                await asyncio.sleep(dice.uniform(0.0, 0.12))
            else:
                await until(lambda: settled(tmp_path), child)
            in_the_midst += not settled(tmp_path)
            child.send_signal(signal.SIGKILL)
            await child.wait()
        assert in_the_midst >= KILLS // 2, "it was killed while there was work"
        bodies = sorted(done.body["body"] for done in cms.done)
        assert bodies == sorted(approved(number)[1].body for number in range(1, STATEMENTS + 1)), "each article once"
        letters = {(letter.recipients, str(letter.message["Message-ID"])) for letter in mail.mails}
        assert len(letters) == 2 * STATEMENTS, "each receiver once: what came twice is the same mail"
        assert len(mail.mails) <= len(letters) + KILLS, "a kill doubles the one mail that was under way at most"
        pages = {path.parent.name for path in (tmp_path / "site").glob("*/index.html")}
        assert len(pages) == STATEMENTS


def settled(folder: Path) -> bool:
    """Whether every publication is done."""
    with sqlite3.connect(f"file:{folder}/fengbo.db?mode=ro", uri=True) as db:
        tables = db.execute("SELECT COUNT(*) FROM sqlite_master WHERE name = 'publication'").fetchone()[0]
        if not tables:
            return False
        return bool(db.execute("SELECT COUNT(*) FROM publication WHERE state = 'done'").fetchone()[0] == STATEMENTS)


async def until(what: object, child: asyncio.subprocess.Process) -> None:
    deadline = asyncio.get_running_loop().time() + WITHIN
    while not what():  # type: ignore[operator]
        assert child.returncode is None, "the process ended by itself"
        assert asyncio.get_running_loop().time() < deadline, "it does not get there"
        await asyncio.sleep(0.01)
