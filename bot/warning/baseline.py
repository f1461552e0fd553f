"""What is usual for a subject at this hour of the week, from its own hour counts."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.warning.burst import HOUR_SECONDS, BurstDetector

HOURS_A_WEEK = 168
WEEKS = 8
BURST_WEEKS = 4  # what is older has faded from the detector
# With less than a day on record nobody can say what is usual.
ENOUGH_HOURS = 24


@dataclass(frozen=True, slots=True)
class Baseline:
    """Usual negative posts and mentions an hour, and the number of past hours they rest on."""

    negative: float
    mentions: float
    hours: int


def baseline(
    rows: Sequence[tuple[str, int, int, int]], families: frozenset[str] | None, hour: int, first_hour: int | None
) -> Baseline | None:
    """Mean of the same hour of the week (each with its neighbours) over up to eight weeks; of the same hour of the day
    while there are fewer than two weeks. Hours on record without posts count as zero. None: too little history.

    The current hour and the one before are left out, so that a crisis does not become its own normal.
    """
    if first_hour is None or hour - first_hour < ENOUGH_HOURS:
        return None
    known = hour - 1 - first_hour
    step, periods = (
        (HOURS_A_WEEK, min(WEEKS, known // HOURS_A_WEEK)) if known >= 2 * HOURS_A_WEEK else (24, known // 24)
    )
    if periods < 1:
        return None
    wanted = {
        candidate
        for period in range(1, periods + 1)
        for offset in (-1, 0, 1)
        if first_hour <= (candidate := hour - period * step + offset) < hour - 1
    }
    negative = mentions = 0
    for family, row_hour, row_mentions, row_negative in rows:
        if row_hour in wanted and (families is None or family in families):
            negative += row_negative
            mentions += row_mentions
    return Baseline(negative / len(wanted), mentions / len(wanted), len(wanted)) if wanted else None


def follow_bursts(
    rows: Sequence[tuple[str, int, int, int]], families: frozenset[str] | None, hour: int, first_hour: int | None
) -> BurstDetector | None:
    """A detector that has followed the negative posts of the last weeks, all hours but this and the one before; None
    while there is less than a week of them."""
    if first_hour is None:
        return None
    begin = max(first_hour, hour - BURST_WEEKS * HOURS_A_WEEK)
    if hour - 1 - begin < HOURS_A_WEEK:
        return None
    counts = dict.fromkeys(range(begin, hour - 1), 0)
    for family, row_hour, _, row_negative in rows:
        if row_hour in counts and (families is None or family in families):
            counts[row_hour] += row_negative
    detector = BurstDetector()
    for at, count in counts.items():
        detector.update(count, at * HOUR_SECONDS)
    return detector
