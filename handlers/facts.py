"""The fact sheet in chat: show it, set a fact, confirm one, take one back."""

import re

from bot.incidents import words
from bot.model.card import Button, Card, Form, FormField, Items, Section
from bot.model.incident import Incident
from bot.model.text import Text, UserError
from bot.response import facts
from bot.response.facts import Line
from bot.response.parts import FIVE_W_ONE_H
from bot.store import facts as store
from bot.texts import render
from handlers.registry import EVERYBODY, Reply, Request, registry
from handlers.tell import audience_of, release_card

_SET = re.compile(r"(?:set\s+|设\s*|记\s*)?([^\s=＝:：]{1,60})\s*(?:[=＝:：]|\s)\s*(\S.*)", re.DOTALL)
CONFIRM_WORDS = ("confirm", "确认", "核实")
FORGET_WORDS = ("unknown", "未知", "撤回", "forget")
HISTORY_WORDS = ("history", "历史", "版本")


@registry.command("facts", "事实", "事实表", "5w1h", roles=EVERYBODY, group="response")
def show_facts(request: Request) -> Reply:
    """The fact sheet; ``facts what = …`` sets, ``facts confirm what`` vouches, ``facts unknown what`` takes back, and
    ``facts for customers`` shows what may be told to them."""
    incident = request.incident()
    words_, value = request.rest.strip(), request.field("value")
    audience = audience_of(words_)
    if audience:
        return Reply(card=release_card(request, incident, audience))
    first = words_.partition(" ")[0]
    for meant, act in ((CONFIRM_WORDS, _confirm), (FORGET_WORDS, _forget), (HISTORY_WORDS, _history)):
        word = next((item for item in meant if words_.lower().startswith(item)), "")
        if word and (not word.isascii() or first.lower() == word):
            return act(request, incident, words_[len(word) :].strip())
    if value:
        return _put(request, incident, request.field("fact"), value)
    if words_:
        match = _SET.fullmatch(words_)
        if not match:
            raise UserError("error.fact_what", example=f"facts {incident.id} what = …")
        return _put(request, incident, match[1], match[2])
    return Reply(card=_sheet(request, incident))


@registry.form("facts")
def facts_form(command: str, language: str) -> Form:
    def label(name: str) -> str:
        return render(Text(f"form.{name}"), language)

    options = tuple((name, render(Text(f"fact.{name}"), language)) for name in FIVE_W_ONE_H)
    return Form(
        "facts", label("facts.title"), command,
        (FormField("fact", label("fact"), "choice", options=options),
         FormField("value", label("fact_value"), "multiline")),
        label("submit"), label("cancel"),
    )  # fmt: skip


def _put(request: Request, incident: Incident, name: str, value: str) -> Reply:
    _members_only(request)
    fact = _named(request, incident, name)
    changed = facts.put(request.db, incident, fact, value, request.actor, request.now, source="said")
    if changed:
        request.services.runs.facts_changed(request.db, incident, request.now)
    return Reply(Text("done.fact", {"id": incident.id, "fact": _label(request, incident, fact), "value": value[:200]}))


def _confirm(request: Request, incident: Incident, name: str) -> Reply:
    _members_only(request)
    fact = _named(request, incident, name)
    facts.confirm(request.db, incident, fact, request.actor, request.now)
    request.services.runs.facts_changed(request.db, incident, request.now)
    params = {"id": incident.id, "fact": _label(request, incident, fact), "who": request.actor.name}
    return Reply(Text("done.fact_confirmed", params))


def _forget(request: Request, incident: Incident, name: str) -> Reply:
    _members_only(request)
    fact = _named(request, incident, name)
    facts.put(request.db, incident, fact, "", request.actor, request.now, source="said")
    request.services.runs.facts_changed(request.db, incident, request.now)
    return Reply(Text("done.fact_withdrawn", {"id": incident.id, "fact": _label(request, incident, fact)}))


def _history(request: Request, incident: Incident, name: str) -> Reply:
    fact = _named(request, incident, name)
    lines = tuple(
        render(Text("facts.version", {
            "time": words.clock_time(row.recorded_at), "value": row.value or Text("facts.unknown"),
            "who": row.actor_name,
            "state": Text("facts.confirmed" if row.confirmed else "facts.unconfirmed") if row.value else "",
        }), request.language)
        for row in store.history(request.db, incident.id, fact)
    )  # fmt: skip
    title = render(Text("facts.history", {"fact": _label(request, incident, fact)}), request.language)
    return Reply(card=Card(title, sections=(Items("", lines or ("—",)),)))


def _sheet(request: Request, incident: Incident) -> Card:
    language = request.language
    lines = request.services.runs.sheet(request.db, incident)
    sections: list[Section] = []
    for name in FIVE_W_ONE_H:
        shown = tuple(_line(line, language) for line in lines if line.of == name)
        sections.append(Items(render(Text(f"fact.{name}"), language), shown))
    unknown = sum(line.row is None for line in lines)
    title = render(Text("facts.title", {"id": incident.id, "n": len(lines) - unknown, "unknown": unknown}), language)
    button = Button(render(Text("button.facts"), language), f"facts {incident.id}", form="facts")
    drill = render(Text("card.drill", {"drill": incident.drill}), language) if incident.drill else ""
    footer = render(Text("facts.footer", {"id": incident.id}), language)
    return Card(title, sections=tuple(sections), buttons=(button,), footer=footer, drill=drill)


def _line(line: Line, language: str) -> str:
    label = render(line.named(language), language)
    if line.row is None:
        return render(Text("facts.line_unknown", {"fact": label, "name": line.name}), language)
    params = {
        "fact": label, "value": line.value(language), "who": line.row.actor_name,
        "since": words.clock_time(line.row.since),
        "state": Text("facts.confirmed" if line.row.confirmed else "facts.unconfirmed"),
    }  # fmt: skip
    return render(Text("facts.line", params), language)


def _named(request: Request, incident: Incident, word: str) -> str:
    """A fact by its name or by its label in either language; a new name is taken as it is."""
    wanted = word.strip().strip("：:=＝").lower()
    for line in request.services.runs.sheet(request.db, incident):
        labels = {line.name, *(render(line.named(language), language).lower() for language in ("zh-CN", "en"))}
        if wanted in labels:
            return line.name
    return wanted


def _label(request: Request, incident: Incident, name: str) -> str:
    for line in request.services.runs.sheet(request.db, incident):
        if line.name == name:
            return render(line.named(request.language), request.language)
    return name


def _members_only(request: Request) -> None:
    if not request.actor.person:
        raise UserError("error.stranger", account=request.actor.account or request.actor.name, chat=request.actor.chat)
