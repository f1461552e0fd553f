"""A retrospective as a card, the list of action items, and what an incident's card says of them."""

from collections.abc import Callable, Sequence

from sqlite_utils import Database

from bot.config import Config
from bot.incidents import words
from bot.learning.actions import day, item_facts
from bot.learning.letters import drill_mark
from bot.learning.retrospect import Retrospect
from bot.model.card import Button, Card, Facts, Items, Section
from bot.model.incident import Incident
from bot.model.text import Text
from bot.store import actions as store
from bot.store.actions import ActionItem
from bot.texts import render

TOLD = (("alert", "acknowledged"), ("alert", "published"), ("alert", "calm"), ("alert", "resolved"))
SHOWN, LISTED = 5, 20
Name = Callable[[str], str]


def name_of(config: Config) -> Name:
    """How a person's id is said."""

    def name(person_id: str) -> str:
        person = config.person(person_id)
        return person.name if person else person_id or "—"

    return name


class ActionPanel:
    """What an incident's card says of what is to change: the open items."""

    def __init__(self, name: Name) -> None:
        self._name = name

    def __call__(self, db: Database, incident: Incident, language: str, now: int) -> tuple[list[Section], list[Button]]:
        items = [item for item in store.of_incident(db, incident.id) if item.state in ("open", "done")]
        if not items:
            return [], []
        done = sum(item.state == "done" for item in items)
        title = render(Text("action.panel", {"done": done, "n": len(items)}), language)
        lines = tuple(line(item, self._name, language, now) for item in items if item.state == "open")
        return [Items(title, lines[:SHOWN])], []


def retro_card(found: Retrospect, language: str, public_url: str, name: Name) -> Card:
    """The whole on one card: how long things took, how loud it was, what of the plan was kept, what is to change."""

    def say(key: str, **params: object) -> str:
        return render(Text(key, params), language)

    incident = found.incident
    sections: list[Section] = [Facts(tuple(_facts(found, language)))]
    late = [say("retro.step_line", step=item.reference.id, title=item.title.in_language(language),
                outcome=Text(f"retro.outcome_{item.outcome}"), reason=item.reason or Text("retro.no_reason"))
            for item in found.moments.steps_of("late", "missed", "skipped")]  # fmt: skip
    if late:
        sections.append(Items(say("retro.steps_late"), tuple(late[:SHOWN]), _more(len(late), language)))
    proposed = [item for item in found.actions if item.state == "proposed"]
    taken = [item for item in found.actions if item.state in ("open", "done")]
    for title, items in (("action.proposed", proposed), ("action.agreed", taken)):
        if items:
            lines = tuple(line(item, name, language, found.made_at) for item in items[:SHOWN])
            sections.append(Items(say(title), lines, _more(len(items), language)))
    buttons = [Button(say("button.action_accept", id=item.id), f"action accept {item.id}") for item in proposed[:2]]
    if incident.status.ended:
        buttons.append(
            Button(say("button.retro_answer"), f"retro-answer {incident.id}", "primary", form="retro-answer")
        )  # fmt: skip
    buttons.append(Button(say("button.action_new"), f"action {incident.id}", form="action"))
    return Card(
        say("retro.title", id=incident.id, title=words.title(incident)), object=f"retro:{incident.id}",
        grade=incident.peak_grade, subtitle=say("retro.final" if found.frozen else "retro.draft"),
        sections=tuple(sections), buttons=tuple(buttons), drill=drill_mark(incident, language),
        link=f"{public_url.rstrip('/')}/retrospectives/{incident.id}" if public_url else "",
        footer="" if public_url else say("retro.where", path=f"/retrospectives/{incident.id}",
                                         command=f"fengbo retro {incident.id}"),
    )  # fmt: skip


def _facts(found: Retrospect, language: str) -> list[tuple[str, str]]:
    none = render(Text("retro.no_data"), language)
    rows = []
    for start, end in TOLD:
        took = found.moments.between(start, end)
        rows.append((render(Text(f"retro.span_{start}_{end}"), language),
                     render(words.duration(took), language) if took is not None else none))  # fmt: skip
    volumes = []
    for volume in found.moments.volumes:
        share = f"{volume.share:.0%}" if volume.share is not None else none
        params = {"phase": Text(f"retro.phase_{volume.name}"), "n": volume.mentions, "share": share}
        volumes.append(render(Text("retro.volume_line", params), language))
    rows.append((render(Text("retro.volume"), language), " · ".join(volumes)))
    if found.moments.steps:
        params = {name: len(found.moments.steps_of(*of)) for name, of in (
            ("kept", ("kept", "done")), ("late", ("late", "missed")), ("skipped", ("skipped",)),
        )}  # fmt: skip
        rows.append((render(Text("retro.steps"), language), render(Text("retro.steps_line", params), language)))
    if found.score is not None:
        rows.append((render(Text("retro.score"), language), f"{found.score.total:g}"))
    if found.asked:
        params = {"n": found.answered, "of": found.asked}
        rows.append((render(Text("retro.survey"), language), render(Text("retro.survey_count", params), language)))
    return rows


def action_card(item: ActionItem, name: Name, language: str) -> Card:
    """One item, with what can be done with it."""
    title = render(Text("action.title", {"id": item.id, "incident": item.incident,
                                         "state": Text(f"action.state_{item.state}")}), language)  # fmt: skip
    rows = item_facts(item, name(item.owner), language)
    if item.note:
        rows = (*rows, (render(Text("action.fact_note"), language), item.note))
    return Card(title, object=f"action:{item.id}", sections=(Facts(rows),), buttons=tuple(_presses(item, language)))


def actions_card(items: Sequence[ActionItem], title: Text, name: Name, language: str, now: int) -> Card:
    """What is still to do, soonest first; proposals come with the button that takes them over."""
    lines = tuple(line(item, name, language, now) for item in items[:LISTED])
    buttons = [button for item in items[:3] for button in _presses(item, language)[:1]]
    more = _more(len(items), language, LISTED)
    return Card(render(title, language), sections=(Items("", lines, more),), buttons=tuple(buttons))


def line(item: ActionItem, name: Name, language: str, now: int) -> str:
    """One item on one line; a proposal has neither owner nor date yet."""
    if item.state == "proposed":
        return f"{item.id} {item.text}"
    state = "late" if item.state == "open" and now > item.due_at else item.state
    return render(Text("action.line", {
        "id": item.id, "text": item.text, "owner": name(item.owner), "due": day(item.due_at),
        "state": Text(f"action.state_{state}"),
    }), language)  # fmt: skip


def _presses(item: ActionItem, language: str) -> list[Button]:
    def button(key: str, verb: str) -> Button:
        return Button(render(Text(key, {"id": item.id}), language), f"action {verb} {item.id}")

    if item.state == "proposed":
        return [button("button.action_accept", "accept"), button("button.action_drop", "drop")]
    if item.state == "open":
        return [
            Button(
                render(Text("button.action_done_id", {"id": item.id}), language),
                f"action-done {item.id}",
                form="action-done",
            )
        ]
    return []


def _more(count: int, language: str, shown: int = SHOWN) -> str:
    return render(Text("retro.more", {"n": count - shown}), language) if count > shown else ""
