"""Who may be told what: only what is confirmed, released to that audience, at that grade; the strictest plan counts."""

from collections.abc import Sequence

import pytest

from bot.model.grade import Grade
from bot.model.text import LANGUAGES, Text
from bot.response.facts import Line
from bot.response.library import load_library
from bot.response.parts import Release
from bot.response.release import AUDIENCES, Tellable, audience_text, rules_for, tellable
from bot.response.schema import Playbook
from bot.store.facts import FactRow
from bot.texts import render
from tests.response.playbooks import ROOT, sound

BLUE, YELLOW, ORANGE, RED = Grade.BLUE, Grade.YELLOW, Grade.ORANGE, Grade.RED


def line(name: str = "what", value: str = "提现延迟", *, confirmed: bool = True) -> Line:
    row = FactRow(name, value, confirmed, "said", 0, "lina", "李娜", "slack", 0) if value else None
    return Line(name, name, Text(f"fact.{name}"), row, {})


def plan(*rules: tuple[str, str, tuple[str, ...]], approve: tuple[str, ...] = ()) -> Playbook:
    release = tuple(
        Release.model_validate({"audience": audience, "from_grade": grade, "facts": facts, "approve": approve})
        for audience, grade, facts in rules
    )
    return sound().model_copy(update={"release": release})


def why(audience: str, grade: Grade, facts: Sequence[Line], *plans: Playbook) -> list[str]:
    """For each fact: told, or the key of the reason why not."""
    result = tellable(audience, grade, facts, plans)
    return ["told" if ruling.reason is None else ruling.reason.key for ruling in result.rulings]


OPEN = plan(("customers", "yellow", ("what", "when")), ("public", "orange", ("what",)))


@pytest.mark.parametrize(
    ("audience", "grade", "fact", "expected"),
    [
        ("customers", YELLOW, line(), "told"),
        ("customers", RED, line(), "told"),
        ("customers", BLUE, line(), "release.from_grade"),
        ("customers", YELLOW, line(confirmed=False), "release.unconfirmed"),
        ("customers", YELLOW, line(value=""), "release.unknown"),
        ("customers", RED, line("why"), "release.not_listed"),
        ("affected_customers", YELLOW, line("when"), "told"),
        ("public", YELLOW, line(), "release.from_grade"),
        ("public", ORANGE, line("when"), "release.not_listed"),
        ("media", ORANGE, line(), "told"),
        ("media", YELLOW, line(), "release.from_grade"),
        ("core_team", BLUE, line("why"), "told"),
        ("core_team", RED, line(confirmed=False), "release.unconfirmed"),
    ],
)
def test_a_fact_is_told_when_confirmed_released_and_due(audience: str, grade: Grade, fact: Line, expected: str) -> None:
    assert why(audience, grade, [fact], OPEN) == [expected]


def test_without_a_plan_only_the_core_team_knows() -> None:
    assert why("public", RED, [line()]) == ["release.no_plan"]
    assert why("core_team", BLUE, [line()]) == ["told"]
    silent = plan(("staff", "blue", ("what",)))
    assert why("media", RED, [line()], silent) == ["release.no_rule"]


def test_of_several_plans_the_strictest_counts() -> None:
    careful = plan(("customers", "red", ("what",)))
    closed = plan(("customers", "blue", ("when",)))
    silent = plan(("staff", "blue", ("what",)))
    result = tellable("customers", ORANGE, [line()], [OPEN, careful])
    assert result.reason("what") == Text("release.from_grade", {"grade": Text("grade.red")})
    assert why("customers", RED, [line()], OPEN, careful) == ["told"]
    assert why("customers", RED, [line()], OPEN, closed) == ["release.not_listed"]
    assert why("customers", YELLOW, [line()], OPEN, silent) == ["told"]


def test_a_text_is_filled_with_nothing_but_what_may_be_told() -> None:
    facts = [line(), line("when", "19:00", confirmed=False), line("why", "通道故障")]
    result = tellable("customers", ORANGE, facts, [OPEN])
    assert result.values("zh-CN") == {"what": "提现延迟"}
    assert result.reason("what") is None
    assert result.reason("when") == Text("release.unconfirmed", {"name": "when"})
    assert result.reason("never_heard_of") == Text("release.unknown")


def test_those_who_release_and_the_remarks_are_named_once() -> None:
    careful = plan(("customers", "blue", ("what", "when")), approve=("legal", "commander"))
    result: Tellable = tellable("customers", ORANGE, [line(), line("when", "19:00")], [careful])
    assert result.approve == ("legal", "commander")
    assert result.notes == ()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_audience_and_reason_can_be_said(language: str) -> None:
    for audience in AUDIENCES:
        assert render(audience_text(audience), language)
        for grade in (BLUE, RED):
            facts = [line(), line("why"), line("when", confirmed=False), line("how", "")]
            for ruling in tellable(audience, grade, facts, [OPEN]).withheld:
                assert ruling.reason is not None and render(ruling.reason, language)


def test_every_plan_of_the_library_says_what_the_public_may_know() -> None:
    playbooks = load_library(ROOT).playbooks()
    assert playbooks
    silent = [
        playbook.id for playbook in playbooks
        if not all(rules_for(playbook, audience) for audience in ("public", "media", "staff", "authority", "customers"))
    ]  # fmt: skip
    assert silent == []
