"""Bursts of counts: found at once, told from noise, and never known before they happen."""

import math
import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.warning.burst import DAY_SECONDS, MOST, BurstDetector, Reading

BEGIN = 1_757_462_400.0  # midnight in London
MINUTES = 60.0


def poisson(generator: random.Random, mean: float) -> int:
    if mean > 50:
        return max(0, round(generator.gauss(mean, math.sqrt(mean))))
    limit, product, count = math.exp(-mean), generator.random(), 0
    while product > limit:
        product *= generator.random()
        count += 1
    return count


def ordinary(mean: float, rows: int, step: float, seed: int = 1) -> list[tuple[float, float]]:
    """A day's rhythm: three times as much in the afternoon as at night."""
    generator = random.Random(seed)
    found = []
    for row in range(rows):
        at = BEGIN + row * step
        daily = 1 + 0.5 * math.sin(2 * math.pi * (at % DAY_SECONDS) / DAY_SECONDS)
        found.append((at, float(poisson(generator, mean * daily))))
    return found


def read(rows: Sequence[tuple[float, float]]) -> list[Reading]:
    detector = BurstDetector()
    return [detector.update(value, at) for at, value in rows]


def days(count: float, step: float) -> int:
    return int(count * DAY_SECONDS / step)


@pytest.mark.parametrize(
    ("a_minute", "step"),
    [(0.1, 5 * MINUTES), (1, 5 * MINUTES), (10, 1 * MINUTES), (1_000, 5 * MINUTES), (1_000, MINUTES), (20, 3_600.0)],
)
def test_a_burst_stands_out_at_any_rate_and_ordinary_days_do_not(a_minute: float, step: float) -> None:
    mean = a_minute * step / 60
    rows = ordinary(mean, days(10, step), step)
    length = max(1, round(3_600 / step))
    begin = days(8, step)
    for row in range(begin, begin + length):
        rows[row] = (rows[row][0], rows[row][1] * 10 + 24 / length)
    found = read(rows)
    alarms = [row for row, reading in enumerate(found) if reading.alarm]
    assert alarms and all(begin <= row < begin + 4 * length for row in alarms), alarms


def test_daily_counts_work_too() -> None:
    generator = random.Random(2)
    rows = [(BEGIN + day * DAY_SECONDS, float(generator.randint(60, 140))) for day in range(400)]
    rows[350] = (rows[350][0], 900.0)
    assert [row for row, reading in enumerate(read(rows)) if reading.alarm] == [350]


def test_two_weeks_of_silence_with_a_post_now_and_then_raise_no_alarm() -> None:
    assert not any(reading.alarm for reading in read(ordinary(0.02, days(14, 300), 300.0)))


def test_the_daily_peak_is_no_news_and_the_same_height_at_night_is_a_surprise() -> None:
    def busy(row: int) -> float:
        return 60.0 if 12 <= row * 300 / 3_600 % 24 < 16 else 20.0

    rows = [(BEGIN + row * 300, busy(row)) for row in range(days(25, 300))]
    night, noon = days(23, 300) + 36, days(22, 300) + 150
    calm = read(rows)
    assert not [row for row, reading in enumerate(calm) if reading.alarm]

    def at_night(height: float) -> list[Reading]:
        changed = [(at, height if night <= row < night + 48 else value) for row, (at, value) in enumerate(rows)]
        return read(changed)[night : night + 48]

    assert max(reading.surprise for reading in calm[noon : noon + 30]) == 0
    assert max(reading.surprise for reading in at_night(60.0)) > 1
    assert any(reading.alarm for reading in at_night(160.0))


def test_a_level_shift_is_said_once_and_becomes_the_new_normal() -> None:
    rows = ordinary(20, days(30, 300), 300.0)
    begin = days(10, 300)
    rows = [(at, value * (6 if row >= begin else 1)) for row, (at, value) in enumerate(rows)]
    found = read(rows)
    alarms = [row for row, reading in enumerate(found) if reading.alarm]
    assert alarms and begin <= alarms[0] < begin + 12
    assert not [row for row in alarms if row > begin + days(1, 300)]
    later = found[begin + days(14, 300)].expected
    assert later > 60, "two weeks later the new level is expected"


def test_a_burst_that_goes_on_is_not_said_with_every_value() -> None:
    rows = ordinary(20, days(10, 300), 300.0)
    begin = days(8, 300)
    rows = [(at, value * (20 if begin <= row < begin + 60 else 1)) for row, (at, value) in enumerate(rows)]
    assert 1 <= sum(reading.alarm for reading in read(rows)) <= 12


def test_a_gap_is_not_a_zero() -> None:
    rows = ordinary(20, days(12, 300), 300.0)
    hole = range(days(8, 300), days(9, 300))
    kept = [row for number, row in enumerate(rows) if number not in hole]
    zeros = [(at, 0.0 if number in hole else value) for number, (at, value) in enumerate(rows)]
    after_gap, after_zeros = read(kept)[hole.start], read(zeros)[hole.stop]
    assert after_gap.expected == pytest.approx(read(rows)[hole.stop].expected, rel=0.1)
    assert after_zeros.expected < 0.9 * after_gap.expected
    assert not any(reading.alarm for reading in read(kept)[hole.start :])


def test_on_the_first_day_nothing_is_an_alarm_at_once() -> None:
    rows = [(BEGIN + row * 300, 1.0 if row < 6 else 40.0) for row in range(12)]
    assert not any(reading.alarm for reading in read(rows))


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf, MOST * 2])
def test_what_is_no_count_is_refused_and_changes_nothing(value: float) -> None:
    detector, other = BurstDetector(), BurstDetector()
    for at, count in ordinary(5, 50, 300.0):
        detector.update(count, at)
        other.update(count, at)
    with pytest.raises(ValueError, match="count"):
        detector.update(value, BEGIN + 50 * 300)
    assert detector == other


def test_time_does_not_run_backwards() -> None:
    detector = BurstDetector()
    detector.update(1, BEGIN)
    for at in (BEGIN, BEGIN - 1):
        with pytest.raises(ValueError, match="order"):
            detector.update(1, at)


def test_a_look_ahead_changes_nothing_and_says_what_the_update_would() -> None:
    rows = ordinary(30, 24 * 20, 3_600.0)
    detector, other = BurstDetector(), BurstDetector()
    for at, value in rows:
        detector.update(value, at)
        other.update(value, at)
    later = rows[-1][0] + 3_600
    looks = [detector.peek(value, later) for value in (10.0, 100.0, 400.0, 400.0)]
    assert detector == other
    assert looks[0] == 0 and 0 < looks[1] < looks[2] == looks[3]
    assert detector.update(400.0, later).score == pytest.approx(looks[3])


STREAMS = st.lists(st.tuples(st.floats(1, 1e6), st.floats(0, 1e9)), min_size=1, max_size=60)


@given(STREAMS, STREAMS)
@settings(max_examples=100, deadline=None)
def test_what_comes_later_never_changes_what_was_said(
    first: list[tuple[float, float]], later: list[tuple[float, float]]
) -> None:
    def said(steps: list[tuple[float, float]]) -> list[Reading]:
        at, found, detector = BEGIN, [], BurstDetector()
        for step, value in steps:
            at += step
            found.append(detector.update(value, at))
        return found

    alone = said(first)
    assert said(first + later)[: len(first)] == alone
    for reading in alone:
        assert 0 <= reading.score < 1
        assert reading.alarm == (reading.score >= 0.5)
        assert math.isfinite(reading.expected) and reading.expected >= 0
