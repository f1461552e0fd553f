"""What may be told to whom and the media line, asked for in chat."""

from pathlib import Path

import pytest
from factories import House, house
from plans import plan
from sqlite_utils import Database

from bot.model.grade import Grade
from bot.store import incidents as incident_store

STEP = """
  - {id: check, kind: task, title: {zh-CN: 核实, en: Check}, role: pr, due: 30m}
  - {id: say, kind: statement, title: {zh-CN: 通知, en: Notice}, role: pr, audience: customers, template: first}
"""
RELEASE = """
  - audience: customers
    from_grade: yellow
    facts: [what, affected]
    approve: [legal]
    note: {zh-CN: 先公告后通知, en: Notice first}
  - {audience: media, from_grade: orange, facts: [what]}
"""
LINE = """
  spokesperson: commander
  holding: {zh-CN: 正在核实，十分钟后更新, en: "We are checking, next word in ten minutes"}
  messages:
    - {zh-CN: "情况：{what}", en: "What happened: {what}"}
    - {zh-CN: "影响 {affected} 人", en: "{affected} people"}
  never: [{zh-CN: 不说系统升级, en: Never say upgrade}]
  answers:
    - question: {zh-CN: 什么时候到账？, en: "When will the money arrive?"}
      answer: {zh-CN: 以公告为准, en: As the notice says}
    - question: {zh-CN: 会不会赔？, en: "Will you compensate?"}
      answer: {zh-CN: 按规则自动补偿, en: By a published rule}
"""


@pytest.fixture
def home(tmp_path: Path):
    made = house(tmp_path, playbooks=[plan(STEP, release=RELEASE, media_line=LINE)])
    made.judge(Grade.YELLOW)
    yield made
    made.store.close()


def said(home: House, line: str, **fields) -> str:
    (answer,) = home.say(line, **fields)
    return answer.plain()


def known(home: House) -> None:
    for line in ("事实 I-1 what = 提现延迟", "事实 I-1 确认 what", "事实 I-1 affected = 300"):
        home.say(line)


def test_before_a_plan_runs_nothing_leaves_the_core_team(home: House) -> None:
    known(home)
    text = said(home, "事实 I-1 对客户")
    assert "还没有启动预案，除核心小组外一律不说" in text and "300" not in text
    assert "提现延迟" in said(home, "事实 I-1 对核心小组")


@pytest.mark.parametrize(
    "line", ["事实 I-1 对客户", "事实 I-1 可以对客户说什么", "facts I-1 for customers", "事实 I-1 告诉用户"]
)
def test_each_way_of_asking_shows_what_customers_may_know(home: House, line: str) -> None:
    known(home)
    home.say("启动 小预案 I-1")
    text = said(home, line)
    assert "提现延迟" in text and "300" not in text
    assert "受影响人数：未核实" in text and "法务 · 赵磊" in text and "先公告后通知" in text
    home.say("事实 I-1 确认 affected")
    assert "受影响人数：300" in said(home, line)


def test_the_media_wait_for_their_grade_and_a_broken_off_plan_binds_nobody(home: House) -> None:
    known(home)
    home.say("启动 小预案 I-1")
    assert "橙色 Ⅱ起才对其告知" in said(home, "事实 I-1 对媒体")
    home.judge(Grade.ORANGE, incident="I-1")
    assert "什么事（What）：提现延迟" in said(home, "事实 I-1 对媒体")
    home.say("中止 R-1 不属实")
    assert "还没有启动预案" in said(home, "事实 I-1 对媒体")


def test_a_draft_names_what_stands_in_it_and_must_not_be_told_yet(home: House) -> None:
    known(home)
    home.say("启动 小预案 I-1")
    text = said(home, "模板 R-1.2")
    assert "现在还不能对客户说" in text and "受影响人数：未核实" in text and "什么事（What）：未核实" not in text
    home.say("事实 I-1 确认 affected")
    assert "现在还不能" not in said(home, "模板 R-1.2")


def test_an_audience_that_nobody_knows_is_refused_and_facts_are_still_set(home: House) -> None:
    assert "没有“aliens”这类对象" in said(home, "facts I-1 for aliens")
    home.say("事实 I-1 what = 对客户有影响")
    assert "对客户有影响" in said(home, "事实 I-1")


def test_the_media_line_names_who_speaks_and_holds_back_what_is_not_released(home: House) -> None:
    known(home)
    assert "没有生效的媒体口径" in said(home, "口径 I-1")
    home.say("启动 小预案 I-1")
    text = said(home, "口径 I-1")
    assert "总指挥 · 陈静" in text and "不说系统升级" in text and "正在核实，十分钟后更新" in text
    assert "提现延迟" not in text and "300" not in text
    home.judge(Grade.ORANGE, incident="I-1")
    assert "情况：提现延迟" in said(home, "line I-1")


def test_a_question_gets_its_approved_answer_or_the_word_that_there_is_none(home: House) -> None:
    home.say("启动 小预案 I-1")
    text = said(home, "口径 I-1 几点能到账")
    assert "以公告为准" in text and "《小预案》第 1 版" in text and "按规则自动补偿" not in text
    text = said(home, "口径 I-1 老板被抓了吗")
    assert "还没有批准的口径" in text and "正在核实，十分钟后更新" in text
    assert "以公告为准" not in text and "提议 small" in text


def test_only_the_running_plan_speaks_and_looking_changes_nothing(home: House) -> None:
    before = home.look(lambda db: len(incident_store.timeline(db, "I-1")))
    home.say("口径 I-1")
    home.say("事实 I-1 对公众")

    def after(db: Database) -> int:
        return len(incident_store.timeline(db, "I-1"))

    assert home.look(after) == before
