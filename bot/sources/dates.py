"""Dates as the world writes them: epoch, ISO, RFC, Chinese, relative, without a year."""

import math
import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dateutil import parser as date_parser

from bot.model.intake import EARLIEST_AT, FUTURE_ALLOWANCE, LOCAL, iso

_AGO_UNITS = {
    "秒": 1_000, "秒钟": 1_000, "分": 60_000, "分钟": 60_000, "小时": 3_600_000, "个小时": 3_600_000, "天": 86_400_000,
    "日": 86_400_000, "周": 604_800_000, "星期": 604_800_000, "个月": 2_592_000_000, "月": 2_592_000_000,
    "年": 31_536_000_000,
    "s": 1_000, "sec": 1_000, "second": 1_000, "m": 60_000, "min": 60_000, "minute": 60_000, "h": 3_600_000,
    "hr": 3_600_000, "hour": 3_600_000, "d": 86_400_000, "day": 86_400_000, "w": 604_800_000, "week": 604_800_000,
    "month": 2_592_000_000, "year": 31_536_000_000,
}  # fmt: skip
_ZH_AGO = re.compile(
    r"^(?:约|大约)?\s*(\d{1,6}|半|一|两|几)\s*(秒钟?|分钟?|个?小时|天|日|周|星期|个?月|年)\s*[以之]?前$"
)
_EN_AGO = re.compile(
    r"^(?:about |an? )?(\d{1,6})?\s*(s|sec|second|m|min|minute|h|hr|hour|d|day|w|week|month|year)s?\.?\s*ago$", re.I
)
_DAY = re.compile(
    r"^(今天|今日|昨天|昨日|前天|today|yesterday)[\s,]*(?:(?:at\s+)?(\d{1,2}):(\d{2})(?::(\d{2}))?)?$", re.I
)
_JUST_NOW = frozenset({"刚刚", "刚才", "现在", "just now", "now", "moments ago"})
_ZH_DATE = re.compile(
    r"^(?:(\d{4})\s*年\s*)?(\d{1,2})\s*月\s*(\d{1,2})\s*[日号]?"
    r"(?:\s*(?:(上午|中午|下午|晚上|凌晨)\s*)?(\d{1,2})\s*[:时点]\s*(\d{1,2})?\s*(?:[:分]\s*(\d{1,2}))?\s*[分秒]?)?$"
)
_NO_YEAR = re.compile(r"^(\d{1,2})[-/.](\d{1,2})(?:\s+(\d{1,2}):(\d{2})(?::(\d{2}))?)?$")
_FULL = re.compile(r"^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T\s]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?$")
_HAS_YEAR = re.compile(r"(?<!\d)(?:19|20)\d{2}(?!\d)")
_DAYS_BACK = {"今天": 0, "今日": 0, "today": 0, "昨天": 1, "昨日": 1, "yesterday": 1, "前天": 2}


class DateError(ValueError):
    """A value is not a moment. The message is plain English for the log of rejected items."""


@lru_cache(maxsize=64)
def zone(name: str) -> tzinfo:
    """The zone for the source's ``timezone``: a name such as ``Asia/Shanghai`` or an offset such as ``+08:00``."""
    match = re.fullmatch(r"([+-])(\d{2}):?(\d{2})", name.strip())
    if match:
        offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
        return timezone(offset if match[1] == "+" else -offset)
    if name.upper() in ("UTC", "Z", "GMT"):
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        if name in ("Asia/Shanghai", "PRC"):
            return LOCAL  # a machine without zone data still reads China Standard Time
        raise DateError(f"{name!r} is not a time zone; write Asia/Shanghai or +08:00") from None


def parse_moment(value: Any, now: int, timezone: str = "Asia/Shanghai", date_format: str = "") -> int:
    """Read a date as Unix milliseconds. ``timezone`` applies where the value carries no offset.

    ``date_format`` is empty (recognise), ``epoch`` / ``epoch_ms`` or a strptime pattern, which is tried first.
    Raises ``DateError`` for anything else and for moments before 2000 or more than a day after ``now``.
    """
    if value is None or value == "" or isinstance(value, bool):
        raise DateError("the date is missing")
    moment = _read(value, now, zone(timezone), date_format)
    if not EARLIEST_AT <= moment <= now + FUTURE_ALLOWANCE:
        raise DateError(f"{str(value)[:60]!r} is not between 2000 and tomorrow")
    return moment


def parse_iso(value: Any, now: int, timezone: str = "Asia/Shanghai", date_format: str = "") -> str:
    """As ``parse_moment``, as ISO 8601 in UTC with milliseconds where there are any."""
    moment = parse_moment(value, now, timezone, date_format)
    text = iso(moment)
    return text if moment % 1000 == 0 else f"{text[:-1]}.{moment % 1000:03d}Z"


