"""How a matter spread: cascades, the way across platforms, who carried it, what to expect. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bot.analysis.cascade import HOUR, Pace, Shape, pace, shape
from bot.analysis.cascade_size import Early, Expected, expect
from bot.analysis.cascades import COMMENT, Cascade, cascades_of, sources_of
from bot.analysis.hints import Hint, hints
from bot.analysis.influence_index import InfluenceIndex, influence_index
from bot.model.grade import GENERAL_FAMILY, Sentiment
from bot.model.seen import Seen

QUIET = 6 * HOUR
"""A pause of this length before an incident opened: what lies beyond it was another matter."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """The first post of the matter on a platform. ``words_from`` is the platform where the same words stood before,
    empty where they are its own; ``posts`` how many followed there, itself included."""

    platform: str
    first: Seen
    posts: int
    words_from: str = ""


@dataclass(frozen=True, slots=True)
class Bridge:
    """A post that brought one story to a platform it had not reached; ``followed`` is how many posts of the story came
    there after it."""

    story: int
    words_from: str
    post: Seen
    followed: int


@dataclass(frozen=True, slots=True)
class Spread:
    """All there is to say; ``shape`` and ``pace`` are of the largest cascade, None without one. ``expected`` are its
    reposts a day from now."""

    posts: int
    first_at: int
    last_at: int
    negative: int
    arrivals: tuple[Arrival, ...]
    bridges: tuple[Bridge, ...]
    cascades: tuple[Cascade, ...]
    shape: Shape | None
    pace: Pace | None
    expected: Expected | None
    hints: tuple[Hint, ...]
    index: InfluenceIndex


def matter(seen: Sequence[Seen], family: str, opened_at: int) -> list[Seen]:
    """Which of a subject's posts belong to a matter, in the order of time: those of its family (negative ones where the
    family is the general one), and whatever carries on, answers or repeats one of them. Before the opening it reaches
    back to the last pause of ``QUIET``."""
    ordered = sorted(seen, key=lambda one: (one.at, one.seq))
    general = family == GENERAL_FAMILY
    core = {
        one.seq for one in ordered
        if (one.sentiment is Sentiment.NEGATIVE if general else one.family == family)
    }  # fmt: skip
    stories = {one.story for one in ordered if one.seq in core and one.story}
    sources = sources_of(ordered)
    carried = {sources[seq] for seq in core}
    chosen = [one for one in ordered if sources[one.seq] in carried or one.story in stories]
    return chosen[_beginning(chosen, opened_at) :]


def spread_of(seen: Sequence[Seen], now: int) -> Spread:
    """How these posts spread, as of ``now``."""
    ordered = sorted(seen, key=lambda one: (one.at, one.seq))
    cascades = cascades_of(ordered)
    largest = cascades[0] if cascades else None
    return Spread(
        posts=len(ordered),
        first_at=ordered[0].at if ordered else 0,
        last_at=ordered[-1].at if ordered else 0,
        negative=sum(one.sentiment is Sentiment.NEGATIVE for one in ordered),
        arrivals=tuple(_arrivals(ordered)),
        bridges=tuple(_bridges(ordered)),
        cascades=tuple(cascades),
        shape=shape(largest.tree) if largest else None,
        pace=pace(largest.tree, now) if largest else None,
        expected=expected_size(largest, now) if largest else None,
        hints=tuple(hints([one for one in ordered if one.post.kind != COMMENT])),
        index=influence_index(ordered, now),
    )


def expected_size(cascade: Cascade, now: int) -> Expected | None:
    """How many reposts the source will have a day from now. Where the platform shows more reposts than were collected,
    what was collected tells the growth and the platform's figure the size."""
    source = cascade.collected_root
    if source is None:
        return None
    started = cascade.root.at
    times = np.array(sorted(max(0, item.at - started) for item in cascade.tree.items[1:] if item.at <= now))
    direct = sum(depth == 1 for depth in cascade.tree.depths) / max(1, cascade.tree.size)
    author = source.post.author
    early = Early(times.astype(np.int64), max(0, now - started), started, author.followers, author.verified, direct)
    found = expect(early)
    if found is None or cascade.stated <= found.now:
        return found
    more = cascade.stated / found.now
    return Expected(cascade.stated, round(found.middle * more), round(found.low * more), round(found.high * more))


def _beginning(ordered: Sequence[Seen], opened_at: int) -> int:
    """Where the last long pause before the opening ends. A pause counts only before the opening."""
    begin = 0
    for index in range(1, len(ordered)):
        if ordered[index].at > opened_at:
            break
        if ordered[index].at - ordered[index - 1].at > QUIET:
            begin = index
    return begin


def _arrivals(ordered: Sequence[Seen]) -> list[Arrival]:
    first: dict[str, Seen] = {}
    counts: dict[str, int] = {}
    told: dict[int, str] = {}  # where a story stood first
    words_from: dict[str, str] = {}
    for one in ordered:
        platform = one.post.platform
        counts[platform] = counts.get(platform, 0) + 1
        if platform not in first:
            first[platform] = one
            words_from[platform] = told.get(one.story, "") if one.story else ""
        if one.story:
            told.setdefault(one.story, platform)
    return [Arrival(name, one, counts[name], words_from[name]) for name, one in first.items()]


def _bridges(ordered: Sequence[Seen]) -> list[Bridge]:
    """First posts of stories on platforms that the story had not reached, those that much followed first."""
    reached: dict[int, dict[str, tuple[Seen, int]]] = {}
    for one in ordered:
        if one.story:
            places = reached.setdefault(one.story, {})
            first, count = places.get(one.post.platform, (one, -1))
            places[one.post.platform] = (first, count + 1)
    found = []
    for story, places in reached.items():
        origin, *later = places
        found += [Bridge(story, origin, *places[platform]) for platform in later]
    return sorted(found, key=lambda bridge: (-bridge.followed, bridge.post.at, bridge.post.seq))
