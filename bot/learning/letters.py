"""What is written to one person after an incident: in every chat they have; out of a drill only to its receivers."""

from collections.abc import Sequence
from dataclasses import replace

from sqlite_utils import Database

from bot.config import Config, PersonConfig
from bot.delivery import outbox
from bot.incidents import people
from bot.incidents.notices import drill_destinations
from bot.model.card import Button, Card, Section
from bot.model.incident import Incident
from bot.model.message import Message
from bot.model.text import Text
from bot.texts import render

CHATS = ("slack", "wecom", "console", "email")


def drill_mark(incident: Incident, language: str) -> str:
    return render(Text("card.drill", {"drill": incident.drill}), language) if incident.drill else ""


def write(
    db: Database, config: Config, incident: Incident, person: PersonConfig, title: Text, sections: Sequence[Section],
    buttons: Sequence[tuple[str, str, str]], now: int, *, key: str, reason: str,
) -> bool:  # fmt: skip
    """``buttons`` are (catalogue key, command, form). Returns whether the person has any chat to be reached in."""
    language = person.language or config.language
    made = tuple(Button(render(Text(name), language), command, form=form) for name, command, form in buttons)
    card = Card(render(title, language), drill=drill_mark(incident, language), sections=tuple(sections))
    reached = False
    for chat in CHATS:
        destination = f"{chat}:{'@' if chat == 'console' else ''}{people.account(person, chat)}"
        if destination.endswith(":") or getattr(config.chat, chat) is None:
            continue
        if incident.drill and destination not in drill_destinations(config):
            continue
        if chat in ("console", "email") and reached:
            continue  # where nobody looks unless they have nothing else
        shown = replace(card, buttons=made) if chat != "email" else card
        message = Message(destination, card=shown, language=language, reason=reason, drill=incident.drill)
        outbox.enqueue(db, message, f"{key}:{destination}", now)
        reached = True
    return reached
