"""“May we say …?” from customer service or a press officer: answered from approved text with its source, or not yet."""

from bot.incidents import words
from bot.model.card import Button, Card, Paragraph, Quote
from bot.model.statement import EarlierText, StatementStatus
from bot.model.text import Text, UserError
from bot.statements.consistency import OUTWARD, answer
from bot.store import incidents as incident_store
from bot.store import statements as store
from bot.texts import render
from handlers.registry import Reply, Request, registry

STAFF = frozenset({*OUTWARD, "staff", "authority"})


@registry.command("may we say", "能不能说", "可以说吗", "能说吗", "maywesay", "can we say", group="statement")
def may_we_say(request: Request) -> Reply:
    """``能不能说 资金都安全吗``: word for word from what is out or approved, with the statement it stands in."""
    question = request.field("question", request.rest)
    if not question:
        raise UserError("error.say_what", example=f"{request.name} …")
    texts, approved = _texts(request)
    found = answer(question, texts, _language(question, request.language), approved=approved, audiences=OUTWARD)
    if found is None:
        return Reply(card=Card(
            _say(request, "say.no_title"), sections=(Paragraph(_say(request, "say.no", question=question[:200])),),
            buttons=_draft(request),
        ))  # fmt: skip
    out = found.published_at > 0
    params = {"id": found.statement, "audience": Text(f"audience.{found.audience}")}
    where = _say(request, "say.out", **params, at=words.clock_time(found.published_at)) if out else _say(
        request, "say.approved", **params
    )  # fmt: skip
    title = _say(request, "say.yes_title")
    quotes = tuple(Quote(sentence, where) for sentence in found.sentences)
    show = Button(found.statement, f"statements {found.statement}")
    return Reply(card=Card(title, sections=quotes, buttons=(show,), footer=_say(request, "say.word_for_word")))


def _texts(request: Request) -> tuple[list[EarlierText], set[str]]:
    """What is out and has not been taken back, and what is approved and only waits for its moment."""
    incident = incident_store.get(request.db, request.incident_id) if request.incident_id else None
    drill = incident.drill if incident else ""
    texts = [
        EarlierText(item.id, item.audience, item.language, version.title, version.body, at)
        for item, version, at in store.published(request.db, drill=drill)
        if item.status is StatementStatus.PUBLISHED and item.audience in STAFF
    ]
    approved = set()
    for item in store.open_statements(request.db):
        if item.status not in (StatementStatus.APPROVED, StatementStatus.SCHEDULED) or item.drill != drill:
            continue
        version = store.version(request.db, item)
        if version is not None:
            approved.add(item.id)
            texts.append(EarlierText(item.id, item.audience, item.language, version.title, version.body))
    return texts, approved


def _language(question: str, fallback: str) -> str:
    """The language of the question: approved words are quoted in the language they were approved in."""
    if any("\u4e00" <= character <= "\u9fff" for character in question):
        return "zh-CN"
    return "en" if any(character.isascii() and character.isalpha() for character in question) else fallback


def _draft(request: Request) -> tuple[Button, ...]:
    if not request.incident_id:
        return ()
    return (Button(_say(request, "say.draft"), f"draft {request.incident_id} customers"),)


def _say(request: Request, key: str, **params: object) -> str:
    return render(Text(key, params), request.language)
