"""Which texts could be said to an audience now: the best three with their reasons, each one press away."""

from bot.model.card import Button, Card, Items
from bot.model.incident import Incident
from bot.model.text import Text
from bot.statements.choosing import Choice
from bot.texts import render
from handlers.registry import Request

SHOWN = 3
ASKED = frozenset({"?", "？", "选项", "有哪些", "options"})


def option_card(request: Request, incident: Incident, audience: str) -> Card:
    """The best templates for an audience, why each, and a button that drafts from it."""
    assert request.services.statements is not None
    found = request.services.statements.options(request.db, incident, audience)[:SHOWN]
    title = _say(request, "choose.title", audience=Text(f"audience.{audience}"), incident=incident.id)
    if not found:
        return Card(title, sections=(Items("", (_say(request, "choose.none"),)),), drill=_drill(request, incident))
    sections = tuple(
        Items(f"{number}. {choice.template.title.in_language(request.language)}", _lines(request, choice))
        for number, choice in enumerate(found, 1)
    )
    buttons = tuple(
        Button(
            _say(request, "choose.button", n=number), f"draft {incident.id} {audience} {choice.name}",
            style="primary" if number == 1 else "default",
        )
        for number, choice in enumerate(found, 1)
    )  # fmt: skip
    return Card(title, sections=sections, buttons=buttons, drill=_drill(request, incident))


def _lines(request: Request, choice: Choice) -> tuple[str, ...]:
    reasons = _say(request, "choose.because", name=choice.name, reasons=list(choice.reasons))
    note = choice.template.note
    return (reasons, note.in_language(request.language)) if note else (reasons,)


def _drill(request: Request, incident: Incident) -> str:
    return _say(request, "card.drill", drill=incident.drill) if incident.drill else ""


def _say(request: Request, key: str, **params: object) -> str:
    return render(Text(key, params), request.language)
