"""When a source is asked next and how it is doing, as tables."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clock import DAY, HOUR, MINUTE, SECOND
from bot.config import SourceConfig
from bot.model.text import LANGUAGES
from bot.sources.schedule import Breaker, Health, Outcome, Record, breaker, health, next_due, silence_limit
from bot.texts import render

NOW = 1_767_225_600_000


def config(**more: object) -> SourceConfig:
    return SourceConfig.model_validate({"id": "s", "kind": "feed", "every": "60s", "every_sensitive": "15s"} | more)


@pytest.mark.parametrize(
    ("outcome", "failures", "sensitive", "jitter", "retry_after", "wait"),
    [
        (Outcome.WELL, 0, False, 0.5, None, 60 * SECOND),
        (Outcome.WELL, 0, False, 0.0, None, 57 * SECOND),
        (Outcome.WELL, 0, False, 1.0, None, 63 * SECOND),
        (Outcome.WELL, 0, True, 0.5, None, 15 * SECOND),
        (Outcome.WELL, 0, True, 0.5, 90 * SECOND, 90 * SECOND),
        (Outcome.WELL, 0, False, 0.5, 30 * SECOND, 60 * SECOND),
        (Outcome.WELL, 0, False, 0.5, 900 * DAY, DAY),
        (Outcome.MORE, 0, False, 0.5, None, SECOND),
        (Outcome.FAILED, 1, False, 0.0, None, MINUTE),
        (Outcome.FAILED, 2, False, 0.0, None, 2 * MINUTE),
        (Outcome.FAILED, 4, False, 0.0, None, 8 * MINUTE),
        (Outcome.FAILED, 5, False, 0.0, None, 30 * MINUTE),
        (Outcome.FAILED, 5, False, 1.0, None, 33 * MINUTE),
        (Outcome.FAILED, 500, False, 0.0, None, 30 * MINUTE),
        (Outcome.FAILED, 500, True, 0.0, None, 5 * MINUTE),
        (Outcome.FAILED, 1, False, 0.0, HOUR, HOUR),
        (Outcome.REFUSED, 1, False, 0.0, None, 30 * MINUTE),
        (Outcome.REFUSED, 1, True, 0.0, None, 5 * MINUTE),
    ],
)
def test_the_next_poll(outcome, failures, sensitive, jitter, retry_after, wait) -> None:
    assert next_due(config(), NOW, outcome, failures, sensitive, jitter, retry_after) - NOW == wait


def test_a_source_asked_once_a_day_is_not_asked_more_often_because_it_fails() -> None:
    assert next_due(config(every="1d"), NOW, Outcome.FAILED, 9, False, 0.0) == NOW + DAY


@given(
    st.sampled_from(Outcome), st.integers(0, 10_000), st.booleans(), st.floats(0, 1), st.none() | st.integers(0, 10**12)
)
def test_the_next_poll_is_always_later_and_never_out_of_reach(
    outcome, failures, sensitive, jitter, retry_after
) -> None:
    wait = next_due(config(), NOW, outcome, failures, sensitive, jitter, retry_after) - NOW
    assert SECOND <= wait <= DAY
    assert wait >= min(retry_after or 0, DAY)


@pytest.mark.parametrize(
    ("failures", "due", "state"),
    [
        (0, NOW + 1, Breaker.CLOSED),
        (4, NOW + 1, Breaker.CLOSED),
        (5, NOW + 1, Breaker.OPEN),
        (5, NOW, Breaker.HALF_OPEN),
    ],
)
def test_the_breaker(failures: int, due: int, state: Breaker) -> None:
    assert breaker(failures, due, NOW) is state


@pytest.mark.parametrize(
    ("settings", "gaps", "limit"),
    [
        ({}, (), DAY),
        ({}, (MINUTE,) * 4, DAY),
        ({}, (MINUTE,) * 5, 2 * HOUR),
        ({}, (HOUR,) * 9, 6 * HOUR),
        ({}, (MINUTE, HOUR, HOUR, HOUR, 9 * HOUR), 6 * HOUR),
        ({"silent_after": "5m"}, (HOUR,) * 9, 5 * MINUTE),
        ({"kind": "file"}, (HOUR,) * 9, 0),
    ],
)
def test_how_long_silence_is_normal(settings, gaps, limit: int) -> None:
    assert silence_limit(config(**settings), gaps) == limit


LONG_AGO = NOW - 3 * DAY
WELL = {
    "first_seen_at": LONG_AGO,
    "last_success_at": NOW - MINUTE,
    "last_post_at": NOW - 10 * MINUTE,
    "watching_since": LONG_AGO,
}


@pytest.mark.parametrize(
    ("settings", "record", "expected"),
    [
        ({"enabled": False}, WELL | {"failures": 9}, Health.PAUSED),
        ({}, {"first_seen_at": NOW}, Health.NEW),
        ({}, {"first_seen_at": NOW - 9 * MINUTE}, Health.NEW),
        ({}, {"first_seen_at": NOW - 11 * MINUTE}, Health.MISSING),
        ({"every": "1h"}, {"first_seen_at": NOW - 11 * MINUTE}, Health.NEW),
        ({}, {"first_seen_at": NOW, "failures": 2}, Health.NEW),
        ({}, {"first_seen_at": NOW, "failures": 3}, Health.MISSING),
        ({}, WELL, Health.MEASURED),
        ({}, WELL | {"last_post_at": 0, "watching_since": NOW - HOUR}, Health.MEASURED),
        ({}, WELL | {"failures": 2}, Health.MEASURED),
        ({}, WELL | {"failures": 3}, Health.FAILING),
        ({}, WELL | {"last_post_at": NOW - 25 * HOUR}, Health.SILENT),
        ({}, WELL | {"last_post_at": NOW - 3 * HOUR, "gaps": (MINUTE,) * 9}, Health.SILENT),
        ({}, WELL | {"last_post_at": NOW - 3 * HOUR, "gaps": (HOUR,) * 9}, Health.MEASURED),
        ({"silent_after": "5m"}, WELL, Health.SILENT),
        ({"silent_after": "5m"}, WELL | {"last_post_at": 0}, Health.SILENT),
        # The process was down for a day: nobody could have heard anything.
        ({}, WELL | {"last_post_at": NOW - 25 * HOUR, "watching_since": NOW - MINUTE}, Health.MEASURED),
        ({"kind": "hook"}, {"first_seen_at": NOW - 50 * MINUTE}, Health.NEW),
        ({"kind": "hook"}, {"first_seen_at": NOW - 70 * MINUTE}, Health.MISSING),
        ({"kind": "hook", "silent_after": "5m"}, {"first_seen_at": NOW - 6 * MINUTE}, Health.MISSING),
        ({"kind": "alertmanager"}, WELL | {"last_post_at": NOW - 3 * HOUR}, Health.MEASURED),
        ({"kind": "file"}, {"first_seen_at": LONG_AGO}, Health.NEW),
        ({"kind": "file", "path": "x.jsonl"}, {"first_seen_at": LONG_AGO}, Health.MISSING),
        ({"kind": "file"}, WELL | {"last_post_at": LONG_AGO}, Health.MEASURED),
        ({"kind": "demo"}, {"first_seen_at": LONG_AGO}, Health.NEW),
    ],
)
def test_how_a_source_is_doing(settings, record, expected: Health) -> None:
    found, reason = health(config(**settings), Record(**record), NOW)
    assert found is expected
    for language in LANGUAGES:
        assert "{" not in render(reason, language)
        assert render(reason, language) != reason.key
