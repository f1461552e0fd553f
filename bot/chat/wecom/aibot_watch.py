"""Tells people elsewhere when the smart robot's groups hear nothing, and when they do again."""

from collections.abc import Sequence

from sqlite_utils import Database

from bot.clock import MINUTE, Clock
from bot.config import Config
from bot.delivery import outbox
from bot.model.message import Message
from bot.model.text import Text
from bot.store.database import Priority, Store
from bot.texts import render

CONNECTED = "connected"
PATIENCE = 5 * MINUTE  # a lost connection is usually back in seconds; a kicked or refused one needs a person


class AibotWatch:
    """``places`` are (destination, language) of chats other than the silent one."""

    def __init__(self, store: Store, clock: Clock, places: Sequence[tuple[str, str]]) -> None:
        self._store = store
        self._clock = clock
        self._places = places
        self._down_since = 0
        self._told = False

    async def state(self, word: str) -> None:
        """``connected``, or how the connection ended: ``lost``, ``kicked``, ``refused``. Says each outage once."""
        now = self._clock.now()
        if word == CONNECTED:
            told, self._told, self._down_since = self._told, False, 0
            if told:
                await self._say("back", now)
            return
        self._down_since = self._down_since or now
        if self._told or (word == "lost" and now - self._down_since < PATIENCE):
            return
        self._told = True
        await self._say(word, now)

    async def _say(self, what: str, now: int) -> None:
        def job(db: Database) -> None:
            for destination, language in self._places:
                words = render(Text(f"wecom.robot_{what}"), language)
                message = Message(destination, text=words, language=language, reason="smart_robot")
                outbox.enqueue(db, message, f"smart-robot:{what}:{now}:{destination}", now)

        await self._store.write(job, Priority.DELIVERY)


def places_beside(config: Config) -> list[tuple[str, str]]:
    """The console and Slack channels of those channels whose group would be silent."""
    found: dict[str, str] = {}
    for name, channel in config.channels.items():
        if not channel.wecom_group or name == "drill":
            continue
        for chat, address in (("console", channel.console), ("slack", channel.slack)):
            if address:
                found.setdefault(f"{chat}:{address}", config.channel_language(name))
    return list(found.items())
