"""Members learn the playbooks of their roles by short questions, by button and by text."""

from pathlib import Path

import pytest
from factories import CONFIG, House, house
from plans import PLAN

from bot.clock import MINUTE
from bot.model.card import Card

ZHAO, CHEN = {"account": "U0ZHAO"}, {"account": "U0CHEN", "destination": "slack:C0BOSS"}
QUIZ = """
quiz:
  - id: first
    question: {zh-CN: 先做什么, en: What comes first}
    options:
      - {id: wait, label: {zh-CN: 等一等, en: Wait}}
      - {id: check, label: {zh-CN: 核实, en: Check}}
    answer: check
    why: {zh-CN: 不核实就会说错, en: Unchecked words are wrong words}
  - id: law
    roles: [legal]
    question: {zh-CN: 报告期限, en: When to report}
    options:
      - {id: four, label: {zh-CN: 四小时, en: Four hours}}
      - {id: week, label: {zh-CN: 一周, en: A week}}
    answer: four
    why: {zh-CN: 法规如此, en: The law says so}
"""
LEARNT = PLAN + QUIZ


@pytest.fixture
def home(tmp_path: Path):
    made = house(tmp_path, playbooks=[LEARNT])
    yield made
    made.store.close()


def card(home: House, line: str, **fields) -> Card:
    (answer,) = home.say(line, **fields)
    assert answer.card is not None, answer.text
    assert answer.audience, "what somebody answers is for nobody else's eyes"
    return answer.card


def words(home: House, line: str, **fields) -> str:
    (answer,) = home.say(line, **fields)
    return answer.plain()


def rows(home: House) -> list[tuple]:
    sql = 'SELECT person, playbook, version, question, answer, "right", at FROM lesson_answer ORDER BY id'
    return home.look(lambda db: db.conn.execute(sql).fetchall())


def test_a_question_is_asked_with_a_button_for_every_answer(home: House) -> None:
    shown = card(home, "学习")
    assert "先做什么" in shown.plain() and "B. 核实" in shown.plain()
    assert [button.command for button in shown.buttons] == ["learn small first A", "learn small first B"]


@pytest.mark.parametrize("line", ["learn small first B", "learn b", "学习 2", "学习Ｂ", "learn check", "学习 核实"])
def test_an_answer_by_button_or_text_is_right_with_its_reason_and_recorded(home: House, line: str) -> None:
    card(home, "learn")
    shown = card(home, line).plain()
    assert "答对了" in shown and "不核实就会说错" in shown
    assert rows(home) == [("lina", "small", 1, "first", "check", 1, home.now)]


async def test_a_wrong_answer_is_explained_and_comes_again_later(home: House) -> None:
    card(home, "learn")
    shown = card(home, "learn A")
    assert "正确的是：B. 核实" in shown.plain() and "不核实就会说错" in shown.plain()
    assert [button.command for button in shown.buttons] == ["learn"], "not the same question with its answer above"
    await home.clock.advance(MINUTE)
    assert "先做什么" in card(home, "learn").plain()
    assert "都学完了" in card(home, "learn B").plain()
    assert [row[5] for row in rows(home)] == [0, 1]
    assert "作答 1 题中一次答对 0 题" in card(home, "learn status").plain()


def test_everybody_is_asked_what_their_role_needs(home: House) -> None:
    card(home, "learn", **ZHAO)
    following = card(home, "learn B", **ZHAO).plain()
    assert "答对了" in following and "报告期限" in following
    assert "都学完了：2 题" in card(home, "学习 A", **ZHAO).plain()
    card(home, "learn")
    assert "都学完了：1 题" in card(home, "learn B").plain(), "PR is not asked for the law"


def test_status_shows_members_and_roles_to_those_who_lead(home: House) -> None:
    card(home, "learn", **ZHAO)
    card(home, "learn B", **ZHAO)
    shown = card(home, "learn status", **CHEN).plain()
    assert "赵磊: 1 of 2 settled, 1 of 1 right at once, last 01-05 10:00" in shown
    assert "李娜: 0 of 1 settled, 0 of 0 right at once, last never" in shown
    assert "legal: 1 of 2 settled, 0 of 1 members through" in shown
    own = card(home, "学习 进度").plain()
    assert "李娜" in own and "赵磊" not in own and "法务：2 题已掌握 1 题" in own
    assert "只有负责人能看" in words(home, "学习 进度 赵磊")
    assert "赵磊" in card(home, "learn status 赵磊", **CHEN).plain()


def test_a_new_version_is_learnt_anew(home: House) -> None:
    card(home, "learn")
    card(home, "learn B")
    assert "都学完了" in card(home, "learn").plain()
    file = home.response.shelf.folder / "0.yaml"
    file.write_text(LEARNT.replace("version: 1", "version: 22"), encoding="utf-8")
    assert "先做什么" in card(home, "learn").plain()


@pytest.mark.parametrize(
    ("line", "said"),
    [("learn C", "请从 A、B 中选一个"), ("learn small first Z", "请从 A、B 中选一个"), ("学习 没有这个", "没有这个")],
)
def test_what_is_no_answer_is_said_so_and_not_recorded(home: House, line: str, said: str) -> None:
    card(home, "learn")
    assert said in words(home, line)
    assert rows(home) == []


def test_without_questions_it_says_so(tmp_path: Path) -> None:
    home = house(tmp_path, playbooks=[PLAN])
    assert "没有需要您执行" in card(home, "learn").plain()
    assert "没有要考您的题目" in words(home, "learn small")
    home.store.close()


def test_playbooks_of_other_industries_are_left_out_unless_asked_for(tmp_path: Path) -> None:
    text = CONFIG.replace("name: 星河支付,", "name: 星河支付, industry: fintech,", 1)
    telecom = LEARNT.replace("industries: [general]", "industries: [telecom]")
    home = house(tmp_path, text, playbooks=[telecom])
    assert "没有需要您执行" in card(home, "learn").plain()
    assert "先做什么" in card(home, "learn small").plain()
    home.store.close()
