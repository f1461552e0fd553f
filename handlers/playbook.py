"""Commands on playbooks and their runs: look, start, do, skip, answer, choose, pass on, stop."""

from bot.incidents import people, words
from bot.model.card import Button, Card, Facts, Items, Paragraph, Section
from bot.model.incident import Incident
from bot.model.text import Text, UserError
from bot.response import run_words
from bot.response.library import Library
from bot.response.living import day_of
from bot.response.match import industry_text
from bot.response.release import audience_text
from bot.response.run_state import (
    Abort,
    Acknowledge,
    Answer,
    CheckOff,
    Confirm,
    Done,
    Event,
    Finish,
    HandOver,
    Pause,
    Reassign,
    Resume,
    Run,
    Skip,
    StepState,
    StepStatus,
    Vote,
)
from bot.response.schema import Playbook
from bot.response.steps import Checklist, Decision, Question, StatementStep, Survey
from bot.store import runs as run_store
from bot.texts import render
from handlers.registry import EVERYBODY, Reply, Request, registry
from handlers.steps import answers_of, items_of, option_of, run_and_rest, services, step_and_rest
from handlers.tell import withheld_in

LISTED = 30
RECOMMENDED = 3
REASONS = 4


@registry.command("playbooks", "预案", "预案库", "playbook", roles=EVERYBODY, group="response")
def playbooks(request: Request) -> Reply:
    """The library; those that fit the incident at hand first, with the reasons."""
    if request.rest:
        return Reply(card=_playbook_card(request, find_playbook(request, request.rest)))
    return Reply(card=_library_card(request))


def _library_card(request: Request) -> Card:
    sections: list[Section] = []
    offered: list[Button] = []
    incident = _incident_at_hand(request)
    if incident is not None:
        ranked = request.services.advice.rank(request.db, incident, request.now)[:RECOMMENDED]
        for playbook, match in ranked:
            reasons = [render(reason, request.language) for reason in match.leading(REASONS)]
            title = playbook.title.in_language(request.language)
            heading = _say(request, "playbooks.fit", title=title, id=playbook.id, score=f"{match.score:.2f}")
            sections.append(Items(heading, tuple(reasons)))
            label = _say(request, "button.start_run", title=title)
            offered.append(Button(label, f"start {playbook.id} {incident.id}"))
    found = current_library(request).playbooks()
    lines = tuple(
        f"{playbook.id} · {playbook.title.in_language(request.language)} · {_industries(request, playbook)}"
        f"{_stale(request, playbook)}"
        for playbook in found[:LISTED]
    )
    more = _say(request, "playbooks.more", n=len(found) - LISTED) if len(found) > LISTED else ""
    sections.append(Items(_say(request, "playbooks.all", n=len(found)), lines, more))
    title = _say(request, "playbooks.title_for", id=incident.id) if incident else _say(request, "playbooks.title")
    footer = _say(request, "playbooks.footer")
    return Card(title, sections=tuple(sections), buttons=tuple(offered), footer=footer)


@registry.command("start", "启动", "启动预案", group="response")
def start(request: Request) -> Reply:
    """Start a playbook for an incident; without a name the fitting ones are shown."""
    words_ = request.field("playbook", request.rest)
    if not words_:
        return Reply(card=_library_card(request))
    playbook = find_playbook(request, words_)
    incident = request.incident()
    run = services(request).start(request.db, playbook, incident, request.actor, request.now)
    title = run_words.title(run, request.language)
    return Reply(Text("done.run_started", {"id": run.id, "title": title, "incident": incident.id}))


@registry.command("run", "进度", "执行情况", "runs", roles=EVERYBODY, group="response")
def show_run(request: Request) -> Reply:
    """Every step of a run; without an id the only open one, or all open ones."""
    try:
        run, _ = run_and_rest(request)
    except UserError as error:
        if error.text.key != "error.which_run":
            raise
        return _open_runs(request)
    runs = services(request)
    return Reply(card=runs.cards.full(request.db, run, runs.incident(request.db, run), request.language, request.now))


