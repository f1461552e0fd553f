"""``fengbo playbook`` speaks to PR staff: data on stdout, words on stderr, honest exit codes."""

from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

from bot.cli import cli
from bot.model.incident import SYSTEM
from bot.store import playbook_versions as versions
from bot.store.database import Store
from tests.response.playbooks import ROOT, SOUND, bent


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FENGBO_LANGUAGE", "en")
    monkeypatch.delenv("FENGBO_CONFIG", raising=False)


def fengbo(*words: str) -> Result:
    return CliRunner().invoke(cli, ["playbook", *words])


def library(folder: Path, source: str = SOUND) -> str:
    (folder / "general").mkdir()
    (folder / "general" / "outage.yaml").write_text(source, encoding="utf-8")
    return str(folder)


def test_list_names_each_playbook(tmp_path: Path) -> None:
    result = fengbo("list", "--library", library(tmp_path))
    assert result.exit_code == 0
    assert (
        result.stdout
        == "outage v1 · Outage · from yellow Ⅲ · general · 3 steps · kept by pr_head, review by 2027-01-31\n"
    )


def test_list_speaks_chinese_and_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FENGBO_LANGUAGE", "zh-CN")
    folder = library(tmp_path)
    assert "outage v1 · 中断 · 黄色 Ⅲ起" in fengbo("list", "--library", folder).stdout
    row = orjson.loads(fengbo("list", "--json", "--library", folder).stdout)
    assert (row["id"], row["from_grade"], row["review_by"]) == ("outage", "yellow", "2027-01-31")


def test_list_ends_with_a_finding_where_a_file_is_broken(tmp_path: Path) -> None:
    result = fengbo("list", "--library", library(tmp_path, bent("due: 15m", "due: 15")))
    assert result.exit_code == 1
    assert "outage.yaml:20: ✗" in result.stderr


@pytest.mark.parametrize(
    ("source", "options", "code"),
    [
        (SOUND, [], 0),
        (bent("role: engineer", "role: enginer"), [], 1),
        (bent("    due: 15m\n", ""), [], 0),
        (bent("    due: 15m\n", ""), ["--strict"], 1),
    ],
)
def test_lint_ends_with_one_where_something_must_be_mended(
    tmp_path: Path, source: str, options: list[str], code: int
) -> None:
    result = fengbo("lint", *options, "--library", library(tmp_path, source))
    assert result.exit_code == code, result.output


def test_lint_names_file_line_and_mend(tmp_path: Path) -> None:
    folder = library(tmp_path, bent("role: engineer", "role: enginer"))
    result = fengbo("lint", "--library", folder)
    assert f"{folder}/general/outage.yaml:19: ✗ There is no role “enginer”. Did you mean: engineer?" in result.stdout
    assert "1 errors" in result.stderr


def test_lint_of_one_file_knows_the_rest_of_the_library() -> None:
    file = ROOT / "internet-finance" / "withdrawal-failure.yaml"
    result = fengbo("lint", str(file), "--library", str(ROOT), "--strict", "--json")
    assert (result.exit_code, result.stdout) == (0, "")


def test_lint_of_a_copy_elsewhere_names_the_copy(tmp_path: Path) -> None:
    copy = tmp_path / "outage.yaml"
    copy.write_text(bent("due: 30m", "due: 10m"), encoding="utf-8")
    result = fengbo("lint", str(copy), "--json", "--library", library(tmp_path))
    rows = [orjson.loads(line) for line in result.stdout.splitlines()]
    assert [(row["file"], row["line"]) for row in rows if row["severity"] == "error"] == [(str(copy), 27)]


def test_match_says_which_and_why(tmp_path: Path) -> None:
    result = fengbo("match", "网站打不开了", "--type", "outage=0.8", "--library", library(tmp_path))
    assert result.exit_code == 0
    assert "outage · Outage — kind: service outage 0.80" in result.stdout
    row = orjson.loads(fengbo("match", "宕机了", "--json", "--library", str(tmp_path)).stdout)
    assert row["playbook"] == "outage"
    assert 0 < row["score"] <= 1
    assert row["reasons"]


@pytest.mark.parametrize(
    ("words", "code"),
    [([], 2), (["--type", "outage=much"], 2), (["今天天气真好"], 1), (["--type", "outage", "--grade", "purple"], 2)],
)
def test_match_without_an_answer_says_so(tmp_path: Path, words: list[str], code: int) -> None:
    result = fengbo("match", *words, "--library", library(tmp_path))
    assert result.exit_code == code
    assert result.stderr.strip()


def test_the_library_of_the_configuration_is_found_beside_it(tmp_path: Path) -> None:
    library(tmp_path / "plans" if (tmp_path / "plans").mkdir() is None else tmp_path)
    config = tmp_path / "fengbo.yaml"
    config.write_text("playbooks: {library: plans}\n", encoding="utf-8")
    assert fengbo("list", "--config", str(config)).stdout.startswith("outage ")


def test_lint_reads_what_is_in_force_from_chat_in_place_of_the_file(tmp_path: Path) -> None:
    library(tmp_path)
    config = tmp_path / "fengbo.yaml"
    config.write_text(f"store: {tmp_path}/fengbo.db\nplaybooks: {{library: {tmp_path}/general}}\n", encoding="utf-8")
    assert fengbo("lint", "--config", str(config)).exit_code == 0
    assert not (tmp_path / "fengbo.db").exists(), "looking makes no store"
    store = Store(tmp_path / "fengbo.db")
    store.write_now(
        lambda db: versions.add(
            db, playbook="outage", version=7, text=bent("due: 15m", "due: 15"), base="", reason="", actor=SYSTEM, now=1
        )
    )
    store.write_now(lambda db: versions.put_in_force(db, "outage", 7, SYSTEM, 2))
    store.close()
    result = fengbo("lint", "--config", str(config))
    assert result.exit_code == 1 and "outage.yaml (v7):20: ✗" in result.stdout
    assert fengbo("lint", "--library", str(tmp_path / "general")).exit_code == 0, "a folder stands for itself"
