"""Train the shipped weights of ``bot.analysis.kinds``.

    python bench/train_kinds.py [--data ../shared/data] [--write]

Ordinary posts are added as texts of no kind, so that small talk gets none. The figure of the model card comes from
``fengbo bench judgement --part kinds``, which holds a fold back at a time.
"""

import argparse
from pathlib import Path

from bot.analysis.kinds import Kinds
from bot.analysis.text import clean, fold_all
from bot.analysis.training_kinds import train_kinds
from bot.bench.judgement_finance import headlines
from bot.bench.mood_data import labelled

SHIPPED = Path(__file__).parents[1] / "bot/analysis/weights/kinds.npz"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared/data")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    found = headlines(options.data)
    posts = labelled(options.data, "ewect_virus_train")[::2] + labelled(options.data, "weibo2018_train")[::2]
    texts = fold_all([clean(text) for text in found] + [clean(post.text) for post in posts])
    weights = train_kinds(texts, [*found.values(), *[frozenset[str]()] * len(posts)])
    held = fold_all([clean(post.text) for post in labelled(options.data, "ewect_usual_eval")])
    typed = sum(bool(hits) for hits in Kinds(weights).types(held))
    print(f"ordinary posts that get a type: {typed} of {len(held)}")
    if options.write:
        weights.save(SHIPPED)
        print(f"written: {SHIPPED.name}, {SHIPPED.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
