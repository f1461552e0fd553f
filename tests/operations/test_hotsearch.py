"""How alerts on the hot-search list are counted: from the first topic, by volume, with gaps that are not zeros."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.bench import judgement_hotsearch as bench
from bot.bench.judged import data_rows

START = datetime.fromisoformat("2024-07-01T00:00:00+08:00")
HOUR = 3_600.0


def row(hour: int, title: str, discussions: int | None, category: str = "社会") -> dict[str, Any]:
    return {
        "at": (START + timedelta(hours=hour)).isoformat(), "rank": 1, "title": title, "category": category,
        "reads": 0, "discussions": discussions, "description": None,
    }  # fmt: skip


def at(hour: float) -> float:
    return START.timestamp() + hour * HOUR


def test_the_clock_starts_with_the_first_topic_of_the_event_and_not_with_an_older_one() -> None:
    rows = [row(0, "甲品牌上新", 5), row(30, "甲品牌被曝光", 5), row(31, "乙", 1), row(40, "甲品牌道歉", 5)]
    (event,) = bench.read_events(rows, {"a": {"first_day": "2024-07-02", "title_pattern": "甲品牌"}})
    assert event.starts == at(30)
    assert bench.hours_until(event, [at(10), at(33)]) == 3
    assert bench.hours_until(event, [at(10)]) is None
    assert bench.hours_until(event, [at(30 + 24 * 14)]) is None


def test_volume_is_the_rise_of_what_is_cumulative_shared_out_over_missing_hours() -> None:
    rows = [
        row(0, "甲", 100), row(1, "甲", 160), row(4, "甲", 190), row(5, "甲", 150), row(6, "甲", None), row(6, "乙", 7),
    ]  # fmt: skip
    found = bench.gains(rows, lambda one: [one["category"]])
    assert found["社会"] == {at(0): 100, at(1): 60, at(4): 10, at(5): 0, at(6): 7}


def test_an_hour_whose_list_is_missing_is_no_quiet_hour() -> None:
    hours = [at(hour) for hour in range(24 * 8)]
    volume = {hour: 30.0 for hour in hours} | {hours[-1]: 2_000.0}
    assert bench.detect(volume, hours) == [hours[-1]]
    # The same hours, half of them never collected: nothing new to say, and nothing invented.
    assert bench.detect(volume, [*hours[::2], hours[-1]]) == [hours[-1]]


def test_every_title_is_played_once_as_the_list_hands_it_in() -> None:
    posts = [bench.orjson.loads(line) for line in bench._posts([row(0, "甲", 5), row(1, "甲", 9), row(2, "乙", None)])]
    assert [(post["id"], post["kind"], post["engagement"]["comments"]) for post in posts] == [
        ("甲", "hot_topic", 5), ("乙", "hot_topic", 0),
    ]  # fmt: skip


@pytest.mark.data
def test_the_seven_events_are_heard_by_their_volume_within_hours(data_dir: Path) -> None:
    rows = list(data_rows(data_dir, bench.FILE))
    described = bench.orjson.loads((data_dir / bench.EVENTS).read_bytes())
    events = bench.read_events(rows, described)
    hours = sorted({bench.moment(one) for one in rows})
    volumes = bench.gains(
        rows, lambda one: [event.name for event in events if event.pattern.split("|")[0] in one["title"]]
    )
    waits = [bench.hours_until(event, bench.detect(volumes[event.name], hours)) for event in events]
    assert sum(wait is not None and wait <= 24 for wait in waits) >= 6, waits
