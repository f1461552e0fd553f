"""What members say about linked systems, customers and people outside, in both languages."""

from pathlib import Path

import pytest
from factories import CONFIG, House, house
from sqlite_utils import Database

import handlers
from bot.clock import HOUR, MINUTE
from bot.config import parse
from bot.delivery import timers
from bot.intake.minimise import Minimiser
from bot.model.grade import Grade
from bot.response import linked
from bot.response.contacts import OVERDUE, REMIND
from bot.store import calls
from bot.store import incidents as incident_store
from bot.store import notices as notice_store
from bot.store.calls import Ending
from handlers.dispatch import Dispatcher

MORE = """
contacts:
  - {id: chen, name: 陈记者, kind: media, organisation: 星城晚报, phone: "13900000000", topics: [支付]}
  - {id: zhou, name: 周律师, kind: lawyer, organisation: 明理律所}
  - {id: pbc, name: 支付结算处, kind: authority, owner: zhaolei}
linkage:
  systems: {desk: {base_url: "https://desk.example"}}
  actions: {ticket: {system: desk, path: /tickets}}
  customers:
    segments: {withdrawals: {file: nothing.csv, fields: [amount]}}
"""


@pytest.fixture
def place(tmp_path: Path):
    settings = parse(CONFIG + MORE, "fengbo.yaml")
    first = house(tmp_path, CONFIG + MORE)
    built = linked.build(settings, first.notices, first.clock, Minimiser((), b"k"), lambda: None)  # type: ignore[arg-type,return-value]
    from dataclasses import replace

    first.services = replace(first.services, linked=built)
    first.dispatcher = Dispatcher(handlers.load(), first.services)
    first.judge(Grade.YELLOW)
    yield first
    first.store.close()


def answer(place: House, line: str, **fields: object) -> str:
    replies = place.say(line, **fields)
    return "\n".join(reply.text or (reply.card.plain() if reply.card else "") for reply in replies)


def call(place: House, state: str) -> int:
    def job(db: Database) -> int:
        calls.add(db, key=state, system="desk", action="ticket", params={}, context={}, incident="I-1", run="", step="",
                  drill="", now=place.now)  # fmt: skip
        found = calls.by_key(db, state)
        assert found is not None
        calls.finish(db, found.id, Ending(state, error="HTTP 500"), place.now)
        return found.id

    return place.do(job)  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("line", "then"), [("重新调用 {n}", "waiting"), ("调用已办 {n}", "done"), ("call-not-done {n}", "failed")]
)
def test_a_person_decides_what_nobody_else_can(place: House, line: str, then: str) -> None:
    number = call(place, "unclear")
    heard: list[str] = []
    place.services.linked.linkage.listen(lambda db, ended, now: heard.append(ended.state))
    assert "HTTP 500" in answer(place, "调用记录 I-1", account="U0CHEN")
    answer(place, line.format(n=number), account="U0CHEN")
    assert place.look(lambda db: calls.get(db, number)).state == then
    assert heard == ([] if then == "waiting" else [then]), "the run hears of the decision"
    assert place.look(lambda db: db.conn.execute("SELECT COUNT(*) FROM audit").fetchone()) == (1,)


def test_what_is_done_is_not_done_again(place: House) -> None:
    number = call(place, "done")
    assert "已完成" in answer(place, f"重新调用 {number}")
    assert "调用记录" in answer(place, "重新调用 99") and "例如" in answer(place, "重新调用")


def test_a_notice_is_prepared_in_words_and_waits_for_its_count(place: House) -> None:
    said = answer(place, "客户通知 I-1 withdrawals ｜ 关于您的提现 ｜ {name}您好，{amount} 元在处理")
    assert "通知 1" in said
    notice = place.look(lambda db: notice_store.get(db, 1))
    assert (notice.segment, notice.title, notice.text) == (
        "withdrawals",
        "关于您的提现",
        "{name}您好，{amount} 元在处理",
    )
    assert "统计中" in answer(place, "通知记录") and "现在不能" in answer(place, "发送通知 1", account="U0CHEN")
    assert "已停止" in answer(place, "停止通知 1")


