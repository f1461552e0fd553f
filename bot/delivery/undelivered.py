"""A chat refused a message for good: it stands on the incident's timeline and in the console."""

from sqlite_utils import Database

from bot.config import Config
from bot.delivery import outbox
from bot.delivery.outbox import Row
from bot.model.incident import SYSTEM
from bot.model.message import Message, masked
from bot.model.text import Text
from bot.store import incidents as incident_store
from bot.texts import render


class Undelivered:
    def __init__(self, config: Config) -> None:
        self._config = config

    def note(self, db: Database, row: Row, error: str, now: int) -> None:
        """In the transaction that gives the message up."""
        object_ = row.message.object or row.message.thread
        told = {"destination": masked(row.message.destination), "error": error[:200]}
        if object_.startswith("incident:") and incident_store.get(db, object_.partition(":")[2]):
            incident_store.note(db, object_.partition(":")[2], "undelivered", now, SYSTEM, told)
        if row.message.chat == "console" or row.message.reason == "customer_notice":
            return  # a customer who cannot be reached is counted with their notice, without an address
        for name, channel in self._config.channels.items():
            if channel.console and name != "drill":
                language = self._config.channel_language(name)
                notice = Message(
                    f"console:{channel.console}", text=render(Text("announce.undelivered", told), language),
                    language=language, reason="undelivered",
                )  # fmt: skip
                outbox.enqueue(db, notice, f"undelivered:{row.key}", now)
                return
