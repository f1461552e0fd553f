"""How soon a reviewed draft stands in the channel, and what twenty approvers pressing at once make of a quorum.

``python -m bench.statements`` starts the whole program against the fake Slack and WeCom on loopback, prints a table and
exits 1 when a target is missed.
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from bot import config as configuration
from bot.app import App
from bot.bench.result import percentile
from bot.chat.slack import adapter as slack_adapter
from bot.clock import SECOND
from bot.delivery.chat import Pace
from bot.model.grade import Grade
from bot.model.incident import SYSTEM
from bot.model.statement import StatementStatus
from bot.store import incidents as incident_store
from bot.store import publications
from bot.store import statements as store
from bot.testkit.platforms import FakePlatforms

CHANNEL, DRAFTS, APPROVERS, QUORUM = "C0ALERTS", 20, 20, 5
SUBJECT = "starpay"
BODY = (
    "今天晚间部分用户提现延迟到账，我们诚恳致歉。您不需要重复提交，有疑问请拨打 95000。\n"
    "我们会在今晚22:00前公布下一次进展。"
)
PLAYBOOK = """
id: first-words
version: 1
title: {zh-CN: 首份说明, en: First words}
summary: {zh-CN: 测量用, en: For measuring}
crisis_types: [withdrawal_failure]
industries: [general]
grades: {from: blue}
scct: {cluster: accidental, strategies: [instructing_information]}
owner: pr
review_by: 2030-01-01
roles:
  pr: {title: {zh-CN: 公关, en: PR}, department: pr, people: [pr]}
steps:
  - {id: say, kind: statement, title: {zh-CN: 说明, en: Statement}, role: pr, audience: public, template: first}
templates:
  first:
    audience: public
    title: {zh-CN: 关于提现, en: About withdrawals}
    body:
      zh-CN: "部分用户提现延迟，我们诚恳致歉。请拨打 {hotline}。"
      en: "Withdrawals are late; we are sorry. Call {hotline}."
"""


def settings(platforms: FakePlatforms, folder: Path) -> dict[str, Any]:
    people = [{"id": "lina", "name": "李娜", "roles": ["pr"], "slack": "U0LINA", "wecom": "lina"}]
    people += [
        {
            "id": f"p{number}",
            "name": f"审批人{number}",
            "roles": ["approver"],
            "slack": f"U0P{number}",
            "wecom": f"p{number}",
        }
        for number in range(APPROVERS)
    ]
    return {
        "language": "zh-CN", "store": str(folder / "fengbo.db"), "listen": "127.0.0.1:0", "people": people,
        "subjects": [{"id": SUBJECT, "name": "星辰支付", "channel": "alerts", "match": {"any": ["星辰支付"]}}],
        "channels": {"alerts": {"slack": CHANNEL, "console": "alerts"}},
        "chat": {name: value for name, value in platforms.chat_settings().items() if name in ("slack", "wecom")},
        "playbooks": {"library": str(folder / "playbooks")},
        "publishers": [{"id": "news", "kind": "newsroom", "audiences": ["public"]}],
        "statements": {
            "approval": [{"need": [f"approver*{QUORUM}"]}], "values": {"hotline": "95000"}, "hotlines": ["95000"],
        },
    }  # fmt: skip


async def until(what: Any, within: float = 30.0) -> float:
    """Seconds until something is true."""
    began = time.perf_counter()
    while not what():
        if time.perf_counter() - began > within:
            raise TimeoutError
        await asyncio.sleep(0.005)
    return time.perf_counter() - began


def opened(app: App, now: int) -> str:
    """An incident, as signals would open one."""

    def job(db: Any) -> str:
        incident = incident_store.create(
            db, subject=SUBJECT, subject_name="星辰支付", family="funds", crisis_type="withdrawal_failure", title="",
            grade=Grade.YELLOW, signals=(), now=now,
        )  # fmt: skip
        app.notices.show(db, incident, now, reason="opened")
        incident_store.note(db, incident.id, "opened", now, SYSTEM, {"grade": "yellow"})
        return incident.id

    name: str = app.store.write_now(job)
    app._changed()
    return name


async def drafts(app: App, platforms: FakePlatforms) -> list[float]:
    """Seconds from the line that starts the playbook to the reviewed draft's card in the channel."""
    slack, taken = platforms.slack, []
    for number in range(1, DRAFTS + 1):
        incident = opened(app, app.clock.now())
        card = await slack.wait_for_message(CHANNEL, incident)
        began = time.perf_counter()
        await slack.slash(f"start first-words {incident}", "U0LINA", CHANNEL)
        wanted = f"S-{number} "
        await until(lambda card=card, wanted=wanted: any(
            wanted in message.visible and "机器审稿" in message.visible for message in slack.thread(card)
        ))  # fmt: skip
        taken.append(time.perf_counter() - began)
    return taken


