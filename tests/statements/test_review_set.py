"""The review on whole statements: those written for measuring it, and every template of the library filled in."""

import re
from functools import cache

import pytest

from bot.bench.review import Judged, blocked, judge, read_samples, recall
from bot.model.grade import Grade
from bot.model.statement import FactView, ReviewContext, Severity, Version
from bot.response.library import load_library, shipped_folder
from bot.response.parts import Template
from bot.response.schema import Playbook
from bot.statements.review import review
from bot.statements.review.rules import shipped

FIELD = re.compile(r"\{([a-z][a-z0-9_]*)\}")
# Before these may go out somebody decides on compensation or verifies that a claim is false: the block is right.
HONEST = {"unbacked_compensation", "denial_unverified"}
VALUES = {
    "zh-CN": {
        "number": "37", "yes_no": "否", "time": "11月28日18:00", "link": "https://lanhe.example/x",
        "text": "已核实的情况", "hotline": "400-820-1234", "company": "蓝禾科技", "customer_name": "王女士",
        "next_update_at": "18:00",
    },
    "en": {
        "number": "37", "yes_no": "no", "time": "6 pm on 28 November", "link": "https://lanhe.example/x",
        "text": "what was verified", "hotline": "400-820-1234", "company": "Lanhe Technology",
        "customer_name": "Ms Wang", "next_update_at": "6 pm",
    },
}  # fmt: skip


@cache
def judged() -> tuple[Judged, ...]:
    return tuple(judge(read_samples()))


def test_the_set_is_whole_and_names_rules_that_exist() -> None:
    samples = [item.sample for item in judged()]
    assert len({sample.id for sample in samples}) == len(samples)
    assert sum(sample.good for sample in samples) == sum(not sample.good for sample in samples) == 150
    for half in ("tune", "held_out"):
        part = [sample for sample in samples if sample.half == half]
        assert {(sample.good, sample.version.language) for sample in part} == {
            (good, language) for good in (True, False) for language in ("zh-CN", "en")
        }
    assert {rule for sample in samples for rule in sample.must} <= shipped().by_id.keys()
    assert len({rule for sample in samples for rule in sample.must}) > 40


def test_faults_are_blocked_and_good_statements_are_not() -> None:
    assert recall(judged()) >= 95
    assert blocked(judged()) <= 5


def filled(playbook: Playbook, template: Template, language: str) -> tuple[Version, ReviewContext]:
    """A template of the library with plausible facts that are confirmed."""
    kinds = {fact.id: fact.type for fact in playbook.facts}
    values = VALUES[language]
    written = (template.title.in_language(language), template.body.in_language(language))
    names = {name for text in written for name in FIELD.findall(text)}
    facts = {
        name: FactView(values.get(name) or values.get(kinds.get(name, "text"), values["text"]), True) for name in names
    }
    title, body = (FIELD.sub(lambda match: facts[match[1]].value, text) for text in written)
    version = Version("S-1", 1, template.audience, language, title, body, "", "", "", 0)
    context = ReviewContext(
        template.audience, language, grade=Grade.ORANGE, cluster=playbook.scct.cluster, facts=facts,
        hotlines=(values["hotline"],), hosts=("lanhe.example",), template_text="\n".join(written),
    )  # fmt: skip
    return version, context


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_a_template_filled_with_confirmed_facts_is_blocked_for_decisions_only(language: str) -> None:
    checked = 0
    for playbook in load_library(shipped_folder()).playbooks():
        for name, template in playbook.templates.items():
            version, context = filled(playbook, template, language)
            blocks = {item.rule: item.words for item in review(version, context) if item.severity is Severity.BLOCK}
            assert blocks.keys() <= HONEST, (playbook.id, name, blocks)
            checked += 1
    assert checked > 100
