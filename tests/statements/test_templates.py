"""The shared templates: filled with confirmed facts no block remains, unfilled nothing but the gaps is blocked."""

import re
from functools import cache

import pytest

from bot.model.grade import Grade
from bot.model.statement import FactView, Finding, ReviewContext, Severity, Version
from bot.model.text import Text
from bot.response.library import Library, load_library, shipped_folder
from bot.response.parts import FIVE_W_ONE_H, KNOWN_KINDS, Template
from bot.response.vocabulary import TEXT_FIELDS
from bot.statements.review import review
from bot.texts import render

FIELD = re.compile(r"\{([a-z][a-z0-9_]*)\}")
LANGUAGES = ("zh-CN", "en")
GAPS = {"unfilled_field", "unconfirmed_fact"}
OWN = {
    "zh-CN": {
        "company": "蓝禾科技", "subject": "蓝禾科技", "now": "11月27日15:00", "next_update_at": "11月27日17:00",
        "hotline": "400-820-1234", "website": "https://lanhe.example", "media_contact": "媒体联络组",
        "customer_name": "王女士", "spokesperson_name": "公司发言人", "commander_name": "应急小组组长",
        "incident_id": "I-1",
    },
    "en": {
        "company": "Lanhe", "subject": "Lanhe", "now": "3 pm on 27 November", "next_update_at": "5 pm on 27 November",
        "hotline": "400-820-1234", "website": "https://lanhe.example", "media_contact": "the press office",
        "customer_name": "Ms Wang", "spokesperson_name": "our spokesperson", "commander_name": "the crisis lead",
        "incident_id": "I-1",
    },
}  # fmt: skip
TOLD = {
    "zh-CN": {
        "what": "华东地区的部分订单处理变慢", "when": "11月27日9:30", "where": "华东地区", "who": "华东地区下单的用户",
        "why": "一台主要设备停止工作，备用设备没有接上", "how": "逐笔核对记录，增加人工坐席",
        "number": "37", "yes_no": "是", "time": "11月30日18:00", "link": "https://lanhe.example/x",
        "text": "按公告办理的事项", "choice": "已核实的一类",
    },
    "en": {
        "what": "some orders in the east are processed slowly", "when": "9:30 am on 27 November", "where": "the east",
        "who": "customers who ordered in the east", "why": "a main server stopped and its spare did not take over",
        "how": "checking each record and adding staff at the desk", "number": "37", "yes_no": "yes",
        "time": "6 pm on 30 November", "link": "https://lanhe.example/x", "text": "the matter named in the notice",
        "choice": "a kind that was verified",
    },
}  # fmt: skip


@cache
def library() -> Library:
    return load_library(shipped_folder())


def kinds_of(template: Template) -> dict[str, str]:
    """Fact → its type, of the playbooks for the crises the template is for."""
    fitting = [item for item in library().playbooks() if set(item.crisis_types) & set(template.crisis_types)]
    return {name: name for name in FIVE_W_ONE_H} | {fact.id: fact.type for plan in fitting for fact in plan.facts}


def context_of(template: Template, language: str, facts: dict[str, FactView], kind: str) -> ReviewContext:
    fitting = [item for item in library().playbooks() if kind in item.crisis_types]
    clusters = {item.scct.cluster for item in fitting if template.strategy not in item.scct.avoid}
    return ReviewContext(
        template.audience, language, grade=Grade.ORANGE, crisis_type=kind, cluster=min(clusters, default="accidental"),
        strategy=template.strategy or "", facts=facts, denial_verified=template.variant == "rumour",
        subject_names=(OWN[language]["company"],), hosts=("lanhe.example",), hotlines=(OWN[language]["hotline"],),
    )  # fmt: skip


