"""The influence index of a matter: 0 to 100, the sum of five parts that are shown with it.

=========== ==== =====================================================================================
part        most formula
=========== ==== =====================================================================================
reach         30 ``30 * min(1, log10(1 + R) / 8)``, R = followers of everybody who posted (each account
                 once) + views: a hundred million fills it
engagement    20 ``20 * min(1, log10(1 + E) / 6)``, E = likes + 2 * comments + 4 * reposts
speed         20 ``20 * min(1, log10(1 + S) / 4)``, S = posts of the last hour
sentiment     15 ``15 * share of negative posts * min(1, posts / 20)``: three angry posts are no storm
carrier       15 ``15 *`` 0, 0.4, 0.6, 0.85, 1 for the heaviest carrier: ordinary, large account, trade
                 media, national media, hot-search list
=========== ==== =====================================================================================

Logarithms, for reach spans eight orders of magnitude. The weights are ours: reach first, because it bounds everything
that follows; carrier and mood last, because the grade weighs them already. A single post's influence is another figure
(``bot.analysis.influence``).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bot.model.grade import Carrier, Sentiment
from bot.model.seen import Seen

HOUR = 3_600_000
REACH, ENGAGEMENT, SPEED, SENTIMENT, CARRIER = 30, 20, 20, 15, 15
_CARRIED = {
    Carrier.ORDINARY: 0.0, Carrier.KOL: 0.4, Carrier.TRADE_MEDIA: 0.6, Carrier.NATIONAL_MEDIA: 0.85,
    Carrier.HOT_LIST: 1.0,
}  # fmt: skip
_ENOUGH_POSTS = 20


@dataclass(frozen=True, slots=True)
class InfluenceIndex:
    """The parts, each rounded; ``value`` is their sum."""

    reach: int = 0
    engagement: int = 0
    speed: int = 0
    sentiment: int = 0
    carrier: int = 0

    @property
    def value(self) -> int:
        return self.reach + self.engagement + self.speed + self.sentiment + self.carrier


def influence_index(seen: Sequence[Seen], now: int) -> InfluenceIndex:
    """The index of a matter's posts as of ``now``; all zero for none."""
    if not seen:
        return InfluenceIndex()
    followers: dict[str, int] = {}
    views = engagement = recent = negative = 0
    for one in seen:
        post = one.post
        account = post.author.id or f"\x1f{one.seq}"
        followers[account] = max(followers.get(account, 0), post.author.followers)
        views += max(0, post.engagement.views)
        engagement += post.engagement.likes + 2 * post.engagement.comments + 4 * post.engagement.reposts
        recent += now - HOUR < one.at <= now
        negative += one.sentiment is Sentiment.NEGATIVE
    weight = negative / len(seen) * min(1.0, len(seen) / _ENOUGH_POSTS)
    return InfluenceIndex(
        reach=_part(REACH, sum(followers.values()) + views, 8),
        engagement=_part(ENGAGEMENT, max(0, engagement), 6),
        speed=_part(SPEED, recent, 4),
        sentiment=round(SENTIMENT * weight),
        carrier=round(CARRIER * max(_CARRIED[one.carrier] for one in seen)),
    )


def _part(most: int, amount: int, digits: int) -> int:
    return round(most * min(1.0, math.log10(1 + amount) / digits))
