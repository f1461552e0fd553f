"""The forecast of a matter, read from its stored counts: what stands on its card and its chart."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from sqlite_utils import Database

from bot.clock import HOUR, MINUTE
from bot.model.grade import GENERAL_FAMILY
from bot.store import counts
from bot.store.counts import Bucket
from bot.warning.forecast import HORIZONS, Forecast, Range, forecast, share_ahead

LOOK_BACK = 14 * 24  # hours; two weeks say what a day is like, and a card is written often
LEAST_POSTS = 5  # in the last hour; with fewer there is nothing to carry on
HOUR_MINUTES, PACE_MINUTES = 60, 15
RISING = 1.2  # times the hour before
SUDDEN = 1.5  # the last quarter of an hour is this much faster than the hour: the hour is not yet full of it


@dataclass(frozen=True, slots=True)
class Outlook:
    """``last`` posts came in the last sixty minutes; ``top`` is the fullest hour of the last day, ``top_ago`` hours
    back (0: the last sixty minutes); ``share`` is the negative share expected by horizon in hours."""

    last: int
    forecast: Forecast
    share: dict[int, Range]
    top: int
    top_ago: int
    rising: bool


def families_of(family: str) -> frozenset[str]:
    """A matter's own family, and the general one that joins it."""
    return frozenset({family, GENERAL_FAMILY})


def read_outlook(
    db: Database, subjects: Sequence[str], families: frozenset[str] | None, drill: str, now: int
) -> Outlook | None:
    """What comes next of ``families`` (None: all) if nothing changes; None while there is too little to carry on."""
    hour, minute = now // HOUR, now // MINUTE
    recent = [
        bucket
        for subject in subjects
        for bucket in counts.buckets(db, subject, drill, minute - HOUR_MINUTES + 1, minute)
        if families is None or bucket.family in families
    ]
    last = sum(bucket.count for bucket in recent)
    if last < LEAST_POSTS:
        return None
    since = [counts.first_hour(db, subject, drill) for subject in subjects]
    first = max(hour - LOOK_BACK, min([hour, *(known for known in since if known is not None)]))
    # A subject's hours without posts have no row; they were measured, and nothing was said.
    clock = {at: [0.0, 0.0] for at in range(first, hour + 1)}
    for subject in subjects:
        for name, at, count, negative in counts.hours(db, subject, drill, first, hour):
            if families is None or name in families:
                clock[at][0] += count
                clock[at][1] += negative
    mentions, negatives = (_windows([pair[part] for pair in clock.values()], now) for part in (0, 1))
    mentions.append(_pace(recent, minute, last))
    negatives.append(mentions[-1] * sum(bucket.count for bucket in recent if bucket.sentiment < 0) / last)
    found = forecast(mentions, hour)
    share = {horizon: share_ahead(mentions, negatives, found.volume[horizon].middle) for horizon in HORIZONS}
    day = mentions[-24:]
    ago = min(range(len(day)), key=lambda hours: (-day[-1 - hours], hours))
    rising = ago == 0 and (len(day) < 2 or mentions[-1] > RISING * mentions[-2])
    return Outlook(last, found, share, round(day[-1 - ago]), ago, rising)


def _windows(hours: Sequence[float], now: int) -> list[float]:
    """Clock hours, the last of them running, as windows of sixty minutes that end sixty minutes ago and earlier: each
    takes its share of the two hours that it lies in."""
    into = now % HOUR / HOUR
    return [into * after + (1 - into) * before for before, after in pairwise(hours[:-1])]


def _pace(recent: Sequence[Bucket], minute: int, last: int) -> float:
    """Posts an hour now: those of the last hour, unless the last quarter is much faster."""
    quarter = sum(bucket.count for bucket in recent if minute - bucket.minute < PACE_MINUTES)
    hourly = quarter * (HOUR_MINUTES // PACE_MINUTES)
    return (hourly + last) / 2 if hourly > SUDDEN * last else float(last)
