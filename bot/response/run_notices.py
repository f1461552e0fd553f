"""What a run says, and to whom: its card in the incident's thread, sentences below it, calls to single people."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from sqlite_utils import Database

from bot.config import Config, PersonConfig
from bot.delivery import outbox
from bot.incidents import people
from bot.incidents.notices import Notices, drill_destinations, live_destinations, object_of
from bot.model.card import Button, Card, Paragraph
from bot.model.incident import Incident
from bot.model.message import Message
from bot.model.text import Text
from bot.response.cards import RunCards
from bot.response.run_state import Run
from bot.response.steps import Notify, Survey
from bot.texts import render

# A sentence by language: steps have titles of their own in each.
Say = Callable[[str], str]
PERSONAL_CHATS = ("slack", "wecom")


class RunNotices:
    """Every method enqueues inside the transaction of the change it tells of."""

    def __init__(self, config: Config, notices: Notices, cards: RunCards) -> None:
        self._config = config
        self._notices = notices
        self._cards = cards

    def show(self, db: Database, run: Run, incident: Incident, now: int, *, reason: str = "") -> None:
        """Bring the run's card up to date wherever the incident's card stands."""
        made: dict[str, Card] = {}
        for place in self._notices.places(db, incident, now):
            card = made.get(place.language) or self._cards(db, run, incident, place.language, now)
            made[place.language] = card
            message = Message(
                place.destination, card=card, object=run.object, thread=object_of(incident), language=place.language,
                reason=reason, drill=run.drill,
            )  # fmt: skip
            outbox.enqueue(db, message, f"{run.id}:v{run.version}:{place.destination}", now, place.not_before)

    def show_incident(self, db: Database, run: Run, incident: Incident, now: int) -> None:
        """The incident's card names its runs and stops offering to start one."""
        self._notices.show(db, incident, now, edition=f":{run.id}.{run.version}")

    def say(
        self, db: Database, run: Run, incident: Incident, text: Say, now: int, *, key: str, reason: str,
        call: Iterable[str] = (),
    ) -> None:  # fmt: skip
        """A sentence in the incident's thread, once per ``key``; the people called are mentioned there, and in WeCom,
        which has no threads, each is written to."""
        called = self._persons(call)
        for place in self._notices.places(db, incident, now):
            chat = place.destination.partition(":")[0]
            if chat == "wecom" and not place.destination.startswith(("wecom:robot/", "wecom:group/")):
                continue
            accounts = tuple(filter(None, (people.account(person, chat) for person in called)))
            message = Message(
                place.destination, text=text(place.language), thread=object_of(incident), mentions=accounts,
                language=place.language, reason=reason, drill=run.drill,
            )  # fmt: skip
            outbox.enqueue(db, message, f"{key}:{place.destination}", now, place.not_before)
        for person in called:
            self._write(
                db,
                run,
                person,
                self._plain(run, text(self._language(person)), self._language(person)),
                now,
                key,
                reason,
                ("wecom",),
            )

    def call(
        self, db: Database, run: Run, card_of: dict[str, Card], persons: Iterable[str], now: int, *, key: str,
        reason: str, also: Iterable[str] = (),
    ) -> None:  # fmt: skip
        """One card to each person in every chat they have; ``card_of`` by language."""
        for person in self._persons(persons):
            chats = (*PERSONAL_CHATS, *also)
            self._write(db, run, person, card_of[self._language(person)], now, key, reason, chats)

    def notify(self, db: Database, run: Run, incident: Incident, step: Notify | Survey, now: int) -> None:
        """Deliver what a notify or survey step says to its people and channels. In a drill it stands in the drill's
        channel and names who would have got it."""
        state = run.step(step.id)
        key = f"{run.id}:{step.id}:{state.rounds}"
        cards = {language: self._notice(run, incident, step, language) for language in ("zh-CN", "en")}
        persons = dict.fromkeys(person for name in step.to for person in run.team.get(name, ()))
        if run.drill:
            names = [person.name for person in self._persons(persons)] + [
                name for name in step.to if name in self._config.channels
            ]
            for place in self._notices.places(db, incident, now):
                would = render(Text("run.drill_to", {"names": names or ["—"]}), place.language)
                card = replace(cards[place.language], footer=would)
                message = Message(
                    place.destination, card=card, thread=object_of(incident), language=place.language,
                    reason="run_notice", drill=run.drill,
                )  # fmt: skip
                outbox.enqueue(db, message, f"{key}:{place.destination}", now, place.not_before)
            return
        also = step.also if isinstance(step, Notify) else ()
        self.call(db, run, cards, persons, now, key=key, reason="run_notice", also=also)
        for name in step.to:
            if name in self._config.channels:
                language = self._config.channel_language(name)
                for destination in live_destinations(self._config.channels[name]):
                    message = Message(destination, card=cards[language], language=language, reason="run_notice")
                    outbox.enqueue(db, message, f"{key}:{destination}", now)

    def _notice(self, run: Run, incident: Incident, step: Notify | Survey, language: str) -> Card:
        state = run.step(step.id)
        words = step.message if isinstance(step, Notify) else step.detail or step.title
        address = f"{run.id}.{state.number}"
        buttons: tuple[Button, ...] = ()
        if isinstance(step, Survey):
            label = render(Text("button.step_answer", {"n": state.number}), language)
            buttons = (Button(label, f"answer {address}", "primary", form="step-answer"),)
        elif step.acknowledge:
            buttons = (Button(render(Text("button.received"), language), f"received {address}", "primary"),)
        title = Text("run.notice_title", {"title": step.title.in_language(language), "incident": incident.id})
        return Card(
            render(title, language), grade=run.grade, sections=(Paragraph(words.in_language(language)),),
            buttons=buttons, drill=render(Text("card.drill", {"drill": run.drill}), language) if run.drill else "",
        )  # fmt: skip

    def _plain(self, run: Run, title: str, language: str) -> Card:
        return Card(title, drill=render(Text("card.drill", {"drill": run.drill}), language) if run.drill else "")

    def _write(
        self, db: Database, run: Run, person: PersonConfig, card: Card, now: int, key: str, reason: str,
        chats: Iterable[str],
    ) -> None:  # fmt: skip
        """A direct message, never out of a drill to anybody but the drill's own receivers."""
        allowed = drill_destinations(self._config)
        for chat in chats:
            address = people.account(person, chat)
            destination = f"{chat}:{address}"
            if not address or getattr(self._config.chat, chat) is None or (run.drill and destination not in allowed):
                continue
            message = Message(
                destination, card=card, language=self._language(person), reason=reason, drill=run.drill
            )  # fmt: skip
            outbox.enqueue(db, message, f"{key}:{destination}", now)

    def _persons(self, ids: Iterable[str]) -> list[PersonConfig]:
        return [person for person in map(self._config.person, dict.fromkeys(ids)) if person is not None]

    def _language(self, person: PersonConfig) -> str:
        return person.language or self._config.language
