"""A house that can publish: a gate that tests open and shut, real linkage, mail and customers, on loopback."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from factories import CONFIG, House, actor, house
from sqlite_utils import Database

from bot.chat.mail import MailChat
from bot.clock import SECOND
from bot.config import EmailConfig, parse
from bot.delivery.alarm import Alarm
from bot.delivery.chat import Pace
from bot.delivery.outbox import Placement, Row
from bot.delivery.sender import Sender
from bot.incidents.notices import Notices
from bot.model.grade import Grade
from bot.model.incident import Incident
from bot.model.publication import Publication, Receipt
from bot.model.statement import Statement, StatementKind, StatementStatus, Version
from bot.model.text import UserError
from bot.response import customers
from bot.response.customers import Customers
from bot.response.linkage import Linkage, LinkageWorker
from bot.response.results import CallResults
from bot.response.transport import open_session
from bot.statements.publishing import Publishing
from bot.store.calls import Call
from bot.testkit.fake_mail import FakeMail
from bot.testkit.fake_system import FakeSystem

BOSS = actor("chenjing", "陈静", roles=frozenset({"pr_head"}))
TITLE = "关于提现延迟的说明"
BODY = "各位用户：\n\n今天 10:20 起，部分提现较慢。资金<b>安全</b> & 18:00 前再次说明。\n\n  星河支付 😀\n"
ENVIRON = {"CMS_TOKEN": "fake-system-token", "CMS_KEY": "fake-system-signing-key"}
PUBLISHERS = """
linkage:
  systems:
    cms: {{base_url: "{cms}", auth: {{secret_env: CMS_TOKEN}}, sign: {{key_env: CMS_KEY}}, timeout: 1s}}
  actions:
    official-account: {{system: cms, preset: publish, path: /articles}}
    unsure: {{system: cms, preset: publish, path: /unsure, idempotent: false}}
  customers:
    segments:
      withdrawals: {{file: "{folder}/affected.csv", map: {{name: 姓名, email: 邮箱, consent: 同意}}}}
publishers:
  - {{id: newsroom, kind: newsroom, title: 新闻中心, audiences: [public, media], url: "https://news.corp.example"}}
  - {{id: account, kind: webhook, title: 公众号, audiences: [public], action: official-account}}
  - {{id: unsure, kind: webhook, audiences: [kols], action: unsure}}
  - {{id: press, kind: email, title: 媒体名单, audiences: [public, media], embargoed: true,
      to: [desk@paper.example, lina, news@tv.example]}}
  - {{id: all-staff, kind: slack, title: 全员群, audiences: [staff], to: [C0STAFF]}}
  - {{id: leaders, kind: wecom, audiences: [management], to: [chenjing]}}
  - {{id: war-room, kind: channel, audiences: [core_team], channel: pr-alerts}}
  - {{id: clients, kind: customers, title: 受影响客户, audiences: [affected_customers], segment: withdrawals}}
  - {{id: weibo, kind: manual, title: 官方微博, audiences: [public], url: "https://weibo.com/xinghe"}}
"""


@dataclass
class FakeGate:
    """Lets a digest through while it is approved; keeps what it was asked."""

    approved: set[str] = field(default_factory=set)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def may_publish(self, db: Database, statement_id: str, digest: str, now: int) -> None:
        assert db.conn.in_transaction, "asked inside the transaction of the hand-over"
        self.asked.append((statement_id, digest))
        if digest not in self.approved:
            raise UserError("error.not_being_published", statement=statement_id)


class Recorder:
    """A chat that keeps what it is told to send."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.sent: list[Row] = []

    def pace(self, destination: str) -> Pace | None:
        return None

    async def send(self, row: Row, placement: Placement | None, thread: Placement | None) -> Placement | None:
        self.sent.append(row)
        return None

    async def find(self, row: Row) -> tuple[bool, Placement | None]:
        return any(one.key == row.key for one in self.sent), None