@registry.command("todo", "待办", "我的任务", "我的步骤", group="response")
def todo(request: Request) -> Reply:
    """The open steps that are mine, the most urgent first."""
    lines: list[str] = []
    offered: list[Button] = []
    runs = services(request)
    for run_id, number in run_store.todo(request.db, request.actor.person):
        run = runs.get(request.db, run_id)
        state = run.numbered(number) if run else None
        if run is None or state is None:
            continue
        line = run_words.open_line(request.services.config, run, state, request.language, request.now)
        lines.append(f"{run.id}.{line}")
        button = runs.cards.button(run, state, request.language)
        if button is not None and len(offered) < 5:
            offered.append(button)
    if not lines:
        return Reply(Text("todo.none"))
    section = Items(_say(request, "todo.title", n=len(lines)), tuple(lines))
    return Reply(card=Card(_say(request, "todo.title", n=len(lines)), sections=(section,), buttons=tuple(offered)))


@registry.command("done", "完成", "已完成", "做完", group="response")
def done(request: Request) -> Reply:
    run, state, rest = step_and_rest(request)
    text = request.field("text", rest)
    run = _act(request, run, Done(request.actor, state.id, text), text=text)
    return _told(request, run, state, "done.step_done")


@registry.command("skip", "跳过", group="response")
def skip(request: Request) -> Reply:
    run, state, rest = step_and_rest(request)
    reason = request.field("reason", rest)
    run = _act(request, run, Skip(request.actor, state.id, reason), reason=reason)
    return _told(request, run, state, "done.step_skipped")


@registry.command("answer", "回答", "填写", group="response")
def answer(request: Request) -> Reply:
    """Answer a question step; the answers stand on the fact sheet at once."""
    run, state, rest = step_and_rest(request)
    step = run.playbook.step(state.id)
    given = answers_of(step, state, rest, request.fields) if isinstance(step, Question | Survey) else {}
    run = _act(request, run, Answer(request.actor, state.id, given), answers=given)
    after = run.step(state.id)
    if isinstance(step, Question) and after.status is StepStatus.OPEN:
        missing = [item.label.in_language(request.language) for item in step.fields
                   if item.required and not after.answers.get(item.id)]  # fmt: skip
        return Reply(Text("done.answered_partly", {"step": _name(run, state), "fields": missing}))
    return _told(request, run, state, "done.answered")


@registry.command("choose", "选择", "表决", "投票", "vote", group="response")
def choose(request: Request) -> Reply:
    """Vote in a decision step by number, name or words of an option."""
    run, state, rest = step_and_rest(request)
    step = run.playbook.step(state.id)
    option = option_of(step, request.field("option", rest)) if isinstance(step, Decision) else rest
    run = _act(request, run, Vote(request.actor, state.id, option), option=option)
    after = run.step(state.id)
    assert isinstance(step, Decision)
    label = next(item.label.in_language(request.language) for item in step.options if item.id == option)
    if after.status is StepStatus.DONE:
        if run.step(state.id).outcome:
            services(request).decided(request.db, run, state.id, label, request.actor, request.now)
        return Reply(Text("done.decided", {"step": _name(run, state), "option": label}))
    votes = sum(vote == option for vote in after.votes.values())
    params = {"step": _name(run, state), "option": label, "n": votes, "quorum": step.quorum}
    return Reply(Text("done.voted", params))


@registry.command("tick", "勾选", "打勾", group="response")
def tick(request: Request) -> Reply:
    """Tick items of a checklist by number; without numbers all that are left."""
    run, state, rest = step_and_rest(request)
    step = run.playbook.step(state.id)
    items = items_of(step, request.field("items", rest)) if isinstance(step, Checklist) else ()
    if items is None:
        assert isinstance(step, Checklist)
        raise UserError("error.step_no_item", step=_name(run, state), n=len(step.items))
    run = _act(request, run, CheckOff(request.actor, state.id, items), items=list(items))
    after = run.step(state.id)
    if after.status is StepStatus.OPEN and isinstance(step, Checklist):
        params = {"step": _name(run, state), "n": len(after.ticked), "all": len(step.items)}
        return Reply(Text("done.ticked", params))
    return _told(request, run, state, "done.step_done")


@registry.command("received", "收到", "已收到", group="response")
def received(request: Request) -> Reply:
    """Confirm to have read a notice of a run."""
    run, state, _ = step_and_rest(request)
    run = _act(request, run, Acknowledge(request.actor, state.id))
    return Reply(Text("done.received", {"step": _name(run, state), "who": request.actor.name}))


