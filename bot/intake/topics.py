"""Topics that merge or split: written down, and said on the timeline of the incidents they are about."""

from collections.abc import Sequence

from sqlite_utils import Database

from bot.analysis.story_index import Merge, Split
from bot.model.incident import SYSTEM
from bot.store import incidents as incident_store
from bot.store import stories
from bot.store.stories import TopicNow

WORTH = 10
"""Posts that both parts must have: that one wording joined another is no news."""

_WORDS = 30


def apply(db: Database, changes: Sequence[Merge | Split], now: int) -> None:
    """Follow the index, in the order in which it happened."""
    for change in changes:
        if isinstance(change, Merge):
            kept, gone = stories.topic_now(db, change.kept), stories.topic_now(db, change.gone)
            stories.merge(db, change.kept, change.gone)
            _say(db, "topics_merged", kept, gone, now)
        else:
            stories.split(db, change.new, change.stories)
            _say(db, "topic_split", stories.topic_now(db, change.old), stories.topic_now(db, change.new), now)


def _say(db: Database, kind: str, one: TopicNow | None, other: TopicNow | None, now: int) -> None:
    if one is None or other is None or min(one.posts, other.posts) < WORTH:
        return
    for subject in sorted(one.subjects & other.subjects):
        for incident in incident_store.live(db, subject=subject, drill=one.drill):
            params = {
                "one": one.id, "one_posts": one.posts, "one_words": _short(one.words),
                "other": other.id, "other_posts": other.posts, "other_words": _short(other.words),
            }  # fmt: skip
            incident_store.note(db, incident.id, kind, now, SYSTEM, params)


def _short(words: str) -> str:
    plain = " ".join(words.split())
    return plain if len(plain) <= _WORDS else plain[:_WORDS] + "…"
