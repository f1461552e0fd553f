"""A scenario is checked before anybody plays it, and its posts are the same every time."""

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner
from factories import NOW
from stage import COMPANY, MINUTE, company

from bot.analysis.pipeline import Analyser
from bot.cli import cli
from bot.drills.library import load_scenarios, parse_scenario
from bot.drills.posts import posts_of
from bot.drills.schema import Posts, Scenario
from bot.model.grade import FAMILY_OF_TYPE, CrisisType, Grade, Sentiment
from bot.model.post import KeywordRule, Post, Subject
from bot.rehearsal import Rehearsal
from bot.response.library import load_library
from bot.store import incidents as incident_store
from bot.texts import render

LIBRARY = Path(__file__).resolve().parents[2] / "playbooks"
SHIPPED = load_scenarios(LIBRARY, frozenset(load_library(LIBRARY).entries))
SMALL = """
id: small
version: 1
title: {zh-CN: 小, en: Small}
summary: {zh-CN: 小演练, en: A small drill}
industries: [general]
crisis_type: outage
company: {zh-CN: 远山通信, en: Yuanshan}
grade: yellow
playbooks: [service-outage]
duration: 60m
brief: {zh-CN: 开始, en: Begin}
roles: {pr: {zh-CN: 公关, en: PR}}
voices: {negative: {zh-CN: ["{company}断网了"], en: ["{company} is down"]}}
timeline:
  - {kind: posts, at: 0m, over: 30m, count: 200, shape: SHAPE}
objectives:
  - {measure: acknowledge, role: pr, within: 5m, weight: 100}
"""


def small(change: tuple[str, str] = ("", ""), shape: str = "ramp") -> str:
    return SMALL.replace("SHAPE", shape).replace(*change) if change[0] else SMALL.replace("SHAPE", shape)


def scenario_of(source: str) -> Scenario:
    scenario, findings = parse_scenario(source, "small.yaml")
    assert scenario is not None, [render(item.text, "en") for item in findings]
    return scenario


def test_every_shipped_scenario_is_without_findings_and_in_both_languages() -> None:
    assert [render(item.text, "en") for item in SHIPPED.findings] == []
    assert {"withdrawal-failure", "network-outage", "data-leak-ransom", "bank-run-rumour"} <= set(SHIPPED.entries)
    assert {"holiday-cloud-outage", "regulator-raid", "founder-scandal", "kol-accusation"} <= set(SHIPPED.entries)
    assert {"fee-dispute", "insider-leak"} <= set(SHIPPED.entries)


