"""Every rule shows by examples that it fires and where it keeps quiet, is explained in both languages, and a broken
rule file says what to mend."""

import dataclasses
from typing import Any

import pytest

from bot.model.grade import Grade
from bot.model.statement import EarlierText, FactView, ReviewContext, StatementKind, Version
from bot.statements.review import CHECKS, review
from bot.statements.review.rules import LANGUAGES, Example, Rule, RuleError, load, shipped
from bot.texts import has

BASE = ReviewContext("public", "zh-CN", grade=Grade.YELLOW)
TUPLES = ("subject_names", "internal_names", "targets", "hosts", "hotlines")


def version(text: str, language: str, audience: str = "public", title: str = "") -> Version:
    return Version("S-1", 1, audience, language, title, text, "lina", "Li Na", "console", 0)


def context(language: str, given: dict[str, Any]) -> ReviewContext:
    """A context with what an example says in YAML."""
    values: dict[str, Any] = {"language": language}
    for name, value in given.items():
        if name == "facts":
            values[name] = {
                fact: FactView(str(x["value"]), x["confirmed"], x.get("label", "")) for fact, x in value.items()
            }
        elif name == "tellable":
            values[name] = frozenset(value)
        elif name == "earlier":
            values[name] = tuple(EarlierText(**{"title": "", "language": language, **x}) for x in value)
        elif name == "grade":
            values[name] = Grade.from_word(value)
        elif name == "kind":
            values[name] = StatementKind(value)
        else:
            values[name] = tuple(value) if name in TUPLES else value
    return dataclasses.replace(BASE, **values)


def found_rules(example: Example) -> set[str]:
    given = context(example.language, dict(example.context))
    return {item.rule for item in review(version(example.text, example.language, given.audience, example.title), given)}


def examples(kind: str) -> list[Any]:
    return [
        pytest.param(rule, example, id=f"{rule.id}-{example.language}-{number}")
        for rule in shipped().rules
        for number, example in enumerate(getattr(rule, kind))
    ]


@pytest.mark.parametrize("rule,example", examples("fires"))
def test_a_rule_fires_on_what_it_is_for(rule: Rule, example: Example) -> None:
    assert rule.id in found_rules(example), example.text


@pytest.mark.parametrize("rule,example", examples("quiet"))
def test_a_rule_keeps_quiet_where_it_has_no_business(rule: Rule, example: Example) -> None:
    assert rule.id not in found_rules(example), example.text


@pytest.mark.parametrize("rule", shipped().rules, ids=lambda rule: rule.id)
def test_every_rule_has_examples_of_both_kinds_and_words_in_both_languages(rule: Rule) -> None:
    for kind in (rule.fires, rule.quiet):
        assert {example.language for example in kind} == set(LANGUAGES)
    assert has(f"review.{rule.id}.why") and has(f"review.{rule.id}.mend")
    assert rule.check in ("", *CHECKS)


BROKEN = [
    ("- id: A", "needs an id of small letters"),
    ("x: 1", "holds no list of rules"),
    ("- {id: abc, severity: block}", "needs patterns under zh-CN or en, or a check"),
    ("- {id: abc, severity: fatal, check: facts}", "'fatal' is no severity: use block, warn or note"),
    ("- {id: abc, check: facts}", "needs a severity"),
    ("- {id: abc, severity: block, en: {patterns: ['(']}}", "the pattern '(' cannot be read"),
    ("- {id: abc, severity: block, en: {patterns: ['<nothing>']}}", "<nothing> is not defined in parts.yaml"),
    ("- {id: abc, severity: block, en: {pattern: ['a']}}", "en needs patterns"),
    ("- {id: abc, severity: block, check: facts, colour: red}", "unknown colour"),
    ("- {id: abc, severity: [{audience: nobody, is: warn}], check: facts}", "'nobody' is no audience"),
    ("- {id: abc, severity: [{weather: bad, is: warn}], check: facts}", "unknown condition weather"),
    ("- {id: abc, severity: block, check: facts, skip: [titles]}", "skip may hold quoted, questions"),
    ("- {id: abc, severity: block, check: facts, fires: {fr: [a]}}", "'fr' is no language"),
    ("- {id: abc, severity: block, check: facts}\n- {id: abc, severity: note, check: facts}", "is also defined"),
    ("- {id: abc", "is not YAML"),
]


@pytest.mark.parametrize("text,mend", BROKEN)
def test_a_broken_rule_file_names_the_file_and_what_to_mend(text: str, mend: str) -> None:
    with pytest.raises(RuleError, match=r"^mine\.yaml: ") as caught:
        load({"mine.yaml": text})
    assert mend in str(caught.value)
