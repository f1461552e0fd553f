"""The case library from chat: look one up, search, what resembles an incident, write down a case or a lesson."""

import re

from bot.incidents import words
from bot.learning.case_cards import case_card, list_card, similar_card
from bot.learning.cases import Cases, Wanted
from bot.model.card import Form, FormField
from bot.model.grade import CrisisType, Grade
from bot.model.text import Text, UserError
from bot.store import incidents as incident_store
from bot.texts import render
from handlers.registry import EVERYBODY, Reply, Request, narrow, registry, split_duration

ADD = ("add", "新增", "录入", "补录", "添加")
DRILLS = re.compile(r"(?<!\w)(?:drills?|only drills)(?!\w)|演练", re.IGNORECASE)
_ONE = re.compile(r"^(?:C-?(\d{1,9})|([a-z0-9][a-z0-9-]+-[a-z0-9-]*\d{4}|archetype-[a-z0-9-]+))$", re.IGNORECASE)
_REFERENCE = re.compile(r"^C-?(\d{1,9})(?![A-Za-z0-9])\s*", re.IGNORECASE)
_YEARS = re.compile(r"^(\d{1,2})\s*(?:年|y|years?)$", re.IGNORECASE)
_PARTS = re.compile(r"[|｜\n]")
GRADES = {
    "red": Grade.RED, "红": Grade.RED, "红色": Grade.RED, "orange": Grade.ORANGE, "橙": Grade.ORANGE,
    "橙色": Grade.ORANGE, "yellow": Grade.YELLOW, "黄": Grade.YELLOW, "黄色": Grade.YELLOW, "blue": Grade.BLUE,
    "蓝": Grade.BLUE, "蓝色": Grade.BLUE,
}  # fmt: skip
DAY = 86_400_000


@registry.command("case", "案例", "案例库", "cases", roles=EVERYBODY, group="response")
def case(request: Request) -> Reply:
    """``case 提现``, ``case C-3``, ``case I-12``, ``cases outage red 90d``, ``case drills``, ``case add …``."""
    service = _cases(request)
    asked = narrow(request.rest).strip()
    first, _, rest = asked.partition(" ")
    if first.lower() in ADD:
        return _add(request, rest)
    one = _ONE.match(asked)
    reference = request.incident_id if not asked else f"C-{int(one[1])}" if one and one[1] else one[2] if one else ""
    if reference:
        found = service.get(request.db, reference)
        return Reply(card=case_card(found, service.lessons(request.db, found.id), request.language))
    wanted = understood(asked, request.now)
    return Reply(card=list_card(service.search(request.db, wanted), asked, request.language))


@registry.command("case-add", "新增案例", "录入案例", group="response")
def case_add(request: Request) -> Reply:
    """``case-add title | what happened | kind | grade | lesson``."""
    return _add(request, request.rest)


@registry.command("similar", "相似案例", "类似案例", "同类案例", roles=EVERYBODY, group="response")
def similar(request: Request) -> Reply:
    """What happened before that is like this: why, what helped then, how long it took."""
    service, incident = _cases(request), request.incident()
    found = service.similar(request.db, incident, request.now)
    lessons = {item.case.id: service.lessons(request.db, item.case.id) for item in found}
    return Reply(card=similar_card(incident, found, lessons, request.language))


@registry.command("lesson", "教训", "经验", "lessons", group="response")
def lesson(request: Request) -> Reply:
    """``lesson I-12 words`` or ``lesson C-3 words``."""
    named = _REFERENCE.match(narrow(request.rest))
    words_ = request.field("text", request.rest[named.end() :] if named else request.rest)
    reference = f"C-{int(named[1])}" if named else request.incident_id
    if not reference:
        raise UserError("error.lesson_what")
    service = _cases(request)
    if not named and incident_store.get(request.db, reference) is None:
        raise UserError("error.no_such_incident", id=reference)
    kept = service.lesson(request.db, reference, words_, request.actor, request.now)
    return Reply(Text("done.lesson", {"id": kept.id, "title": kept.title.in_language(request.language)}))


def understood(line: str, now: int) -> Wanted:
    """What narrows the search (a grade, a kind of crisis, a period, drills) and the words that remain."""
    drills = bool(DRILLS.search(line))
    kind, grade, since, rest = "", Grade.NONE, 0, []
    for word in DRILLS.sub(" ", line).split():
        lowered = word.lower()
        span, years = split_duration(word), _YEARS.match(word)
        if lowered in GRADES:
            grade = GRADES[lowered]
        elif found := _kind(lowered):
            kind = found
        elif years:
            since = now - int(years[1]) * 366 * DAY
        elif (days := re.fullmatch(r"(\d{1,4})(?:d|天|日)", lowered)) or (span and not span[1]):
            since = now - (int(days[1]) * DAY if days else span[0] if span else 0)
        else:
            rest.append(word)
    return Wanted(" ".join(rest), kind, grade, since, drills)


def _kind(word: str) -> str:
    """A kind of crisis by its identifier; its name in words is searched like any other word."""
    name = word.replace("-", "_")
    return name if name in {item.value for item in CrisisType} and name != CrisisType.OTHER else ""


def _add(request: Request, rest: str) -> Reply:
    parts = [part.strip() for part in _PARTS.split(request.field("text", rest)) if part.strip()]
    title = request.field("title", parts[0] if parts else "")
    story = request.field("story", parts[1] if len(parts) > 1 else "")
    if not title or not story:
        raise UserError("error.case_add")
    kind = _kind(request.field("kind", parts[2] if len(parts) > 2 else "").lower()) or CrisisType.OTHER.value
    grade = GRADES.get(request.field("grade", parts[3] if len(parts) > 3 else "").lower(), Grade.YELLOW)
    service = _cases(request)
    kept = service.add(request.db, title, story, kind, grade, request.actor, request.now)
    if learnt := request.field("lesson", parts[4] if len(parts) > 4 else ""):
        service.lesson(request.db, kept.id, learnt, request.actor, request.now)
    return Reply(card=case_card(kept, service.lessons(request.db, kept.id), request.language))


@registry.form("case-add")
def case_form(command: str, language: str) -> Form:
    def say(key: str) -> str:
        return render(Text(key), language)

    kinds = tuple((item.value, render(Text(f"type.{item.value}"), language)) for item in CrisisType)
    grades = tuple((grade.word, render(words.grade(grade), language)) for grade in Grade if grade)
    fields = (
        FormField("title", say("form.case.title")),
        FormField("story", say("form.case.story"), "multiline"),
        FormField("kind", say("form.case.kind"), "choice", options=kinds, initial="other"),
        FormField("grade", say("form.case.grade"), "choice", options=grades, initial="yellow"),
        FormField("lesson", say("form.case.lesson"), "multiline", required=False),
    )
    return Form("case-add", say("form.case-add.title"), command, fields, say("form.submit"), say("form.cancel"))


@registry.form("lesson")
def lesson_form(command: str, language: str) -> Form:
    def say(key: str) -> str:
        return render(Text(key), language)

    fields = (FormField("text", say("form.case.lesson"), "multiline"),)
    return Form("lesson", say("form.lesson.title"), command, fields, say("form.submit"), say("form.cancel"))


def _cases(request: Request) -> Cases:
    assert request.services.cases is not None, "every process has a library of cases"
    return request.services.cases
