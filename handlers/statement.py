"""Commands on statements: draft, edit, send round, agree or refuse exactly one text, publish, correct."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.incidents import people, words
from bot.model.card import Button, Card, Items, Paragraph
from bot.model.statement import AUDIENCES, DIGEST_SHOWN, Statement, StatementStatus, Version
from bot.model.text import Text, UserError
from bot.statements.approval_state import Approval
from bot.statements.policy import voters
from bot.statements.service import Statements
from bot.statements.wording import changes
from bot.store import incidents as incident_store
from bot.store import statements as store
from bot.texts import render
from handlers.registry import Reply, Request, narrow, registry, split_duration
from handlers.statement_forms import joined
from handlers.statement_options import ASKED, option_card

LISTED = 30
PUBLISHERS = ("pr", "pr_head", "executive", "admin")
ID = re.compile(r"(?<![A-Za-z0-9-])#?[Ss]-?(\d{1,9})(?![A-Za-z0-9-])")
_DIGEST = re.compile(r"(?<![A-Za-z0-9-])[Ss]-?\d{1,9}\W+#?([0-9A-Fa-f]{4,64})(?![A-Za-z0-9])")
_CODE = re.compile(r"(?<!\d)(\d{6})(?!\d)")
_FINDING = re.compile(r"^[Ff]?(\d{1,3})(?!\d)[\s,，:：]*")
_VERSION = re.compile(r"[Vv](\d{1,4})(?!\w)")
_CLOCK = re.compile(r"(?:(\d{4})-)?(?:(\d{1,2})[-/月](\d{1,2})日?\s*)?(\d{1,2})[:：点](\d{2})?分?")
_REPLACE = re.compile(r"\s*(?:=>|->|→|改为|换成)\s*")
AUDIENCE_WORDS = {
    "公众": "public", "对外": "public", "用户": "customers", "客户": "customers", "顾客": "customers",
    "受影响用户": "affected_customers", "受影响客户": "affected_customers", "员工": "staff", "内部": "staff",
    "全员": "staff", "媒体": "media", "记者": "media", "监管": "authority", "政府": "authority",
    "主管部门": "authority", "合作方": "partners", "伙伴": "partners", "管理层": "management", "意见领袖": "kols",
    "核心小组": "core_team",
    "affected": "affected_customers", "regulator": "authority", "press": "media", "employees": "staff",
    "users": "customers",
}  # fmt: skip


@registry.command("statements", "声明", "声明列表", "文稿", "稿件", group="statement")
def statements(request: Request) -> Reply:
    """The statements of an incident, or all open ones; with an id its card."""
    if ID.search(narrow(request.rest)):
        return Reply(card=_card(request, _statement(request)[0]))
    if request.incident_id:
        found = store.of_incident(request.db, request.incident().id)
    else:
        found = store.open_statements(request.db)
    if not found:
        return Reply(Text("statement.none"))
    lines = tuple(_line(request, item) for item in found[-LISTED:])
    offered = tuple(Button(item.id, f"statements {item.id}") for item in found[-5:])
    return Reply(
        card=Card(_say(request, "statement.list_title", n=len(found)), sections=(Items("", lines),), buttons=offered)
    )


@registry.command("approvals", "待审批", "待我审批", "我的审批", group="statement")
def approvals(request: Request) -> Reply:
    """What waits for my yes or no, each as its card."""
    mine = [item for item in store.open_statements(request.db) if _waits_for_me(request, item)]
    if not mine:
        return Reply(Text("statement.nothing_waits"))
    return Reply(card=_card(request, mine[0])) if len(mine) == 1 else Reply(card=Card(
        _say(request, "statement.list_title", n=len(mine)),
        sections=(Items("", tuple(_line(request, item) for item in mine)),),
        buttons=tuple(Button(item.id, f"statements {item.id}") for item in mine[:5]),
    ))  # fmt: skip


@registry.command("draft", "起草", "拟稿", group="statement")
def draft(request: Request) -> Reply:
    """A draft for an audience: ``draft I-1 public``, with a template's name, or ``?`` to see which fit."""
    parts = request.field("audience", request.rest).replace("，", " ").split()
    word = parts[0].lower() if parts else ""
    audience = AUDIENCE_WORDS.get(word, word)
    if audience not in AUDIENCES:
        known = [Text(f"audience.{item}") for item in AUDIENCES]
        raise UserError("error.no_audience", name=word or "—", known=known)
    template = request.field("template", parts[1] if len(parts) > 1 else "")
    if template.lower() in ASKED:
        return Reply(card=option_card(request, request.incident(), audience))
    statement = _service(request).draft(
        request.db, request.incident(), audience, request.actor, request.now, template=template
    )
    return Reply(Text("done.statement_drafted", {"id": statement.id, "audience": Text(f"audience.{audience}")}))


