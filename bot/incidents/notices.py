"""Who is told what about an incident, and where: cards in place, announcements in the thread, calls to people."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlite_utils import Database

from bot.config import ChannelConfig, Config, PersonConfig
from bot.delivery import outbox
from bot.incidents import people
from bot.model.card import Card
from bot.model.grade import Grade
from bot.model.incident import Incident
from bot.model.message import Attachment, Message
from bot.model.text import Text
from bot.store import incidents as store
from bot.texts import render

DRILL_CHANNEL = "drill"
LIVE_CHATS = ("slack", "wecom", "console")
CardMaker = Callable[[Database, Incident, str, int], Card]


def object_of(incident: Incident) -> str:
    """The identity under which an incident's card is placed."""
    return f"incident:{incident.id}"


def channels_of(config: Config, incident: Incident) -> list[tuple[str, ChannelConfig]]:
    """The channels an incident belongs to: its subject's, and those that no subject names (management, an overview);
    a drill's incident only to the drill channel."""
    if incident.kind == "drill":
        return [(DRILL_CHANNEL, config.channels[DRILL_CHANNEL])] if DRILL_CHANNEL in config.channels else []
    subject = next((item for item in config.subjects if item.id == incident.subject), None)
    own = subject.channel if subject else ""
    taken = {item.channel for item in config.subjects if item.channel} | {DRILL_CHANNEL}
    return [(name, channel) for name, channel in config.channels.items() if name == own or name not in taken]


def live_destinations(channel: ChannelConfig) -> Iterator[str]:
    """Where a channel's cards stand and are rewritten."""
    if channel.slack:
        yield f"slack:{channel.slack}"
    if channel.console:
        yield f"console:{channel.console}"
    if channel.wecom_robot:
        yield f"wecom:robot/{channel.wecom_robot}"
    if channel.wecom_group:
        yield f"wecom:group/{channel.wecom_group}"


def drill_destinations(config: Config) -> frozenset[str]:
    """Every destination that a drill may reach; the sender refuses all others."""
    channel = config.channels.get(DRILL_CHANNEL)
    if channel is None:
        return frozenset()
    return frozenset([*live_destinations(channel), *_members(config, channel)])


@dataclass(frozen=True, slots=True)
class Place:
    """A destination with its lane, when a message may leave for it, and its language."""

    destination: str
    not_before: int
    language: str


