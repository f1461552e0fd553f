"""The deadlines of a run as durable timers: reminder, deadline, escalation follow each other, one row a step at a time.

Kinds: ``run_remind``, ``run_due``, ``run_escalate`` of ``R-3.step``; ``run_tick`` of ``R-3``.
"""

from sqlite_utils import Database

from bot.clock import MINUTE, SECOND
from bot.delivery import timers
from bot.response.run_state import Run, RunStatus, StepState, StepStatus
from bot.response.steps import AutoReply, Escalation, WaitCondition

STEP_KINDS = ("run_remind", "run_due", "run_escalate")
LOOK_EVERY = MINUTE  # how often conditions that depend on measurements are looked at
STRIDE = 37_103  # spreads neighbouring numbers over the minute: prime, and no divisor of it
CATCH_UP = 10 * SECOND


def object_of(run_id: str, step_id: str) -> str:
    return f"{run_id}.{step_id}"


def reschedule(db: Database, before: Run | None, after: Run, now: int) -> None:
    """Set, move and take back the timers of what changed."""
    earlier = {step.id: step for step in before.steps} if before else {}
    moved = before is None or before.status is not after.status
    for state in after.steps:
        old = earlier.get(state.id)
        if moved or old is None or (old.status, old.due_at) != (state.status, state.due_at):
            _set(db, after, state, now, fresh=old is None)
    _tick(db, after, now)


def cancel_step(db: Database, run_id: str, step_id: str) -> None:
    for kind in STEP_KINDS:
        timers.cancel(db, kind, object_of(run_id, step_id))


def remind_before(run: Run, step_id: str) -> int:
    step = run.playbook.step(step_id)
    own = step.remind_before if step else None
    return run.playbook.defaults.remind_before if own is None else own


def escalation(run: Run, step_id: str) -> Escalation | None:
    step = run.playbook.step(step_id)
    return (step.escalate if step else None) or run.playbook.defaults.escalate


def next_look(run: Run, now: int) -> int:
    """When the run should be looked at again by itself, 0 for never."""
    moments = [step.next_at for step in run.steps if not step.status.ended and step.next_at > now]
    plan = {step.id: step for step in run.playbook.steps}
    measured = any(
        state.status is StepStatus.OPEN and isinstance(plan[state.id], WaitCondition | AutoReply) for state in run.steps
    )
    # A step that waits with everything before it done waits for a condition: hours pass, opinion moves.
    asked = any(plan[state.id].when and not state.status.ended for state in run.steps)
    if measured or asked or (run.playbook.recovery and not run.close_proposed):
        moments.append(_next_turn(run, now))
    return min(moments, default=0)


def _set(db: Database, run: Run, state: StepState, now: int, *, fresh: bool) -> None:
    if not fresh:
        cancel_step(db, run.id, state.id)
    if state.status.ended or not state.due_at or run.status is not RunStatus.RUNNING:
        return
    remind_at = state.due_at - remind_before(run, state.id)
    kind, moment = ("run_remind", remind_at) if remind_at > now else ("run_due", max(state.due_at, now))
    timers.schedule(db, kind, object_of(run.id, state.id), moment, now)


def spread(db: Database, now: int) -> int:
    """Let every run look around soon, as after a standstill or when the clock was set back: one after the other within
    ``CATCH_UP``, while people already press. Each sets its next moment then. Deadlines, reminders and escalations are
    moments that people were told: they are not moved. Returns how many runs there are."""
    return db.conn.execute(
        "UPDATE timer SET due_at = ? + id % ? WHERE kind = 'run_tick' AND state = 'waiting'", (now, CATCH_UP)
    ).rowcount


def _next_turn(run: Run, now: int) -> int:
    """The run's own second of the minute: plans that were started together do not look together for ever."""
    turn = int(run.id.partition("-")[2]) * STRIDE % LOOK_EVERY
    return now + LOOK_EVERY - (now - turn) % LOOK_EVERY


def _tick(db: Database, run: Run, now: int) -> None:
    moment = next_look(run, now) if run.status is RunStatus.RUNNING else 0
    if moment:
        timers.schedule(db, "run_tick", run.id, moment, now)
    else:
        timers.cancel(db, "run_tick", run.id)
