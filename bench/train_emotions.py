"""Train the shipped weights of ``bot.analysis.emotions``.

    python bench/train_emotions.py [--data ../shared/data] [--write]

Prints the share of right emotions on each evaluation set, trained without it.
"""

import argparse
from pathlib import Path

from bot.analysis.emotions import OF_EWECT, emotions
from bot.analysis.kinds import Kinds, KindWeights
from bot.analysis.text import clean, fold_all
from bot.analysis.training_kinds import train_kinds
from bot.bench.judged import data_rows

SHIPPED = Path(__file__).parents[1] / "bot/analysis/weights/emotions.npz"
SETS = ("ewect_virus_train", "ewect_virus_eval", "ewect_usual_eval")


def rows(folder: Path, name: str) -> dict[str, str]:
    found = data_rows(folder, f"sentiment/{name}.jsonl.gz")
    return {row["text"]: OF_EWECT[row["emotion"]] for row in found if row["emotion"] in OF_EWECT}


def fitted(posts: dict[str, str]) -> KindWeights:
    return train_kinds(fold_all([clean(text) for text in posts]), [frozenset({kind}) for kind in posts.values()])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared/data")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    sets = {name: rows(options.data, name) for name in SETS}
    every = {text: kind for posts in sets.values() for text, kind in posts.items()}
    for name in SETS[1:]:
        held = {text: kind for text, kind in sets[name].items() if text not in sets[SETS[0]]}
        judge = Kinds(fitted({text: kind for text, kind in every.items() if text not in held}))
        said = emotions(fold_all([clean(text) for text in held]), judge)
        right = sum(guess == kind for guess, kind in zip(said, held.values(), strict=True))
        print(f"{name}: {right} of {len(held)} right ({right / len(held):.3f})")
    weights = fitted(every)
    if options.write:
        weights.save(SHIPPED)
        print(f"written: {SHIPPED.name}, {SHIPPED.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
