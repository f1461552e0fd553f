"""Train the shipped weights of ``bot.analysis.whom``.

    python bench/train_whom.py [--data ../shared/data] [--write]

The figures of the model card come from ``fengbo bench judgement --part whom``, which holds a fold back at a time; the
shipped weights are trained on all of it and on sentences of our own (``bench/whom_sentences.tsv``).
"""

import argparse
from pathlib import Path

from bot.analysis.text import clean, fold
from bot.analysis.training_whom import NamingPost, judged_names, train_whom
from bot.analysis.whom import Whom
from bot.bench.judged import data_rows

SHIPPED = Path(__file__).parents[1] / "bot/analysis/weights/whom.npz"
SENTENCES = Path(__file__).parent / "whom_sentences.tsv"
REPEATS = 6  # some forty sentences beside two thousand posts


def own_sentences() -> list[NamingPost]:
    posts = []
    for line in SENTENCES.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            text, names, about = line.split("\t")
            posts.append(NamingPost(text, tuple(names.split(",")), frozenset(about.split(","))))
    return posts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared/data")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    posts = [
        NamingPost(row["text"], tuple(dict.fromkeys(row["entities"])), frozenset(row["about"]))
        for row in data_rows(options.data, "crisis_types/bdci2019_finance_negative.jsonl.gz")
    ]
    own = own_sentences()
    for part in range(4):  # four parts of the sentences held back in turn
        judge = Whom(train_whom(posts + REPEATS * [post for n, post in enumerate(own) if n % 4 != part]))
        held = own[part::4]
        right = sum(judged_names(judge, post, fold(clean(post.text))) == post.about for post in held)
        print(f"own sentences, part {part + 1}: {right} of {len(held)} exactly right")
    weights = train_whom(posts + REPEATS * own)
    if options.write:
        weights.save(SHIPPED)
        print(f"written: {SHIPPED.name}, {SHIPPED.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
