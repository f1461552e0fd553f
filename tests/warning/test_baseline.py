"""What is usual at this hour of the week, told from the subject's own history."""

import pytest

from bot.warning.baseline import baseline, follow_bursts

WEEK = 168
NOW = 1_000 * WEEK + 10


def rows(*entries: tuple[int, int, int], family: str = "funds") -> list[tuple[str, int, int, int]]:
    """``(hour before now, mentions, negative)``."""
    return [(family, NOW - back, mentions, negative) for back, mentions, negative in entries]


@pytest.mark.parametrize("first", [None, NOW, NOW - 1, NOW - 23])
def test_with_less_than_a_day_of_history_nobody_can_say(first: int | None) -> None:
    assert baseline(rows((1, 50, 50)), None, NOW, first) is None


def test_the_same_hour_of_the_week_and_its_neighbours_are_averaged() -> None:
    history = rows((WEEK, 30, 12), (WEEK + 1, 30, 12), (WEEK - 1, 30, 12), (2 * WEEK, 0, 0), (100, 999, 999))
    found = baseline(history, None, NOW, NOW - 2 * WEEK - 2)
    assert found is not None
    assert (found.hours, found.mentions, found.negative) == (6, 15, 6)


def test_hours_without_posts_count_as_zero() -> None:
    found = baseline(rows((WEEK, 60, 24)), None, NOW, NOW - 4 * WEEK - 2)
    assert found is not None
    assert (found.hours, found.negative) == (12, 2)


def test_with_less_than_two_weeks_the_same_hour_of_the_day_is_used() -> None:
    found = baseline(rows((24, 9, 3), (48, 9, 3), (72, 9, 3)), None, NOW, NOW - 80)
    assert found is not None
    assert (found.hours, found.negative) == (9, 1)


def test_the_current_hour_and_the_one_before_are_left_out() -> None:
    found = baseline(rows((0, 999, 999), (1, 999, 999), (24, 3, 3)), None, NOW, NOW - 30)
    assert found is not None
    assert found.negative == 1


def test_no_more_than_eight_weeks_are_looked_at() -> None:
    found = baseline(rows((9 * WEEK, 999, 999)), None, NOW, NOW - 20 * WEEK)
    assert found is not None
    assert (found.hours, found.negative) == (24, 0)


def test_only_the_families_that_are_judged_count() -> None:
    history = [
        *rows((24, 9, 9), family="funds"),
        *rows((24, 6, 6), family="general"),
        *rows((24, 90, 90), family="data"),
    ]
    found = baseline(history, frozenset({"funds", "general"}), NOW, NOW - 30)
    assert found is not None
    assert found.negative == 5


def test_bursts_are_told_from_a_week_of_hours_on_and_from_the_hours_that_are_over_alone() -> None:
    quiet = rows(*((back, 20, 4 + back % 3) for back in range(1, 400)))
    assert follow_bursts(quiet, None, NOW, None) is None
    assert follow_bursts(quiet, None, NOW, NOW - 7 * 24) is None
    found = follow_bursts(quiet, None, NOW, NOW - 399)
    assert found is not None
    assert found.peek(7, NOW * 3_600.0) == 0
    assert found.peek(60, NOW * 3_600.0) > 0.5
    running = [*quiet, ("funds", NOW, 900, 900), ("funds", NOW - 1, 900, 900), ("service", NOW - 50, 900, 900)]
    assert follow_bursts(running, frozenset({"funds"}), NOW, NOW - 399) == found
