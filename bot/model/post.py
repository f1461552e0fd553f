"""A post as collected, and what the analysis says of it.

All times inside Fengbo are whole Unix milliseconds in UTC (``int``, names end in ``_at``); ISO 8601 exists only
at the edges (JSON, cards, logs).
"""

from dataclasses import dataclass, field

from bot.model.grade import Carrier, CrisisType, Sentiment


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote a post. ``id`` is the platform's id before minimisation and a keyed hash after it."""

    id: str | None = None
    name: str | None = None
    followers: int = 0
    verified: bool = False


@dataclass(frozen=True, slots=True)
class Engagement:
    views: int = 0
    likes: int = 0
    reposts: int = 0
    comments: int = 0

    @property
    def total(self) -> int:
        """Actions that cost the reader something: likes, reposts and comments, not views."""
        return self.likes + self.reposts + self.comments


@dataclass(frozen=True, slots=True)
class Post:
    """One item of a source. ``id`` is unique within ``source``; ``kind`` is post, repost, comment, article, review,
    video, ticket or hot_topic. ``drill`` is the drill's id, or empty for the real world."""

    id: str
    source: str
    platform: str
    text: str
    published_at: int
    kind: str = "post"
    url: str | None = None
    title: str | None = None
    author: Author = Author()
    parent_id: str | None = None
    root_id: str | None = None
    engagement: Engagement = Engagement()
    location: str | None = None
    drill: str = ""

    @property
    def content(self) -> str:
        """Title and text as one string, the text alone where the title only repeats it."""
        return content_of(self.title, self.text)


def content_of(title: str | None, text: str) -> str:
    """The content of a post with this title and text."""
    if not title or text.startswith(title):
        return text
    return f"{title}\n{text}" if text else title


@dataclass(frozen=True, slots=True)
class TypeHit:
    """A crisis type found in a post: weight 0–1 and the words that decided, as they stand in the post."""

    type: CrisisType
    weight: float
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Analysis:
    """What the pure analysis says of one post.

    ``sentiment_score`` runs from -1 (surely negative) to 1 (surely positive). ``subjects`` are ids of the matching
    keyword rules with the words that matched. ``signature`` is the near-duplicate signature (see
    ``bot.analysis.stories``), empty for texts too short to have one. ``influence`` is 0–100. ``spared`` are those of
    ``subjects`` that a negative post names without being negative about them. ``noise`` is
    advertising, lottery or job for a post that only uses the name, else empty. ``emotion`` is
    anger, fear or sadness for a negative post about a subject.
    """

    language: str
    subjects: tuple[tuple[str, tuple[str, ...]], ...] = ()
    sentiment: Sentiment = Sentiment.NEUTRAL
    sentiment_score: float = 0.0
    types: tuple[TypeHit, ...] = ()
    entities: tuple[tuple[str, str], ...] = ()
    signature: bytes = b""
    carrier: Carrier = Carrier.ORDINARY
    influence: int = 0
    spared: tuple[str, ...] = ()
    noise: str = ""
    emotion: str = ""

    def sentiment_about(self, subject: str) -> Sentiment:
        """What the post says of one of its subjects."""
        return Sentiment.NEUTRAL if subject in self.spared else self.sentiment

    def types_about(self, subject: str) -> tuple[TypeHit, ...]:
        """The crisis is not that of a bystander."""
        return () if subject in self.spared else self.types

    @property
    def primary_type(self) -> CrisisType:
        return self.types[0].type if self.types else CrisisType.OTHER


@dataclass(frozen=True, slots=True)
class KeywordRule:
    """What a subject's posts contain. Words fold case, width and script; see ``bot.analysis.keywords``."""

    any: tuple[str, ...] = ()
    all: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    regex: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """What is watched. ``kind`` is own, competitor, policy or industry; ``sensitive`` any of money, safety, law,
    minors; ``watch`` are words whose frequency is a signal of its own."""

    id: str
    name: str
    rule: KeywordRule
    kind: str = "own"
    industry: str = "general"
    sensitive: tuple[str, ...] = ()
    watch: tuple[str, ...] = ()
    channel: str = ""
    aliases: tuple[str, ...] = field(default=())
