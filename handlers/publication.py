"""Commands on publications: where a statement went, and what people do about the targets that need a person."""

import re

from bot.incidents import words
from bot.model.card import Button, Card, Facts, Items
from bot.model.publication import Publication, Receipt, ReceiptState
from bot.model.statement import DIGEST_SHOWN
from bot.model.text import Text, UserError
from bot.statements import publish_words
from bot.statements.publishing import Publishing
from bot.store import publications as store
from bot.texts import render
from handlers.registry import Reply, Request, narrow, registry

DECIDERS = ("pr", "pr_head", "executive", "admin")
_ID = re.compile(r"(?<![A-Za-z0-9-])#?[Ss]-?(\d{1,9})(?![A-Za-z0-9-])")
_LINK = re.compile(r"https?://\S+")


@registry.command("receipts", "回执", "发布情况", "发布回执", group="statement")
def receipts(request: Request) -> Reply:
    """What each target of a statement says."""
    service, statement = _service(request), _statement(request)
    publication = service.publication(request.db, statement)
    if publication is None:
        raise UserError("error.not_being_published", statement=statement)
    return Reply(card=_card(request, publication, service.receipts(request.db, statement)))


@registry.command("published", "已发布", "发布了", roles=DECIDERS, group="statement")
def published(request: Request) -> Reply:
    """Somebody published it by hand, or has looked and found it there."""
    return _confirm(request, done=True)


@registry.command("not-published", "未发布", "没发布", roles=DECIDERS, group="statement")
def not_published(request: Request) -> Reply:
    """Somebody has looked: it is not there and shall not be."""
    return _confirm(request, done=False)


@registry.command("publish-again", "重新发布", "重发", roles=DECIDERS, group="statement")
def publish_again(request: Request) -> Reply:
    service, statement = _service(request), _statement(request)
    receipt = service.again(request.db, statement, _target(request, statement), request.actor, request.now)
    return Reply(Text("done.publish_again", {"statement": statement, "receipt": publish_words.receipt(receipt)}))


def _confirm(request: Request, *, done: bool) -> Reply:
    service, statement = _service(request), _statement(request)
    link = request.field("link", next(iter(_LINK.findall(request.rest)), ""))
    receipt = service.confirm(
        request.db, statement, _target(request, statement), request.actor, request.now, link=link, done=done
    )
    return Reply(Text("done.published", {"statement": statement, "receipt": publish_words.receipt(receipt)}))


def _service(request: Request) -> Publishing:
    if request.services.publishing is None:
        raise UserError("error.no_publishing")
    return request.services.publishing


def _statement(request: Request) -> str:
    """The statement's id: named, else the one in whose thread this was said."""
    if match := _ID.search(narrow(request.rest)):
        return f"S-{int(match[1])}"
    at_hand = request.object_at_hand()
    if at_hand.startswith("statement:"):
        return at_hand.partition(":")[2]
    raise UserError("error.which_publication", example=f"{request.name} S-12")


def _target(request: Request, statement: str) -> str:
    """The target as typed: the words between the statement's id and a link. Left out, the only one that waits."""
    if given := request.field("target"):
        return given
    match = _ID.search(narrow(request.rest))
    after = request.rest[match.end() :] if match else request.rest
    typed = _LINK.sub("", after).strip(" :：,，")
    if typed:
        return typed
    publication = store.latest(request.db, statement)
    found = store.receipts(request.db, publication.id) if publication else []
    waiting = [one for one in found if _needs_somebody(one)]
    return waiting[0].target if len(waiting) == 1 else ""


def _needs_somebody(receipt: Receipt) -> bool:
    by_hand = receipt.kind == "manual" and receipt.handed and receipt.state is ReceiptState.WAITING
    return by_hand or receipt.state in (ReceiptState.UNCLEAR, ReceiptState.FAILED)


def _card(request: Request, publication: Publication, found: list[Receipt]) -> Card:
    def say(key: str, **params: object) -> str:
        return render(Text(key, params), request.language)

    statement = publication.statement
    rows = [
        (say("export.state"), say(f"publication_state.{publication.state.value}")),
        (say("export.digest"), publication.digest[:DIGEST_SHOWN]),
    ]
    if publication.at > request.now:
        rows.append((say("export.when"), words.clock_time(publication.at)))
    if publication.embargo > request.now:
        rows.append((say("publish.embargo_until"), words.clock_time(publication.embargo)))
    lines = tuple(render(publish_words.receipt(one), request.language) for one in found)
    buttons = []
    for one in found:
        if one.state is ReceiptState.FAILED:
            label = say("button.publish_again", target=one.title)
            buttons.append(Button(label, f"publish-again {statement} {one.target}"))
        elif _needs_somebody(one):
            sure = say("publish.published_sure", statement=statement, target=one.title)
            label = say("button.published", target=one.title)
            buttons.append(Button(label, f"published {statement} {one.target}", "primary", confirm=sure))
    title = say("publish.card_title", statement=statement, title=publication.title or "—")
    drill = say("card.drill", drill=publication.drill) if publication.drill else ""
    return Card(title, drill=drill, sections=(Facts(tuple(rows)), Items("", lines)), buttons=tuple(buttons))
