"""What the record proposes: from enough runs, with its evidence, as a difference that the owner still decides on."""

from pathlib import Path

import pytest
from factories import MINUTE, House, house
from history import case, note, run
from plans import PLAN

from bot.clock import DAY
from bot.delivery import timers
from bot.learning.case import PlanUsed
from bot.learning.filing import both
from bot.learning.suggest_texts import Edited, text_suggestions
from bot.learning.suggestion import Suggestion, at_least
from bot.model.card import Card
from bot.model.grade import Grade
from bot.store import audit
from bot.store import proposals as store

CHEN = {"account": "U0CHEN"}
OTHER = PLAN.replace("id: small", "id: other").replace("title: {zh-CN: 小预案", "title: {zh-CN: 另一份")
ONCE = {"list": ("skipped", 5)}


@pytest.fixture
def home(tmp_path: Path):
    made = house(tmp_path, playbooks=[PLAN, OTHER])
    yield made
    made.store.close()


def look(home: House) -> dict[str, Suggestion]:
    found = home.look(lambda db: home.library.proposals.look(db, home.now))
    home.do(lambda db: home.library.proposals.renew(db, found, home.now))
    return {item.key: item for item in found}


def card(home: House, line: str, **fields) -> Card:
    (answer,) = home.say(line, **fields)
    assert answer.card is not None, answer.plain()
    return answer.card


def words(home: House, line: str, **fields) -> str:
    (answer,) = home.say(line, **fields)
    return answer.plain()


def plan(home: House, name: str = "small"):
    entry = home.look(lambda db: home.response.living.entry(db, name))
    assert entry is not None
    return entry.playbook


async def fire(home: House) -> None:
    """Run the errands that are due, and wait for what they bring back."""
    for timer in home.look(lambda db: timers.due(db, home.now)):
        if errand := home.library.errands(home.store, home.clock).get(timer.kind):
            apply = await errand(timer)
            home.do(lambda db, timer=timer, apply=apply: timers.claim(db, timer.id, home.now) and apply(db, home.now))


@pytest.mark.parametrize(
    ("part", "whole", "bound"), [(5, 5, 0.649), (4, 5, 0.435), (9, 10, 0.652), (0, 10, 0.0), (0, 0, 0.0)]
)
def test_a_share_is_stated_by_its_lower_bound(part: int, whole: int, bound: float) -> None:
    assert at_least(part, whole) == pytest.approx(bound, abs=0.001)


@pytest.mark.parametrize(("runs", "proposed"), [(4, False), (5, True)])
def test_a_step_that_is_always_skipped_is_proposed_to_go_only_after_enough_runs(
    home: House, runs: int, proposed: bool
) -> None:
    ids = [run(home, ONCE) for _ in range(runs)]
    found = look(home)
    assert ("skip:small:list" in found) is proposed
    if proposed:
        assert found["skip:small:list"].evidence == tuple(ids)
        assert "至少 65%" in card(home, "建议").plain()
        shown = card(home, "建议 1").plain()
        assert "R-1" in shown and "- id: list" in shown


def test_a_step_done_only_at_a_higher_grade_is_proposed_to_begin_there(home: House) -> None:
    for _ in range(9):
        run(home, ONCE)
    run(home, {}, grade=Grade.ORANGE)
    change = look(home)["skip:small:list"].change
    assert change.values == (("list", "from_grade", "orange"),)


def test_a_deadline_that_is_never_kept_becomes_one_that_most_runs_would_have_kept(home: House) -> None:
    for minutes in (35, 40, 41, 44, 90):
        run(home, {"check": ("done", minutes)})
    found = look(home)["deadline:small:check"]
    assert found.change.values == (("check", "due", "90m"),) or found.change.values == (("check", "due", "45m"),)
    kept = [minutes for minutes in (35, 40, 41, 44, 90) if minutes <= found_minutes(found)]
    assert len(kept) >= 4 and found.params["now"] == "30m"


def found_minutes(found: Suggestion) -> int:
    value = found.change.values[0][2]
    return int(value[:-1]) * (60 if value.endswith("h") else 1)


