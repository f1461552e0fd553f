"""Steps that do not fit together: order, reach, deadlines, and what each kind needs."""

from collections.abc import Generator, Iterator

from bot.response.findings import Complaint
from bot.response.lint_conditions import near, sources_of
from bot.response.schema import Playbook
from bot.response.steps import Decision, Question, Step, Survey, WaitCondition, WaitTime
from bot.response.values import show_duration
from bot.response.vocabulary import fact_ids
from bot.yaml_lines import Place

SHORTEST_REPEAT = 300_000
# Kinds that wait, or end by themselves: everything else needs a deadline to be chased by.
NO_DEADLINE_NEEDED = ("wait_condition", "wait_time", "sub_playbook", "survey", "auto_reply")


def lint_steps(playbook: Playbook) -> Iterator[Complaint]:
    looped = yield from _order(playbook)
    if not looped:
        yield from _deadlines(playbook)
        yield from _waits_for_itself(playbook)
    for index, step in enumerate(playbook.steps):
        yield from _one(step, ("steps", index), playbook)


def ancestors(playbook: Playbook) -> dict[str, set[str]]:
    """For each step all steps that come before it. The order must be free of loops."""
    by_id = {step.id: step for step in playbook.steps}
    known: dict[str, set[str]] = {}

    def before(step_id: str) -> set[str]:
        if step_id not in known:
            direct = [name for name in by_id[step_id].after if name in by_id]
            known[step_id] = set(direct).union(*(before(name) for name in direct))
        return known[step_id]

    for step in playbook.steps:
        before(step.id)
    return known


def _order(playbook: Playbook) -> Generator[Complaint, None, bool]:
    """Names in ``after`` that do not exist, loops, and everything behind a loop. Returns whether there is a loop."""
    ids = [step.id for step in playbook.steps]
    waiting: dict[str, set[str]] = {}
    for index, step in enumerate(playbook.steps):
        waiting[step.id] = {name for name in step.after if name in ids}
        for position, name in enumerate(step.after):
            if name not in ids:
                place: Place = ("steps", index, "after", position)
                yield Complaint("error", place, "lint_unknown_after", {"name": name, "near": near(name, ids)})
    while ready := [name for name, others in waiting.items() if not others & waiting.keys()]:
        for name in ready:
            del waiting[name]
    loops = {name for name in waiting if _reaches(name, name, waiting)}
    for index, step in enumerate(playbook.steps):
        if step.id in loops:
            round_trip = " → ".join(_loop(step.id, waiting))
            yield Complaint("error", ("steps", index, "after"), "lint_loop", {"step": step.id, "loop": round_trip})
        elif step.id in waiting:
            yield Complaint("error", ("steps", index), "lint_unreachable", {"step": step.id})
    return bool(waiting)


def _reaches(start: str, goal: str, waiting: dict[str, set[str]]) -> bool:
    seen: set[str] = set()
    todo = list(waiting[start])
    while todo:
        name = todo.pop()
        if name == goal:
            return True
        if name in waiting and name not in seen:
            seen.add(name)
            todo.extend(waiting[name])
    return False


def _loop(start: str, waiting: dict[str, set[str]]) -> list[str]:
    """The shortest way from a step back to itself along ``after``."""
    ways = [[start]]
    seen: set[str] = set()
    while ways:
        way = ways.pop(0)
        for name in sorted(waiting.get(way[-1], ())):
            if name == start:
                return [*way, start]
            if name not in seen:
                seen.add(name)
                ways.append([*way, name])
    return [start, start]


def _deadlines(playbook: Playbook) -> Iterator[Complaint]:
    """A step due before what it waits for is due, or before a wait can be over."""
    by_id = {step.id: step for step in playbook.steps}
    before = ancestors(playbook)
    for index, step in enumerate(playbook.steps):
        if step.due is None:
            continue
        for name in sorted(before[step.id]):
            other = by_id[name]
            needed = _ends(other, by_id)
            # What is added by a later grade counts its deadline from there; only equal starts can contradict.
            if needed is not None and needed > step.due and (other.from_grade or 0) <= (step.from_grade or 0):
                params = {
                    "step": step.id, "due": show_duration(step.due), "other": name, "other_due": show_duration(needed),
                }  # fmt: skip
                yield Complaint("error", ("steps", index, "due"), "lint_due_before", params)
                break


