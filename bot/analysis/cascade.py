"""One cascade: a post and everything that carried it on, as a tree, and exact measures of that tree.

Collected cascades are dirty: the same repost twice, a repost whose parent nobody collected, posts that name themselves
or each other as their parent, any order. ``grow`` makes a tree of all of it and counts what it had to mend. Everything
is linear or n log n in the number of posts and iterative, so that a chain of a hundred thousand breaks nothing.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

HOUR = 3_600_000
ROOT = 0


@dataclass(frozen=True, slots=True)
class Item:
    """A post as its cascade sees it. ``at`` in Unix milliseconds; ``quoted``: known only from another's quotation
    (``//@name:``), so that its moment is the latest it can have been."""

    id: str
    parent: str | None
    at: int
    author: str = ""
    name: str = ""
    followers: int = 0
    platform: str = ""
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Mended:
    """What was wrong with a cascade as collected: items left out because their id was there already, items hung below
    the root because their parent was not collected or because they were their own ancestors."""

    duplicates: int = 0
    missing_parents: int = 0
    cycles: int = 0


@dataclass(frozen=True, slots=True)
class Tree:
    """``items[0]`` is the root, the others follow in time (then by id). ``parents[i]`` is an index, -1 for the root;
    ``depths[i]`` the steps from the root; ``descendants[i]`` how many items stand below."""

    items: tuple[Item, ...]
    parents: tuple[int, ...]
    depths: tuple[int, ...]
    descendants: tuple[int, ...]
    mended: Mended

    @property
    def size(self) -> int:
        """How often the root was carried on: all items but itself."""
        return len(self.items) - 1

    @property
    def depth(self) -> int:
        return max(self.depths)

    def breadths(self) -> list[int]:
        """How many items stand at each depth, from the root's one."""
        counts = Counter(self.depths)
        return [counts[depth] for depth in range(self.depth + 1)]

    def direct(self) -> list[int]:
        """How many items carry each item on directly."""
        counts = Counter(self.parents)
        return [counts[index] for index in range(len(self.items))]


@dataclass(frozen=True, slots=True)
class Shape:
    """``virality`` is the structural virality: the mean number of steps between two items of the tree, all pairs taken.
    2 or a little less is a broadcast (a star), more is word passed from hand to hand; 0 for a lone root.

    Source: Goel, Anderson, Hofman, Watts, "The Structural Virality of Online Diffusion", Management Science 62(1),
    2016: ``1 / (n (n - 1)) * sum over i, j of d(i, j)``. In a tree every edge lies on s (n - s) of the paths, where s
    items stand below it: an exact sum without looking at pairs.
    """

    size: int
    depth: int
    breadth: int
    mean_depth: float
    virality: float
    direct_share: float


@dataclass(frozen=True, slots=True)
class Pace:
    """Reposts an hour: in the first hour after the root, in the last hour before ``now``, and in the busiest hour,
    which began at ``peak_at``. ``half_at`` is when half of what is known had happened; 0 for a lone root."""

    first_hour: int
    last_hour: int
    peak: int
    peak_at: int
    half_at: int


def grow(root: Item, items: Sequence[Item]) -> Tree:
    """The tree of ``root`` with ``items`` in any order; ``root`` among them, or an id seen again, is left out. Of
    items with one id the earliest stays."""
    kept: dict[str, Item] = {}
    for item in sorted(items, key=lambda item: (item.at, item.id)):
        if item.id != root.id:
            kept.setdefault(item.id, item)
    ordered = (root, *kept.values())
    place = {item.id: index for index, item in enumerate(ordered)}
    parents = np.zeros(len(ordered), dtype=np.int64)
    missing = 0
    for index in range(1, len(ordered)):
        parent = ordered[index].parent
        found = place.get(parent) if parent else ROOT
        if found is None:
            missing += 1
            found = ROOT
        parents[index] = found
    cycles = _cut_cycles(parents)
    depths = _depths(parents)
    descendants = _descendants(parents, depths)
    parents[ROOT] = -1
    mended = Mended(len(items) - len(kept), missing, cycles)
    return Tree(ordered, tuple(parents.tolist()), tuple(depths.tolist()), tuple(descendants), mended)


def shape(tree: Tree) -> Shape:
    """The measures of a tree, exact."""
    count = len(tree.items)
    if count == 1:
        return Shape(0, 0, 0, 0.0, 0.0, 0.0)
    below = [number + 1 for number in tree.descendants[1:]]
    paths = sum(size * (count - size) for size in below)
    return Shape(
        size=tree.size,
        depth=tree.depth,
        breadth=max(tree.breadths()[1:]),
        mean_depth=sum(tree.depths) / tree.size,
        virality=2 * paths / (count * (count - 1)),
        direct_share=tree.depths.count(1) / tree.size,
    )


def pace(tree: Tree, now: int) -> Pace:
    """How fast it is carried on. What stands before the root in time (wrong clocks) counts as its first moment."""
    if tree.size == 0:
        return Pace(0, 0, 0, tree.items[ROOT].at, 0)
    start = tree.items[ROOT].at
    times = np.maximum(np.fromiter((item.at for item in tree.items[1:]), dtype=np.int64, count=tree.size), start)
    times.sort()
    peak, peak_at = busiest(times, HOUR)
    return Pace(
        first_hour=int(np.searchsorted(times, start + HOUR, side="left")),
        last_hour=int(np.count_nonzero((times > now - HOUR) & (times <= now))),
        peak=peak,
        peak_at=peak_at,
        half_at=int(times[(tree.size - 1) // 2]),
    )


def busiest(times: npt.NDArray[np.int64], span: int) -> tuple[int, int]:
    """``(most events in any half-open window of span, where the first such window begins)`` of sorted times."""
    if not len(times):
        return 0, 0
    inside = np.searchsorted(times, times + span, side="left") - np.arange(len(times))
    first = int(np.argmax(inside))
    return int(inside[first]), int(times[first])


def key_carriers(tree: Tree, most: int, least: int = 2) -> list[int]:
    """Who carried it on: indexes of the items (never the root) with the most descendants, at least ``least``; equal
    ones by followers, then by time."""
    ranked = [index for index in range(1, len(tree.items)) if tree.descendants[index] >= least]
    ranked.sort(key=lambda index: (-tree.descendants[index], -tree.items[index].followers, index))
    return ranked[:most]


def largest_accounts(tree: Tree, most: int, least: int = 1) -> list[int]:
    """The reposting accounts with the most followers, once each (by author, else by item), by their first repost."""
    ranked = sorted(range(1, len(tree.items)), key=lambda index: (-tree.items[index].followers, index))
    chosen: dict[str, int] = {}
    for index in ranked:
        item = tree.items[index]
        if item.followers < least or len(chosen) >= most:
            break
        chosen.setdefault(item.author or item.id, index)
    return list(chosen.values())


def _cut_cycles(parents: npt.NDArray[np.int64]) -> int:
    """Hang the earliest item of every cycle below the root, in place; how many there were. The root is its own parent
    here, so that jumping from parent to parent ends there."""
    ancestors = parents.copy()
    for _ in range(len(parents).bit_length()):
        if not ancestors.any():
            return 0
        ancestors = ancestors[ancestors]
    cut = 0
    settled = ancestors == ROOT
    for start in np.flatnonzero(~settled).tolist():
        path: list[int] = []
        seen: set[int] = set()
        index = start
        while not settled[index] and index not in seen:
            seen.add(index)
            path.append(index)
            index = int(parents[index])
        if not settled[index]:
            parents[min(path[path.index(index) :])] = ROOT
            cut += 1
        settled[path] = True
    return cut


def _depths(parents: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Steps to the root by pointer doubling: as many rounds as the depth has binary digits."""
    depths: npt.NDArray[np.int64] = (np.arange(len(parents)) != ROOT).astype(np.int64)
    ancestors = parents.copy()
    while ancestors.any():
        depths += depths[ancestors]
        ancestors = ancestors[ancestors]
    return depths


def _descendants(parents: npt.NDArray[np.int64], depths: npt.NDArray[np.int64]) -> list[int]:
    below = [0] * len(parents)
    above = parents.tolist()
    for index in np.argsort(-depths, kind="stable").tolist():
        if index != ROOT:
            below[above[index]] += below[index] + 1
    return below
