"""The benchmark's own parts; its figures are no tests."""

import math

import orjson
import pytest

from bot import bench
from bot.bench import analysis
from bot.bench.result import Result, named, percentile
from bot.bench.texts import Batches, talk
from bot.model.intake import parse_post
from bot.texts import render


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [([5], 0.99, 5), (list(range(1, 101)), 0.5, 50), (list(range(1, 101)), 0.99, 99), ([3, 1, 2], 1.0, 3)],
)
def test_a_percentile_is_one_of_the_values(values: list[float], share: float, expected: float) -> None:
    assert percentile(values, share) == expected


def test_there_is_no_percentile_of_nothing() -> None:
    assert math.isnan(percentile([], 0.5))


@pytest.mark.parametrize(
    ("result", "met"),
    [
        (Result(named("met"), 5_000, "/s", at_least=5_000), True),
        (Result(named("met"), 4_999, "/s", at_least=5_000), False),
        (Result(named("met"), 150, "ms", at_most=150), True),
        (Result(named("met"), 151, "ms", at_most=150), False),
        (Result(named("met"), float("nan"), "ms", at_most=150), False),
        (Result(named("met"), 1, ""), None),
    ],
)
def test_a_target_is_met_or_missed(result: Result, met: bool | None) -> None:
    assert result.met is met


def test_batches_never_repeat_an_id_and_are_taken_by_the_intake() -> None:
    batches = Batches(50, ["品牌"], variants=2)
    seen: set[str] = set()
    for _ in range(5):
        for item in orjson.loads(batches.next(1_757_500_000_000)):
            post = parse_post(item, source="bench", platform="other", now=1_757_500_000_001)
            seen.add(post.id)
    assert len(seen) == 250


def test_made_up_talk_is_of_the_length_of_posts() -> None:
    texts = talk(200)
    assert len(set(texts)) > 190
    assert 40 <= sum(map(len, texts)) / len(texts) <= 80


def test_an_unknown_part_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.run_benchmarks("everything") == 2
    assert "analysis" in capsys.readouterr().err


def test_a_missed_target_ends_with_one(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    found = [Result(named("sentiment_rate"), 10, "/s", at_least=80_000)]
    monkeypatch.setattr(analysis, "run", lambda folder: found)
    assert bench.run_benchmarks("analysis") == 1
    assert render(named("missed"), "en") in capsys.readouterr().out
