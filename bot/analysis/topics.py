"""The topics of a matter: what is being said, in how many wordings, where first, and how it moved between platforms."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.analysis.spread import Arrival
from bot.model.grade import Sentiment
from bot.model.seen import Seen

HOUR = 3_600_000


@dataclass(frozen=True, slots=True)
class Topic:
    """``posts`` that say the same in ``versions`` wordings; ``recent`` of them in the last hour. ``first`` is the
    earliest, ``arrivals`` the first on each platform, in the order of time."""

    id: int
    posts: int
    versions: int
    negative: int
    recent: int
    first: Seen
    arrivals: tuple[Arrival, ...]


def topics_of(seen: Sequence[Seen], now: int) -> list[Topic]:
    """The topics of these posts, most posts first; posts without one (too short) are left out."""
    members: dict[int, list[Seen]] = {}
    for one in sorted(seen, key=lambda one: (one.at, one.seq)):
        if one.story:
            members.setdefault(one.story, []).append(one)
    found = [_topic(id_, ordered, now) for id_, ordered in members.items()]
    return sorted(found, key=lambda topic: (-topic.posts, topic.first.at, topic.id))


def _topic(id_: int, ordered: Sequence[Seen], now: int) -> Topic:
    origin = ordered[0].post.platform
    first: dict[str, Seen] = {}
    counts: dict[str, int] = {}
    for one in ordered:
        first.setdefault(one.post.platform, one)
        counts[one.post.platform] = counts.get(one.post.platform, 0) + 1
    return Topic(
        id=id_,
        posts=len(ordered),
        versions=len({one.version for one in ordered}),
        negative=sum(one.sentiment is Sentiment.NEGATIVE for one in ordered),
        recent=sum(now - HOUR < one.at <= now for one in ordered),
        first=ordered[0],
        arrivals=tuple(
            Arrival(name, one, counts[name], "" if name == origin else origin) for name, one in first.items()
        ),
    )
