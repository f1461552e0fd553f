"""What complaints concentrate on: one product, version, place or branch whose posts use a word far more than others.

For a thing and a word the posts fall into four boxes (with and without each). The lift is how many times as often the
word appears with the thing as without it; Fisher's exact test, one-sided, says how likely chance gives as many or more.
All pairs that were looked at share one error (Bonferroni), so that looking long enough finds nothing by itself.
"""

import math
from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass

from bot.model.text import Text

Thing = tuple[str, str]
"""(kind, name), as ``bot.analysis.entities`` and ``bot.analysis.names`` give them."""

KINDS = frozenset({"product", "version", "place", "organisation", "person"})
LEAST_TOGETHER = 4
LEAST_LIFT = 2.0
ERROR = 0.01
_MOST_THINGS, _MOST_WORDS = 60, 60


@dataclass(frozen=True, slots=True)
class Association:
    """``together`` of ``with_thing`` posts that name the thing use the word, ``elsewhere`` of the ``others``.
    ``chance`` is the one-sided p times the pairs looked at."""

    thing: Thing
    word: str
    together: int
    with_thing: int
    elsewhere: int
    others: int
    chance: float

    @property
    def lift(self) -> float:
        """Infinite where the word appears with the thing alone."""
        share = self.together / self.with_thing
        base = self.elsewhere / self.others if self.others else 0.0
        return share / base if base else math.inf

    @property
    def reason(self) -> Text:
        params: dict[str, object] = {
            "word": self.word,
            "thing": self.thing[1],
            "together": self.together,
            "of": self.with_thing,
        }
        if math.isinf(self.lift):
            return Text("association.only", params)
        lift = round(self.lift) if self.lift >= 3 else round(self.lift, 1)
        return Text("association.times", params | {"times": lift})


def associations(posts: Sequence[tuple[Set[Thing], Set[str]]], most: int = 3) -> list[Association]:
    """The strongest associations of (things named, complaint words) per post, surest first. A post counts once."""
    things: Counter[Thing] = Counter()
    words: Counter[str] = Counter()
    pairs: Counter[tuple[Thing, str]] = Counter()
    for named, said in posts:
        usable = [thing for thing in named if thing[0] in KINDS]
        things.update(usable)
        words.update(said)
        pairs.update((thing, word) for thing in usable for word in said if word not in thing[1])
    frequent = {thing for thing, count in things.most_common(_MOST_THINGS) if count >= LEAST_TOGETHER}
    said_often = {word for word, count in words.most_common(_MOST_WORDS) if count >= LEAST_TOGETHER}
    looked_at = max(1, len(frequent) * len(said_often))
    total = len(posts)
    found = []
    for (thing, word), together in pairs.items():
        if together < LEAST_TOGETHER or thing not in frequent or word not in said_often:
            continue
        with_thing, elsewhere = things[thing], words[word] - together
        chance = min(1.0, looked_at * at_least(together, with_thing, words[word], total))
        association = Association(thing, word, together, with_thing, elsewhere, total - with_thing, chance)
        if chance <= ERROR and association.lift >= LEAST_LIFT:
            found.append(association)
    return sorted(found, key=lambda each: (each.chance, -each.together, each.thing, each.word))[:most]


def at_least(together: int, with_thing: int, with_word: int, total: int) -> float:
    """The chance of ``together`` or more of ``with_thing`` drawn posts to be among the ``with_word`` of ``total``:
    the upper tail of the hypergeometric distribution (Fisher's exact test)."""
    most = min(with_thing, with_word)
    return min(
        1.0, sum(math.exp(_log_chance(each, with_thing, with_word, total)) for each in range(together, most + 1))
    )


def _log_chance(together: int, with_thing: int, with_word: int, total: int) -> float:
    if together < with_thing + with_word - total:
        return -math.inf
    return (
        _log_choose(with_word, together)
        + _log_choose(total - with_word, with_thing - together)
        - _log_choose(total, with_thing)
    )


def _log_choose(whole: int, part: int) -> float:
    if not 0 <= part <= whole:
        return -math.inf
    return math.lgamma(whole + 1) - math.lgamma(part + 1) - math.lgamma(whole - part + 1)