def test_a_late_step_that_others_do_in_the_end_is_proposed_for_their_role(home: House) -> None:
    for _ in range(5):
        run(home, {"check": ("done", 50)}, people={"check": "zhaolei"})
    found = look(home)
    assert found["role:small:check"].change.values == (("check", "role", "legal"),)
    assert "deadline:small:check" not in found


def test_what_people_write_down_again_and_again_becomes_a_step(home: House) -> None:
    for text in ("电话通知合作银行核对出款", "已电话通知合作银行，核对出款", "通知合作银行核对出款通道"):
        run(home, {}, notes=(text, f"第{len(text)}次与律师讨论合同"[:6] if len(text) > 12 else "换个会议室"))
    found = [item for item in look(home).values() if item.kind == "step"]
    assert len(found) == 1 and len(found[0].evidence) == 3
    assert found[0].change.title.zh == "电话通知合作银行核对出款" and found[0].change.role == "pr"


def test_drills_are_weighed_apart_and_never_outweigh_reality(home: House) -> None:
    for _ in range(8):
        run(home, ONCE, drill="DR-1")
    found = look(home)
    assert found["skip:small:list:drills"].drills and "skip:small:list" not in found
    assert "只有演练支持" in card(home, "建议").plain()
    for _ in range(5):
        run(home, {})
    assert not [key for key in look(home) if key.startswith("skip:small:list")], "people do it when it is real"


def test_runs_of_an_older_form_of_the_step_do_not_speak(home: House) -> None:
    for _ in range(5):
        run(home, {"check": ("done", 50)})
    look(home)
    words(home, "采纳建议 1", **CHEN)
    words(home, "playbook-apply small v2", **CHEN)
    assert plan(home).step("check").due > 30 * MINUTE
    assert look(home) == {}, "what was followed does not come again from the old runs"


def taking(home: House) -> None:
    for _ in range(5):
        run(home, ONCE)
    look(home)


def test_taking_one_makes_a_proposed_version_that_the_owner_decides_on(home: House) -> None:
    taking(home)
    shown = card(home, "proposal-take 1")
    assert [button.command for button in shown.buttons] == ["playbook-apply small v2", "playbook-reject small v2"]
    assert "来自 1 号建议" in shown.plain() and plan(home).version == 1
    assert home.outbox(reason="playbook_proposed"), "the owner is told as of any other version"
    assert "不再等待" in words(home, "proposal-take 1")
    words(home, "playbook-apply small v2", **CHEN)
    assert plan(home).step("list") is None
    words(home, "playbook-rollback small", **CHEN)
    assert plan(home).step("list") is not None
    assert home.look(audit.verify) is None


def test_a_rejected_one_needs_a_reason_and_comes_back_only_when_its_evidence_has_doubled(home: House) -> None:
    taking(home)
    assert "请写明理由" in words(home, "不采纳建议 1", **CHEN)
    assert "维护人决定" in words(home, "不采纳建议 1 太早")
    assert "依据增加到 10 项" in words(home, "不采纳建议 1 监管要求保留", **CHEN)
    for _ in range(4):
        run(home, ONCE)
    look(home)
    assert home.look(lambda db: store.get(db, 1)).state == "rejected"
    run(home, ONCE)
    look(home)
    assert home.look(lambda db: store.get(db, 1)).state == "open"


def used(playbook: str) -> tuple[PlanUsed, ...]:
    return (PlanUsed(playbook=playbook, title=both("x"), run="R-1", status="done", done=1, steps=1, late=0, skipped=0),)


def test_a_plan_that_people_overrule_gives_its_words_to_the_one_they_take(home: House) -> None:
    for _ in range(4):
        case(home, recommended="other", plans=used("small"), words=("出款", "银行", "到账"))
    found = look(home)["overruled:small:other"]
    assert set(found.change.words) == {"出款", "银行", "到账"} and len(found.evidence) == 4


