"""Commands on incidents: take in hand, assign, grade, mute, note, decide, end."""

from bot.analysis.association import associations
from bot.analysis.emotions import EMOTIONS
from bot.analysis.entities import entities
from bot.analysis.names import names
from bot.analysis.text import clean, fold_all
from bot.clock import HOUR
from bot.incidents import people, words
from bot.model.card import Button, Card, Form, FormField, Items, Paragraph, Quote, Section
from bot.model.grade import Grade
from bot.model.incident import Incident
from bot.model.message import Attachment
from bot.model.text import Text, UserError
from bot.store import counts, labels, posts
from bot.store import incidents as store
from bot.store.labels import Verdict
from bot.texts import render
from bot.warning.early import early_warning
from handlers.registry import EVERYBODY, Reply, Request, registry
from handlers.statement import statement_at_hand

GRADE_WORDS = {
    "blue": Grade.BLUE, "蓝": Grade.BLUE, "蓝色": Grade.BLUE, "low": Grade.BLUE, "轻微": Grade.BLUE, "4": Grade.BLUE,
    "yellow": Grade.YELLOW, "黄": Grade.YELLOW, "黄色": Grade.YELLOW, "medium": Grade.YELLOW, "中等": Grade.YELLOW,
    "orange": Grade.ORANGE, "橙": Grade.ORANGE, "橙色": Grade.ORANGE, "high": Grade.ORANGE, "严重": Grade.ORANGE,
    "red": Grade.RED, "红": Grade.RED, "红色": Grade.RED, "critical": Grade.RED, "特别严重": Grade.RED,
}  # fmt: skip
AUTO_WORDS = frozenset({"auto", "自动"})
ROLE_WORDS = {
    "公关": "pr", "法务": "legal", "技术": "operations", "运维": "operations", "客服": "customer_service",
    "市场": "marketing", "高管": "executive", "负责人": "lead", "总协调": "lead", "owner": "lead",
}  # fmt: skip
CHATS = frozenset({"slack", "wecom", "console", "api", "cli"})
DEFAULT_MUTE = 60 * 60_000
EXAMPLES_IN_WHY = 6
POSTS_COMPARED = 400


@registry.command("show", "详情", "查看", "看", roles=EVERYBODY)
def show(request: Request) -> Reply:
    """A fresh copy of the incident's card."""
    if (statement := statement_at_hand(request)) is not None and request.services.statements is not None:
        card = request.services.statements.card(request.db, statement, request.language, request.now)
        return Reply(card=card)
    incident = request.incident()
    return Reply(card=request.services.cards(request.db, incident, request.language, request.now))


@registry.command("ack", "确认", "接手", "我来", "take", "acknowledge")
def acknowledge(request: Request) -> Reply:
    incident = request.services.incidents.acknowledge(request.db, request.incident(), request.actor, request.now)
    return Reply(Text("done.ack", {"id": incident.id, "actor": request.actor.name}))


@registry.command("assign", "指派", "分派", "交给", "派给")
def assign(request: Request) -> Reply:
    incident = request.incident()
    parts = request.rest.replace("，", " ").split()
    who = request.field("person", parts[0] if parts else "")
    role = request.field("role", parts[1] if len(parts) > 1 else "lead")
    role = ROLE_WORDS.get(role, role)
    if not who:
        raise UserError("error.assign_whom", example=f"assign {incident.id} …")
    person = people.find_person(request.services.config, who)
    if person is None:
        raise UserError("error.no_such_person", name=who, people=[item.name for item in request.services.config.people])
    if role not in words.KNOWN_ROLES:
        raise UserError("error.no_such_role", role=role, roles=[words.role(name) for name in sorted(words.KNOWN_ROLES)])
    load = store.load_of(request.db, person.id)
    request.services.incidents.assign(request.db, incident, person, role, request.actor, request.now)
    params = {"id": incident.id, "person": person.name, "role": words.role(role), "load": load}
    return Reply(Text("done.assign", params))


