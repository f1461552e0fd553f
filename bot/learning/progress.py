"""What the public may be told of what was promised: done and open measures, word for word from the items. Pure."""

from collections.abc import Sequence

from bot.learning.actions import day
from bot.model.incident import Incident
from bot.model.text import Text, UserError
from bot.store.actions import ActionItem
from bot.texts import render


def progress(incident: Incident, items: Sequence[ActionItem], language: str, now: int) -> tuple[str, str]:
    """``(title, body)`` of a statement. Only items marked public are told, dropped ones among them with that they were.
    Raises ``UserError`` where nothing is marked."""
    told = [item for item in items if item.public and item.state != "proposed"]
    if not told:
        raise UserError("error.action_nothing_public", id=incident.id)

    def say(key: str, **params: object) -> str:
        return render(Text(key, params), language)

    parts = [say("action.progress_intro", subject=incident.subject_name, day=day(now))]
    for state in ("done", "open", "dropped"):
        lines = [
            say(f"action.progress_{state}_line", text=item.text.rstrip(".。"), day=day(item.ended_at or item.due_at))
            for item in told if item.state == state
        ]  # fmt: skip
        if lines:
            parts.append("\n".join([say(f"action.progress_{state}"), *lines]))
    title = say("action.progress_title", subject=incident.subject_name, type=Text(f"type.{incident.crisis_type}"))
    return title, "\n\n".join(parts)
