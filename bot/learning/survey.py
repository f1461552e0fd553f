"""The questions after an incident: asked once, privately, of whoever took part; reminded once; over after five days.

An anonymous answer is kept without its giver and without its moment; only that the question was answered is known.
"""

from collections.abc import Mapping

from sqlite_utils import Database

from bot.clock import DAY
from bot.config import Config
from bot.delivery import timers
from bot.delivery.timers import Timer
from bot.learning import letters
from bot.model.card import Items
from bot.model.incident import Actor, Incident
from bot.model.text import Text, UserError
from bot.store import audit
from bot.store import incidents as incident_store
from bot.store import retrospectives as store
from bot.store import runs as run_store
from bot.store import statements as statement_store
from bot.texts import render

REMIND, END = "survey_remind", "survey_end"
REMIND_AFTER, END_AFTER = 2 * DAY, 5 * DAY
QUESTIONS = ("well", "held", "usable", "missing", "threshold")
MARKS = ("1", "2", "3", "4", "5")
LONGEST = 1_000
ACTED = frozenset({"acknowledged", "assigned", "graded", "status", "resolved", "closed", "note", "decision", "update"})


class Survey:
    def __init__(self, config: Config) -> None:
        self._config = config

    def involved(self, db: Database, incident: Incident) -> list[str]:
        """Configured people who took part: the owner, roles, whoever acted, drafted, voted, or had a step."""
        ids = [incident.owner, *(person for _, person in incident_store.roles(db, incident.id))]
        ids += [entry.actor for entry in incident_store.timeline(db, incident.id, ACTED)]
        for row in run_store.of_incident(db, incident.id):
            ids += [step.person for step in run_store.steps(db, row.id) if step.status in ("open", "done", "skipped")]
            ids += [event.actor for event in run_store.events(db, row.id)]
        for statement in statement_store.of_incident(db, incident.id):
            ids += [event.actor for event in statement_store.events(db, statement.id)]
        return [name for name in dict.fromkeys(ids) if name and self._config.person(name) is not None]

    def ask(self, db: Database, incident: Incident, now: int) -> int:
        """Ask everybody involved who was not asked before; returns how many were asked now."""
        fresh = [person for person in self.involved(db, incident) if store.ask(db, incident.id, person, now)]
        for person in fresh:
            self._write(db, incident, person, "retro.survey_asked", now, "survey")
        if fresh:
            timers.schedule(db, REMIND, incident.id, now + REMIND_AFTER, now)
            timers.schedule(db, END, incident.id, now + END_AFTER, now)
        return len(fresh)

    def remind(self, db: Database, timer: Timer, now: int) -> None:
        """Once, those who have said nothing."""
        incident = incident_store.get(db, timer.object)
        if incident is None or not incident.status.ended:
            return
        for person, answered in store.asked(db, incident.id).items():
            if not answered:
                self._write(db, incident, person, "retro.survey_reminded", now, f"survey_remind:{timer.id}")

    def answer(
        self, db: Database, incident: Incident, given: Mapping[str, str], actor: Actor, now: int, *, anonymous: bool
    ) -> list[str]:
        """Keep what somebody says; returns the questions answered. Raises ``UserError`` for no words, a mark that is
        none, an anonymous answer given twice, and after the end."""
        said = {name: given[name].strip()[:LONGEST] for name in QUESTIONS if given.get(name, "").strip()}
        if not said:
            raise UserError("error.retro_answer", example=f"retro answer {incident.id} …")
        if not actor.person:
            raise UserError("error.retro_stranger")
        if not incident.status.ended:
            raise UserError("error.retro_not_over", id=incident.id)
        asked = store.asked(db, incident.id)
        if asked and timers.waiting_at(db, END, incident.id) is None:
            raise UserError("error.retro_survey_over", id=incident.id)
        if "usable" in said and said["usable"] not in MARKS:
            raise UserError("error.retro_mark")
        again = set(said) & set(asked.get(actor.person, ())) - store.named(db, incident.id, actor.person)
        if again:
            raise UserError("error.retro_twice", id=incident.id)
        for question, text in said.items():
            store.answer(db, incident.id, question, text, actor, now, anonymous=anonymous)
        detail = {"questions": sorted(said), "anonymous": anonymous}
        if not anonymous:
            audit.append(db, actor, "retro_answered", incident.id, now, detail)
        return list(said)

    def _write(self, db: Database, incident: Incident, person_id: str, key: str, now: int, what: str) -> None:
        person = self._config.person(person_id)
        if person is None:
            return
        language = person.language or self._config.language
        lines = tuple(
            f"{number}. {render(Text(f'retro.question_{name}'), language)}" for number, name in enumerate(QUESTIONS, 1)
        )
        title = Text(key, {"id": incident.id})
        how = render(Text("retro.survey_how", {"example": f"retro answer {incident.id}"}), language)
        buttons = [("button.retro_answer", f"retro-answer {incident.id}", "retro-answer")]
        letters.write(
            db, self._config, incident, person, title, (Items("", lines, how),), buttons, now,
            key=f"{incident.id}:{what}:{person_id}", reason="retro",
        )  # fmt: skip
