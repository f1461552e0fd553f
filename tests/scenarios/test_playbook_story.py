"""Two crises worked off by playbook, from the first post to the closed run, through Slack, WeCom and the console."""

import asyncio
import itertools
from pathlib import Path
from typing import Any

import pytest

from bot.chat.slack import adapter
from bot.clock import SECOND
from bot.delivery.chat import Pace
from bot.response.run_state import Run, RunStatus, StepState, StepStatus
from bot.testkit.slack_state import Message
from tests.scenarios.house import CHANNEL, ENGLISH, House, complaints, house

CHEN_TOKEN = "page-token-of-chenjing"
TEAM = {
    "tokens": [
        {"name": "collector", "token_env": "PUSH_TOKEN", "may": ["push"]},
        {"name": "reader", "token_env": "READ_TOKEN", "may": ["read"]},
        {"name": "page", "token_env": "CHEN_TOKEN", "may": ["act", "read"], "person": "chenjing"},
    ],
    "people": [
        {"id": "lina", "name": "李娜", "roles": ["pr", "customer_service", "marketing"], "slack": "U0LINA",
         "wecom": "lina"},
        {"id": "zhaolei", "name": "赵磊", "roles": ["finance", "operations", "legal", "technology"], "slack": "U0ZHAO",
         "wecom": "zhaolei"},
        {"id": "chenjing", "name": "陈静", "roles": ["pr_head", "executive", "admin"], "slack": "U0CHEN",
         "wecom": "chenjing", "console": "chenjing", "email": "chenjing@corp.example", "phone": "13800000000"},
    ],
    "channels": {"world": {"slack": ENGLISH, "console": "world", "language": "en"}},
}  # fmt: skip
_keys = itertools.count(1)


@pytest.fixture(autouse=True)
def set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token for the page; Slack's pace of a message a second has tests of its own, here it would only be waiting."""
    monkeypatch.setenv("CHEN_TOKEN", CHEN_TOKEN)
    monkeypatch.setattr(adapter, "CHANNEL_PACE", Pace(20, SECOND))


def run_of(home: House, run_id: str = "R-1") -> Run | None:
    return home.app.store.read_now(lambda db: home.app.runs.get(db, run_id))


def numbered(home: House, number: int) -> StepState:
    run = run_of(home)
    state = run.numbered(number) if run else None
    assert state is not None
    return state


async def until_step(home: House, number: int, status: StepStatus) -> StepState:
    await home.until(lambda: numbered(home, number).status is status)
    return numbered(home, number)


async def until_run(home: House, status: RunStatus) -> Run:
    await home.until(lambda: (run := run_of(home)) is not None and run.status is status)
    found = run_of(home)
    assert found is not None
    return found


async def on_the_page(home: House, channel: str, line: str) -> None:
    """Chen Jing signs in to the console and types a line."""
    own = {"Origin": home.url}
    async with home.session.post(f"{home.url}/console/login", json={"token": CHEN_TOKEN}, headers=own) as answer:
        assert answer.status == 204, await answer.text()
        cookies = {name: morsel.value for name, morsel in answer.cookies.items()}
    body = {"channel": channel, "text": line, "key": f"key-of-the-page-{next(_keys)}"}
    async with home.session.post(f"{home.url}/console/say", json=body, headers=own, cookies=cookies) as answer:
        assert answer.status == 202, await answer.text()


async def fill_in(home: House, message: Message, command: str, user: str, **fields: str) -> None:
    """Press a button that asks, fill in the modal, send it. What begins with ``=`` is an option's name."""
    slack = home.platforms.slack
    await slack.click(message, command, user)
    view = (await home.until(lambda: slack.modals(user)))[0]
    values: dict[str, dict[str, Any]] = {}
    for name, value in fields.items():
        text = {"type": "plain_text_input", "value": value}
        chosen = {"type": "static_select", "selected_option": {"value": value[1:]}}
        values[f"field:{name}"] = {name: chosen if value.startswith("=") else text}
    assert (await slack.submit_view(view, values)).ok
    assert view.closed


def offers(message: Message, command: str) -> bool:
    return any(element.get("value") == command or element["action_id"] == command for element in message.elements)


async def checklist_below(home: House, card: Message) -> Message:
    """The run's card in the incident's thread."""
    slack = home.platforms.slack

    def look() -> Message | None:
        return next((reply for reply in slack.thread(card) if offers(reply, "pause R-1")), None)

    found: Message = await home.until(look)
    return found


