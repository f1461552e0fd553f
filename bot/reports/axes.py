"""Round numbers and clock times for axes. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil, log10
from zoneinfo import ZoneInfo

from bot.clock import DAY, MINUTE

DEFAULT_ZONE = "Asia/Shanghai"


@dataclass(frozen=True, slots=True)
class Tick:
    """``at`` is a value of the axis (a count, or Unix milliseconds)."""

    at: int
    label: str


def count_ticks(highest: float, most: int = 4) -> list[Tick]:
    """Ticks from zero to at least ``highest``, at whole round numbers (1, 2, 5 × 10ⁿ)."""
    highest = max(1.0, highest)
    power = 10 ** max(0, int(log10(highest / most)) if highest > most else 0)
    step = next(power * factor for factor in (1, 2, 5, 10, 20) if power * factor * most >= highest)
    return [Tick(value, short_count(value)) for value in range(0, ceil(highest / step) * step + 1, step)]


def short_count(value: int) -> str:
    """12,300 → ``12.3k``; exact below ten thousand."""
    if value < 10_000:
        return f"{value:,}"
    return f"{value / 1_000:.3g}k" if value < 1_000_000 else f"{value / 1_000_000:.3g}M"


def time_ticks(start: int, end: int, most: int = 7, zone: str = DEFAULT_ZONE) -> list[Tick]:
    """Ticks at full quarters, hours or days of the local clock between two moments (milliseconds)."""
    offset = local_offset(start, zone)
    choices = [minutes * MINUTE for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080)]
    step = next((choice for choice in choices if (end - start) / choice <= most), choices[-1])
    first = -(-(start + offset) // step) * step - offset
    show = "%m-%d" if step >= DAY else "%H:%M"
    return [Tick(at, clock_label(at, zone, show)) for at in range(first, end + 1, step)]


def clock_label(at: int, zone: str = DEFAULT_ZONE, show: str = "%H:%M") -> str:
    return datetime.fromtimestamp(at / 1000, ZoneInfo(zone)).strftime(show)


def local_offset(at: int, zone: str) -> int:
    """Milliseconds a zone is ahead of UTC at a moment."""
    offset = datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(zone)).utcoffset()
    return int(offset.total_seconds() * 1000) if offset else 0
