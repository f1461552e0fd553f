"""``fengbo detect``: every line comes out again, judged by what came before it."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model.text import UserError
from bot.texts import render
from bot.warning.burst_csv import detect_lines


def run(text: str) -> tuple[list[str], dict[int, str]]:
    bad: dict[int, str] = {}
    out = list(detect_lines(text.splitlines(keepends=True), lambda line, problem: bad.update({line: problem.key})))
    return out, bad


def good(rows: int) -> list[str]:
    return [f"2025-09-{1 + row // 288:02} {row // 12 % 24:02}:{row % 12 * 5:02}:00,{row % 7}" for row in range(rows)]


def test_score_and_alarm_stand_behind_the_columns_that_were_there() -> None:
    out, bad = run('id,timestamp,value,"a note"\n1,2025-09-01 10:00:00,5,"x, y"\n')
    assert out == ["id,timestamp,value,a note,anomaly_score,alarm\n", '1,2025-09-01 10:00:00,5,"x, y",0.000000,0\n']
    assert not bad


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("2025-09-01 10:10:00,", "gap"),
        ("2025-09-01 10:10:00,NaN", "gap"),
        ("2025-09-01 10:10:00,many", "value"),
        ("2025-09-01 10:10:00,inf", "value"),
        ("2025-09-01 10:10:00,1e300", "value"),
        ("2025-09-01 10:10:00,-4", "negative"),
        ("2025-09-01 10:00:00,4", "order"),
        ("2025-09-01 09:00:00,4", "order"),
        ("soon,4", "time"),
        ("2025-13-01 10:00:00,4", "time"),
        ("nan,4", "time"),
        ("2025-09-01 10:10:00", "short"),
    ],
)
def test_a_bad_line_is_named_and_comes_out_unjudged(line: str, problem: str) -> None:
    out, bad = run(f"timestamp,value\n2025-09-01 10:00:00,3\n{line}\n2025-09-01 10:15:00,4\n")
    assert bad == {3: f"detect.{problem}"}
    assert out[2].rstrip("\n").endswith(",,") and out[2].startswith(line.split(",")[0])
    assert out[3] == "2025-09-01 10:15:00,4,0.000000,0\n"


@pytest.mark.parametrize(
    "text",
    [
        "1757462400,3\n1757462700,4\n",
        "1757462400000,3\n1757462700000,4\n",
        "\ufefftimestamp;value\n2025-09-01T10:00:00+08:00;3\n2025-09-01T10:05:00+08:00;4\n",
        "时间,数量\n2025/9/1 8:05,3\n2025/9/1 8:10,4\n",
        "value\ttimestamp\n3\t2025-09-01T10:00\n4\t2025-09-01T10:05\n",
        "timestamp,value\r\n2025-09-01 10:00:00,3\r\n2025-09-01 10:05:00,4\r\n",
    ],
)
def test_times_names_and_separators_as_spreadsheets_write_them(text: str) -> None:
    out, bad = run(text)
    assert not bad and len(out) == 3
    assert "anomaly_score" in out[0] and out[2].rstrip("\n")[-1] == "0"


def test_a_second_run_over_its_own_output_changes_nothing() -> None:
    once, _ = run("\n".join(["timestamp,value", *good(400)]) + "\n")
    again, bad = run("".join(once))
    assert again == once and not bad


@pytest.mark.parametrize(("text", "key"), [("", "detect.empty"), ("a,b\n1,2\n", "detect.no_columns")])
def test_a_file_without_the_columns_is_refused_in_words(text: str, key: str) -> None:
    with pytest.raises(UserError) as caught:
        run(text)
    assert caught.value.text.key == key
    assert render(caught.value.text, "zh-CN")


JUNK = st.sampled_from(["soon,5", "2001-01-01 00:00:00,5", "2025-09-05 00:00:00,", ",", "x", "2025-09-05 00:00:00,-1"])


@given(st.lists(st.tuples(st.integers(1, 60), JUNK), max_size=12), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_bad_lines_anywhere_change_nothing_for_the_good_ones(junk: list[tuple[int, str]], order: object) -> None:
    lines = good(60)
    clean, _ = run("\n".join(["timestamp,value", *lines]) + "\n")
    mixed = list(lines)
    for place, line in junk:
        mixed.insert(place, line)
    out, bad = run("\n".join(["timestamp,value", *mixed]) + "\n")
    assert len(out) == len(mixed) + 1 and len(bad) == len(junk)
    assert [line for number, line in enumerate(out, 1) if number not in bad] == clean


def test_the_command_keeps_bytes_that_are_no_text_and_says_what_to_mend(tmp_path: Path) -> None:
    file = tmp_path / "counts.csv"
    file.write_bytes(b"timestamp,value,name\n2025-09-01 10:00:00,3,\xc3\xfb\xd7\xd6\n2025-09-01 10:05:00,x,\xff\n")
    done = subprocess.run(
        [sys.executable, "-m", "bot", "detect", str(file)], capture_output=True, env={"FENGBO_LANGUAGE": "en"},
        check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout.splitlines()[1] == b"2025-09-01 10:00:00,3,\xc3\xfb\xd7\xd6,0.000000,0"
    assert done.stdout.splitlines()[2] == b"2025-09-01 10:05:00,x,\xff,,"
    assert f"{file}:3:".encode() in done.stderr and "“x” is not a count".encode() in done.stderr


@pytest.mark.data
def test_recorded_mentions_are_judged_line_by_line_from_the_past_alone(data_dir: Path) -> None:
    text = (data_dir / "nab" / "Twitter_volume_CVS.csv").read_text(encoding="utf-8")
    lines = text.splitlines(keepends=True)
    whole, bad = run(text)
    part, _ = run("".join(lines[:4_000]))
    assert whole[:4_000] == part and not bad and len(whole) == len(lines)
    alarms = [row for row in csv.DictReader(whole) if row["alarm"] == "1"]
    assert 3 <= len(alarms) <= 15