def test_contacts_are_found_by_name_kind_and_topic(place: House) -> None:
    assert "陈记者" in answer(place, "联系人 支付") and "周律师" not in answer(place, "联系人 media")
    everybody = answer(place, "联系人")
    assert all(name in everybody for name in ("陈记者", "周律师", "支付结算处"))


def test_a_conversation_stands_in_the_log_and_on_the_timeline(place: House) -> None:
    answer(place, "沟通记录 I-1 陈记者 要数据，答应 18:00 给")
    answer(place, "spoke I-1 pbc | reported the outage")
    log = answer(place, "联络记录 I-1")
    assert "要数据，答应 18:00 给" in log and "reported the outage" in log and "李娜" in log
    assert "reported" not in answer(place, "联络记录 陈记者")
    kinds = [entry.kind for entry in place.look(lambda db: incident_store.timeline(db, "I-1"))]
    assert kinds.count("spoke") == 2
    assert "最近" in answer(place, "联系人 chen")


@pytest.mark.parametrize(
    ("words", "after"),
    [("2h | q", 2 * HOUR), ("2小时 | q", 2 * HOUR), ("30分钟 q", 30 * MINUTE), ("10:30 | q", 30 * MINUTE),
     ("9:00 | q", 23 * HOUR), ("2026-01-05 12:00 | q", 2 * HOUR), ("q", 4 * HOUR),
     ("q | 2h", 2 * HOUR), ("q｜10:30", 30 * MINUTE)],
)  # fmt: skip
def test_a_deadline_is_understood(place: House, words: str, after: int) -> None:
    answer(place, f"采访 I-1 chen | {words}")
    (asked,) = place.look(lambda db: linked.Contacts(place.config, place.notices).open_interviews(db))
    assert (asked.due_at - place.now, asked.question) == (after, "q")


def test_an_interview_of_nobody_asks_who_and_what_with_an_example(place: House) -> None:
    assert "采访 I-1" in answer(place, "采访").replace("I-12", "I-1") and "—" not in answer(place, "采访")


def test_an_interview_is_reminded_escalated_and_answered(place: House) -> None:
    contacts = place.services.linked.contacts
    answer(place, "采访 I-1 chen | 2h | 提现什么时候恢复？")
    assert "提现什么时候恢复" in place.outbox(reason="interview")[0].text
    due = {name: place.look(lambda db, name=name: timers.waiting_at(db, name, "1")) for name in (REMIND, OVERDUE)}
    assert due[REMIND] - place.now == 2 * HOUR - 40 * MINUTE and due[OVERDUE] - place.now == 2 * HOUR
    place.clock.set(due[OVERDUE])
    for _ in range(4):
        for timer in place.look(lambda db: timers.due(db, place.now)):
            if timer.kind in (REMIND, OVERDUE):
                place.do(lambda db, timer=timer: timers.claim(db, timer.id, place.now))
                place.do(lambda db, timer=timer: {REMIND: contacts.remind, OVERDUE: contacts.overdue}[timer.kind](
                    db, timer, place.now))  # fmt: skip
        place.clock.set(place.now + HOUR)
    called = {message.destination for message in place.outbox(reason="escalated")}
    assert {"slack:U0LINA", "slack:U0CHEN"} <= called, "the next levels hear of it"
    late = [
        entry
        for entry in place.look(lambda db: incident_store.timeline(db, "I-1"))
        if entry.kind == "interview_overdue"
    ]
    assert len(late) == 3, "three levels and no more"
    assert "逾期" in answer(place, "采访列表")
    answer(place, "答复采访 1 | 已恢复")
    assert "没有待答复" in answer(place, "采访列表") and "已经答复" in answer(place, "答复采访 1 再答")
    assert place.look(lambda db: timers.waiting_at(db, OVERDUE, "1")) is None
    assert "已恢复" in answer(place, "联络记录 chen")
