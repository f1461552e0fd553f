"""Telling affected customers: counted first, sent by whoever may, throttled, stopped, forgotten; never from a drill."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from factories import CONFIG, House, actor, house

from bot.chat.mail import MailChat
from bot.chat.sms import SmsChat
from bot.clock import DAY, MINUTE, SECOND
from bot.config import EmailConfig, SmsConfig, parse
from bot.config_linkage import SegmentConfig
from bot.delivery import timers
from bot.delivery.alarm import Alarm
from bot.delivery.sender import Sender
from bot.incidents.notices import Notices
from bot.model.grade import Grade
from bot.model.incident import Incident
from bot.model.text import UserError
from bot.response import customers, segments
from bot.response.customers import Customers
from bot.response.transport import open_session
from bot.store import incidents as incident_store
from bot.store import notices as store
from bot.store.notices import Notice
from bot.testkit.fake_mail import FakeMail
from bot.testkit.fake_sms import FakeSms
from bot.testkit.fake_system import FakeSystem

BOSS = actor("chenjing", "陈静", roles=frozenset({"pr_head"}))
TEXT = "{name}您好，您的提现 {amount} 元正在处理，资金安全。"
HEAD = "姓名,邮箱,手机,同意,金额\n"


@dataclass
class Scene:
    house: House
    service: Customers
    alarm: Alarm
    sender: Sender
    mail: FakeMail
    sms: FakeSms
    incident: Incident

    def prepare(self, text: str = TEXT, title: str = "关于您的提现", incident: Incident | None = None) -> Notice:
        found = self.house.do(
            lambda db: self.service.prepare(
                db, incident or self.incident, "withdrawals", title, text, BOSS, self.house.now
            )
        )
        assert isinstance(found, Notice)
        return found

    def do(self, name: str, notice_id: int, by: Any = BOSS) -> Any:
        return self.house.do(lambda db: getattr(self.service, name)(db, notice_id, by, self.house.now))

    def notice(self, notice_id: int) -> Notice:
        found = self.house.look(lambda db: store.get(db, notice_id))
        assert found is not None
        return found

    def progress(self, notice_id: int) -> dict[str, int]:
        return self.house.look(lambda db: store.progress(db, notice_id))  # type: ignore[no-any-return]

    async def pass_time(self, milliseconds: int, step: int = 10 * SECOND) -> None:
        for _ in range(max(1, milliseconds // step)):
            await self.house.clock.advance(step)
            await self.rest()

    async def rest(self) -> None:
        for _ in range(300):
            await self.alarm.fire_due()
            self.sender.wake()
            await asyncio.sleep(0.003)
            if await self.sender.idle() and not self.alarm._out:
                return
        raise AssertionError("it does not come to rest")


@asynccontextmanager
async def scene(folder: Path, table: str, linkage: str = "", per_minute: int = 6000) -> AsyncIterator[Scene]:
    file = folder / "affected.csv"
    file.write_text(table, encoding="utf-8")
    segment = (
        linkage
        or f"""
    customers:
      per_minute: {per_minute}
      segments:
        withdrawals:
          file: {file}
          map: {{name: 姓名, email: 邮箱, phone: 手机, consent: 同意, amount: 金额}}
          fields: [amount]
