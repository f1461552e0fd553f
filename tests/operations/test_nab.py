"""The benchmark's scoring rules against cases counted by hand."""

from math import exp
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.bench import judgement_bursts, nab

TIMES = tuple(float(number) for number in range(100))
ONE = {"a": nab.Series(TIMES, ((40.0, 49.0),))}


def sigmoid(position: float) -> float:
    return 2 / (1 + exp(5 * position)) - 1


def at(*places: int, height: float = 1.0) -> dict[str, list[float]]:
    values = [0.0] * 100
    for place in places:
        values[place] = height
    return {"a": values}


@pytest.mark.parametrize(
    ("places", "profile", "expected"),
    [
        ((40,), nab.STANDARD, 100.0),  # the first value of the window: position -1
        ((49,), nab.STANDARD, 50 * (1 + sigmoid(-1 / 10) / sigmoid(-1))),  # the last: position -1/10
        ((45, 49), nab.STANDARD, 50 * (1 + sigmoid(-5 / 10) / sigmoid(-1))),  # only the earliest counts
        ((40, 20), nab.STANDARD, 100 - 50 * 0.11),  # before every window a false detection costs all
        ((40, 20), nab.LOW_FALSE, 100 - 50 * 0.22),
        ((40, 52), nab.STANDARD, 100 + 50 * 0.11 * sigmoid(3 / 9)),  # three behind, the window is nine wide
        ((40, 76), nab.STANDARD, 100 - 50 * 0.11),  # three widths behind
        ((40, 10), nab.STANDARD, 100.0),  # the first fifteen values are not scored
        ((), nab.STANDARD, 0.0),
        ((20,), nab.STANDARD, -50 * 0.11),
    ],
)
def test_one_window_by_hand(places: tuple[int, ...], profile: nab.Profile, expected: float) -> None:
    assert nab.best_score(at(*places), ONE, profile, 0.5).value == pytest.approx(expected)


def test_the_best_threshold_gives_up_what_costs_more_than_it_brings() -> None:
    scores = at(40)
    scores["a"][20] = 0.5
    found = nab.best_score(scores, ONE, nab.STANDARD)
    assert (found.value, found.threshold) == (pytest.approx(100), 1.0)


def test_values_of_one_height_are_detected_together() -> None:
    found = nab.best_score(at(20, 40), ONE, nab.STANDARD)
    assert found.value == pytest.approx(100 - 50 * 0.11)


def test_a_detector_without_an_opinion_is_worth_nothing_and_never_less() -> None:
    assert nab.best_score({"a": [0.3] * 100}, {"a": nab.Series(TIMES, ((99.0, 99.0),))}, nab.LOW_FALSE).value == 0


def test_series_are_added_up_with_one_threshold() -> None:
    series = {**ONE, "b": nab.Series(TIMES, ((60.0, 69.0), (80.0, 89.0)))}
    scores = {**at(40), "b": at(60)["a"]}
    assert nab.best_score(scores, series, nab.STANDARD).value == pytest.approx(100 * 2 / 3)


@given(st.lists(st.floats(0, 1), min_size=100, max_size=100), st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_no_threshold_is_better_than_the_best_and_nothing_exceeds_a_hundred(values: list[float], other: float) -> None:
    best = nab.best_score({"a": values}, ONE, nab.STANDARD).value
    assert nab.best_score({"a": values}, ONE, nab.STANDARD, other).value <= best + 1e-9
    assert 0 <= best <= 100


def test_false_episodes_are_counted_by_the_day() -> None:
    day = 86_400.0
    recorded = judgement_bursts.Recorded((0.0, 10 * day), (1.0, 1.0), ((3 * day, 4 * day),))
    alarms = [0.1 * day, 0.9 * day, 1.5 * day, 3.5 * day, 6 * day]
    assert judgement_bursts.false_episodes(recorded, alarms) == 2


@pytest.mark.data
def test_recorded_mentions_reach_the_targets(data_dir: Path) -> None:
    rows = judgement_bursts.bursts(data_dir)
    assert [row.result.met for row in rows].count(False) == 0
