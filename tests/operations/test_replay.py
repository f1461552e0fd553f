"""Replay: recorded posts in, alerts out, the same each time."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.config import Config, parse
from bot.demo import player
from bot.model.text import Text
from bot.replay import replay_files

START = 1_757_500_000
HOUR = 3_600
SETTINGS = """
language: en
subjects:
  - {id: xinghe, name: 星河支付, industry: internet-finance, match: {any: [星河支付, 星河钱包]}, sensitive: [money]}
  - {id: yunfan, name: 云帆支付, industry: internet-finance, match: {any: [云帆支付]}}
"""


@pytest.fixture
def config() -> Config:
    return parse(SETTINGS, "test.yaml")


def written(path: Path, items: list[dict[str, Any]]) -> Path:
    text = "\n".join(json.dumps(item, ensure_ascii=False) for item in items)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def crisis(subject: str, at: float, count: int = 60) -> list[dict[str, Any]]:
    return [
        {
            "id": f"{subject}-{number}", "platform": ("weibo", "douyin", "forum", "x", "news")[number % 5],
            "text": f"{subject}提现失败三天了还没到账，骗子！第{number}次问客服了",
            "published_at": at + number * 30, "engagement": {"likes": 40, "reposts": 5, "comments": 9},
        }
        for number in range(count)
    ]  # fmt: skip


def calm(at: float, hours: int) -> list[dict[str, Any]]:
    return [
        {"id": f"calm-{number}", "text": f"今天天气不错，出门走走 {number}", "published_at": at + number * 600}
        for number in range(hours * 6)
    ]


def test_a_crisis_rises_and_calms_down_with_its_reasons(tmp_path: Path, config: Config) -> None:
    file = written(tmp_path / "posts.jsonl", crisis("星河支付", START) + calm(START, 12))
    alerts = list(replay_files(config, [file]))
    assert [alert["change"] for alert in alerts][:2] == ["opened", "raised"]
    assert alerts[-1]["change"] == "lowered" and alerts[-1]["grade"] == "blue"
    assert {alert["incident"] for alert in alerts} == {"I-1"} and {alert["subject"] for alert in alerts} == {"xinghe"}
    assert set(alerts[0]) == {"at", "incident", "grade", "reason", "subject", "change"}
    assert "threshold" in alerts[0]["reason"]
    assert "2025-09-10T10:26:40Z" < alerts[0]["at"] < "2025-09-10T10:40:00Z", "in the time of the record"
    assert alerts == sorted(alerts, key=lambda alert: alert["at"])


def test_calm_talk_gives_no_alert(tmp_path: Path, config: Config) -> None:
    assert list(replay_files(config, [written(tmp_path / "posts.jsonl", calm(START, 200))])) == []


def test_files_are_played_together_in_the_order_of_time_whatever_theirs_is(tmp_path: Path, config: Config) -> None:
    one, other = crisis("星河支付", START), crisis("云帆支付", START + 2 * HOUR)
    in_order = written(tmp_path / "all.jsonl", one + other)
    upside_down = [
        written(tmp_path / "b.jsonl.gz", list(reversed(other))),
        written(tmp_path / "a.jsonl", list(reversed(one)) + one[:7]),
    ]
    assert list(replay_files(config, upside_down)) == list(replay_files(config, [in_order]))


def test_answers_to_a_post_count_for_whom_it_was_about(tmp_path: Path, config: Config) -> None:
    first = {"id": "root", "text": "星河支付提现失败", "published_at": START}
    answers = [
        {"id": f"c{number}", "text": f"我也是，骗子，还钱 {number}", "published_at": START + 60 + number * 20,
         "kind": "comment", "parent_id": "root" if number == 0 else f"c{number - 1}"}
        for number in range(40)
    ]  # fmt: skip
    strangers = [{**answer, "id": f"s{answer['id']}", "parent_id": "nobody"} for answer in answers]
    assert list(replay_files(config, [written(tmp_path / "a.jsonl", [first, *answers])]))
    assert not list(replay_files(config, [written(tmp_path / "b.jsonl", [first, *strangers])]))


def test_lines_that_are_no_posts_are_named_and_do_not_stop_the_rest(tmp_path: Path, config: Config) -> None:
    file = written(tmp_path / "posts.jsonl", crisis("星河支付", START))
    with file.open("a") as stream:
        stream.write('\nnot json\n{"text": "no date"}\n[1]\n\n{"published_at": 1757500000}\n')
    said: list[Text] = []
    assert list(replay_files(config, [file], said.append))
    assert len([text for text in said if text.key == "cli.replay_rejected"]) == 4


def test_two_runs_are_alike_to_the_byte(tmp_path: Path) -> None:
    (tmp_path / "fengbo.yaml").write_text(SETTINGS)
    record = [
        {**{key: value for key, value in line.items() if key not in ("at", "tone")}, "published_at": START + line["at"]}
        for line in player.load_feed()
    ]
    file = written(tmp_path / "posts.jsonl", record + crisis("云帆支付", START) + crisis("星河支付", START))
    outputs = [
        subprocess.run(
            [sys.executable, "-m", "bot", "replay", str(file), "--config", str(tmp_path / "fengbo.yaml")],
            capture_output=True, check=True, env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    ]  # fmt: skip
    assert outputs[0] == outputs[1] and outputs[0].count(b"\n") >= 4
