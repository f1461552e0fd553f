"""The retrospective of an incident: made when it is closed, told to its people, renewed a day later."""

from sqlite_utils import Database

from bot.clock import DAY
from bot.config import Config
from bot.delivery import outbox, timers
from bot.delivery.alarm import Handler
from bot.delivery.timers import Timer
from bot.incidents.notices import Notices, object_of
from bot.learning import actions as action_items
from bot.learning import survey as survey_room
from bot.learning.actions import Actions
from bot.learning.improvements import proposals
from bot.learning.retro_cards import retro_card
from bot.learning.retro_picture import RETRO
from bot.learning.retrospect import Retrospect, Similar, freeze, retrospect, same_type
from bot.learning.survey import Survey
from bot.model.incident import Actor, Incident, Status
from bot.model.message import Attachment, Message
from bot.model.text import Text, UserError
from bot.store import audit
from bot.store import incidents as incident_store
from bot.store import retrospectives as store
from bot.store.retrospectives import Impact

MAKE = "retro_make"
IMPACTS = ("reputation", "share", "churn", "finance", "media", "other")
LONGEST = 200


class Retrospectives:
    """``similar`` gives earlier incidents to compare with; without one those of the same kind of crisis."""

    def __init__(self, config: Config, notices: Notices, similar: Similar = same_type) -> None:
        self._config = config
        self._notices = notices
        self._similar = similar
        self.survey = Survey(config)
        self.actions = Actions(config, notices)

    def look(self, db: Database, incident: Incident, now: int) -> Retrospect:
        """The retrospective as it stands: a draft while the incident is not over."""
        return retrospect(db, self._config, incident, now, self._similar)

    def incident_changed(self, db: Database, incident: Incident, what: str, now: int) -> None:
        if what == "closed":
            timers.schedule(db, MAKE, incident.id, now, now)
        elif what == "reopened":
            for kind in (MAKE, survey_room.REMIND, survey_room.END):
                timers.cancel(db, kind, incident.id)

    def make(self, db: Database, timer: Timer, now: int) -> None:
        """Freeze the record, propose what it says should change; the first time also ask and tell. A day later once
        more: what came after the end belongs to it."""
        incident = incident_store.get(db, timer.object)
        if incident is None or incident.status is not Status.CLOSED:
            return
        frozen = freeze(db, self._config, incident, now)
        answers = store.answers(db, incident.id)
        language = self._config.language
        self.actions.propose(db, incident, proposals(frozen.moments, frozen.gaps, answers, language), now)
        if timer.payload.get("again"):
            return
        timers.schedule(db, MAKE, incident.id, now + DAY, now, {"again": True})
        self.survey.ask(db, incident, now)
        self._tell(db, incident, now, f"retro:{timer.id}")

    def survey_ends(self, db: Database, timer: Timer, now: int) -> None:
        """What people answered becomes proposals, and the card says so."""
        incident = incident_store.get(db, timer.object)
        if incident is None or incident.status is not Status.CLOSED:
            return
        found = self.look(db, incident, now)
        said = proposals(found.moments, found.gaps, found.answers, self._config.language)
        self.actions.propose(db, incident, said, now)
        text = Text("retro.survey_over", {"id": incident.id, "n": found.answered, "of": found.asked})
        self._notices.say(db, incident, text, now, key=f"{incident.id}:survey_end:{timer.id}", reason="retro")
        self._tell(db, incident, now, f"retro:{timer.id}")

    def impact(
        self, db: Database, incident: Incident, kind: str, measure: str, value: str, source: str, actor: Actor,
        now: int, *, before: str = "", after: str = "",
    ) -> Impact:  # fmt: skip
        """A figure of what it came to outside. Raises ``UserError`` without a measure, a figure or its source."""
        if not measure.strip() or not (value.strip() or after.strip()):
            raise UserError("error.impact_what", example=f"impact {incident.id} …")
        if not source.strip():
            raise UserError("error.impact_source")
        measure, value, before, after, source = (
            part.strip()[:LONGEST] for part in (measure, value, before, after, source)
        )
        kind = kind if kind in IMPACTS else "other"
        found = Impact(kind, measure, value, before, after, source, actor.name, now)
        store.add_impact(db, incident.id, found, actor)
        detail = {"kind": found.kind, "measure": found.measure, "value": found.value, "source": found.source}
        incident_store.note(db, incident.id, "impact", now, actor, detail)
        audit.append(db, actor, "impact_added", incident.id, now, detail)
        return found

    def _tell(self, db: Database, incident: Incident, now: int, key: str) -> None:
        found = self.look(db, incident, now)
        for place in self._notices.places(db, incident, now):
            card = retro_card(found, place.language, self._config.chat.console.public_url, self.actions.name)
            message = Message(
                place.destination, card=card, object=card.object, thread=object_of(incident), language=place.language,
                reason="retro", drill=incident.drill,
            )  # fmt: skip
            outbox.enqueue(db, message, f"{key}:{place.destination}", now, not_before=place.not_before)
            if found.moments.heard and not found.answered:  # the picture once, under the first card
                drawn = Message(
                    place.destination, thread=object_of(incident), language=place.language, reason="chart",
                    drill=incident.drill, attachment=Attachment(RETRO, {"incident": incident.id}),
                )  # fmt: skip
                picture = f"{incident.id}:retro_picture:{place.destination}"
                outbox.enqueue(db, drawn, picture, now, not_before=place.not_before)

    def timers(self) -> dict[str, Handler]:
        return {
            MAKE: self.make, survey_room.REMIND: self.survey.remind, survey_room.END: self.survey_ends,
            action_items.REMIND: self.actions.remind,
        }  # fmt: skip
