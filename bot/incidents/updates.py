"""Status updates on a cadence: whoever has an incident says how it stands; if they do not, they are asked.

By grade (``grading.update_asked``). The question is a timer row; a second one that nobody answers goes to the managers
too. An update stands on the timeline, in the thread of every channel the incident belongs to, and at the managers.
"""

from sqlite_utils import Database

from bot.config import Config, PersonConfig
from bot.delivery import outbox, timers
from bot.delivery.timers import Timer
from bot.incidents import people, words
from bot.incidents.notices import Notices, drill_destinations
from bot.model.card import Button, Card
from bot.model.incident import SYSTEM, Actor, Incident
from bot.model.message import Message
from bot.model.text import Text, UserError
from bot.store import audit
from bot.store import incidents as store
from bot.texts import render

ASK = "update_ask"
MINUTE = 60_000
# How long an incident may go without a word before its owner is asked; 0: nobody is asked.
DEFAULT_CADENCE = {"blue": 0, "yellow": 240 * MINUTE, "orange": 60 * MINUTE, "red": 30 * MINUTE}
UNANSWERED = 2  # so many questions without an answer, and the managers are told too
LIMIT = 2_000


class Updates:
    def __init__(self, config: Config, notices: Notices) -> None:
        self._config = config
        self._notices = notices

    def say(self, db: Database, incident: Incident, text: str, actor: Actor, now: int) -> None:
        """Somebody tells how it stands. Raises ``UserError`` without words or after the end."""
        text = text.strip()
        if not text:
            raise UserError("error.update_what", example=f"update {incident.id} …")
        if incident.status.ended:
            raise UserError("error.ended", id=incident.id, status=Text(f"status.{incident.status.value}"))
        store.note(db, incident.id, "update", now, actor, {"text": text[:LIMIT]})
        audit.append(db, actor, "update", incident.id, now, {"text": text[:LIMIT]})
        said = Text("update.said", {"id": incident.id, "who": actor.name, "text": text[:LIMIT]})
        self._notices.say(db, incident, said, now, key=f"{incident.id}:update:{now}:{actor.person}", reason="update")
        self._schedule(db, incident, now)

    def incident_changed(self, db: Database, incident: Incident, what: str, now: int) -> None:
        """Begin to ask when somebody has it, more often when it gets worse, no longer when it is over."""
        if not incident.status.live:
            timers.cancel(db, ASK, incident.id)
        elif timers.waiting_at(db, ASK, incident.id) is None or what in ("raised", "graded", "reopened"):
            self._schedule(db, incident, now)

    def ask(self, db: Database, timer: Timer, now: int) -> None:
        """It is time, and nobody has said anything since: ask the owner, the second time the managers as well."""
        incident = store.get(db, timer.object)
        if incident is None or not incident.status.live or not self._cadence(incident):
            return
        asked = int(timer.payload.get("asked", 0)) + 1
        owner = self._config.person(incident.owner)
        called = [owner] if owner is not None else people.duty(self._config, now)
        if asked >= UNANSWERED:
            called += [person for person in people.escalation(self._config, 2, now) if person not in called]
        names = [person.name for person in called] or ["—"]
        last = store.timeline(db, incident.id, ("update",))
        since = words.duration(now - (last[-1].happened_at if last else incident.opened_at))
        text = Text("update.asked", {"id": incident.id, "people": names, "since": since})
        key = f"{incident.id}:update_ask:{timer.id}"
        self._notices.say(db, incident, text, now, key=key, reason="update")
        for person in called:
            self._write(db, incident, person, text, now, key)
        store.note(db, incident.id, "update_asked", now, SYSTEM, {"people": names})
        self._schedule(db, incident, now, asked)

    def _schedule(self, db: Database, incident: Incident, now: int, asked: int = 0) -> None:
        cadence = self._cadence(incident)
        if not cadence:
            timers.cancel(db, ASK, incident.id)
            return
        timers.schedule(db, ASK, incident.id, now + cadence, now, {"asked": asked})

    def _cadence(self, incident: Incident) -> int:
        configured = {str(name): value for name, value in self._config.grading.update_asked.items()}
        return {**DEFAULT_CADENCE, **configured}.get(incident.grade.word, 0)

    def _write(self, db: Database, incident: Incident, person: PersonConfig, text: Text, now: int, key: str) -> None:
        """One to one, with the form to answer in; out of a drill only to the drill's own receivers."""
        language = person.language or self._config.language
        label = render(Text("button.update"), language)
        drill = render(Text("card.drill", {"drill": incident.drill}), language) if incident.drill else ""
        card = Card(
            render(text, language), grade=incident.grade, drill=drill,
            buttons=(Button(label, f"update {incident.id}", "primary", form="update"),),
        )  # fmt: skip
        for chat in ("slack", "wecom"):
            destination = f"{chat}:{people.account(person, chat)}"
            if destination.endswith(":") or getattr(self._config.chat, chat) is None:
                continue
            if incident.drill and destination not in drill_destinations(self._config):
                continue
            message = Message(destination, card=card, language=language, reason="update", drill=incident.drill)
            outbox.enqueue(db, message, f"{key}:{destination}", now)
