"""Runs to rows and back. The frozen plan is read once per process: runs of one version share it."""

import hashlib
from functools import lru_cache

from sqlite_utils import Database

from bot.model.grade import Grade
from bot.response.run_state import Run, RunStatus, StepState
from bot.response.schema import Playbook
from bot.response.values import Words
from bot.store import runs as store
from bot.store.runs import RunRow, StepRow

_KEPT = ("started_by", "automatic", "paused_at", "ended_at", "outcome", "close_proposed", "stuck")


def insert(db: Database, run: Run, now: int) -> None:
    body = run.playbook.frozen()
    digest = _digest(body)
    store.keep_plan(db, digest, body)
    store.insert(db, _row(run, digest, now), [_step(step) for step in run.steps])


def save(db: Database, before: Run, after: Run, now: int) -> None:
    """Write what changed."""
    store.update(db, _row(after, "", now))
    unchanged = {step.id: step for step in before.steps}
    store.save_steps(db, after.id, [_step(step) for step in after.steps if unchanged[step.id] != step])


def load(db: Database, run_id: str) -> Run | None:
    row = store.get(db, run_id)
    return from_row(db, row) if row else None


def from_row(db: Database, row: RunRow) -> Run:
    state = row.state
    return Run(
        id=row.id, incident=row.incident, drill=row.drill, playbook=_plan(db, row.digest), status=RunStatus(row.status),
        grade=Grade(state["grade"]), team={name: tuple(people) for name, people in state["team"].items()},
        reason=Words.model_validate(state["reason"]), started_at=row.started_at, parent=row.parent, version=row.version,
        steps=tuple(StepState.from_json(step.state) for step in store.steps(db, row.id)),
        **{name: state[name] for name in _KEPT if name in state},
    )  # fmt: skip


_plans: dict[str, Playbook] = {}


def _plan(db: Database, digest: str) -> Playbook:
    """A plan never changes under its digest, so a copy in memory cannot be wrong."""
    found = _plans.get(digest)
    if found is None:
        if len(_plans) >= 200:
            _plans.clear()
        found = _plans[digest] = Playbook.thaw(store.plan(db, digest))
    return found


@lru_cache(200)
def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()


def _row(run: Run, digest: str, now: int) -> RunRow:
    state = {name: getattr(run, name) for name in _KEPT}
    state["grade"] = int(run.grade)
    state["reason"] = run.reason.model_dump(by_alias=True)
    state["team"] = {name: list(people) for name, people in run.team.items()}
    return RunRow(
        run.id, run.incident, run.drill, run.playbook.id, digest, run.status.value, run.parent, run.started_at, now,
        run.version, state,
    )  # fmt: skip


def _step(step: StepState) -> StepRow:
    return StepRow(step.number, step.id, step.status.value, step.person, step.due_at, step.to_json())
