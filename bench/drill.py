"""A whole day's drill with 20,000 posts at full speed, twice: ``python -m bench.drill [--posts N] [--profile]``.

Prints seconds, seconds of one core, posts a second, and whether both scorecards are the same to the byte.
"""

import argparse
import cProfile
import pstats
import tempfile
from pathlib import Path
from time import perf_counter, process_time

import orjson
import yaml

from bot import config as configuration
from bot.config import Config
from bot.drills.scorecard import as_json
from bot.drills.script import Script
from bot.response.library import shipped_folder
from bot.scripted_drill import play

COMPANY = """
language: zh-CN
subjects:
  - {id: xinghe-pay, name: 星河支付, industry: internet-finance, match: {any: [星河支付, Xinghe Pay]},
     channel: pr-alerts, sensitive: [money], watch: [跑路]}
people:
  - {id: lina, name: 李娜, roles: [pr], console: lina}
  - {id: zhaolei, name: 赵磊, roles: [legal, approver], console: zhaolei}
  - {id: chenjing, name: 陈静, roles: [pr_head, approver, admin], console: chenjing}
  - {id: wangqiang, name: 王强, roles: [operations], console: wangqiang}
channels:
  pr-alerts: {console: alerts, min_grade: blue}
  management: {console: management, min_grade: blue}
  drill: {console: drill}
chat: {console: {}}
grading: {preset: internet-finance}
"""
ACTS = [
    {"at": "10m", "who": "lina", "say": "ack {incident}"},
    {"at": "30m", "who": "lina", "say": "start {incident} withdrawal-failure"},
    {"at": "2h", "who": "lina", "say": "note {incident} 通道商已确认"},
    {"at": "10h", "who": "chenjing", "say": "grade {incident} red 媒体报道"},
]


def scenario(posts: int) -> str:
    """The shipped one, spread over a day: a slow day, a bad evening, a night, a second wave."""
    file = shipped_folder() / "scenarios" / "withdrawal-failure.yaml"
    data = yaml.safe_load(file.read_text(encoding="utf-8"))
    waves = [
        ("0m", "6h", 0.2, "ramp"),
        ("6h", "6h", 0.4, "wave"),
        ("12h", "8h", 0.1, "ramp"),
        ("20h", "4h", 0.3, "burst"),
    ]
    data["duration"] = "24h"
    data["timeline"] = [event for event in data["timeline"] if event["kind"] not in ("posts", "rumour")] + [
        {
            "at": at, "kind": "posts", "count": round(posts * share), "over": over, "shape": shape,
            "platforms": {"weibo": 5, "douyin": 3, "news": 1}, "moods": {"negative": 7, "neutral": 2, "positive": 1},
            "carriers": {"ordinary": 60, "kol": 2, "trade_media": 1},
        }
        for at, over, share, shape in waves
    ]  # fmt: skip
    return yaml.safe_dump(data, allow_unicode=True)


def once(config: Config, file: Path) -> tuple[bytes, float, float]:
    """The scorecard, seconds, and seconds of the processor."""
    begun, worked = perf_counter(), process_time()
    found = play(config, file, "withdrawal-failure", Script.model_validate({"leader": "chenjing", "acts": ACTS}))
    return orjson.dumps(as_json(found, "zh-CN")), perf_counter() - begun, process_time() - worked


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=20_000)
    parser.add_argument("--times", type=int, default=2)
    parser.add_argument("--profile", action="store_true", help="play once and say where the time goes")
    options = parser.parse_args()
    config = configuration.parse(COMPANY, "fengbo.yaml")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "withdrawal-failure.yaml"
        file.write_text(scenario(options.posts), encoding="utf-8")
        if options.profile:
            with cProfile.Profile() as profile:
                once(config, file)
            pstats.Stats(profile).sort_stats("cumulative").print_stats(60)
            pstats.Stats(profile).sort_stats("tottime").print_stats(25)
            return
        cards = []
        for _ in range(options.times):
            card, seconds, worked = once(config, file)
            cards.append(card)
            print(f"{seconds:.1f} s, {worked:.1f} s of one core, {options.posts / seconds:.0f} posts/s")
    print("scorecards identical:", "yes" if len(set(cards)) == 1 else "NO", f"({len(cards[0])} bytes)")
    print("total:", orjson.loads(cards[0])["total"])


if __name__ == "__main__":
    main()