async def votes(app: App, platforms: FakePlatforms, url: str) -> tuple[float, int, int, int]:
    """Twenty people at once: ``(seconds until all are answered, votes counted, approvals, publications)``."""
    slack, wecom = platforms.slack, platforms.wecom
    await slack.slash(f"edit S-1 说明\n{BODY}", "U0LINA", CHANNEL)
    await slack.slash("submit S-1", "U0LINA", CHANNEL)
    await until(lambda: app.store.read_now(lambda db: store.get(db, "S-1")).status is StatementStatus.ASKED)
    statement = app.store.read_now(lambda db: store.get(db, "S-1"))
    digest = app.store.read_now(lambda db: store.version(db, statement)).digest[:8]
    line = f"同意 S-1 {digest}"

    async def console(number: int) -> None:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
            async with session.get(f"{url}/console/seat/p{number}"):
                pass
            body = {"channel": "alerts", "text": line, "key": f"bench-{number:032d}", "anchor": ""}
            async with session.post(f"{url}/console/say", json=body, headers={"Origin": url}) as answer:
                assert answer.status == 202, answer.status

    ways = [
        slack.slash(line, f"U0P{number}", CHANNEL) if number % 3 == 0
        else wecom.say(f"p{number}", line) if number % 3 == 1
        else console(number)
        for number in range(APPROVERS)
    ]  # fmt: skip
    began = time.perf_counter()
    await asyncio.gather(*ways)
    await until(lambda: app.store.read_now(lambda db: db.conn.execute(
        "SELECT COUNT(*) FROM inbox WHERE payload LIKE ? AND state = 'done'", (f"%S-1 {digest}%",)
    ).fetchone()[0]) >= APPROVERS)  # fmt: skip
    seconds = time.perf_counter() - began
    counted = app.store.read_now(lambda db: len(store.events(db, "S-1", "voted")))
    approved = app.store.read_now(lambda db: len(store.events(db, "S-1", "approved")))
    presses = [slack.slash(f"publish S-1 {digest}", "U0LINA", CHANNEL) for _ in range(5)]
    await asyncio.gather(*presses)
    await until(lambda: app.store.read_now(lambda db: store.get(db, "S-1")).status is StatementStatus.PUBLISHED)
    out = app.store.read_now(lambda db: len(publications.public_items(db, 100)))
    return seconds, counted, approved, out


async def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "playbooks" / "general").mkdir(parents=True)
        (folder / "playbooks" / "general" / "first-words.yaml").write_text(PLAYBOOK, encoding="utf-8")
        slack_adapter.CHANNEL_PACE = Pace(100, SECOND)  # Slack's message a second and channel is not what is measured
        async with FakePlatforms() as platforms:
            os.environ.update(platforms.environment())
            for number in range(APPROVERS):
                platforms.slack.workspace.add_user(f"U0P{number}", f"审批人{number}")
                platforms.wecom.corporation.members[f"p{number}"] = f"审批人{number}"
            text = yaml.safe_dump(settings(platforms, folder), allow_unicode=True)
            app = App(configuration.parse(text, "bench.yaml"))
            await app.start()
            url = f"http://127.0.0.1:{app.port}"
            platforms.connect(url)
            try:
                taken = await drafts(app, platforms)
                seconds, counted, approved, out = await votes(app, platforms, url)
            finally:
                await app.stop()
    worst = percentile(taken, 99)
    print(
        f"playbook start to reviewed draft in the channel: median {statistics.median(taken) * 1000:.0f} ms, "
        f"p99 {worst * 1000:.0f} ms of {len(taken)} (target 2,000 ms)"
    )
    print(
        f"{APPROVERS} approvers at once over three chats: {counted} votes counted (quorum {QUORUM}), "
        f"{approved} approval, {out} publication after five presses; all answered in {seconds * 1000:.0f} ms"
    )
    print(f"load average {os.getloadavg()[0]:.1f}")
    return 0 if worst <= 2 and (counted, approved, out) == (QUORUM, 1, 1) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
