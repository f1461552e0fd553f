"""What is to change after an incident: add, accept, do, drop, move; what is open; what the public is told of it."""

import re
from datetime import datetime

from bot.incidents import people
from bot.incidents.words import CHINA
from bot.learning.actions import Actions, day, end_of_day
from bot.learning.progress import progress
from bot.learning.retro_cards import action_card, actions_card, name_of
from bot.model.card import Form, FormField
from bot.model.text import Text, UserError
from bot.store import actions as store
from bot.store.actions import KINDS, ActionItem
from bot.texts import render
from handlers.registry import Reply, Request, narrow, registry, split_duration

VERBS = {
    "accept": ("accept", "接受", "采纳", "同意"), "done": ("done", "完成", "做完", "已完成"),
    "drop": ("drop", "放弃", "不做", "取消"), "change": ("change", "move", "改期", "改为", "转给"),
    "publish": ("publish", "progress", "公开进展", "进展"),
}  # fmt: skip
KIND_WORDS = {
    "improvement": ("improvement", "改进项"), "recovery": ("recovery", "恢复措施", "善后"),
    "commitment": ("commitment", "promise", "承诺", "责任"), "supplier": ("supplier", "partner", "供应商", "合作方"),
}  # fmt: skip
_ID = re.compile(r"(?<![A-Za-z0-9-])A-?(\d{1,9})(?![A-Za-z0-9-])", re.IGNORECASE)
_DATE = re.compile(
    r"(?:\b(?:by|due|until)\s+|(?:截止|期限|到期)[\s:：]*)?(?<!\d)(\d{4})[-/年.](\d{1,2})[-/月.](\d{1,2})日?前?"
)
_SPAN = re.compile(r"(?:\bin\s+|期限[\s:：]*)(\S+(?:\s+(?:days?|weeks?))?)(?=\s|$)", re.IGNORECASE)
_OWNER = re.compile(r"(?:(?<!\S)@|\bowner[\s:：=]+|负责人?[\s:：=]+)(\S+)", re.IGNORECASE)
_KIND = re.compile(r"(?:(?<!\S)#|\bkind[\s:：=]+|类型[\s:：=]+)(\S+)", re.IGNORECASE)
_PUBLIC = re.compile(r"(?:^|\s)(?:public|公开)(?=\s|$)", re.IGNORECASE)


@registry.command("action", "改进", "整改", "行动项", group="incident")
def action(request: Request) -> Reply:
    """``action I-12 text @lina 2026-03-01 #supplier public``; ``action accept A-3``, ``done``, ``drop``, ``change``."""
    line = narrow(request.rest).strip()
    named = _ID.search(line)
    verb = next((name for name, words in VERBS.items() if any(line.lower().startswith(word) for word in words)), "")
    if verb == "publish":
        return _publish(request)
    if named and (verb or not line[: named.start()].strip()):
        return _one(request, verb, named)
    return _add(request)


@registry.command("action-done", "改进完成", "整改完成", group="incident")
def action_done(request: Request) -> Reply:
    """``action-done A-3 what was done``: what the button of a reminder says."""
    named = _ID.search(narrow(request.rest))
    if named is None:
        raise UserError("error.no_action", id=request.rest[:40] or "—")
    return _one(request, "done", named)


@registry.command("actions", "改进清单", "整改清单", "待改进", group="incident")
def actions(request: Request) -> Reply:
    """``actions`` lists what is open, ``actions mine`` one's own, ``actions I-12`` everything of an incident."""
    name = name_of(request.services.config)
    if request.incident_id:
        incident = request.incident()
        items = [item for item in store.of_incident(request.db, incident.id) if item.state != "dropped"]
        items.sort(key=lambda item: (item.state == "done", item.state != "open", item.due_at))
        title = Text("action.list_incident", {"id": incident.id})
    else:
        mine = narrow(request.rest).strip().lower() in ("mine", "my", "me", "我的")
        items = store.open_items(request.db, owner=request.actor.person if mine else "")
        title = Text("action.list_mine" if mine else "action.list")
    if not items:
        return Reply(Text("action.none"))
    return Reply(card=actions_card(items, title, name, request.language, request.now))


def _one(request: Request, verb: str, named: re.Match[str]) -> Reply:
    service = _service(request)
    item = service.get(request.db, f"A-{int(named[1])}")
    rest = request.rest.strip()[named.end() :].strip(" :：,，")
    if verb in ("done", "drop"):
        act = service.done if verb == "done" else service.drop
        after = act(request.db, item, request.field("note", rest), request.actor, request.now)
    elif verb in ("accept", "change"):
        owner, due_at = _owner(request, rest)[0], _due(request, rest)[0]
        take = service.accept if verb == "accept" else service.change
        after = take(request.db, item, request.actor, request.now, owner=owner, due_at=due_at)
    else:
        return Reply(card=action_card(item, name_of(request.services.config), request.language))
    return Reply(_said(f"done.action_{verb}", request, after))


