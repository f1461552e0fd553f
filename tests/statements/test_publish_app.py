"""The whole program: a statement drafted, approved and published from chat, read by the public, filed for auditors."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from click.testing import CliRunner
from factories import event, verdict
from test_publish_newsroom import text_of

from bot.app import App
from bot.cli import cli
from bot.config import parse
from bot.model.grade import Grade
from bot.model.statement import StatementStatus
from bot.store import audit, publications
from bot.store import incidents as incident_store
from bot.store import statements as statement_store
from bot.testkit.fake_system import FakeSystem
from bot.warning.assess import thresholds

CONFIG = """
language: zh-CN
store: "{folder}/fengbo.db"
listen: 127.0.0.1:0
subjects: [{{id: xinghe-pay, name: 星河支付, match: {{any: [星河支付]}}, channel: pr}}]
people:
  - {{id: lina, name: 李娜, roles: [pr]}}
  - {{id: chenjing, name: 陈静, roles: [pr_head, admin]}}
  - {{id: zhaolei, name: 赵磊, roles: [legal]}}
channels: {{pr: {{console: alerts}}, drill: {{console: drill}}}}
publishers:
  - {{id: newsroom, kind: newsroom, title: 新闻中心, audiences: [public], folder: "{folder}/site"}}
  - {{id: weibo, kind: manual, title: 官方微博, audiences: [public]}}
  - {{id: staff, kind: channel, audiences: [staff], channel: pr}}
statements: {{values: {{hotline: "95000"}}, hotlines: ["95000"]}}
"""
BODY = """星河支付今天晚间部分用户提现延迟到账，我们向每一位受影响的用户致歉。
技术人员正在逐笔处理。您不需要重复提交，请留意应用内的通知；有疑问请拨打 95000。
我们会在11月28日22:00前公布下一次进展。"""


@dataclass
class Program:
    app: App
    url: str
    session: aiohttp.ClientSession
    folder: Path
    said: int = 0

    async def say(self, line: str, account: str = "lina") -> str:
        """What the program answers."""
        self.said += 1
        number, spoken = self.said, event(line, account=account, chat="console", destination="console:alerts")

        def job(db: Any) -> str:
            self.app.dispatcher.handle(db, number, spoken, self.app.clock.now(), self.app.clock.now())
            rows = db.conn.execute("SELECT message FROM outbox WHERE key LIKE ?", (f"inbox:{number}:%",)).fetchall()
            return "\n".join(row[0] for row in rows)

        answer = await self.app.store.write(job)
        self.app._changed()
        return answer

    async def get(self, path: str) -> tuple[int, bytes, Any]:
        async with self.session.get(self.url + path, allow_redirects=False) as answer:
            return answer.status, await answer.read(), answer.headers

    async def until(self, what: Callable[[Any], Any], within: float = 20.0) -> Any:
        """The first true value that a look into the store gives."""
        deadline = asyncio.get_running_loop().time() + within
        while not (value := await self.app.store.read(what)):
            assert asyncio.get_running_loop().time() < deadline, "it does not happen"
            await asyncio.sleep(0.02)
        return value

    async def approved(self, drill: str = "") -> str:
        """A public statement that everybody needed agreed to; returns its digest."""
        found = verdict(Grade.YELLOW, drill=drill)
        rules, now = thresholds("general"), self.app.clock.now()
        incident = await self.app.store.write(lambda db: self.app.incidents.apply(db, found, rules, now))
        await self.say(f"起草 {incident.id} 公众")
        await self.say(f"改稿 S-1 关于提现延迟的说明\n{BODY}")
        await self.say("送审 S-1")
        version = await self.app.store.read(lambda db: statement_store.version(db, statement_store.get(db, "S-1")))
        for account in ("chenjing", "zhaolei"):
            await self.say(f"同意 S-1 {version.digest[:8]}", account)
        statement = await self.app.store.read(lambda db: statement_store.get(db, "S-1"))
        assert statement.status is StatementStatus.APPROVED
        return str(version.digest)


@asynccontextmanager
async def program(folder: Path, more: str = "", settings: str = CONFIG) -> AsyncIterator[Program]:
    text = settings.format(folder=folder) + more
    (folder / "fengbo.yaml").write_text(text, encoding="utf-8")
    app = App(parse(text, "fengbo.yaml"))
    await app.start()
    async with aiohttp.ClientSession() as session:
        try:
            yield Program(app, f"http://127.0.0.1:{app.port}", session, folder)
        finally:
            await app.stop()


def status(wanted: StatementStatus) -> Callable[[Any], bool]:
    return lambda db: statement_store.get(db, "S-1").status is wanted


async def test_from_the_draft_to_the_newsroom_and_the_approval_file(tmp_path: Path) -> None:
    async with program(tmp_path) as it:
        digest = await it.approved()
        await it.say(f"发布 S-1 {digest[:8]}", "chenjing")
        item = await it.until(lambda db: publications.item_of(db, "S-1"))
        code, page, headers = await it.get(f"/newsroom/{item.slug}")
        assert code == 200 and text_of(page.decode()).found == BODY and digest in page.decode()
        assert "script-src" not in headers["Content-Security-Policy"]
        assert item.slug in (await it.get("/newsroom"))[1].decode()
        assert "手工发布" in str(await it.app.store.read(lambda db: db.conn.execute(
            "SELECT group_concat(message) FROM outbox WHERE message LIKE '%publish%'").fetchone()[0]))  # fmt: skip
        await it.until(lambda db: publications.receipts(db, 1)[0].state.good)
        assert (tmp_path / "site" / item.slug / "index.html").is_file()
        assert "官方微博" in await it.say("回执 S-1") and await it.app.store.read(status(StatementStatus.PUBLISHING))
        await it.say("已发布 S-1 weibo https://weibo.com/1/abc")
        await it.until(status(StatementStatus.PUBLISHED))
        kinds = [entry.kind for entry in await it.app.store.read(lambda db: incident_store.timeline(db, "I-1"))]
        assert "publication_begun" in kinds and "publication_settled" in kinds and "statement_published" in kinds
        assert await it.app.store.read(audit.verify) is None
        code, page, _ = await it.get("/statements/S-1")
        shown = page.decode()
        assert code == 200 and digest in shown and "陈静" in shown and "https://weibo.com/1/abc" in shown
        assert "逐字相同" in shown and "完整无改动" in shown
        code, sealed, _ = await it.get("/statements/S-1.json")
        assert hashlib.sha256(sealed).hexdigest() == digest
        code, made, headers = await it.get("/statements/S-1.pdf")
        assert code == 200 and made.startswith(b"%PDF") and headers["Content-Type"] == "application/pdf"
        assert (await it.get("/statements/S-9"))[0] == 404
    done = await asyncio.to_thread(export, tmp_path, "s-1")
    assert done.exit_code == 0 and digest in (tmp_path / "S-1.html").read_text()
    assert (await asyncio.to_thread(export, tmp_path, "S-7")).exit_code == 2


def export(folder: Path, statement: str) -> Any:
    arguments = ["statement", "export", statement, "--html", "--out", str(folder / "S-1.html")]
    return CliRunner().invoke(cli, [*arguments, "--config", str(folder / "fengbo.yaml")])


LINKED = """
linkage:
  systems: {{cms: {{base_url: "{url}", auth: {{secret_env: CMS}}}}}}
  actions: {{account: {{system: cms, preset: publish, path: /articles}}}}
