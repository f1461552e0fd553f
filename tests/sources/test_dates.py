"""Dates as platforms write them."""

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sources.dates import DateError, http_date, parse_iso, parse_moment

# Wednesday, 10 September 2025, 20:00 in Beijing
NOW = int(datetime(2025, 9, 10, 12, 0, tzinfo=UTC).timestamp() * 1000)


def beijing(text: str) -> int:
    return int(datetime.fromisoformat(f"{text}+08:00").timestamp() * 1000)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("刚刚", beijing("2025-09-10T20:00")),
        ("just now", beijing("2025-09-10T20:00")),
        ("30秒前", beijing("2025-09-10T19:59:30")),
        ("5分钟前", beijing("2025-09-10T19:55")),
        ("5 分钟前", beijing("2025-09-10T19:55")),
        ("半小时前", beijing("2025-09-10T19:30")),
        ("约2小时前", beijing("2025-09-10T18:00")),
        ("3个小时以前", beijing("2025-09-10T17:00")),
        ("2天前", beijing("2025-09-08T20:00")),
        ("1周前", beijing("2025-09-03T20:00")),
        ("5 minutes ago", beijing("2025-09-10T19:55")),
        ("an hour ago", beijing("2025-09-10T19:00")),
        ("2h ago", beijing("2025-09-10T18:00")),
        ("今天 08:15", beijing("2025-09-10T08:15")),
        ("昨天 12:30", beijing("2025-09-09T12:30")),
        ("昨天12:30", beijing("2025-09-09T12:30")),
        ("前天 23:59:58", beijing("2025-09-08T23:59:58")),
        ("Yesterday at 12:30", beijing("2025-09-09T12:30")),
        ("昨天", beijing("2025-09-09T20:00")),
        ("09-08 10:00", beijing("2025-09-08T10:00")),
        ("12-31 10:00", beijing("2024-12-31T10:00")),
        ("9月8日 10:00", beijing("2025-09-08T10:00")),
        ("9月8日", beijing("2025-09-08T00:00")),
        ("2025年9月8日 下午3:05", beijing("2025-09-08T15:05")),
        ("2025年09月08日 10时05分30秒", beijing("2025-09-08T10:05:30")),
        ("2024年2月29日", beijing("2024-02-29T00:00")),
        ("2025-9-8", beijing("2025-09-08T00:00")),
        ("2025/09/08 10:05", beijing("2025-09-08T10:05")),
        ("2025.9.8 10:05:06", beijing("2025-09-08T10:05:06")),
        ("2025-09-08T10:05:06Z", beijing("2025-09-08T18:05:06")),
        ("2025-09-08T10:05:06.250+08:00", beijing("2025-09-08T10:05:06.250")),
        ("20250908T100506Z", beijing("2025-09-08T18:05:06")),
        ("Mon Sep 08 10:05:06 +0800 2025", beijing("2025-09-08T10:05:06")),
        ("Mon, 08 Sep 2025 10:05:06 GMT", beijing("2025-09-08T18:05:06")),
        ("1757297106", beijing("2025-09-08T10:05:06")),
        (1757297106, beijing("2025-09-08T10:05:06")),
        (1757297106.25, beijing("2025-09-08T10:05:06.250")),
        (1757297106000, beijing("2025-09-08T10:05:06")),
        ("1757297106000", beijing("2025-09-08T10:05:06")),
        (1757297106000000, beijing("2025-09-08T10:05:06")),
        ("September 8, 2025 10:05 AM", beijing("2025-09-08T10:05")),
    ],
)
def test_a_date_is_read(value: object, expected: int) -> None:
    assert parse_moment(value, NOW) == expected


@pytest.mark.parametrize(
    "value",
    [
        "",
        None,
        True,
        "soon",
        "10",
        "Tuesday",
        "2025-13-01",
        "13月40日",
        "25:00",
        "1999-01-01",
        "2025-09-12",
        0,
        -5,
        float("nan"),
        float("inf"),
        "1e400",
        "2月30日",
        "9" * 400,
        "99999999999999999999",
    ],
)
def test_what_is_no_date_or_cannot_be_one_is_refused(value: object) -> None:
    with pytest.raises(DateError):
        parse_moment(value, NOW)


@pytest.mark.parametrize(
    ("value", "date_format", "expected"),
    [
        ("08.09.2025 10h05", "%d.%m.%Y %Hh%M", beijing("2025-09-08T10:05")),
        ("20250908101500", "%Y%m%d%H%M%S", beijing("2025-09-08T10:15")),
        (1757297106000, "epoch_ms", beijing("2025-09-08T10:05:06")),
        ("1757297106", "epoch", beijing("2025-09-08T10:05:06")),
        ("5分钟前", "%Y-%m-%d", beijing("2025-09-10T19:55")),
    ],
)
def test_a_given_format_goes_first(value: object, date_format: str, expected: int) -> None:
    assert parse_moment(value, NOW, date_format=date_format) == expected


def test_the_zone_of_the_source_applies_to_times_without_an_offset() -> None:
    assert (
        parse_moment("2025-09-08 10:00", NOW, "UTC") - parse_moment("2025-09-08 10:00", NOW, "+08:00") == 8 * 3_600_000
    )
    with pytest.raises(DateError, match="not a time zone"):
        parse_moment("2025-09-08 10:00", NOW, "Mars/Olympus")


def test_new_year_belongs_to_the_year_that_has_come() -> None:
    january = int(datetime(2026, 1, 1, 0, 30, tzinfo=UTC).timestamp() * 1000)
    assert parse_moment("12-31 23:00", january) == beijing("2025-12-31T23:00")
    assert parse_moment("昨天 23:00", january) == beijing("2025-12-31T23:00")


@given(st.text(max_size=80))
def test_any_text_is_a_moment_or_a_date_error(text: str) -> None:
    with contextlib.suppress(DateError):
        assert 946_684_800_000 <= parse_moment(text, NOW) <= NOW + 86_400_000


@given(st.integers(min_value=946_684_800_000, max_value=NOW))
def test_iso_keeps_the_millisecond(moment: int) -> None:
    assert parse_moment(parse_iso(moment, NOW, date_format="epoch_ms"), NOW) == moment


def test_dates_of_headers_are_read() -> None:
    assert http_date("Thu, 01 Jan 2026 00:00:00 GMT") == 1_767_225_600_000
    assert http_date("whenever") is None
