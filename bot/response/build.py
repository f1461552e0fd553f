"""The room put together: library, advice, runs, and what an incident's changes set going."""

from collections.abc import Callable
from pathlib import Path

from sqlite_utils import Database

from bot.config import Config
from bot.delivery.alarm import Handler
from bot.incidents import words
from bot.incidents.notices import Notices
from bot.model.card import Button, Items, Section
from bot.model.incident import SYSTEM, Incident
from bot.model.text import LANGUAGES, Text
from bot.response import run_timers
from bot.response.advice import Advice
from bot.response.cards import RunCards
from bot.response.living import Living
from bot.response.living_notices import REVIEW, LivingNotices
from bot.response.run_effects import Actions, Effects, Replies
from bot.response.run_notices import RunNotices
from bot.response.runs import Runs
from bot.response.shelf import Shelf, library_folder
from bot.response.values import Words
from bot.store import runs as store
from bot.texts import render

REASONS = 3
# Changes of an incident after which a playbook may start by itself.
MAY_START = frozenset({"opened", "raised", "graded", "reopened"})


class Panel:
    """What an incident's card says of playbooks: the one to start, or those at work."""

    def __init__(self, advice: Advice) -> None:
        self._advice = advice

    def __call__(self, db: Database, incident: Incident, language: str, now: int) -> tuple[list[Section], list[Button]]:
        rows = store.of_incident(db, incident.id, open_only=True)
        if rows:
            titles = {playbook.id: playbook.title.in_language(language) for playbook in self._advice.playbooks()}
            lines = tuple(f"{row.id} {titles.get(row.playbook, row.playbook)}" for row in rows)
            return [Items(render(Text("card.runs"), language), lines)], []
        best = self._advice.best(db, incident, now) if incident.status.live else None
        if best is None:
            return [], []
        playbook, match = best
        title = playbook.title.in_language(language)
        reasons = tuple(render(reason, language) for reason in match.leading(REASONS))
        section = Items(render(Text("card.recommended", {"title": title}), language), reasons)
        label = render(Text("button.start_run", {"title": title}), language)
        return [section], [Button(label, f"start {playbook.id} {incident.id}")]


class Response:
    """``panel`` goes into the incident cards, which the notices need; ``connect`` does the rest."""

    def __init__(self, config: Config, beside: Path | None = None) -> None:
        self._config = config
        self.shelf = Shelf(library_folder(config.playbooks.library, beside))
        self.advice = Advice(config, self.shelf)
        self.panel = Panel(self.advice)
        self.living = Living(config, self.shelf)
        self.living_notices = LivingNotices(config, self.living)
        self._followers: list[Callable[[Database, Incident, str, int], None]] = []

    def connect(self, notices: Notices, actions: Actions | None = None, replies: Replies | None = None) -> Runs:
        cards = RunCards(self._config)
        said = RunNotices(self._config, notices, cards)
        self.effects = Effects(self._config, said, actions, replies)
        self.runs = Runs(self._config, self.shelf.library, cards, said, self.effects)
        return self.runs

    def also(self, *followers: Callable[[Database, Incident, str, int], None]) -> None:
        """``followers`` hear of every change of an incident after the runs have."""
        self._followers.extend(followers)

    def incident_changed(self, db: Database, incident: Incident, what: str, now: int) -> None:
        """Runs follow their incident; a playbook that says so begins by itself, once."""
        self.runs.incident_changed(db, incident, what, now)
        for follower in self._followers:
            follower(db, incident, what, now)
        if what not in MAY_START or incident.status.ended:
            return
        found = self.advice.automatic(db, incident, now)
        if found is None:
            return
        playbook, match = found
        if any(row.playbook == playbook.id for row in store.of_incident(db, incident.id)):
            return  # it runs, or somebody stopped it: that is not for a machine to undo
        why = Text("run.auto_reason", {"grade": words.grade(incident.grade), "reasons": list(match.leading(REASONS))})
        reason = Words.model_validate({language: render(why, language) for language in LANGUAGES})
        self.runs.start(db, playbook, incident, SYSTEM, now, reason=reason, automatic=True)

    def begin(self, db: Database, now: int, *others: Callable[[Database, int], None]) -> None:
        """At the start of a process: know which playbooks are in force, and see that somebody reviews them; then what
        ``others`` begin with."""
        self.shelf.follow(db)
        self.living_notices.begin(db, now)
        for other in others:
            other(db, now)

    def warm_up(self) -> None:
        """Read and compare the playbooks before an alert asks for them; a second of a processor, in a thread of its
        own."""
        self.advice.prepare()

    def resume(self, db: Database, now: int) -> None:
        """When a worker begins to work, or its clock was set back: every run looks around, one after the other."""
        run_timers.spread(db, now)

    def timers(self) -> dict[str, Handler]:
        """The kinds of timers this room handles."""
        return {
            "run_remind": self.runs.remind,
            "run_due": self.runs.due,
            "run_escalate": self.runs.escalate,
            "run_tick": self.runs.tick,
            REVIEW: self.living_notices.review,
        }
