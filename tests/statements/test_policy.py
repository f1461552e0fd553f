"""Who has to agree: the configured rule, else the one that comes with Fengbo, and what the step of a plan asks for."""

import pytest
from factories import CONFIG, config

from bot.clock import HOUR
from bot.model.grade import Grade
from bot.statements.policy import deputies, lacking, policy_for, voters

TEAM = CONFIG.replace(
    "rota:",
    """  - {id: sunjie, name: 孙洁, roles: [legal], slack: U0SUN}
  - {id: linhai, name: 林海, roles: [executive], slack: U0LIN, deputy: sunjie}
  - {id: heyu, name: 何雨, roles: [compliance], slack: U0HE, deputy: nobody}
rota:""",
).replace("deputy: nobody", "deputy: sunjie")
OWN = """
statements:
  approval:
    - {grades: [red], audiences: [public], need: ["legal*2", executive], ordered: true, second_factor: true,
       expires: 30m}
    - {audiences: [staff], need: [pr]}
"""


def needs(text: str, audience: str, grade: Grade) -> list[tuple[str, int]]:
    return [(item.id, item.count) for item in policy_for(config(text), audience, grade).requirements]


@pytest.mark.parametrize(
    ("audience", "grade", "expected"),
    [
        ("public", Grade.RED, ["legal", "pr_head", "executive"]),
        ("customers", Grade.RED, ["legal", "pr_head"]),
        ("public", Grade.ORANGE, ["legal", "pr_head"]),
        ("authority", Grade.YELLOW, ["legal", "pr_head"]),
        ("staff", Grade.RED, ["pr_head"]),
        ("public", Grade.BLUE, ["pr_head"]),
        ("public", Grade.NONE, ["pr_head"]),
    ],
)
def test_the_worse_it_is_and_the_wider_it_goes_the_more_have_to_agree(
    audience: str, grade: Grade, expected: list[str]
) -> None:
    assert needs(TEAM, audience, grade) == [(name, 1) for name in expected]


def test_the_first_configured_rule_that_fits_comes_before_ours() -> None:
    policy = policy_for(config(TEAM + OWN), "public", Grade.RED)
    assert [(item.id, item.count) for item in policy.requirements] == [("legal", 2), ("executive", 1)]
    assert (policy.ordered, policy.second_factor, policy.expires) == (True, True, HOUR // 2)
    assert needs(TEAM + OWN, "staff", Grade.RED) == [("pr", 1)]
    assert needs(TEAM + OWN, "public", Grade.ORANGE) == [("legal", 1), ("pr_head", 1)], (
        "ours, where none of theirs fits"
    )


def test_a_role_that_the_step_asks_for_is_added_unless_somebody_of_it_sits_there_already() -> None:
    asks = {"lawyer_on_duty": ["sunjie"], "data_officer": ["heyu"], "nobody_yet": []}
    policy = policy_for(config(TEAM), "staff", Grade.BLUE, asks)
    assert [item.id for item in policy.requirements] == ["pr_head", "lawyer_on_duty", "data_officer"]
    assert voters(config(TEAM), policy.requirements[2]) == ["heyu"], "that person, not their whole department"
    covered = policy_for(config(TEAM), "public", Grade.ORANGE, asks)
    assert [item.id for item in covered.requirements] == ["legal", "pr_head"], "law and compliance are asked already"


def test_whoever_wrote_the_text_cannot_be_asked_and_a_seat_that_nobody_can_take_is_said_beforehand() -> None:
    settings = config(TEAM)
    policy = policy_for(settings, "public", Grade.RED)
    assert "chenjing" in voters(settings, policy.requirements[1])
    assert "chenjing" not in voters(settings, policy.requirements[1], {"chenjing"})
    assert lacking(settings, policy, {"lina"}) == []
    assert lacking(settings, policy, {"linhai"}) == ["executive"]


def test_a_deputy_stands_in_for_one_person_and_only_where_they_exist() -> None:
    assert deputies(config(TEAM), ["linhai", "heyu", "lina", "nobody"]) == {"sunjie": "linhai"}
