"""The machine review in detail: ``python -m bench.review [--half tune|held_out]`` prints figures by rule and misses.

The measuring itself is ``bot.bench.review`` (also ``fengbo bench --what review``).
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bot.bench.review import HALVES, Judged, blocked, by_rule, judge, milliseconds, read_samples, recall, stopped


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--half", choices=HALVES, help="only one part of the set")
    parser.add_argument("--warnings", action="store_true", help="also what good statements are warned of")
    options = parser.parse_args()
    samples = read_samples()
    judged = judge(samples)
    for half in [options.half] if options.half else [*HALVES, ""]:
        part = [item for item in judged if half in ("", item.sample.half)]
        bad = sum(not item.sample.good for item in part)
        print(
            f"{half or 'all':<10}{bad:>4} bad: recall on blocks {recall(part):.1f} %, stopped {stopped(part):.1f} %;"
            f"{len(part) - bad:>4} good: blocked {blocked(part):.1f} %"
        )
    print(f"2,000 characters: {milliseconds(samples):.1f} ms\n")
    shown = [item for item in judged if options.half in (None, item.sample.half)]
    print(f"{'rule':<26}{'found':>6}{'missed':>8}{'wrong':>7}")
    for row in by_rule(shown):
        print(f"{row.rule:<26}{row.found:>6}{row.missed:>8}{row.wrong:>7}")
    for item in shown:
        tell(item, options.warnings)


def tell(item: Judged, warnings: bool) -> None:
    sample = item.sample
    if sample.must - item.blocks:
        print(f"\n{sample.id} missed {', '.join(sorted(sample.must - item.blocks))}: {sample.version.body[:160]}")
    if sample.good:
        for finding in item.findings:
            if finding.rule in item.blocks or warnings:
                print(f"\n{sample.id} {finding.severity} {finding.rule}: {finding.words!r} {dict(finding.why.params)}")


if __name__ == "__main__":
    main()
