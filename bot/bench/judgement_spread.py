"""How well spread is measured and foretold, on recorded Weibo cascades."""

from collections.abc import Callable, Sequence
from pathlib import Path
from time import process_time

import numpy as np

from bot.analysis.cascade import Item, Tree, grow, pace, shape
from bot.analysis.cascade_size import expect
from bot.analysis.chain import Quoting, rebuild, shortened
from bot.bench import cascades, seismic
from bot.bench.cascades import Recorded
from bot.bench.judged import Judged, data_file, judged, peers
from bot.bench.result import Result

FROM = 10  # reposts in the first hour without which a cascade is not scored, as in work on the subject
TREE_RATE = 50_000


def spread(folder: Path) -> list[Judged]:
    data_file(folder, str(cascades.FILE))
    recorded = cascades.load(folder)
    return [*trees(recorded), *sizes(recorded)]


def trees(recorded: Sequence[Recorded]) -> list[Judged]:
    """Measures against a reference that walks every pair, parents found again in written chains, and the speed."""
    begun = process_time()
    grown = [grow(one.root, one.items) for one in recorded]
    for tree in grown:
        shape(tree)
        pace(tree, tree.items[-1].at)
    seconds = process_time() - begun
    exact = sum(_measured_right(tree) for tree in grown)
    count = sum(len(tree.items) for tree in grown)
    found = Result(judged("tree_exact", count=len(grown)), 100 * exact / len(grown), "%", at_least=100)
    return [
        Judged(found),
        Judged(Result(judged("chain_parents"), 100 * _found_again(recorded, grown, str), "%")),
        Judged(Result(judged("chain_shortened"), 100 * _found_again(recorded, grown, shortened), "%")),
        Judged(Result(judged("tree_rate"), count / seconds, "/s", at_least=TREE_RATE)),
    ]


def _measured_right(tree: Tree) -> bool:
    """Depth, descendants and structural virality against a table of all distances, filled from parent to child."""
    count = len(tree.items)
    children: list[list[int]] = [[] for _ in range(count)]
    for index in range(1, count):
        children[tree.parents[index]].append(index)
    order = [0]
    for index in order:
        order.extend(children[index])
    steps = np.zeros((count, count), dtype=np.int32)
    for place, index in enumerate(order[1:], 1):
        before = order[:place]
        steps[index, before] = steps[before, index] = steps[tree.parents[index], before] + 1
    below = np.zeros(count, dtype=np.int64)
    for index in reversed(order[1:]):
        below[tree.parents[index]] += below[index] + 1
    measured = shape(tree)
    virality = steps.sum(dtype=np.int64) / (count * (count - 1)) if count > 1 else 0.0
    return (
        measured.depth == int(steps[0].max())
        and list(tree.depths) == steps[0].tolist()
        and list(tree.descendants) == below.tolist()
        and abs(measured.virality - virality) < 1e-9
    )


def _found_again(recorded: Sequence[Recorded], grown: Sequence[Tree], naming: Callable[[str], str]) -> float:
    """The share of indirect reposts whose parent is found again when parents are taken away and each text quotes its
    chain as Weibo writes it; ``naming`` gives the names as they are stored."""
    right = total = 0
    for one, tree in zip(recorded, grown, strict=True):
        words = dict(zip((item.id for item in one.items), one.words, strict=True))
        chains: dict[int, str] = {0: ""}
        quoting, truth = [], {}
        for index in sorted(range(1, len(tree.items)), key=lambda number: tree.depths[number]):
            item, above = tree.items[index], tree.parents[index]
            said = words[item.id].split("//@")[0] or "转发微博"
            name = item.author
            chains[index] = said + (f"//@{tree.items[above].author}:{chains[above]}" if above else "")
            kept = Item(item.id, one.root.id, item.at, name=naming(name))
            quoting.append(Quoting(kept, chains[index]))
            truth[item.id] = tree.items[above].id
        for item in rebuild(Quoting(one.root, one.text), quoting):
            if not item.quoted and truth[item.id] != one.root.id:
                total += 1
                right += item.parent == truth[item.id]
    return right / max(1, total)


def sizes(recorded: list[Recorded]) -> list[Judged]:
    """The median relative error of the size foretold after one hour, held out by cascade, beside the baselines."""
    found = cascades.samples(recorded, 1.0, FROM)
    rows = []
    for target in ("final", "tomorrow"):
        truth = np.array([one.growth(target) for one in found])
        ours = cascades.median_error(cascades.held_out(found, target), truth)
        line = cascades.median_error(cascades.log_linear(found, target), truth)
        score = Result(judged(f"size_{target}", count=len(found)), 100 * ours, "%", at_most=100 * line)
        rows.append(Judged(score, peers("sizes", linear=f"{100 * line:.1f}")))
    endings = np.array([one.growth("final") for one in found])
    excited = cascades.median_error(seismic.held_out(found), endings)
    rows.append(Judged(Result(judged("size_seismic"), 100 * excited, "%"), peers("seismic")))
    inside = [
        expected.low <= one.sizes["tomorrow"] <= expected.high
        for one in found
        if (expected := expect(one.early)) is not None
    ]
    return [*rows, Judged(Result(judged("size_interval"), 100 * sum(inside) / len(inside), "%"))]
