"""A stored post together with what was found of it: what is looked at when a whole matter is analysed."""

from dataclasses import dataclass

from bot.model.grade import Carrier, Sentiment
from bot.model.post import Post


@dataclass(frozen=True, slots=True)
class Seen:
    """A stored post with what the analysis said of it. ``seq`` is its number in the store. ``story`` is its
    topic (what says the same, edited or not) and ``version`` the exact text that it copies within the topic; 0 for
    none."""

    seq: int
    post: Post
    story: int = 0
    version: int = 0
    family: str = ""
    sentiment: Sentiment = Sentiment.NEUTRAL
    carrier: Carrier = Carrier.ORDINARY
    influence: int = 0

    @property
    def at(self) -> int:
        return self.post.published_at
