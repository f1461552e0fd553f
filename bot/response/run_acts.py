"""What people do to single steps of a run, and when that is refused. Part of the machine in ``bot.response.run``."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bot.model.text import Text
from bot.response.run_state import (
    Acknowledge,
    Answer,
    CheckOff,
    Confirm,
    Done,
    Reassign,
    Run,
    Skip,
    StepAct,
    StepState,
    StepStatus,
    Vote,
)
from bot.response.steps import Action, Checklist, Decision, Notify, Question, QuestionField, Step, Survey, Task
from bot.response.survey import pack

if TYPE_CHECKING:
    from bot.response.run import Machine


class Refused(Exception):
    """The event changes nothing; ``text`` says why and what to do."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.key)
        self.text = text


def act(machine: "Machine", event: StepAct) -> None:
    """One person's act on one step. Raises ``Refused``."""
    state, step = machine.steps[event.step], machine.plan[event.step]
    refuse_if_ended(machine.run, state)
    match event:
        case Reassign():
            machine.set(step.id, person=event.person)
            return
        case Skip():
            _skip(machine, event, step, state)
            return
    if state.status is StepStatus.WAITING:
        raise _refused("error.step_waits", machine.run, state)
    match event:
        case Done():
            _done(machine, event, step, state)
        case Answer():
            _answer(machine, event, step, state)
        case Vote():
            _vote(machine, event, step, state)
        case CheckOff():
            _check_off(machine, event, step, state)
        case Acknowledge():
            _acknowledge(machine, event, step, state)
        case Confirm():
            _confirm(machine, event, step, state)


def refuse_if_ended(run: Run, state: StepState) -> None:
    """Two people at once: the second is told who did it."""
    if state.status is StepStatus.NOT_APPLICABLE:
        raise _refused("error.step_not_applicable", run, state)
    if state.status in (StepStatus.DONE, StepStatus.SKIPPED):
        key = "error.step_done" if state.status is StepStatus.DONE else "error.step_skipped"
        raise Refused(Text(key, {"step": name_of(run, state), "by": state.by, "outcome": state.outcome or "—"}))


def name_of(run: Run, state: StepState) -> str:
    """What people type to mean this step."""
    return f"{run.id}.{state.number}"


def _skip(machine: "Machine", event: Skip, step: Step, state: StepState) -> None:
    if not step.skippable and state.status is not StepStatus.FAILED:
        raise _refused("error.step_not_skippable", machine.run, state)
    if not event.reason.strip():
        raise Refused(Text("error.run_needs_reason", {"example": f"skip {name_of(machine.run, state)} …"}))
    machine.finish(step.id, StepStatus.SKIPPED, event.by.name, event.reason.strip())


def _done(machine: "Machine", event: Done, step: Step, state: StepState) -> None:
    text = event.text.strip()
    if isinstance(step, Decision):
        raise _refused("error.step_is_decision", machine.run, state)
    if isinstance(step, Question) and (missing := missing_answers(step, state.answers)):
        labels = [field.id for field in missing]
        raise Refused(Text("error.step_needs_answers", {"step": name_of(machine.run, state), "fields": labels}))
    if isinstance(step, Task) and step.proof and not text:
        raise Refused(Text("error.step_needs_proof", {"example": f"done {name_of(machine.run, state)} …"}))
    if isinstance(step, Checklist):
        _tick(machine, step, state, [item.id for item in step.items], event.by.name)
    machine.finish(step.id, StepStatus.DONE, event.by.name, text)


def missing_answers(step: Question | Survey, answers: Mapping[str, str]) -> list[QuestionField]:
    """Required fields without an answer."""
    return [field for field in step.fields if field.required and not answers.get(field.id, "").strip()]


