"""What a run is: a frozen copy of a playbook, who plays which role, and how far every step has come.

Everything here is plain data. ``bot.response.run.decide`` moves it, ``bot.store.runs`` keeps it.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from bot.model.grade import Grade
from bot.model.incident import Actor
from bot.model.text import Text
from bot.response.condition import Value
from bot.response.schema import Playbook
from bot.response.values import Words

CHANNELS = "channels"  # in the scope of an event: the channels there are
NO_WORDS = Words()


class RunStatus(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    ABORTED = "aborted"

    @property
    def ended(self) -> bool:
        return self in (RunStatus.DONE, RunStatus.ABORTED)


class StepStatus(StrEnum):
    WAITING = "waiting"
    OPEN = "open"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"
    NOT_APPLICABLE = "not_applicable"

    @property
    def ended(self) -> bool:
        return self not in (StepStatus.WAITING, StepStatus.OPEN)


LEFT = "left"  # a step's ``why``: nobody did or skipped it, the run was ended before


@dataclass(frozen=True, slots=True)
class StepState:
    """How far one step has come.

    ``number`` is what people type, from 1 in the order of the playbook. ``due_at`` is 0 without a deadline.
    ``next_at`` is when a cadence, a waiting time or a survey goes on. ``rounds`` counts finished rounds of a repeated
    step. ``why`` says why a step does not apply (``grade`` or ``condition``), or that it was ``LEFT``. ``by`` is the
    name of whoever ended it.
    """

    id: str
    number: int
    status: StepStatus = StepStatus.WAITING
    person: str = ""
    due_at: int = 0
    opened_at: int = 0
    ended_at: int = 0
    by: str = ""
    outcome: str = ""
    why: str = ""
    rounds: int = 0
    next_at: int = 0
    holds_since: int = 0
    checked_at: int = 0
    requests: int = 0
    asked: bool = False
    by_hand: bool = False
    failure: str = ""
    expected: tuple[str, ...] = ()
    acknowledged: tuple[str, ...] = ()
    votes: Mapping[str, str] = field(default_factory=dict)
    ticked: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "status": self.status.value}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "StepState":
        known = {name: data[name] for name in cls.__slots__ if name in data}
        for name in ("expected", "acknowledged"):
            known[name] = tuple(known.get(name, ()))
        return cls(**{**known, "status": StepStatus(known["status"])})


@dataclass(frozen=True, slots=True)
class Run:
    """One plan at work. ``team`` maps every role, voter and receiver that the playbook names to person ids, first the
    one who is asked; ``grade`` is the worst grade met so far; ``parent`` is ``R-1.step`` for a part of another run."""

    id: str
    incident: str
    drill: str
    playbook: Playbook
    grade: Grade
    team: Mapping[str, tuple[str, ...]]
    started_at: int
    started_by: str
    steps: tuple[StepState, ...]
    status: RunStatus = RunStatus.RUNNING
    reason: Words = NO_WORDS
    automatic: bool = False
    parent: str = ""
    paused_at: int = 0
    ended_at: int = 0
    outcome: str = ""
    close_proposed: bool = False
    stuck: bool = False
    version: int = 1

    @property
    def object(self) -> str:
        """The identity under which the run's card is placed."""
        return f"run:{self.id}"

    def step(self, step_id: str) -> StepState:
        return next(step for step in self.steps if step.id == step_id)

    def numbered(self, number: int) -> StepState | None:
        return next((step for step in self.steps if step.number == number), None)

    @property
    def progress(self) -> tuple[int, int]:
        """Settled steps and all steps that apply; what the end of the run left undone is not settled."""
        counted = [step for step in self.steps if step.status is not StepStatus.NOT_APPLICABLE]
        return sum(step.status.ended and step.why != LEFT for step in counted), len(counted)


