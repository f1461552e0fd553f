"""Train and judge the shipped sentiment weights.

    python bench/train_sentiment.py [--data ../shared/data] [--write]

Prints the figures of the model card. The evaluation sets and every text that stands in one of them are never trained
on. ``--write`` replaces the shipped weights.
"""

import argparse
import gzip
import json
from pathlib import Path
from typing import Any

from bot.analysis.crisis_types import classify
from bot.analysis.sentiment import HashedNgrams, weigh_types
from bot.analysis.text import clean, fold_all
from bot.analysis.training import Sample, macro_f1, train
from bot.model.grade import Sentiment

SHIPPED = Path(__file__).parents[1] / "bot/analysis/weights/sentiment.npz"
FINANCE_WEIGHT = 0.004  # thousands of headlines must not outshout the posts
SEED_WEIGHT = 0.5


def rows(data: Path, name: str) -> list[dict[str, Any]]:
    with gzip.open(data / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def labelled(data: Path, name: str) -> list[Sample]:
    """The rows that have a sentiment."""
    return [
        Sample(row["text"].replace("{%", " ").replace("%}", " "), Sentiment(row["sentiment"]))
        for row in rows(data, f"sentiment/{name}")
        if row["sentiment"]
    ]


def finance(data: Path) -> list[Sample]:
    """Finance headlines and posts: bad news is negative, the rest neutral."""
    kinds: dict[str, set[str]] = {}
    for row in rows(data, "crisis_types/ccks2019_finance_events"):
        kinds.setdefault(row["text"], set()).add(row["type"])
    samples = [
        Sample(text, Sentiment.NEUTRAL if found == {"其他"} else Sentiment.NEGATIVE, FINANCE_WEIGHT)
        for text, found in kinds.items()
    ]
    for row in rows(data, "crisis_types/bdci2019_finance_negative"):
        label = Sentiment.NEGATIVE if row["negative"] else Sentiment.NEUTRAL
        samples.append(Sample(row["text"], label, FINANCE_WEIGHT))
    return samples


def own_sentences() -> list[Sample]:
    """Sentences of our own: what Weibo moods do not teach."""
    samples = []
    for line in (Path(__file__).parent / "pr_sentences.tsv").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            label, text = line.split("\t")
            samples.append(Sample(text, Sentiment(label), SEED_WEIGHT))
    return samples


def judge(engine: HashedNgrams, samples: list[Sample]) -> float:
    """Macro F1 of what the pipeline says: the engine, then the crisis types."""
    folded = fold_all([clean(sample.text) for sample in samples])
    labels, _ = weigh_types(*engine.score(folded), classify(folded))
    return macro_f1([sample.label for sample in samples], labels)


def without(samples: list[Sample], others: list[Sample]) -> list[Sample]:
    seen = {sample.text for sample in others}
    return [sample for sample in samples if sample.text not in seen]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared/data")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    posts = labelled(options.data, "ewect_virus_train")
    moods = labelled(options.data, "weibo2018_train")
    virus = without(labelled(options.data, "ewect_virus_eval"), posts)
    usual = without(labelled(options.data, "ewect_usual_eval"), posts + moods)
    alone = HashedNgrams(train(posts))
    print(f"posts alone:        virus {judge(alone, virus):.4f}  usual {judge(alone, usual):.4f}")
    moody = HashedNgrams(train(posts, moods))
    print(f"and moods:          virus {judge(moody, virus):.4f}  usual {judge(moody, usual):.4f}")
    weights = train(posts + finance(options.data) + own_sentences(), moods)
    engine = HashedNgrams(weights)
    print(f"all (shipped):      virus {judge(engine, virus):.4f}  usual {judge(engine, usual):.4f}")
    if options.write:
        weights.save(SHIPPED)
        print(f"written: {SHIPPED.name}, {SHIPPED.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
