"""The recommendation of playbooks in detail: ``python bench/matching.py [--tune]`` prints rates and misses.

The measuring itself is ``bot.bench.matching`` (also ``fengbo bench --what matching``). ``--tune`` shows only the half
that the library may be tuned on; the other half and the fresh ones are there to be measured, not to be learnt from.
Without ``--tune`` their misses are counted and not shown.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bot.bench.matching import FRESH, Verdict, judge, rates, read_situations
from bot.response.library import load_library, shipped_folder

GROUPS: tuple[tuple[str, Callable[[Verdict], str]], ...] = (
    ("half", lambda verdict: verdict.told.half),
    ("wording", lambda verdict: verdict.told.wording),
    ("language", lambda verdict: verdict.told.language),
    ("", lambda verdict: f"{verdict.told.half} {verdict.told.wording}"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tune", action="store_true", help="only the half for tuning")
    parser.add_argument("--rates", action="store_true", help="no misses")
    options = parser.parse_args()
    told = [*read_situations(), *read_situations(FRESH)]
    verdicts = judge(told, load_library(shipped_folder()).playbooks())
    judged = {verdict.told.id for verdict in verdicts}
    absent = sorted({item.right[0] for item in told if item.id not in judged})
    if options.tune:
        verdicts = [verdict for verdict in verdicts if verdict.told.half == "tune"]
    print(f"{'':<22}{'texts':>6}{'first':>8}{'in three':>10}")
    show("all of the sixty", [verdict for verdict in verdicts if verdict.told.half != "fresh"])
    for name, group in GROUPS:
        for value in sorted({group(verdict) for verdict in verdicts}):
            show(f"{name} {value}".strip(), [verdict for verdict in verdicts if group(verdict) == value])
    if absent:
        print("not in the library yet:", ", ".join(absent))
    for verdict in verdicts if not options.rates else ():
        if verdict.place != 1 and verdict.told.half == "tune":
            ranked = ", ".join(f"{name} {score:.2f}" for name, score in verdict.ranked)
            item = verdict.told
            print(f"\n{item.half} {item.id}/{item.wording}: want {item.right[0]}, place {verdict.place}; {ranked}")


def show(name: str, verdicts: Sequence[Verdict]) -> None:
    first, top = rates(verdicts)
    print(f"{name:<22}{len(verdicts):>6}{first:>7.1f}%{top:>9.1f}%")


if __name__ == "__main__":
    main()