def begun(
    run_id: str,
    incident: str,
    playbook: Playbook,
    team: Mapping[str, tuple[str, ...]],
    grade: Grade,
    started_by: str,
    now: int,
    *,
    drill: str = "",
    reason: Words = NO_WORDS,
    automatic: bool = False,
    parent: str = "",
) -> Run:
    """A run before its first event: every step waits, deadlines counted from the start are set."""
    steps = tuple(
        StepState(step.id, number, person=first(team, step.role), due_at=now + step.due if step.due else 0)
        for number, step in enumerate(playbook.steps, 1)
    )
    return Run(
        run_id, incident, drill, playbook, grade, team, now, started_by, steps, reason=reason, automatic=automatic,
        parent=parent,
    )  # fmt: skip


def first(team: Mapping[str, tuple[str, ...]], role: str | None) -> str:
    """Whoever is asked first for a role, empty for nobody."""
    people = team.get(role or "", ())
    return people[0] if people else ""


# -- what can happen to a run


@dataclass(frozen=True, slots=True)
class Event:
    """``scope`` are the values that conditions may ask for, as they are at this moment."""

    scope: Mapping[str, Value] = field(default_factory=dict, kw_only=True)


@dataclass(frozen=True, slots=True)
class Tick(Event):
    """Time has passed, or something that conditions look at has changed."""


@dataclass(frozen=True, slots=True)
class Act(Event):
    by: Actor


@dataclass(frozen=True, slots=True)
class StepAct(Act):
    step: str


@dataclass(frozen=True, slots=True)
class Done(StepAct):
    """Finished by a person; ``text`` is the proof or note."""

    text: str = ""


@dataclass(frozen=True, slots=True)
class Skip(StepAct):
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Answer(StepAct):
    answers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Vote(StepAct):
    option: str


@dataclass(frozen=True, slots=True)
class CheckOff(StepAct):
    """Tick items of a checklist; none means all that are left."""

    items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Acknowledge(StepAct):
    """A person confirms to have read a notice."""


@dataclass(frozen=True, slots=True)
class Confirm(StepAct):
    """A person lets a linked system be called (again)."""


@dataclass(frozen=True, slots=True)
class Reassign(StepAct):
    person: str


@dataclass(frozen=True, slots=True)
class HandOver(Act):
    """Everything unfinished of one person goes to another."""

    giver: str
    taker: str


@dataclass(frozen=True, slots=True)
class Pause(Act):
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Resume(Act):
    """Go on: deadlines move by as long as the run stood still."""


@dataclass(frozen=True, slots=True)
class Abort(Act):
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Finish(Act):
    """Declare the run finished: what is still unfinished is skipped."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class GradeChanged(Event):
    grade: Grade
    team: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class ActionResult(Event):
    step: str
    ok: bool
    text: str = ""


@dataclass(frozen=True, slots=True)
class ByHand(Event):
    """There is no linked system for this step: a person does it."""

    step: str


@dataclass(frozen=True, slots=True)
class PartEnded(Event):
    """A sub-playbook that this step waits for has ended."""

    step: str


# -- what follows from it


class EffectKind(StrEnum):
    OPENED = "opened"
    ENDED = "ended"
    ROUND = "round"  # one round of a repeated step is done; the next one follows
    NOTIFY = "notify"
    UNREACHED = "unreached"  # a notice is for roles that nobody has: it was not sent
    REQUEST = "request"
    REPLY_ON = "reply_on"
    REPLY_OFF = "reply_off"
    START_PART = "start_part"
    WAITED = "waited"  # a condition has been waited for as long as allowed: a person decides
    SPLIT = "split"  # everybody voted and nothing has a quorum
    RUN_ENDED = "run_ended"
    PROPOSE_CLOSE = "propose_close"
    STUCK = "stuck"  # nothing is open, and what waits waits for facts that nobody has been asked for
    DUE = "due"  # the deadline of a step was set or moved


@dataclass(frozen=True, slots=True)
class Effect:
    kind: EffectKind
    step: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """``refusal`` says why nothing was done, as a sentence for whoever asked; None when the event was taken."""

    run: Run
    effects: tuple[Effect, ...] = ()
    refusal: Text | None = None
