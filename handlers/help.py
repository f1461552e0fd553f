"""Help, status and who is on duty."""

from bot.incidents import people, words
from bot.model.card import Button, Card, Facts, Items, Paragraph, Section
from bot.model.grade import Grade
from bot.model.text import Text, UserError
from bot.store import incidents as store
from bot.texts import render
from handlers.registry import EVERYBODY, Reply, Request, registry, shown_name

GROUPS = ("incident", "response", "statement", "watch", "team")


@registry.command("help", "帮助", "怎么用", "?", "？", "commands", roles=EVERYBODY, group="team")
def show_help(request: Request) -> Reply:
    """Everything that can be said, with an example each; ``help ack`` explains one command."""
    assert request.registry is not None
    if request.rest:
        return _explain(request)
    sections: list[Section] = [Paragraph(_say(request, "help.intro"))]
    for group in GROUPS:
        lines = tuple(
            f"{shown_name(command, request.language)} — {_say(request, f'help.{command.name}.summary')}"
            for command in request.registry.commands.values()
            if command.group == group and not command.hidden
        )
        sections.append(Items(_say(request, f"help.group.{group}"), lines))
    examples = ("ack", "mute", "decide", "add", "rules")
    sections.append(
        Items(_say(request, "help.examples"), tuple(_say(request, f"help.{name}.example") for name in examples))
    )
    return Reply(card=Card(_say(request, "help.title"), sections=tuple(sections), footer=_say(request, "help.footer")))


@registry.command("status", "状态", "概况", "情况", roles=EVERYBODY, group="team")
def status(request: Request) -> Reply:
    """Live incidents, worst first, and whether we see everything."""
    return Reply(card=overview(request, mine=False))


@registry.command("mine", "我的", "我的事件", group="team")
def mine(request: Request) -> Reply:
    """The live incidents I own."""
    return Reply(card=overview(request, mine=True))


@registry.command("home", roles=EVERYBODY, hidden=True)
def home(request: Request) -> Reply:
    """The home tab of a chat that has one."""
    return Reply(card=overview(request, mine=False))


@registry.command("who", "值班", "谁值班", "oncall", roles=EVERYBODY, group="team")
def who(request: Request) -> Reply:
    """Who is on duty, who is next, and how much everybody has in hand."""
    config, language = request.services.config, request.language
    rows: list[tuple[str, str]] = []
    for role, rota in config.rota.items():
        on_duty, backup = (config.person(item) for item in people.on_call(rota, request.now))
        params = {
            "on_duty": on_duty.name if on_duty else "—", "backup": backup.name if backup else "—",
            "until": words.clock_time(people.shift_ends(rota, request.now)),
        }  # fmt: skip
        rows.append((render(words.role(role), language), _say(request, "who.line", **params)))
    members = tuple(
        _say(request, "who.member", name=person.name, roles=[words.role(role) for role in person.roles] or ["—"],
             load=store.load_of(request.db, person.id))
        for person in config.people
    )  # fmt: skip
    sections: tuple[Section, ...] = (Items(_say(request, "who.members"), members),)
    if rows:
        sections = (Facts(tuple(rows)), *sections)
    return Reply(card=Card(_say(request, "who.title"), sections=sections))


def overview(request: Request, *, mine: bool) -> Card:
    """Live incidents as one card with a button to each of the first five."""
    language = request.language
    live = [
        item for item in store.live(request.db)
        if not mine or (item.owner and item.owner == request.actor.person)
    ]  # fmt: skip
    lines = []
    for incident in live[:20]:
        owner = request.services.config.person(incident.owner)
        params = {
            "id": incident.id, "title": words.title(incident), "grade": words.grade(incident.grade),
            "status": Text(f"status.{incident.status.value}"), "age": words.duration(request.now - incident.opened_at),
            "owner": owner.name if owner else Text("card.nobody"),
        }  # fmt: skip
        lines.append(render(Text("status.line", params), language))
    health = dict(request.db.conn.execute("SELECT health, COUNT(*) FROM source_state GROUP BY health").fetchall())
    sources = [
        _say(request, "status.sources", n=count, health=Text(f"health.{name}")) for name, count in health.items()
    ]
    more = _say(request, "status.more", n=len(live) - 20) if len(live) > 20 else ""
    sections: list[Section] = [
        Items(_say(request, "status.mine" if mine else "status.live", n=len(live)), tuple(lines), more)
        if lines
        else Paragraph(_say(request, "status.calm"))
    ]
    if sources:
        sections.append(Facts(((_say(request, "status.coverage"), " · ".join(sources)),)))
    buttons = tuple(Button(_say(request, "button.open", id=item.id), f"show {item.id}") for item in live[:5])
    grade = max((item.grade for item in live), default=Grade.NONE)
    return Card(_say(request, "status.title"), grade=grade, sections=tuple(sections), buttons=buttons)


def _explain(request: Request) -> Reply:
    assert request.registry is not None
    try:
        command, _, _ = request.registry.understand(request.rest)
    except UserError as error:
        raise UserError("error.no_help", word=request.rest[:40], near=request.registry.near(request.rest)) from error
    names = [command.name, *command.synonyms]
    roles = [words.role(role) for role in sorted(command.roles - EVERYBODY)]
    rows = [
        (_say(request, "help.names"), " / ".join(names)),
        (_say(request, "help.example"), _say(request, f"help.{command.name}.example")),
    ]
    if roles:
        rows.append((_say(request, "help.roles"), render(Text("plain", {"text": roles}), request.language)))
    sections = (Paragraph(_say(request, f"help.{command.name}.summary")), Facts(tuple(rows)))
    return Reply(card=Card(shown_name(command, request.language), sections=sections))


def _say(request: Request, key: str, **params: object) -> str:
    return render(Text(key, params), request.language)
