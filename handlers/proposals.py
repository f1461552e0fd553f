"""``proposals``: what the record suggests to change in the library; take one, or say no with a reason."""

import re

from bot.delivery import timers
from bot.incidents import words
from bot.learning.proposal_cards import LOOK, list_card, proposal_card
from bot.learning.proposals import Proposals
from bot.model.card import Form, FormField
from bot.model.text import Text, UserError
from bot.response import living_notices
from bot.store import proposals as store
from bot.texts import render
from handlers.registry import Reply, Request, narrow, registry

AGAIN = frozenset({"again", "look", "refresh", "重新看", "重看", "刷新"})
_NUMBER = re.compile(r"^#?(\d{1,9})\s*号?\s*(.*)$", re.DOTALL)


@registry.command("proposals", "建议", "改进建议", "proposal", group="response")
def proposals(request: Request) -> Reply | list[Reply]:
    """``proposals``: those that wait; ``proposals 3``: one with its evidence and difference; ``proposals again``."""
    service, asked = _service(request), narrow(request.rest).strip()
    if asked.lower() in AGAIN:
        return _look_again(request)
    if asked:
        number, _ = _number(request)
        row, suggestion = service.get(request.db, number)
        would = service.shown(request.db, suggestion, request.now)
        return Reply(card=proposal_card(row, suggestion, would, request.language))
    looked = store.looked_at(request.db)
    at = words.clock_time(looked) if looked else ""
    return Reply(card=list_card(service.open_ones(request.db), at, request.language))


@registry.command("proposal-take", "采纳建议", group="response")
def take(request: Request) -> Reply:
    """It becomes a proposed version; the owner of the playbook decides as always."""
    number, _ = _number(request)
    taken = _service(request).take(request.db, number, request.actor, request.now, request.language)
    if taken.proposal is None:
        return Reply(Text("proposal.taken_rule", {"subject": taken.subject, "v": taken.version}))
    notices = request.services.living_notices
    assert notices is not None, "every process has a library"
    notices.proposed(request.db, taken.proposal, request.actor.name, request.actor.person, request.now)
    return Reply(card=living_notices.proposal_card(taken.proposal, request.actor.name, request.language))


@registry.command("proposal-reject", "不采纳建议", group="response")
def reject(request: Request) -> Reply:
    """Say no; the reason is kept, and it comes back only when twice as much speaks for it."""
    number, rest = _number(request)
    row = _service(request).reject(
        request.db, number, request.field("reason", rest), request.actor, request.now
    )  # fmt: skip
    return Reply(Text("proposal.rejected", {"n": row.number, "evidence": store.DOUBLED * row.evidence}))


@registry.form("proposal-reject")
def reject_form(command: str, language: str) -> Form:
    def say(key: str) -> str:
        return render(Text(key), language)

    fields = (FormField("reason", say("form.proposal-reject.reason"), "multiline"),)
    return Form("proposal-reject", say("form.proposal-reject.title"), command, fields, say("form.submit"),
                say("form.cancel"))  # fmt: skip


def _look_again(request: Request) -> list[Reply]:
    event = request.event
    private = event.private or event.origin in ("button", "form")
    payload = {
        "destination": event.destination, "audience": event.account if private else "", "reply": event.reply,
        "language": request.language,
    }  # fmt: skip
    timers.schedule(request.db, LOOK, f"{event.account}:{request.now}", request.now, request.now, payload)
    return []


def _number(request: Request) -> tuple[int, str]:
    match = _NUMBER.match(narrow(request.rest).strip())
    if not match:
        raise UserError("error.proposal_which", example=f"{request.name} 3")
    return int(match[1]), match[2].strip()


def _service(request: Request) -> Proposals:
    assert request.services.proposals is not None, "every process has a library"
    return request.services.proposals
