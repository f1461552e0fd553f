"""Numbers, amounts, shares, times and dates in a text, brought to one form so that 2,300 and 两千三百 are equal.

Everything is found on folded text by bounded patterns, one after the other; what one has taken the next leaves alone.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from bot.statements.review.number_patterns import CJK, LEFT_ALONE, named, number_word
from bot.statements.review.rules import data

_CJK_DIGITS = {
    "零": 0,
    "〇": 0,
    "一": 1,
    "二": 2,
    "两": 2,
    "三": 3,
    "四": 4,
    "五": 5,
    "六": 6,
    "七": 7,
    "八": 8,
    "九": 9,
}
_CJK_SCALES = {"十": 10, "百": 100, "千": 1000}
_LARGEST = 1e15
_PAIR = 2  # 两张 and 两件 are a pair in words
_FEW = 10  # things of the text itself are counted like this: two batches, three people in charge
_ROUNDED, _FAR = 0.10, 0.30


@dataclass(frozen=True, slots=True)
class Quantity:
    """``kind``: date, time, money, percent, people, count, workdays, duration (in minutes), version or empty (a bare
    number). ``value`` is a number, or (year, month, day) and (hour, minute, known half of the day) with None for what
    is not said. ``rough``: about, over or under."""

    start: int
    end: int
    kind: str
    value: Any
    rough: str = ""
    plain: float | None = None  # before its scale: 37 of 37万, when the sheet's label already says 万

    def same(self, other: "Quantity") -> bool:
        """Whether this, as a text says it, is true to ``other``, as the fact sheet says it."""
        if self.kind == "date" or other.kind == "date":
            return self.kind == other.kind and _same_date(self.value, other.value)
        if self.kind == "time" or other.kind == "time":
            return self.kind == other.kind and _same_time(self.value, other.value)
        if self.kind == "version" or other.kind == "version":
            return bool(self.value == other.value)
        if not other.kind and self.plain is not None and self.plain == other.value:
            return True
        return _compatible(self.kind, other.kind) and self._near(float(other.value))

    def _near(self, fact: float) -> bool:
        value = float(self.value)
        if abs(value - fact) <= 1e-4 * max(1.0, abs(fact)):
            return True
        if self.rough == "about":
            return abs(value - fact) <= _ROUNDED * fact
        if self.rough == "over":
            return (1 - _FAR) * fact <= value <= fact
        return self.rough == "under" and fact <= value <= (1 + _FAR) * fact

    @property
    def timely(self) -> bool:
        return self.kind in ("date", "time", "duration", "workdays")


def _compatible(one: str, other: str) -> bool:
    kinds = {one, other}
    return len(kinds) == 1 or "" in kinds or kinds == {"people", "count"}


def _same_date(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    pairs = [(a, b) for a, b in zip(one, other, strict=True) if a is not None and b is not None]
    return bool(pairs) and all(a == b for a, b in pairs)


def _same_time(one: tuple[int, int, bool], other: tuple[int, int, bool]) -> bool:
    if one[1] != other[1]:
        return False
    if one[2] and other[2]:
        return one[0] % 24 == other[0] % 24
    return one[0] % 12 == other[0] % 12


def cjk_number(text: str) -> float | None:
    """The value of a number in Chinese characters: 三百, 一万二千, 二〇二六; None where it is none."""
    if all(character in _CJK_DIGITS for character in text):
        return float("".join(str(_CJK_DIGITS[character]) for character in text)[:15]) if len(text) < 16 else None
    total, section, digit = 0.0, 0.0, 0.0
    for character in text:
        if character in _CJK_DIGITS:
            digit = _CJK_DIGITS[character]
        elif character in _CJK_SCALES:
            section += (digit or 1) * _CJK_SCALES[character]
            digit = 0
        else:
            section = (section + digit or (total == 0)) * (10_000 if character == "万" else 100_000_000)
            total, section, digit = (total + section, 0, 0)
        if total > _LARGEST:
            return None
    return total + section + digit


@cache
def _kind_of() -> dict[str, str]:
    return {unit: kind for kind, listed in data("numbers.yaml")["units"].items() for unit in listed}


def quantities(folded: str, *, bare: bool = True) -> tuple[Quantity, ...]:
    """All quantities of a folded text, in order. ``bare``: also numbers without a unit."""
    if not number_word().search(folded) and not any(character.isdigit() or character in CJK for character in folded):
        return ()
    taken = bytearray(len(folded))
    for pattern in LEFT_ALONE:
        for match in pattern.finditer(folded):
            _take(taken, match.start(), match.end())
    found: list[Quantity] = []
    for name, pattern in named():
        read = _READERS.get(name)
        for match in pattern.finditer(folded):
            start, end = match.span()
            if start == end or any(taken[start:end]):
                continue
            quantity = read(match) if read is not None else None
            if quantity is None and name in _DOUBTFUL:
                continue
            _take(taken, start, end)
            if quantity is not None and (bare or quantity.kind):
                found.append(_rough(quantity, folded))
    return tuple(sorted(found, key=lambda quantity: quantity.start))


def _take(taken: bytearray, start: int, end: int) -> None:
    taken[start:end] = b"\1" * (end - start)


@cache
def _rough_words() -> tuple[tuple[str, tuple[str, ...]], ...]:
    words = data("numbers.yaml")
    return tuple((name, tuple(words[name])) for name in ("about", "over", "under"))


def _rough(quantity: Quantity, folded: str) -> Quantity:
    before = folded[max(0, quantity.start - 14) : quantity.start].rstrip()
    for name, words in _rough_words():
        if before.endswith(words):
            return replace(quantity, rough=name)
    return quantity


def _number(text: str) -> float | None:
    if text and text[0] in CJK:
        return cjk_number(text)
    plain = text.replace(",", "").replace("，", "")
    return float(plain) if plain else None


def _part(text: str | None) -> int | None:
    value = _number(text) if text else None
    return None if value is None else int(value)


def _date(match: re.Match[str], year: str | None, month: int | None, day: str | int | None) -> Quantity | None:
    days = _part(day) if isinstance(day, str) else day
    if (month is not None and not 1 <= month <= 12) or (days is not None and not 1 <= days <= 31):
        return None
    return Quantity(match.start(), match.end(), "date", (_part(year), month, days))


def _iso(match: re.Match[str]) -> Quantity | None:
    return _date(match, match[1], _part(match[2]), match[3])


def _cjk_date(match: re.Match[str]) -> Quantity | None:
    # "10月" alone is a month; "十月" inside words such as 九个月 is not reached, 个 stands between.
    return _date(match, match[1], _part(match[2]), match[3])


def _day_month(match: re.Match[str]) -> Quantity | None:
    return _date(match, match[3], data("numbers.yaml")["months"][match[2]], match[1])


def _month_day(match: re.Match[str]) -> Quantity | None:
    return _date(match, match[3], data("numbers.yaml")["months"][match[1]], match[2])


def _month_year(match: re.Match[str]) -> Quantity | None:
    return _date(match, match[2], data("numbers.yaml")["months"][match[1]], None)


def _year(match: re.Match[str]) -> Quantity | None:
    return _date(match, match[1], None, None)


def _day(match: re.Match[str]) -> Quantity | None:
    return _date(match, None, None, match[1])


def _time(match: re.Match[str], hour: int | None, minute: int | None, half: str | None) -> Quantity | None:
    if hour is None or hour > 24 or (minute or 0) > 59:
        return None
    known = hour > 12 or hour == 0 or bool(half)
    if half and hour < 12 and (half[0] in "下傍晚今当昨明夜深午p" and not (half[0] in "夜深今" and hour < 5)):
        hour += 12
    elif half and half.startswith("a") and hour == 12:
        hour = 0
    elif half == "中午" and hour < 3:
        hour += 12
    return Quantity(match.start(), match.end(), "time", (hour % 24, minute or 0, known))


def _clock(match: re.Match[str]) -> Quantity | None:
    written = match[1] or match[4]
    found = _time(match, int(match[2]), int(match[3]), written)
    # 08:30 with its zero is the twenty-four hour clock.
    if found is not None and not written and match[2].startswith("0"):
        return replace(found, value=(*found.value[:2], True))
    return found


def _english_clock(match: re.Match[str]) -> Quantity | None:
    return _time(match, int(match[1]), int(match[2] or 0), match[3])


def _noon(match: re.Match[str]) -> Quantity | None:
    return _time(match, 0 if match[0] == "midnight" else 12, 0, "p")


def _cjk_clock(match: re.Match[str]) -> Quantity | None:
    minutes = {"半": 30, "一刻": 15, "三刻": 45}
    minute = minutes[match[3]] if match[3] in minutes else _part(match[3])
    return _time(match, _part(match[2]), minute, match[1])


def _version(match: re.Match[str]) -> Quantity:
    return Quantity(match.start(), match.end(), "version", match[0])


def _cjk_percent(match: re.Match[str]) -> Quantity:
    return Quantity(match.start(), match.end(), "percent", _number(match[1]) or 0.0)


def _scaled(value: float, scale: str | None) -> float:
    return value * float(data("numbers.yaml")["scales"][scale]) if scale else value


def _money(match: re.Match[str]) -> Quantity | None:
    value = _number(match[1])
    return None if value is None else Quantity(match.start(), match.end(), "money", _scaled(value, match[2]))


def _of_unit(
    match: re.Match[str], value: float, unit: str | None, rough: bool, plain: float | None = None
) -> Quantity | None:
    kind = _kind_of().get(unit, "") if unit else ""
    if unit == "个" and value <= _FEW:
        return None
    if kind == "duration":
        value *= float(data("numbers.yaml")["minutes"][unit])
    return Quantity(match.start(), match.end(), kind, value, "over" if rough else "", plain)


def _measure(match: re.Match[str]) -> Quantity | None:
    value = _number(match[1])
    if value is None:
        return None
    unit, rough = match[5] or match[6], bool(match[2] or match[4])
    return _of_unit(match, _scaled(value, match[3]), unit, rough, value if match[3] else None)


def _cjk_measure(match: re.Match[str]) -> Quantity | None:
    value = cjk_number(match[1])
    if value is None or value < 2 or (len(match[1]) == 1 and match[1] in "百千万亿" and not match[2]):
        return None
    found = _of_unit(match, value, match[3], bool(match[2]))
    return None if found is not None and found.kind == "count" and value <= _PAIR else found


def _english_measure(match: re.Match[str]) -> Quantity | None:
    words = data("numbers.yaml")
    value = float(words["words"][match[1]]) * float(words["scales"].get(match[2], 1))
    return _of_unit(match, value, match[3], False)


_READERS: dict[str, Callable[[re.Match[str]], Quantity | None]] = {
    "iso": _iso, "cjk_date": _cjk_date, "day_month": _day_month, "month_day": _month_day, "month_year": _month_year,
    "clock": _clock, "noon": _noon, "english_clock": _english_clock, "cjk_clock": _cjk_clock, "version": _version,
    "cjk_percent": _cjk_percent, "money": _money, "year": _year, "day": _day, "measure": _measure,
    "cjk_measure": _cjk_measure, "english_measure": _english_measure,
}  # fmt: skip
# What could not be read as these may still be something else.
_DOUBTFUL = frozenset({"cjk_date", "cjk_clock", "day", "cjk_measure", "english_measure"})