@registry.command("grade", "改级别", "级别", "定级", "调级")
def grade(request: Request) -> Reply:
    incident = request.incident()
    first, _, after = request.rest.partition(" ")
    word = request.field("grade", first).lower()
    reason = request.field("reason", after)
    if word in AUTO_WORDS:
        request.services.incidents.set_grade(request.db, incident, None, "", request.actor, request.now)
        return Reply(Text("done.grade_auto", {"id": incident.id}))
    chosen = GRADE_WORDS.get(word)
    if chosen is None:
        raise UserError("error.no_such_grade", word=word or "—", example=f"grade {incident.id} orange …")
    request.services.incidents.set_grade(request.db, incident, chosen, reason, request.actor, request.now)
    return Reply(Text("done.grade", {"id": incident.id, "grade": words.grade(chosen)}))


@registry.command("why", "为什么", "依据", "原因", roles=EVERYBODY)
def why(request: Request) -> Reply:
    """Every signal with its numbers, how the grade moved, and the posts it rests on."""
    incident = request.incident()
    language = request.language
    sections: list[Section] = []
    signals = tuple(
        _say(request, "why.signal", grade=words.grade(signal.grade), signal=words.signal(signal))
        for signal in incident.signals
    )
    sections.append(Items(_say(request, "why.signals"), signals or (_say(request, "why.none"),)))
    if incident.signals:
        score = words.early(early_warning(incident.signals))
        sections.append(Paragraph(_say(request, "why.early", score=score)))
    moves = [
        f"{words.clock_time(entry.happened_at)} {render(words.timeline(entry), language)}"
        for entry in store.timeline(request.db, incident.id, ("opened", "raised", "lowered", "graded", "grade_auto"))
    ]
    sections.append(Items(_say(request, "why.moves"), tuple(moves)))
    feelings = _feelings(request, incident)
    if feelings:
        sections.append(Items(_say(request, "emotion.title"), feelings))
    concentrated = tuple(render(text, language) for text in _concentration(request, incident))
    if concentrated:
        sections.append(Items(_say(request, "association.title"), concentrated))
    seqs = list(dict.fromkeys(seq for signal in incident.signals for seq in signal.posts))
    for mention in posts.mentions_of(request.db, incident.subject, seqs)[:EXAMPLES_IN_WHY]:
        source = render(words.platform(mention.platform), language) + f" · {words.clock_time(mention.published_at)}"
        source += f" · {_say(request, 'label.post', post=mention.post)}"
        sections.append(Quote(" ".join(mention.text.split())[:200], source, mention.url))
    title = _say(request, "why.title", id=incident.id)
    button = Button(_say(request, "button.label"), f"label {incident.id}", form="label")
    return Reply(
        card=Card(
            title, grade=incident.grade, sections=tuple(sections), buttons=(button,),
            drill=_drill_mark(request, incident.drill),
        )
    )  # fmt: skip


@registry.command("timeline", "时间线", "经过", roles=EVERYBODY)
def timeline(request: Request) -> Reply:
    """What happened when, by whom, through which chat."""
    incident = request.incident()
    lines = tuple(
        f"{words.clock_time(entry.happened_at)} {render(words.timeline(entry), request.language)}"
        + _through(request, entry.chat)
        for entry in store.timeline(request.db, incident.id)
    )
    card = Card(
        _say(request, "timeline.title", id=incident.id), grade=incident.grade, sections=(Items("", lines[-40:]),)
    )
    return Reply(card=card)


@registry.command("chart", "走势", "图", "图表", "看走势", roles=EVERYBODY)
def chart(request: Request) -> Reply:
    """The incident's picture: volume by sentiment and grade changes. Drawn when it is sent; without a duration it
    reaches as far back as the matter goes."""
    incident = request.incident()
    milliseconds, _ = request.duration(0)
    return Reply(attachment=Attachment("chart", {"incident": incident.id, "hours": milliseconds / 3_600_000}))


@registry.command("mute", "静音", "免打扰", "silence")
def mute(request: Request) -> Reply:
    incident = request.incident()
    milliseconds, after = request.duration(DEFAULT_MUTE)
    reason = request.field("reason", after)
    request.services.incidents.mute(request.db, incident, milliseconds, reason, request.actor, request.now)
    until = words.clock_time(request.now + milliseconds)
    return Reply(Text("done.mute", {"id": incident.id, "until": until}))


