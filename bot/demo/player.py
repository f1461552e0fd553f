"""The recorded feed as a timetable, and the calm weeks before it.

Pure: nothing here reads a clock or sleeps. The record tells about 3 h 20 min; ``schedule`` squeezes it so that a
visitor sees the incident rise within a minute. Posts are dictionaries in the public post format.
"""

import json
import math
import random
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from importlib.resources import files
from typing import Any

from bot.clock import DAY, HOUR, MINUTE, SECOND

Line = dict[str, Any]
Timed = tuple[int, Line]

CONFIGURATION = files("bot.demo") / "fengbo.yaml"

# Record seconds → playing seconds. Calm takes 8 s, first complaints come after it, the hot list at about 70 s,
# the company's answer at 75 s; the rest calms down until 150 s. Straight lines in between.
PACE: tuple[tuple[float, float], ...] = (
    (0, 0),
    (1_200, 8),
    (2_400, 15),
    (3_400, 22),
    (4_500, 30),
    (6_300, 45),
    (8_400, 75),
    (12_000, 150),
)
TRICKLE_EVERY = 12 * SECOND
_NOT_PUBLIC = ("at", "tone")  # the record's own keys
_BEIJING = timezone(timedelta(hours=8))
# How lively each hour of the day is in Beijing time, midnight first; the evening peak is 1.
_DAY = (
    *(0.22, 0.12, 0.07, 0.05, 0.05, 0.09, 0.22, 0.45, 0.62, 0.66, 0.68, 0.72),
    *(0.85, 0.76, 0.62, 0.60, 0.62, 0.70, 0.82, 0.92, 1.00, 0.98, 0.80, 0.48),
)
_WEEK = (0.98, 0.96, 0.97, 1.0, 1.08, 1.14, 1.06)  # Monday first


def load_feed() -> list[Line]:
    """The record: one dictionary a line, ``at`` in seconds from its start."""
    return _lines("feed.jsonl")


def load_background() -> list[Line]:
    """Calm posts with slots such as ``{city}``, for ``history`` and ``trickle``."""
    return _lines("background.jsonl")


def load_slots() -> dict[str, list[str]]:
    """What may stand in the slots of the background posts."""
    slots: dict[str, list[str]] = json.loads((files("bot.demo") / "slots.json").read_text(encoding="utf-8"))
    return slots


def playing_offset(at: float, speed: float = 1.0) -> int:
    """Milliseconds after the start at which second ``at`` of the record is played."""
    index = min(max(bisect_right(PACE, (at, math.inf)) - 1, 0), len(PACE) - 2)
    (from_at, from_play), (to_at, to_play) = PACE[index], PACE[index + 1]
    seconds = from_play + (at - from_at) * (to_play - from_play) / (to_at - from_at)
    return round(seconds * 1000 / speed)


def schedule(lines: Sequence[Mapping[str, Any]], started_at: int, *, speed: float = 1.0, run: str = "") -> list[Timed]:
    """The record as (offset in milliseconds, post), in playing order.

    ``started_at`` (Unix milliseconds) is the moment of offset 0. A post seen again keeps the ``published_at`` of its
    first sighting, as with real collectors. ``run`` is appended to every id, so that the record can be played again
    on a store that already holds it. Raises ``ValueError`` where ``speed`` is not positive.
    """
    if speed <= 0:
        raise ValueError("speed must be positive")
    published: dict[str, int] = {}
    timetable: list[Timed] = []
    for line in sorted(lines, key=lambda item: float(item["at"])):
        offset = playing_offset(float(line["at"]), speed)
        first = published.setdefault(str(line["id"]), offset)
        timetable.append((offset, _renamed(_published(line, started_at + first), run)))
    return timetable


