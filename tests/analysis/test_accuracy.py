"""Fails where the training or the words get worse. The exact figures are in docs/MODEL_CARD.md."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from bot.analysis.crisis_types import classify
from bot.analysis.sentiment import HashedNgrams, weigh_types
from bot.analysis.text import clean, fold_all
from bot.analysis.training import macro_f1, train
from bot.bench.mood_data import labelled, without

pytestmark = pytest.mark.data


def rows(data_dir: Path, name: str) -> list[dict[str, Any]]:
    with gzip.open(data_dir / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def test_moods_of_unseen_posts_are_told(data_dir: Path) -> None:
    # The shipped weights have seen every set, so the training itself is judged, on its quickest part.
    posts = labelled(data_dir, "ewect_virus_train")
    engine = HashedNgrams(train(posts))
    for name, least in (("ewect_virus_eval", 0.74), ("ewect_usual_eval", 0.67)):
        held = without(labelled(data_dir, name), posts)
        folded = fold_all([clean(sample.text) for sample in held])
        labels, _ = weigh_types(*engine.score(folded), classify(folded))
        assert macro_f1([sample.label for sample in held], labels) >= least, name


@pytest.mark.parametrize(
    ("theirs", "ours", "least"),
    [
        ("提现困难", "withdrawal_failure", 0.5),
        ("涉嫌传销", "fraud_accusation", 0.9),
        ("评级调整", "funding_trouble", 0.85),
        ("高管负面", "executive_misconduct", 0.6),
    ],
)
def test_types_of_finance_news_are_recalled(data_dir: Path, theirs: str, ours: str, least: float) -> None:
    texts = [row["text"] for row in rows(data_dir, "crisis_types/ccks2019_finance_events") if row["type"] == theirs]
    found = classify(fold_all([clean(text) for text in texts[:400]]))
    assert sum(any(hit.type.value == ours for hit in hits) for hits in found) / len(found) >= least
