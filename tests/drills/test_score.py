"""The score comes from the record and is explained line by line, orders teams as it should, and nothing leaves."""

from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner
from stage import COMPANY, MINUTE, company, messages, rows, said, stage

from bot.cli import cli
from bot.drills.library import load_scenarios
from bot.drills.score import Attempt, Evidence, Moment, position_at, score
from bot.drills.scorecard import as_html, as_json
from bot.drills.script import ScriptError, read_script
from bot.incidents.notices import drill_destinations
from bot.scripted_drill import play
from bot.store.drills import DrillEvent

LIBRARY = Path(__file__).resolve().parents[2] / "playbooks"
FILE = LIBRARY / "scenarios" / "withdrawal-failure.yaml"
SCENARIO = load_scenarios(LIBRARY).entries["withdrawal-failure"]
TEAMS = Path(__file__).parent / "teams"
EVERYTHING = (
    COMPANY.replace("console: lina}", 'console: lina, email: lina@corp.example, phone: "13800000000", slack: U0LINA}')
    .replace("management: {console: management, min_grade: blue}", "management: {console: management, slack: C0BOSS,"
             " min_grade: blue, email: [lina], sms: [lina], email_from: blue, sms_from: blue}")
    .replace("chat: {console: {}}", """chat:
  console: {}
  slack: {bot_token_env: SLACK_BOT_TOKEN}
  email: {host: mail.corp.example, sender: fengbo@corp.example}
  sms: {url: "https://sms.corp.example/send"}
linkage:
  systems:
    desk: {base_url: "https://desk.corp.example", auth: {secret_env: DESK_TOKEN}}
  actions:
    official-account: {system: desk, preset: publish, path: /articles}
  customers:
    segments:
      withdrawals: {file: affected.csv, map: {name: 姓名, email: 邮箱, consent: 同意}}
publishers:
  - {id: newsroom, kind: newsroom, title: 新闻中心, audiences: [public, media], url: "https://news.corp.example"}
  - {id: account, kind: webhook, title: 公众号, audiences: [public], action: official-account}
  - {id: press, kind: email, title: 媒体名单, audiences: [public, media], to: [desk@paper.example]}
  - {id: group, kind: slack, title: 大群, audiences: [public], to: [C0PUBLIC]}""")
)  # fmt: skip


def evidence(**changes) -> Evidence:
    moments = {"acknowledged": Moment(9 * MINUTE, "lina", "李娜", "D-1")}
    return Evidence(**{"moments": moments, "opened": 5 * MINUTE, **changes})


def points(found: Evidence) -> dict[str, float]:
    return {line.measure: line.points for line in score(SCENARIO, found).lines}


@pytest.mark.parametrize(
    ("change", "measure", "wanted"),
    [
        ({}, "acknowledge", 12),  # four minutes after the warning
        ({"opened": 0}, "acknowledge", 8.8),  # nine: 11 of the 15 minutes between 5 and 20 are left
        ({"moments": {}}, "acknowledge", 0),
        ({"moments": {"published": Moment(55 * MINUTE)}}, "publication", 14),
        ({"moments": {"published": Moment(100 * MINUTE)}}, "publication", 0),
        ({"kept": 1, "deadlines": 2}, "deadlines", 3),
        ({}, "deadlines", 0),
        ({"asked": frozenset({"cause", "money"})}, "facts", 4),
        ({"moments": {"published": Moment(1)}, "findings": ("warn", "note")}, "review", 6.8),
        ({"moments": {"published": Moment(1)}, "findings": ("block", "block")}, "review", 0),
        ({}, "review", 0),  # nothing was published
        ({"active": frozenset({"pr", "legal"})}, "roles", 2),
        ({"wrong": (("promise", "S-1"),)}, "conduct", 2),
        ({"wrong": (("promise_removed", "S-1"),)}, "conduct", 3.2),
        ({"tried": (Attempt("unapproved", "S-1", "陈静", 14 * MINUTE),)}, "conduct", 3),
        ({"moments": {}}, "conduct", 0),  # who does nothing has not behaved well
    ],
)
def test_each_line_counts_what_it_says(change: dict, measure: str, wanted: float) -> None:
    assert points(evidence(**change))[measure] == wanted


def test_the_drills_own_time_knows_its_speed_its_pauses_and_its_jumps() -> None:
    events = [
        DrillEvent("started", {}, "", "", 0, 0), DrillEvent("paused", {}, "", "", 100, 1000),
        DrillEvent("resumed", {}, "", "", 500, 1000), DrillEvent("skipped", {}, "", "", 600, 9000),
    ]  # fmt: skip
    assert [position_at(events, 10, at) for at in (0, 50, 100, 400, 550, 600, 650)] == [
        0, 500, 1000, 1000, 1500, 9000, 9500,
    ]  # fmt: skip


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    config = company(tmp_path_factory.mktemp("teams"))
    return {
        name: play(config, FILE, SCENARIO.id, read_script(TEAMS / f"{name}.yaml"))
        for name in ("good", "slow", "reckless")
    }


