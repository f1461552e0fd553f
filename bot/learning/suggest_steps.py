"""Suggestions from how steps went: never done, never in time, somebody else's, missing. Pure.

Only runs count in which the step stood as it stands today, so that a suggestion that was followed does not come again
from old runs. Real runs and drills are weighed apart: drills speak only where the real world has too few runs.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from bot.learning.experience import HandNote, RunPast, StepPast
from bot.learning.suggestion import (
    LEAST_DRILLS,
    LEAST_RUNS,
    LEAST_SHARE,
    AddStep,
    DropStep,
    SetValues,
    Suggestion,
    at_least,
)
from bot.learning.terms import senses, terms
from bot.model.grade import Grade
from bot.model.text import LANGUAGES
from bot.response.lint_steps import ancestors
from bot.response.schema import Playbook
from bot.response.similarity import folded
from bot.response.steps import Step
from bot.response.values import Words, show_duration

KEPT_BY = 0.8  # the deadline proposed is one that so many of the runs would have kept
OTHER_ROLE = 0.6
MINUTE = 60_000
ROUND = [MINUTE * n for n in (5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 360, 480, 720, 1440, 2880, 4320, 10080)]
LEAST_NOTES = 3  # incidents in which people wrote the same thing down
ALIKE = 0.5  # words in common, of all their words
SHORTEST_NOTE, LONGEST_NOTE = 4, 60
SHOWN = 12

Pasts = Sequence[tuple[RunPast, StepPast]]


def step_suggestions(playbook: Playbook, runs: Sequence[RunPast]) -> list[Suggestion]:
    """Everything the runs of one playbook say of its steps."""
    mine = [run for run in runs if run.playbook == playbook.id]
    found: list[Suggestion] = []
    for step in playbook.steps:
        pasts = [(run, run.steps[step.id]) for run in mine if step.id in run.steps and run.steps[step.id].plan == step]
        for drills in (False, True):
            world = [(run, past) for run, past in pasts if bool(run.drill) is drills]
            if drills and len(pasts) - len(world) >= LEAST_RUNS:
                continue
            least = LEAST_DRILLS if drills else LEAST_RUNS
            found.extend(filter(None, (_skipped(playbook, step, world, least), _late(playbook, step, world, least))))
    found.extend(_missing(playbook, [run for run in mine if not run.drill]))
    return found


def _skipped(playbook: Playbook, step: Step, world: Pasts, least: int) -> Suggestion | None:
    """A step that people skip, or that never applies: from a higher grade on, or not at all."""
    told = [(run, past) for run, past in world if past.outcome in ("done", "skipped", "not_applicable", "failed")]
    left_out = [(run, past) for run, past in told if past.outcome in ("skipped", "not_applicable")]
    if step.when is not None and any(past.outcome == "not_applicable" for _, past in left_out):
        least *= 2  # a condition is there to be false at times
        if len(left_out) < len(told):
            return None
    bound = at_least(len(left_out), len(told))
    if len(told) < least or bound < LEAST_SHARE:
        return None
    drill = bool(told[0][0].drill)
    params = {
        "step": _named(step), "n": len(left_out), "of": len(told), "bound": f"{bound:.0%}",
        "skipped": sum(past.outcome == "skipped" for _, past in left_out),
    }  # fmt: skip
    done = {run.grade for run, past in told if past.outcome == "done"}
    lowest = min(done, default=Grade.NONE)
    said, change = "proposal.skip", _drop(step)
    if lowest > max(run.grade for run, _ in left_out):
        said, params["grade"] = "proposal.skip_below", lowest.word
        change = SetValues(values=((step.id, "from_grade", lowest.word),))
    return _suggestion("skip", playbook, step.id, said, params, left_out, change, drill)


def _drop(step: Step) -> DropStep | SetValues:
    return DropStep(step=step.id)


def _late(playbook: Playbook, step: Step, world: Pasts, least: int) -> Suggestion | None:
    """A deadline that is hardly ever kept: one that most would have kept, or the role that does it in the end."""
    done = [(run, past) for run, past in world if past.outcome == "done" and past.due]
    late = [(run, past) for run, past in done if past.late]
    bound = at_least(len(late), len(done))
    if len(done) < least or bound < LEAST_SHARE:
        return None
    params = {"step": _named(step), "n": len(late), "of": len(done), "bound": f"{bound:.0%}"}
    drill = bool(done[0][0].drill)
    if other := _other_role(step, done):
        params["role"], params["others"] = _role(playbook, other[0]), other[1]
        change = SetValues(values=((step.id, "role", other[0]),))
        return _suggestion("role", playbook, step.id, "proposal.role", params, late, change, drill)
    name, given = ("due", step.due) if step.due is not None else ("within", step.within)
    wanted = rounded_up(sorted(past.took for _, past in done)[min(len(done) - 1, int(KEPT_BY * len(done)))])
    if given is None or wanted <= given:
        return None
    values = [(step.id, name, show_duration(wanted))]
    followers = _followers(playbook, step.id, wanted) if name == "due" else []
    values += [(other, "due", show_duration(wanted)) for other in followers]
    params |= {"now": show_duration(given), "due": show_duration(wanted), "share": f"{KEPT_BY:.0%}"}
    said = "proposal.deadline_with" if followers else "proposal.deadline"
    if followers:
        params["followers"] = followers
    return _suggestion("deadline", playbook, step.id, said, params, late, SetValues(values=tuple(values)), drill)


def _other_role(step: Step, done: Pasts) -> tuple[str, int] | None:
    """The role whose people did the step in most runs though it is another's."""
    roles: Counter[str] = Counter()
    for run, past in done:
        if past.person and past.person not in run.team.get(step.role or "", ()):
            roles.update(
                {name for name, people in run.team.items() if past.person in people and name != step.role}
            )  # fmt: skip
    best = max(roles.items(), key=lambda item: (item[1], item[0]), default=None)
    return best if best and best[1] >= OTHER_ROLE * len(done) else None


