"""Posts that say nothing of a subject, only use its name: advertising, lotteries, job posts.

Written signs, no training: two weak ones or a strong one make noise, and a word of trouble takes it back, so that a
complaint about a lottery stays a complaint. The signs stand in ``noise.yaml``.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources

import re2

from bot import quick_yaml

LIMIT = 500
"""Characters that are looked at."""

_ENOUGH = 2


class Noise(StrEnum):
    NONE = ""
    ADVERTISING = "advertising"
    LOTTERY = "lottery"
    JOB = "job"


@dataclass(frozen=True, slots=True)
class _Signs:
    """One filter over all signs; per number of a sign the kind and what it counts, nothing for what takes back."""

    filter: re2.Filter
    counts: tuple[tuple[Noise, int], ...]


@functools.cache
def _signs() -> _Signs:
    data = quick_yaml.load(resources.files("bot.analysis").joinpath("noise.yaml").read_text(encoding="utf-8"))
    found = re2.Filter()
    counts: list[tuple[Noise, int]] = []

    def add(patterns: Sequence[str], kind: Noise, count: int) -> None:
        for pattern in patterns:
            found.Add(pattern)
            counts.append((kind, count))

    for kind in (Noise.ADVERTISING, Noise.LOTTERY, Noise.JOB):
        add(data[kind.value]["strong"], kind, 2)
        add(data[kind.value]["weak"], kind, 1)
    add(data["never"], Noise.NONE, 0)
    found.Compile()
    return _Signs(found, tuple(counts))


def noise(folded: str) -> Noise:
    """The kind of noise a folded text is, or ``NONE``. RE2: linear in the text whatever it holds."""
    signs = _signs()
    totals: dict[Noise, int] = {}
    for number in signs.filter.Match(folded[:LIMIT].encode("utf-8", "replace")) or ():
        kind, count = signs.counts[number]
        if kind is Noise.NONE:
            return Noise.NONE
        totals[kind] = totals.get(kind, 0) + count
    best = max(totals, key=lambda kind: (totals[kind], kind), default=Noise.NONE)
    return best if totals.get(best, 0) >= _ENOUGH else Noise.NONE
