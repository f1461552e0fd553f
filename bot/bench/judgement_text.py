"""How well the mood of posts is judged: SMP2020-EWECT, three classes, trained without what is scored."""

from collections.abc import Sequence
from pathlib import Path
from time import process_time

from bot.analysis.crisis_types import classify
from bot.analysis.sentiment import HashedNgrams, engine_named, weigh_types
from bot.analysis.text import clean, fold_all
from bot.analysis.training import Sample, macro_f1, train
from bot.bench.judged import Judged, judged, peers
from bot.bench.mood_data import labelled, training_data, without
from bot.bench.result import Result
from bot.model.grade import Sentiment

VIRUS_TARGET, USUAL_TARGET, RECALL_TARGET, RATE_TARGET = 80.0, 76.0, 85.0, 50_000
_FOLDED = 20_000
_GROUPS = 10


def sentiment(folder: Path) -> list[Judged]:
    """Both evaluation sets and the speed of the shipped weights."""
    posts = labelled(folder, "ewect_virus_train")
    rows: list[Judged] = []
    for name, target in (("virus", VIRUS_TARGET), ("usual", USUAL_TARGET)):
        held = without(labelled(folder, f"ewect_{name}_eval"), posts)
        engine = HashedNgrams(train(*training_data(folder, held)))
        rows += _scores(name, engine, held, target)
    return [*rows, Judged(Result(judged("sentiment_rate"), _rate(posts), "/s", at_least=RATE_TARGET), peers("snownlp"))]


def _scores(name: str, engine: HashedNgrams, held: Sequence[Sample], target: float) -> list[Judged]:
    folded = fold_all([clean(sample.text) for sample in held])
    said, scores = weigh_types(*engine.score(folded), classify(folded))
    truth = [sample.label for sample in held]
    negative = [guess for guess, right in zip(said, truth, strict=True) if right is Sentiment.NEGATIVE]
    recall = 100 * negative.count(Sentiment.NEGATIVE) / max(1, len(negative))
    score = Result(judged(f"sentiment_{name}", count=len(held)), 100 * macro_f1(truth, said), "%", at_least=target)
    return [
        Judged(score, peers("ewect") if name == "virus" else None),
        Judged(Result(judged(f"recall_{name}"), recall, "%", at_least=RECALL_TARGET)),
        Judged(Result(judged(f"reliability_{name}"), reliability(truth, scores), "")),
    ]


def reliability(truth: Sequence[Sentiment], scores: Sequence[float]) -> float:
    """How far the score is from what it should be, on average over ten equal groups by score: a calibrated score is
    the share of positive posts less that of negative ones among posts with that score."""
    value = {Sentiment.NEGATIVE: -1.0, Sentiment.NEUTRAL: 0.0, Sentiment.POSITIVE: 1.0}
    pairs = sorted(zip(scores, (value[label] for label in truth), strict=True))
    size = max(1, -(-len(pairs) // _GROUPS))
    off = 0.0
    for start in range(0, len(pairs), size):
        group = pairs[start : start + size]
        off += abs(sum(score - right for score, right in group))
    return off / max(1, len(pairs))


def _rate(samples: Sequence[Sample]) -> float:
    engine = engine_named("ngrams")
    folded = fold_all([clean(sample.text) for sample in samples])
    folded = (folded * (_FOLDED // max(1, len(folded)) + 1))[:_FOLDED]
    engine.score(folded)
    best = 0.0
    for _ in range(3):
        begun = process_time()
        engine.score(folded)
        best = max(best, len(folded) / (process_time() - begun))
    return best
