"""Whom posts are about (CCF BDCI 2019): five folds, near-duplicates always in the same one."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rensa import RMinHash, RMinHashLSH

from bot.analysis.text import clean, fold_all
from bot.bench.judged import Judged, data_rows, judged
from bot.bench.result import Result

FOLDS = 5
NEWS_TARGET, WHOM_TARGET = 93.0, 85.0
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

    def add(self, said: frozenset[object] | set[object], truth: frozenset[object] | set[object]) -> None:
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
