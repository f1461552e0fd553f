"""Speed and accuracy of the analysis.

    python bench/analysis_bench.py [--data ../shared/data] [--posts 10000]

Speed is the best of three runs on one core, over texts of the cascade data cut or joined to 60 characters. Accuracy
of the crisis words is measured on finance headlines; that of the weights by ``fengbo bench judgement``.
Without the data folder, generated texts give the speed and there are no accuracy figures.
"""

import argparse
import gc
import gzip
import itertools
import json
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson

from bot.analysis.crisis_types import classify
from bot.analysis.jsonl import analyse_lines
from bot.analysis.keywords import Matcher
from bot.analysis.pipeline import BATCH, Analyser
from bot.analysis.sentiment import engine_named
from bot.analysis.stories import signatures
from bot.analysis.story_index import StoryIndex
from bot.analysis.text import clean, fold_all
from bot.model.post import KeywordRule, Subject

Row = tuple[str, float, str, float | None]
DATA = Path(__file__).parents[2] / "shared/data"
LENGTH = 60
NOW = 1_767_225_600_000
SUBJECTS = [
    Subject(id="pay", name="星河支付", rule=KeywordRule(any=("星河支付", "星河钱包", "Xinghe Pay"), none=("招聘",))),
    Subject(id="withdrawal", name="提现", rule=KeywordRule(all=("提现", "失败"))),
    Subject(id="rumour", name="谣言", rule=KeywordRule(any=("谣言", "辟谣"), regex=("提现.{0,5}不到账",))),
]
# The kinds of CCKS 2019 that have a counterpart of ours.
CCKS = {
    "涉嫌欺诈": "fraud_accusation",
    "涉嫌非法集资": "fraud_accusation",
    "涉嫌传销": "fraud_accusation",
    "财务造假": "fraud_accusation",
    "失联跑路": "fraud_accusation",
    "信批违规": "regulatory_action",
    "涉嫌违法": "regulatory_action",
    "投诉维权": "complaint_surge",
    "高管负面": "executive_misconduct",
    "不能履职": "executive_misconduct",
    "提现困难": "withdrawal_failure",
    "业绩下滑": "funding_trouble",
    "评级调整": "funding_trouble",
    "重组失败": "funding_trouble",
    "资产负面": "funding_trouble",
}


