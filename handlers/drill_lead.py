"""What leading a drill takes beside starting it: a date, injects by hand, observers, and the facilitator's own view."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.drills.direction import KINDS, Manual, View, is_posts
from bot.drills.schema import Unreachable
from bot.incidents import words
from bot.incidents.people import find_person
from bot.model.card import Button, Card, Facts, Form, FormField, Items
from bot.model.text import Text, UserError
from bot.response.values import show_duration
from bot.store import drill_plans
from bot.store.drills import Drill
from bot.texts import render
from handlers.registry import Reply, Request, narrow, registry, split_duration

FACILITATORS = ("pr_head", "admin", "drill")
_PLAN_ID = re.compile(r"(?<![A-Za-z0-9-])DP-?(\d{1,9})(?![A-Za-z0-9-])", re.IGNORECASE)
_DATE = re.compile(r"(\d{4})[-/年](\d{1,2})[-/月](\d{1,2})日?\s*(\d{1,2})[:：点](\d{2})?分?")
_LEAVE = re.compile(r"(?:^|\s)(?:remove|off|移除|取消)(?:\s|$)", re.IGNORECASE)
_KIND_WORDS = {
    "call": ("call", "来电", "电话"), "letter": ("letter", "来函"), "question": ("question", "追问", "提问"),
    "status": ("status", "状态"), "rumour": ("rumour", "rumor", "传言", "谣言"),
    "unreachable": ("unreachable", "联系不上", "失联"),
}  # fmt: skip


def date_in(line: str) -> tuple[str, str]:
    """The date and time of a line as ``2026-12-01 10:00``, and the line without them."""
    match = _DATE.search(narrow(line))
    if not match:
        return "", line
    year, month, day, hour, minute = (int(part or 0) for part in match.groups())
    return f"{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}", line[: match.start()] + line[match.end() :]


def _moment(request: Request, when: str) -> int:
    """A date of the organisation's own clock in milliseconds; 0 for none and for one the calendar does not have."""
    zone = ZoneInfo(next((item.timezone for item in request.services.config.channels.values()), "Asia/Shanghai"))
    try:
        return int(datetime.fromisoformat(when).replace(tzinfo=zone).timestamp() * 1000)
    except ValueError:
        return 0


def schedule(request: Request, name: str, when: str, speed: float, surprise: bool, subject: str) -> Reply:
    starts_at = _moment(request, when)
    assert request.services.drills is not None
    plan = request.services.drills.plans.plan(
        request.db, name, starts_at, request.actor, request.now, speed=speed, surprise=surprise, subject=subject
    )
    said = Text("done.drill_schedule", {"id": plan.id, "scenario": plan.scenario, "at": words.clock_time(starts_at)})
    return Reply(said, private=True)


def plans(request: Request) -> Reply:
    """What is to come. A surprise is shown to whoever may lead drills, and to nobody else."""
    leads = not request.actor.roles.isdisjoint(FACILITATORS)
    shown = [plan for plan in drill_plans.waiting(request.db) if leads or not plan.surprise]
    if not shown:
        return Reply(Text("drill.no_plan"))
    lines = tuple(
        _say(request, "drill.plan_row", id=plan.id, scenario=plan.scenario, at=words.clock_time(plan.starts_at),
             speed=f"{plan.speed:g}", name=plan.name,
             surprise=Text("drill.surprise") if plan.surprise else "")
        for plan in shown
    )  # fmt: skip
    buttons = tuple(
        Button(_say(request, "button.drill_cancel", id=plan.id), f"drill cancel {plan.id}", "danger")
        for plan in shown[:4]
        if leads
    )
    return Reply(card=Card(_say(request, "drill.plans"), sections=(Items("", lines),), buttons=buttons), private=True)


def cancel(request: Request, rest: str) -> Reply:
    match = _PLAN_ID.search(narrow(rest))
    assert request.services.drills is not None
    plan = request.services.drills.plans.cancel(
        request.db, f"DP-{int(match[1])}" if match else rest.strip()[:20] or "—", request.actor, request.now
    )
    return Reply(Text("done.drill_cancel", {"id": plan.id}), private=True)


def observe(request: Request, drill: Drill, rest: str) -> Reply:
    leaving = bool(_LEAVE.search(rest))
    name = _LEAVE.sub(" ", rest).strip()
    person = find_person(request.services.config, name)
    if person is None:
        raise UserError("error.drill_observe", id=drill.id, name=name or "—")
    assert request.services.drills is not None
    request.services.drills.direction.observe(request.db, drill, person, not leaving, request.actor, request.now)
    key = "done.drill_observe_off" if leaving else "done.drill_observe"
    return Reply(Text(key, {"id": drill.id, "name": person.name}), private=True)


def inject(request: Request, drill: Drill, rest: str) -> Reply:
    """``call 财新记者 | 你们的客户资金还在吗?``, ``rumour 30 …``, ``unreachable zhaolei 30m``; or a form's fields."""
    kind, line = _kind(request.field("kind") or rest)
    if request.fields:
        line = f"{request.field('sender')} | {request.field('words')}"
    sender, _, text = line.partition("|") if "|" in line else line.partition("｜")
    manual = Manual(kind, sender.strip()[:80], text.strip()[:2000])
    if kind == "rumour":
        count = re.match(r"\s*(\d{1,4})\b\s*", sender)
        words_ = text.strip() or sender[count.end() if count else 0 :].strip()
        manual = Manual(kind, "", words_[:2000], int(count[1]) if count else 20)
    elif kind == "unreachable":
        manual = _away(request, drill, sender, text.strip())
    elif not manual.text:
        manual = Manual("", "", "")  # refused with an example
    assert request.services.drills is not None
    request.services.drills.direction.inject(request.db, drill, manual, request.actor, request.now)
    return Reply(Text("done.drill_inject", {"id": drill.id}), private=True)


