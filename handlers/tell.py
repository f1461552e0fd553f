"""What may be told to whom, as a card: the release rules of the plans at work on the fact sheet."""

import re

from bot.model.card import Button, Card, Items, Paragraph, Section
from bot.model.incident import Incident
from bot.model.text import Text, UserError
from bot.response.release import AUDIENCES, Ruling, Tellable, audience_text, tellable
from bot.response.run_state import Run, RunStatus
from bot.response.steps import StatementStep
from bot.texts import render
from handlers.registry import Request

_FOR = re.compile(
    r"for\s+(?P<en>[a-z][a-z _-]*)|"
    r"(?:可以)?(?:对|给|向|告诉|告知)\s*(?P<zh>[^\s=＝:：]{1,12}?)\s*(?:能说什么|可以说什么|说什么|说)?",
    re.IGNORECASE,
)
AUDIENCE_WORDS = {
    "core_team": ("core team", "crisis team", "team", "核心小组", "应急小组", "危机小组", "小组"),
    "management": ("management", "executives", "board", "管理层", "高管", "领导", "董事会"),
    "staff": ("staff", "employees", "colleagues", "员工", "同事", "内部"),
    "customers": ("customers", "customer", "users", "clients", "客户", "用户", "顾客"),
    "affected_customers": (
        "affected customers", "affected users", "affected", "受影响客户", "受影响用户", "受影响的客户", "受影响的用户",
    ),
    "partners": ("partners", "partner", "suppliers", "合作方", "合作伙伴", "伙伴", "供应商"),
    "media": ("media", "press", "journalists", "媒体", "记者", "新闻媒体"),
    "kols": ("kols", "kol", "influencers", "opinion leaders", "意见领袖", "博主", "大v"),
    "authority": ("authority", "authorities", "regulator", "regulators", "监管", "监管部门", "主管部门", "政府"),
    "public": ("public", "everybody", "everyone", "公众", "外", "外界", "公开", "社会"),
}  # fmt: skip
_AUDIENCE = {word: name for name, listed in AUDIENCE_WORDS.items() for word in (name, *listed)}


def audience_of(line: str) -> str:
    """The audience of ``for customers`` or ``对客户``; empty where the line means something else.

    Raises:
        UserError: the line asks for somebody, but for nobody that plans know.
    """
    match = _FOR.fullmatch(line.strip())
    if match is None:
        return ""
    wanted = " ".join((match["en"] or match["zh"]).lower().replace("_", " ").split())
    found = _AUDIENCE.get(wanted) or _AUDIENCE.get(wanted.replace(" ", "_"))
    if found:
        return found
    if match["en"]:
        raise UserError("error.no_such_audience", name=wanted[:40], known=[audience_text(name) for name in AUDIENCES])
    return ""


def plans_at_work(request: Request, incident: Incident) -> list[Run]:
    """Runs whose rules bind the incident: all but those that were broken off."""
    return [run for run in request.services.runs.of(request.db, incident.id) if run.status is not RunStatus.ABORTED]


def release_of(request: Request, incident: Incident, audience: str, runs: list[Run]) -> Tellable:
    facts = request.services.runs.sheet(request.db, incident)
    return tellable(audience, incident.grade, facts, [run.playbook for run in runs])


def withheld_in(request: Request, run: Run, step: StatementStep) -> tuple[str, ...]:
    """What stands filled in in the text of a step although its audience may not be told it now, with the reasons."""
    template = run.playbook.templates.get(step.template)
    incident = request.services.runs.incident(request.db, run)
    runs = plans_at_work(request, incident)
    used = template.body.placeholders() | template.title.placeholders() if template else set()
    release = release_of(request, incident, step.audience, runs)
    return tuple(
        _held(ruling, request.language)
        for ruling in release.withheld
        if ruling.line.name in used and ruling.line.row is not None
    )


def release_card(request: Request, incident: Incident, audience: str) -> Card:
    """What may be told to the audience now, what not yet and why, and who releases it."""
    language = request.language
    runs = plans_at_work(request, incident)
    release = release_of(request, incident, audience, runs)
    told = tuple(_told(ruling, language) for ruling in release.told)
    known = [ruling for ruling in release.withheld if ruling.line.row is not None]
    held = tuple(_held(ruling, language) for ruling in known)
    unknown = [ruling.line.named(language) for ruling in release.withheld if ruling.line.row is None]
    sections: list[Section] = [
        Items(_say(request, "release.told"), told or (_say(request, "release.nothing"),)),
        Items(_say(request, "release.withheld"), held or (_say(request, "release.nothing"),)),
    ]
    if unknown:
        sections.append(Paragraph(_say(request, "release.still_unknown", facts=unknown)))
    if release.approve and told:
        named = [_role(request, runs, role) for role in release.approve]
        sections.append(Paragraph(_say(request, "release.approve", roles=named), strong=True))
    sections += [Paragraph(note.in_language(language)) for note in release.notes]
    params = {"id": incident.id, "audience": audience_text(audience), "grade": Text(f"grade.{incident.grade.word}")}
    drill = _say(request, "card.drill", drill=incident.drill) if incident.drill else ""
    button = Button(_say(request, "button.fact_sheet"), f"facts {incident.id}")
    key = "release.footer" if runs else "release.footer_no_plan"
    return Card(
        _say(request, "release.title", **params), sections=tuple(sections), buttons=(button,),
        footer=_say(request, key, id=incident.id), drill=drill,
    )  # fmt: skip


def _told(ruling: Ruling, language: str) -> str:
    params = {"fact": ruling.line.named(language), "value": ruling.line.value(language)}
    return render(Text("release.line", params), language)


def _held(ruling: Ruling, language: str) -> str:
    assert ruling.reason is not None
    return render(Text("release.line", {"fact": ruling.line.named(language), "value": ruling.reason}), language)


def _role(request: Request, runs: list[Run], role: str) -> str:
    """A role by its title in the first plan that has it, with the person who plays it."""
    return next((role_name(request, run, role) for run in runs if role in run.playbook.roles), role)


def role_name(request: Request, run: Run, role: str) -> str:
    known = run.playbook.roles.get(role)
    title = known.title.in_language(request.language) if known else role
    person = next(filter(None, map(request.services.config.person, run.team.get(role, ()))), None)
    return f"{title} · {person.name}" if person else title


def _say(request: Request, key: str, **params: object) -> str:
    return render(Text(key, params), request.language)
