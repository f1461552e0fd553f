"""Pure analysis on one core: posts a second end to end with JSON, and sentiment alone."""

import gzip
import io
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from time import process_time
from typing import BinaryIO, cast

import orjson

from bot.analysis.jsonl import analyse_lines
from bot.analysis.pipeline import Analyser
from bot.analysis.sentiment import engine_named
from bot.analysis.text import clean, fold_and_language
from bot.bench import scene
from bot.bench.result import Result, named
from bot.bench.texts import NAMING, talk
from bot.memory import settle_memory
from bot.model.post import KeywordRule, Subject

COUNT = 20_000
NOW = 1_790_000_000_000
SUBJECTS = 20
LENGTH = 60
ROUNDS = 3


def run(data: Path | None) -> list[Result]:
    texts = _recorded(data) or talk(COUNT)
    subjects = [
        Subject(f"s{number}", scene.name_of(number), KeywordRule(any=(scene.name_of(number),)))
        for number in range(SUBJECTS)
    ]
    for index in range(0, len(texts), 100 // NAMING):
        texts[index] = f"{scene.name_of(index % SUBJECTS)}{texts[index]}"
    lines = b"\n".join(
        orjson.dumps({"id": str(number), "text": text, "published_at": 1_757_500_000 + number, "platform": "weibo"})
        for number, text in enumerate(texts)
    )
    analyser = Analyser(subjects)
    settle_memory()  # as `fengbo analyse` does before its first line

    def whole() -> None:
        stream = cast(BinaryIO, io.BytesIO(lines))
        for _ in analyse_lines(stream, analyser, now=NOW, on_error=lambda number, error: None):
            pass

    folded, _ = fold_and_language([clean(text) for text in texts])
    engine = engine_named("ngrams")
    return [
        Result(named("analysis_rate", length=_mean(texts)), _rate(whole, len(texts)), "/s", at_least=15_000),
        Result(named("sentiment_rate"), _rate(lambda: engine.score(folded), len(texts)), "/s", at_least=80_000),
    ]


def _rate(work: Callable[[], object], count: int) -> float:
    """The best of a few rounds after a first one, by the processor time used: what one core does when it is ours."""
    work()
    best = 0.0
    for _ in range(ROUNDS):
        begun = process_time()
        work()
        best = max(best, count / (process_time() - begun))
    return best


def _recorded(data: Path | None) -> list[str]:
    """Recorded texts of 50 to 70 characters."""
    file = data / "cascades" / "weibo_reposts.jsonl.gz" if data else None
    if file is None or not file.is_file():
        return []
    texts: list[str] = []
    with gzip.open(file, "rb") as stream:
        for line in stream:
            for repost in orjson.loads(line)["reposts"]:
                if LENGTH - 10 <= len(repost["text"] or "") <= LENGTH + 10:
                    texts.append(repost["text"])
            if len(texts) >= COUNT:
                break
    return [text for text, _ in zip(cycle(texts), range(COUNT), strict=False)]


def _mean(texts: list[str]) -> int:
    return round(sum(map(len, texts)) / max(1, len(texts)))
