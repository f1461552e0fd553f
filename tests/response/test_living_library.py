"""People change the library from chat: proposed, checked, approved by the owner, taken back, reviewed in time."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from factories import CONFIG, MINUTE, NOW, House, house
from plans import PLAN

from bot.cli import cli
from bot.clock import DAY
from bot.delivery import timers
from bot.delivery.alarm import Alarm
from bot.model.card import Card, Items
from bot.model.grade import Grade
from bot.response.difference import difference
from bot.store import audit
from bot.store import playbook_versions as store

CHEN, ZHAO = {"account": "U0CHEN"}, {"account": "U0ZHAO"}
ANNOTATED = PLAN + "# 维护人的备注：不要删\n"


@pytest.fixture
def home(tmp_path: Path):
    made = house(tmp_path, playbooks=[ANNOTATED])
    yield made
    made.store.close()


def words(home: House, line: str, **fields) -> str:
    (answer,) = home.say(line, **fields)
    return answer.plain()


def card(home: House, line: str, **fields) -> Card:
    (answer,) = home.say(line, **fields)
    assert answer.card is not None, answer.text
    return answer.card


def plan_of(home: House):
    found = home.look(lambda db: home.response.living.entry(db, "small"))
    assert found is not None
    return found


def state(home: House, version: int) -> str:
    found = home.look(lambda db: store.get(db, "small", version))
    return found.state if found else ""


def acts(home: House) -> list[str]:
    assert home.look(audit.verify) is None
    return [row[0] for row in home.look(lambda db: db.conn.execute("SELECT action FROM audit").fetchall())]


async def fire(home: House) -> int:
    return await Alarm(home.store, home.clock, home.response.timers()).fire_due()


# -- proposing and deciding


def test_an_edit_is_proposed_with_its_difference_and_nothing_changes_yet(home: House) -> None:
    shown = card(home, "修改预案 small steps.check.due 10m")
    lines = next(item for item in shown.sections if isinstance(item, Items) and item.title == "改动内容").lines
    assert any("due: [-30m-]{+10m+}" in line for line in lines)
    assert [button.command for button in shown.buttons] == ["playbook-apply small v2", "playbook-reject small v2"]
    assert (plan_of(home).playbook.step("check").due, state(home, 2)) == (30 * MINUTE, "proposed")
    told = home.outbox(reason="playbook_proposed")
    assert {message.destination for message in told} == {"slack:U0CHEN", "wecom:chenjing"}
    assert "Proposal: Small plan, version 2 by 李娜" in told[0].plain()


@pytest.mark.parametrize("line", ["playbook-apply small v2", "预案生效 small v2", "批准预案 小预案 V2"])
def test_the_owner_puts_it_in_force_by_button_or_text(home: House, line: str) -> None:
    card(home, "playbook-edit small steps.check.due 10m")
    assert "生效" in words(home, line, **CHEN)
    entry = plan_of(home)
    assert (entry.playbook.step("check").due, entry.stored, entry.playbook.version) == (10 * MINUTE, 2, 2)
    assert "# 维护人的备注：不要删" in entry.source, "what else stands in the file stays"
    assert acts(home) == ["playbook_proposed", "playbook_applied"]
    assert "已在线修改（磁盘文件：v1）" in words(home, "预案 small")
    home.judge(Grade.YELLOW)
    words(home, "start small")
    run = home.look(lambda db: home.services.runs.get(db, "R-1"))
    assert run is not None and run.playbook.version == 2


def test_nobody_else_decides_and_a_second_press_changes_nothing(home: House) -> None:
    card(home, "playbook-edit small owner legal")
    assert "维护人决定：陈静" in words(home, "playbook-apply small v2", **ZHAO)
    assert "维护人决定" in words(home, "playbook-reject small v2", **ZHAO)
    assert state(home, 2) == "proposed"
    words(home, "playbook-apply small v2", **CHEN)
    assert "不在等待决定" in words(home, "playbook-apply small v2", **CHEN)
    assert acts(home) == ["playbook_proposed", "playbook_applied"]
    card(home, "playbook-edit small review_by 2031-01-01")
    words(home, "playbook-apply small v3", **ZHAO)
    assert state(home, 3) == "live", "legal keeps it now"


def test_a_refusal_and_a_withdrawal_leave_what_was(home: House) -> None:
    card(home, "playbook-edit small steps.check.due 10m")
    assert "未采纳" in words(home, "驳回预案 small v2 太短", **CHEN)
    card(home, "playbook-edit small steps.check.due 20m")
    assert "未采纳" in words(home, "playbook-reject small v3"), "whoever proposed may take it back"
    assert [state(home, number) for number in (2, 3)] == ["rejected", "rejected"]
    assert "不在等待决定" in words(home, "playbook-apply small v2", **CHEN)
    assert plan_of(home).playbook.step("check").due == 30 * MINUTE


def test_a_proposal_that_was_overtaken_is_not_put_in_force(home: House) -> None:
    card(home, "playbook-edit small steps.check.due 10m")
    card(home, "playbook-edit small review_by 2031-01-01", **ZHAO)
    words(home, "playbook-apply small v2", **CHEN)
    assert "第 2 版已生效，请重新提出" in words(home, "playbook-apply small v3", **CHEN)
    assert plan_of(home).playbook.version == 2


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("playbook-edit small steps.check.role nobody", "nobody"),
        ("playbook-edit small steps.check.due soon", "暂不能采纳"),
        ("playbook-edit small steps.vote.quorum 0", "暂不能采纳"),
        ("playbook-edit small steps.nothing.due 10m", "没有“nothing”"),
        ("playbook-edit small steps.check 10m", "请写到其中的某一项"),
        ("playbook-edit small steps.check.due 30m", "没有任何变化"),
        ("playbook-edit small", "请写明预案、位置和新值"),
        ("playbook-apply small v9", "没有第 9 版"),
        ("playbook-apply small", "请指明是哪一个"),
    ],
)
def test_what_cannot_be_is_refused_with_the_mend_and_not_stored(home: House, line: str, said: str) -> None:
    assert said in words(home, line, **CHEN)
    assert home.look(lambda db: store.highest(db, "small")) == 0
    assert acts(home) == []


def test_a_whole_playbook_is_pasted_as_its_next_version_or_as_a_new_one(home: House) -> None:
    shown = card(home, "propose ```yaml\n" + ANNOTATED.strip().replace("en: Check}", "en: Verify}") + "\n```")
    assert "Verify" in shown.plain()
    assert state(home, 2) == "proposed"
    card(home, "propose " + PLAN.strip().replace("id: small", "id: fresh"))
    versions = home.look(lambda db: store.history(db, "fresh"))
    assert [item.version for item in versions] == [1]
    assert "维护人" in words(home, "playbook-apply fresh v1")
    words(home, "playbook-apply fresh v1", **CHEN)
    assert "fresh" in words(home, "playbooks")


# -- going back


def test_rollback_goes_to_the_version_before_and_then_to_the_file(home: House) -> None:
    for number, due in ((2, "10m"), (3, "20m")):
        card(home, f"playbook-edit small steps.check.due {due}")
        words(home, f"playbook-apply small v{number}", **CHEN)
    assert "维护人" in words(home, "playbook-rollback small")
    assert "第 2 版" in words(home, "预案回退 small", **CHEN)
    assert plan_of(home).playbook.step("check").due == 10 * MINUTE
    assert "第 3 版" in words(home, "playbook-rollback small v3", **CHEN)
    assert plan_of(home).playbook.step("check").due == 20 * MINUTE
    words(home, "playbook-rollback small", **CHEN)
    assert "磁盘文件" in words(home, "playbook-rollback small", **CHEN)
    assert (plan_of(home).stored, plan_of(home).playbook.step("check").due) == (0, 30 * MINUTE)
    assert "没有在线修改过" in words(home, "playbook-rollback small", **CHEN)
    assert acts(home).count("playbook_rolled_back") == 4


def test_history_shows_versions_people_and_wishes(home: House) -> None:
    words(home, "提议 小预案 | 先通知客服热线")
    card(home, "playbook-edit small steps.check.due 10m")
    shown = card(home, "预案历史 small", **CHEN)
    assert "v2 待批准，李娜" in shown.plain() and "先通知客服热线（李娜）" in shown.plain()
    assert "playbook-apply small v2" in [button.command for button in shown.buttons]
    words(home, "playbook-apply small v2", **CHEN)
    assert "现行：第 2 版" in words(home, "playbook-history small")
    assert "{+10m+}" not in words(home, "playbook-history small v2"), "it does not differ from what is in force"


def test_a_wish_reaches_the_owner_and_is_settled(home: House) -> None:
    assert "1 号建议" in words(home, "propose small call the hotline first")
    told = home.outbox(reason="playbook_wish", destination="slack:U0CHEN")
    assert "call the hotline first" in told[0].plain()
    assert "已办结" in words(home, "提议 办结 1", **CHEN)
    assert "没有待处理" in words(home, "propose settle 1", **CHEN)


# -- what is in force everywhere


def test_another_process_sees_it_at_once_and_after_a_restart(home: House, tmp_path: Path) -> None:
    other = house(tmp_path)
    card(home, "playbook-edit small steps.check.due 10m")
    words(home, "playbook-apply small v2", **CHEN)
    for seen in (other, house(tmp_path)):
        assert seen.look(lambda db, seen=seen: seen.response.living.entry(db, "small").stored) == 2
        seen.store.close()


def test_a_changed_or_broken_file_does_not_touch_what_is_in_force(home: House) -> None:
    card(home, "playbook-edit small steps.check.due 10m")
    words(home, "playbook-apply small v2", **CHEN)
    file = home.response.shelf.folder / "0.yaml"
    file.write_text("id: [broken", encoding="utf-8")
    assert plan_of(home).stored == 2
    words(home, "playbook-rollback small", **CHEN)
    assert plan_of(home).playbook.step("check").due == 30 * MINUTE, "the last good state of the file"


# -- review


async def test_owners_are_reminded_once_a_week_of_what_is_past_its_review_day(tmp_path: Path) -> None:
    late = ANNOTATED.replace("review_by: 2030-01-01", "review_by: 2026-01-01")
    home = house(tmp_path, playbooks=[late])
    for _ in range(2):  # a restart does not move it
        home.do(lambda db: home.response.begin(db, home.now))
    due = home.look(lambda db: timers.waiting_at(db, "playbook_review", "library"))
    assert due is not None and NOW < due <= NOW + 7 * DAY
    await home.clock.advance(due - home.now)
    assert await fire(home) == 1
    (reminded,) = home.outbox(reason="playbook_review", destination="slack:U0CHEN")
    assert "Small plan (small), due 2026-01-01" in reminded.plain()
    await home.clock.advance(6 * DAY)
    assert await fire(home) == 0
    await home.clock.advance(DAY)
    assert await fire(home) == 1
    assert len(home.outbox(reason="playbook_review", destination="slack:U0CHEN")) == 2
    assert "逾期未复核" in words(home, "预案")
    card(home, "playbook-edit small review_by 2030-06-01")
    words(home, "playbook-apply small v2", **CHEN)
    assert "逾期未复核" not in words(home, "预案")
    home.store.close()


async def test_an_owner_without_a_chat_is_reminded_in_the_console(tmp_path: Path) -> None:
    text = CONFIG.replace("    slack: U0CHEN\n    wecom: chenjing\n", "")
    home = house(tmp_path, text, playbooks=[ANNOTATED.replace("review_by: 2030-01-01", "review_by: 2026-01-01")])
    home.do(lambda db: home.response.begin(db, home.now))
    await home.clock.advance(7 * DAY)
    await fire(home)
    assert len(home.outbox(reason="playbook_review", destination="console:alerts")) == 1
    home.store.close()


def test_a_file_is_proposed_from_the_command_line_and_decided_in_chat(
    home: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FENGBO_LANGUAGE", "en")
    settings = tmp_path / "fengbo.yaml"
    settings.write_text(f"store: {tmp_path}/fengbo.db\n{CONFIG}", encoding="utf-8")
    changed = tmp_path / "small.yaml"
    changed.write_text(ANNOTATED.replace("due: 30m", "due: 5m"), encoding="utf-8")
    command = ["playbook", "propose", str(changed), "--config", str(settings)]
    result = CliRunner().invoke(cli, command)
    assert (result.exit_code, "due: [-30m-]{+5m+}" in result.stdout) == (0, True), result.output
    shown = CliRunner().invoke(cli, ["playbook", "diff", "small", "v2", "--config", str(settings)])
    assert shown.stdout == result.stdout
    assert home.outbox(reason="playbook_proposed", destination="slack:U0CHEN")
    words(home, "playbook-apply small v2", **CHEN)
    assert plan_of(home).playbook.step("check").due == 5 * MINUTE
    changed.write_text(ANNOTATED.replace("role: pr,", "role: nobody,"), encoding="utf-8")
    refused = CliRunner().invoke(cli, command)
    assert refused.exit_code == 1 and "small.yaml:" in refused.stderr and "nobody" in refused.stderr


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("a: 1", "a: 1", []),
        ("due: 15m", "due: 10m", ["@@ 1 @@", "~ due: [-15m-]{+10m+}"]),
        ("zh: 先核实", "zh: 先查实", ["@@ 1 @@", "~ zh: 先[-核-]{+查+}实"]),
        ("a\nb\nc", "a\nc", ["@@ 1 @@", "  a", "- b", "  c"]),
        ("a", "a\nnew line", ["@@ 1 @@", "  a", "+ new line"]),
        ("quite another thing", "零", ["@@ 1 @@", "- quite another thing", "+ 零"]),
    ],
)
def test_the_difference_is_shown_word_by_word(before: str, after: str, expected: list[str]) -> None:
    assert difference(before, after) == expected
