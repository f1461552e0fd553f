"""``drill``: practise on the real flow. Start, pause, resume, skip, stop; ask the facilitator; see what runs."""

import re
from collections.abc import Callable

from bot.drills.plans import require_calm
from bot.drills.report import picture_of
from bot.drills.schema import Scenario
from bot.drills.scorecard import card, report
from bot.drills.service import Drills
from bot.incidents import words
from bot.model.card import Card, Items
from bot.model.message import Attachment
from bot.model.text import Text, UserError
from bot.reports.score_scene import SCORE
from bot.response.values import show_duration
from bot.store import drills as store
from bot.store.drills import Drill
from bot.texts import render
from handlers import drill_lead
from handlers.drill_lead import FACILITATORS
from handlers.registry import Reply, Request, narrow, registry

LEADING = ("start", "schedule", "cancel", "observe", "inject", "pause", "resume", "skip", "stop")
_ID = re.compile(r"(?<![A-Za-z0-9-])DR-?(\d{1,9})(?![A-Za-z0-9-])", re.IGNORECASE)
_SPEED = re.compile(r"(?:--?speed|speed|倍速|速度)[\s=:：]*(\d+(?:\.\d+)?)", re.IGNORECASE)
_SURPRISE = re.compile(r"(?:--)?surprise|不预告|突击", re.IGNORECASE)
_ANYWAY = re.compile(r"(?:--)?\banyway\b|仍然开始|仍要开始", re.IGNORECASE)
_SUBJECT = re.compile(r"(?:--subject|主体)[\s=:：]*(\S+)", re.IGNORECASE)
_VERBS = {
    "start": ("start", "开始", "启动"), "pause": ("pause", "暂停"), "resume": ("resume", "继续", "恢复"),
    "skip": ("skip", "跳过", "快进"), "stop": ("stop", "停止", "结束"), "ask": ("ask", "问", "提问"),
    "list": ("list", "列表", "脚本"), "status": ("status", "状态", "进度"),
    "report": ("report", "成绩", "报告"), "schedule": ("schedule", "安排", "预约", "定在"),
    "plans": ("plans", "plan", "日程", "计划"), "cancel": ("cancel", "取消"), "observe": ("observe", "旁观", "观察"),
    "inject": ("inject", "注入"), "view": ("view", "主持", "主持人"),
}  # fmt: skip


@registry.command("drill", "演练", group="team")
def drill(request: Request) -> Reply | list[Reply]:
    """``drill start withdrawal-failure speed 10``, ``drill pause``, ``drill ask DR-1 what is the cause``."""
    verb, rest = _verb(request.rest)
    if verb in LEADING:
        _permit(request)
    if verb in ("start", "schedule"):
        return _start(request, rest, later=verb == "schedule")
    if verb in ("plans", "cancel"):
        return drill_lead.plans(request) if verb == "plans" else drill_lead.cancel(request, rest)
    if verb == "list":
        return _list(request)
    if verb == "status":
        return _status(request)
    chosen, rest = _chosen(request, rest)
    if verb == "report":
        found = report(request.db, chosen, _service(request).roles())
        shown = Attachment(SCORE, picture_of(found, request.language))
        return [Reply(card=card(found, request.language)), Reply(Text("score.picture"), attachment=shown)]
    if verb == "ask":
        return _ask(request, chosen, rest)
    if verb == "view":
        return drill_lead.view(request, chosen)
    if verb in ("observe", "inject"):
        return (drill_lead.observe if verb == "observe" else drill_lead.inject)(request, chosen, rest)
    acts: dict[str, Callable[..., Drill]] = {
        "pause": _service(request).pause, "resume": _service(request).resume, "skip": _service(request).skip,
        "stop": _service(request).stop,
    }  # fmt: skip
    after = acts[verb](request.db, chosen, request.actor, request.now)
    return Reply(Text(f"done.drill_{verb}", {"id": after.id}))


def _start(request: Request, rest: str, *, later: bool = False) -> Reply:
    when, rest = drill_lead.date_in(rest) if later else ("", rest)
    anyway, line = bool(_ANYWAY.search(rest)), _ANYWAY.sub(" ", narrow(rest))
    speed, subject = _SPEED.search(line), _SUBJECT.search(line)
    surprise = bool(_SURPRISE.search(line))
    name = (_SUBJECT.sub(" ", _SURPRISE.sub(" ", _SPEED.sub(" ", line))).split() or [""])[0]
    if later:
        return drill_lead.schedule(
            request, name, when, float(speed[1]) if speed else 1.0, surprise, subject[1] if subject else ""
        )
    require_calm(request.db, anyway, f"drill start {name} anyway")
    started = _service(request).start(
        request.db, name, request.actor, request.now, speed=float(speed[1]) if speed else 1.0, surprise=surprise,
        subject=subject[1] if subject else "",
    )  # fmt: skip
    return Reply(Text("done.drill_start", {"id": started.id, "scenario": started.scenario}), private=True)


def _ask(request: Request, chosen: Drill, question: str) -> Reply:
    if not question.strip():
        raise UserError("error.drill_question", example=f"drill ask {chosen.id} …")
    known = _service(request).ask(request.db, chosen, question.strip(), request.actor, request.now)
    if not known:
        return Reply(Text("drill.nothing_known"))
    facts = {fact.id: fact for fact in Scenario.thaw(chosen.body).facts}
    lines = tuple(facts[name].answer.in_language(request.language) for name in known)
    mark = render(Text("card.drill", {"drill": chosen.id}), request.language)
    return Reply(card=Card(_say(request, "drill.answer"), sections=(Items("", lines),), drill=mark))


def _list(request: Request) -> Reply:
    lines = tuple(
        f"{item.id} — {item.title.in_language(request.language)} ({show_duration(item.duration)})"
        for item in _service(request).scenarios().values()
    )
    return Reply(card=Card(_say(request, "drill.scenarios"), sections=(Items("", lines),)))


def _status(request: Request) -> Reply:
    recent = store.recent(request.db)
    if not recent:
        return Reply(Text("drill.none_yet"))
    lines = tuple(
        _say(
            request, "drill.status_row", id=item.id, scenario=item.scenario, state=Text(f"drill.state_{item.state}"),
            at=words.duration(item.reached(request.now)),
        )
        for item in recent
    )  # fmt: skip
    return Reply(card=Card(_say(request, "drill.recent"), sections=(Items("", lines),)))


def _verb(line: str) -> tuple[str, str]:
    lowered = narrow(line).strip().lower()
    # Longest first: “plans” is not “plan” with an s left over.
    named = sorted(((name, verb) for verb, names in _VERBS.items() for name in names), key=lambda item: -len(item[0]))
    for name, verb in named:
        if lowered.startswith(name):
            return verb, line.strip()[len(name) :].strip()
    if not lowered:
        return "status", ""
    raise UserError("error.drill_verb", example="drill start withdrawal-failure")


def _chosen(request: Request, rest: str) -> tuple[Drill, str]:
    match = _ID.search(narrow(rest))
    if match:
        return _service(request).get(request.db, f"DR-{int(match[1])}"), rest[: match.start()] + rest[match.end() :]
    return _service(request).get(request.db, request.incident_id), rest


def _permit(request: Request) -> None:
    if request.actor.roles.isdisjoint(FACILITATORS):
        raise UserError("error.forbidden", roles=[words.role(name) for name in FACILITATORS])


def _service(request: Request) -> Drills:
    assert request.services.drills is not None
    return request.services.drills.drills


def _say(request: Request, key: str, **params: object) -> str:
    return render(Text(key, params), request.language)
