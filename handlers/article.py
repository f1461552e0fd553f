"""The errand behind ``add <url>``: read the page, store it as a post, tell whoever asked."""

from collections.abc import Callable
from typing import Any

import aiohttp
from sqlite_utils import Database

from bot.clock import Clock
from bot.delivery import outbox
from bot.delivery.timers import Timer
from bot.incidents import words
from bot.model.incident import Actor
from bot.model.intake import content_id, iso
from bot.model.message import Message
from bot.model.text import Text
from bot.sources.article import extract
from bot.sources.base import SourceError
from bot.store import incidents as incident_store
from bot.texts import render
from handlers.registry import Services


def found_id(url: str, text: str) -> str:
    """The identity of a post that a member found: its address, else its words. Adding it twice is adding it once."""
    return content_id("manual", url, "" if url else text, 0)


class ArticleErrand:
    """``session`` is the bounded client for addresses that people give: it never reaches private ones."""

    def __init__(self, services: Services, clock: Clock, session: Callable[[], aiohttp.ClientSession]) -> None:
        self._services = services
        self._clock = clock
        self._session = session

    async def __call__(self, timer: Timer) -> Callable[[Database, int], None]:
        """Fetch; what cannot be read is stored as its link alone, and the member is told why."""
        payload = timer.payload
        cause: Text | None = None
        title, text, published_at = "", "", None
        try:
            title, text, published_at = await extract(self._session(), payload["url"], self._clock.now())
        except SourceError as error:
            cause = error.text

        def apply(db: Database, now: int) -> None:
            item: dict[str, Any] = {
                "id": found_id(payload["url"], ""), "url": payload["url"],
                "title": title or None, "text": text or title or payload["url"],
                "platform": payload["platform"], "kind": "article",
                "published_at": iso(published_at or payload["published_at"]),
            }  # fmt: skip
            taken = self._services.take_in(db, [item], "manual", payload["platform"], now)
            if payload["incident"] and incident_store.get(db, payload["incident"]):
                actor = Actor(**{**payload["actor"], "roles": frozenset(payload["actor"]["roles"])})
                shown = {"text": (title or text or payload["url"])[:200]}
                incident_store.note(db, payload["incident"], "post_added", now, actor, shown)
            self._tell(db, timer, payload, cause, taken.accepted, now)

        return apply

    def _tell(
        self, db: Database, timer: Timer, payload: dict[str, Any], cause: Text | None, accepted: int, now: int
    ) -> None:
        platform = words.platform(payload["platform"])
        answer = Text("done.add_stored", {"platform": platform, "n": accepted})
        if cause is not None:
            answer = Text("done.add_unread", {"url": payload["url"], "cause": cause})
        elif not accepted:
            answer = Text("done.add_known")
        message = Message(
            payload["destination"], text=render(answer, payload["language"]), audience=payload["audience"],
            reply=payload["reply"], language=payload["language"], reason="answer",
        )  # fmt: skip
        outbox.enqueue(db, message, f"article:{timer.id}", now)
