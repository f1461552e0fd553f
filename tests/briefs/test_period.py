"""Days, weeks and months of a time zone."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.briefs.period import CADENCES, holding, last_over, next_due

CHINA, BERLIN = "Asia/Shanghai", "Europe/Berlin"


def at(text: str, zone: str = CHINA) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


@pytest.mark.parametrize(
    ("cadence", "moment", "label", "before"),
    [
        ("daily", "2026-11-27T00:00", "2026-11-27", "2026-11-26"),
        ("weekly", "2026-11-29T23:59", "2026-11-23 – 2026-11-29", "2026-11-16 – 2026-11-22"),
        ("weekly", "2026-11-30T00:00", "2026-11-30 – 2026-12-06", "2026-11-23 – 2026-11-29"),
        ("monthly", "2026-03-31T12:00", "2026-03-01 – 2026-03-31", "2026-02-01 – 2026-02-28"),
        ("monthly", "2026-01-01T00:00", "2026-01-01 – 2026-01-31", "2025-12-01 – 2025-12-31"),
    ],
)
def test_a_period_begins_where_people_say_it_does(cadence, moment: str, label: str, before: str) -> None:
    found = holding(cadence, at(moment), CHINA)
    assert (found.label(), found.before().label()) == (label, before)
    assert last_over(cadence, at(moment), CHINA) == found.before()


def test_a_day_of_the_clock_change_is_as_long_as_it_is() -> None:
    assert holding("daily", at("2026-10-25T12:00", BERLIN), BERLIN).length == 25 * 3_600_000
    assert holding("daily", at("2026-03-29T12:00", BERLIN), BERLIN).length == 23 * 3_600_000


def test_a_brief_comes_at_its_hour_of_the_first_day_after_its_period() -> None:
    assert next_due("daily", 9, at("2026-11-27T08:00"), CHINA) == at("2026-11-27T09:00"), "of yesterday, this morning"
    assert next_due("daily", 9, at("2026-11-27T09:00"), CHINA) == at("2026-11-28T09:00")
    assert next_due("weekly", 9, at("2026-11-27T08:00"), CHINA) == at("2026-11-30T09:00")
    assert next_due("monthly", 7, at("2026-11-27T08:00"), CHINA) == at("2026-12-01T07:00")


@given(st.sampled_from(CADENCES), st.integers(1_000_000_000_000, 2_000_000_000_000), st.sampled_from([CHINA, BERLIN]))
def test_periods_follow_each_other_without_gap(cadence, moment: int, zone: str) -> None:
    found = holding(cadence, moment, zone)
    assert found.start <= moment < found.end
    assert found.before().end == found.start
    assert moment < next_due(cadence, 9, moment, zone) <= moment + 32 * 86_400_000


def test_a_running_week_is_compared_with_the_same_days_of_the_week_before() -> None:
    running = holding("weekly", at("2026-11-25T06:00"), CHINA).up_to(at("2026-11-25T06:00"))
    assert running.label() == "2026-11-23 – 2026-11-25" and running.length == 54 * 3_600_000
    assert running.stretch_before().start == at("2026-11-16T00:00")
    assert running.stretch_before().length == running.length
    whole = holding("weekly", at("2026-11-25T06:00"), CHINA)
    assert whole.up_to(at("2026-12-09T06:00")) == whole and whole.stretch_before() == whole.before()
    march = holding("monthly", at("2026-03-31T12:00"), CHINA)
    assert march.stretch_before() == march.before(), "a whole month with all of a shorter one"