"""


async def test_a_target_that_failed_is_tried_again_after_the_text_is_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CMS", "fake-system-token")
    settings = CONFIG.replace("id: weibo, kind: manual,", "id: account, kind: webhook, action: account,")
    async with FakeSystem(once=True) as cms, program(tmp_path, LINKED.format(url=cms.url), settings) as it:
        cms.answers["POST /articles"] = (422, {}, {"error": "no cover"})
        digest = await it.approved()
        await it.say(f"发布 S-1 {digest[:8]}", "chenjing")
        await it.until(status(StatementStatus.PUBLISHED))
        assert "no cover" in await it.say("回执 S-1")
        cms.answers["POST /articles"] = {"id": "A-1", "url": "https://mp.example/A-1"}
        await it.say("重新发布 S-1 account")
        await it.until(lambda db: publications.latest(db, "S-1").state.value == "done")
        assert "https://mp.example/A-1" in await it.say("回执 S-1") and cms.done[-1].body["body"] == BODY


async def test_an_edit_while_it_is_scheduled_publishes_nothing(tmp_path: Path) -> None:
    async with program(tmp_path) as it:
        digest = await it.approved()
        await it.say(f"发布 S-1 {digest[:8]} 2h", "chenjing")
        assert await it.app.store.read(status(StatementStatus.SCHEDULED))
        await it.say(f"改稿 S-1 关于提现延迟的说明\n{BODY}再改一句。")
        await it.app.store.write(lambda db: db.conn.execute("UPDATE timer SET due_at = 1 WHERE kind = 'publish_due'"))
        it.app._changed()
        await asyncio.sleep(0.3)
        assert await it.app.store.read(lambda db: publications.item_of(db, "S-1")) is None
        assert (await it.get("/newsroom"))[1].decode().count("/newsroom/2") == 0


async def test_a_drill_is_published_as_a_preview_only(tmp_path: Path) -> None:
    async with program(tmp_path) as it:
        digest = await it.approved(drill="D-1")
        await it.say(f"发布 S-1 {digest[:8]}", "chenjing")
        await it.until(status(StatementStatus.PUBLISHED))
        for path in ("/newsroom", "/newsroom/feed.atom", "/newsroom/feed.json"):
            assert "致歉" not in (await it.get(path))[1].decode()
        assert not (tmp_path / "site").exists()
        code, page, _ = await it.get("/statements/preview/S-1")
        assert code == 200 and "演练预览" in page.decode() and text_of(page.decode()).found == BODY


async def test_strangers_read_the_newsroom_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T", "a-token-of-the-tests")
    async with program(tmp_path, "tokens: [{name: lina, token_env: T, may: [act], person: lina}]\n") as it:
        digest = await it.approved()
        await it.say(f"发布 S-1 {digest[:8]}", "chenjing")
        await it.until(lambda db: publications.item_of(db, "S-1"))
        assert (await it.get("/newsroom"))[0] == 200
        for path in ("/statements/S-1", "/statements/S-1.pdf", "/statements/S-1.json", "/statements/preview/S-1"):
            code, body, _ = await it.get(path)
            assert code == 303 and "致歉" not in body.decode()
