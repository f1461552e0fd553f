"""From an event to its effects and its answer: who is it, what is meant, may they, do it, say so."""

from collections.abc import Sequence
from dataclasses import replace

from sqlite_utils import Database

from bot.config import Config
from bot.delivery import outbox
from bot.drills import conduct
from bot.incidents import people, words
from bot.model.card import Card
from bot.model.incident import Actor
from bot.model.message import Event, Message
from bot.model.text import Text, UserError
from bot.store import runs as run_store
from bot.store import statements as statement_store
from bot.texts import render
from handlers.registry import EVERYBODY, Command, Registry, Reply, Request, Services


class Dispatcher:
    """``handle`` runs inside the transaction that marks the event as done."""

    def __init__(self, registry: Registry, services: Services) -> None:
        self._registry = registry
        self._services = services
        self._languages = destination_languages(services.config)

    def handle(self, db: Database, row_id: int, event: Event, received_at: int, now: int) -> None:
        """Do what an event asks and enqueue the answers."""
        actor = people.find_actor(self._services.config, event.chat, event.account, event.account_name)
        language = self.language_of(event.destination, actor)
        try:
            with db.atomic():
                replies = self._perform(db, event, actor, language, now)
        except UserError as error:
            replies = [Reply(error.text, private=True)]
            conduct.note_refusal(db, event.line, _at_hand(db, event), error.text, actor, now)
        for number, reply in enumerate(replies):
            message = self._message(event, reply, language)
            outbox.enqueue(db, message, f"inbox:{row_id}:{number}", now)

    def give_up(self, db: Database, row_id: int, event: Event, now: int) -> None:
        """Answer for an event that could not be handled: the person must not be left waiting."""
        actor = people.find_actor(self._services.config, event.chat, event.account)
        reply = Reply(Text("error.internal", {"number": row_id}), private=True)
        message = self._message(event, reply, self.language_of(event.destination, actor))
        outbox.enqueue(db, message, f"inbox:{row_id}:failed", now)

    def language_of(self, destination: str, actor: Actor | None = None) -> str:
        """The channel decides; in private the person."""
        known = self._languages.get(destination.partition("#")[0])
        if known:
            return known
        person = self._services.config.person(actor.person) if actor and actor.person else None
        return (person.language if person else None) or self._services.config.language

    def _perform(self, db: Database, event: Event, actor: Actor, language: str, now: int) -> Sequence[Reply]:
        command, rest, incident_id = self._registry.understand(event.line)
        self._permit(command, actor)
        if not incident_id and event.anchor:
            object_ = outbox.object_at(db, event.anchor)
            kind, _, name = object_.partition(":")
            if kind == "statement":
                found = statement_store.get(db, name)
                incident_id = found.incident if found else ""
            else:
                incident_id = name if kind == "incident" else run_store.incident_of(db, name) if kind == "run" else ""
        conduct.check_reach(db, self._services.config, command.name, event.line, _at_hand(db, event), actor, now)
        request = Request(
            db, self._services, actor, event, language, now, command.name, rest, incident_id, self._registry
        )
        result = command.handler(request)
        return [result] if isinstance(result, Reply) else result

    def _permit(self, command: Command, actor: Actor) -> None:
        if command.roles == EVERYBODY:
            return
        if not actor.person:
            raise UserError("error.stranger", account=actor.account or actor.name, chat=actor.chat)
        if command.roles and actor.roles.isdisjoint(command.roles | {"admin"}):
            raise UserError("error.forbidden", roles=[words.role(role) for role in sorted(command.roles)])

    def _message(self, event: Event, reply: Reply, language: str) -> Message:
        private = event.private or event.origin in ("button", "form") if reply.private is None else reply.private
        card = reply.card
        if card is not None and card.object:
            # A copy in an answer is not the card that is rewritten in place.
            card = replace(card, object="")
        return Message(
            destination=event.destination,
            card=card if isinstance(card, Card) else None,
            text=render(reply.text, language) if reply.text else "",
            attachment=reply.attachment,
            audience=event.account if private else "",
            reply=event.reply,
            language=language,
            reason="answer",
        )


def _at_hand(db: Database, event: Event) -> str:
    return outbox.object_at(db, event.anchor) if event.anchor else ""


def destination_languages(config: Config) -> dict[str, str]:
    """The language of every channel's destinations."""
    languages: dict[str, str] = {}
    for name, channel in config.channels.items():
        language = config.channel_language(name)
        for destination in (
            f"slack:{channel.slack}",
            f"console:{channel.console}",
            f"wecom:robot/{channel.wecom_robot}",
            f"wecom:group/{channel.wecom_group}",
        ):
            languages.setdefault(destination, language)
    return languages
