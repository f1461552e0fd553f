"""What a statement says, and to whom: its card in the incident's thread, sentences below it, a card to every voter."""

from collections.abc import Callable, Iterable, Sequence

from sqlite_utils import Database

from bot.config import Config, PersonConfig
from bot.delivery import outbox
from bot.incidents import people
from bot.incidents.notices import Notices, drill_destinations, object_of
from bot.model.card import Card
from bot.model.incident import Incident
from bot.model.message import Message
from bot.model.statement import Statement
from bot.model.text import Text
from bot.statements.cards import StatementCards
from bot.texts import render

PERSONAL_CHATS = ("slack", "wecom", "console")
Receipts = Callable[[Database, Statement, str], Sequence[str]]


class StatementNotices:
    """Every method enqueues inside the transaction of the change it tells of."""

    def __init__(self, config: Config, notices: Notices, cards: StatementCards, receipts: Receipts) -> None:
        self._config = config
        self._notices = notices
        self._cards = cards
        self._receipts = receipts

    def card(self, db: Database, statement: Statement, language: str, now: int) -> Card:
        return self._cards(db, statement, language, now, receipts=self._receipts(db, statement, language))

    def show(self, db: Database, statement: Statement, incident: Incident, now: int, *, reason: str = "") -> None:
        """Bring the card up to date where the incident's card stands and wherever the statement's stands already."""
        known = {place.destination.partition("#")[0] for place in self._notices.places(db, incident, now)}
        made: dict[str, Card] = {}
        for place in self._notices.places(db, incident, now):
            self._enqueue(
                db, statement, incident, place.destination, place.language, made, now, reason, place.not_before
            )
        for destination in outbox.placements(db, _object(statement)):
            if destination not in known:
                language = self._language_at(destination)
                self._enqueue(db, statement, incident, destination, language, made, now, "")

    def ask(
        self, db: Database, statement: Statement, incident: Incident, persons: Iterable[str], now: int, *, reason: str
    ) -> None:
        """The card to each voter, one to one, in every chat they have."""
        made: dict[str, Card] = {}
        for person in self._persons(persons):
            for destination in self._addresses(person, statement):
                self._enqueue(db, statement, incident, destination, self._language(person), made, now, reason)

    def say(
        self, db: Database, statement: Statement, incident: Incident, text: Text, now: int, *, key: str, reason: str,
        call: Iterable[str] = (),
    ) -> None:  # fmt: skip
        """A sentence in the incident's thread, once per ``key``; people called are mentioned there and, in WeCom,
        written to."""
        called = self._persons(call)
        for place in self._notices.places(db, incident, now):
            chat = place.destination.partition(":")[0]
            if chat == "wecom" and not place.destination.startswith(("wecom:robot/", "wecom:group/")):
                continue
            accounts = tuple(filter(None, (people.account(person, chat) for person in called)))
            message = Message(
                place.destination, text=render(text, place.language), thread=object_of(incident), mentions=accounts,
                language=place.language, reason=reason, drill=statement.drill,
            )  # fmt: skip
            outbox.enqueue(db, message, f"{key}:{place.destination}", now, place.not_before)
        for person in called:
            language = self._language(person)
            for destination in self._addresses(person, statement):
                if not destination.startswith("wecom:"):
                    continue
                message = Message(
                    destination, text=render(text, language), language=language, reason=reason, drill=statement.drill
                )
                outbox.enqueue(db, message, f"{key}:{destination}", now)

    def write(
        self, db: Database, statement: Statement, persons: Iterable[str], text: Text, now: int, *, key: str, reason: str
    ) -> None:
        """A sentence to single people in every chat they have: their vote no longer counts, their turn has come."""
        for person in self._persons(persons):
            language = self._language(person)
            for destination in self._addresses(person, statement):
                message = Message(
                    destination, text=render(text, language), language=language, reason=reason, drill=statement.drill
                )
                outbox.enqueue(db, message, f"{key}:{destination}", now)

    def _enqueue(
        self, db: Database, statement: Statement, incident: Incident, destination: str, language: str,
        made: dict[str, Card], now: int, reason: str, not_before: int = 0,
    ) -> None:  # fmt: skip
        if language not in made:
            made[language] = self.card(db, statement, language, now)
        message = Message(
            destination, card=made[language], object=_object(statement), thread=object_of(incident), language=language,
            reason=reason, drill=statement.drill,
        )  # fmt: skip
        outbox.enqueue(db, message, f"{statement.id}:r{statement.revision}:{destination}", now, not_before)

    def _addresses(self, person: PersonConfig, statement: Statement) -> list[str]:
        """Where a person is written to; out of a drill only to the drill's own receivers."""
        allowed = drill_destinations(self._config)
        found = []
        for chat in PERSONAL_CHATS:
            address = people.account(person, chat)
            destination = f"{chat}:@{address}" if chat == "console" else f"{chat}:{address}"
            if not address or getattr(self._config.chat, chat) is None:
                continue
            if not statement.drill or destination in allowed:
                found.append(destination)
        return found

    def _language_at(self, destination: str) -> str:
        chat, _, address = destination.partition(":")
        person = next((p for p in self._config.people if people.account(p, chat) == address.lstrip("@")), None)
        return self._language(person) if person else self._config.language

    def _persons(self, ids: Iterable[str]) -> list[PersonConfig]:
        return [person for person in map(self._config.person, dict.fromkeys(ids)) if person is not None]

    def _language(self, person: PersonConfig) -> str:
        return person.language or self._config.language


def _object(statement: Statement) -> str:
    return f"statement:{statement.id}"