"""
    )
    settings = parse(CONFIG + "linkage:" + segment.replace("\n    ", "\n  "), "fengbo.yaml")
    first = house(folder)
    async with FakeMail() as mail, FakeSms(first.clock) as sms, open_session() as session:
        notices = Notices(settings, first.cards)
        service = Customers(settings, notices, first.clock, lambda: session, {})
        chats = {
            "email": MailChat(EmailConfig(host=mail.host, port=mail.port, sender="fengbo@corp.example")),
            "sms": SmsChat(SmsConfig(url=sms.send_url, token_env="T"), first.clock, environ={"T": sms.token}),
        }
        sender = Sender(first.store, first.clock, chats, drill_destinations=frozenset({"slack:C0DRILL"}))
        alarm = Alarm(
            first.store, first.clock, {customers.FEED: service.feed, customers.FORGET: service.forget}, None,
            {customers.COUNT: service.count},
        )  # fmt: skip
        incident = first.judge(Grade.YELLOW)
        assert incident is not None
        first.do(lambda db: db.conn.execute("UPDATE outbox SET state = 'sent', sent_at = 1"))
        first.do(lambda db: db.conn.execute("UPDATE timer SET state = 'cancelled'"))
        task = asyncio.create_task(sender.run())
        try:
            yield Scene(first, service, alarm, sender, mail, sms, incident)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await chats["sms"].close()
            first.store.close()


def said(it: Scene) -> str:
    rows = it.house.look(
        lambda db: db.conn.execute('SELECT message FROM outbox WHERE message LIKE \'%"reason":"notice"%\'').fetchall()
    )
    return "\n".join(row[0] for row in rows)


TABLE = HEAD + "\n".join(
    [
        "王芳,wang@example.com,,是,100", "李强,,13800000001,同意,200", "赵敏,zhao@example.com,13800000002,否,300",
        "孙丽,not an address,12,是,400", "周杰,WANG@example.com,,是,500", "吴昊,wu@example.com,,yes,",
        f"郑爽{'长' * 200},,13800000003,1,600",
    ]
)  # fmt: skip


async def test_the_count_comes_first_says_why_not_and_sends_nothing(tmp_path: Path) -> None:
    async with scene(tmp_path, TABLE) as it:
        made = it.prepare()
        await it.pass_time(MINUTE)
        counted = it.notice(made.id)
        assert counted.state == "counted"
        assert counted.counts == {
            "all": 7, "email": 1, "sms": 1, "no_consent": 1, "no_address": 1, "no_doubled": 1, "no_field": 1,
            "no_too_long": 1,
        }  # fmt: skip
        assert it.mail.mails == [] and it.sms.sent == []
        assert "共 7 位客户" in said(it) and "未同意接收 1" in said(it) and "wang@example.com" not in said(it)
        kept = it.house.look(
            lambda db: db.conn.execute("SELECT * FROM notice_person WHERE state = 'excluded'").fetchall()
        )
        assert len(kept) == 5 and "zhao@example.com" not in repr(kept), "whoever is not told leaves nothing behind"


async def test_everybody_gets_their_own_words_by_their_own_channel(tmp_path: Path) -> None:
    async with scene(tmp_path, TABLE) as it:
        made = it.prepare()
        await it.rest()
        it.do("send", made.id)
        await it.pass_time(MINUTE)
        (mail,), (short,) = it.mail.mails, it.sms.sent
        assert mail.message["To"] == "wang@example.com" and "100 元" in mail.message.get_body(("plain",)).get_content()
        assert "级别" not in mail.message.get_body(("plain",)).get_content(), "a customer is no reader of alerts"
        assert short.phone == "13800000001" and short.text == "李强您好，您的提现 200 元正在处理，资金安全。"
        assert it.notice(made.id).state == "done" and it.progress(made.id) == {"sent": 2, "excluded": 5}
        assert "成功 2" in said(it)


async def test_only_the_configured_roles_send_and_a_text_cannot_change_after_the_count(tmp_path: Path) -> None:
    async with scene(tmp_path, TABLE) as it:
        made = it.prepare()
        with pytest.raises(UserError, match="notice_state"):
            it.do("send", made.id)
        await it.rest()
        with pytest.raises(UserError, match="forbidden"):
            it.do("send", made.id, actor())
        it.do("send", made.id)
        with pytest.raises(UserError, match="notice_state"):
            it.do("send", made.id)
        audit = it.house.look(lambda db: [row[0] for row in db.conn.execute("SELECT action FROM audit")])
        assert [name for name in audit if name.startswith("notice")] == ["notice_prepared", "notice_sent"]


async def test_it_is_throttled_stopped_at_once_and_goes_on_without_doubling(tmp_path: Path) -> None:
    table = HEAD + "\n".join(f"客户{n},c{n}@example.com,,是,{n + 1}" for n in range(60))
    async with scene(tmp_path, table, per_minute=60) as it:
        made = it.prepare()
        await it.rest()
        it.do("send", made.id)
        await it.rest()
        assert len(it.mail.mails) == 10, "a slice of ten seconds"
        await it.pass_time(10 * SECOND)
        assert len(it.mail.mails) == 20
        _, progress = it.do("stop", made.id)
        assert progress == {"sent": 20, "waiting": 40}
        await it.pass_time(5 * MINUTE)
        assert len(it.mail.mails) == 20 and it.notice(made.id).state == "stopped"
        it.do("send", made.id)
        await it.pass_time(2 * MINUTE)
        receivers = [mail.message["To"] for mail in it.mail.mails]
        assert len(receivers) == 60 == len(set(receivers)) and it.notice(made.id).state == "done"


async def test_what_waits_in_the_outbox_is_taken_back_by_a_stop(tmp_path: Path) -> None:
    async with scene(tmp_path, TABLE) as it:
        made = it.prepare()
        await it.rest()
        it.do("send", made.id)
        feed = it.house.look(lambda db: timers.due(db, it.house.now))
        (timer,) = [item for item in feed if item.kind == customers.FEED]
        it.house.do(lambda db: it.service.feed(db, timer, it.house.now))
        _, progress = it.do("stop", made.id)
        assert progress.get("waiting", 0) + progress.get("queued", 0) + progress.get("sent", 0) == 2
        assert it.house.look(
            lambda db: db.conn.execute(
                "SELECT COUNT(*) FROM outbox WHERE key LIKE 'notice:1:_' AND state = 'waiting'"
            ).fetchone()
        ) == (0,)


async def test_a_drill_looks_nobody_up_and_tells_nobody(tmp_path: Path) -> None:
    async with scene(tmp_path, TABLE) as it:
        drill = it.house.do(
            lambda db: incident_store.create(
                db, subject="xinghe-pay", subject_name="星河支付", family="funds", crisis_type="withdrawal_failure",
                title="t", grade=Grade.RED, signals=(), now=it.house.now, drill="spring",
            )
        )  # fmt: skip
        made = it.prepare(incident=drill)
        await it.pass_time(MINUTE)
        assert it.notice(made.id).state == "simulated"
        with pytest.raises(UserError, match="drill"):
            it.do("send", made.id)
        # Whatever state a defect puts it in, the feeder and the sender refuse.
        it.house.do(lambda db: db.conn.execute("UPDATE notice SET state = 'sending'"))
        it.house.do(lambda db: store.fill(db, made.id, [store.Recipient("a", "email", "a@example.com", {})]))
        it.house.do(lambda db: timers.schedule(
            db, customers.FEED, str(made.id), it.house.now, it.house.now))  # fmt: skip
        await it.pass_time(MINUTE)
        assert it.mail.mails == [] and it.sms.sent == []
        assert it.house.look(lambda db: db.conn.execute("SELECT state FROM notice_person").fetchall()) == [("waiting",)]


async def test_personal_data_goes_when_its_time_is_over_and_stands_in_no_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with scene(tmp_path, TABLE) as it:
        it.sms.blocked.add("13800000001")
        made = it.prepare()
        await it.rest()
        it.do("send", made.id)
        await it.pass_time(MINUTE)
        assert it.progress(made.id)["failed"] == 1
        ((_, _, state, error),) = [item for item in it.house.look(lambda db: store.people(db, made.id)) if item[3]]
        assert (state, "invalid_number" in error, "13800000001" in error) == ("failed", True, False)
        await it.pass_time(8 * DAY, step=DAY)
        counts = it.notice(made.id).counts
        assert counts["was_sent"] == 1 and counts["was_failed"] == 1, "the numbers stay"
        everything = it.house.look(
            lambda db: repr(
                [
                    db.conn.execute(f"SELECT * FROM {name}").fetchall()
                    for (name,) in db.conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
                ]
            )
        )
        ours = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("bot."))
        assert "sms:138…01#notice" in ours, "a failure is logged"
        for secret in ("wang@example.com", "13800000001", "王芳", "李强"):
            assert secret not in everything and secret not in ours, secret


@pytest.mark.parametrize(
    ("title", "text", "key"),
    [
        ("", "x", "without_text"),
        ("x", " ", "without_text"),
        ("x", "a" * 6000, "too_long"),
        ("x", "{salary}", "unknown"),
    ],
)
async def test_a_text_that_cannot_work_is_refused_before_anything_is_looked_up(
    tmp_path: Path, title: str, text: str, key: str
) -> None:
    async with scene(tmp_path, TABLE) as it:
        with pytest.raises(UserError, match=key):
            it.prepare(text, title)


async def test_a_list_from_a_system_is_read_by_its_mapping(tmp_path: Path) -> None:
    async with FakeSystem(signed=False) as crm:
        crm.answers["GET /customers"] = {
            "data": [{"n": "王芳", "contact": {"mail": "w@example.com"}, "ok": True, "sum": 7}]
        }
        linkage = f"""
    systems: {{crm: {{base_url: "{crm.url}", auth: {{secret_env: CRM}}}}}}
    actions: {{affected: {{system: crm, method: GET, path: /customers, query: {{since: "{{since}}"}}}}}}
    customers:
      segments:
        withdrawals:
          action: affected
          items: body.data
          params: {{since: today}}
          map: {{name: n, email: contact.mail, consent: ok, amount: sum}}
          fields: [amount]