def _ends(step: Step, by_id: dict[str, Step]) -> int | None:
    """When a step is over at the latest (its deadline) or, for waits, at the earliest; milliseconds from the start."""
    if isinstance(step, WaitTime | WaitCondition):
        own = step.wait if isinstance(step, WaitTime) else step.hold
        starts = [_ends(by_id[name], by_id) or 0 for name in step.after if name in by_id]
        return max(step.due or 0, max(starts, default=0) + own)
    return step.due


def _waits_for_itself(playbook: Playbook) -> Iterator[Complaint]:
    """A condition on an answer that only comes after the step itself."""
    before = ancestors(playbook)
    for index, step in enumerate(playbook.steps):
        if step.when is None:
            continue
        for sources in sources_of(step.when, playbook):
            if all(name == step.id or step.id in before.get(name, set()) for name in sources):
                params = {"step": step.id, "source": ", ".join(sorted(sources)), "condition": step.when}
                yield Complaint("error", ("steps", index, "when"), "lint_waits_for_itself", params)


def _one(step: Step, here: Place, playbook: Playbook) -> Iterator[Complaint]:
    """What a single step lacks or says twice."""
    name = {"step": step.id}
    if step.role is None and step.kind != "wait_time":
        yield Complaint("error", here, "lint_no_role", name)
    if step.due is None and step.within is None and step.kind not in NO_DEADLINE_NEEDED:
        yield Complaint("warning", here, "lint_no_deadline", name)
    deadline = min((value for value in (step.due, step.within) if value is not None), default=None)
    if step.remind_before is not None and deadline is not None and step.remind_before >= deadline:
        yield Complaint("warning", (*here, "remind_before"), "lint_reminder_too_early", name)
    if step.repeat:
        if step.repeat.until is None and step.repeat.at_most == 0:
            yield Complaint("error", (*here, "repeat"), "lint_repeat_endless", name)
        if step.repeat.every < SHORTEST_REPEAT:
            yield Complaint("warning", (*here, "repeat", "every"), "lint_repeat_often", name)
    if step.from_grade is not None and step.from_grade <= playbook.grades.start:
        params = {**name, "grade": step.from_grade.word}
        yield Complaint("note", (*here, "from_grade"), "lint_grade_says_nothing", params)
    if isinstance(step, Decision):
        yield from _decision(step, here)
    if isinstance(step, Question | Survey):
        yield from _fields(step, here, playbook)


def _decision(step: Decision, here: Place) -> Iterator[Complaint]:
    if len(step.options) < 2:
        yield Complaint("error", here, "lint_decision_without_options", {"step": step.id})
    if step.quorum > 1 and not step.voters:
        yield Complaint("warning", (*here, "quorum"), "lint_quorum_without_voters", {"step": step.id})


def _fields(step: Question | Survey, here: Place, playbook: Playbook) -> Iterator[Complaint]:
    if not step.fields:
        yield Complaint("error", here, "lint_question_without_fields", {"step": step.id})
    known = fact_ids(playbook)
    facts = {fact.id: fact for fact in playbook.facts}
    for position, item in enumerate(step.fields):
        place: Place = (*here, "fields", position)
        if item.type == "choice" and len(item.options) < 2:
            yield Complaint("error", place, "lint_choice_without_options", {"field": item.id})
        if item.fact and item.fact not in known:
            params = {"name": item.fact, "near": near(item.fact, known)}
            yield Complaint("error", (*place, "fact"), "lint_unknown_fact", params)
        fact = facts.get(item.fact or "")
        if fact is None:
            continue
        strangers = {option.id for option in item.options} - {option.id for option in fact.options}
        if fact.options and strangers:
            params = {"field": item.id, "fact": fact.id, "options": ", ".join(sorted(strangers))}
            yield Complaint("error", place, "lint_options_differ", params)
