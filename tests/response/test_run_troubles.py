"""A whole run while its surroundings misbehave: linked systems down, doubled or wrong about themselves, a clock that
jumps, two people at the same step."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from factories import CONFIG, House, house
from plans import PLAN, plan
from test_linkage import ENVIRON, LOOKUP, linkage_yaml

from bot.clock import HOUR, MINUTE
from bot.config import parse
from bot.delivery.alarm import Alarm
from bot.model.grade import Grade
from bot.response import run_rows
from bot.response.linkage import Linkage, LinkageWorker
from bot.response.results import CallResults
from bot.response.run_state import Run, RunStatus, StepStatus
from bot.response.transport import open_session
from bot.store import calls
from bot.store import incidents as incident_store
from bot.store import runs as run_store
from bot.testkit.fake_system import FakeSystem

STEPS = """
  - {id: tell, kind: action, title: {zh-CN: 开工单, en: Open a ticket}, role: pr, action: ticket, confirm: false,
     params: {title: "{what}"}}
  - {id: after, kind: task, title: {zh-CN: 跟进工单, en: Follow up}, role: pr, after: [tell]}
  - {id: apart, kind: task, title: {zh-CN: 截图取证, en: Keep evidence}, role: pr}
"""
CALM = ("  - {id: calm, kind: wait_condition, title: {zh-CN: 等平稳, en: Calm}, until: negative_share < 20%,"
        " hold: 10m}")  # fmt: skip
CHEN = {"account": "U0CHEN"}


def run_of(home: House) -> Run:
    found = home.look(lambda db: run_rows.load(db, "R-1"))
    assert found is not None
    return found


def thread(home: House) -> list[str]:
    return [row.text for row in home.outbox(destination="slack:C0ALERTS", thread="incident:I-1") if row.text]


def happened(home: House, step: str, kind: str) -> int:
    events = home.look(lambda db: run_store.events(db, "R-1"))
    return sum(event.step == step and event.kind == kind for event in events)


@dataclass
class Company:
    """A running plan whose first step calls the desk."""

    home: House
    desk: FakeSystem
    worker: LinkageWorker
    results: CallResults

    async def settle(self) -> None:
        self.worker.wake()
        for _ in range(2000):
            await asyncio.sleep(0.002)
            if await self.worker.idle():
                return
        raise AssertionError("the worker does not come to rest")

    async def pass_time(self, milliseconds: int, step: int = 30_000) -> None:
        alarm = Alarm(self.home.store, self.home.clock, self.home.response.timers())
        for _ in range(milliseconds // step):
            await self.home.clock.advance(step)
            await self.settle()
            await alarm.fire_due()

    def status(self, step: str) -> StepStatus:
        return run_of(self.home).step(step).status

    def finish_the_rest(self) -> None:
        self.home.say("done R-1.2")
        if self.status("apart") is not StepStatus.DONE:
            self.home.say("done R-1.3")
        assert run_of(self.home).status is RunStatus.DONE


@asynccontextmanager
async def company(folder: Path, action: dict[str, Any] | None = None, *, once: bool = False) -> AsyncIterator[Company]:
    home = house(folder, playbooks=[plan(STEPS)])
    async with FakeSystem(home.clock, once=once, signed=True) as desk, open_session() as session:
        settings = parse(CONFIG + linkage_yaml(desk.url, desk.url, action or {}, {}), "fengbo.yaml")
        results = CallResults(home.notices, home.services.runs.action_result)
        worker = LinkageWorker(home.store, home.clock, settings, session, results, ENVIRON)
        home.response.effects.actions = Linkage(settings)
        working = asyncio.create_task(worker.run())
        try:
            home.judge(Grade.YELLOW)
            yield Company(home, desk, worker, results)
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
            home.store.close()


async def test_a_plan_goes_on_beside_a_system_that_is_down_for_an_hour_and_with_it_afterwards(tmp_path: Path) -> None:
    async with company(tmp_path) as it:
        port = int(it.desk.url.rpartition(":")[2])
        await it.desk.stop()
        it.home.say("start small")
        await it.settle()
        it.home.say("done R-1.3")
        assert it.status("apart") is StepStatus.DONE, "what needs no system is not held up"
        await it.pass_time(HOUR)
        assert (it.status("tell"), it.status("after")) == (StepStatus.OPEN, StepStatus.WAITING)
        assert len(it.home.outbox(reason="call", destination="slack:C0ALERTS")) == 1, "said once that it waits"
        await it.desk.start(port=port)
        await it.pass_time(6 * MINUTE)
        assert (it.status("tell"), it.status("after")) == (StepStatus.DONE, StepStatus.OPEN)
        assert len(it.desk.done) == 1 and happened(it.home, "tell", "result") == 1
        it.finish_the_rest()


async def test_a_system_that_answers_twice_moves_the_plan_once(tmp_path: Path) -> None:
    async with company(tmp_path) as it:
        it.home.say("start small")
        await it.settle()
        before, said = run_of(it.home), thread(it.home)
        call = it.home.look(lambda db: calls.get(db, 1))
        for late in (call, call):
            it.home.do(lambda db, late=late: it.results(db, late, it.home.now))
        assert run_of(it.home) == before and thread(it.home) == said
        assert happened(it.home, "tell", "result") == happened(it.home, "tell", "ended") == 1
        it.finish_the_rest()


async def test_an_answer_after_a_person_was_faster_changes_nothing(tmp_path: Path) -> None:
    async with company(tmp_path) as it:
        it.desk.answers["POST /tickets"] = (503, {"Retry-After": "120"}, {})
        it.home.say("start small")
        await it.settle()
        it.home.say("skip R-1.1 已电话通知")
        assert it.status("after") is StepStatus.OPEN, "nobody need wait for a machine"
        it.desk.answers.clear()
        await it.pass_time(5 * MINUTE)
        assert run_of(it.home).step("tell").outcome == "已电话通知"
        assert happened(it.home, "tell", "result") == 0


@pytest.mark.parametrize("way", ["looked up", "asked again", "decided by a person"])
async def test_work_that_was_done_behind_a_500_is_never_done_twice_and_the_plan_goes_on(
    tmp_path: Path, way: str
) -> None:
    action = {"looked up": {"lookup": LOOKUP}, "asked again": {"idempotent": True}}.get(way, {})
    async with company(tmp_path, action, once=way == "asked again") as it:
        it.desk.answers["POST /tickets"] = (500, {}, {"error": "after the work"})
        it.desk.answers["GET /tickets"] = lambda done: {"tickets": [{"id": f"T-{len(done)}"}] if done else []}
        it.home.say("start small")
        await it.settle()
        if way != "decided by a person":
            assert it.status("after") is StepStatus.WAITING
        if way == "asked again":
            it.desk.answers["POST /tickets"] = {"id": "T-1"}
        await it.pass_time(10 * MINUTE, step=10_000)
        if way == "decided by a person":
            assert it.status("tell") is StepStatus.OPEN and run_of(it.home).step("tell").failure
            assert any("R-1.1" in text for text in thread(it.home)), "who has the step is told"
            it.home.say("done R-1.1 T-1")
        assert (it.status("tell"), it.status("after")) == (StepStatus.DONE, StepStatus.OPEN)
        assert len(it.desk.done) == 1 and "T-1" in run_of(it.home).step("tell").outcome
        it.finish_the_rest()


async def test_after_a_leap_forward_every_deadline_is_said_once_and_in_order(tmp_path: Path) -> None:
    home = house(tmp_path, playbooks=[PLAN])
    home.judge(Grade.YELLOW)
    home.say("start small")
    alarm = Alarm(home.store, home.clock, home.response.timers())
    home.clock.set(home.now + 3 * HOUR)
    while await alarm.fire_due():
        pass
    assert sum("超时：R-1.1" in text for text in thread(home)) == 1
    assert not home.outbox(reason="run_escalated"), "the next circle still has its minutes"
    await home.clock.advance(5 * MINUTE)
    while await alarm.fire_due():
        pass
    assert len(home.outbox(reason="run_escalated", destination="slack:U0CHEN")) == 1
    home.say("done R-1.1")
    assert run_of(home).step("ask").status is StepStatus.OPEN
    home.store.close()


MANY_DEADLINES = "".join(
    f"  - {{id: task{number}, kind: task, title: {{zh-CN: 事项{number}, en: Task {number}}}, role: pr,"
    f" due: {5 + number}m}}\n"
    for number in range(12)
)


async def test_after_a_standstill_the_deadlines_of_a_run_are_said_in_one_message_and_each_is_recorded(
    tmp_path: Path,
) -> None:
    home = house(tmp_path, playbooks=[plan(MANY_DEADLINES)])
    home.judge(Grade.YELLOW)
    home.say("start small")
    before = len(thread(home))
    alarm = Alarm(home.store, home.clock, home.response.timers())
    home.clock.set(home.now + 45 * MINUTE)
    while await alarm.fire_due():
        pass
    said = thread(home)[before:]
    assert len(said) == 1, "neither a reminder of what has passed nor a line for each"
    assert "12 步" in said[0] and "停机" in said[0] and all(f"事项{number}" in said[0] for number in range(12))
    assert [happened(home, f"task{number}", "overdue") for number in range(12)] == [1] * 12
    await home.clock.advance(5 * MINUTE)
    while await alarm.fire_due():
        pass
    assert len(thread(home)[before:]) == 2 and "停机" not in thread(home)[-1]
    assert [happened(home, f"task{number}", "escalated") for number in range(12)] == [1] * 12
    assert len(home.look(lambda db: incident_store.timeline(db, "I-1", ["run_escalated"]))) == 12
    assert len(home.outbox(reason="run_escalated", destination="slack:U0CHEN")) == 1
    home.say("done R-1.3 ok")
    assert run_of(home).step("task2").status is StepStatus.DONE
    home.store.close()


async def test_a_clock_set_back_by_an_hour_neither_holds_a_plan_up_nor_repeats_anything(tmp_path: Path) -> None:
    home = house(tmp_path, playbooks=[plan(f"{CALM}\n{PLAN.partition('steps:')[2].partition('templates:')[0]}")])
    home.judge(Grade.YELLOW)
    home.say("start small")
    due_at = run_of(home).step("check").due_at
    alarm = Alarm(home.store, home.clock, home.response.timers(), rewound=home.response.resume)
    working = asyncio.create_task(alarm.run())

    async def pass_time(minutes: int) -> None:
        for _ in range(minutes * 2):
            await home.clock.advance(30_000)
            for _ in range(20):
                alarm.wake()
                await asyncio.sleep(0.002)

    try:
        await pass_time(5)
        home.clock.set_back(HOUR)
        await pass_time(8)
        assert run_of(home).step("calm").status is StepStatus.OPEN, "nobody knows what those five minutes were"
        await pass_time(5)
        assert run_of(home).step("calm").status is StepStatus.DONE, "ten minutes are ten minutes, not seventy"
        assert run_of(home).step("check").due_at == due_at, "a moment that people were told stays"
        home.clock.set(due_at - 11 * MINUTE)
        await pass_time(14)
        assert sum("提醒：R-1.2" in text for text in thread(home)) == 1
        assert sum("超时：R-1.2" in text for text in thread(home)) == 1
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        home.store.close()


async def test_a_pause_during_which_the_clock_was_set_back_brings_no_deadline_forward(tmp_path: Path) -> None:
    home = house(tmp_path, playbooks=[PLAN])
    home.judge(Grade.YELLOW)
    home.say("start small")
    due_at = run_of(home).step("check").due_at
    home.say("暂停 R-1 等监管")
    home.clock.set_back(HOUR)
    home.say("继续 R-1")
    assert run_of(home).step("check").due_at == due_at
    home.store.close()


async def test_two_people_pressing_the_same_step_at_once_do_it_once_and_the_second_hears_of_the_first(
    tmp_path: Path,
) -> None:
    home = house(tmp_path, playbooks=[PLAN])
    home.judge(Grade.YELLOW)
    home.say("start small")
    answers: list[str] = []

    async def press(account: str) -> None:
        (answer,) = await asyncio.to_thread(home.say, "done R-1.1", account=account)
        answers.append(answer.plain())

    await asyncio.gather(*(press(account) for account in ("U0LINA", "U0ZHAO", "U0CHEN")))
    assert happened(home, "check", "ended") == happened(home, "check", "done") == 1
    who = run_of(home).step("check").by
    assert len([answer for answer in answers if who in answer and "已" in answer]) >= 2
    assert sum("R-1.3" in text or "事实" in text for text in thread(home)) == 1, "what follows is announced once"
    home.store.close()
