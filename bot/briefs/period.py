"""Days, weeks and months of a time zone. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

Cadence = Literal["daily", "weekly", "monthly"]
CADENCES: tuple[Cadence, ...] = ("daily", "weekly", "monthly")


@dataclass(frozen=True, slots=True)
class Period:
    """From ``start`` until before ``end``, Unix milliseconds; whole days of ``zone``."""

    cadence: Cadence
    start: int
    end: int
    zone: str

    @property
    def length(self) -> int:
        return self.end - self.start

    @property
    def days(self) -> int:
        return round(self.length / 86_400_000)

    def label(self) -> str:
        """``2026-11-26`` for a day, ``2026-11-16 – 2026-11-22`` for more."""
        first, last = self._day(self.start), self._day(self.end - 1)
        return first if first == last else f"{first} – {last}"

    def _day(self, at: int) -> str:
        return datetime.fromtimestamp(at / 1000, ZoneInfo(self.zone)).strftime("%Y-%m-%d")

    def before(self) -> "Period":
        """The period before this one: a month has the length that it has."""
        return holding(self.cadence, self.start - 1, self.zone)

    def up_to(self, now: int) -> "Period":
        """As much of it as is over: a running week is compared with the same days of the one before."""
        return self if self.end <= now else Period(self.cadence, self.start, max(self.start + 1, now), self.zone)

    def stretch_before(self) -> "Period":
        """As long a stretch from the beginning of the period before; all of that period if this one is whole."""
        older = self.before()
        whole = holding(self.cadence, self.start, self.zone)
        if self.end >= whole.end:
            return older
        return Period(self.cadence, older.start, min(older.end, older.start + self.length), self.zone)


def holding(cadence: Cadence, moment: int, zone: str) -> Period:
    """The period in which a moment lies. Weeks begin on Monday."""
    local = datetime.fromtimestamp(moment / 1000, ZoneInfo(zone))
    first = local.replace(hour=0, minute=0, second=0, microsecond=0)
    if cadence == "daily":
        return Period(cadence, _at(first), _at(first + timedelta(days=1)), zone)
    if cadence == "weekly":
        first -= timedelta(days=first.weekday())
        return Period(cadence, _at(first), _at(first + timedelta(days=7)), zone)
    first = first.replace(day=1)
    return Period(cadence, _at(first), _at((first + timedelta(days=32)).replace(day=1)), zone)


def last_over(cadence: Cadence, now: int, zone: str) -> Period:
    """The newest period that is over."""
    return holding(cadence, holding(cadence, now, zone).start - 1, zone)


def next_due(cadence: Cadence, hour: int, now: int, zone: str) -> int:
    """When the next brief is to be made: at ``hour`` o'clock of the first day after its period."""
    current = holding(cadence, now, zone)
    moment = _hour_of(current.start, hour, zone)
    return moment if moment > now else _hour_of(current.end, hour, zone)


def _hour_of(day: int, hour: int, zone: str) -> int:
    return _at(datetime.fromtimestamp(day / 1000, ZoneInfo(zone)).replace(hour=hour))


def _at(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
