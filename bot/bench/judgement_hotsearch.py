"""Seven brand crises of 2024 on Weibo's hot-search list: how soon after the first topic an alert comes, and how often
one comes for nothing.

Two ways are measured. *By name*: the list is played as posts through today's whole pipeline and rules, with the seven
brands as subjects. *By volume*: the burst detector alone follows each brand's hourly discussions (zero in an hour whose
list does not name it, nothing in an hour whose list is missing). For comparison it follows all other titles, by the
list's own categories.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from statistics import mean, median
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from bot.bench.judged import Judged, data_file, data_rows, judged
from bot.bench.result import Result
from bot.config import parse
from bot.replay import replay_files
from bot.warning.burst import DAY_SECONDS, HOUR_SECONDS, BurstDetector

FILE, EVENTS = "hotsearch/hourly_2024.jsonl.gz", "hotsearch/events.json"
WEEK = 7 * DAY_SECONDS
AFTER = 14 * DAY_SECONDS  # an event is looked for in the two weeks from its first day on
LEAST_TITLES = 300  # of a category that is followed for comparison
PAUSE = 48 * HOUR_SECONDS  # a longer gap parts two recordings; time in it is no time watched
A_WEEK = "/ 7 d"
GRADES = ("blue", "yellow", "orange", "red")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    name: str
    pattern: str
    starts: float
    """Unix seconds of its first topic."""

    def covers(self, at: float) -> bool:
        return self.starts <= at < self.starts + AFTER


def hotsearch(folder: Path) -> list[Judged]:
    rows = list(data_rows(folder, FILE))
    events = read_events(rows, orjson.loads(data_file(folder, EVENTS).read_bytes()))
    hours = sorted({moment(row) for row in rows})
    weeks = sum(min(after - before, PAUSE) for before, after in pairwise(hours)) / WEEK
    named, outside = by_name(rows, events)
    volumes = gains(rows, lambda row: [event.name for event in events if re.search(event.pattern, row["title"])])
    alarms = {event.name: detect(volumes.get(event.name, {}), hours) for event in events}
    found = []
    for event in events:
        first = {grade: hours_until(event, times) for grade, times in named[event.name].items()}
        burst = hours_until(event, alarms[event.name])
        words = {grade: shown(first.get(grade)) for grade in GRADES}
        name = judged("hot_event", event=event.pattern.split("|")[0], burst=shown(burst), **words)
        blue = first.get("blue")
        found.append(Judged(Result(name, float("nan") if blue is None else blue, "h")))
    others = other_alarms(rows, events, hours)
    loud = sum(not event.covers(at) for event in events for at in alarms[event.name])
    waits = [hours_until(event, alarms[event.name]) for event in events]
    reached = [wait for wait in waits if wait is not None]
    found += [
        Judged(Result(judged("hot_named_false", brands=len(events)), outside / weeks, A_WEEK)),
        Judged(Result(judged("hot_burst", found=len(reached), events=len(events)), median(reached), "h")),
        Judged(Result(judged("hot_burst_false", brands=len(events)), loud / weeks, A_WEEK)),
        Judged(Result(judged("hot_others", series=len(others)), mean(others.values()) / weeks, A_WEEK)),
    ]
    return found


def shown(hours: float | None) -> str:
    return "—" if hours is None else f"{hours:.0f}"


def moment(row: Row) -> float:
    return datetime.fromisoformat(row["at"]).timestamp()


def read_events(rows: Sequence[Row], described: Mapping[str, Mapping[str, str]]) -> list[Event]:
    """Each event with the hour in which its first topic stood on the list, on its first day or later."""
    found = []
    for name, event in described.items():
        pattern = event["title_pattern"]
        listed = (row for row in rows if row["at"][:10] >= event["first_day"] and re.search(pattern, row["title"]))
        times = [moment(row) for row in listed]
        found.append(Event(name, pattern, min(times)))
    return found


def hours_until(event: Event, times: Sequence[float]) -> float | None:
    return next(((at - event.starts) / HOUR_SECONDS for at in times if event.covers(at)), None)


def by_name(rows: Sequence[Row], events: Sequence[Event]) -> tuple[dict[str, dict[str, list[float]]], int]:
    """When each brand's incidents reached each grade, and how many were opened outside the event."""
    subjects = [
        {"id": event.name, "name": event.pattern.split("|")[0], "match": {"any": event.pattern.split("|")}}
        for event in events
    ]
    config = parse(orjson.dumps({"subjects": subjects}).decode(), "hotsearch")
    reached: dict[str, dict[str, list[float]]] = {event.name: defaultdict(list) for event in events}
    outside = 0
    covering = {event.name: event for event in events}
    with TemporaryDirectory() as folder:
        file = Path(folder) / "titles.jsonl"
        file.write_bytes(b"\n".join(_posts(rows)))
        for alert in replay_files(config, [file]):
            at = datetime.fromisoformat(alert["at"]).timestamp()
            event = covering[alert["subject"]]
            if alert["change"] != "lowered":
                for grade in GRADES[: GRADES.index(alert["grade"]) + 1]:
                    reached[event.name][grade].append(at)
            outside += alert["change"] == "opened" and not event.covers(at)
    return reached, outside


def _posts(rows: Sequence[Row]) -> Iterator[bytes]:
    """Each title once, when it first stood on the list, as a polled list hands it in."""
    seen: set[str] = set()
    for row in rows:
        if row["title"] not in seen:
            seen.add(row["title"])
            yield orjson.dumps({
                "id": row["title"], "platform": "hotlist", "kind": "hot_topic", "title": row["title"],
                "text": row["description"] or "", "published_at": row["at"],
                "engagement": {"views": row["reads"] or 0, "comments": row["discussions"] or 0},
            })  # fmt: skip


def gains(rows: Sequence[Row], keys_of: Callable[[Row], Iterable[str]]) -> dict[str, dict[float, float]]:
    """Discussions an hour by key, from the cumulative ones of each title; a rise over several hours is shared out."""
    last: dict[str, tuple[float, float]] = {}
    found: dict[str, dict[float, float]] = defaultdict(lambda: defaultdict(float))
    for row in rows:
        if row["discussions"] is None:
            continue
        at, total, title = moment(row), float(row["discussions"]), row["title"]
        before_at, before = last.get(title, (at - HOUR_SECONDS, 0.0))
        last[title] = (at, max(total, before))
        gain = max(0.0, total - before) / max(1.0, (at - before_at) / HOUR_SECONDS)
        for key in keys_of(row):
            found[key][at] += gain
    return found


def detect(volume: Mapping[float, float], hours: Sequence[float]) -> list[float]:
    detector = BurstDetector()
    return [at for at in hours if detector.update(volume.get(at, 0.0), at).alarm]


def other_alarms(rows: Sequence[Row], events: Sequence[Event], hours: Sequence[float]) -> dict[str, int]:
    """Alarms by category over everything that is not one of the events."""
    pattern = re.compile("|".join(event.pattern for event in events))
    titles = Counter(category for _, category in {(row["title"], row["category"]) for row in rows})
    volumes = gains(rows, lambda row: [] if pattern.search(row["title"]) else [row["category"]])
    kept = [category for category, count in titles.items() if count >= LEAST_TITLES]
    return {category: len(detect(volumes[category], hours)) for category in kept}