@pytest.mark.parametrize(
    ("change", "line", "words"),
    [
        (("crisis_type: outage", "crisis_type: outtage"), 7, "no crisis type “outtage”"),
        (("within: 5m, ", ""), 18, "needs within"),
        (("within: 5m", "within: 5m, late: 4m"), 18, "must come after within"),
        (("weight: 100", "weight: 90"), 17, "add up to 90"),
        (("role: pr,", "role: boss,"), 18, "“boss” is not among roles"),
        (("at: 0m", "at: 50m"), 16, "ends at 80m"),
        (("kind: posts", "kind: rumour"), 16, "needs says"),
        (("kind: posts", "kind: storm"), 16, "storm"),
        (("duration: 60m", "duration: 60"), 11, "always with its unit"),
        (("version: 1", "version: 1\nspeed: 3"), 4, "nothing called speed in a scenario"),
        (("voices: {negative:", "voices: {neutral:"), 16, "no sentences for “negative”"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_the_mend(change: tuple[str, str], line: int, words: str) -> None:
    scenario, findings = parse_scenario(small(change), "small.yaml")
    assert scenario is None
    said = [(item.line, render(item.text, "en")) for item in findings]
    assert any(at == line and words in text for at, text in said), said


def test_a_playbook_that_does_not_exist_is_found_before_the_drill() -> None:
    _, findings = parse_scenario(small(), "small.yaml", frozenset({"rumour"}))
    assert "no playbook “service-outage”" in render(findings[0].text, "en")


def test_the_same_seed_gives_the_same_posts_and_another_seed_others() -> None:
    scenario = scenario_of(small())
    assert posts_of(scenario, 0) == posts_of(scenario, 0)
    assert posts_of(scenario, 0) != posts_of(scenario.model_copy(update={"seed": 2}), 0)
    assert len(posts_of(scenario, 0)) == 200 and posts_of(Scenario.thaw(scenario.frozen()), 0) == posts_of(scenario, 0)


def test_a_burst_comes_at_once_a_ramp_grows_and_a_wave_rises_and_falls() -> None:
    thirds = {}
    for shape in ("burst", "ramp", "wave"):
        found = [post.offset for post in posts_of(scenario_of(small(shape=shape)), 0)]
        assert found == sorted(found) and found[0] >= 0 and found[-1] <= 1_800_000
        thirds[shape] = [sum(part * 600_000 <= at < (part + 1) * 600_000 for at in found) for part in range(3)]
    assert thirds["burst"][0] > 2 * thirds["burst"][1] > 0
    assert thirds["ramp"][0] < thirds["ramp"][1] < thirds["ramp"][2]
    assert thirds["wave"][0] < thirds["wave"][1] > thirds["wave"][2]


@pytest.mark.parametrize("name", sorted(SHIPPED.entries))
def test_what_shipped_posts_say_is_heard_as_the_crisis_they_tell_of(name: str) -> None:
    """A scenario whose complaints the analysis does not understand would be a silent drill."""
    scenario = SHIPPED.entries[name]
    companies = (scenario.company.zh, scenario.company.en)
    subject = Subject(id="own", name=companies[0], rule=KeywordRule(any=companies))
    made = [
        post
        for index, event in enumerate(scenario.timeline)
        if isinstance(event, Posts)
        for post in posts_of(scenario, index)
    ]
    posts = [
        Post(id=str(number), source="drill", platform=item.platform, text=item.text, published_at=1_767_578_400_000)
        for number, item in enumerate(made)
    ]
    analyses = Analyser([subject]).analyse(posts)
    assert all("{" not in post.text for post in posts)
    assert all(item.subjects for item in analyses if item.sentiment is Sentiment.NEGATIVE)
    negative = sum(item.sentiment is Sentiment.NEGATIVE for item in analyses) / len(analyses)
    typed = sum(any(hit.type == scenario.crisis_type for hit in item.types) for item in analyses) / len(analyses)
    assert negative > 0.4 and typed > 0.2, (negative, typed)


def test_the_command_line_lists_and_lints() -> None:
    listed = CliRunner().invoke(cli, ["drill", "list", "--library", str(LIBRARY), "--json"])
    assert listed.exit_code == 0 and '"id":"withdrawal-failure"' in listed.output
    assert CliRunner().invoke(cli, ["drill", "lint", "--library", str(LIBRARY)]).exit_code == 0


def test_linting_a_broken_file_ends_with_one(tmp_path: Path) -> None:
    file = tmp_path / "small.yaml"
    file.write_text(small(("weight: 100", "weight: 90")), encoding="utf-8")
    result = CliRunner().invoke(cli, ["drill", "lint", str(file), "--library", str(LIBRARY)])
    assert result.exit_code == 1 and f"{file}:17" in result.output


@pytest.mark.parametrize("name", sorted(SHIPPED.entries))
def test_a_scenario_is_recognised_by_the_real_rules_when_nobody_plays_it(name: str, tmp_path: Path) -> None:
    """Its first incident is of its own kind and grave; a plan that is right is among the three recommended."""
    scenario = SHIPPED.entries[name]
    text = COMPANY.replace("industry: internet-finance", f"industry: {scenario.industries[0]}", 1)
    play = Rehearsal(company(tmp_path, text), NOW, unseen=True)

    async def evening() -> None:
        play.say("chenjing", f"drill start {name}")
        for moment in range(20 * MINUTE, scenario.duration, 20 * MINUTE):
            await play.until(NOW + moment)
            found = play.app.store.read_now(lambda db: incident_store.get(db, "D-1"))
            if found is not None and found.peak_grade >= Grade.ORANGE:
                break

    asyncio.run(evening())
    first = play.app.store.read_now(lambda db: incident_store.get(db, "D-1"))
    assert first is not None
    assert FAMILY_OF_TYPE[CrisisType(first.crisis_type)] == FAMILY_OF_TYPE[CrisisType(scenario.crisis_type)]
    assert first.peak_grade >= Grade.ORANGE
    ranked = play.app.store.read_now(lambda db: play.app.response.advice.rank(db, first, play.clock.now()))
    assert {playbook.id for playbook, _ in ranked[:3]} & set(scenario.playbooks)
    play.close()