@registry.command("edit", "改稿", "修改", "编辑", group="statement")
def edit(request: Request) -> Reply:
    """A new text: from the form; ``edit S-12 old words => new words``; or the whole text from the second line on."""
    statement, rest = _statement(request)
    service = _service(request)
    current = service.current(request.db, statement)
    base = int(found[1]) if (found := _VERSION.match(rest)) else 0
    rest = rest[found.end() :].lstrip(" :：\t") if found else rest
    if any(text for name, text in request.fields.items() if name == "body" or name.startswith("body_")):
        title = request.fields.get("title", "").strip()
        opened = store.version(request.db, statement, base) or current
        body = request.fields.get("body") or joined(opened.body, request.fields)
    elif "\n" in rest:
        head, _, body = rest.partition("\n")
        title = head.strip() or current.title
    elif len(parts := _REPLACE.split(rest, maxsplit=1)) == 2 and parts[0]:
        title, body = _replaced(request, statement, current, parts[0].strip(), parts[1].strip())
    else:
        raise UserError("error.edit_how", id=statement.id, example=f"edit {statement.id} … => …")
    version = service.edit(request.db, statement, title, body, request.actor, request.now, base=base)
    if version.aside:
        by = current.author_name or _say(request, "statement.machine")
        params = {"id": statement.id, "version": version.number, "current": statement.version, "by": by}
        return Reply(Text("done.statement_aside", params))
    params = {"id": statement.id, "version": version.number, "digest": version.digest[:DIGEST_SHOWN]}
    return Reply(Text("done.statement_edited", params))


@registry.command("adopt", "采用", "用这一版", group="statement")
def adopt(request: Request) -> Reply:
    """Make another version the current text: ``adopt S-12 v5``."""
    statement, rest = _statement(request)
    found = _VERSION.search(rest)
    version = _service(request).take(request.db, statement, int(found[1]) if found else 0, request.actor, request.now)
    params = {"id": statement.id, "version": version.number, "digest": version.digest[:DIGEST_SHOWN]}
    return Reply(Text("done.statement_edited", params))


@registry.command("refill", "补事实", "更新事实", group="statement")
def refill(request: Request) -> Reply:
    """Put in the facts that have been confirmed since."""
    statement, _ = _statement(request)
    version = _service(request).refill(request.db, statement, request.actor, request.now)
    if version is None:
        return Reply(Text("statement.nothing_new", {"id": statement.id}))
    params = {"id": statement.id, "version": version.number, "digest": version.digest[:DIGEST_SHOWN]}
    return Reply(Text("done.statement_edited", params))


@registry.command("diff", "对比", "改了什么", group="statement")
def diff(request: Request) -> Reply:
    """What changed, word by word: against the version before, or between two (``diff S-12 v1 v3``)."""
    statement, rest = _statement(request)
    named = [int(number) for number in _VERSION.findall(rest)]
    known = {item.number: item for item in store.versions(request.db, statement)}
    new = known.get(named[-1] if named else statement.version)
    earlier = [number for number, item in known.items() if new and number < new.number and not item.aside]
    old = known.get(named[0]) if len(named) > 1 else known[earlier[-1]] if earlier else None
    if len(known) == 1:
        raise UserError("error.one_version", id=statement.id)
    if new is None or old is None:
        raise UserError("error.no_version", id=statement.id, known=[f"v{number}" for number in known])
    marks = {"same": "{}", "gone": "⟦-{}-⟧", "new": "⟦+{}+⟧"}
    text = "".join(marks[piece.kind].replace("{}", piece.text) for piece in changes(old.text, new.text))
    title = _say(request, "statement.diff_title", id=statement.id, old=old.number, new=new.number)
    return Reply(card=Card(title, sections=(Paragraph(text),), drill=_drill(request, statement)), private=True)