class Notices:
    """Enqueues what an incident says. Every method runs inside the transaction of the change it tells of."""

    def __init__(self, config: Config, card: CardMaker) -> None:
        self._config = config
        self._card = card

    def show(
        self,
        db: Database,
        incident: Incident,
        now: int,
        *,
        reason: str = "",
        announce: Text | None = None,
        call: Sequence[PersonConfig] = (),
        edition: str = "",
    ) -> None:
        """Bring the card up to date everywhere. ``reason`` (opened, raised …) with ``announce`` also says it in the
        thread and calls people; a silenced incident is rewritten where it stands and announced nowhere. ``edition``
        tells two cards of one version of the incident apart (what belongs to it has changed)."""
        silenced = store.silenced(db, subject=incident.subject, incident=incident.id, drill=incident.drill, now=now)
        for name, channel in channels_of(self._config, incident):
            language = self._config.channel_language(name)
            card = self._card(db, incident, language, now)
            placed = outbox.placements(db, object_of(incident))
            for destination in self._destinations(channel, incident):
                # A first card that is leaving right now will be there before anything enqueued behind it.
                known = destination in placed or outbox.leaving(db, object_of(incident), destination)
                if not known and (silenced or incident.grade < channel.min_grade):
                    continue
                lane = self._quiet_lane(channel, incident, now) if not known else ("", now)
                why = "" if silenced else reason  # without a reason it is rewritten where it stands, or not at all
                # Where the card is new it is its own announcement, so it calls; later the thread does.
                mentions = () if known else _accounts(call, destination)
                self._enqueue_card(db, incident, card, destination, lane, language, why, mentions, now, edition)
                if announce is not None and known and not silenced:
                    self._announce(db, incident, announce, destination, channel, call, language, reason, now)
            if reason and not silenced:
                self._write_to(db, incident, card, channel, language, reason, now)

    def say(self, db: Database, incident: Incident, text: Text, now: int, *, key: str, reason: str) -> None:
        """Say a sentence in the incident's thread everywhere, once per ``key``."""
        for name, channel in channels_of(self._config, incident):
            language = self._config.channel_language(name)
            for destination in live_destinations(channel):
                message = Message(
                    destination, text=render(text, language), thread=object_of(incident), language=language,
                    reason=reason, drill=incident.drill,
                )  # fmt: skip
                outbox.enqueue(db, message, f"{key}:{destination}", now)

    def chart(self, db: Database, incident: Incident, now: int, *, key: str) -> None:
        """Put the incident's chart under its card, once per ``key``."""
        for name, channel in channels_of(self._config, incident):
            language = self._config.channel_language(name)
            for destination in live_destinations(channel):
                if destination not in outbox.placements(db, object_of(incident)):
                    continue
                message = Message(
                    destination, thread=object_of(incident), language=language, reason="chart", drill=incident.drill,
                    attachment=Attachment("chart", {"incident": incident.id}),
                )  # fmt: skip
                outbox.enqueue(db, message, f"{key}:{destination}", now)

    def call(
        self, db: Database, incident: Incident, persons: Iterable[PersonConfig], text: Text, now: int, *, key: str
    ) -> None:
        """Reach people one to one, in every chat they have; by SMS from orange on."""
        channels = [channel for _, channel in channels_of(self._config, incident)]
        sms_from = min((channel.sms_from for channel in channels), default=Grade.ORANGE)
        for person in persons:
            language = person.language or self._config.language
            card = self._card(db, incident, language, now)
            for chat in ("slack", "wecom", "email", "sms"):
                address = people.account(person, chat)
                if not address or getattr(self._config.chat, chat) is None or incident.kind == "drill":
                    continue
                if chat == "sms" and incident.grade < sms_from:
                    continue
                message = Message(
                    f"{chat}:{address}", card=replace(card, subtitle=render(text, language)), language=language,
                    reason="escalated", drill=incident.drill,
                )  # fmt: skip
                outbox.enqueue(db, message, f"{key}:{chat}:{address}", now)

    def places(self, db: Database, incident: Incident, now: int) -> Iterator[Place]:
        """Where the incident's card stands or is about to: what belongs to the incident is said there too."""
        placed = outbox.placements(db, object_of(incident))
        for name, channel in channels_of(self._config, incident):
            for destination in self._destinations(channel, incident):
                known = destination in placed
                if known or incident.grade >= channel.min_grade:
                    lane, not_before = ("", now) if known else self._quiet_lane(channel, incident, now)
                    yield Place(destination + lane, not_before, self._config.channel_language(name))

    def _destinations(self, channel: ChannelConfig, incident: Incident) -> list[str]:
        return [*live_destinations(channel), *_members(self._config, channel), *self._room(channel, incident)]

    def _room(self, channel: ChannelConfig, incident: Incident) -> list[str]:
        """The Slack channel of an incident that was serious enough for one of its own; drills never get one."""
        slack = self._config.chat.slack
        own = channel is self._config.channels.get(self._channel_name(incident))
        wanted = slack is not None and incident.kind == "real" and incident.peak_grade >= slack.channel_from
        return [f"slack:+{incident.id}"] if wanted and own and channel.slack else []

    def _channel_name(self, incident: Incident) -> str:
        subject = next((item for item in self._config.subjects if item.id == incident.subject), None)
        return subject.channel if subject else ""

    def _quiet_lane(self, channel: ChannelConfig, incident: Incident, now: int) -> tuple[str, int]:
        """Quiet hours hold a new card back on a lane of its own, so that a red one behind it does not wait."""
        until = people.quiet_until(channel, now) if incident.grade < Grade.RED else 0
        return ("#quiet", until) if until else ("", now)

    def _enqueue_card(
        self,
        db: Database,
        incident: Incident,
        card: Card,
        destination: str,
        lane: tuple[str, int],
        language: str,
        reason: str,
        mentions: tuple[str, ...],
        now: int,
        edition: str,
    ) -> None:
        message = Message(
            destination + lane[0], card=card, object=object_of(incident), language=language, reason=reason,
            mentions=mentions, drill=incident.drill, reply=self._invitation(db, incident, destination, now),
        )  # fmt: skip
        key = f"{incident.id}:v{incident.version}{edition}:{destination}"
        outbox.enqueue(db, message, key, now, not_before=lane[1])

    def _invitation(self, db: Database, incident: Incident, destination: str, now: int) -> dict[str, Any]:
        """Whom to ask into an incident's room: those on duty, the managers, everybody with a role in it."""
        if not destination.startswith("slack:+"):
            return {}
        ids = [incident.owner, *(person for _, person in store.roles(db, incident.id))]
        known = [person for person in map(self._config.person, ids) if person is not None]
        called = [*people.escalation(self._config, 2, now), *known]
        return {"invite": list(dict.fromkeys(person.slack for person in called if person.slack))}

    def _announce(
        self,
        db: Database,
        incident: Incident,
        announce: Text,
        destination: str,
        channel: ChannelConfig,
        call: Sequence[PersonConfig],
        language: str,
        reason: str,
        now: int,
    ) -> None:
        if destination.startswith("wecom:"):
            return  # a WeCom card that is sent anew or rewritten says the change itself
        lane, not_before = self._quiet_lane(channel, incident, now)
        message = Message(
            destination + lane, text=render(announce, language), thread=object_of(incident), language=language,
            mentions=_accounts(call, destination), reason=reason,
            reply={"broadcast": True}, drill=incident.drill,
        )  # fmt: skip
        key = f"{incident.id}:v{incident.version}:{reason}:{destination}"
        outbox.enqueue(db, message, key, now, not_before=not_before)

    def _write_to(
        self, db: Database, incident: Incident, card: Card, channel: ChannelConfig, language: str, reason: str, now: int
    ) -> None:
        """E-mail and SMS by grade: one way, only for what is worth a message (opened, raised, escalated)."""
        if reason not in ("opened", "raised"):
            return
        for chat, receivers, least in (
            ("email", channel.email, channel.email_from),
            ("sms", channel.sms, channel.sms_from),
        ):
            if getattr(self._config.chat, chat) is None or incident.grade < least or incident.kind == "drill":
                continue
            for receiver in receivers:
                address = _account(self._config, receiver, chat)
                if not address:
                    continue
                lane, not_before = self._quiet_lane(channel, incident, now)
                message = Message(
                    f"{chat}:{address}{lane}", card=card, language=language, reason=reason, drill=incident.drill
                )
                key = f"{incident.id}:{reason}:v{incident.version}:{chat}:{address}"
                outbox.enqueue(db, message, key, now, not_before=not_before)


def _members(config: Config, channel: ChannelConfig) -> list[str]:
    """The members who get a channel's cards one to one; whoever has no WeCom account is left out."""
    accounts = [_account(config, person, "wecom") for person in channel.wecom]
    return [f"wecom:{account}" for account in accounts if account]


def _accounts(call: Sequence[PersonConfig], destination: str) -> tuple[str, ...]:
    """The accounts by which people are called in the chat of a destination."""
    chat = destination.partition(":")[0]
    return tuple(filter(None, (people.account(person, chat) for person in call)))


def _account(config: Config, receiver: str, chat: str) -> str:
    """A person's account, or the receiver itself where it is an address."""
    person = config.person(receiver)
    return people.account(person, chat) if person else receiver
