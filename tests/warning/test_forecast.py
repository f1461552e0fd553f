"""Forecasts: ranges that hold what they promise, from the past alone, with a gap that is not a zero."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.warning.forecast import HORIZONS, Forecast, Range, forecast, share_ahead

HOUR = 480_000  # an hour of midnight in London
COUNTS = st.lists(st.one_of(st.none(), st.integers(0, 1_000_000)), min_size=1, max_size=300)


def day(hours: int, mean: float = 40, seed: int = 1) -> list[float | None]:
    generator = random.Random(seed)
    return [
        float(max(0, round(generator.gauss(busy, math.sqrt(busy)))))
        for busy in (mean * (1 + 0.8 * math.sin(2 * math.pi * hour / 24)) for hour in range(hours))
    ]


def ends(history: list[float | None]) -> int:
    return HOUR + len(history) - 1


def test_the_rhythm_of_the_day_carries_on() -> None:
    history = day(24 * 10)
    found = forecast(history, ends(history))
    for hour, expected in enumerate(found.hours):
        true = 40 * (1 + 0.8 * math.sin(2 * math.pi * hour / 24))
        assert expected.low <= true + 3 and expected.high >= true - 3, hour
    assert found.volume[24].middle == pytest.approx(24 * 40, rel=0.25)
    assert found.peak_in in range(4, 11), "the afternoon is the busiest"


def test_a_burst_fades_and_widens_the_ranges() -> None:
    calm = day(24 * 10)
    burst = [*calm[:-2], 600.0, 900.0]
    usual, now = forecast(calm, ends(calm)), forecast(burst, ends(burst))
    assert now.volume[1].middle > 5 * usual.volume[1].middle
    assert now.hours[0].middle > now.hours[5].middle
    assert now.volume[6].high / now.volume[6].low > usual.volume[6].high / usual.volume[6].low
    assert now.peak_in == 1


def test_eight_of_ten_outcomes_lie_inside() -> None:
    generator = random.Random(5)
    inside = dict.fromkeys(HORIZONS, 0)
    rounds = 60
    for _ in range(rounds):
        level, history = 0.0, []
        for hour in range(24 * 15):
            level = 0.8 * level + generator.gauss(0, 0.35)
            busy = math.exp(3.5 + 0.7 * math.sin(2 * math.pi * hour / 24) + level)
            history.append(float(max(0, round(generator.gauss(busy, math.sqrt(busy))))))
        now = len(history) - 24
        found = forecast(history[:now], HOUR + now - 1)
        for horizon in HORIZONS:
            expected = found.volume[horizon]
            inside[horizon] += expected.low <= sum(history[now : now + horizon]) <= expected.high
    for horizon, count in inside.items():
        assert count >= 0.65 * rounds, (horizon, count)


def test_a_gap_is_not_a_zero() -> None:
    history = day(24 * 10)
    holes: list[float | None] = [None if 100 <= hour < 124 else count for hour, count in enumerate(history)]
    zeros: list[float | None] = [0.0 if 100 <= hour < 124 else count for hour, count in enumerate(history)]
    whole, gap, zero = (forecast(rows, ends(rows)).volume[24].middle for rows in (history, holes, zeros))
    assert abs(gap - whole) < abs(zero - whole)
    assert gap == pytest.approx(whole, rel=0.05)


def test_a_young_install_has_wide_honest_ranges() -> None:
    found = forecast([2.0, 1.0, 80.0], HOUR)
    assert found.volume[1].low < 80 < found.volume[1].high
    assert found.volume[24].high > 3 * found.volume[24].low


@given(COUNTS, st.integers(0, 10**6))
def test_any_history_has_an_orderly_answer(history: list[int | None], hour: int) -> None:
    found: Forecast = forecast(history, hour)
    for one in (*found.volume.values(), *found.hours, found.peak):
        assert 0 <= one.low <= one.middle <= one.high < math.inf
    assert found.volume[1].middle <= found.volume[24].high + 1
    assert 1 <= found.peak_in <= 24


@pytest.mark.parametrize(
    ("mentions", "negatives", "low", "high"),
    [
        ([100.0, 100.0], [80.0, 80.0], 0.68, 0.86),
        ([100.0], [0.0], 0.0, 0.1),
        ([2.0], [2.0], 0.1, 0.95),
        ([None, 50.0, None], [None, 25.0, None], 0.35, 0.65),
    ],
)
def test_the_negative_share_is_as_certain_as_the_posts_behind_it(
    mentions: list[float | None], negatives: list[float | None], low: float, high: float
) -> None:
    found: Range = share_ahead(mentions, negatives, 200)
    assert low <= found.low <= found.middle <= found.high <= high


@given(COUNTS, st.floats(0, 1), st.floats(0, 1e6))
def test_a_share_stays_a_share(mentions: list[int | None], share: float, expected: float) -> None:
    negatives = [None if count is None else count * share for count in mentions]
    found = share_ahead(mentions, negatives, expected)
    assert 0 <= found.low <= found.middle <= found.high <= 1