@registry.command("execute", "执行", group="response")
def execute(request: Request) -> Reply:
    """Let an action step call its linked system, or call it again after a failure."""
    run, state, _ = step_and_rest(request)
    run = _act(request, run, Confirm(request.actor, state.id))
    return _told(request, run, state, "done.called")


@registry.command("template", "模板", "稿件模板", roles=EVERYBODY, group="response")
def template(request: Request) -> Reply:
    """The text of a statement step with the facts in; what is not known or must not be told yet is named."""
    run, state, _ = step_and_rest(request)
    step = run.playbook.step(state.id)
    if not isinstance(step, StatementStep):
        raise UserError("error.step_is_no_statement", step=_name(run, state))
    title, body, missing = services(request).draft(request.db, run, step, request.language, request.now)
    sections: list[Section] = [Paragraph(body)]
    if missing:
        sections.append(Paragraph(_say(request, "template.missing", fields=missing), strong=True))
    held = withheld_in(request, run, step)
    if held:
        params = {"audience": audience_text(step.audience)}
        sections.append(Items(_say(request, "template.withheld", **params), held))
    drill = _say(request, "card.drill", drill=run.drill) if run.drill else ""
    return Reply(card=Card(title, sections=tuple(sections), drill=drill))


@registry.command("claim", "认领", group="response")
def claim(request: Request) -> Reply:
    """Take a step over."""
    run, state, _ = step_and_rest(request)
    return _pass_on(request, run, state, request.actor.person)


@registry.command("reassign", "改派", "转给", group="response")
def reassign(request: Request) -> Reply:
    run, state, rest = step_and_rest(request)
    return _pass_on(request, run, state, _person(request, request.field("person", rest)))


@registry.command("handover", "交接", "hand over", group="response")
def handover(request: Request) -> Reply:
    """Everything unfinished that is mine in a run goes to somebody."""
    run, rest = run_and_rest(request)
    taker = _person(request, request.field("person", rest))
    mine = [state.id for state in run.steps if state.person == request.actor.person and not state.status.ended]
    run = _act(request, run, HandOver(request.actor, request.actor.person, taker), to=taker)
    services(request).handed_over(request.db, run, mine, taker, request.actor, request.now)
    person = request.services.config.person(taker)
    return Reply(Text("done.handed_over", {"id": run.id, "n": len(mine), "person": person.name if person else taker}))


@registry.command("pause", "暂停", group="response")
def pause(request: Request) -> Reply:
    run, rest = run_and_rest(request)
    reason = request.field("reason", rest)
    _act(request, run, Pause(request.actor, reason), reason=reason)
    return Reply(Text("done.run_paused", {"id": run.id}))


@registry.command("resume", "继续", "恢复执行", group="response")
def resume(request: Request) -> Reply:
    run, _ = run_and_rest(request)
    _act(request, run, Resume(request.actor))
    return Reply(Text("done.run_resumed", {"id": run.id}))


@registry.command("abort", "中止", "终止", "stop", group="response")
def abort(request: Request) -> Reply:
    run, rest = run_and_rest(request)
    reason = request.field("reason", rest)
    _act(request, run, Abort(request.actor, reason), reason=reason)
    return Reply(Text("done.run_aborted", {"id": run.id}))


@registry.command("finish", "收尾", "结束执行", group="response")
def finish(request: Request) -> Reply:
    """Declare a run finished; what is still open is skipped with the reason."""
    run, rest = run_and_rest(request)
    reason = request.field("reason", rest)
    _act(request, run, Finish(request.actor, reason), reason=reason)
    return Reply(Text("done.run_finished", {"id": run.id}))


def _industries(request: Request, playbook: Playbook) -> str:
    return render(Text("plain", {"text": [industry_text(name) for name in playbook.industries]}), request.language)


def _act(request: Request, run: Run, event: Event, **detail: object) -> Run:
    return services(request).act(request.db, run, event, request.actor, request.now, **detail)


def _told(request: Request, run: Run, state: StepState, key: str) -> Reply:
    title = run_words.step_title(run, state.id, request.language)
    done_, everything = run.progress
    return Reply(Text(key, {"step": _name(run, state), "title": title, "done": done_, "all": everything}))


