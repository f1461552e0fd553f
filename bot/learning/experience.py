"""What runs of playbooks came to, as plain facts that suggestions are made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlite_utils import Database

from bot.model.grade import Grade
from bot.response import run_rows
from bot.response.run_state import LEFT, Run, StepState, StepStatus
from bot.response.steps import Step
from bot.store import incidents as incident_store
from bot.store import runs as run_store

MOST_RUNS = 2_000
BY_HAND = ("note", "decision")


@dataclass(frozen=True, slots=True)
class StepPast:
    """How one step of one run went. ``plan`` is the step as it stood in the run's frozen plan; ``outcome``: done,
    skipped, not_applicable, failed or left; times in milliseconds after the start of the run, 0 for never."""

    plan: Step
    outcome: str
    opened: int = 0
    ended: int = 0
    due: int = 0
    person: str = ""

    @property
    def took(self) -> int:
        """What its deadline is measured from: the start of the run, or the moment its turn came."""
        return self.ended - (self.opened if self.plan.due is None else 0)

    @property
    def late(self) -> bool:
        """Done, but after its deadline."""
        return self.due > 0 and self.outcome == "done" and self.ended > self.due


@dataclass(frozen=True, slots=True)
class HandNote:
    """What a person wrote down beside the plan, ``after`` its start."""

    text: str
    person: str
    after: int


@dataclass(frozen=True, slots=True)
class RunPast:
    """One ended run; ``team`` maps roles to people, ``notes`` are what people wrote on the incident meanwhile."""

    id: str
    incident: str
    drill: str
    playbook: str
    grade: Grade
    team: Mapping[str, tuple[str, ...]]
    steps: Mapping[str, StepPast]
    notes: Sequence[HandNote] = field(default=())


def past_runs(db: Database) -> list[RunPast]:
    """The newest ended runs, oldest first; parts of other runs included."""
    rows = run_store.ended(db, MOST_RUNS)
    return [_past(db, run_rows.from_row(db, row)) for row in rows]


def _past(db: Database, run: Run) -> RunPast:
    notes = tuple(
        HandNote(str(entry.params.get("text", "")), entry.actor, entry.happened_at - run.started_at)
        for entry in incident_store.timeline(db, run.incident, BY_HAND)
        if entry.actor and entry.happened_at >= run.started_at
    )
    steps = {step.id: plan for step in run.steps if (plan := _step(run, step)) is not None}
    return RunPast(run.id, run.incident, run.drill, run.playbook.id, run.grade, run.team, steps, notes)


def _step(run: Run, step: StepState) -> StepPast | None:
    plan = run.playbook.step(step.id)
    if plan is None:
        return None
    outcome = "left" if step.why == LEFT or not step.status.ended else step.status.value
    if step.status is StepStatus.NOT_APPLICABLE and step.why == "grade":
        outcome = "grade"  # it was not meant for this grade: that says nothing of the step
    return StepPast(
        plan, outcome, _after(run, step.opened_at), _after(run, step.ended_at), _after(run, step.due_at), step.person
    )


def _after(run: Run, moment: int) -> int:
    return max(1, moment - run.started_at) if moment else 0
