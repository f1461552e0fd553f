"""The cases that come along are sound, sourced, and what is composed says so."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from factories import CONFIG

from bot.cli import cli
from bot.learning.case import json_schema
from bot.learning.case_files import load_cases, parse_case
from bot.learning.likeness import CaseIndex, Situation
from bot.model.grade import Grade

ROOT = Path(__file__).resolve().parents[2] / "playbooks"
SOUND = (ROOT / "cases" / "gitlab-2017.yaml").read_text(encoding="utf-8")


def test_every_shipped_case_passes_its_lint_and_the_schema_is_current() -> None:
    found = load_cases(ROOT)
    assert found.findings == [] and 12 <= len(found.entries) <= 20
    assert (ROOT / "case.schema.json").read_text(encoding="utf-8") == json_schema()


def test_a_company_stands_only_where_a_source_does() -> None:
    for case in load_cases(ROOT).entries.values():
        assert bool(case.company) == bool(case.sources) == (case.kind == "public")


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("company: GitLab\n", "", "case.lint_source"),
        ("kind: public", "kind: archetype", "case.lint_archetype"),
        ("kind: public", "kind: own", "case.lint_kind"),
        ("crisis_types: [outage]", "crisis_types: [misfortune]", "case.lint_type"),
        ("year: 2017\ntitle", "year: 2018\ntitle", "case.lint_source_year"),
        ("id: gitlab-2017", "id: other", "case.lint_name"),
        ("grade: orange", "grade: purple", "playbook.bad_grade"),
        ("words: [误删, 删库, 数据丢失, 备份失效, 数据库, 恢复进度, ", "words: [", "case.lint_words"),
        ("at: 2017-01-31", "at: soon", "playbook.invalid"),
    ],
)
def test_the_linter_names_what_is_wrong(old: str, new: str, key: str) -> None:
    assert old in SOUND
    _, findings = parse_case(SOUND.replace(old, new, 1), "cases/gitlab-2017.yaml")
    assert key in [finding.text.key for finding in findings]


@pytest.mark.parametrize(
    ("kind", "texts", "expected"),
    [
        ("outage", ["全国都没信号了，打不通报警电话", "运营商断网一上午"], {"rogers-2022", "optus-2023", "kddi-2022"}),
        ("withdrawal_failure", ["网传老板跑路，钱包冻结提现不到账"], {"archetype-false-bank-run"}),
        ("data_leak", ["personal data and social security numbers stolen, identity theft"], {"equifax-2017"}),
        ("outage", ["an engineer deleted the database and the backup failed"], {"gitlab-2017"}),
    ],
)
def test_posts_of_either_language_find_the_case_that_is_like_them(kind: str, texts: list[str], expected: set) -> None:
    index = CaseIndex()
    for case in load_cases(ROOT).entries.values():
        index.put(case)
    found = index.rank(Situation(kind, grade=Grade.RED, texts=texts))
    assert found[0].case.id in expected and found[0].reasons


def test_the_command_line_checks_and_searches_cases(tmp_path: Path) -> None:
    text = CONFIG + f"store: {tmp_path / 'fengbo.db'}\nplaybooks: {{library: {ROOT}}}\n"
    (tmp_path / "fengbo.yaml").write_text(text, encoding="utf-8")
    given = ["--config", str(tmp_path / "fengbo.yaml")]
    found = CliRunner().invoke(cli, ["case", "search", "断网", *given])
    assert "optus-2023" in found.stdout and "gitlab-2017" not in found.stdout
    assert CliRunner().invoke(cli, ["playbook", "proposals", *given]).stdout == ""
    broken = tmp_path / "gitlab-2017.yaml"
    broken.write_text(SOUND.replace("grade: orange", "grade: purple"), encoding="utf-8")
    checked = CliRunner().invoke(cli, ["case", "lint", str(broken)])
    assert checked.exit_code == 1 and "gitlab-2017.yaml:" in checked.stderr
