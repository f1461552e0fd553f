"""What every way of collecting has in common: a poll gives a batch of posts and the cursor for the next poll."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from bot.model.text import Text

# How much of a refused item is kept for the person who mends the mapping.
KEPT_OF_REJECTED = 4_000


@dataclass(frozen=True, slots=True)
class Batch:
    """The yield of one poll.

    ``items`` are post objects in the one JSON form (see ``bot.model.intake``), not yet read strictly. ``cursor`` is
    JSON and replaces the old one only together with the stored items. ``rejected`` are (item as JSON, what is wrong
    with it). ``retry_after`` is the least wait in milliseconds that the other side asked for. ``more`` says that there
    is a rest to fetch at once.
    """

    items: tuple[dict[str, Any], ...] = ()
    cursor: Mapping[str, Any] = field(default_factory=dict)
    rejected: tuple[tuple[str, str], ...] = ()
    retry_after: int | None = None
    more: bool = False


class SourceError(Exception):
    """A poll failed. ``code`` is stable, ``text`` says what happened and what to do.

    ``retry_after`` is the wait in milliseconds the other side asked for. ``permanent``: trying again will not help
    until somebody changes the configuration or the account.
    """

    def __init__(self, code: str, text: Text, retry_after: int | None = None, permanent: bool = False) -> None:
        super().__init__(f"{code}: {dict(text.params)}")
        self.code = code
        self.text = text
        self.retry_after = retry_after
        self.permanent = permanent


def problem(code: str, *, retry_after: int | None = None, permanent: bool = False, **params: Any) -> SourceError:
    """A ``SourceError`` whose words stand in the catalogue under ``sources.<code>``."""
    return SourceError(code, Text(f"sources.{code}", params), retry_after, permanent)


def oldest_first(items: Iterable[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    """Items in the order they happened. Lists show the newest first, so of two in one second the later stands first."""
    newest_first = list(items)
    # Without the Z, a whole second sorts before its own milliseconds.
    return tuple(sorted(reversed(newest_first), key=lambda item: str(item["published_at"]).rstrip("Z")))


class Source(Protocol):
    """One configured source that is asked again and again."""

    @property
    def id(self) -> str: ...

    @property
    def platform(self) -> str: ...

    async def poll(self, cursor: Mapping[str, Any], now: int) -> Batch:
        """Fetch what came since ``cursor`` (empty at first). Raises ``SourceError``."""
        ...