def _add(request: Request) -> Reply:
    incident = request.incident()
    owner, rest = _owner(request, request.rest)
    due_at, rest = _due(request, rest)
    kind, rest = _kind(request, rest)
    public = request.field("public") == "yes" or bool(_PUBLIC.search(rest))
    text = request.field("text", " ".join(_PUBLIC.sub(" ", rest).split()).strip(" ,，;；"))
    made = _service(request).add(
        request.db, incident, text, request.actor, request.now, owner=owner, due_at=due_at, kind=kind, public=public
    )
    return Reply(_said("done.action", request, made))


def _publish(request: Request) -> Reply:
    """A draft for the public of what was promised and how far it is: reviewed and approved like every other text."""
    incident, statements = request.incident(), request.services.statements
    assert statements is not None, "every process has statements"
    items = [item for item in store.of_incident(request.db, incident.id) if item.public]
    language = request.services.config.language
    title, body = progress(incident, items, language, request.now)
    draft = statements.draft(request.db, incident, "public", request.actor, request.now, language=language)
    statements.edit(request.db, draft, title, body, request.actor, request.now, reason="progress")
    return Reply(Text("done.action_publish", {"id": draft.id, "n": len(items)}))


def _said(key: str, request: Request, item: ActionItem) -> Text:
    name = name_of(request.services.config)
    return Text(key, {"id": item.id, "text": item.text, "owner": name(item.owner), "due": day(item.due_at)})


def _owner(request: Request, line: str) -> tuple[str, str]:
    """The person meant, empty for none, and the line without them."""
    match = _OWNER.search(line)
    who = request.field("owner", match[1] if match else "")
    rest = line[: match.start()] + " " + line[match.end() :] if match else line
    if not who:
        return "", rest
    person = people.find_person(request.services.config, who)
    if person is None:
        known = [item.name for item in request.services.config.people]
        raise UserError("error.no_such_person", name=who, people=known)
    return person.id, rest


def _due(request: Request, line: str) -> tuple[int, str]:
    """The moment meant, 0 for none, and the line without it: a date, or ``in 2 weeks`` and ``期限 两周``."""
    line = f"{request.fields['due']} {line}" if request.fields.get("due") else line
    plain = narrow(line)
    if match := _DATE.search(plain):
        try:
            moment = datetime(int(match[1]), int(match[2]), int(match[3]), tzinfo=CHINA)
        except ValueError:
            raise UserError("error.action_date") from None
        return end_of_day(int(moment.timestamp() * 1000)), line[: match.start()] + " " + line[match.end() :]
    if (match := _SPAN.search(plain)) and (found := split_duration(match[1])) and not found[1]:
        return end_of_day(request.now + found[0]), line[: match.start()] + " " + line[match.end() :]
    if request.fields.get("due"):
        raise UserError("error.action_date")
    return 0, line


def _kind(request: Request, line: str) -> tuple[str, str]:
    match = _KIND.search(line)
    word = request.field("kind", match[1] if match else "improvement").lower()
    kind = next((name for name, words in KIND_WORDS.items() if word in words), word)
    return kind, (line[: match.start()] + " " + line[match.end() :]) if match else line


@registry.form("action")
def action_form(command: str, language: str) -> Form:
    def say(key: str) -> str:
        return render(Text(key), language)

    kinds = tuple((name, say(f"action.kind_{name}")) for name in KINDS)
    public = (("no", say("form.action.public_no")), ("yes", say("form.action.public_yes")))
    fields = (
        FormField("text", say("action.fact_what"), "multiline"),
        FormField("owner", say("action.fact_owner"), "person", required=False),
        FormField("due", say("form.action.due"), required=False, placeholder="2026-03-01"),
        FormField("kind", say("action.fact_kind"), "choice", options=kinds, initial="improvement"),
        FormField("public", say("form.action.public"), "choice", options=public, initial="no"),
    )
    return Form("action", say("form.action.title"), command, fields, say("form.submit"), say("form.cancel"))


@registry.form("action-done")
def done_form(command: str, language: str) -> Form:
    def say(key: str) -> str:
        return render(Text(key), language)

    fields = (FormField("note", say("form.action.note"), "multiline", required=False),)
    return Form("action-done", say("form.action-done.title"), command, fields, say("form.submit"), say("form.cancel"))


def _service(request: Request) -> Actions:
    if request.services.learning is None:
        raise UserError("error.retro_off")
    return request.services.learning.retrospectives.actions