async def test_a_withdrawal_failure_is_worked_off_by_its_playbook_from_three_chats(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(tmp_path, monkeypatch, **TEAM) as home:
        slack, wecom = home.platforms.slack, home.platforms.wecom
        # From yellow on the card recommends the plan and says why; one press starts it.
        await home.push(complaints(9))
        card = await slack.wait_for_message(CHANNEL, "I-1")
        assert not offers(card, "start withdrawal-failure I-1")
        await slack.slash("grade I-1 yellow 多家银行不到账", "U0CHEN", CHANNEL)
        await home.until(lambda: offers(card, "start withdrawal-failure I-1"))
        assert "建议启动预案：提现困难" in card.visible
        await slack.click(card, "start withdrawal-failure I-1", "U0LINA")
        checklist = await checklist_below(home, card)
        assert "提现困难" in checklist.visible
        await home.until(lambda: "正在执行的预案" in card.visible and not offers(card, "start withdrawal-failure I-1"))
        await wecom.wait_for_message("lina", "R-1")

        await _tasks(home, checklist)
        await _facts(home, checklist)
        await _higher_grade_and_decision(home)
        await _pause_and_resume(home, checklist)

        # The run is declared finished on the page; everybody sees it, then the incident is closed.
        await on_the_page(home, "alerts", "收尾 R-1 积压款项全部到账")
        run = await until_run(home, RunStatus.DONE)
        assert run.outcome == "积压款项全部到账"
        await home.until(lambda: "已完成" in checklist.visible and not checklist.elements)
        await slack.slash("close I-1 款项已全部到账", "U0CHEN", CHANNEL)
        await home.until_incident(lambda item: item["status"] == "closed")
        await home.until(lambda: "已关闭" in card.visible)
        left = home.app.store.read_now(
            lambda db: db.conn.execute(
                "SELECT COUNT(*) FROM timer WHERE state = 'waiting' AND object LIKE 'R-1%'"
            ).fetchone()[0]
        )
        assert left == 0


async def _tasks(home: House, checklist: Message) -> None:
    """A task by a WeCom text; one pressed by two people at once; a skip with its reason."""
    slack, wecom = home.platforms.slack, home.platforms.wecom
    assert (await wecom.say("zhaolei", "完成 R-1.26 已排班，热线可用")).ok
    care = await until_step(home, 26, StepStatus.DONE)
    assert (care.by, care.outcome) == ("赵磊", "已排班，热线可用")

    await asyncio.gather(slack.click(checklist, "done R-1.1", "U0LINA"), wecom.say("zhaolei", "完成 R-1.1"))
    first = await until_step(home, 1, StepStatus.DONE)
    told = f"已由 {first.by} 完成"
    if first.by == "李娜":
        await wecom.wait_for_message("zhaolei", told)
    else:
        await home.until(lambda: any(told in message.visible for message in slack.ephemerals("U0LINA")))

    await slack.slash("skip R-1.6", "U0LINA", CHANNEL)
    await home.until(lambda: any("skip R-1.6" in message.visible for message in slack.ephemerals("U0LINA")))
    assert numbered(home, 6).status is StepStatus.OPEN
    await slack.slash("skip R-1.6 投放上月已停", "U0LINA", CHANNEL)
    skipped = await until_step(home, 6, StepStatus.SKIPPED)
    assert (skipped.by, skipped.outcome) == ("李娜", "投放上月已停")
    await home.until(lambda: "投放上月已停" in checklist.visible)


async def _facts(home: House, checklist: Message) -> None:
    """Questions: one by a form in Slack, one by a word in WeCom; both stand on the fact sheet."""
    await home.until(lambda: offers(checklist, "answer R-1.4"))
    await fill_in(
        home,
        checklist,
        "answer R-1.4",
        "U0ZHAO",
        what="两家银行代付通道超时",
        when="今天 9:40",
        users="3200",
        cause="=channel",
    )
    answered = await until_step(home, 4, StepStatus.DONE)
    assert answered.answers["users"] == "3200"
    assert (await home.platforms.wecom.say("zhaolei", "回答 R-1.5 是")).ok
    await until_step(home, 5, StepStatus.DONE)
    rows = home.app.store.read_now(lambda db: db.conn.execute("SELECT name, value FROM fact").fetchall())
    assert {("affected_users", "3200"), ("cause", "channel"), ("funds_segregated", "yes")} <= set(rows)


async def _higher_grade_and_decision(home: House) -> None:
    """A higher grade adds its steps; two voices from two chats decide one of them."""
    slack, wecom = home.platforms.slack, home.platforms.wecom
    assert numbered(home, 8).status is StepStatus.NOT_APPLICABLE
    await on_the_page(home, "alerts", "grade I-1 orange 监管来电询问")
    await until_step(home, 8, StepStatus.OPEN)
    assert numbered(home, 14).due_at > 0
    await slack.slash("choose R-1.8 pause_deposits", "U0LINA", CHANNEL)
    await home.until(lambda: any("你不在其中" in message.visible for message in slack.ephemerals("U0LINA")))
    await slack.slash("choose R-1.8 pause_deposits", "U0CHEN", CHANNEL)
    await home.until(lambda: numbered(home, 8).votes)
    assert numbered(home, 8).status is StepStatus.OPEN
    assert (await wecom.say("zhaolei", "选择 R-1.8 2")).ok
    decided = await until_step(home, 8, StepStatus.DONE)
    assert decided.votes == {"chenjing": "pause_deposits", "zhaolei": "pause_deposits"}
    incident = await home.api("/api/v1/incidents/I-1")
    assert any("暂停新增充值" in str(entry["details"]) for entry in incident["timeline"] if entry["kind"] == "decision")


async def _pause_and_resume(home: House, checklist: Message) -> None:
    """Deadlines stand still while the run does."""
    due_at = numbered(home, 14).due_at
    await home.until(lambda: offers(checklist, "pause R-1"))
    await home.platforms.slack.click(checklist, "pause R-1", "U0CHEN")
    await until_run(home, RunStatus.PAUSED)
    await home.until(lambda: offers(checklist, "resume R-1") and "已暂停" in checklist.visible)
    await on_the_page(home, "alerts", "继续 R-1")
    await until_run(home, RunStatus.RUNNING)
    assert numbered(home, 14).due_at > due_at


async def test_an_outage_starts_its_playbook_by_itself_and_is_worked_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(tmp_path, monkeypatch, **TEAM) as home:
        slack, wecom = home.platforms.slack, home.platforms.wecom
        await home.push(complaints(10, "Farcloud is down again, our whole site is offline, terrible outage"))
        card = await slack.wait_for_message(ENGLISH, "I-1")
        # Red, and the plan says it starts by itself then: announced, and one press stops it.
        await on_the_page(home, "world", "grade I-1 red every region is down")
        checklist = await checklist_below(home, card)
        run = await until_run(home, RunStatus.RUNNING)
        assert (run.playbook.id, run.automatic) == ("service-outage", True)
        await home.until(lambda: any("abort R-1" in str(element) for element in checklist.elements))

        await slack.click(checklist, "done R-1.1", "U0ZHAO")
        await until_step(home, 1, StepStatus.DONE)
        # A statement's step ends by its publication; a text that is not needed any more is discarded first.
        assert (await wecom.say("lina", "完成 R-1.3 https://status.example/1")).ok
        await home.until(lambda: any("S-1" in message.visible("lina") for message in wecom.inbox("lina")))
        assert numbered(home, 3).status is StepStatus.OPEN
        await slack.slash("discard S-1 the status page says it already", "U0CHEN", ENGLISH)
        await home.until(lambda: any("S-1 is discarded" in message.visible for message in slack.ephemerals("U0CHEN")))
        assert (await wecom.say("lina", "完成 R-1.3 https://status.example/1")).ok
        await until_step(home, 3, StepStatus.DONE)
        await home.until(lambda: offers(checklist, "answer R-1.4"))
        required = _required_answers(home, 4)
        await on_the_page(home, "world", f"answer R-1.4 {required}")
        await until_step(home, 4, StepStatus.DONE)
        assert (await wecom.say("zhaolei", "勾选 R-1.8 全部")).ok
        await until_step(home, 8, StepStatus.DONE)
        # An executive, and legal from another chat, decide on compensation.
        await slack.slash("choose R-1.23 1", "U0CHEN", ENGLISH)
        await home.until(lambda: numbered(home, 23).votes)
        assert (await wecom.say("zhaolei", "选择 R-1.23 1")).ok
        await until_step(home, 23, StepStatus.DONE)
        await slack.mention("finish R-1 every region has answered for two hours", "U0CHEN", ENGLISH, thread_ts=card.ts)
        await until_run(home, RunStatus.DONE)
        await home.until(lambda: "every region has answered for two hours" in checklist.visible)
        await on_the_page(home, "world", "close I-1 service restored")
        await home.until_incident(lambda item: item["status"] == "closed")


def _required_answers(home: House, number: int) -> str:
    """An answer to every required field, as somebody would type it."""
    run = run_of(home)
    assert run is not None
    step = run.playbook.step(numbered(home, number).id)
    assert step is not None and step.kind == "question"
    samples = {"yes_no": "yes", "number": "5", "time": "09:40", "link": "https://status.example/1"}
    lines = []
    for field in step.fields:
        if field.required:
            value = field.options[0].id if field.options else samples.get(field.type, "control plane down")
            lines.append(f"{field.id} = {value}")
    return "; ".join(lines)