def read(template: Template, language: str, kind: str, filled: bool) -> list[Finding]:
    """What the review finds in the template as it would stand in the draft."""
    names = {name for text in (template.title, template.body) for name in FIELD.findall(text.in_language(language))}
    kinds, told = kinds_of(template), TOLD[language]
    values = dict(OWN[language])
    gap = {name: render(Text("run.unknown_field", {"name": name}), language) for name in names - values.keys()}
    facts = {name: FactView(told[kinds[name]], True) for name in names - values.keys()} if filled else {}
    shown = values | ({name: view.value for name, view in facts.items()} if filled else gap)
    title, body = (
        FIELD.sub(lambda match: shown[match[1]], text.in_language(language)) for text in (template.title, template.body)
    )
    version = Version("S-1", 1, template.audience, language, title, body, "", "", "", 0)
    own = {name: FactView(value, True) for name, value in OWN[language].items()}
    return review(version, context_of(template, language, own | facts, kind))


def cases() -> list[tuple[str, Template, str]]:
    shared = library().templates.items()
    return [(name, item, kind) for name, item in shared for kind in item.crisis_types or ("other",)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_filled_with_confirmed_facts_no_block_and_no_missing_part_remains(language: str) -> None:
    for name, template, kind in cases():
        found = read(template, language, kind, filled=True)
        bad = [
            (item.rule, item.words) for item in found
            if item.severity is Severity.BLOCK or (item.severity is Severity.WARN and item.rule != "number_of_template")
        ]  # fmt: skip
        assert not bad, (name, kind, bad)


@pytest.mark.parametrize("language", LANGUAGES)
def test_unfilled_exactly_its_gaps_are_blocked(language: str) -> None:
    for name, template, kind in cases():
        blocks = [item for item in read(template, language, kind, filled=False) if item.severity is Severity.BLOCK]
        facts = template.body.placeholders() - set(TEXT_FIELDS)
        assert {item.rule for item in blocks} <= GAPS, (name, [(item.rule, item.words) for item in blocks])
        assert bool(blocks) == bool(facts), name


def test_the_library_covers_crises_and_audiences_with_several_moments() -> None:
    shared = library().templates
    assert len(shared) >= 45
    assert all(item.strategy and item.variant and item.note for item in shared.values())
    covered = {kind for item in shared.values() for kind in item.crisis_types}
    assert covered <= set(KNOWN_KINDS)
    assert covered >= {
        "withdrawal_failure", "outage", "data_leak", "privacy_accusation", "complaint_surge", "regulatory_action",
        "fraud_accusation", "funding_trouble", "rumour", "executive_misconduct", "employee_misconduct",
        "product_safety", "labour_dispute", "competitor_attack", "price_dispute", "kol_incident",
        "policy_tightening", "ai_misuse",
    }  # fmt: skip
    general = {(item.audience, item.variant) for item in shared.values() if not item.crisis_types}
    assert general >= {
        ("public", "holding"), ("customers", "holding"), ("staff", "holding"), ("media", "holding"),
        ("public", "update"), ("public", "recovery"), ("public", "apology"), ("authority", "regulator"),
        ("media", "qa"),
    }  # fmt: skip


@pytest.mark.parametrize("mark", ["zh-CN", "en"])
def test_questions_and_answers_have_at_least_six(mark: str) -> None:
    asked = {"zh-CN": "问：", "en": "Q: "}[mark]
    for name, template in library().templates.items():
        if template.variant == "qa":
            assert template.body.in_language(mark).count(asked) >= 6, name


def test_a_holding_text_needs_no_fact_at_all() -> None:
    for name, template in library().templates.items():
        if template.variant == "holding":
            assert template.body.placeholders() <= set(TEXT_FIELDS), name


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_guide_lists_every_template_with_its_title_and_no_other(language: str) -> None:
    guide = shipped_folder().resolve().parent / "docs" / "guide" / language / "templates.md"
    rows = re.findall(r"`([a-z0-9-]+)` \| (.+) \|", guide.read_text(encoding="utf-8"))
    assert dict(rows) == {name: item.title.in_language(language) for name, item in library().templates.items()}
