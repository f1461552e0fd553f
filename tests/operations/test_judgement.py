"""The table of judgement: what is measured, what is missing, and what it ends with. Its figures are no tests."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from bot import bench
from bot.bench import judgement
from bot.bench.judged import Judged, data_rows, judged, peers
from bot.bench.result import Result


def _row(value: float, target: float) -> Judged:
    return Judged(Result(judged("sentiment_virus", count=3), value, "%", at_least=target), peers("ewect"))


def test_absent_data_is_named_and_is_no_missed_target(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def part(folder: Path) -> Sequence[Judged]:
        return [_row(1, 1) for _ in data_rows(folder, "sentiment/none.jsonl.gz")]

    monkeypatch.setattr(judgement, "PARTS", {"sentiment": part})
    assert bench.run_benchmarks("judgement", data=str(tmp_path)) == 0
    assert "data absent: sentiment/none.jsonl.gz" in capsys.readouterr().out


def test_without_a_data_folder_every_part_says_so(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert bench.run_benchmarks("judgement", data=str(tmp_path / "nowhere")) == 0
    assert capsys.readouterr().out.count("no data folder") == len(judgement.PARTS)


@pytest.mark.parametrize(("value", "code"), [(80.0, 0), (79.9, 1)])
def test_ours_the_target_and_the_others_stand_in_one_row(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, value: float, code: int
) -> None:
    monkeypatch.setattr(judgement, "PARTS", {"sentiment": lambda folder: [_row(value, 80.0)]})
    assert bench.run_benchmarks("judgement", data=str(tmp_path)) == code
    line = next(line for line in capsys.readouterr().out.splitlines() if "EWECT" in line)
    assert all(word in line for word in ("≥ 80 %", "77–78 %"))


def test_a_missing_library_is_named_and_a_missing_module_of_ours_is_a_mistake(tmp_path: Path) -> None:
    def needs(name: str) -> judgement.Part:
        def part(folder: Path) -> Sequence[Judged]:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

        return part

    outcome = judgement._outcome("sentiment", needs("no_such_library"), tmp_path)
    assert outcome.absent is not None
    with pytest.raises(ModuleNotFoundError):
        judgement._outcome("sentiment", needs("bot.no_such_room"), tmp_path)


def test_an_unknown_part_of_the_table_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.run_benchmarks("judgement", part="everything") == 2
    assert "sentiment" in capsys.readouterr().err