@registry.command("comment", "批注", "留言", group="statement")
def comment(request: Request) -> Reply:
    statement, rest = _statement(request)
    _service(request).comment(request.db, statement, request.field("text", rest), request.actor, request.now)
    return Reply(Text("done.statement_commented", {"id": statement.id}))


@registry.command("override", "放行", "豁免", group="statement")
def override(request: Request) -> Reply:
    """Let a finding pass, with a reason: ``override S-12 F3 reason``."""
    statement, rest = _statement(request)
    found = _FINDING.match(narrow(rest))
    if not found:
        raise UserError("error.override_reason", example=f"override {statement.id} F1 …")
    reason = request.field("reason", rest[found.end() :])
    finding = _service(request).override(request.db, statement, int(found[1]), reason, request.actor, request.now)
    return Reply(Text("done.statement_overridden", {"id": statement.id, "words": finding.words[:40] or finding.rule}))


@registry.command("submit", "送审", "提交审批", "送审批", group="statement")
def submit(request: Request) -> Reply:
    """Ask those who must agree to the text as it stands."""
    statement, _ = _statement(request)
    state = _service(request).ask(request.db, statement, request.actor, request.now)
    seats = [words.role(seat) for seat in state.open_seats]
    until = words.clock_time(state.until)
    return Reply(Text("done.statement_asked", {"id": statement.id, "seats": seats, "until": until}))


@registry.command("approve", "同意", "批准", "通过", "agree", group="statement")
def approve(request: Request) -> Reply:
    """My yes to exactly this text: ``approve S-12 a1b2``, with the code of the second factor where it is asked for."""
    statement, _ = _statement(request)
    digest, code = _digest(request), request.field("code")
    if not digest:
        return _digest_needed(request, statement)
    if not code:
        after = narrow(request.event.line).lower().partition(digest)[2]
        code = found[1] if (found := _CODE.search(after)) else ""
    state = _service(request).approve(request.db, statement, digest, request.actor, request.now, code=code)
    if state.status is StatementStatus.APPROVED:
        return Reply(Text("done.statement_approved", {"id": statement.id, "digest": state.digest[:DIGEST_SHOWN]}))
    seats = [words.role(seat) for seat in state.open_seats]
    return Reply(
        Text("done.statement_voted", {"id": statement.id, "digest": state.digest[:DIGEST_SHOWN], "seats": seats})
    )


@registry.command("reject", "驳回", "不同意", "拒绝", group="statement")
def reject(request: Request) -> Reply:
    """My no, with the reason: ``reject S-12 a1b2 reason``."""
    statement, rest = _statement(request)
    digest = _digest(request)
    if not digest:
        return _digest_needed(request, statement)
    _, _, after = rest.lower().partition(digest)
    reason = request.field("reason", rest[len(rest) - len(after) :] if digest in rest.lower() else rest)
    _service(request).reject(request.db, statement, digest, reason.strip(" ,，:："), request.actor, request.now)
    return Reply(Text("done.statement_rejected", {"id": statement.id}))


@registry.command("delegate", "委托", "授权", group="statement")
def delegate(request: Request) -> Reply:
    """Somebody votes in my place: on one statement, or on all for a time (``delegate all sunjie 2d``)."""
    service = _service(request)
    if ID.search(narrow(request.rest)):
        statement, rest = _statement(request)
    else:
        statement, rest = None, re.sub(r"^(all|全部|所有)\s*", "", request.rest, flags=re.IGNORECASE)
    name, _, after = rest.strip().partition(" ")
    person = people.find_person(request.services.config, request.field("person", name))
    if person is None:
        known = [item.name for item in request.services.config.people]
        raise UserError("error.no_such_person", name=name or "—", people=known)
    span = split_duration(after)
    until = request.now + (span[0] if span else 24 * 3_600_000) if statement is None or span else 0
    service.delegate(request.db, statement, person.id, until, request.actor, request.now)
    what = statement.id if statement else Text("statement.all")
    end = words.clock_time(until) if until else Text("statement.until_done")
    return Reply(Text("done.statement_delegated", {"what": what, "person": person.name, "until": end}))


