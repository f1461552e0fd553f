"""Commands on calls to linked systems: see what became of them, decide what nobody else can."""

import re

from bot.incidents import words
from bot.model.card import Card, Items
from bot.model.text import Text, UserError
from bot.response import results
from bot.response.linked import Linked
from bot.store import calls as store
from bot.texts import render
from handlers.registry import EVERYBODY, Reply, Request, registry

DECIDERS = ("operations", "customer_service", "pr", "pr_head", "executive")
_NUMBER = re.compile(r"\d{1,9}")


def linked(request: Request) -> Linked:
    """What reaches out of the house; missing only in a program that was built without it."""
    found = request.services.linked
    if found is None:
        raise UserError("error.no_linkage")
    return found


def number_of(request: Request, example: str) -> int:
    """The number a command names. Raises ``UserError`` with an example."""
    match = _NUMBER.search(request.field("number", request.rest))
    if match is None:
        raise UserError("error.which_number", example=f"{request.name} {example}")
    return int(match[0])


@registry.command("calls", "调用记录", "调用", "联动", roles=EVERYBODY, group="response")
def calls(request: Request) -> Reply:
    """The newest calls, of an incident where one is named."""
    found = store.of_incident(request.db, request.incident_id)
    lines = tuple(
        f"{words.clock_time(call.created_at)} {render(results.say(call), request.language)}"
        for call in found
        if call.state != "waiting" or call.error
    )
    waiting = sum(call.state == "waiting" and not call.error for call in found)
    more = render(Text("linkage.waiting_calls", {"n": waiting}), request.language) if waiting else ""
    title = render(Text("linkage.calls_title"), request.language)
    if not lines and not waiting:
        return Reply(Text("linkage.no_calls"))
    return Reply(card=Card(title, sections=(Items("", lines, more),)))


@registry.command("call-again", "重新调用", "重试调用", roles=DECIDERS, group="response")
def call_again(request: Request) -> Reply:
    call = linked(request).linkage.repeat(request.db, number_of(request, "12"), request.actor, request.now)
    return Reply(Text("linkage.again", {"number": call.id, "action": call.action, "system": call.system}))


@registry.command("call-done", "调用已办", roles=DECIDERS, group="response")
def call_done(request: Request) -> Reply:
    """A person has looked: it was carried out."""
    return _settle(request, done=True)


@registry.command("call-not-done", "调用未办", roles=DECIDERS, group="response")
def call_not_done(request: Request) -> Reply:
    """A person has looked: it was not carried out and shall not be."""
    return _settle(request, done=False)


def _settle(request: Request, *, done: bool) -> Reply:
    service = linked(request)
    call = service.linkage.settle(request.db, number_of(request, "12"), request.actor, request.now, done=done)
    params = {"number": call.id, "action": call.action, "actor": request.actor.name}
    return Reply(Text("linkage.settled_done" if done else "linkage.settled_failed", params))
