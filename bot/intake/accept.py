"""Taking posts in: read strictly, minimise, store once."""

import reprlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlite_utils import Database

from bot.intake.minimise import Minimiser
from bot.model.intake import PostError, parse_post
from bot.model.post import Post
from bot.store import posts, source_states

SHOWN_CHARACTERS = 2_000
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 500


@dataclass(slots=True)
class Reading:
    """A batch as read: what can be stored, and what cannot with the place and the reason."""

    posts: list[Post] = field(default_factory=list)
    rejected: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a batch. ``rejected`` holds (index, error)."""

    accepted: int
    duplicates: int
    rejected: tuple[tuple[int, str], ...] = ()


def read(
    items: Sequence[Any], minimiser: Minimiser, *, source: str, platform: str, now: int, drill: str = ""
) -> Reading:
    """Check a batch without touching the store; a bad item is reported and does not stop the others."""
    reading = Reading()
    for index, item in enumerate(items):
        try:
            reading.posts.append(
                minimiser.post(parse_post(item, source=source, platform=platform, now=now, drill=drill))
            )
        except PostError as error:
            reading.rejected.append((index, str(error)))
    return reading


def keep(db: Database, reading: Reading, items: Sequence[Any], source: str, now: int) -> Accepted:
    """Store a reading in the caller's transaction, with the refused items for somebody to look at."""
    stored = posts.store(db, reading.posts, now)
    refused = reading.rejected[-source_states.REJECTED_KEPT :]
    source_states.reject(db, source, [(_shown(items[index]), error) for index, error in refused], now)
    return Accepted(stored.accepted, stored.duplicates, tuple(reading.rejected))


def _shown(item: Any) -> str:
    """A refused item as JSON, cut to what a person looks at; whatever is in it, showing it must not fail."""
    try:
        return orjson.dumps(item, default=str).decode()[:SHOWN_CHARACTERS]
    except (TypeError, ValueError, RecursionError):  # lone surrogates, numbers beyond 64 bits, endless nesting
        return ascii(_SHORT.repr(item))[:SHOWN_CHARACTERS]
