"""Hints that posts may be steered ("water army"): many accounts, the same words, the same minute.

A hint is a reason to look, never a finding: a slogan, a fan club and a news ticker look alike. It says what was seen
and how it was counted, and names nobody.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bot.analysis.cascade import busiest
from bot.analysis.chain import parse
from bot.analysis.text import clean, fold_all
from bot.model.seen import Seen

MINUTE = 60_000
LEAST_ACCOUNTS = 5
"""Accounts that say the same within a minute before it is worth a word."""

SMALL_FOLLOWERS = 50
_SHORTEST = 8  # characters of own words: everybody writes "转发微博", "支持" or an emoji
_NUMBERED = re.compile(r"^(.{1,12}?)[\d_]{3,}$")  # 用户83921745, momo_0031: a stem and a running number
_MOST_HINTS = 3
_DOMINANT = 0.6


@dataclass(frozen=True, slots=True)
class Hint:
    """``accounts`` different accounts wrote the same ``words`` within the minute from ``at``, ``posts`` times all in
    all in the matter. ``small`` of them have fewer than ``SMALL_FOLLOWERS`` followers, ``alike`` have a name of one
    stem with a number (0 where names are stored shortened: then nobody can tell). ``signs`` are what made it a hint."""

    words: str
    platforms: tuple[str, ...]
    at: int
    accounts: int
    posts: int
    small: int
    alike: int
    signs: tuple[str, ...]


def hints(seen: Sequence[Seen]) -> list[Hint]:
    """At most three hints, most accounts first. Same words and same minute are needed; few followers or names alike
    must come to it, for many people do repeat a sentence."""
    own = [parse(one.post.text)[0] for one in seen]
    folded = fold_all([clean(words)[:400] for words in own])
    groups: dict[str, list[Seen]] = {}
    shown: dict[str, str] = {}
    for one, words, text in zip(seen, folded, own, strict=True):
        key = "".join(filter(str.isalnum, words))
        if len(key) >= _SHORTEST:
            groups.setdefault(key, []).append(one)
            shown.setdefault(key, text)
    found = [hint for key, group in groups.items() if (hint := _hint(shown[key], group)) is not None]
    return sorted(found, key=lambda hint: (-hint.accounts, hint.at, hint.words))[:_MOST_HINTS]


def _hint(words: str, group: Sequence[Seen]) -> Hint | None:
    by_account: dict[str, Seen] = {}
    for one in sorted(group, key=lambda one: (one.at, one.seq)):
        if one.post.author.id:
            by_account.setdefault(one.post.author.id, one)
    if len(by_account) < LEAST_ACCOUNTS:
        return None
    firsts = list(by_account.values())
    times = np.array([one.at for one in firsts], dtype=np.int64)
    count, start = busiest(times, MINUTE)
    if count < LEAST_ACCOUNTS:
        return None
    together = [one for one in firsts if start <= one.at < start + MINUTE]
    small = sum(one.post.author.followers < SMALL_FOLLOWERS and not one.post.author.verified for one in together)
    alike = _alike([one.post.author.name or "" for one in together])
    signs = ["same_minute"]
    signs += ["small_accounts"] if small >= _DOMINANT * count else []
    signs += ["names_alike"] if alike >= _DOMINANT * count else []
    if len(signs) == 1:
        return None
    platforms = tuple(sorted({one.post.platform for one in together}))
    return Hint(words, platforms, start, count, len(group), small, alike, tuple(signs))


def _alike(names: Sequence[str]) -> int:
    """How many names share the commonest stem before a number."""
    stems: dict[str, int] = {}
    for name in names:
        if match := _NUMBERED.match(name[:40]):
            stem = match[1].lower()
            stems[stem] = stems.get(stem, 0) + 1
    return max(stems.values(), default=0)