@registry.command("retract", "撤回送审", "撤回审批", "收回", group="statement")
def retract(request: Request) -> Reply:
    """Before anything is out: nobody is asked any more, no agreement counts."""
    statement, rest = _statement(request)
    _service(request).retract(request.db, statement, request.field("reason", rest), request.actor, request.now)
    return Reply(Text("done.statement_retracted", {"id": statement.id}))


@registry.command("discard", "作废", "弃稿", roles=(*PUBLISHERS, "legal", "approver"), group="statement")
def discard(request: Request) -> Reply:
    statement, rest = _statement(request)
    _service(request).discard(request.db, statement, request.field("reason", rest), request.actor, request.now)
    return Reply(Text("done.statement_discarded", {"id": statement.id}))


@registry.command("publish", "发布", "对外发布", roles=PUBLISHERS, group="statement")
def publish(request: Request) -> Reply:
    """Hand the approved text to its targets: ``publish S-12 a1b2``, later with a time (``20:00``, ``in 2h``), under
    embargo with ``embargo 20:00``."""
    statement, _ = _statement(request)
    digest = _digest(request)
    if not digest:
        return _digest_needed(request, statement)
    after = narrow(request.event.line).lower().partition(digest)[2]
    before, _, held = re.sub(r"禁发至|禁发|embargo", "embargo", after).partition("embargo")
    at, embargo = _moment(request, before), _moment(request, held)
    _service(request).publish(request.db, statement, digest, request.actor, request.now, at=at, embargo=embargo)
    if at > request.now:
        return Reply(Text("done.statement_scheduled", {"id": statement.id, "at": words.clock_time(at)}))
    return Reply(Text("done.statement_publishing", {"id": statement.id}))


@registry.command("correct", "更正", roles=PUBLISHERS, group="statement")
def correct(request: Request) -> Reply:
    """A correction of what is out: a text of its own, reviewed and approved like any other."""
    statement, _ = _statement(request)
    new = _service(request).correct(request.db, statement, request.actor, request.now)
    return Reply(Text("done.statement_follows", {"id": statement.id, "new": new.id}))


@registry.command("recall", "撤稿", "撤下", roles=PUBLISHERS, group="statement")
def recall(request: Request) -> Reply:
    """Withdraw what is out, by a text that says so and why."""
    statement, rest = _statement(request)
    reason = request.field("reason", rest)
    new = _service(request).recall(request.db, statement, reason, request.actor, request.now)
    return Reply(Text("done.statement_follows", {"id": statement.id, "new": new.id}))


def statement_at_hand(request: Request) -> Statement | None:
    """The statement that a line names, for commands that know other things too."""
    match = ID.search(narrow(request.rest))
    return _service(request).get(request.db, f"S-{int(match[1])}") if match else None


def _service(request: Request) -> Statements:
    assert request.services.statements is not None
    return request.services.statements


def _statement(request: Request) -> tuple[Statement, str]:
    """The statement that is meant and the words after its id: named, else of the thread, else the only open one."""
    service = _service(request)
    match = ID.search(narrow(request.rest))
    if match:
        return service.get(request.db, f"S-{int(match[1])}"), request.rest[match.end() :].strip(" :：,，")
    at_hand = request.object_at_hand()
    if at_hand.startswith("statement:"):
        return service.get(request.db, at_hand.partition(":")[2]), request.rest.strip()
    found = store.open_statements(request.db)
    if request.incident_id:
        found = [item for item in found if item.incident == request.incident_id]
    real = [item for item in found if not item.drill]
    found = real if len(real) == 1 else found
    if len(found) == 1:
        return found[0], request.rest.strip()
    if not found:
        raise UserError("error.no_open_statement")
    raise UserError(
        "error.which_statement", ids=[item.id for item in found[:8]], example=f"{request.name} {found[0].id}"
    )