def trickle(
    background: Sequence[Mapping[str, Any]],
    started_at: int,
    *,
    first_offset: int | None = None,
    every: int = TRICKLE_EVERY,
    speed: float = 1.0,
    seed: int = 1,
) -> Iterator[Timed]:
    """Calm posts with fresh ids without end, from ``first_offset`` (the end of the record) on.

    The ids contain ``started_at``: a second run on the same store does not meet its own posts again.
    """
    dice = random.Random(seed)
    offset = playing_offset(PACE[-1][0], speed) if first_offset is None else first_offset
    slots = load_slots()
    for number, line in enumerate(_shuffled_forever(_pleasant(background), dice)):
        offset += round(every * dice.uniform(0.6, 1.4) / speed)
        yield offset, _filled(line, started_at + offset, f"{line['id']}-t{started_at}-{number}", slots, dice)


def history(
    lines: Sequence[Mapping[str, Any]], now: int, days: int = 14, seed: int = 1, *, per_day: int = 150
) -> Iterator[Line]:
    """Calm posts of the ``days`` before ``now`` (Unix milliseconds) in order of time, with a rhythm of day and week.

    About ``per_day`` posts a day. The same arguments give the same posts; the ids depend on the hour a post falls
    into and not on ``now``, so that starting again does not double the history.
    """
    slots = load_slots()
    share = per_day / sum(_DAY)
    for hour in range((now - days * DAY) // HOUR, now // HOUR + 1):
        dice = random.Random(f"{seed}/{hour}")
        local = datetime.fromtimestamp(hour * 3600, UTC).astimezone(_BEIJING)
        expected = share * _DAY[local.hour] * _WEEK[local.weekday()]
        chosen = _chosen(lines, _poisson(expected, dice), dice)
        moments = sorted(hour * HOUR + dice.randrange(HOUR) for _ in chosen)
        for number, (moment, line) in enumerate(zip(moments, chosen, strict=True)):
            post = _filled(line, moment, f"{line['id']}-h{hour}-{number}", slots, dice)
            if now - days * DAY <= moment < now - MINUTE:  # the last minute belongs to the feed
                yield post


def _lines(name: str) -> list[Line]:
    text = (files("bot.demo") / name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def _published(line: Mapping[str, Any], at: int) -> Line:
    post = {key: value for key, value in line.items() if key not in _NOT_PUBLIC}
    moment = datetime.fromtimestamp(at / 1000, UTC).astimezone(_BEIJING)
    return {**post, "published_at": moment.isoformat(timespec="milliseconds")}


def _renamed(post: Line, run: str) -> Line:
    if not run:
        return post
    names = {key: f"{post[key]}-{run}" for key in ("id", "parent_id", "root_id") if post[key]}
    return {**post, **names}


def _filled(
    line: Mapping[str, Any], at: int, post_id: str, slots: Mapping[str, Sequence[str]], dice: random.Random
) -> Line:
    """A background post with its slots filled and its engagement rolled anew."""
    values = {name: dice.choice(words) for name, words in sorted(slots.items())}
    post = _published(line, at)
    for field in ("title", "text"):
        for name, value in values.items():
            post[field] = post[field] and post[field].replace("{" + name + "}", value)
    factor = dice.uniform(0.5, 1.6)
    engagement = {name: int(count * factor) for name, count in line["engagement"].items()}
    return {**post, "id": post_id, "url": line["url"] and f"{line['url']}-{post_id[-8:]}", "engagement": engagement}


def _pleasant(lines: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [line for line in lines if line["tone"] != "negative"]


def _chosen(lines: Sequence[Mapping[str, Any]], count: int, dice: random.Random) -> list[Mapping[str, Any]]:
    """``count`` different posts; at most one grumble an hour, as on any calm day."""
    chosen = dice.sample(list(lines), min(count, len(lines)))
    grumbles = [line for line in chosen if line["tone"] == "negative"]
    return _pleasant(chosen) + grumbles[:1]


def _shuffled_forever(lines: Sequence[Mapping[str, Any]], dice: random.Random) -> Iterator[Mapping[str, Any]]:
    while lines:
        yield from dice.sample(list(lines), len(lines))


def _poisson(expected: float, dice: random.Random) -> int:
    """Knuth's method; fine for the few posts of an hour."""
    limit, product, count = math.exp(-expected), dice.random(), 0
    while product > limit:
        product *= dice.random()
        count += 1
    return count
