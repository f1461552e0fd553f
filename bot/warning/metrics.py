"""What is measured of one subject and story family in its last minutes, from stored counts alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bot.model.grade import Carrier
from bot.store.counts import Bucket, TermCount

WINDOW_MINUTES = 120  # the longest window that is read minute by minute
HOUR_MINUTES = 60
SPEED_MINUTES = 30
# A platform counts as reached once two negative posts stand there: one is a person, two are a spread.
PLATFORM_MINIMUM = 2
EXAMPLES = 5


@dataclass(slots=True)
class Measured:
    """Counts of one family (or of all) at one moment. ``negative_before`` is the window before the speed window."""

    negative: int = 0
    mentions: int = 0
    negative_recent: int = 0
    negative_before: int = 0
    engagement: int = 0
    platforms: dict[str, int] = field(default_factory=dict)
    carrier: Carrier = Carrier.ORDINARY
    carrier_post: int = 0
    carriers: int = 0
    examples: list[tuple[int, int]] = field(default_factory=list)
    types: dict[str, int] = field(default_factory=dict)
    words: dict[str, int] = field(default_factory=dict)
    negative_day: int = 0
    burst: float = 0.0  # 0–1: how much of an alarm the last hour's negative posts are against all earlier hours

    @property
    def reached(self) -> list[str]:
        """Platforms with a spread of negative posts, most first."""
        found = [(count, name) for name, count in self.platforms.items() if count >= PLATFORM_MINIMUM]
        return [name for _, name in sorted(found, reverse=True)]

    @property
    def example_posts(self) -> tuple[int, ...]:
        """Sequence numbers of the most influential negative posts."""
        return tuple(post for _, post in sorted(self.examples, reverse=True)[:EXAMPLES])


def measure(
    buckets: Iterable[Bucket],
    terms: Iterable[TermCount],
    day: Sequence[tuple[str, int, int, int]],
    families: frozenset[str] | None,
    minute: int,
) -> Measured:
    """Add up what belongs to ``families`` (None: all) as of ``minute``; ``day`` holds the last 24 hours' rows."""
    result = Measured()
    carriers: set[int] = set()
    for bucket in buckets:
        if families is not None and bucket.family not in families:
            continue
        age = minute - bucket.minute
        if not 0 <= age < WINDOW_MINUTES:
            continue
        if bucket.carrier > result.carrier:
            result.carrier, result.carrier_post = Carrier(bucket.carrier), bucket.carrier_post
        if bucket.carrier >= Carrier.TRADE_MEDIA:
            carriers.add(bucket.carrier_post)
        negative = bucket.sentiment < 0
        if age < HOUR_MINUTES:
            result.mentions += bucket.count
            if negative:
                result.negative += bucket.count
                result.engagement += bucket.engagement
                result.platforms[bucket.platform] = result.platforms.get(bucket.platform, 0) + bucket.count
                if bucket.top_post:
                    result.examples.append((bucket.top_influence, bucket.top_post))
        if negative:
            if age < SPEED_MINUTES:
                result.negative_recent += bucket.count
            elif age < 2 * SPEED_MINUTES:
                result.negative_before += bucket.count
    result.carriers = len(carriers)
    for term in terms:
        if term.kind not in {"type", "word"}:
            continue  # feelings are shown, not judged
        if families is None or term.family in families:
            target = result.types if term.kind == "type" else result.words
            target[term.word] = target.get(term.word, 0) + term.count
    result.negative_day = sum(row[3] for row in day if families is None or row[0] in families)
    return result
