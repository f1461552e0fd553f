"""Posts a second of ``fengbo replay``: ``python -m bench.replay [--posts N] [--profile]``.

A made-up day for two payment companies: calm talk, of which one in ten names one of them, and a crisis in the evening.
"""

import argparse
import cProfile
import pstats
import random
import tempfile
from pathlib import Path
from time import perf_counter, process_time

import orjson

from bot.bench.texts import PLATFORMS, post, talk
from bot.config import parse
from bot.replay import replay_files

SETTINGS = """
language: en
subjects:
  - {id: xinghe, name: 星河支付, industry: internet-finance, match: {any: [星河支付, 星河钱包]}, sensitive: [money]}
  - {id: yunfan, name: 云帆支付, industry: internet-finance, match: {any: [云帆支付]}}
"""
BEGIN = 1_757_500_000_000
DAY = 86_400_000
CRISIS = (
    "星河支付提现失败三天了还没到账，客服不理人", "星河钱包的钱取不出来，是不是要跑路",
    "有人星河支付提现成功吗？我卡在处理中",
    "星河支付上热搜了，提现困难", "还好我没用星河支付", "星河支付客服说明天到账，等着看",
)  # fmt: skip


def day(posts: int) -> list[bytes]:
    """Lines in order of time: eight in ten are calm, the others the crisis of the last six hours."""
    dice = random.Random(7)
    calm = talk(min(posts, 5_000))
    lines = []
    for number in range(posts):
        crisis = number % 5 == 0
        at = BEGIN + (DAY * 3 // 4 + dice.randrange(DAY // 4) if crisis else dice.randrange(DAY))
        text = calm[dice.randrange(len(calm))]
        if crisis:
            text = f"{dice.choice(CRISIS)} {text[:20]}"
        elif dice.randrange(10) == 0:
            text = f"今天用了{dice.choice(('星河支付', '云帆支付'))}，{text}"
        lines.append((at, post(text, number, dice.choice(PLATFORMS), at)))
    return [orjson.dumps(item) for _, item in sorted(lines, key=lambda line: line[0])]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=200_000)
    parser.add_argument("--profile", action="store_true", help="say where the time goes")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "day.jsonl"
        file.write_bytes(b"\n".join(day(options.posts)))
        profile = cProfile.Profile()
        begun, worked = perf_counter(), process_time()
        if options.profile:
            profile.enable()
        alerts = list(replay_files(parse(SETTINGS, "bench.yaml"), [file]))
        profile.disable()
        seconds, worked = perf_counter() - begun, process_time() - worked
        print(f"{options.posts} posts, {len(alerts)} alerts: {seconds:.1f} s, {worked:.1f} s of one core;", end=" ")
        print(f"{options.posts / seconds:.0f} posts/s, {options.posts / worked:.0f} a second of one core")
        if options.profile:
            for order in ("cumulative", "tottime"):
                pstats.Stats(profile).sort_stats(order).print_stats(45)


if __name__ == "__main__":
    main()
