"""Train the shipped sentiment weights.

    python bench/train_sentiment.py [--data ../shared/data] [--write]

The shipped weights are trained on every labelled post there is, the two evaluation sets among them. The figures of the
model card come from ``fengbo bench judgement --part sentiment``: the same recipe, without the set that is scored.
``--write`` replaces the shipped weights.
"""

import argparse
from pathlib import Path

from bot.analysis.training import train
from bot.bench.mood_data import training_data

SHIPPED = Path(__file__).parents[1] / "bot/analysis/weights/sentiment.npz"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared/data")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    samples, moods = training_data(options.data)
    print(f"{len(samples)} labelled texts, {len(moods)} moods")
    weights = train(samples, moods)
    if options.write:
        weights.save(SHIPPED)
        print(f"written: {SHIPPED.name}, {SHIPPED.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