def _pass_on(request: Request, run: Run, state: StepState, person_id: str) -> Reply:
    person = request.services.config.person(person_id)
    assert person is not None, "only configured people get here"
    run = _act(request, run, Reassign(request.actor, state.id, person_id), to=person_id)
    if person_id != request.actor.person:
        services(request).passed_on(request.db, run, state.id, person_id, request.actor, request.now)
    return Reply(Text("done.reassigned", {"step": _name(run, state), "person": person.name}))


def _person(request: Request, name: str) -> str:
    if not name:
        raise UserError("error.assign_whom", example=f"{request.name} …")
    person = people.find_person(request.services.config, name)
    if person is None:
        known = [item.name for item in request.services.config.people]
        raise UserError("error.no_such_person", name=name, people=known)
    return person.id


def current_library(request: Request) -> Library:
    """The library with what was put in force from chat or the command line, by whichever process."""
    living = request.services.living
    return living.follow(request.db) if living else services(request).library()


def _stale(request: Request, playbook: Playbook) -> str:
    """A mark behind playbooks that nobody has looked through in time."""
    return f" · {_say(request, 'living.stale')}" if playbook.review_by < day_of(request.now) else ""


def _stored(request: Request, playbook: Playbook) -> str:
    """Where the version comes from, if it is not the file on disk."""
    entry = current_library(request).entries.get(playbook.id)
    if entry is None or not entry.stored or request.services.living is None:
        return ""
    number = request.services.living.file_version(playbook.id)
    return f" · {_say(request, 'living.from_chat', file=f'v{number}' if number else '—')}"


def find_playbook(request: Request, name: str) -> Playbook:
    """A playbook by id or title, or by the only one that begins with or contains the words."""
    wanted = " ".join(name.lower().split())
    found = current_library(request).playbooks()
    names = [(playbook, {playbook.id, playbook.title.zh.lower(), playbook.title.en.lower()}) for playbook in found]
    exact = [playbook for playbook, known in names if wanted in known]
    begun = [playbook for playbook, known in names if any(item.startswith(wanted) for item in known)]
    within = [playbook for playbook, known in names if any(wanted in item for item in known)]
    for hits in (exact, begun, within):
        if len(hits) == 1:
            return hits[0]
    near = [playbook.id for playbook in within]
    raise UserError("error.no_such_playbook", name=name[:60], near=near[:5] or [item.id for item in found[:5]] or ["—"])


def _playbook_card(request: Request, playbook: Playbook) -> Card:
    language = request.language
    steps = tuple(f"{number}. {step.title.in_language(language)}" for number, step in enumerate(playbook.steps, 1))
    rows = (
        (_say(request, "playbooks.from_grade"), render(words.grade(playbook.grades.start), language)),
        (_say(request, "playbooks.owner"), playbook.owner),
        (_say(request, "playbooks.review"), f"{playbook.review_by.isoformat()}{_stale(request, playbook)}"),
        (_say(request, "playbooks.version"), f"{playbook.version}{_stored(request, playbook)}"),
    )
    incident = _incident_at_hand(request)
    title = playbook.title.in_language(language)
    offered: tuple[Button, ...] = ()
    if incident is not None:
        label = _say(request, "button.start_run", title=title)
        offered = (Button(label, f"start {playbook.id} {incident.id}", "primary"),)
    sections = (
        Paragraph(playbook.summary.in_language(language)),
        Facts(rows),
        Items(_say(request, "playbooks.steps", n=len(steps)), steps),
    )
    return Card(title, sections=sections, buttons=offered)


def _incident_at_hand(request: Request) -> Incident | None:
    """The incident that is meant, None where none is and nobody need be asked."""
    try:
        return request.incident()
    except UserError:
        if request.incident_id:
            raise
        return None


def _open_runs(request: Request) -> Reply:
    runs = services(request)
    lines = []
    for row in run_store.open_runs(request.db)[:20]:
        run = runs.get(request.db, row.id)
        assert run is not None
        settled, everything = run.progress
        params = {
            "id": run.id, "incident": run.incident, "title": run_words.title(run, request.language),
            "done": settled, "all": everything, "status": Text(f"run_status.{run.status.value}"),
        }  # fmt: skip
        lines.append(render(Text("run.line", params), request.language))
    return Reply(card=Card(_say(request, "run.open_title"), sections=(Items("", tuple(lines)),)))


def _name(run: Run, state: StepState) -> str:
    return f"{run.id}.{state.number}"


def _say(request: Request, key: str, **params: object) -> str:
    return render(Text(key, params), request.language)