@dataclass
class Scene:
    house: House
    folder: Path
    gate: FakeGate
    publishing: Publishing
    service: Customers
    linkage: Linkage
    worker: LinkageWorker
    alarm: Alarm
    sender: Sender
    mail: FakeMail
    cms: FakeSystem
    chats: dict[str, Recorder]
    incident: Incident
    settled: list[tuple[str, bool]]
    config: Any

    @property
    def now(self) -> int:
        return self.house.now

    def statement(self, audience: str = "public", number: int = 1, **fields: Any) -> tuple[Statement, Version]:
        """An approved statement of this incident."""
        body = fields.pop("body", BODY)
        title = fields.pop("title", TITLE)
        values: dict[str, Any] = {
            "incident": self.incident.id, "drill": self.incident.drill, "kind": StatementKind.ORIGINAL,
            "language": "zh-CN", "status": StatementStatus.APPROVED, "grade": Grade.YELLOW, "version": 2,
            "created_at": self.now, "updated_at": self.now,
        }  # fmt: skip
        made = Statement(id=f"S-{number}", audience=audience, **{**values, **fields})
        version = Version(made.id, 2, audience, made.language, title, body, "lina", "李娜", "slack", self.now)
        self.gate.approved.add(version.digest)
        return made, version

    def begin(self, statement: Statement, version: Version, **more: int) -> Publication:
        return self.house.do(  # type: ignore[no-any-return]
            lambda db: self.publishing.begin(db, statement, version, BOSS, self.now, **more)
        )

    def act(self, method: str, *args: Any, **more: Any) -> Any:
        """What a person does: ``confirm`` or ``again``."""
        return self.house.do(lambda db: getattr(self.publishing, method)(db, *args, BOSS, self.now, **more))

    def cancel(self, statement_id: str = "S-1") -> bool:
        return bool(self.house.do(lambda db: self.publishing.cancel(db, statement_id, BOSS, self.now, "改时间")))

    def receipts(self, statement_id: str = "S-1") -> dict[str, Receipt]:
        found: Sequence[Receipt] = self.house.look(lambda db: self.publishing.receipts(db, statement_id))
        return {one.target: one for one in found}

    def states(self, statement_id: str = "S-1") -> dict[str, str]:
        return {name: one.state.value for name, one in self.receipts(statement_id).items()}

    def state(self, statement_id: str = "S-1") -> str:
        found = self.house.look(lambda db: self.publishing.publication(db, statement_id))
        return found.state.value if found else ""

    def said(self) -> str:
        """What the incident's thread was told about publishing."""
        rows = self.house.look(
            lambda db: db.conn.execute(
                "SELECT json_extract(message, '$.text') FROM outbox WHERE json_extract(message, '$.reason') = 'publish'"
                " AND json_extract(message, '$.thread') <> ''"
            ).fetchall()
        )
        return "\n".join(row[0] for row in rows)

    async def rest(self) -> None:
        """Let everything that is due now happen."""
        for _ in range(600):
            await self.alarm.fire_due()
            self.sender.wake()
            self.worker.wake()
            await asyncio.sleep(0.002)
            idle = await self.sender.idle() and await self.worker.idle() and not self.alarm._out
            if idle and not await self.alarm.fire_due():
                return
        raise AssertionError("it does not come to rest")

    async def pass_time(self, milliseconds: int, step: int = 5 * SECOND) -> None:
        for _ in range(max(1, milliseconds // step)):
            await self.house.clock.advance(min(step, milliseconds))
            await self.rest()


@asynccontextmanager
async def scene(folder: Path, text: str = PUBLISHERS, *, drill: bool = False) -> AsyncIterator[Scene]:
    (folder / "affected.csv").write_text("姓名,邮箱,同意\n王芳,wang@example.com,是\n", encoding="utf-8")
    first = house(folder)
    async with FakeMail() as mail, FakeSystem(first.clock, once=True, signed=True) as cms, open_session() as session:
        settings = parse(CONFIG + text.format(cms=cms.url, folder=folder), "fengbo.yaml")
        notices = Notices(settings, first.cards)
        gate, settled = FakeGate(), list[tuple[str, bool]]()
        linkage = Linkage(settings)
        service = Customers(settings, notices, first.clock, lambda: session, {})
        publishing = Publishing(settings, notices, linkage, service, gate)
        publishing.listen(lambda db, statement_id, ok, now: settled.append((statement_id, ok)))
        shown = CallResults(notices)

        def results(db: Database, call: Call, now: int) -> None:
            shown(db, call, now)
            publishing.on_call(db, call, now)

        linkage.listen(results)
        recorders = {name: Recorder(name) for name in ("slack", "wecom", "console")}
        post = MailChat(EmailConfig(host=mail.host, port=mail.port, sender="pr@corp.example"))
        drills = frozenset({"slack:C0DRILL", "console:drill"})
        sender = Sender(first.store, first.clock, {**recorders, "email": post}, drill_destinations=drills)
        handlers = {customers.FEED: service.feed, customers.FORGET: service.forget, **publishing.timers()}
        ignored = {kind: lambda db, timer, now: None for kind in ("escalate", "refresh", "publish_folder")}
        alarm = Alarm(first.store, first.clock, {**ignored, **handlers}, None, {customers.COUNT: service.count})
        worker = LinkageWorker(first.store, first.clock, settings, session, results, ENVIRON)
        incident = first.judge(Grade.YELLOW, drill="D-1" if drill else "")
        assert incident is not None
        first.do(lambda db: db.conn.execute("UPDATE outbox SET state = 'sent', sent_at = 1"))
        tasks = [asyncio.create_task(part) for part in (sender.run(), worker.run())]
        try:
            yield Scene(
                first, folder, gate, publishing, service, linkage, worker, alarm, sender, mail, cms, recorders,
                incident, settled, settings,
            )  # fmt: skip
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            first.store.close()