def test_a_good_team_beats_a_slow_one_and_that_a_reckless_one(reports) -> None:
    good, slow, reckless = (reports[name].score for name in ("good", "slow", "reckless"))
    assert good.total > 85 and good.total > slow.total + 20 and slow.total > reckless.total + 10
    assert not good.wrong
    assert {text.key for text in reckless.wrong} == {
        "score.wrong_promise",
        "score.wrong_false_alarm",
        "score.tried_unapproved",
    }
    assert good.by_person()["李娜"][0] > 30 and sum(weight for _, weight in good.by_role().values()) == 100


def test_every_line_is_explained_in_both_languages(reports) -> None:
    for found in reports.values():
        for language in ("zh-CN", "en"):
            lines = as_json(found, language)["lines"]
            assert len(lines) == len(SCENARIO.objectives) and all(line["why"] for line in lines)
            assert "<script" not in as_html(found, language) and f"{found.score.total:g}" in as_html(found, language)


def test_the_same_team_twice_has_the_same_scorecard_to_the_byte(reports, tmp_path: Path) -> None:
    again = play(company(tmp_path), FILE, SCENARIO.id, read_script(TEAMS / "good.yaml"))
    assert orjson.dumps(as_json(again, "zh-CN")) == orjson.dumps(as_json(reports["good"], "zh-CN"))


async def test_the_scorecard_comes_at_the_end_and_knows_the_drill_before(tmp_path: Path) -> None:
    it = stage(tmp_path)
    for number in (1, 2):
        said(it, "chenjing", "drill start withdrawal-failure --speed 60")
        await it.until(it.clock.now() + 3 * MINUTE)
        cards = [item["card"] for item in messages(it) if item.get("card") and "演练成绩" in item["card"]["title"]]
        assert len(cards) == number
    assert "DR-1" in orjson.dumps(cards[-1]["sections"]).decode()
    it.close()


async def test_a_whole_drill_with_everything_configured_sends_nothing_out(tmp_path: Path) -> None:
    it = stage(tmp_path, EVERYTHING)
    allowed = drill_destinations(it.app.config)
    said(it, "chenjing", "drill start withdrawal-failure")
    script, start = read_script(TEAMS / "good.yaml"), it.clock.now()
    for act in script.acts:
        await it.until(start + act.at)
        found = rows(it, "SELECT id FROM incident ORDER BY number")
        drafts = rows(it, "SELECT s.id, v.digest FROM statement s JOIN statement_version v ON v.statement = s.id"
                          " AND v.number = s.version ORDER BY s.number")  # fmt: skip
        line = act.say.replace("{incident}", found[0][0] if found else "D-0")
        if drafts:
            line = line.replace("{statement}", drafts[-1][0]).replace("{digest}", drafts[-1][1][:6])
        said(it, act.who, line)
    await it.until(start + SCENARIO.duration + MINUTE)
    receipts = rows(it, "SELECT target, state FROM receipt")
    assert {name for name, _ in receipts} >= {"newsroom", "account", "press", "group"}, (
        "all of them were to be handed it"
    )
    assert {state for _, state in receipts} == {"simulated"}
    assert rows(it, "SELECT COUNT(*) FROM call WHERE error <> 'drill'") == [(0,)]
    assert rows(it, "SELECT COUNT(*) FROM newsroom_item WHERE drill = ''") == [(0,)]
    assert rows(it, "SELECT COUNT(*) FROM notice_person") == [(0,)]
    sent = messages(it)
    assert len(sent) > 50
    assert {item["destination"].partition("#")[0] for item in sent} <= allowed
    assert all(item.get("drill") == "DR-1" for item in sent if item["reason"] != "answer")
    it.close()


def test_the_command_line_plays_a_script_and_names_what_is_wrong_with_one(tmp_path: Path) -> None:
    config = tmp_path / "fengbo.yaml"
    config.write_text(COMPANY + f"store: {tmp_path / 'fengbo.db'}\n", encoding="utf-8")
    script = tmp_path / "team.yaml"
    script.write_text("leader: lina\n", encoding="utf-8")
    result = CliRunner().invoke(cli, ["drill", "run", str(FILE), "--script", str(script), "--config", str(config)])
    assert result.exit_code == 2 and "lina" in result.output, "she may not lead drills"
    script.write_text("leader: chenjing\nacts: [{at: 5, who: lina, say: hello}]\n", encoding="utf-8")
    with pytest.raises(ScriptError):
        read_script(script)


def test_a_drill_started_from_the_command_line_waits_for_the_running_process(tmp_path: Path) -> None:
    config = tmp_path / "fengbo.yaml"
    config.write_text(COMPANY + f"store: {tmp_path / 'fengbo.db'}\n", encoding="utf-8")
    started = CliRunner().invoke(cli, ["drill", "start", "withdrawal-failure", "--config", str(config)])
    assert started.exit_code == 0 and "DR-1" in started.output, started.output
    reported = CliRunner().invoke(cli, ["drill", "report", "DR-1", "--config", str(config)])
    assert reported.exit_code == 0 and '"total":0.0' in reported.output
    refused = CliRunner().invoke(cli, ["drill", "start", "no-such", "--config", str(config)])
    assert refused.exit_code == 2
