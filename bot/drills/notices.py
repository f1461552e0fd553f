"""What a drill says, in its own channel and nowhere else: injects for everybody, hints for the facilitator alone."""

from sqlite_utils import Database

from bot.config import Config
from bot.delivery import outbox
from bot.drills.report import picture_of
from bot.drills.schema import Inject, Posts, Scenario, Unreachable
from bot.drills.scorecard import Report, card
from bot.incidents.notices import DRILL_CHANNEL, drill_destinations, live_destinations
from bot.incidents.words import role
from bot.model.card import Card, Facts, Paragraph
from bot.model.message import Attachment, Message
from bot.model.text import Text
from bot.reports.score_scene import SCORE
from bot.response.values import Words, show_duration
from bot.store.drill_plans import DrillPlan
from bot.store.drills import Drill
from bot.texts import render


class DrillNotices:
    def __init__(self, config: Config) -> None:
        self._config = config
        self._language = config.channel_language(DRILL_CHANNEL) if DRILL_CHANNEL in config.channels else config.language

    def started(self, db: Database, drill: Drill, scenario: Scenario, now: int) -> None:
        """Tell the channel, unless it is to be a surprise; tell the facilitator what is coming."""
        title = self._in(scenario.title)
        self.private(db, drill, Text("drill.facilitator", {"id": drill.id, "title": title}), "go", now)
        if drill.surprise:
            return
        rows = (
            (self._say("drill.label_length"), show_duration(scenario.duration)),
            (self._say("drill.label_speed"), f"{drill.speed:g}"),
            (self._say("drill.label_facilitator"), drill.facilitator_name),
        )
        title = self._say("drill.started", id=drill.id, title=self._in(scenario.title))
        body = (Paragraph(self._in(scenario.brief)), Facts(rows))
        self._post(db, drill, Card(title, sections=body, drill=self._mark(drill)), "started", now)

    def changed(self, db: Database, drill: Drill, scenario: Scenario, kind: str, now: int) -> None:
        """Paused, resumed, skipped, ended."""
        title = self._say(f"drill.{kind}", id=drill.id, title=self._in(scenario.title))
        self._post(db, drill, Card(title, drill=self._mark(drill)), f"{kind}:{now}", now)

    def scorecard(self, db: Database, drill: Drill, found: Report, now: int) -> None:
        self._post(db, drill, card(found, self._language), "score", now)
        shown = Attachment(SCORE, picture_of(found, self._language))
        said = f"{self._mark(drill)} {self._say('score.picture')}"
        for destination in self._destinations():
            message = Message(
                destination, text=said, attachment=shown, language=self._language, reason="drill", drill=drill.id
            )
            outbox.enqueue(db, message, f"{drill.id}:score-picture:{destination}", now)

    def inject(self, db: Database, drill: Drill, index: int, event: Inject, now: int) -> None:
        """A call, a letter, a question, a status, somebody out of reach. Posts speak for themselves."""
        if event.hint is not None:
            self.hint(db, drill, event.hint, f"hint:{index}", now)
        if isinstance(event, Posts):
            return
        if isinstance(event, Unreachable):
            title = self._say("drill.inject_unreachable", role=role(event.role))
        else:
            title = self._say(f"drill.inject_{event.kind}", sender=self._in(event.sender))
        shown = Card(title, sections=(Paragraph(self._in(event.text)),), drill=self._mark(drill))
        self._post(db, drill, shown, f"inject:{index}", now)

    def hint(self, db: Database, drill: Drill, words: Words, key: str, now: int) -> None:
        self.private(db, drill, Text("drill.hint", {"id": drill.id, "text": self._in(words)}), key, now)

    def manual(self, db: Database, drill: Drill, kind: str, sender: str, text: str, now: int) -> None:
        """An inject by hand looks like any other: the team must not tell them apart."""
        params: dict[str, object] = {"role": sender} if kind == "unreachable" else {"sender": sender}
        body = (Paragraph(text),) if text else ()
        shown = Card(self._say(f"drill.inject_{kind}", **params), sections=body, drill=self._mark(drill))
        self._post(db, drill, shown, f"manual:{now}", now)

    def plan(self, db: Database, plan: DrillPlan, text: Text, key: str, now: int) -> None:
        """What is to come: for the facilitator always, for the channel unless it is to be a surprise. It leaves under
        the plan's id as a drill's, so that it can reach nothing but the drill channel."""
        self._private(db, plan.id, plan.chat, plan.account, text, key, now)
        if plan.surprise:
            return
        said = Card(render(text, self._language), drill=self._say("card.drill", drill=plan.id))
        for destination in self._destinations():
            message = Message(destination, card=said, language=self._language, reason="drill", drill=plan.id)
            outbox.enqueue(db, message, f"{key}:{destination}", now)

    def private(self, db: Database, drill: Drill, text: Text, key: str, now: int) -> None:
        self._private(db, drill.id, drill.chat, drill.account, text, f"{drill.id}:{key}:private", now)

    def _private(self, db: Database, drill: str, chat: str, account: str, text: Text, key: str, now: int) -> None:
        """For one person's eyes: in the drill channel where their chat can do that; in WeCom, whose groups cannot, one
        to one, where the drill channel lists them."""
        alone = f"wecom:{account}"
        if account and chat == "wecom" and alone in drill_destinations(self._config):
            places, audience = [alone], ""
        elif account and chat in ("slack", "console"):
            places, audience = [name for name in self._destinations() if name.startswith(f"{chat}:")], account
        else:
            return
        for destination in places:
            message = Message(
                destination, text=render(text, self._language), audience=audience, language=self._language,
                reason="answer", drill=drill,
            )  # fmt: skip
            outbox.enqueue(db, message, key, now)

    def _post(self, db: Database, drill: Drill, card: Card, key: str, now: int) -> None:
        for destination in self._destinations():
            message = Message(destination, card=card, language=self._language, reason="drill", drill=drill.id)
            outbox.enqueue(db, message, f"{drill.id}:{key}:{destination}", now)

    def _destinations(self) -> list[str]:
        allowed = drill_destinations(self._config)
        return [name for name in live_destinations(self._config.channels[DRILL_CHANNEL]) if name in allowed]

    def _mark(self, drill: Drill) -> str:
        return self._say("card.drill", drill=drill.id)

    def _in(self, words: Words) -> str:
        return words.in_language(self._language)

    def _say(self, key: str, **params: object) -> str:
        return render(Text(key, params), self._language)
