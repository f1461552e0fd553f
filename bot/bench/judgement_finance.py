"""Whom posts are about (CCF BDCI 2019) and kinds of bad news (CCKS 2019).

Five folds, near-duplicates always in the same one.
"""

from collections.abc import Iterator, Sequence, Set
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rensa import RMinHash, RMinHashLSH

from bot.analysis.text import clean, fold_all
from bot.bench.judged import Judged, data_rows, judged
from bot.bench.result import Result

FOLDS = 5
NEWS_TARGET, WHOM_TARGET, KINDS_TARGET = 93.0, 85.0, 65.0
_PERMUTATIONS, _BANDS, _ALIKE = 64, 16, 0.5


def whom(folder: Path) -> list[Judged]:
    from bot.analysis.training_whom import NamingPost, judged_names, train_whom
    from bot.analysis.whom import Whom

    posts = [
        NamingPost(row["text"], tuple(dict.fromkeys(row["entities"])), frozenset(row["about"]))
        for row in data_rows(folder, "crisis_types/bdci2019_finance_negative.jsonl.gz")
    ]
    folded = fold_all([clean(post.text) for post in posts])
    negative = Counts()
    about = Counts()
    for train, held in folds(clusters(folded)):
        judge = Whom(train_whom([posts[number] for number in train]))
        odds = judge.bad_news([folded[number] for number in held])
        for number, odd in zip(held, odds, strict=True):
            post = posts[number]
            negative.add({True} if odd > 0 else set(), {True} if post.about else set())
            about.add(judged_names(judge, post, folded[number]) if odd > 0 else set(), post.about)
    return [
        Judged(Result(judged("news", count=len(posts)), 100 * negative.f1, "%", at_least=NEWS_TARGET)),
        Judged(Result(judged("whom"), 100 * about.f1, "%", at_least=WHOM_TARGET)),
    ]


class Counts:
    """Hits, false and missed ones over many small sets, for one F1."""

    def __init__(self) -> None:
        self.right = self.false = self.missed = 0

    def add(self, said: Set[object], truth: Set[object]) -> None:
        self.right += len(said & truth)
        self.false += len(said - truth)
        self.missed += len(truth - said)

    @property
    def f1(self) -> float:
        found = 2 * self.right + self.false + self.missed
        return 2 * self.right / found if found else 0.0


def clusters(folded: Sequence[str]) -> list[int]:
    """A cluster number per text: texts alike (MinHash of character 3-grams, from 0.5 on) share one, also by way of
    a third."""
    parents = list(range(len(folded)))

    def root(number: int) -> int:
        while parents[number] != number:
            parents[number] = parents[parents[number]]
            number = parents[number]
        return number

    index = RMinHashLSH(threshold=_ALIKE, num_perm=_PERMUTATIONS, num_bands=_BANDS)
    marks: list[RMinHash] = []
    for number, text in enumerate(folded):
        mark = RMinHash(num_perm=_PERMUTATIONS, seed=1)
        mark.update([text[at : at + 3] for at in range(max(1, len(text) - 2))])
        marks.append(mark)
        for other in index.query(mark):
            if marks[other].jaccard(mark) >= _ALIKE:
                parents[root(number)] = root(other)
        index.insert(number, mark)
    return [root(number) for number in range(len(folded))]


def folds(groups: Sequence[int]) -> Iterator[tuple[list[int], list[int]]]:
    """(training, held) numbers per fold; the largest groups are dealt first, each into the smallest fold."""
    found, sizes = np.unique(np.array(groups), return_counts=True)
    fold_of: dict[int, int] = {}
    filled: npt.NDArray[np.int64] = np.zeros(FOLDS, dtype=np.int64)
    for place in np.argsort(-sizes, kind="stable").tolist():
        smallest = int(filled.argmin())
        fold_of[int(found[place])] = smallest
        filled[smallest] += sizes[place]
    assigned = [fold_of[group] for group in groups]
    for fold in range(FOLDS):
        train = [number for number, other in enumerate(assigned) if other != fold]
        yield train, [number for number, other in enumerate(assigned) if other == fold]


def kinds(folder: Path) -> list[Judged]:
    """CCKS 2019: macro F1 over its kinds, every text with all of its kinds."""
    from bot.analysis.kinds import Kinds
    from bot.analysis.training_kinds import train_kinds

    found = headlines(folder)
    folded = fold_all([clean(text) for text in found])
    truth = list(found.values())
    counts: dict[str, Counts] = {kind: Counts() for each in truth for kind in sorted(each)}
    for train, held in folds(clusters(folded)):
        judge = Kinds(train_kinds([folded[number] for number in train], [truth[number] for number in train]))
        for number, odds in zip(held, judge.odds([folded[number] for number in held]), strict=True):
            said = {kind for kind, odd in zip(judge.kinds, odds, strict=True) if odd > 0}
            for kind, count in counts.items():
                count.add(said & {kind}, truth[number] & {kind})
    rare = [kind for kind, count in counts.items() if count.right + count.missed < FOLDS]
    scores = {kind: count.f1 for kind, count in counts.items()}
    judgeable = [score for kind, score in scores.items() if kind not in rare]
    macro = Result(
        judged("kinds", count=len(found), kinds=len(judgeable)),
        100 * sum(judgeable) / len(judgeable),
        "%",
        at_least=KINDS_TARGET,
    )
    everything = Result(judged("kinds_all", kinds=len(scores)), 100 * sum(scores.values()) / len(scores), "%")
    return [Judged(macro), Judged(everything)]


def headlines(folder: Path) -> dict[str, frozenset[str]]:
    """Each text once, with all its kinds."""
    found: dict[str, set[str]] = {}
    for row in data_rows(folder, "crisis_types/ccks2019_finance_events.jsonl.gz"):
        found.setdefault(row["text"], set()).add(row["type"])
    return {text: frozenset(each) for text, each in found.items()}
