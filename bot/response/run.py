"""The machine behind a run: ``decide(run, event, now)`` gives the run afterwards, what follows, or why not.

Pure: no store, no clock, no chat. The same events in the same order give the same run.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from bot.model.grade import Grade
from bot.model.incident import Actor
from bot.model.text import Text
from bot.response.condition import Value, comparisons, evaluate, parse_condition
from bot.response.run_acts import Refused, act
from bot.response.run_state import (
    CHANNELS,
    LEFT,
    Abort,
    Act,
    ActionResult,
    ByHand,
    Decision,
    Effect,
    EffectKind,
    Event,
    Finish,
    GradeChanged,
    HandOver,
    PartEnded,
    Pause,
    Resume,
    Run,
    RunStatus,
    StepAct,
    StepState,
    StepStatus,
    first,
)
from bot.response.steps import Action, AutoReply, Notify, Step, SubPlaybook, Survey, WaitCondition, WaitTime

MINUTE = 60_000
# Conditions are looked at every minute. A longer gap means that nobody looked, and a gap that runs
# backwards that the clock was set: either way "without a break" cannot be said.
LONGEST_GAP = 5 * MINUTE
SYSTEM_NAME = "Fengbo"
_parsed = lru_cache(4096)(parse_condition)


def decide(run: Run, event: Event, now: int) -> Decision:
    """Move a run by one event.

    Args:
        event: what happened; ``event.scope`` holds the values of conditions besides ``decision.*`` and ``answers.*``.
        now: Unix milliseconds, never before the last event's.
    """
    machine = Machine(run, event.scope, now)
    try:
        machine.take(event)
    except Refused as refused:
        return Decision(run, (), refused.text)
    machine.advance()
    return Decision(machine.result(), tuple(machine.effects))


def condition_scope(run: Run, steps: Mapping[str, StepState], scope: Mapping[str, Value]) -> dict[str, Value]:
    """What a condition of this run may ask for: the surroundings, decisions and answers."""
    known: dict[str, Value] = dict(scope)
    known.setdefault("grade", run.grade.word)
    for step in run.playbook.steps:
        state = steps[step.id]
        if step.kind == "decision" and state.status is StepStatus.DONE:
            known[f"decision.{step.id}"] = state.outcome
        for name, answer in state.answers.items() if step.kind == "question" else ():
            known[f"answers.{step.id}.{name}"] = answer
    return known


class Machine:
    """One event's work on a run. ``steps`` are the states by id, ``effects`` what follows, in order."""

    def __init__(self, run: Run, scope: Mapping[str, Value], now: int) -> None:
        self.run = run
        self.now = now
        self.steps = {step.id: step for step in run.steps}
        self.plan: dict[str, Step] = {step.id: step for step in run.playbook.steps}
        self.effects: list[Effect] = []
        self._scope = scope

    def result(self) -> Run:
        changed = replace(self.run, steps=tuple(self.steps[step.id] for step in self.run.steps))
        return replace(changed, version=self.run.version + 1)

    def take(self, event: Event) -> None:
        """What the event itself does. Raises ``Refused``."""
        if self.run.status.ended:
            if isinstance(event, Act):
                raise Refused(Text("error.run_ended", {"id": self.run.id}))
            return
        match event:
            case StepAct():
                act(self, event)
            case HandOver():
                self._hand_over(event)
            case Pause() | Resume():
                self._pause(event)
            case Abort(by, reason) | Finish(by, reason):
                self._end(event, by, reason)
            case GradeChanged(grade, team):
                self._grade(grade, team)
            case ActionResult(step, ok, text):
                self._result(step, ok, text)
            case ByHand(step):
                self.set(step, asked=False, by_hand=True)
            case PartEnded(step):
                if step in self.steps and self.steps[step].status is StepStatus.OPEN:
                    self.finish(step, StepStatus.DONE, SYSTEM_NAME)

    def advance(self) -> None:
        """Open, pass over and finish whatever can be, until nothing moves; then see whether the run is over."""
        if self.run.status is not RunStatus.RUNNING:
            return
        moved = True
        while moved:
            moved = False
            for step in self.run.playbook.steps:
                moved = self._look_at(step) or moved
        if all(self._settled(state) for state in self.steps.values()):
            self.run = replace(self.run, status=RunStatus.DONE, ended_at=self.now)
            self._effect(EffectKind.RUN_ENDED)
            return
        self._see_whether_stuck()
        recovery = self.run.playbook.recovery
        if recovery and not self.run.close_proposed and self.holds(recovery.close_when):
            self.run = replace(self.run, close_proposed=True)
            self._effect(EffectKind.PROPOSE_CLOSE)

    def _see_whether_stuck(self) -> None:
        """Said once, until something opens again: people add facts, skip what is left, or finish the run."""
        moving = (StepStatus.OPEN, StepStatus.FAILED)
        stuck = not any(state.status in moving or state.next_at > self.now for state in self.steps.values())
        if stuck and not self.run.stuck:
            self._effect(EffectKind.STUCK)
        self.run = replace(self.run, stuck=stuck)

    # -- what acts of people use

    def set(self, step_id: str, **changes: Any) -> StepState:
        self.steps[step_id] = replace(self.steps[step_id], **changes)
        return self.steps[step_id]

    def finish(self, step_id: str, status: StepStatus, by: str, outcome: str = "") -> None:
        """End a step, or this round of it."""
        step, state = self.plan[step_id], self.steps[step_id]
        if step.kind == "auto_reply" and state.status is StepStatus.OPEN:
            self._effect(EffectKind.REPLY_OFF, step_id)
        rounds = state.rounds + (status is StepStatus.DONE)
        if status is StepStatus.DONE and step.repeat and not self._repeated_enough(step, rounds):
            self.set(
                step_id, status=StepStatus.WAITING, rounds=rounds, by=by, outcome=outcome, due_at=0,
                next_at=max(state.opened_at + step.repeat.every, self.now), votes={}, ticked={}, answers={},
                acknowledged=(), expected=(), failure="",
            )  # fmt: skip
            self._effect(EffectKind.ROUND, step_id)
            return
        self.set(step_id, status=status, ended_at=self.now, by=by, outcome=outcome, rounds=rounds)
        self._effect(EffectKind.ENDED, step_id)

    def request(self, step_id: str) -> None:
        """Have a linked system called."""
        self.set(step_id, requests=self.steps[step_id].requests + 1, asked=True, failure="")
        self._effect(EffectKind.REQUEST, step_id)

    def split(self, step_id: str) -> None:
        self._effect(EffectKind.SPLIT, step_id)

    def holds(self, condition: str) -> bool | None:
        return evaluate(_parsed(condition), condition_scope(self.run, self.steps, self._scope))

    # -- single events

    def _hand_over(self, event: HandOver) -> None:
        found = [state.id for state in self.steps.values() if not state.status.ended and state.person == event.giver]
        if not found:
            raise Refused(Text("error.run_nothing_to_hand_over", {"id": self.run.id}))
        for step_id in found:
            self.set(step_id, person=event.taker)

    def _pause(self, event: Pause | Resume) -> None:
        pause = isinstance(event, Pause)
        if pause is (self.run.status is RunStatus.PAUSED):
            raise Refused(Text("error.run_paused" if pause else "error.run_not_paused", {"id": self.run.id}))
        if pause:
            self.run = replace(self.run, status=RunStatus.PAUSED, paused_at=self.now)
            return
        stood = max(0, self.now - self.run.paused_at)  # the clock may have been set back meanwhile
        for state in list(self.steps.values()):
            if not state.status.ended:
                self.set(
                    state.id, due_at=state.due_at and state.due_at + stood,
                    next_at=state.next_at and state.next_at + stood,
                    opened_at=state.opened_at and state.opened_at + stood, holds_since=0,
                )  # fmt: skip
                self._effect(EffectKind.DUE, state.id)
        self.run = replace(self.run, status=RunStatus.RUNNING, paused_at=0)

    def _end(self, event: Event, by: Actor, reason: str) -> None:
        aborted = isinstance(event, Abort)
        if not reason.strip():
            key = "error.run_needs_reason"
            raise Refused(Text(key, {"example": f"{'abort' if aborted else 'finish'} {self.run.id} …"}))
        for state in list(self.steps.values()):
            if not self._settled(state):
                if self.plan[state.id].kind == "auto_reply" and state.status is StepStatus.OPEN:
                    self._effect(EffectKind.REPLY_OFF, state.id)
                self.set(
                    state.id, status=StepStatus.SKIPPED, why=LEFT, ended_at=self.now, by=by.name, outcome=reason
                )  # fmt: skip
        status = RunStatus.ABORTED if aborted else RunStatus.DONE
        self.run = replace(self.run, status=status, ended_at=self.now, outcome=reason)
        self._effect(EffectKind.RUN_ENDED)

    def _grade(self, grade: Grade, team: Mapping[str, tuple[str, ...]]) -> None:
        """A higher grade adds its steps and puts its people on the roles; a lower one takes nothing away."""
        before = self.run
        self.run = replace(before, grade=max(before.grade, grade), team=team)
        for step in self.run.playbook.steps:
            state = self.steps[step.id]
            if state.status is StepStatus.NOT_APPLICABLE and state.why == "grade" and self._reached(step):
                due_at = self.run.started_at + step.due if step.due else 0
                # A deadline that lies behind us already would be overdue at birth: it counts from now.
                due_at = due_at if not due_at or due_at > self.now else self.now + (step.due or 0)
                self.set(step.id, status=StepStatus.WAITING, ended_at=0, why="", due_at=due_at)
                self._effect(EffectKind.DUE, step.id)
            state = self.steps[step.id]
            # Whoever holds a step because of a role passes it on with the role; a step given to somebody stays.
            if not state.status.ended and state.person == first(before.team, step.role):
                self.set(step.id, person=first(team, step.role))

    def _result(self, step_id: str, ok: bool, text: str) -> None:
        state, step = self.steps.get(step_id), self.plan.get(step_id)
        if state is None or not isinstance(step, Action) or state.status is not StepStatus.OPEN or not state.asked:
            return  # a person was faster, or an answer came twice
        if ok:
            self.finish(step_id, StepStatus.DONE, SYSTEM_NAME, text)
        elif step.on_failure == "ask":
            self.set(step_id, asked=False, failure=text)
        else:
            self.set(step_id, asked=False, failure=text)
            self.finish(step_id, StepStatus.FAILED, SYSTEM_NAME, text)

    # -- the march of steps

    def _look_at(self, step: Step) -> bool:
        state = self.steps[step.id]
        if state.status is StepStatus.WAITING or (state.status is StepStatus.NOT_APPLICABLE and state.why != "grade"):
            return self._try_to_open(step, state)
        return state.status is StepStatus.OPEN and self._try_to_finish(step, state)

    def _try_to_open(self, step: Step, state: StepState) -> bool:
        if not self._reached(step):
            self.set(step.id, status=StepStatus.NOT_APPLICABLE, why="grade", ended_at=self.now)
            return True
        if not all(self._satisfied(name) for name in step.after) or state.next_at > self.now:
            return False
        if step.repeat and state.rounds and self._repeated_enough(step, state.rounds):
            self.set(step.id, status=StepStatus.DONE, ended_at=self.now)
            self._effect(EffectKind.ENDED, step.id)
            return True
        answer = self.holds(step.when) if step.when else True
        if answer is None and step.when and self._never_known(step.when):
            answer = False
        if answer is None or (not answer and state.status is StepStatus.NOT_APPLICABLE):
            return False
        if not answer:
            self.set(step.id, status=StepStatus.NOT_APPLICABLE, why="condition", ended_at=self.now)
            return True
        self._open(step, state)
        return True

    def _open(self, step: Step, state: StepState) -> None:
        within = self.now + step.within if step.within else 0
        if state.rounds and not within and step.repeat:
            within = self.now + step.repeat.every
        due_at = min(filter(None, (state.due_at, within)), default=0)
        self.set(
            step.id, status=StepStatus.OPEN, why="", ended_at=0, opened_at=self.now, due_at=due_at, next_at=0,
            holds_since=0, checked_at=0, asked=False,
        )  # fmt: skip
        self._effect(EffectKind.OPENED, step.id)
        match step:
            case Notify():
                self._notify(step)
            case Action(confirm=False):
                self.request(step.id)
            case WaitTime():
                self.set(step.id, next_at=self.now + step.wait)
            case Survey():
                self.set(step.id, next_at=self.now + step.open_for)
                self._effect(EffectKind.NOTIFY, step.id)
            case AutoReply():
                self._effect(EffectKind.REPLY_ON, step.id)
            case SubPlaybook():
                self._effect(EffectKind.START_PART, step.id)

    def _notify(self, step: Notify) -> None:
        """Send a notice; one that would reach nobody is not "done": people are asked to pass it on themselves."""
        people = dict.fromkeys(person for name in step.to for person in self.run.team.get(name, ()))
        reaches = self._reaches(step)
        self.set(step.id, expected=tuple(people) if step.acknowledge else (), by_hand=not reaches)
        self._effect(EffectKind.NOTIFY if reaches else EffectKind.UNREACHED, step.id)

    def _reaches(self, step: Notify) -> bool:
        """Whether somebody has one of the roles, or one of the channels is there: what is not the name of a role is a
        channel."""
        channels = self._scope.get(CHANNELS)
        return any(
            self.run.team.get(name)
            or (name not in self.run.playbook.roles and (not isinstance(channels, frozenset) or name in channels))
            for name in step.to
        )

    def _try_to_finish(self, step: Step, state: StepState) -> bool:
        over = False
        match step:
            case Notify() if state.by_hand:
                if not self._reaches(step):
                    return False
                self._notify(step)  # somebody has the role by now
                return True
            case Notify():
                over = set(state.expected) <= set(state.acknowledged)
            case WaitTime() | Survey():
                over = self.now >= state.next_at
            case WaitCondition():
                over = self._waited(step, state)
            case AutoReply():
                over = self.holds(step.until) is True
            case SubPlaybook():
                over = not step.wait
        if over:
            outcome = str(len(state.answers)) if isinstance(step, Survey) else ""
            self.finish(step.id, StepStatus.DONE, SYSTEM_NAME, outcome)
        return over

    def _waited(self, step: WaitCondition, state: StepState) -> bool:
        """Whether the condition has held without a break; unknown counts as not holding, and so does not looking."""
        since = state.holds_since
        if self.holds(step.until) is not True:
            since = 0
        elif not since or not 0 <= self.now - state.checked_at <= LONGEST_GAP:
            since = self.now
        self.set(step.id, holds_since=since, checked_at=self.now)
        if since and self.now - since >= step.hold:
            return True
        if step.at_most and self.now - state.opened_at >= step.at_most and not state.asked:
            self.set(step.id, asked=True)
            self._effect(EffectKind.WAITED, step.id)
        return False

    # -- questions

    def _reached(self, step: Step) -> bool:
        return step.from_grade is None or self.run.grade >= step.from_grade

    def _never_known(self, condition: str) -> bool:
        """Whether everything unknown in a condition was to come from steps that are over: a vote that was skipped."""
        scope = condition_scope(self.run, self.steps, self._scope)
        unknown = [asked.name for asked in comparisons(_parsed(condition)) if scope.get(asked.name) is None]
        for name in unknown:
            head, _, rest = name.partition(".")
            state = self.steps.get(rest.partition(".")[0])
            if head not in ("decision", "answers") or state is None or not self._settled(state):
                return False
        return bool(unknown)

    def _repeated_enough(self, step: Step, rounds: int) -> bool:
        assert step.repeat is not None
        if step.repeat.at_most and rounds >= step.repeat.at_most:
            return True
        return step.repeat.until is not None and self.holds(step.repeat.until) is True

    def _satisfied(self, step_id: str) -> bool:
        """Whether what comes after this step may begin: a repeated one frees the way with its first round."""
        state = self.steps.get(step_id)
        if state is None:
            return True
        return self._settled(state) or state.rounds > 0

    def _settled(self, state: StepState) -> bool:
        """Over for good. A failed call that was to stop everything is not: a person must finish or skip it."""
        if state.status is StepStatus.FAILED:
            step = self.plan[state.id]
            return isinstance(step, Action) and step.on_failure == "continue"
        return state.status.ended

    def _effect(self, kind: EffectKind, step_id: str = "") -> None:
        self.effects.append(Effect(kind, step_id))


def blockers(run: Run, step_id: str) -> list[StepState]:
    """The unfinished steps that a waiting one waits for."""
    machine = Machine(run, {}, 0)
    step = machine.plan[step_id]
    return [machine.steps[name] for name in step.after if name in machine.steps and not machine._satisfied(name)]
