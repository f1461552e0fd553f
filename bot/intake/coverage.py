"""Blind spots: a source that goes silent, fails or never came is an alert of its own and named on live incidents."""

from sqlite_utils import Database

from bot.config import Config
from bot.delivery import outbox
from bot.incidents import words
from bot.incidents.notices import DRILL_CHANNEL, live_destinations
from bot.incidents.service import Incidents
from bot.model.message import Message
from bot.model.text import Text
from bot.texts import render

BLIND = frozenset({"silent", "failing", "missing"})


class Coverage:
    def __init__(self, config: Config, incidents: Incidents) -> None:
        self._config = config
        self._incidents = incidents
        self._sources = {source.id: source for source in config.sources}

    def changed(self, db: Database, source_id: str, old: str, new: str, reason: Text, now: int) -> None:
        """A source's health changed: say so in the channels and on the live incidents, in the same transaction."""
        source = self._sources.get(source_id)
        if source is None or not ((old in BLIND) ^ (new in BLIND)):
            return
        for name, channel in self._config.channels.items():
            if name == DRILL_CHANNEL:
                continue
            language = self._config.channel_language(name)
            params = {
                "source": source_id, "platform": words.platform(source.platform or source.kind),
                "source_health": Text(f"health.{new}"), "reason": reason,
            }  # fmt: skip
            text = Text("announce.source_health" if new in BLIND else "announce.source_back", params)
            for destination in live_destinations(channel):
                message = Message(destination, text=render(text, language), language=language, reason="coverage")
                outbox.enqueue(db, message, f"coverage:{source_id}:{new}:{now}:{destination}", now)
        self._incidents.sources_changed(db, now)
