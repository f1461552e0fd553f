"""Drills on a date: told before, begun by a timer, put off while a real crisis is on."""

from collections.abc import Callable
from dataclasses import replace

from sqlite_utils import Database

from bot.clock import HOUR
from bot.delivery import timers
from bot.delivery.timers import Timer
from bot.drills.notices import DrillNotices
from bot.drills.service import Drills
from bot.incidents import words
from bot.model.grade import Grade
from bot.model.incident import Actor
from bot.model.text import Text, UserError
from bot.store import audit
from bot.store import drill_plans as store
from bot.store import incidents as incident_store
from bot.store.drill_plans import DrillPlan

BEGINS, TELLS = "drill_plan", "drill_plan_told"
DAY = 24 * HOUR
PUT_OFF = HOUR
LONGEST = 366 * DAY


def real_crises(db: Database) -> list[str]:
    """Live incidents of the real world, orange and red: no drill begins beside them."""
    return [item.id for item in incident_store.live(db) if not item.drill and item.grade >= Grade.ORANGE]


def require_calm(db: Database, anyway: bool, now_word: str) -> None:
    """Raises ``UserError`` while a real crisis is on and ``anyway`` was not said."""
    if not anyway and (crises := real_crises(db)):
        raise UserError("error.drill_real_crisis", ids=crises, word=now_word)


class DrillPlans:
    def __init__(self, drills: Drills, notices: DrillNotices) -> None:
        self._drills = drills
        self._notices = notices

    def timers(self) -> dict[str, Callable[[Database, Timer, int], None]]:
        return {BEGINS: self._begin, TELLS: self._remind}

    def plan(
        self, db: Database, name: str, starts_at: int, actor: Actor, now: int, *, speed: float, surprise: bool,
        subject: str,
    ) -> DrillPlan:  # fmt: skip
        """Set a drill on a date. What would keep it from starting is said now, not then."""
        if not now < starts_at <= now + LONGEST:
            raise UserError("error.drill_when", example="drill schedule withdrawal-failure 2026-12-01 10:00")
        self._drills.check(name, speed, subject)
        plan = DrillPlan(
            store.next_id(db), name, speed, surprise, subject, starts_at, "waiting", actor.person, actor.name,
            actor.chat, actor.account,
        )  # fmt: skip
        store.insert(db, plan, now)
        audit.append(db, actor, "drill.schedule", plan.id, now, {"scenario": name, "at": starts_at})
        self._set(db, plan, now)
        self._tell(db, plan, "planned", now)
        return plan

    def cancel(self, db: Database, plan_id: str, actor: Actor, now: int) -> DrillPlan:
        plan = store.get(db, plan_id)
        if plan is None or plan.state != "waiting":
            raise UserError("error.no_drill_plan", id=plan_id, known=[item.id for item in store.waiting(db)] or ["—"])
        for kind, object_ in ((BEGINS, plan.id), (TELLS, f"{plan.id}:day"), (TELLS, f"{plan.id}:hour")):
            timers.cancel(db, kind, object_)
        plan = replace(plan, state="cancelled")
        store.save(db, plan)
        audit.append(db, actor, "drill.unschedule", plan.id, now)
        self._tell(db, plan, "plan_cancelled", now)
        return plan

    def _begin(self, db: Database, timer: Timer, now: int) -> None:
        plan = store.get(db, timer.object)
        if plan is None or plan.state != "waiting":
            return
        if crises := real_crises(db):
            plan = replace(plan, starts_at=now + PUT_OFF)
            store.save(db, plan)
            timers.schedule(db, BEGINS, plan.id, plan.starts_at, now)
            self._tell(db, plan, "plan_put_off", now, ids=crises)
            return
        actor = Actor(plan.person, plan.name, plan.chat, account=plan.account)
        try:
            drill = self._drills.start(
                db, plan.scenario, actor, now, speed=plan.speed, surprise=plan.surprise, subject=plan.subject
            )
        except UserError as error:
            # A scenario or subject that has gone since: said, rather than tried for ever.
            store.save(db, replace(plan, state="cancelled"))
            self._tell(db, plan, "plan_failed", now, why=error.text)
            return
        store.save(db, replace(plan, state="begun", drill=drill.id))

    def _remind(self, db: Database, timer: Timer, now: int) -> None:
        plan_id, _, which = timer.object.partition(":")
        plan = store.get(db, plan_id)
        if plan is not None and plan.state == "waiting":
            self._tell(db, plan, f"plan_{which}", now)

    @staticmethod
    def _set(db: Database, plan: DrillPlan, now: int) -> None:
        timers.schedule(db, BEGINS, plan.id, plan.starts_at, now)
        for which, before in (("day", DAY), ("hour", HOUR)):
            if plan.starts_at - before > now:
                timers.schedule(db, TELLS, f"{plan.id}:{which}", plan.starts_at - before, now)

    def _tell(self, db: Database, plan: DrillPlan, kind: str, now: int, **params: object) -> None:
        said = Text(
            f"drill.{kind}",
            {"id": plan.id, "scenario": plan.scenario, "at": words.clock_time(plan.starts_at), **params},
        )
        self._notices.plan(db, plan, said, f"{plan.id}:{kind}:{plan.starts_at}", now)
