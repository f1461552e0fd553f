"""Recorded data as live input, moved to now: reposts as a vendor's push, the hot-search list as a polled JSON API."""

import gzip
import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.testkit.platforms import FakePlatforms
from tests.scenarios.house import CHANNEL, house

pytestmark = pytest.mark.data
ANGRY_CASCADE = "布加迪压车"  # a road-rage case of 2012 with 784 reposts that say something
BAD_DATES = ("13-99-2012 25:61", "", "昨天的明天")


def cascade(data_dir: Path) -> list[dict[str, Any]]:
    """The reposts of one cascade, compressed into the last fifty minutes, in the vendor's own field names."""
    with gzip.open(data_dir / "cascades" / "weibo_reposts.jsonl.gz", "rt", encoding="utf-8") as lines:
        event = next(item for item in map(json.loads, lines) if ANGRY_CASCADE in item["text"])
    texts = [item for item in event["reposts"] if item.get("text")]
    now = datetime.now(UTC)
    return [
        {
            "mid": item["id"], "content": f"{item['text']} //@原博:{event['text']}", "uid": item["author"],
            "created_at": (now - timedelta(minutes=50 * (1 - index / len(texts)))).isoformat(),
        }
        for index, item in enumerate(texts)
    ]  # fmt: skip


async def test_a_cascade_pushed_twice_out_of_order_with_broken_dates_is_one_readable_incident(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data_dir: Path
) -> None:
    rows = cascade(data_dir)
    good = {row["mid"] for row in rows}
    broken = [{**row, "mid": f"bad-{index}", "created_at": BAD_DATES[index % 3]} for index, row in enumerate(rows[:30])]
    deliveries = [*rows, *rows, *broken]
    random.Random(3).shuffle(deliveries)
    monkeypatch.setenv("VENDOR_TOKEN", "vendor-token-of-the-tests")
    source = {
        "id": "vendor", "kind": "hook", "platform": "weibo", "token_env": "VENDOR_TOKEN", "items": "list[]",
        "map": {"id": "mid", "text": "content", "published_at": "created_at", "author.id": "uid"},
    }  # fmt: skip
    subject = {"id": "bugatti", "name": "布加迪车主", "channel": "alerts", "match": {"any": ["布加迪"]}}
    async with house(
        tmp_path, monkeypatch, sources=[source], subjects=[subject], channels={"world": {"slack": "C0WORLD"}}
    ) as home:
        accepted = duplicates = rejected = 0
        for start in range(0, len(deliveries), 200):
            async with home.session.post(
                f"{home.url}/api/v1/hooks/vendor", json={"list": deliveries[start : start + 200]},
                headers={"Authorization": "Bearer vendor-token-of-the-tests"},
            ) as answer:  # fmt: skip
                assert answer.status == 202, await answer.text()
                outcome = await answer.json()
            accepted += outcome["accepted"]
            duplicates += outcome["duplicates"]
            rejected += len(outcome["rejected"])
        assert accepted == len(good)
        assert accepted + duplicates + rejected == len(deliveries)
        assert rejected >= 20  # “昨天的明天” and the like; an empty date of a vendor is a missing date
        incident = await home.until_incident(lambda item: item["subject"] == "bugatti")
        card = await home.platforms.slack.wait_for_message(CHANNEL, "布加迪车主")
        assert incident["reasons"]
        assert "近 60 分钟" in card.visible
        assert "微博" in card.visible
        incidents = await home.api("/api/v1/incidents")
        assert len(incidents) <= 2, incidents


async def test_a_brand_that_climbs_the_hot_search_list_is_an_incident_with_its_carrier_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data_dir: Path
) -> None:
    titles: dict[str, dict[str, Any]] = {}
    with gzip.open(data_dir / "hotsearch" / "hourly_2024.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            about = row["title"] + (row["description"] or "")
            brand = row["at"].startswith("2024-07-1") and "农夫山泉" in about
            other = len(titles) < 60 and row["at"].startswith("2024-07-16T12")
            if brand or other:
                titles.setdefault(row["title"], row)
    now = datetime.now(UTC)
    rows = [
        {
            "title": row["title"],
            "desc": f"{row['description'] or ''}",
            "time": (now - timedelta(minutes=index % 40)).isoformat(),
        }
        for index, row in enumerate(titles.values())
    ]
    subject = {"id": "spring", "name": "农夫山泉", "channel": "alerts", "match": {"any": ["农夫山泉"]}}

    def hot_list(platforms: FakePlatforms) -> list[dict[str, Any]]:
        platforms.feeds.json_api("/hot", rows, items_at="rows", size=200)
        return [
            {"id": "hot-list", "kind": "json", "platform": "hotlist", "every": "1s", "items": "rows[]",
             "url": f"{platforms.feeds.url}/hot", "defaults": {"kind": "hot_topic"},
             "map": {"id": "title", "title": "title", "text": "desc", "published_at": "time"}}
        ]  # fmt: skip

    async with house(
        tmp_path, monkeypatch, subjects=[subject], channels={"world": {"slack": "C0WORLD"}}, sources=hot_list,
        privacy={"allow_hosts": ["127.0.0.1"]},
    ) as home:  # fmt: skip
        incident = await home.until_incident(lambda item: item["subject"] == "spring")
        assert any(
            reason["metric"] == "carrier_120m" and reason["detail"] == "hot_list" for reason in incident["reasons"]
        )
        card = await home.platforms.slack.wait_for_message(CHANNEL, "农夫山泉")
        assert "热搜榜" in card.visible
        await home.platforms.slack.slash("sources", "U0LINA", CHANNEL)
        await home.until(lambda: any("hot-list" in m.visible for m in home.platforms.slack.ephemerals("U0LINA")))
