"""Days on which readers hear a tone differently."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone

from bot.model.text import Text
from bot.statements.review.findings import Hit
from bot.statements.review.reviewing import Reviewing
from bot.statements.review.rules import data

_ZONES = {"zh-CN": timezone(timedelta(hours=8)), "en": UTC}  # where readers of a language mostly are


def check(review: Reviewing) -> Iterator[Hit]:
    language, now = review.version.language, review.context.now
    if now <= 0 or language not in _ZONES:
        return
    try:
        today = datetime.fromtimestamp(now / 1000, _ZONES[language]).date()
    except (OverflowError, ValueError, OSError):  # no such day
        return
    for entry in data("dates.yaml"):
        if language in entry["languages"] and any(_near(today, str(day), entry) for day in entry["days"]):
            yield Hit("sensitive_date", 0, 0, {"day": Text(f"review.day.{entry['id']}")})


def _near(today: date, day: str, entry: dict[str, int]) -> bool:
    year = "" if day.count("-") == 2 else f"{today.year}-"
    that = date.fromisoformat(f"{year}{day}")
    return -int(entry.get("before", 0)) <= (today - that).days <= int(entry.get("after", 0))