def _followers(playbook: Playbook, step_id: str, due: int) -> list[str]:
    """Steps that wait for this one and would be due before it."""
    before = ancestors(playbook)
    return [step.id for step in playbook.steps if step_id in before[step.id] and step.due and step.due < due]


def rounded_up(milliseconds: int) -> int:
    """To a length of time that people would write."""
    return next((value for value in ROUND if value >= milliseconds), ROUND[-1])


def _missing(playbook: Playbook, runs: Sequence[RunPast]) -> list[Suggestion]:
    """What people write down beside the plan in incident after incident, and no step says."""
    titles = [_bag(step.title.zh + " " + step.title.en) for step in playbook.steps]
    found = []
    for group in clusters([(run.incident, note) for run in runs for note in run.notes]):
        incidents = tuple(dict.fromkeys(incident for incident, _ in group))
        bag = _bag(group[0][1].text)
        if len(incidents) < LEAST_NOTES or any(_alike(bag, title) for title in titles):
            continue
        text = min((note.text.strip() for _, note in group), key=len)
        due = rounded_up(sorted(note.after for _, note in group)[int(KEPT_BY * len(group))])
        role = _role_of(group, runs, playbook)
        change = AddStep(id=_free_id(playbook), title=_both(text), role=role, due=show_duration(due))
        params = {"text": text, "n": len(incidents), "of": len({run.incident for run in runs}),
                  "role": _role(playbook, role),
                  "due": show_duration(due)}  # fmt: skip
        key = f"step:{playbook.id}:{'|'.join(sorted(bag)[:6])}"
        found.append(
            Suggestion(
                key=key, kind="step", playbook=playbook.id, said="proposal.step", params=params, evidence=incidents,
                weight=len(incidents), change=change,
            )
        )  # fmt: skip
    return found


def clusters(notes: Iterable[tuple[str, HandNote]]) -> list[list[tuple[str, HandNote]]]:
    """Notes that say the same in other words, each group led by its first."""
    groups: list[tuple[frozenset[str], list[tuple[str, HandNote]]]] = []
    for incident, note in notes:
        if not SHORTEST_NOTE <= len(note.text.strip()) <= LONGEST_NOTE:
            continue
        bag = _bag(note.text)
        group = next((item for lead, item in groups if _alike(bag, lead)), None)
        if group is None:
            groups.append((bag, [(incident, note)]))
        else:
            group.append((incident, note))
    return [group for _, group in groups]


def _bag(text: str) -> frozenset[str]:
    plain = folded(text)
    return frozenset(terms(plain) | senses(plain))


def _alike(first: frozenset[str], second: frozenset[str]) -> bool:
    together = len(first & second)
    return together >= 2 and together >= ALIKE * len(first | second)


def _role_of(group: Sequence[tuple[str, HandNote]], runs: Sequence[RunPast], playbook: Playbook) -> str:
    teams = {run.incident: run.team for run in runs}
    roles: Counter[str] = Counter()
    for incident, note in group:
        roles.update(
            name for name, people in teams[incident].items() if note.person in people and name in playbook.roles
        )
    return max(roles, key=lambda name: (roles[name], name), default=next(iter(playbook.roles)))


def _free_id(playbook: Playbook) -> str:
    taken = {step.id for step in playbook.steps}
    return next(name for number in range(1, 1000) if (name := f"by-hand-{number}") not in taken)


def _named(step: Step) -> dict[str, str]:
    """A step by its title in both languages, with the id by which the difference shows it."""
    return {
        "zh-CN": f"{step.title.in_language('zh-CN')} [{step.id}]",
        "en": f"{step.title.in_language('en')} [{step.id}]",
    }


def _role(playbook: Playbook, name: str) -> dict[str, str]:
    title = playbook.roles[name].title if name in playbook.roles else _both(name)
    return {language: title.in_language(language) for language in LANGUAGES}


def _both(text: str) -> Words:
    return Words.model_validate({"zh-CN": text, "en": text})


def _suggestion(
    kind: str, playbook: Playbook, step: str, said: str, params: dict[str, object], pasts: Pasts,
    change: DropStep | SetValues, drill: bool,
) -> Suggestion:  # fmt: skip
    return Suggestion(
        key=f"{kind}:{playbook.id}:{step}{':drills' if drill else ''}", kind=kind, playbook=playbook.id, said=said,
        params=params, evidence=tuple(run.id for run, _ in pasts), weight=len(pasts), drills=drill, change=change,
    )  # fmt: skip
