"""Commands on people outside: who they are, who spoke to them, what the press waits for."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.incidents import words
from bot.model.card import Card, Items, Section
from bot.model.text import Text, UserError
from bot.response.contacts import KINDS, Interview
from bot.store import incidents as incident_store
from bot.texts import render
from handlers.linkage import linked
from handlers.registry import Reply, Request, chat_duration, registry, split_duration

_TIME = re.compile(r"^(?:(\d{4})-(\d{1,2})-(\d{1,2})[ T])?(\d{1,2})[:：](\d{2})(?!\d)\s*")
_NUMBERED = re.compile(r"^\s*#?(\d{1,9})[\s:：,，]*")
DEFAULT_ANSWER = 4 * 3_600_000


@registry.command("contacts", "联系人", "通讯录", "外部联系人", group="response")
def contacts(request: Request) -> Reply:
    """Those outside by kind, or those that fit a word, with when somebody last spoke to them."""
    service = linked(request).contacts
    found = service.find(request.rest)
    if not found:
        raise UserError("error.no_such_contact", name=request.rest or "—", known=[
            contact.name for contact in request.services.config.contacts[:10]] or ["—"])  # fmt: skip
    sections: list[Section] = []
    for kind in KINDS:
        lines = []
        for contact in found:
            if contact.kind != kind:
                continue
            parts = (service.name(contact.id), contact.title, contact.phone, contact.email)
            line = _say(request, "plain", text=[part for part in parts if part])
            last = service.last_spoken(request.db, contact.id)
            if last:
                at, who, what = last
                line += " — " + _say(request, "contact.last", at=words.clock_time(at), who=who, text=what[:80])
            lines.append(line)
        if lines:
            sections.append(Items(_say(request, f"contact_kind.{kind}"), tuple(lines)))
    return Reply(card=Card(_say(request, "contact.title"), sections=tuple(sections)), private=True)


@registry.command("spoke", "沟通记录", "已沟通", "沟通", "对接", group="response")
def spoke(request: Request) -> Reply:
    """``spoke I-12 chen-reporter | what was said``: the liaison log."""
    service = linked(request).contacts
    who, about = _who_and_what(request)
    contact = service.one(request.field("contact", who))
    incident = request.incident() if request.incident_id or _live(request) else None
    service.spoke(request.db, contact, incident, request.field("text", about), request.actor, request.now)
    return Reply(Text("contact.spoke", {"contact": service.name(contact.id), "actor": request.actor.name}))


@registry.command("liaison", "联络记录", "对接记录", group="response")
def liaison(request: Request) -> Reply:
    """Who spoke to whom when about what, of an incident or with one contact."""
    service = linked(request).contacts
    contact = service.one(request.rest).id if request.rest.strip() else ""
    found = service.log(request.db, incident=request.incident_id, contact=contact)
    if not found:
        return Reply(Text("contact.nothing_said"))
    lines = tuple(
        _say(
            request, "contact.line", at=words.clock_time(row["happened_at"]), who=row["actor_name"],
            contact=service.name(row["contact"]), text=row["about"],
        )
        for row in found
    )  # fmt: skip
    return Reply(card=Card(_say(request, "contact.liaison_title"), sections=(Items("", lines),)))


@registry.command("interview", "采访", "采访请求", "媒体问询", group="response")
def interview(request: Request) -> Reply:
    """``interview I-12 chen-reporter | 2h | question``, or with a time of day: ``| 18:30 |``."""
    service = linked(request).contacts
    who, rest = _who_and_what(request)
    if not request.field("contact", who):
        raise UserError("error.interview_what")
    contact = service.one(request.field("contact", who))
    due_at, question = _deadline(request, request.field("due"), request.field("text", rest))
    asked = service.ask(request.db, contact, request.incident(), question, due_at, request.actor, request.now)
    return Reply(Text("contact.taken", {"number": asked.id, "due": words.clock_time(due_at)}))


@registry.command("interviews", "采访列表", "待答采访", group="response")
def interviews(request: Request) -> Reply:
    service = linked(request).contacts
    found = service.open_interviews(request.db, request.incident_id)
    if not found:
        return Reply(Text("contact.no_interviews"))
    lines = tuple(_line(request, item, service.name(item.contact)) for item in found)
    return Reply(card=Card(_say(request, "contact.interviews_title"), sections=(Items("", lines),)))


@registry.command("interview-answer", "答复采访", "采访答复", group="response")
def interview_answer(request: Request) -> Reply:
    """``interview-answer 4 | what was answered``."""
    match = _NUMBERED.match(request.rest)
    number = request.field("number", match[1] if match else "")
    if not number.isdigit():
        raise UserError("error.which_number", example="interview-answer 4 …")
    text = request.field("text", request.rest[match.end() :] if match else "").lstrip("|｜ ")
    done = linked(request).contacts.answer(request.db, int(number), text, request.actor, request.now)
    return Reply(Text("contact.answered", {"number": done.id, "actor": request.actor.name}), private=False)


def _who_and_what(request: Request) -> tuple[str, str]:
    """``name | words`` or ``name words``."""
    text = request.rest.replace("｜", "|")
    if "|" in text:
        who, _, what = text.partition("|")
    else:
        who, _, what = text.strip().partition(" ")
    return who.strip(), what.strip()


def _deadline(request: Request, field: str, text: str) -> tuple[int, str]:
    """The moment an answer is due and the words after it: ``2h``, ``18:30`` (today, or tomorrow when it is past),
    ``2026-03-15 10:00``; four hours without any. It may also come last: ``question | 2h``."""
    words_ = _deadline_first(f"{field} | {text}" if field else text)
    first, mark, rest = words_.partition("|")
    given = first.strip() if mark else words_
    span = split_duration(given)
    if span:
        return request.now + span[0], (rest if mark else span[1]).strip()
    match = _TIME.match(given)
    if match is None:
        return request.now + DEFAULT_ANSWER, words_.strip()
    zone = ZoneInfo(next((item.timezone for item in request.services.config.channels.values()), "Asia/Shanghai"))
    local = datetime.fromtimestamp(request.now / 1000, zone)
    year, month, day, hour, minute = match.groups()
    try:
        moment = local.replace(hour=int(hour), minute=int(minute), second=0, microsecond=0)
        if year:
            moment = moment.replace(year=int(year), month=int(month), day=int(day))
    except ValueError:
        raise UserError("error.interview_past") from None
    due_at = int(moment.timestamp() * 1000)
    if not year and due_at <= request.now:
        due_at += 86_400_000
    return due_at, (rest if mark else given[match.end() :]).strip()


def _deadline_first(text: str) -> str:
    """Of parts between bars, the one that is a deadline and nothing else stands first."""
    parts = [part.strip() for part in text.split("|")]
    for place, part in enumerate(parts):
        match = _TIME.match(part)
        if chat_duration(part) or (match and match.end() == len(part)):
            return " | ".join([part, " ".join(parts[:place] + parts[place + 1 :]).strip()])
    return text


def _line(request: Request, item: Interview, contact: str) -> str:
    late = item.due_at <= request.now
    key = "contact.interview_late" if late else "contact.interview_open"
    return _say(
        request, key, number=item.id, contact=contact, question=item.question, due=words.clock_time(item.due_at)
    )


def _live(request: Request) -> bool:
    return len([item for item in incident_store.live(request.db) if not item.drill]) == 1


def _say(request: Request, key: str, **params: object) -> str:
    return render(Text(key, params), request.language)