def _digest(request: Request) -> str:
    """The digest as typed or pressed. Read from the whole line: one such as ``d123`` looks like an incident's id."""
    match = _DIGEST.search(narrow(request.event.line))
    return match[1].lower() if match else ""


def _digest_needed(request: Request, statement: Statement) -> Reply:
    """Nobody agrees to a text without naming it: the card shows the text, and the line that names it."""
    version = _service(request).current(request.db, statement)
    line = f"{request.name} {statement.id} {version.digest[:4]}"
    card = _card(request, statement)
    asked = Paragraph(_say(request, "statement.digest_needed", line=line), strong=True)
    return Reply(card=replace(card, sections=(asked, *card.sections)))


def _replaced(request: Request, statement: Statement, current: Version, old: str, new: str) -> tuple[str, str]:
    """One place of the text replaced; it must be there exactly once, so that nobody changes what they do not see."""
    count = current.title.count(old) + current.body.count(old)
    if count != 1:
        key = "error.words_not_there" if not count else "error.words_often"
        raise UserError(key, id=statement.id, words=old[:60], n=count)
    return current.title.replace(old, new), current.body.replace(old, new)


def _moment(request: Request, text: str) -> int:
    """``20:00`` (today, or tomorrow where that has passed), ``11-28 09:00``, ``2h`` from now; 0 without one."""
    text = re.sub(r"^\s*(at|in|于|在|到|until)\s+", "", text.strip(), flags=re.IGNORECASE).strip()
    if not text:
        return 0
    if (span := split_duration(text)) is not None and not span[1]:
        return request.now + span[0]
    match = _CLOCK.search(text)
    if not match:
        raise UserError("error.publish_when", given=text[:40])
    zone = ZoneInfo(next((item.timezone for item in request.services.config.channels.values()), "Asia/Shanghai"))
    moment = datetime.fromtimestamp(request.now / 1000, zone).replace(second=0, microsecond=0)
    year, month, day, hour, minute = (int(part) if part else None for part in match.groups())
    try:
        moment = moment.replace(hour=hour or 0, minute=minute or 0)
        moment = moment.replace(year=year or moment.year, month=month or moment.month, day=day or moment.day)
    except ValueError:
        raise UserError("error.publish_when", given=text[:40]) from None
    if moment.timestamp() * 1000 <= request.now:
        moment = moment.replace(year=moment.year + 1) if month and not year else moment + timedelta(days=1)
    return int(moment.timestamp() * 1000)


def _waits_for_me(request: Request, statement: Statement) -> bool:
    if statement.status is not StatementStatus.ASKED:
        return False
    service = _service(request)
    state = service.approval(request.db, statement, service.current(request.db, statement))
    mine = request.actor.person
    return any(mine in voters(request.services.config, item, state.contributors) for item in state.turn) and all(
        vote.person != mine for vote in state.votes
    )


def _card(request: Request, statement: Statement) -> Card:
    return _service(request).card(request.db, statement, request.language, request.now)


def _line(request: Request, statement: Statement) -> str:
    version = _service(request).current(request.db, statement)
    state = Approval.from_json(statement.status, version.digest, store.approval(request.db, statement.id))
    incident = incident_store.get(request.db, statement.incident)
    params = {
        "id": statement.id, "audience": Text(f"audience.{statement.audience}"), "title": version.title or "—",
        "status": Text(f"statement_status.{statement.status.value}"), "digest": version.digest[:DIGEST_SHOWN],
        "incident": incident.id if incident else "—", "blocks": len(state.blocks),
    }  # fmt: skip
    return _say(request, "statement.line", **params)


def _drill(request: Request, statement: Statement) -> str:
    return _say(request, "card.drill", drill=statement.drill) if statement.drill else ""


def _say(request: Request, key: str, **params: object) -> str:
    return render(Text(key, params), request.language)