"""
        async with scene(tmp_path, TABLE, linkage) as it:
            it.service._environ = {"CRM": crm.token}
            made = it.prepare()
            await it.rest()
            assert it.notice(made.id).counts == {"all": 1, "email": 1}
            assert crm.calls[0].query == {"since": "today"}
            crm.answers["GET /customers"] = (500, {}, {"data": "wang@example.com"})
            failed = it.prepare()
            await it.rest()
            assert it.notice(failed.id).state == "failed" and "wang" not in it.notice(failed.id).error


async def test_a_list_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    async with scene(tmp_path, TABLE) as it:
        (tmp_path / "affected.csv").unlink()
        made = it.prepare()
        await it.rest()
        assert it.notice(made.id).state == "failed" and "affected.csv" in said(it)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_table_is_read_whatever_its_encoding_and_separator(tmp_path: Path, encoding: str, separator: str) -> None:
    file = tmp_path / "t.csv"
    lines = ["姓名,邮箱,同意", *(f"王芳{n},w{n}@example.com,是" for n in range(30))]
    file.write_bytes("\n".join(lines).replace(",", separator).encode(encoding))
    rows = segments.rows_of_file(str(file))
    settings = SegmentConfig(file="t.csv", map={"name": "姓名", "email": "邮箱", "consent": "同意"})
    people = segments.recipients(settings, rows, "{name}", ["email"])
    assert len(people) == 30 and people[0].name == "王芳0" and not people[0].reason


@pytest.mark.parametrize(
    "evil", ["a@example.com\nBcc: all@example.com", "a@b@c", "<a@example.com>", "a@example.com, b@x"]
)
def test_an_address_is_one_address(evil: str) -> None:
    settings = SegmentConfig(file="t.csv")
    (person,) = segments.recipients(settings, [{"name": "x", "email": evil, "consent": "yes"}], "hi", ["email"])
    assert person.reason == "address" or "\n" not in person.address