@registry.command("unmute", "取消静音", "解除静音")
def unmute(request: Request) -> Reply:
    incident = request.services.incidents.unmute(request.db, request.incident(), request.actor, request.now)
    return Reply(Text("done.unmute", {"id": incident.id}))


@registry.command("update", "进展", "更新进展", "报进展")
def update(request: Request) -> Reply:
    """How it stands, told to everybody concerned: ``update I-1 the queue is halved``."""
    incident = request.incident()
    text = request.field("text", request.rest)
    assert request.services.updates is not None
    request.services.updates.say(request.db, incident, text, request.actor, request.now)
    return Reply(Text("done.update", {"id": incident.id}))


@registry.command("note", "备注", "记录", "记一笔")
def note(request: Request) -> Reply:
    incident = request.incident()
    text = request.field("text", request.rest or request.event.shared)
    if not text:
        raise UserError("error.note_what", example=f"note {incident.id} …")
    happened_at = request.event.happened_at if request.event.shared else None
    request.services.incidents.note(request.db, incident, text, request.actor, request.now, happened_at)
    return Reply(Text("done.note", {"id": incident.id}))


@registry.command("decide", "决定", "决策", "decision")
def decide(request: Request) -> Reply:
    """Record a decision in the words it was made in."""
    incident = request.incident()
    text = request.field("text", request.rest)
    if not text:
        raise UserError("error.decide_what", example=f"decide {incident.id} …")
    request.services.incidents.decide(request.db, incident, text, request.actor, request.now)
    return Reply(Text("done.decide", {"id": incident.id, "text": text, "actor": request.actor.name}))


@registry.command("responding", "处置中", "开始处置")
def responding(request: Request) -> Reply:
    return _move(request, "responding")


@registry.command("monitoring", "观察", "观察中")
def monitoring(request: Request) -> Reply:
    return _move(request, "monitoring")


@registry.command("resolve", "解决", "已解决", "resolved")
def resolve(request: Request) -> Reply:
    return _move(request, "resolved")


@registry.command("close", "关闭", "结案", "结束")
def close(request: Request) -> Reply:
    incident = request.incident()
    reason = request.field("reason", request.rest)
    request.services.incidents.close(request.db, incident, reason, request.actor, request.now)
    return Reply(Text("done.close", {"id": incident.id}))


@registry.command("false-alarm", "误报", "false alarm", "虚警")
def false_alarm(request: Request) -> Reply:
    incident = request.incident()
    reason = request.field("reason", request.rest)
    # What it rested on is labelled with the press, so that several false alarms of a subject can be pointed out.
    for seq in dict.fromkeys(seq for signal in incident.signals for seq in signal.posts):
        labels.record(
            request.db, post=seq, subject=incident.subject, person=request.actor.person, verdict=Verdict.FALSE_ALARM,
            incident=incident.id, drill=incident.drill, now=request.now,
        )  # fmt: skip
    request.services.incidents.false_alarm(request.db, incident, reason, request.actor, request.now)
    return Reply(Text("done.false_alarm", {"id": incident.id}))


@registry.command("reopen", "重新打开", "重开")
def reopen(request: Request) -> Reply:
    incident = request.services.incidents.reopen(request.db, request.incident(), request.actor, request.now)
    return Reply(Text("done.reopen", {"id": incident.id}))


@registry.form("assign")
def assign_form(command: str, language: str) -> Form:
    roles = tuple((name, render(Text(f"role.{name}"), language)) for name in ("lead", "pr", "legal", "operations",
                  "customer_service", "marketing", "executive"))  # fmt: skip
    return _form("assign", command, language, (
        FormField("person", _field("person", language), "person"),
        FormField("role", _field("role", language), "choice", options=roles, initial="lead"),
    ))  # fmt: skip


