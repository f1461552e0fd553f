"""Which template is chosen, as a table: how much is known, the kind of crisis, the plan's strategies."""

from dataclasses import replace
from functools import cache

import pytest

from bot.model.grade import Grade
from bot.response.library import Library, load_library, shipped_folder
from bot.response.parts import Template
from bot.statements.choosing import DENYING, Candidate, Choice, Phase, Situation, choose, facts_in, variant_of
from bot.texts import render

UNKNOWN, KNOWN, UPDATE, CALM = Phase
DURING = Situation("withdrawal_failure", "public", Grade.ORANGE, "accidental")


@cache
def library() -> Library:
    return load_library(shipped_folder())


def shared() -> list[Candidate]:
    return [Candidate(name, item) for name, item in library().templates.items()]


def planned(plan: str) -> list[Candidate]:
    playbook = library().get(plan)
    assert playbook is not None
    return [*(Candidate(name, item, True) for name, item in playbook.templates.items()), *shared()]


def template(**given: object) -> Template:
    body = given.pop("body", "{what}")
    words = {"zh-CN": body, "en": body}
    return Template.model_validate({"audience": "public", "title": words, "body": words, **given})


def best(situation: Situation, candidates: list[Candidate] | None = None) -> Choice:
    return choose(shared() if candidates is None else candidates, situation)[0]


@pytest.mark.parametrize(
    ("kind", "audience", "phase", "wanted"),
    [
        ("withdrawal_failure", "public", UNKNOWN, "withdrawal-holding"),
        ("withdrawal_failure", "public", KNOWN, "withdrawal-first"),
        ("withdrawal_failure", "public", UPDATE, "withdrawal-update"),
        ("withdrawal_failure", "public", CALM, "withdrawal-recovery"),
        ("withdrawal_failure", "affected_customers", KNOWN, "withdrawal-notice"),
        ("withdrawal_failure", "media", UNKNOWN, "holding-media"),
        ("withdrawal_failure", "media", KNOWN, "withdrawal-media-qa"),
        ("withdrawal_failure", "authority", KNOWN, "withdrawal-authority"),
        ("withdrawal_failure", "staff", UNKNOWN, "holding-staff"),
        ("withdrawal_failure", "staff", KNOWN, "withdrawal-staff"),
        ("outage", "customers", UNKNOWN, "outage-holding"),
        ("outage", "public", CALM, "outage-recovery"),
        ("data_leak", "public", UNKNOWN, "data-leak-holding"),
        ("data_leak", "public", KNOWN, "data-leak-first"),
        ("product_safety", "public", UNKNOWN, "product-holding"),
        ("labour_dispute", "staff", KNOWN, "labour-staff"),
        ("ai_misuse", "public", KNOWN, "ai-impersonation"),
        ("environmental_incident", "public", UNKNOWN, "holding-public"),
        ("environmental_incident", "authority", UPDATE, "authority-follow-up"),
        ("other", "public", CALM, "recovery-public"),
    ],
)
def test_the_moment_decides_first_then_the_kind(kind: str, audience: str, phase: Phase, wanted: str) -> None:
    assert best(replace(DURING, crisis_type=kind, audience=audience, phase=phase)).name == wanted


@pytest.mark.parametrize("phase", list(Phase))
def test_what_a_plan_avoids_is_never_offered(phase: Phase) -> None:
    for playbook in library().playbooks():
        for kind in playbook.crisis_types:
            situation = Situation(
                kind, "public", Grade.RED, playbook.scct.cluster, playbook.scct.strategies,
                frozenset(playbook.scct.avoid), phase, denial_verified=True,
            )  # fmt: skip
            found = choose(planned(playbook.id), situation)
            assert not {item.template.strategy for item in found} & set(playbook.scct.avoid), playbook.id


def test_a_rebuttal_needs_the_claim_verified_false_and_a_crisis_that_is_not_ours() -> None:
    rumour = replace(DURING, crisis_type="rumour", cluster="victim", phase=KNOWN)
    assert all(item.template.strategy not in DENYING for item in choose(shared(), rumour))
    assert best(replace(rumour, denial_verified=True)).name == "rumour-rebuttal"
    ours = replace(rumour, cluster="preventable", denial_verified=True)
    assert "rumour-rebuttal" not in {item.name for item in choose(shared(), ours)}


def test_the_earlier_strategy_of_the_plan_goes_first() -> None:
    pair = [Candidate(f"with_{name[:3]}", template(strategy=name)) for name in ("apology", "corrective_action")]
    for order in (("apology", "corrective_action"), ("corrective_action", "apology")):
        assert [item.template.strategy for item in choose(pair, replace(DURING, strategies=order))] == list(order)


def test_a_text_for_a_higher_grade_another_audience_kind_or_language_is_no_choice() -> None:
    only_chinese = Template.model_validate(
        {"audience": "public", "title": {"zh-CN": "题"}, "body": {"zh-CN": "{what}"}}
    )
    offered = [
        Candidate("high", template(grades={"from": "red"})), Candidate("staff", template(audience="staff")),
        Candidate("leak", template(crisis_types=["data_leak"])), Candidate("chinese", only_chinese),
    ]  # fmt: skip
    assert choose(offered, replace(DURING, language="en")) == ()
    assert [item.name for item in choose(offered, replace(DURING, grade=Grade.RED))] == ["chinese", "high"]


def test_the_plans_own_text_goes_before_a_shared_one_unless_nothing_is_known() -> None:
    candidates = planned("withdrawal-failure")
    assert best(replace(DURING, phase=KNOWN), candidates).name == "first_statement"
    assert best(replace(DURING, phase=UNKNOWN), candidates).name == "withdrawal-holding"


def test_facts_that_may_not_be_told_count_more_than_facts_still_open() -> None:
    pair = [Candidate("one", template(body="{why}")), Candidate("two", template(body="{what} {who} {how}"))]
    assert best(replace(DURING, closed=frozenset({"why"})), pair).name == "two"
    assert best(DURING, pair).name == "one"
    assert facts_in(template(body="{what} {hotline} {company}")) == {"what"}


def test_every_choice_says_why_in_both_languages() -> None:
    situation = replace(DURING, phase=KNOWN, strategies=("instructing_information", "adjusting_information"))
    for choice in choose(planned("withdrawal-failure"), situation):
        assert len(choice.reasons) >= 3
        assert all(render(reason, language) for reason in choice.reasons for language in ("zh-CN", "en"))


def test_the_same_question_gets_the_same_answer_in_any_order() -> None:
    situation = replace(DURING, phase=UPDATE)
    names = [item.name for item in choose(shared(), situation)]
    assert names == [item.name for item in choose(reversed(shared()), situation)]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("first_statement", "first"),
        ("progress_update", "update"),
        ("staff_note", ""),
        ("authority_report", "regulator"),
    ],
)
def test_a_plans_template_without_a_variant_is_read_by_its_name(name: str, wanted: str) -> None:
    assert variant_of(name, template()) == wanted
    assert variant_of(name, template(variant="qa")) == "qa"