def _answer(machine: "Machine", event: Answer, step: Step, state: StepState) -> None:
    if isinstance(step, Survey):
        said = {name: value for name, value in event.answers.items() if value.strip()}
        if not said:
            raise _refused("error.step_no_answer", machine.run, state)
        machine.set(step.id, answers={**state.answers, event.by.person or event.by.name: pack(said)})
        return
    if not isinstance(step, Question):
        raise _refused("error.step_is_no_question", machine.run, state)
    known = {field.id for field in step.fields}
    given = {name: value.strip() for name, value in event.answers.items() if name in known and value.strip()}
    if not given:
        raise _refused("error.step_no_answer", machine.run, state)
    answers = {**state.answers, **given}
    machine.set(step.id, answers=answers)
    if not missing_answers(step, answers):
        machine.finish(step.id, StepStatus.DONE, event.by.name)


def _vote(machine: "Machine", event: Vote, step: Step, state: StepState) -> None:
    if not isinstance(step, Decision):
        raise _refused("error.step_is_no_decision", machine.run, state)
    options = [option.id for option in step.options]
    if event.option not in options:
        params = {"option": event.option or "—", "options": options, "step": name_of(machine.run, state)}
        raise Refused(Text("error.step_no_option", params))
    voters = voters_of(machine.run, step)
    person = event.by.person
    if not person or (len(voters) >= step.quorum and person not in voters):
        raise _refused("error.step_not_a_voter", machine.run, state)
    if state.votes.get(person) == event.option:
        raise _refused("error.step_voted", machine.run, state)
    votes = {**state.votes, person: event.option}
    machine.set(step.id, votes=votes)
    if sum(option == event.option for option in votes.values()) >= step.quorum:
        machine.finish(step.id, StepStatus.DONE, event.by.name, event.option)
    elif voters and set(voters) <= set(votes):
        machine.split(step.id)


def voters_of(run: Run, step: Decision) -> tuple[str, ...]:
    """The people who may vote; with fewer of them than the quorum takes, any member may."""
    roles = step.voters or ((step.role,) if step.role else ())
    return tuple(dict.fromkeys(person for role in roles for person in run.team.get(role, ())))


def _check_off(machine: "Machine", event: CheckOff, step: Step, state: StepState) -> None:
    if not isinstance(step, Checklist):
        raise _refused("error.step_is_no_checklist", machine.run, state)
    known = [item.id for item in step.items]
    wanted = [item for item in known if item in event.items] if event.items else known
    fresh = [item for item in wanted if item not in state.ticked]
    if not wanted:
        raise Refused(Text("error.step_no_item", {"step": name_of(machine.run, state), "n": len(known)}))
    if not fresh:
        by = state.ticked[wanted[0]]
        params = {"step": name_of(machine.run, state), "by": by}
        raise Refused(Text("error.step_item_ticked", params))
    ticked = _tick(machine, step, state, fresh, event.by.name)
    if all(item in ticked for item in known):
        machine.finish(step.id, StepStatus.DONE, event.by.name)


def _tick(machine: "Machine", step: Step, state: StepState, items: list[str], by: str) -> Mapping[str, str]:
    ticked = {**dict.fromkeys(items, by), **state.ticked}
    machine.set(step.id, ticked=ticked)
    return ticked


def _acknowledge(machine: "Machine", event: Acknowledge, step: Step, state: StepState) -> None:
    if not isinstance(step, Notify):
        raise _refused("error.step_is_no_notice", machine.run, state)
    person = event.by.person
    if not person or person not in state.expected:
        raise _refused("error.step_not_asked", machine.run, state)
    if person in state.acknowledged:
        raise _refused("error.step_acknowledged", machine.run, state)
    machine.set(step.id, acknowledged=(*state.acknowledged, person))


def _confirm(machine: "Machine", event: Confirm, step: Step, state: StepState) -> None:
    if not isinstance(step, Action):
        raise _refused("error.step_is_no_action", machine.run, state)
    if state.asked:
        raise _refused("error.step_called", machine.run, state)
    if state.status is StepStatus.FAILED:
        machine.set(step.id, status=StepStatus.OPEN, ended_at=0)
    machine.set(step.id, by=event.by.name)
    machine.request(step.id)


def _refused(key: str, run: Run, state: StepState) -> Refused:
    return Refused(Text(key, {"step": name_of(run, state)}))
