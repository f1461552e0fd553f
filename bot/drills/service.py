"""Drills at work: start, pause, resume, skip, stop, and what is due now. Every method is one step of the record."""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from sqlite_utils import Database

from bot.config import Config, SubjectConfig
from bot.delivery import timers
from bot.delivery.timers import Timer
from bot.drills.notices import DrillNotices
from bot.drills.posts import DrillPost, all_posts
from bot.drills.record import deeds, incidents_of
from bot.drills.schema import Done, Scenario
from bot.drills.scorecard import report
from bot.incidents.notices import DRILL_CHANNEL
from bot.incidents.service import Incidents
from bot.model.incident import SYSTEM, Actor
from bot.model.intake import iso
from bot.model.text import UserError
from bot.store import audit
from bot.store import drills as store
from bot.store.drills import Drill

SOURCE = "drill"
TIMER = "drill"
AT_ONCE = 500  # posts of one transaction
STEP = 30_000  # the drill's own milliseconds between two looks at least: posts come as bunched as from a poll
SLOWEST, FASTEST = 0.1, 600.0
# ``(db, items, source, drill, now)``
TakeIn = Callable[[Database, list[dict[str, Any]], str, str, int], None]


class Drills:
    def __init__(
        self,
        config: Config,
        incidents: Incidents,
        scenarios: Callable[[], Mapping[str, Scenario]],
        take_in: TakeIn,
    ) -> None:
        self._config = config
        self._incidents = incidents
        self._scenarios = scenarios
        self._take_in = take_in
        self._notices = DrillNotices(config)

    def timers(self) -> dict[str, Callable[[Database, Timer, int], None]]:
        return {TIMER: lambda db, timer, now: self.play(db, timer.object, now)}

    def scenarios(self) -> Mapping[str, Scenario]:
        return self._scenarios()

    # -- what the facilitator does

    def start(
        self, db: Database, name: str, actor: Actor, now: int, *, speed: float = 1.0, surprise: bool = False,
        subject: str = "",
    ) -> Drill:  # fmt: skip
        """Begin a drill. Its posts speak of a subject of yours (``subject``, else the own one whose industry fits), so
        that the watch, the people and the plans are the real ones."""
        scenario, about = self.check(name, speed, subject)
        drill = Drill(
            id=store.next_id(db), scenario=scenario.id, version=scenario.version, body=scenario.frozen(),
            subject=about.id, company=about.match.any[0] if about.match.any else about.name, speed=speed,
            state="running", surprise=surprise, position=0, clock_at=now, facilitator=actor.person,
            facilitator_name=actor.name, chat=actor.chat, account=actor.account, started_at=now,
        )  # fmt: skip
        store.insert(db, drill)
        self._record(db, drill, "started", actor, now, {"scenario": scenario.id, "speed": speed, "surprise": surprise})
        audit.append(db, actor, "drill.start", drill.id, now, {"scenario": scenario.id})
        self._notices.started(db, drill, scenario, now)
        timers.schedule(db, TIMER, drill.id, now, now)
        return drill

    def check(self, name: str, speed: float, subject: str) -> tuple[Scenario, SubjectConfig]:
        """What a drill would be of and about. Raises ``UserError`` for whatever would keep it from starting."""
        scenario = self._scenarios().get(name)
        if scenario is None:
            raise UserError("error.no_such_scenario", name=name or "—", known=sorted(self._scenarios()) or ["—"])
        if DRILL_CHANNEL not in self._config.channels:
            raise UserError("error.no_drill_channel")
        if not SLOWEST <= speed <= FASTEST:
            raise UserError("error.drill_speed", low=SLOWEST, high=int(FASTEST))
        return scenario, self._subject(scenario, subject)

    def pause(self, db: Database, drill: Drill, actor: Actor, now: int) -> Drill:
        """Stop the drill's own time. What is under way in the flow stays as it is."""
        if drill.state != "running":
            raise UserError("error.drill_not_running", id=drill.id)
        self.play(db, drill.id, now)  # what is due up to now still comes
        drill = self.get(db, drill.id)
        if drill.state != "running":
            raise UserError("error.drill_ended", id=drill.id)
        timers.cancel(db, TIMER, drill.id)
        drill = self._save(db, replace(drill, state="paused", clock_at=now))
        return self._told(db, drill, "paused", actor, now)

    def resume(self, db: Database, drill: Drill, actor: Actor, now: int) -> Drill:
        if drill.state != "paused":
            raise UserError("error.drill_not_paused", id=drill.id)
        drill = self._save(db, replace(drill, state="running", clock_at=now))
        timers.schedule(db, TIMER, drill.id, now, now)
        return self._told(db, drill, "resumed", actor, now)

    def skip(self, db: Database, drill: Drill, actor: Actor, now: int) -> Drill:
        """Go on to the next thing of the timeline. Posts that lie between are left out."""
        if drill.state != "running":
            raise UserError("error.drill_not_running", id=drill.id)
        scenario = _scenario(drill.body)
        reached = drill.reached(now)
        following = min((event.at for event in scenario.timeline if event.at > reached), default=scenario.duration)
        self.play(db, drill.id, now)
        drill = self._save(db, replace(self.get(db, drill.id), position=following, clock_at=now))
        timers.schedule(db, TIMER, drill.id, now, now)
        return self._told(db, drill, "skipped", actor, now)

    def stop(self, db: Database, drill: Drill, actor: Actor, now: int) -> Drill:
        """End the drill: its incidents are closed, nothing more comes."""
        if drill.state == "ended":
            raise UserError("error.drill_ended", id=drill.id)
        timers.cancel(db, TIMER, drill.id)
        position = drill.reached(now)
        drill = self._save(db, replace(drill, state="ended", position=position, clock_at=now, ended_at=now))
        self._record(db, drill, "ended", actor, now)
        self._notices.scorecard(db, drill, report(db, drill, self.roles()), now)
        for incident in incidents_of(db, drill.id):
            if not incident.status.ended:
                self._incidents.close(db, incident, drill.id, SYSTEM, now)
        if actor.person:
            audit.append(db, actor, "drill.stop", drill.id, now)
        self._notices.changed(db, drill, _scenario(drill.body), "ended", now)
        return drill

    def ask(self, db: Database, drill: Drill, question: str, actor: Actor, now: int) -> list[str]:
        """What the facilitator may tell to a question: ids of facts, noted down as asked for."""
        if drill.state == "ended":
            raise UserError("error.drill_ended", id=drill.id)
        reached, folded = drill.reached(now), question.casefold()
        known = [
            fact.id
            for fact in _scenario(drill.body).facts
            if fact.after <= reached and any(word.casefold() in folded for word in fact.ask)
        ]
        self._record(db, drill, "asked", actor, now, {"question": question[:200], "facts": known})
        return known

    def roles(self) -> Mapping[str, Sequence[str]]:
        """What the configured people may act as: whose roles a score counts as filled."""
        return {person.id: person.roles for person in self._config.people}

    def get(self, db: Database, drill_id: str) -> Drill:
        """The drill of that id, or of that incident; without one the only live one."""
        if drill_id:
            found = store.get(db, drill_id)
            if found is None:
                raise UserError("error.no_such_drill", id=drill_id)
            return found
        live = store.live(db)
        if len(live) != 1:
            raise UserError("error.which_drill" if live else "error.no_drill", ids=[item.id for item in live] or ["—"])
        return live[0]

    # -- what time does

    def play(self, db: Database, drill_id: str, now: int) -> None:
        """Let happen what is due. The new position, the posts and the messages are one transaction with the timer."""
        drill = store.get(db, drill_id)
        if drill is None or drill.state != "running":
            return
        scenario = _scenario(drill.body)
        target = min(drill.reached(now), scenario.duration)
        self._injects(db, drill, scenario, target, now)
        came = {event.detail["inject"] for event in store.events(db, drill.id) if event.kind == "inject"}
        posts = _posts(drill.body, drill.company)
        first, last = (bisect_left(posts, at, key=_offset) for at in (drill.position, target))
        due = [post for post in posts[first:last] if post.inject in came]
        if len(due) > AT_ONCE:
            target = max(due[AT_ONCE].offset, due[0].offset + 1)  # the rest is the next timer's, a moment later
            due = [post for post in due if post.offset < target]
        share = self._share(db, drill, scenario, target, now)
        written = [self._item(drill, post, now) for post in due if post.rank < share]
        if written:
            self._take_in(db, written, SOURCE, drill.id, now)
        behind = round((drill.reached(now) - target) / drill.speed)
        drill = self._save(db, replace(drill, position=max(target, drill.position), clock_at=now - max(0, behind)))
        if target >= scenario.duration:
            self.stop(db, drill, SYSTEM, now)
            return
        ahead = bisect_left(posts, target, key=_offset)
        moments = [post.offset + 1 for post in posts[ahead : ahead + 1]]
        moments += [event.at for event in scenario.timeline if event.at > target]
        following = max(min(moments, default=scenario.duration), target + STEP)
        wait = (min(following, scenario.duration) - drill.reached(now)) / drill.speed
        timers.schedule(db, TIMER, drill.id, now + max(1, round(wait + 0.5)), now)

    def _injects(self, db: Database, drill: Drill, scenario: Scenario, target: int, now: int) -> None:
        settled = {event.detail.get("inject") for event in store.events(db, drill.id)}
        done: Mapping[Done, object] | None = None
        for index, event in enumerate(scenario.timeline):
            if event.at > target or event.at < drill.position or index in settled:
                continue
            done = deeds(db, drill, scenario) if done is None else done
            wanted = (event.unless is None or event.unless not in done) and (event.when is None or event.when in done)
            self._record(db, drill, "inject" if wanted else "withheld", SYSTEM, now, {"inject": index})
            if wanted:
                self._notices.inject(db, drill, index, event, now)

    def _share(self, db: Database, drill: Drill, scenario: Scenario, target: int, now: int) -> float:
        """The part of the posts that is still written after what the team did, the calmest rule counting."""
        if not scenario.reactions:
            return 1.0
        done = deeds(db, drill, scenario)
        seen = {event.detail["once"] for event in store.events(db, drill.id) if event.kind == "reaction"}
        share = 1.0
        for reaction in scenario.reactions:
            if reaction.once in done:
                share = min(share, reaction.scale)
                if reaction.once not in seen:
                    self._record(db, drill, "reaction", SYSTEM, now, {"once": reaction.once})
                    self._notices.hint(db, drill, reaction.note, f"reaction:{reaction.once}", now)
        return share

    @staticmethod
    def _item(drill: Drill, post: DrillPost, now: int) -> dict[str, Any]:
        at = drill.clock_at + round((post.offset - drill.position) / drill.speed)
        return {
            "id": f"{drill.id}-{post.inject}-{post.number}", "platform": post.platform, "source": SOURCE,
            "text": post.text, "published_at": iso(min(at, now)), "kind": "post",
            "author": {
                "id": f"{drill.id}-{post.author}", "name": "", "followers": post.followers, "verified": post.verified,
            },
            "engagement": {"likes": post.likes, "reposts": post.reposts},
        }  # fmt: skip

    def _subject(self, scenario: Scenario, wanted: str) -> SubjectConfig:
        own = [item for item in self._config.subjects if item.kind == "own"]
        if wanted:
            own = [item for item in own if wanted in (item.id, item.name)]
        fitting = [item for item in own if item.industry in scenario.industries]
        if not own:
            known = [item.id for item in self._config.subjects if item.kind == "own"]
            raise UserError("error.no_drill_subject", name=wanted or "—", known=known or ["—"])
        return (fitting or own)[0]

    def _told(self, db: Database, drill: Drill, kind: str, actor: Actor, now: int) -> Drill:
        self._record(db, drill, kind, actor, now)
        self._notices.changed(db, drill, _scenario(drill.body), kind, now)
        return drill

    @staticmethod
    def _record(
        db: Database, drill: Drill, kind: str, actor: Actor, now: int, detail: dict[str, Any] | None = None
    ) -> None:
        store.record(db, drill.id, kind, actor, now, drill.reached(now), detail)

    @staticmethod
    def _save(db: Database, drill: Drill) -> Drill:
        store.save(db, drill)
        return drill


def _offset(post: DrillPost) -> int:
    return post.offset


@lru_cache(maxsize=8)
def _scenario(body: str) -> Scenario:
    return Scenario.thaw(body)


@lru_cache(maxsize=8)
def _posts(body: str, company: str) -> tuple[DrillPost, ...]:
    """All posts of a frozen scenario in order of time: made up again after a restart, and the same."""
    scenario = _scenario(body)
    return tuple(sorted(all_posts(scenario, company), key=lambda post: (post.offset, post.inject, post.number)))
