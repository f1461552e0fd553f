"""How well copies are found among recorded posts, and how fast and in how much memory over a long stream."""

import hashlib
import itertools
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import process_time

from bot.analysis.stories import signatures
from bot.analysis.story_index import StoryIndex, shared
from bot.analysis.text import clean, fold_all
from bot.bench import cascades
from bot.bench.judged import Judged, data_file, judged, peers
from bot.bench.result import Result

COPY, TARGET = 0.8, 97.0
STREAM, RATE, MEMORY = 1_000_000, 10_000, 400  # posts, posts a second, megabytes
BATCH = 1_000
_EDITED, _COPIED = 0.15, 0.35  # of the stream; what people pass on
_PAGE = 4_096


def stories(folder: Path) -> list[Judged]:
    data_file(folder, str(cascades.FILE))
    recorded = cascades.load(folder)
    texts = [words for one in recorded for words in (one.text, *one.words) if len(words) >= 12]
    return [*copies([one.text for one in recorded]), *stream(texts)]


def copies(texts: Sequence[str]) -> list[Judged]:
    """Pairs that share a story, against all pairs whose texts, as collected, are alike enough."""
    placed = _placed(texts)
    everyone = list(itertools.combinations(range(len(texts)), 2))
    truth = {pair for pair in everyone if texts[pair[0]] and shared(texts[pair[0]], texts[pair[1]]) >= COPY}
    found = {(one, other) for one, other in everyone if placed[one] and placed[one] == placed[other]}
    prints = [_simhash(text) for text in texts]
    near = sum((prints[one] ^ prints[other]).bit_count() <= 3 for one, other in truth)
    right = len(found & truth)
    precision = Result(
        judged("copies_precision", count=len(truth)), 100 * right / max(1, len(found)), "%", at_least=TARGET
    )
    recall = Result(judged("copies_recall"), 100 * right / max(1, len(truth)), "%", at_least=TARGET)
    return [Judged(precision), Judged(recall, peers("simhash", recall=f"{100 * near / max(1, len(truth)):.0f}"))]


def stream(texts: Sequence[str]) -> list[Judged]:
    """A million posts of recorded words: new ones, copies, edited ones."""
    fold_all(["。"])  # its tables are made once a process
    index, ids = StoryIndex(), itertools.count(1)
    begun_at, half_at, seconds = _resident(), 0.0, 0.0
    for number, batch in enumerate(_batches(texts)):
        begun = process_time()
        for mark, text in zip(signatures(fold_all([clean(text) for text in batch])), batch, strict=True):
            if mark:
                index.add(mark, text, number * 1_000, ids.__next__)
        seconds += process_time() - begun
        index.changes()
        if number == STREAM // BATCH // 2:
            half_at = _resident()
    ended_at = _resident()
    rate = Result(judged("stream_rate", count=f"{STREAM:,}"), STREAM / seconds, "/s", at_least=RATE)
    return [
        Judged(rate),
        Judged(Result(judged("stream_memory"), ended_at - begun_at, "MB", at_most=MEMORY)),
        Judged(Result(judged("stream_growth"), max(0.0, ended_at - half_at), "MB")),
    ]


def _placed(texts: Sequence[str]) -> list[int]:
    index, ids = StoryIndex(), itertools.count(1)
    marks = signatures(fold_all([clean(text) for text in texts]))
    return [
        index.add(mark, text, 0, ids.__next__).story if mark else 0 for mark, text in zip(marks, texts, strict=True)
    ]


def _batches(texts: Sequence[str]) -> Iterator[list[str]]:
    """The same stream every time. A new post is two recorded texts, so that a million are not the same few."""
    chance = random.Random(20_250_910)
    recent = list(texts[:BATCH])
    for _ in range(STREAM // BATCH):
        batch = []
        for _ in range(BATCH):
            kind = chance.random()
            if kind < _COPIED:
                text = chance.choice(recent)
            elif kind < _COPIED + _EDITED:
                text = chance.choice(recent)
                at = chance.randrange(len(text))
                text = text[:at] + "！" + text[at + 2 :]
            else:
                text = f"{chance.choice(texts)} {chance.choice(texts)}"[:300]
                recent[chance.randrange(len(recent))] = text
            batch.append(text)
        yield batch


def _resident() -> float:
    """Megabytes that the process holds now; 0 where the system does not tell (it has no /proc)."""
    file = Path("/proc/self/statm")
    return int(file.read_text().split()[1]) * _PAGE / 1e6 if file.is_file() else 0.0


def _simhash(text: str) -> int:
    """The usual fingerprint, as the peer it is measured against."""
    lanes = [0] * 64
    for start in range(max(1, len(text) - 2)):
        digest = int.from_bytes(hashlib.blake2b(text[start : start + 3].encode(), digest_size=8).digest())
        for lane in range(64):
            lanes[lane] += 1 if digest >> lane & 1 else -1
    return sum(1 << lane for lane in range(64) if lanes[lane] > 0)