@registry.form("grade")
def grade_form(command: str, language: str) -> Form:
    grades = tuple((item.word, render(words.grade(item), language)) for item in reversed(Grade) if item)
    return _form("grade", command, language, (
        FormField("grade", _field("grade", language), "choice", options=(*grades, ("auto", _field("auto", language)))),
        FormField("reason", _field("reason", language), required=False, placeholder=_field("reason_hint", language)),
    ))  # fmt: skip


@registry.form("mute")
def mute_form(command: str, language: str) -> Form:
    spans = tuple((span, render(words.duration(ms), language)) for span, ms in (
        ("30m", 1_800_000), ("1h", 3_600_000), ("4h", 14_400_000), ("24h", 86_400_000)))  # fmt: skip
    return _form("mute", command, language, (
        FormField("duration", _field("duration", language), "choice", options=spans, initial="1h"),
        FormField("reason", _field("reason", language), "text", placeholder=_field("reason_hint", language)),
    ))  # fmt: skip


@registry.form("note")
def note_form(command: str, language: str) -> Form:
    return _form("note", command, language, (FormField("text", _field("note", language), "multiline"),))


@registry.form("update")
def update_form(command: str, language: str) -> Form:
    return _form("update", command, language, (FormField("text", _field("update", language), "multiline"),))


@registry.form("false-alarm")
def false_alarm_form(command: str, language: str) -> Form:
    hint = _field("false_alarm_hint", language)
    return _form("false-alarm", command, language, (
        FormField("reason", _field("reason", language), "text", placeholder=hint),))  # fmt: skip


@registry.form("close")
def close_form(command: str, language: str) -> Form:
    return _form("close", command, language, (
        FormField("reason", _field("outcome", language), "multiline", required=False),))  # fmt: skip


def _feelings(request: Request, incident: Incident) -> tuple[str, ...]:
    """Which feelings the negative posts of the last hour carry, and of the hour before it for comparison."""
    minute = request.now // 60_000

    def counted(until: int) -> dict[str, int]:
        rows = counts.terms(request.db, incident.subject, incident.drill, until - 59, until)
        return {name: sum(row.count for row in rows if (row.kind, row.word) == ("emotion", name)) for name in EMOTIONS}

    now, before = counted(minute), counted(minute - 60)
    return tuple(
        _say(request, "emotion.count", feeling=Text(f"emotion.{name}"), now=now[name], before=before[name])
        for name in sorted(EMOTIONS, key=lambda name: -now[name])
        if now[name] or before[name]
    )


def _concentration(request: Request, incident: Incident) -> list[Text]:
    """Which product, version, place or branch the complaints of the incident's newest posts concentrate on."""
    since = incident.opened_at - HOUR
    mentions = posts.recent_mentions(request.db, incident.subject, since, drill=incident.drill, limit=POSTS_COMPARED)
    folded = fold_all([clean(mention.text) for mention in mentions])
    compared = [
        (set(entities(text) + names(text)), {word for _, said in mention.types for word in said})
        for mention, text in zip(mentions, folded, strict=True)
    ]
    return [found.reason for found in associations(compared)]


def _through(request: Request, chat: str) -> str:
    """Through which chat somebody did it; the program's own acts need no mark."""
    if chat == "system":
        return ""
    return _say(request, "timeline.through", chat=Text(f"chat.{chat}") if chat in CHATS else chat)


def _move(request: Request, word: str) -> Reply:
    incident = request.services.incidents.set_status(request.db, request.incident(), word, request.actor, request.now)
    params = {"id": incident.id, "status": Text(f"status.{incident.status.value}")}
    return Reply(Text("done.status", params))


def _form(form_id: str, command: str, language: str, fields: tuple[FormField, ...]) -> Form:
    return Form(
        form_id, render(Text(f"form.{form_id}.title"), language), command, fields, _field("submit", language),
        _field("cancel", language),
    )  # fmt: skip


def _field(name: str, language: str) -> str:
    return render(Text(f"form.{name}"), language)


def _say(request: Request, key: str, **params: object) -> str:
    return render(Text(key, params), request.language)


def _drill_mark(request: Request, drill: str) -> str:
    return _say(request, "card.drill", drill=drill) if drill else ""
