"""Steps of a run in words: one line each, with who, until when, and how far it has come."""

from typing import Any

from bot.config import Config
from bot.incidents import words
from bot.model.intake import iso
from bot.model.text import Text
from bot.response.run import blockers
from bot.response.run_state import LEFT, Run, StepState, StepStatus
from bot.response.steps import Action, Checklist, Decision, Notify, Question, Step, Survey, WaitCondition
from bot.texts import render

OUTCOME_CHARACTERS = 60


def title(run: Run, language: str) -> str:
    return run.playbook.title.in_language(language)


def step_title(run: Run, step_id: str, language: str) -> str:
    step = run.playbook.step(step_id)
    assert step is not None
    return step.title.in_language(language)


def person_name(config: Config, person_id: str) -> str | Text:
    person = config.person(person_id)
    return person.name if person else person_id or Text("run.nobody")


def open_line(config: Config, run: Run, state: StepState, language: str, now: int) -> str:
    """An open step: number, title, how far, whose, until when."""
    step = run.playbook.step(state.id)
    assert step is not None
    parts = [f"{state.number}. {step.title.in_language(language)}"]
    if told := so_far(step, state, language, now):
        parts.append(told)
    parts.append(render(person_name(config, state.person), language))
    if state.due_at:
        parts.append(render(deadline(state.due_at, now), language))
    return " · ".join(parts)


def waiting_line(config: Config, run: Run, state: StepState, language: str, now: int) -> str:
    """A waiting step: what it waits for, and its deadline."""
    parts = [f"{state.number}. {step_title(run, state.id, language)}"]
    waits_for = [str(item.number) for item in blockers(run, state.id)]
    if waits_for:
        parts.append(render(Text("run.waits_for", {"steps": waits_for}), language))
    elif state.next_at > now:
        parts.append(render(Text("run.again_at", {"time": words.clock_time(state.next_at)}), language))
    else:
        parts.append(render(Text("run.waits_for_facts"), language))
    if state.due_at:
        parts.append(render(deadline(state.due_at, now), language))
    return " · ".join(parts)


def ended_line(run: Run, state: StepState, language: str) -> str:
    """A step that is over: how, by whom, when, with what."""
    parts = [f"{state.number}. {step_title(run, state.id, language)}"]
    how = render(Text(f"step_status.{LEFT if state.why == LEFT else state.status.value}"), language)
    if state.status is StepStatus.NOT_APPLICABLE:
        return f"{parts[0]} · {how}"
    parts.append(f"{how} {state.by} {words.clock_time(state.ended_at)}".strip())
    if outcome := outcome_of(run, state, language):
        parts.append(outcome)
    return " · ".join(parts)


def outcome_of(run: Run, state: StepState, language: str) -> str:
    """What came out of a step: the option chosen by its label, else the words given."""
    step = run.playbook.step(state.id)
    if isinstance(step, Decision):
        labels = {option.id: option.label.in_language(language) for option in step.options}
        return labels.get(state.outcome, state.outcome)
    text = " ".join(state.outcome.split())
    return text if len(text) <= OUTCOME_CHARACTERS else text[:OUTCOME_CHARACTERS] + "…"


def so_far(step: Step, state: StepState, language: str, now: int) -> str:
    """How far an open step has come, empty where there is nothing between begun and done."""
    text: Text | None = None
    match step:
        case Checklist() if state.ticked:
            text = Text("run.ticked", {"n": len(state.ticked), "all": len(step.items)})
        case Decision() if state.votes:
            text = Text("run.votes", {"n": len(state.votes), "quorum": step.quorum})
        case Notify() if state.expected:
            text = Text("run.acknowledged", {"n": len(state.acknowledged), "all": len(state.expected)})
        case Question() if state.answers:
            text = Text("run.answered", {"n": len(state.answers), "all": len(step.fields)})
        case Survey():
            text = Text("run.surveyed", {"n": len(state.answers), "until": words.clock_time(state.next_at)})
        case WaitCondition() if state.holds_since:
            text = Text(
                "run.holds", {"span": words.duration(now - state.holds_since), "hold": words.duration(step.hold)}
            )
        case WaitCondition():
            text = Text("run.not_yet")
        case Action() if state.asked:
            text = Text("run.called")
        case Action() if state.failure:
            text = Text("run.failed", {"cause": state.failure[:OUTCOME_CHARACTERS]})
    return render(text, language) if text else ""


def deadline(due_at: int, now: int) -> Text:
    if due_at <= now:
        return Text("run.overdue", {"span": words.duration(now - due_at)})
    return Text("run.due", {"time": words.clock_time(due_at), "span": words.duration(due_at - now)})


def grade_missing(run: Run, state: StepState) -> Text | None:
    """From which grade a step would apply, where that is why it does not."""
    step = run.playbook.step(state.id)
    if state.why != "grade" or step is None or step.from_grade is None:
        return None
    return Text("run.from_grade", {"grade": words.grade(step.from_grade)})


def run_json(run: Run, language: str) -> dict[str, Any]:
    """A run as the interface gives it: id, plan, progress, and every step."""
    settled, everything = run.progress
    return {
        "id": run.id, "playbook": run.playbook.id, "playbook_version": run.playbook.version,
        "title": title(run, language), "status": run.status.value, "automatic": run.automatic,
        "reason": run.reason.in_language(language),
        "started_by": run.started_by, "started_at": iso(run.started_at),
        "ended_at": iso(run.ended_at) if run.ended_at else None, "outcome": run.outcome, "parent": run.parent or None,
        "settled": settled, "applicable": everything,
        "steps": [
            {
                "number": state.number, "id": state.id, "title": step_title(run, state.id, language),
                "status": state.status.value, "person": state.person or None,
                "due_at": iso(state.due_at) if state.due_at else None,
                "ended_at": iso(state.ended_at) if state.ended_at else None, "by": state.by or None,
                "outcome": outcome_of(run, state, language) or None,
            }
            for state in run.steps
        ],
    }  # fmt: skip