def http_date(value: str) -> int | None:
    """A date of an HTTP header or a feed (RFC 9110 5.6.7, RFC 5322) as Unix milliseconds, or None."""
    try:
        parsed = parsedate_to_datetime(value)
        if parsed.tzinfo is None:
            parsed = parsed.replace(tzinfo=UTC)
        return int(parsed.timestamp() * 1000)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _read(value: Any, now: int, where: tzinfo, date_format: str) -> int:
    if isinstance(value, int | float):
        return _epoch(float(value), date_format, str(value))
    text = str(value).strip()
    if re.fullmatch(r"\d{10}(\.\d+)?|\d{13}|\d{16}|\d{19}", text):
        return _epoch(float(text), date_format, text)
    if date_format and "%" in date_format:
        try:
            return _millis(datetime.strptime(text, date_format), where)  # noqa: DTZ007 - the zone follows
        except ValueError:
            pass  # a source that changed its format is still read when the value speaks for itself
    for attempt in (_relative, _calendar):
        moment = attempt(text, now, where)
        if moment is not None:
            return moment
    return _free_form(text, now, where)


def _epoch(number: float, date_format: str, shown: str) -> int:
    if not math.isfinite(number):
        raise DateError(f"{shown[:60]!r} is not a moment")
    if date_format == "epoch":
        return int(number * 1000)
    if date_format == "epoch_ms":
        return int(number)
    # Seconds, milliseconds, microseconds, nanoseconds: told apart by size until the year 5000.
    for limit, scale in ((1e11, 1e3), (1e14, 1.0), (1e17, 1e-3)):
        if number < limit:
            return int(number * scale)
    return int(number * 1e-6)


def _millis(parsed: datetime, where: tzinfo) -> int:
    if parsed.tzinfo is None:
        parsed = parsed.replace(tzinfo=where)
    return round(parsed.timestamp() * 1000)


def _relative(text: str, now: int, where: tzinfo) -> int | None:
    folded = text.lower()
    if folded in _JUST_NOW:
        return now
    match = _ZH_AGO.match(text)
    if match:
        amount = {"半": 0.5, "一": 1.0, "两": 2.0, "几": 3.0}.get(match[1]) or float(match[1])
        return now - int(amount * _AGO_UNITS[match[2]])
    match = _EN_AGO.match(folded)
    if match:
        return now - int(match[1] or 1) * _AGO_UNITS[match[2]]
    match = _DAY.match(folded)
    if match:
        day = datetime.fromtimestamp(now / 1000, where) - timedelta(days=_DAYS_BACK[match[1]])
        if match[2] is None:
            return now - _DAYS_BACK[match[1]] * 86_400_000
        return _build(day.year, day.month, day.day, match[2], match[3], match[4], where)
    return None


def _calendar(text: str, now: int, where: tzinfo) -> int | None:
    match = _FULL.match(text)
    if match:
        return _build(int(match[1]), int(match[2]), int(match[3]), match[4], match[5], match[6], where)
    match = _ZH_DATE.match(text)
    if match:
        hour = int(match[5] or 0)
        if (match[4] in ("下午", "晚上") and hour < 12) or (match[4] == "中午" and hour < 3):
            hour += 12
        year = int(match[1]) if match[1] else 0
        return _with_year(year, int(match[2]), int(match[3]), str(hour), match[6], match[7], now, where)
    match = _NO_YEAR.match(text)
    if match:
        return _with_year(0, int(match[1]), int(match[2]), match[3], match[4], match[5], now, where)
    return None


def _with_year(
    year: int, month: int, day: int, hour: str | None, minute: str | None, second: str | None, now: int, where: tzinfo
) -> int:
    """A date without a year is the latest such day that has already come."""
    if year:
        return _build(year, month, day, hour, minute, second, where)
    this_year = datetime.fromtimestamp(now / 1000, where).year
    try:
        moment = _build(this_year, month, day, hour, minute, second, where)
    except DateError:
        return _build(this_year - 1, month, day, hour, minute, second, where)  # 29 February of last year
    if moment > now + FUTURE_ALLOWANCE:
        return _build(this_year - 1, month, day, hour, minute, second, where)
    return moment


def _build(
    year: int, month: int, day: int, hour: str | None, minute: str | None, second: str | None, where: tzinfo
) -> int:
    try:
        return _millis(datetime(year, month, day, int(hour or 0), int(minute or 0), int(second or 0)), where)  # noqa: DTZ001
    except (ValueError, OverflowError) as error:
        raise DateError(f"no such moment: {error}") from None


def _free_form(text: str, now: int, where: tzinfo) -> int:
    try:
        return _millis(datetime.fromisoformat(text), where)
    except (ValueError, OverflowError):
        pass
    try:
        return _millis(parsedate_to_datetime(text), where)
    except (ValueError, TypeError, IndexError, OverflowError):
        pass
    # dateutil fills what is missing from a default; without a year in the text it would invent a date.
    if len(text) <= 60 and _HAS_YEAR.search(text):
        try:
            start_of_year = datetime.fromtimestamp(now / 1000, where).replace(
                month=1, day=1, hour=0, minute=0, second=0, microsecond=0, tzinfo=None
            )
            return _millis(date_parser.parse(text, default=start_of_year), where)
        except (ValueError, OverflowError, RecursionError, TypeError):
            pass
    raise DateError(f"{text[:60]!r} is not a time; give ISO 8601 with an offset")
