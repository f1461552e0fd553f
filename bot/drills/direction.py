"""What a facilitator does beside the script, and what only they and observers see."""

from dataclasses import dataclass

from sqlite_utils import Database

from bot.config import Config, PersonConfig
from bot.drills import conduct
from bot.drills.notices import DrillNotices
from bot.drills.record import deeds
from bot.drills.schema import Fact, Inject, Posts, Scenario
from bot.drills.service import SOURCE, TakeIn
from bot.model.incident import Actor
from bot.model.intake import iso
from bot.model.text import UserError
from bot.store import audit
from bot.store import drills as store
from bot.store.drills import Drill

KINDS = ("call", "letter", "question", "status", "rumour", "unreachable")
MOST_MANUAL, SHOWN = 500, 6
HALF_HOUR = 1_800_000
DONE = ("acknowledged", "graded", "playbook", "drafted", "approved", "published")


@dataclass(frozen=True, slots=True)
class Manual:
    """An inject of the facilitator's own. ``count`` posts of a rumour; ``person`` out of reach for ``lasts``
    milliseconds of the drill's own time."""

    kind: str
    sender: str
    text: str
    count: int = 1
    person: str = ""
    lasts: int = HALF_HOUR


@dataclass(frozen=True, slots=True)
class View:
    """``coming`` are the next events with what they wait for; ``facts`` may be told by now."""

    drill: Drill
    scenario: Scenario
    reached: int
    coming: tuple[Inject, ...]
    done: tuple[tuple[str, str], ...]
    undone: tuple[str, ...]
    facts: tuple[Fact, ...]
    away: tuple[str, ...]
    observers: tuple[str, ...]


class Direction:
    def __init__(self, config: Config, notices: DrillNotices, take_in: TakeIn) -> None:
        self._config = config
        self._notices = notices
        self._take_in = take_in

    def inject(self, db: Database, drill: Drill, manual: Manual, actor: Actor, now: int) -> None:
        """Let something happen that the script does not have. It stands in the record and in the report."""
        if drill.state != "running":
            raise UserError("error.drill_not_running", id=drill.id)
        if manual.kind not in KINDS or not (manual.text or manual.person):
            raise UserError("error.drill_inject", example=f"drill inject {drill.id} call …|…", kinds=list(KINDS))
        detail = {
            "kind": manual.kind, "sender": manual.sender, "text": manual.text, "count": manual.count,
            "person": manual.person, "lasts": manual.lasts,
        }  # fmt: skip
        store.record(db, drill.id, "manual", actor, now, drill.reached(now), detail)
        audit.append(db, actor, "drill.inject", drill.id, now, {"kind": manual.kind})
        if manual.kind == "rumour":
            self._rumour(db, drill, manual, now)
            return
        person = self._config.person(manual.person)
        sender = person.name if person else manual.sender
        self._notices.manual(db, drill, manual.kind, sender, manual.text, now)

    def observe(self, db: Database, drill: Drill, person: PersonConfig, watching: bool, actor: Actor, now: int) -> None:
        """Let a person see what the facilitator sees, not counted in the score; or end that."""
        if person.id == drill.facilitator:
            raise UserError("error.drill_own_observer", id=drill.id)
        kind = "observer" if watching else "observer_left"
        store.record(db, drill.id, kind, actor, now, drill.reached(now), {"person": person.id})

    def view(self, db: Database, drill: Drill, actor: Actor, now: int) -> View:
        """Raises ``UserError`` for anybody but the facilitator and the observers."""
        watching = conduct.observers(db, drill)
        if not actor.person or (actor.person != drill.facilitator and actor.person not in watching):
            raise UserError("error.drill_view", id=drill.id, name=drill.facilitator_name)
        scenario, reached = Scenario.thaw(drill.body), drill.reached(now)
        done = deeds(db, drill, scenario, watching)
        return View(
            drill, scenario, reached,
            tuple(event for event in scenario.timeline if event.at > reached)[:SHOWN],
            tuple((name, found.name) for name in DONE for key, found in done.items() if key == name),
            tuple(name for name in DONE if name not in done),
            tuple(fact for fact in scenario.facts if fact.after <= reached),
            self._names(conduct.out_of_reach(db, self._config, drill, now)), self._names(watching),
        )  # fmt: skip

    def _rumour(self, db: Database, drill: Drill, manual: Manual, now: int) -> None:
        text = manual.text.replace("{company}", drill.company)
        if drill.company not in text:
            raise UserError("error.drill_rumour_company", company=drill.company)
        if not 1 <= manual.count <= MOST_MANUAL:
            raise UserError("error.drill_rumour_count", most=MOST_MANUAL)
        self._take_in(
            db,
            [
                {
                    "id": f"{drill.id}-by-hand-{now}-{number}", "platform": "weibo", "source": SOURCE, "text": text,
                    "published_at": iso(now), "kind": "post",
                    "author": {"id": f"{drill.id}-by-hand-{number}", "name": "", "followers": 200, "verified": False},
                    "engagement": {"likes": 1, "reposts": 1},
                }
                for number in range(manual.count)
            ],
            SOURCE, drill.id, now,
        )  # fmt: skip

    def _names(self, ids: frozenset[str]) -> tuple[str, ...]:
        return tuple(person.name for person in self._config.people if person.id in ids)


def is_posts(event: Inject) -> bool:
    return isinstance(event, Posts)