def _rows(data: Path, name: str) -> Iterator[dict[str, Any]]:
    with gzip.open(data / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def texts(data: Path, count: int) -> list[str]:
    """``count`` texts of 60 characters: reposts of the cascades, short ones joined to their neighbours."""
    if not data.is_dir():
        rng = random.Random(1)
        return ["".join(rng.choices("这个平台的服务提现客服不好用了吗大家都在说", k=LENGTH)) for _ in range(count)]
    found: list[str] = []
    rest = ""
    for cascade in _rows(data, "cascades/weibo_reposts"):
        for repost in cascade["reposts"]:
            rest += repost["text"]
            if len(rest) >= LENGTH:
                found.append(rest[:LENGTH])
                rest = ""
        if len(found) >= count:
            break
    return found[:count]


def _rate(count: int, work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(3):
        gc.collect()
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return count / best


def _batched(work: Callable[[list[str]], object], items: list[str]) -> Callable[[], object]:
    return lambda: [work(items[start : start + BATCH]) for start in range(0, len(items), BATCH)]


def _add_all(marked: list[tuple[bytes, str]]) -> int:
    index, ids = StoryIndex(), itertools.count(1)
    for mark, text in marked:
        if mark:
            index.add(mark, text, 0, ids.__next__)
    return len(index)


def speed(data: Path, count: int) -> list[Row]:
    raw = texts(data, count)
    folded = fold_all([clean(text) for text in raw])
    lines = [
        orjson.dumps(
            {
                "id": str(number),
                "platform": "weibo",
                "text": text,
                "published_at": "2025-09-10T19:02:11+08:00",
                "author": {"id": "u1", "name": "n", "followers": 1200},
                "engagement": {"likes": 3, "reposts": 1},
            }
        )
        for number, text in enumerate(raw)
    ]
    analyser, engine = Analyser(SUBJECTS), engine_named("ngrams")
    rng = random.Random(7)
    words = {text[start : start + 4] for text in rng.choices(folded, k=20_000) for start in (rng.randrange(50),)}
    many = [
        Subject(id=str(n), name=w, rule=KeywordRule(any=(w,)))
        for n, w in enumerate(sorted(words))
        if len(w.strip()) == 4
    ]
    few_rules, many_rules = Matcher(SUBJECTS), Matcher(many[:10_000])
    # Words that stand nowhere: the usual case, and what must cost nothing.
    absent = [Subject(id=str(n), name="", rule=KeywordRule(any=(f"品牌{n:05d}号",))) for n in range(10_000)]
    no_hits = Matcher(absent)
    platforms = ["weibo"] * BATCH
    whole = _rate(count, lambda: sum(1 for _ in analyse_lines(lines, analyser, now=NOW)))
    return [
        ("lines in, lines out, all parts", whole, "posts/s", 15_000),
        ("sentiment", _rate(count, _batched(engine.score, folded)), "posts/s", 80_000),
        (
            "cleaning and folding",
            _rate(count, _batched(lambda some: fold_all([clean(x) for x in some]), raw)),
            "posts/s",
            None,
        ),
        ("crisis types", _rate(count, _batched(classify, folded)), "posts/s", None),
        (
            "keywords, 3 rules",
            _rate(count, _batched(lambda some: few_rules.match(some, platforms[: len(some)]), folded)),
            "posts/s",
            None,
        ),
        (
            "keywords, 10,000 rules, none hits",
            _rate(count, _batched(lambda some: no_hits.match(some, platforms[: len(some)]), folded)),
            "posts/s",
            None,
        ),
        (
            f"keywords, {len(many_rules.subjects):,} rules cut from the texts",
            _rate(count, _batched(lambda some: many_rules.match(some, platforms[: len(some)]), folded)),
            "posts/s",
            None,
        ),
        (
            "stories: signature and index",
            _rate(
                count,
                lambda: _add_all(
                    [
                        pair
                        for n in range(0, count, BATCH)
                        for pair in zip(signatures(folded[n : n + BATCH]), folded[n : n + BATCH], strict=True)
                    ]
                ),
            ),
            "posts/s",
            10_000,
        ),
    ]


def accuracy(data: Path) -> list[Row]:
    result: list[Row] = []
    truth: dict[str, set[str]] = {}
    for row in _rows(data, "crisis_types/ccks2019_finance_events"):
        truth.setdefault(row["text"], set()).add(CCKS.get(row["type"], ""))
    labelled = {text: kinds - {""} for text, kinds in truth.items() if kinds - {""}}
    found = [{hit.type.value for hit in hits} for hits in classify(fold_all([clean(text) for text in labelled]))]
    pairs = list(zip(labelled.values(), found, strict=True))
    result.append(
        (
            "crisis types, CCKS, one of the text's kinds found",
            sum(bool(k & f) for k, f in pairs) / len(pairs),
            "share",
            None,
        )
    )
    for kind in sorted(set(CCKS.values())):
        hits = sum(kind in k and kind in f for k, f in pairs)
        extra = sum(kind in f and kind not in k for k, f in pairs)
        missed = sum(kind in k and kind not in f for k, f in pairs)
        result.append((f"crisis types, CCKS, {kind}: recall", hits / (hits + missed), "share", None))
        result.append((f"crisis types, CCKS, {kind}", 2 * hits / (2 * hits + extra + missed), "F1", None))
    return result


def run(data: Path = DATA, posts: int = 10_000) -> list[Row]:
    """(name, value, unit, target or None) per figure."""
    return speed(data, posts) + (accuracy(data) if data.is_dir() else [])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--posts", type=int, default=10_000)
    options = parser.parse_args()
    for name, value, unit, target in run(options.data, options.posts):
        shown = f"{value:,.0f}" if unit.endswith("/s") else f"{value:.4f}"
        wanted = "" if target is None else f"  (target {target:,} {'met' if value >= target else 'MISSED'})"
        print(f"{name:58} {shown:>10} {unit}{wanted}")


if __name__ == "__main__":
    main()
