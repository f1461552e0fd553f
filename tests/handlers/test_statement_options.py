"""Which text fits an audience now: chosen by itself, or shown with reasons and drafted by a press."""

import shutil
from pathlib import Path

import pytest
from factories import House, house

from bot.model.grade import Grade
from bot.model.statement import Statement, Version
from bot.response.library import shipped_folder
from bot.statements.drafting import sheet_for, verified_false
from bot.store import incidents as incident_store
from bot.store import statements as store

WITHDRAWALS = shipped_folder() / "internet-finance" / "withdrawal-failure.yaml"


@pytest.fixture
def home(tmp_path: Path):
    shutil.copytree(shipped_folder() / "templates", tmp_path / "playbooks" / "templates")
    made = house(tmp_path, playbooks=[WITHDRAWALS.read_text(encoding="utf-8")])
    made.judge(Grade.YELLOW)
    yield made
    made.store.close()


def said(home: House, line: str) -> str:
    (answer,) = home.say(line)
    return answer.plain()


def the(home: House, name: str) -> tuple[Statement, Version]:
    found = home.look(lambda db: store.get(db, name))
    assert found is not None
    version = home.look(lambda db: store.version(db, found))
    assert version is not None
    return found, version


@pytest.mark.parametrize("line", ["draft I-1 public ?", "起草 I-1 公众 选项", "起草 I-1 公众 ？"])
def test_the_three_best_are_shown_with_reasons_and_nothing_is_drafted_yet(home: House, line: str) -> None:
    (answer,) = home.say(line)
    assert answer.card is not None and len(answer.card.buttons) == 3
    first = answer.card.sections[0]
    assert "withdrawal-holding" in first.lines[0] and first.lines[0].count("；") + first.lines[0].count("、") >= 2
    assert home.look(lambda db: store.of_incident(db, "I-1")) == []


def test_each_button_drafts_from_its_template_so_that_several_can_be_compared(home: House) -> None:
    (answer,) = home.say("draft I-1 public ?")
    assert answer.card is not None
    commands = [button.command for button in answer.card.buttons]
    for command in commands:
        said(home, command)
    drafted = [the(home, f"S-{number}")[0] for number in (1, 2, 3)]
    assert [item.template for item in drafted] == [command.split()[-1] for command in commands]
    assert drafted[0].strategy == "instructing_information", "the review knows which strategy the text follows"


def test_without_facts_a_holding_statement_is_drafted_and_with_facts_a_first_one(home: House) -> None:
    said(home, "起草 I-1 公众")
    assert the(home, "S-1")[0].template == "withdrawal-holding"
    said(home, "facts I-1 what = 支付通道故障")
    said(home, "起草 I-1 公众")
    assert the(home, "S-2")[0].template == "withdrawal-holding", "what nobody vouches for is no fact"
    said(home, "facts I-1 confirm what")
    said(home, "起草 I-1 公众")
    assert the(home, "S-3")[0].template == "withdrawal-first"
    assert "支付通道故障" in the(home, "S-3")[1].body


def test_a_running_plan_brings_its_own_text_once_facts_are_confirmed(home: House) -> None:
    said(home, "start withdrawal-failure")
    before = len(home.look(lambda db: store.of_incident(db, "I-1")))
    said(home, "facts I-1 what = 支付通道故障")
    said(home, "facts I-1 confirm what")
    said(home, "起草 I-1 公众")
    found = home.look(lambda db: store.of_incident(db, "I-1"))
    assert len(found) == before + 1 and found[-1].template == "first_statement"


def test_a_fact_is_named_as_the_kind_of_crisis_calls_it_and_filled_in_later(home: House) -> None:
    said(home, "起草 I-1 公众 withdrawal-update")
    body = the(home, "S-1")[1].body
    assert "受影响用户数" in body and "affected_users" not in body
    said(home, "facts I-1 affected_users = 2300")
    said(home, "facts I-1 confirm affected_users")
    said(home, "补事实 S-1")
    assert "2300" in the(home, "S-1")[1].body


def test_a_template_for_somebody_else_is_refused_and_told_whom_it_is_for(home: House) -> None:
    assert "员工" in said(home, "起草 I-1 公众 withdrawal-staff")
    assert home.look(lambda db: store.of_incident(db, "I-1")) == []


@pytest.mark.parametrize(
    ("fact", "value", "false"),
    [
        ("verdict", "untrue", True), ("verdict", "partly", False), ("any_true", "no", True), ("any_true", "yes", False),
        ("verified_false", "yes", True), ("verified_false", "no", False),
    ],
)  # fmt: skip
def test_a_claim_is_verified_false_by_the_answer_of_a_plan_once_a_person_confirms_it(
    home: House, fact: str, value: str, false: bool
) -> None:
    def look() -> bool:
        return home.look(lambda db: verified_false(sheet_for(db, incident_store.get(db, "I-1"), "public", [])))

    said(home, f"facts I-1 {fact} = {value}")
    assert not look()
    said(home, f"facts I-1 confirm {fact}")
    assert look() is false
