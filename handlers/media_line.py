"""The media line in chat: who speaks, what is said, what never, and the approved answer to one question."""

from bot.model.card import Button, Card, Facts, Items, Paragraph, Section
from bot.model.incident import Incident
from bot.model.text import Text
from bot.response.facts import fill
from bot.response.media_line import Found, answer_to
from bot.response.parts import MediaLine
from bot.response.run_state import Run
from bot.response.values import Words
from bot.texts import render
from handlers.playbook import current_library
from handlers.registry import Reply, Request, registry
from handlers.tell import plans_at_work, release_of, role_name


@registry.command("line", "口径", "媒体口径", "对外口径", "media line", group="response")
def media_line(request: Request) -> Reply:
    """The line of the plans at work; with a question the approved answer to it, or that there is none yet."""
    incident = request.incident()
    runs = [run for run in plans_at_work(request, incident) if run.playbook.media_line]
    if not runs:
        return Reply(card=_nothing(request, incident))
    question = request.field("question", request.rest)
    return Reply(card=_answer(request, incident, runs, question) if question else _whole(request, incident, runs))


def _whole(request: Request, incident: Incident, runs: list[Run]) -> Card:
    language = request.language
    values = _values(request, incident, runs)
    sections: list[Section] = []
    for run in runs:
        line = run.playbook.media_line
        assert line is not None
        if len(runs) > 1:
            sections.append(Paragraph(run.playbook.title.in_language(language), strong=True))
        sections.append(Facts(((_say(request, "line.spokesperson"), role_name(request, run, line.spokesperson)),)))
        sections += _words(request, line, values)
    title = _say(request, "line.title", id=incident.id)
    return _card(request, incident, title, sections, _say(request, "line.footer", id=incident.id))


def _words(request: Request, line: MediaLine, values: dict[str, str]) -> list[Section]:
    def said(texts: tuple[Words, ...]) -> tuple[str, ...]:
        return tuple(_filled(request, text, values) for text in texts)

    groups = (
        ("line.holding", said((line.holding,))),
        ("line.messages", said(line.messages)),
        ("line.never", said(line.never)),
        ("line.questions", said(tuple(answer.question for answer in line.answers))),
    )
    return [Items(_say(request, key), listed) for key, listed in groups if listed]


def _answer(request: Request, incident: Incident, runs: list[Run], question: str) -> Card:
    values = _values(request, incident, runs)
    found = answer_to(question, [run.playbook for run in runs], current_library(request).playbooks())
    sections: list[Section] = []
    if found.best is not None:
        sections.append(Paragraph(_filled(request, found.best.answer.answer, values), strong=True))
        params = {
            "question": _filled(request, found.best.answer.question, values),
            "title": found.best.playbook.title.in_language(request.language), "version": found.best.playbook.version,
        }  # fmt: skip
        sections.append(Paragraph(_say(request, "line.from", **params)))
        footer = _say(request, "line.answer_footer", id=incident.id)
    else:
        sections.append(Paragraph(_say(request, "line.no_answer"), strong=True))
        holding = tuple(_filled(request, run.playbook.media_line.holding, values)
                        for run in runs if run.playbook.media_line)  # fmt: skip
        sections.append(Items(_say(request, "line.holding"), holding))
        footer = _say(request, "line.no_answer_footer", id=incident.id, playbook=runs[0].playbook.id)
    if found.near:
        near = tuple(_near(request, item, values) for item in found.near)
        sections.append(Items(_say(request, "line.near"), near))
    return _card(request, incident, _say(request, "line.asked", question=question[:200]), sections, footer)


def _near(request: Request, item: Found, values: dict[str, str]) -> str:
    params = {
        "question": _filled(request, item.answer.question, values),
        "answer": _filled(request, item.answer.answer, values),
    }
    return _say(request, "line.question_and_answer", **params)


def _nothing(request: Request, incident: Incident) -> Card:
    """No plan is at work: its line is not in force, so only the plan is offered."""
    best = request.services.advice.best(request.db, incident, request.now)
    buttons: tuple[Button, ...] = ()
    text = _say(request, "line.no_plan", id=incident.id)
    if best is not None:
        title = best[0].title.in_language(request.language)
        text = _say(request, "line.no_plan_but", id=incident.id, title=title)
        buttons = (Button(_say(request, "button.start_run", title=title), f"start {best[0].id} {incident.id}"),)
    return _card(request, incident, _say(request, "line.title", id=incident.id), [Paragraph(text)], "", buttons)


def _values(request: Request, incident: Incident, runs: list[Run]) -> dict[str, str]:
    """What may stand in words for the press: confirmed facts that are released to them."""
    told = release_of(request, incident, "media", runs).values(request.language)
    values = {
        name: render(value, request.language) if isinstance(value, Text) else value for name, value in told.items()
    }
    return {"company": incident.subject_name, "subject": incident.subject_name, "incident_id": incident.id, **values}


def _filled(request: Request, text: Words, values: dict[str, str]) -> str:
    unknown = _say(request, "run.unknown_field", name="%s")
    return fill(text.in_language(request.language), values, unknown)[0]


def _card(
    request: Request, incident: Incident, title: str, sections: list[Section], footer: str,
    buttons: tuple[Button, ...] = (),
) -> Card:  # fmt: skip
    drill = _say(request, "card.drill", drill=incident.drill) if incident.drill else ""
    return Card(title, sections=tuple(sections), buttons=buttons, footer=footer, drill=drill)


def _say(request: Request, key: str, **params: object) -> str:
    return render(Text(key, params), request.language)
