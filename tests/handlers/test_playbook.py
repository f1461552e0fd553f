"""A playbook started, worked through and ended from chat."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from factories import CONFIG, MINUTE, House, house
from plans import PLAN, plan
from sqlite_utils import Database

from bot.delivery.alarm import Alarm
from bot.model.card import Card, Form
from bot.model.grade import Grade
from bot.model.text import UserError
from bot.response.run import decide
from bot.response.run_state import EffectKind, GradeChanged, Run, RunStatus, StepStatus
from bot.store import incidents as incident_store
from bot.store import runs as run_store
from bot.texts import has
from handlers.step_forms import step_form

NONE, BLUE, YELLOW, ORANGE, RED = Grade
ZHAO, CHEN = {"account": "U0ZHAO"}, {"account": "U0CHEN"}


@pytest.fixture
def home(tmp_path: Path):
    made = house(tmp_path, playbooks=[PLAN])
    made.judge(YELLOW)
    yield made
    made.store.close()


def said(home: House, line: str, **fields) -> str:
    (answer,) = home.say(line, **fields)
    return answer.plain()


def run_of(home: House, run_id: str = "R-1") -> Run:
    found = home.look(lambda db: home.services.runs.get(db, run_id))
    assert found is not None
    return found


def states(home: House, run_id: str = "R-1") -> dict[str, StepStatus]:
    return {step.id: step.status for step in run_of(home, run_id).steps}


def run_card(home: House, destination: str = "slack:C0ALERTS") -> Card:
    card = home.outbox(object="run:R-1", destination=destination)[-1].card
    assert card is not None
    return card


async def fire(home: House) -> int:
    return await Alarm(home.store, home.clock, home.response.timers()).fire_due()


def thread(home: House) -> list[str]:
    rows = home.outbox(destination="slack:C0ALERTS", thread="incident:I-1")
    return [row.text for row in rows if row.text]


def test_the_incident_card_recommends_a_playbook_with_reasons_and_one_press_to_start(home: House) -> None:
    card = home.outbox(object="incident:I-1", destination="slack:C0ALERTS")[-1].card
    assert card is not None and "建议启动预案：小预案" in card.plain()
    start = next(button for button in card.buttons if button.command == "start small I-1")
    assert len(card.buttons) <= 6 and not start.form
    said(home, start.command, origin="button")
    assert states(home)["check"] is StepStatus.OPEN
    after = home.outbox(object="incident:I-1", destination="slack:C0ALERTS")[-1].card
    assert after is not None and "R-1" in after.plain()
    assert not any(button.command.startswith("start") for button in after.buttons)


def test_a_run_stands_as_a_live_checklist_in_the_incidents_thread(home: House) -> None:
    said(home, "启动 小预案 I-1")
    (message,) = home.outbox(object="run:R-1", destination="slack:C0ALERTS")
    assert message.thread == "incident:I-1" and message.card is not None
    assert "1. 核实 · 李娜" in message.card.plain() and "还有 30 分钟" in message.card.plain()
    assert len(message.card.buttons) <= 6
    assert any("小预案" in text and "李娜" in text for text in thread(home))
    said(home, "完成 R-1.1")
    (message,) = home.outbox(object="run:R-1", destination="slack:C0ALERTS")
    assert message.card is not None and "1. 核实 · 完成 李娜" in message.card.plain(), "rewritten in place"


@pytest.mark.parametrize(
    "line", ["完成 1", "完成1", "done 1", "done R-1.1", "完成 R-1 1", "完成 r1.1", "完成 Ｒ－１．１"]
)
def test_a_step_is_addressed_as_people_type_it(home: House, line: str) -> None:
    said(home, "start small")
    said(home, line)
    assert states(home)["check"] is StepStatus.DONE


def test_in_the_runs_thread_its_number_is_not_needed(home: House) -> None:
    said(home, "start small")
    home.judge(YELLOW, subject="rival")
    said(home, "start small I-2")
    assert "R-1" in said(home, "完成 1") and states(home)["check"] is StepStatus.OPEN, "two runs: which one?"
    home.place("run:R-2", "slack:C0ALERTS")
    said(home, "完成 1", anchor="slack:C0ALERTS/1")
    assert states(home, "R-2")["check"] is StepStatus.DONE and states(home)["check"] is StepStatus.OPEN


def test_the_second_of_two_people_is_told_who_did_it(home: House) -> None:
    said(home, "start small")
    said(home, "done R-1.1")
    assert "李娜" in said(home, "done R-1.1", **ZHAO)


def test_a_step_is_skipped_with_a_reason_and_only_where_the_plan_allows(home: House) -> None:
    said(home, "start small")
    assert "不能跳过" in said(home, "skip R-1.1 没必要")
    assert "原因" in said(home, "skip R-1.5")
    said(home, "跳过 R-1.5 与本次无关")
    assert states(home)["list"] is StepStatus.SKIPPED and run_of(home).step("list").outcome == "与本次无关"


def test_answers_fill_the_fact_sheet_and_open_what_waited_for_them(home: House) -> None:
    said(home, "start small")
    assert "还没轮到" in said(home, "answer R-1.3 提现延迟")
    said(home, "done R-1.1")
    said(home, "回答 R-1.3 what = 提现延迟；人数 = 1,200", **ZHAO)
    assert states(home)["ask"] is StepStatus.DONE and states(home)["vote"] is StepStatus.OPEN
    sheet = said(home, "事实 I-1")
    assert "提现延迟" in sheet and "1200" in sheet and "赵磊" in sheet and "未知" in sheet
    assert "提现延迟，涉及 1200 人" in said(home, "模板 R-1.8") and "待核实：hotline" in said(home, "模板 R-1.8")


def test_a_form_answers_as_well(home: House) -> None:
    said(home, "start small")
    said(home, "done R-1.1")
    said(home, "answer R-1.3", fields={"what": "延迟", "people": "7"}, origin="form")
    assert run_of(home).step("ask").answers == {"what": "延迟", "people": "7"}
    assert "数字" in said(home, "facts I-1") or "7" in said(home, "facts I-1")


def test_a_decision_takes_its_quorum_of_different_people_and_changes_the_way(home: House) -> None:
    said(home, "start small")
    said(home, "done R-1.1")
    said(home, "answer R-1.3 延迟")
    assert states(home)["halted"] is StepStatus.WAITING
    said(home, "选择 R-1.4 2")
    assert "已经" in said(home, "选择 R-1.4 halt"), "one person has one vote"
    assert states(home)["vote"] is StepStatus.OPEN
    assert "已决定" in said(home, "choose R-1.4 暂停", **ZHAO)
    assert states(home)["halted"] is StepStatus.OPEN
    entries = home.look(lambda db: incident_store.timeline(db, "I-1", ["decision"]))
    assert "暂停" in entries[0].params["text"]


def test_the_other_choice_makes_the_step_not_applicable(home: House) -> None:
    said(home, "start small")
    said(home, "done R-1.1")
    said(home, "answer R-1.3 延迟")
    said(home, "choose R-1.4 1")
    said(home, "choose R-1.4 1", **ZHAO)
    assert states(home)["halted"] is StepStatus.NOT_APPLICABLE


def test_each_one_who_was_called_confirms(home: House) -> None:
    said(home, "start small")
    sent = [row for row in home.outbox(reason="run_notice")]
    assert {row.destination for row in sent} >= {"slack:U0LINA", "slack:U0ZHAO", "wecom:zhaolei"}
    assert "没有要求你" in said(home, "收到 R-1.2", **CHEN)
    said(home, "收到 R-1.2")
    said(home, "received R-1.2", **ZHAO)
    assert states(home)["call"] is StepStatus.DONE


def test_a_notice_that_would_reach_nobody_is_not_done_and_leaves_once_somebody_has_the_role(tmp_path: Path) -> None:
    tell = (
        "  - {id: tell, kind: notify, title: {zh-CN: 通知客服, en: Tell service}, role: commander, to: [service],"
        " message: {zh-CN: 请统一口径, en: Please say the same}}"
    )
    roles = "  service: {title: {zh-CN: 客服, en: Service}, department: customer_service, people: [nobody_has_this]}\n"
    text = plan(tell).replace("defaults:", f"{roles}defaults:", 1)
    home = house(tmp_path, playbooks=[text])
    home.judge(YELLOW)
    said(home, "start small")
    assert states(home)["tell"] is StepStatus.OPEN
    assert not home.outbox(reason="run_notice")
    (asked,) = [line for line in thread(home) if "没有发出" in line]
    assert "客服" in asked and "请统一口径" in asked
    assert any(button.command == "done R-1.1" for button in run_card(home).buttons)
    run = run_of(home)
    event = GradeChanged(run.grade, {**run.team, "service": ("zhao",)})
    after = decide(run, event, home.now)
    assert after.run.step("tell").status is StepStatus.DONE
    assert EffectKind.NOTIFY in {effect.kind for effect in after.effects}
    said(home, "done R-1.1 已电话告知")
    assert run_of(home).status is RunStatus.DONE
    home.store.close()


async def test_what_a_survey_brought_is_shown_while_it_runs_and_said_at_its_end_without_names(tmp_path: Path) -> None:
    pulse = """
  - id: pulse
    kind: survey
    title: {zh-CN: 员工心态, en: Pulse}
    role: pr
    audience: staff
    open_for: 1h
    to: [pr, legal]
    fields:
      - {id: calm, type: yes_no, label: {zh-CN: 知道怎么答复亲友, en: Know what to say}}
      - {id: mood, type: number, label: {zh-CN: 心情, en: Mood}}
      - {id: wish, type: long_text, label: {zh-CN: 需要什么, en: What is needed}}"""
    home = house(tmp_path, playbooks=[plan(pulse)])
    home.judge(YELLOW)
    said(home, "start small")
    said(home, "answer R-1.1 calm = 是；mood = 3；wish = 一份问答")
    said(home, "回答 R-1.1 calm = 否；mood = 4", **ZHAO)
    expected = ["知道怎么答复亲友（2 份）：是 1 · 否 1", "心情（2 份）：平均 3.5（3–4）", "需要什么（1 份）：一份问答"]
    shown = said(home, "进度 R-1")
    assert all(line in shown for line in expected)
    await home.clock.advance(60 * MINUTE)
    await fire(home)
    (told,) = [text for text in thread(home) if "收到 2 份答复" in text]
    assert all(line in told for line in expected) and "赵磊" not in told
    home.store.close()


def test_items_are_ticked_one_by_one(home: House) -> None:
    said(home, "start small")
    said(home, "勾选 R-1.5 2")
    assert "李娜 已经勾过" in said(home, "tick R-1.5 logs", **ZHAO)
    said(home, "tick R-1.5", **ZHAO)
    assert run_of(home).step("list").ticked == {"posts": "赵磊", "logs": "李娜"}
    assert states(home)["list"] is StepStatus.DONE


def test_proof_is_asked_for_where_the_plan_wants_it(home: House) -> None:
    said(home, "grade I-1 orange 记者来电")
    said(home, "start small")
    assert "链接" in said(home, "done R-1.6")
    said(home, "done R-1.6 https://x.example/1")
    assert run_of(home).step("report").outcome == "https://x.example/1"


def test_a_higher_grade_adds_its_steps_and_tells_who_has_them(home: House) -> None:
    said(home, "start small")
    assert states(home)["report"] is StepStatus.NOT_APPLICABLE
    home.judge(ORANGE, incident="I-1")
    assert states(home)["report"] is StepStatus.OPEN
    assert any("上报" in text for text in thread(home))
    home.judge(YELLOW, incident="I-1", relaxed=YELLOW)
    assert states(home)["report"] is StepStatus.OPEN, "nothing is taken away"


async def test_a_deadline_reminds_before_and_escalates_after_once_each(home: House) -> None:
    said(home, "start small")
    await home.clock.advance(20 * MINUTE)
    await fire(home)
    await fire(home)
    assert sum("提醒：R-1.1" in text for text in thread(home)) == 1
    await home.clock.advance(10 * MINUTE)
    await fire(home)
    assert sum("超时：R-1.1" in text for text in thread(home)) == 1
    await home.clock.advance(5 * MINUTE)
    await fire(home)
    escalated = [row for row in home.outbox(reason="run_escalated", destination="slack:U0CHEN")]
    assert len(escalated) == 1 and any("升级：R-1.1" in text for text in thread(home))
    assert home.look(lambda db: incident_store.timeline(db, "I-1", ["run_escalated"]))


async def test_a_step_done_in_time_is_never_reminded_of(home: House) -> None:
    said(home, "start small")
    said(home, "done R-1.1")
    await home.clock.advance(60 * MINUTE)
    while await fire(home):
        pass
    assert not any("R-1.1" in text for text in thread(home) if "提醒" in text or "超时" in text)


async def test_a_pause_stops_the_clock_of_every_deadline(home: House) -> None:
    said(home, "start small")
    said(home, "暂停 R-1 等监管")
    await home.clock.advance(60 * MINUTE)
    while await fire(home):
        pass
    assert not any("超时" in text for text in thread(home))
    said(home, "继续 R-1")
    assert run_of(home).step("check").due_at == home.now + 30 * MINUTE
    await home.clock.advance(20 * MINUTE)
    await fire(home)
    assert any("提醒：R-1.1" in text for text in thread(home))


def test_steps_change_hands(home: House) -> None:
    said(home, "start small")
    said(home, "改派 R-1.1 赵磊")
    assert run_of(home).step("check").person == "zhaolei"
    assert any("赵磊" in text and "R-1.1" in text for text in thread(home))
    said(home, "认领 R-1.1", **CHEN)
    assert run_of(home).step("check").person == "chenjing"
    assert "R-1" in said(home, "交接 R-1 李娜", **ZHAO)
    assert all(step.person != "zhaolei" for step in run_of(home).steps if not step.status.ended)


def test_who_takes_over_is_called_with_what_there_is_to_do(home: House) -> None:
    said(home, "start small")
    mine = [state for state in run_of(home).steps if state.person == "lina" and not state.status.ended]
    said(home, "交接 R-1 赵磊")
    (told,) = [row for row in home.outbox(destination="slack:C0ALERTS", reason="run_step") if "交给 赵磊" in row.text]
    assert f"{len(mine)} 步" in told.text and "1. 核实" in told.text and told.mentions == ("U0ZHAO",)


def test_everybody_sees_their_own_steps(home: House) -> None:
    said(home, "start small")
    assert "核实" in said(home, "待办") and "核实" not in said(home, "todo", **ZHAO)
    assert "证据" in said(home, "todo", **ZHAO)


def test_a_run_is_aborted_with_a_reason_and_started_again(home: House) -> None:
    said(home, "start small")
    assert "R-1" in said(home, "start small"), "it is running already"
    assert "原因" in said(home, "中止 R-1")
    said(home, "中止 R-1 不属实")
    assert run_of(home).status is RunStatus.ABORTED
    assert "已经结束" in said(home, "done R-1.1")
    said(home, "start small")
    assert run_of(home, "R-2").status is RunStatus.RUNNING


@pytest.mark.parametrize(("end", "heading"), [("中止", "中止"), ("finish", "完成")])
def test_a_run_that_is_ended_says_truthfully_how_far_it_came(home: House, end: str, heading: str) -> None:
    said(home, "start small")
    said(home, "done R-1.1")
    said(home, "skip R-1.5 与本次无关")
    _, everything = run_of(home).progress
    said(home, f"{end} R-1 原因是误报")
    assert run_of(home).progress == (2, everything) and everything > 2
    (told,) = [text for text in thread(home) if "误报" in text]
    assert f"2/{everything} 步" in told
    card = run_card(home).plain()
    assert f"2/{everything} 步" in card and heading in card
    assert f"结束时未做（{everything - 2}）" in card and "已了结（2）" in card
    assert "召集 · 未做" in said(home, "进度 R-1")


def test_a_run_ends_by_itself_when_nothing_is_left(home: House) -> None:
    said(home, "start small")
    for line in ("done 1", "skip 2 x", "answer 3 延迟", "choose 4 1", "tick 5", "skip 8 已由母公司发布"):
        said(home, line)
    said(home, "choose 4 1", **ZHAO)
    assert run_of(home).status is RunStatus.DONE
    assert any("已完成" in text for text in thread(home))
    left = "SELECT COUNT(*) FROM timer WHERE kind LIKE 'run_%' AND state = 'waiting'"
    assert home.look(lambda db: db.conn.execute(left).fetchone()) == (0,)


def test_an_incident_that_ends_proposes_to_end_its_runs(home: House) -> None:
    said(home, "start small")
    said(home, "close I-1 过去了")
    assert run_of(home).status is RunStatus.RUNNING
    assert any("收尾 R-1" in text for text in thread(home))
    said(home, "收尾 R-1 已平稳")
    assert run_of(home).status is RunStatus.DONE


def test_a_run_keeps_the_plan_it_began_with(home: House, tmp_path: Path) -> None:
    said(home, "start small")
    (tmp_path / "playbooks" / "0.yaml").write_text(PLAN.replace("核实, en", "改名, en"), encoding="utf-8")
    assert "改名" in said(home, "预案 small") and "核实" in said(home, "run R-1")


def test_a_broken_edit_leaves_the_last_good_playbook(home: House, tmp_path: Path) -> None:
    said(home, "预案")
    (tmp_path / "playbooks" / "0.yaml").write_text("id: [", encoding="utf-8")
    assert "小预案" in said(home, "预案 small")


def test_facts_are_set_confirmed_and_taken_back_with_every_version_kept(home: House) -> None:
    assert "未核实" in said(home, "事实 I-1 what = 提现延迟")
    said(home, "facts I-1 what: 提现全部恢复")
    assert "核实" in said(home, "事实 I-1 确认 what", **ZHAO)
    assert "已核实" in said(home, "facts I-1")
    history = said(home, "facts I-1 history what")
    assert "提现延迟" in history and "提现全部恢复" in history
    said(home, "事实 I-1 未知 what")
    assert "已知 0" in said(home, "facts I-1")


def test_strangers_look_and_change_nothing(home: House) -> None:
    eve = {"account": "U0EVE"}
    said(home, "预案", **eve)
    assert "不认识" in said(home, "start small", **eve)
    assert "不认识" in said(home, "facts I-1 what = x", **eve)


# -- what starts by itself


def auto(tmp_path: Path) -> House:
    made = house(tmp_path, playbooks=[plan("  - {id: a, kind: task, title: {zh-CN: 甲, en: A}, role: pr}",
                                           auto_start="{from: orange, score: 0.3}")])  # fmt: skip
    return made


def test_a_playbook_starts_by_itself_at_its_grade_announced_and_stoppable_by_one_press(tmp_path: Path) -> None:
    home = auto(tmp_path)
    home.judge(YELLOW)
    assert home.look(lambda db: run_store.of_incident(db, "I-1")) == []
    home.judge(ORANGE, incident="I-1")
    run = run_of(home)
    assert run.automatic and "橙色" in run.reason.zh and "orange" in run.reason.en
    assert any("小预案" in text and "停止" in text for text in thread(home))
    stop = next(button for button in run_card(home).buttons if button.command.startswith("abort"))
    assert not stop.form
    said(home, stop.command, origin="button")
    assert run_of(home).status is RunStatus.ABORTED
    home.judge(RED, incident="I-1")
    assert len(home.look(lambda db: run_store.of_incident(db, "I-1"))) == 1, "what a person stopped stays stopped"
    home.store.close()


def test_the_card_names_what_moved_the_plan_up(tmp_path: Path) -> None:
    careful = plan("  - {id: a, kind: task, title: {zh-CN: 甲, en: A}, role: pr}",
                   match="{compliance_weight: 0.5, sensitive_weight: 0.5}")  # fmt: skip
    period = "{name: x, from: 2026-01-05T00:00:00+08:00, to: 2026-01-06T00:00:00+08:00}"
    text = CONFIG.replace("language: zh-CN", "language: zh-CN\nplaybooks: {posture: tightening}")
    text += f"grading:\n  sensitive_periods: [{period}]\n"
    home = house(tmp_path, text=text, playbooks=[careful])
    home.judge(YELLOW)
    card = home.outbox(object="incident:I-1", destination="slack:C0ALERTS")[-1].card
    assert card is not None and "政策收紧，合规优先" in card.plain() and "处于敏感期" in card.plain()
    home.store.close()


def test_a_drill_reaches_nobody_outside_the_drill_channel(tmp_path: Path) -> None:
    home = house(tmp_path, playbooks=[PLAN])
    home.judge(RED, drill="d1")
    said(home, "start small D-1")
    run = run_of(home)
    assert run.drill == "d1"
    sent = [row for row in home.outbox() if row.drill or row.reason.startswith("run")]
    assert sent and {row.destination for row in sent} <= {"slack:C0DRILL", "console:drill"}
    assert all(row.drill == "d1" for row in sent)
    assert all("演练" in row.card.drill for row in sent if row.card)

    def change(db: Database) -> None:
        db.conn.execute("UPDATE run SET drill = ''")

    with pytest.raises(Exception, match="frozen"):
        home.do(change)
    home.store.close()


# -- linked systems, parts, restarts

CALL = "  - {id: call, kind: action, title: {zh-CN: 建单, en: Ticket}, role: pr, action: jira, confirm: true}"


class Jira:
    """Remembers what it was asked for."""

    def __init__(self, error: UserError | None = None) -> None:
        self.asked: list[dict] = []
        self._error = error

    def request(self, db: Database, **call) -> None:
        if self._error:
            raise self._error
        self.asked.append(call)


def test_a_step_without_a_linked_system_is_done_by_hand(tmp_path: Path) -> None:
    for error in (None, UserError("error.call_unknown")):
        folder = tmp_path / str(error)
        folder.mkdir()
        home = house(folder, playbooks=[plan(CALL)])
        home.response.effects.actions = Jira(error) if error else None
        home.judge(YELLOW)
        said(home, "start small")
        said(home, "执行 R-1.1")
        assert any("手工完成" in text for text in thread(home))
        assert run_card(home).buttons[0].command == "done R-1.1"
        said(home, "done R-1.1 PR-7")
        assert run_of(home).status is RunStatus.DONE
        home.store.close()


TO_A_CHANNEL = """
  - {id: tell, kind: notify, title: {zh-CN: 通知董事会, en: Tell the board}, role: pr, to: [%s],
     message: {zh-CN: 请看频道, en: Look at the channel}}
  - {id: then, kind: task, title: {zh-CN: 乙, en: B}, role: pr, after: [tell]}
