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

from bot.analysis.crisis_types import default_terms
from bot.analysis.sentiment import HashedNgrams
from bot.analysis.text import clean, fold_all
from bot.analysis.training import Sample, macro_f1, train
from bot.model.grade import Sentiment

SHIPPED = Path(__file__).parents[1] / "bot/analysis/weights/sentiment.npz"
FINANCE_WEIGHT = 0.15
SEED_WEIGHT = 1.0
TERM_WEIGHT = 0.3


def rows(data: Path, name: str) -> list[dict[str, Any]]:
    with gzip.open(data / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def labelled(data: Path, name: str) -> list[Sample]:
    """The rows that have a sentiment, each text once."""
    found = {}
    for row in rows(data, f"sentiment/{name}"):
        if row["sentiment"]:
            text = row["text"].replace("{%", " ").replace("%}", " ")
            found[text] = Sample(text, Sentiment(row["sentiment"]))
    return list(found.values())


def finance(data: Path) -> list[Sample]:
    """Finance headlines and posts: bad news is negative, the rest neutral."""
    kinds: dict[str, set[str]] = {}
    for row in rows(data, "crisis_types/ccks2019_finance_events"):
        kinds.setdefault(row["text"], set()).add(row["type"])
    samples = [
        Sample(text, Sentiment.NEUTRAL if found == {"其他"} else Sentiment.NEGATIVE, FINANCE_WEIGHT, "headlines")
        for text, found in kinds.items()
    ]
    for row in rows(data, "crisis_types/bdci2019_finance_negative"):
        label = Sentiment.NEGATIVE if row["negative"] else Sentiment.NEUTRAL
        samples.append(Sample(row["text"], label, FINANCE_WEIGHT, "finance"))
    return samples


def own_sentences() -> list[Sample]:
    """Sentences and crisis words of our own: what Weibo moods do not teach."""
    samples = []
    for line in (Path(__file__).parent / "pr_sentences.tsv").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            label, text = line.split("\t")
            samples.append(Sample(text, Sentiment(label), SEED_WEIGHT, "own"))
    for word, weight, good in default_terms().chinese_words():
        label = Sentiment.NEUTRAL if good else Sentiment.NEGATIVE
        samples.append(Sample(word, label, TERM_WEIGHT * weight, "words"))
    return samples


def judge(engine: HashedNgrams, samples: list[Sample]) -> float:
    labels, _ = engine.score(fold_all([clean(sample.text) for sample in samples]))
    return macro_f1([sample.label for sample in samples], labels)


def without(samples: list[Sample], others: list[Sample]) -> list[Sample]:
    seen = {clean(sample.text) for sample in others}
    return [sample for sample in samples if clean(sample.text) not in seen]


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
