"""Parents rebuilt from quotation chains: ``own words//@B: words of B//@A: words of A``.

Weibo hands out the root of a repost but not the post it was made from; the chain in the text says through whom it came.
A link is matched to a collected post by the name and by the words; where nobody collected it, a *quoted* item stands in
for it, so that depth and carriers are right even though the post itself was never seen. Names of private accounts are
stored shortened (``王**``), so a name alone is weak evidence and the words decide.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.analysis.cascade import Item

MOST_LINKS = 32
"""Links of a chain that are followed; longer ones are somebody's joke or an attack."""

MOST_QUOTED = 20_000
"""Quoted items that one cascade is given; from there on a repost hangs below its nearest collected ancestor."""

TEXT_LIMIT = 4_000
_LINK = re.compile(r"//[ \t]{0,4}@([^:：@/\s]{1,40})[ \t]{0,4}[:：]")
_WORDS = 40  # characters of a post's own words that are compared
_BARE = frozenset({"", "转发微博", "转发", "轉發微博", "repost", "rt"})
_SHORTENED = "**"


@dataclass(frozen=True, slots=True)
class Link:
    """One ``//@name: words`` of a chain."""

    name: str
    words: str


@dataclass(frozen=True, slots=True)
class Quoting:
    """A repost to be placed: its item and its whole text."""

    item: Item
    text: str


def parse(text: str) -> tuple[str, tuple[Link, ...]]:
    """``(own words, links)``, nearest link first, at most ``MOST_LINKS`` of them. Linear in the text, which is cut at
    ``TEXT_LIMIT`` characters first."""
    text = text[:TEXT_LIMIT]
    if "//" not in text:
        return text.strip(), ()
    pieces = _LINK.split(text, maxsplit=MOST_LINKS)
    links = tuple(Link(pieces[at], pieces[at + 1].strip()) for at in range(1, len(pieces), 2))
    return pieces[0].strip(), links


def shortened(name: str) -> str:
    """A private account's name as it is stored."""
    return name[:1] + _SHORTENED


def rebuild(root: Quoting, quoting: Sequence[Quoting]) -> list[Item]:
    """The items with their parents taken from the chains, and a quoted item for every link that nobody collected.

    ``quoting`` are the reposts of ``root``. One whose parent is another of them keeps it; the others are placed by
    their chain, below the root where there is none. A parent found in a chain is never later than what quotes it. Same
    input, same output in any order.
    """
    known = _Known()
    ids = {one.item.id for one in quoting}
    ordered = sorted(quoting, key=lambda one: (one.item.at, one.item.id))
    parsed = [parse(one.text) for one in ordered]
    placed: list[Item] = []
    for one, (own, links) in zip(ordered, parsed, strict=True):
        item = one.item
        if item.parent not in ids or item.parent == item.id:
            item = replace(item, parent=_parent(known, root, links, item, placed))
        placed.append(item)
        known.add(item, own, links)
    return placed


class _Known:
    """Reposts placed so far, by name and words and by name alone; the newest of several."""

    def __init__(self) -> None:
        self._exact: dict[tuple[str, str, str], str] = {}
        self._spoken: dict[tuple[str, str], str] = {}
        self._named: dict[str, str] = {}
        self.quoted = 0

    def add(self, item: Item, own: str, links: Sequence[Link]) -> None:
        if not item.name:
            return
        words, following = _key(own), _following(links)
        self._exact[item.name, words, following] = item.id
        if words:
            self._spoken[item.name, words] = item.id
        if _SHORTENED not in item.name:
            self._named[item.name] = item.id

    def find(self, link: Link, rest: Sequence[Link]) -> str | None:
        """The post behind a link: same name, same words, itself quoting the same one; then name and words; then a
        public name alone."""
        words, following = _key(link.words), _following(rest)
        for name in (link.name, shortened(link.name)):
            found = self._exact.get((name, words, following)) or (words and self._spoken.get((name, words)))
            if found:
                return found
        return self._named.get(link.name) if not words else None


def _is_root(root: Quoting, link: Link) -> bool:
    """Weibo leaves the source out of the chain, other collectors write it at the end."""
    if link.name == root.item.name:
        return True
    words = _key(link.words)
    return shortened(link.name) == root.item.name and (not words or words == _key(parse(root.text)[0]))


def _parent(known: _Known, root: Quoting, links: Sequence[Link], item: Item, placed: list[Item]) -> str:
    """The id of the parent; makes the quoted items that are missing on the way to it."""
    missing: list[tuple[Link, Sequence[Link]]] = []
    parent = root.item.id
    for number, link in enumerate(links):
        if _is_root(root, link):
            break
        found = known.find(link, links[number + 1 :])
        if found is not None:
            parent = found
            break
        missing.append((link, links[number + 1 :]))
    if known.quoted + len(missing) > MOST_QUOTED:
        return parent
    known.quoted += len(missing)
    for link, rest in reversed(missing):
        ghost = Item(
            f"{item.id}\x1f{len(rest)}", parent, item.at, name=shortened(link.name), platform=item.platform, quoted=True
        )  # fmt: skip
        placed.append(ghost)
        known.add(replace(ghost, name=link.name), link.words, rest)
        parent = ghost.id
    return parent


def _key(words: str) -> str:
    plain = words.strip(" .。!！…，,").lower()
    return "" if plain in _BARE else plain[:_WORDS]


def _following(links: Sequence[Link]) -> str:
    return f"{links[0].name}\x1f{_key(links[0].words)}" if links else ""