def view(request: Request, drill: Drill) -> Reply:
    if request.event.chat == "wecom" and not request.event.private:
        raise UserError("error.drill_view_here", id=drill.id)
    assert request.services.drills is not None
    found = request.services.drills.direction.view(request.db, drill, request.actor, request.now)
    return Reply(card=_view_card(request, found), private=True)


def _view_card(request: Request, found: View) -> Card:
    drill, language = found.drill, request.language
    coming = []
    for event in found.coming:
        what = Text("drill.coming_posts", {"n": event.count}) if is_posts(event) else Text(f"drill.kind_{event.kind}")  # type: ignore[union-attr]
        text = "" if is_posts(event) else event.text.in_language(language)  # type: ignore[union-attr]
        if isinstance(event, Unreachable):
            text = f"{render(words.role(event.role), language)} {text}"
        hint = event.hint.in_language(language) if event.hint else ""
        only = Text("drill.unless", {"done": Text(f"drill.done_{event.unless}")}) if event.unless else ""
        only = Text("drill.when", {"done": Text(f"drill.done_{event.when}")}) if event.when else only
        line = _say(request, "drill.coming_row", at=show_duration(event.at), what=what, text=text, only=only)
        coming.append(f"{line} {_say(request, 'drill.coming_hint', text=hint)}" if hint else line)
    none = ("—",)
    done = [
        _say(request, "drill.done_row", done=Text(f"drill.done_{name}"), who=who or "—") for name, who in found.done
    ]
    undone = [_say(request, f"drill.done_{name}") for name in found.undone]
    rows = [
        (_say(request, "drill.label_time"), f"{show_duration(found.reached // 60_000 * 60_000 or 60_000)}"
         f" / {show_duration(found.scenario.duration)}"),
        (_say(request, "drill.label_speed"), f"{drill.speed:g}"),
        (_say(request, "drill.label_away"), "、".join(found.away) or "—"),
        (_say(request, "drill.label_observers"), "、".join(found.observers) or "—"),
    ]  # fmt: skip
    facts = [fact.answer.in_language(language) for fact in found.facts]
    sections = (
        Facts(tuple(rows)), Items(_say(request, "drill.coming"), tuple(coming) or none),
        Items(_say(request, "drill.team_did"), tuple(done) or none),
        Items(_say(request, "drill.team_lacks"), tuple(undone) or none),
        Items(_say(request, "drill.may_tell"), tuple(facts) or none),
    )  # fmt: skip
    leads = request.actor.person == drill.facilitator
    mark = _say(request, "card.drill", drill=drill.id)
    title = _say(request, "drill.view_title", id=drill.id, title=found.scenario.title.in_language(language))
    return Card(title, sections=sections, buttons=_buttons(request, drill) if leads else (), drill=mark)


def _buttons(request: Request, drill: Drill) -> tuple[Button, ...]:
    def button(verb: str, style: str = "default", form: str = "", confirm: str = "") -> Button:
        return Button(_say(request, f"button.drill_{verb}"), f"drill {verb} {drill.id}", style, confirm, form)

    if drill.state == "ended":
        return (button("report", "primary"),)
    turn = button("resume", "primary") if drill.state == "paused" else button("pause")
    sure = _say(request, "button.drill_stop_sure")
    return (
        button("view"), turn, button("skip"), button("inject", form="drill"),
        button("stop", "danger", confirm=sure),
    )  # fmt: skip


@registry.form("drill")
def inject_form(command: str, language: str) -> Form:
    def say(key: str) -> str:
        return render(Text(key), language)

    options = tuple((kind, say(f"drill.kind_{kind}")) for kind in KINDS)
    fields = (
        FormField("kind", say("form.drill.kind"), "choice", options=options, initial="call"),
        FormField("sender", say("form.drill.sender"), placeholder=say("form.drill.sender_hint")),
        FormField("words", say("form.drill.words"), "multiline", required=False),
    )
    return Form("drill", say("form.drill.title"), command, fields, say("form.submit"), say("form.cancel"))


def _kind(line: str) -> tuple[str, str]:
    lowered = narrow(line).strip().lower()
    for kind, names in _KIND_WORDS.items():
        for name in names:
            if lowered.startswith(name):
                return kind, line.strip()[len(name) :].strip()
    return "", line


def _away(request: Request, drill: Drill, words_: str, text: str) -> Manual:
    name, _, rest = words_.strip().partition(" ")
    person = find_person(request.services.config, name)
    if person is None:
        raise UserError("error.drill_observe", id=drill.id, name=name or "—")
    if person.id == drill.facilitator:
        raise UserError("error.drill_own_observer", id=drill.id)
    span = split_duration(rest)
    return Manual("unreachable", person.name, text, person=person.id, lasts=span[0] if span else 1_800_000)


def _say(request: Request, key: str, **params: object) -> str:
    return render(Text(key, params), request.language)