def test_a_recommendation_nobody_takes_is_proposed_for_a_higher_grade(home: House) -> None:
    for number in range(6):
        case(home, recommended="other", grade=Grade.BLUE, words=(f"词{number}", "甲乙", "丙丁"))
    found = look(home)["unused:other:yellow"]
    assert found.change.values == (("", "grades.from", "yellow"),)


def test_new_words_of_posts_that_nothing_recognised_go_to_the_plan_people_took(home: House) -> None:
    for _ in range(2):
        case(home, plans=used("small"), unknown={"薅羊毛": 6, "少见": 2})
    found = look(home)["words:small:"]
    assert found.change.words == ("薅羊毛",)


def test_words_of_posts_that_no_rule_let_in_become_a_version_of_the_rule(home: House) -> None:
    for _ in range(2):
        case(home, strays={"小星钱包": 7, "星河支付": 9})
    assert look(home)["rule::xinghe-pay"].change.words == ("小星钱包",)
    assert "规则生效 xinghe-pay v1" in words(home, "采纳建议 1", **CHEN)
    words(home, "rules-apply xinghe-pay v1", **CHEN)
    assert "小星钱包" in home.watch.subject("xinghe-pay").rule.any


def test_incidents_without_a_plan_that_are_alike_get_a_new_one_with_what_people_did(home: House) -> None:
    for _ in range(3):
        made = case(home, crisis_types=("other",), words=("积分", "清零", "会员", "规则"))
        note(home, made, "下线积分规则页面并公告")
        note(home, made, "给受影响会员补发积分", 60)
    found = [item for item in look(home).values() if item.kind == "kind"]
    assert len(found) == 1 and len(found[0].change.steps) == 2
    shown = card(home, "采纳建议 1", **CHEN)
    words(home, shown.buttons[0].command, **CHEN)
    entry = plan(home, found[0].change.id)
    assert "积分" in entry.match.words and entry.step("by-hand-2").title.zh == "给受影响会员补发积分"


def test_a_passage_that_is_always_rewritten_alike_is_proposed_for_the_template(home: House) -> None:
    before, after = "我们深表遗憾，银行处理中，123 人。", "我们诚恳道歉，银行处理中，123 人。"
    text = PLAN.replace('zh-CN: "{what}，', 'zh-CN: "我们深表遗憾，{what}，')
    (Path(home.response.shelf.folder) / "0.yaml").write_text(text, encoding="utf-8")
    playbooks = {"small": plan(home)}
    edited = [Edited(f"S-{n}", "small", "first", "zh-CN", before, after) for n in range(3)]
    (found,) = text_suggestions(edited, playbooks)
    assert found.evidence == ("S-0", "S-1", "S-2")
    would = home.look(lambda db: home.library.proposals.shown(db, found, home.now))
    assert (
        would is not None
        and not would.errors
        and "诚恳道歉" in "\n".join(would.difference).replace("[-深表遗憾-]{+", "")
    )
    assert text_suggestions(edited[:2], playbooks) == []


async def test_library_owners_hear_once_a_week_of_what_is_new_and_nothing_changes_by_itself(home: House) -> None:
    home.do(lambda db: home.library.notices.begin(db, home.now))
    for _ in range(5):
        run(home, ONCE)
    await home.clock.advance(8 * DAY)
    await fire(home)
    told = home.outbox(reason="library_proposals")
    assert {message.destination for message in told} == {"slack:U0CHEN", "wecom:chenjing"}
    assert "1 new proposals" in told[0].plain() and told[0].card.buttons[0].command == "proposals 1"
    assert plan(home).version == 1
    await home.clock.advance(7 * DAY)
    await fire(home)
    assert len(home.outbox(reason="library_proposals")) == 2, "what was told is not told again"
    assert home.look(lambda db: timers.waiting_at(db, "library_look", "week")) > home.now


async def test_the_record_is_looked_through_again_when_somebody_asks(home: House) -> None:
    assert "还没有看过记录" in card(home, "建议").plain()
    for _ in range(5):
        run(home, ONCE)
    assert home.say("建议 重新看") == []
    await fire(home)
    (answer,) = [item for item in home.outbox(reason="answer") if item.card and "1 条待定" in item.card.title]
    assert "list" in answer.plain()
