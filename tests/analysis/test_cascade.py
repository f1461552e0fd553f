"""Trees of reposts: measured as a simple reference measures them, whatever was collected."""

import random
from collections import Counter, deque

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.analysis.cascade import HOUR, Item, Tree, busiest, grow, key_carriers, largest_accounts, pace, shape

ROOT = Item("r", None, 0, "u0", "源头", 10)


def items(*pairs: tuple[str, str | None], step: int = 60_000) -> list[Item]:
    return [Item(name, parent, (number + 1) * step) for number, (name, parent) in enumerate(pairs)]


def by_walking(tree: Tree) -> tuple[list[int], list[int], float]:
    """Depths, descendants and structural virality by breadth-first walks between all pairs."""
    neighbours: list[list[int]] = [[] for _ in tree.items]
    for index, parent in enumerate(tree.parents):
        if parent >= 0:
            neighbours[index].append(parent)
            neighbours[parent].append(index)
    count = len(tree.items)
    total, depths = 0, [0] * count
    for start in range(count):
        steps = {start: 0}
        queue = deque([start])
        while queue:
            here = queue.popleft()
            for other in neighbours[here]:
                if other not in steps:
                    steps[other] = steps[here] + 1
                    queue.append(other)
        assert len(steps) == count, "a tree hangs together"
        total += sum(steps.values())
        if start == 0:
            depths = [steps[index] for index in range(count)]
    below = [0] * count
    for index in range(count):
        ancestor = tree.parents[index]
        while ancestor >= 0:
            below[ancestor] += 1
            ancestor = tree.parents[ancestor]
    return depths, below, total / (count * (count - 1)) if count > 1 else 0.0


NAMES = st.sampled_from([*"abcdefghij", "r", "gone"])
DIRTY = st.lists(
    st.builds(Item, NAMES, st.none() | NAMES, st.integers(-5, 20), followers=st.integers(0, 3)), max_size=25
)


@given(DIRTY)
def test_whatever_was_collected_is_a_tree_measured_as_by_walking(collected: list[Item]) -> None:
    tree = grow(ROOT, collected)
    depths, below, virality = by_walking(tree)
    measured = shape(tree)
    assert list(tree.depths) == depths and list(tree.descendants) == below
    assert measured.virality == pytest.approx(virality, abs=1e-12)
    assert measured.depth == max(depths) and measured.size == len({item.id for item in collected} - {"r"})
    counts = Counter(depths)
    assert tree.breadths() == [counts[depth] for depth in range(max(depths) + 1)]
    assert tree.direct() == [tree.parents.count(index) for index in range(len(tree.items))]


@given(DIRTY, st.randoms())
def test_the_order_of_collection_changes_nothing(collected: list[Item], chance: random.Random) -> None:
    distinct = list({item.id: item for item in collected}.values())
    mixed = list(distinct)
    chance.shuffle(mixed)
    assert grow(ROOT, mixed) == grow(ROOT, distinct)


def test_a_parent_that_was_collected_is_kept_and_one_that_was_not_is_counted() -> None:
    tree = grow(ROOT, items(("a", "r"), ("b", "a"), ("c", "lost"), ("a", "b"), ("d", None)))
    assert [item.id for item in tree.items] == ["r", "a", "b", "c", "d"]
    assert tree.parents == (-1, 0, 1, 0, 0)
    assert (tree.mended.duplicates, tree.mended.missing_parents, tree.mended.cycles) == (1, 1, 0)


def test_a_cycle_is_cut_at_its_earliest_post_and_the_rest_stays() -> None:
    tree = grow(ROOT, items(("a", "a"), ("b", "d"), ("c", "b"), ("d", "c"), ("e", "d")))
    assert tree.parents == (-1, 0, 0, 2, 3, 4), "a and b hang below the root, c, d and e where they were"
    assert tree.mended.cycles == 2


def test_a_broadcast_and_a_chain_have_the_virality_of_the_paper() -> None:
    star = shape(grow(ROOT, items(*((str(number), "r") for number in range(99)))))
    assert star.virality == pytest.approx(2 * 99 / 100) and (star.depth, star.breadth, star.direct_share) == (1, 99, 1)
    chain = shape(grow(ROOT, items(*((str(number), str(number - 1) if number else "r") for number in range(99)))))
    assert chain.virality == pytest.approx(101 / 3), "(n + 1) / 3 for a path of n"
    assert (chain.depth, chain.breadth, chain.mean_depth) == (99, 1, 50)


def test_a_lone_post_has_no_shape_and_no_pace() -> None:
    tree = grow(ROOT, [])
    assert (shape(tree).size, shape(tree).virality, pace(tree, HOUR).peak) == (0, 0, 0)
    assert key_carriers(tree, 3) == largest_accounts(tree, 3) == []


def test_a_chain_of_a_hundred_thousand_is_no_trouble() -> None:
    chain = items(*((str(number), str(number - 1) if number else "r") for number in range(100_000)))
    assert shape(grow(ROOT, chain)).depth == 100_000
    ring = [Item(str(number), str((number + 1) % 50_000), number + 1) for number in range(50_000)]
    assert grow(ROOT, ring).mended.cycles == 1


def test_the_pace_is_of_the_first_the_last_and_the_busiest_hour() -> None:
    moments = [-5, 10, 20, 60, 121, 122, 123, 124, 130, 400]
    tree = grow(ROOT, [Item(str(minute), "r", minute * 60_000) for minute in moments])
    found = pace(tree, 420 * 60_000)
    assert (found.first_hour, found.last_hour, found.peak, found.peak_at) == (3, 1, 5, 121 * 60_000)
    assert found.half_at == 121 * 60_000


@given(st.lists(st.integers(0, 60), max_size=30).map(sorted), st.integers(1, 20))
def test_the_busiest_window_is_the_busiest_of_all(times: list[int], span: int) -> None:
    counts = [sum(start <= time < start + span for time in times) for start in times] or [0]
    assert busiest(np.array(times, dtype=np.int64), span)[0] == max(counts)


def test_key_carriers_are_ranked_by_what_followed_and_accounts_by_followers() -> None:
    tree = grow(ROOT, [
        Item("a", "r", 1, "u1", followers=50), Item("b", "a", 2, "u2", followers=900_000),
        Item("c", "a", 3, "u3"), Item("d", "c", 4, "u4"), Item("e", "c", 5, "u2", followers=900_000),
        Item("f", "r", 6, "u5", followers=1),
    ])  # fmt: skip
    assert [tree.items[index].id for index in key_carriers(tree, 5)] == ["a", "c"]
    assert [tree.items[index].id for index in largest_accounts(tree, 2)] == ["b", "a"]