"""


def test_a_notice_to_a_channel_that_is_not_set_up_stays_open_and_asks(tmp_path: Path) -> None:
    home = house(tmp_path, playbooks=[plan(TO_A_CHANNEL % "board")])
    home.judge(YELLOW)
    said(home, "start small")
    assert run_of(home).step("tell").status is StepStatus.OPEN and run_of(home).step("then").status.value == "waiting"
    assert any("#board" in text and "请看频道" in text for text in thread(home)), "its words are there to pass on"
    home.clock.set(home.now + MINUTE)
    said(home, "完成 R-1.1 已电话告知")
    assert run_of(home).step("then").status is StepStatus.OPEN
    home.store.close()


def test_a_notice_to_a_channel_that_is_set_up_reaches_it_and_is_done(tmp_path: Path) -> None:
    home = house(tmp_path, playbooks=[plan(TO_A_CHANNEL % "pr-alerts")])
    home.judge(YELLOW)
    said(home, "start small")
    assert home.outbox(reason="run_notice", destination="slack:C0ALERTS")
    assert run_of(home).step("tell").status is StepStatus.DONE
    home.store.close()


def test_a_linked_system_is_called_once_a_press_and_its_answer_stands_in_the_thread(tmp_path: Path) -> None:
    home = house(tmp_path, playbooks=[plan(CALL)])
    home.response.effects.actions = jira = Jira()
    home.judge(YELLOW)
    said(home, "start small")
    said(home, "execute R-1.1")
    assert "等系统回复" in said(home, "execute R-1.1", **ZHAO)
    home.do(lambda db: home.services.runs.action_result(db, "R-1", "call", False, "503", home.now))
    assert any("503" in text for text in thread(home))
    said(home, "execute R-1.1")
    assert [call["key"] for call in jira.asked] == ["R-1:call:0:1", "R-1:call:0:2"]
    for _ in range(2):
        home.do(lambda db: home.services.runs.action_result(db, "R-1", "call", True, "PR-7", home.now))
    assert run_of(home).status is RunStatus.DONE and run_of(home).step("call").outcome == "PR-7"
    home.store.close()


def test_a_part_runs_as_its_own_run_and_its_end_is_the_steps_end(tmp_path: Path) -> None:
    whole = plan("  - {id: part, kind: sub_playbook, title: {zh-CN: 辟谣, en: Rebut}, playbook: small, wait: true}")
    home = house(tmp_path, playbooks=[PLAN, whole.replace("id: small", "id: whole").replace("小预案", "大预案")])
    home.judge(YELLOW)
    said(home, "start whole")
    part = run_of(home, "R-2")
    assert (part.parent, part.playbook.id) == ("R-1.part", "small")
    said(home, "finish R-2 都做完了")
    assert run_of(home, "R-1").status is RunStatus.DONE
    home.store.close()


def test_a_missing_part_leaves_its_step_to_the_people(tmp_path: Path) -> None:
    home = house(tmp_path, playbooks=[
        plan("  - {id: part, kind: sub_playbook, title: {zh-CN: 辟谣, en: Rebut}, playbook: gone, wait: true}")
    ])  # fmt: skip
    home.judge(YELLOW)
    said(home, "start small")
    assert any("gone" in text for text in thread(home)) and states(home)["part"] is StepStatus.OPEN
    home.store.close()


async def test_everything_goes_on_after_a_restart(tmp_path: Path) -> None:
    home = house(tmp_path, playbooks=[PLAN])
    home.judge(YELLOW)
    said(home, "start small")
    said(home, "done R-1.5")
    before = run_of(home)
    home.store.close()
    (tmp_path / "playbooks" / "0.yaml").unlink()
    again = house(tmp_path, start=home.now + 21 * MINUTE)
    assert run_of(again) == before, "its plan was kept with it"
    await fire(again)
    assert any("提醒：R-1.1" in text for text in thread(again))
    said(again, "done R-1.1")
    assert states(again)["ask"] is StepStatus.OPEN
    again.store.close()


async def test_calm_that_lasts_ends_a_wait_and_blind_sources_never_do(tmp_path: Path) -> None:
    wait = ("  - {id: calm, kind: wait_condition, title: {zh-CN: 等平稳, en: Calm}, until: negative_share < 20%,"
            " hold: 10m}")  # fmt: skip
    home = house(tmp_path, playbooks=[plan(wait)])
    home.judge(YELLOW)

    def blind(sources: tuple[str, ...]) -> None:
        home.do(lambda db: incident_store.save(db, replace(home.incident("I-1"), blind_sources=sources), home.now))

    blind(("vendor",))
    said(home, "start small")
    for _ in range(15):
        await home.clock.advance(MINUTE)
        await fire(home)
    assert states(home)["calm"] is StepStatus.OPEN, "no data is not calm"
    blind(())
    for _ in range(12):
        await home.clock.advance(MINUTE)
        await fire(home)
    assert states(home)["calm"] is StepStatus.DONE
    home.store.close()


def test_forms_are_built_from_the_step_as_it_stands(home: House) -> None:
    said(home, "start small")
    said(home, "done R-1.1")
    said(home, "tick R-1.5 1")

    def form(form_id: str, command: str) -> Form:
        made = home.look(lambda db: step_form(db, home.services.runs, form_id, command, "zh-CN"))
        assert made is not None
        return made

    asked = form("step-answer", "answer R-1.3").fields
    assert [(field.name, field.kind, field.required) for field in asked] == [
        ("what", "multiline", True), ("people", "text", False),
    ]  # fmt: skip
    assert [value for value, _ in form("step-tick", "tick R-1.5").fields[0].options] == ["all", "logs"]
    assert form("abort", "abort R-1").fields[0].name == "reason"
    assert home.look(lambda db: step_form(db, home.services.runs, "step-done", "done R-9.1", "en")) is None


def test_every_word_that_runs_are_told_in_exists() -> None:
    for status in RunStatus:
        assert has(f"run_status.{status.value}")
    for status in StepStatus:
        assert has(f"step_status.{status.value}")
    kinds = ("run_started", "run_auto_started", "run_done", "run_aborted", "run_escalated", "fact", "fact_confirmed")
    assert all(has(f"timeline.{kind}") for kind in (*kinds, "fact_withdrawn"))
    assert all(has(f"button.step_{name}") for name in ("done", "answer", "choose", "tick", "received", "execute"))
    assert all(has(f"button.{name}_run") for name in ("pause", "resume", "abort", "stop", "start"))
    for file in Path("bot/response").glob("run_acts.py"):
        for key in re.findall(r'"(error\.[a-z_]+)"', file.read_text(encoding="utf-8")):
            assert has(key), key
