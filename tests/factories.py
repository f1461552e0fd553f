"""Small makers of what many tests need: posts, analyses, messages, a configuration, a store with services on it."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlite_utils import Database

import handlers
from bot import config as configuration
from bot.clock import HOUR, MINUTE, VirtualClock
from bot.config import Config
from bot.incidents.cards import IncidentCards, joined
from bot.incidents.notices import Notices
from bot.incidents.service import Incidents
from bot.incidents.updates import Updates
from bot.intake import accept
from bot.intake.minimise import Minimiser
from bot.intake.watch import Watch
from bot.learning import library_room
from bot.learning.build import build as build_learning
from bot.learning.library_room import LibraryRoom
from bot.learning.retro_cards import ActionPanel, name_of
from bot.model.card import Card
from bot.model.grade import Carrier, CrisisType, Grade, Sentiment
from bot.model.incident import Actor, Incident
from bot.model.message import Event, Message
from bot.model.post import Analysis, Engagement, Post, TypeHit
from bot.model.signal import Signal
from bot.response.build import Response
from bot.statements.build import build as build_statements
from bot.store.database import Store
from bot.warning.assess import Thresholds, thresholds
from bot.warning.service import Verdict
from handlers.dispatch import Dispatcher
from handlers.registry import Registry, Services

# A Monday, 10:00 in China; on a whole hour, so that minute and hour windows are easy to reason about.
NOW = 1_767_578_400_000
_numbers = itertools.count(1)

CONFIG = """
language: zh-CN
subjects:
  - {id: xinghe-pay, name: 星河支付, match: {any: [星河支付, 星河钱包]}, channel: pr-alerts, watch: [跑路]}
  - {id: rival, name: 远山支付, kind: competitor, match: {any: [远山支付]}, channel: pr-alerts}
sources:
  - {id: finance-news, kind: feed, url: "https://news.example/rss", platform: news}
  - {id: vendor, kind: hook, platform: weibo, token_env: VENDOR_TOKEN}
people:
  - {id: lina, name: 李娜, roles: [pr], slack: U0LINA, wecom: lina, email: lina@corp.example, phone: "13800000000"}
  - {id: zhaolei, name: 赵磊, roles: [legal], slack: U0ZHAO, wecom: zhaolei}
  - id: chenjing
    name: 陈静
    roles: [pr_head, admin]
    slack: U0CHEN
    wecom: chenjing
    email: chen@corp.example
    language: en
rota:
  pr: {people: [lina, zhaolei], shift: 7d, starts: "2026-01-05T09:00:00+08:00"}
channels:
  pr-alerts: {slack: C0ALERTS, console: alerts, min_grade: blue}
  management: {slack: C0BOSS, language: en, min_grade: orange, email: [chenjing], sms: [chenjing, lina]}
  drill: {slack: C0DRILL, console: drill}
chat:
  slack: {bot_token_env: SLACK_BOT_TOKEN}
  wecom: {corp_id: ww1, agent_id: 1, secret_env: WECOM_SECRET}
  email: {host: 127.0.0.1, sender: fengbo@corp.example}
  sms: {url: "https://sms.example/send"}
"""


def config(text: str = CONFIG, **changes: Any) -> Config:
    parsed = configuration.parse(text, "fengbo.yaml")
    return parsed.model_copy(update=changes) if changes else parsed


def post(text: str = "星河支付提现失败", **fields: Any) -> Post:
    values: dict[str, Any] = {
        "id": f"p{next(_numbers)}", "source": "vendor", "platform": "weibo", "text": text, "published_at": NOW,
    }  # fmt: skip
    likes = fields.pop("likes", None)
    if likes is not None:
        values["engagement"] = Engagement(likes=likes)
    return Post(**{**values, **fields})


def analysis(
    sentiment: Sentiment = Sentiment.NEGATIVE,
    crisis_type: CrisisType | None = CrisisType.WITHDRAWAL_FAILURE,
    subject: str = "xinghe-pay",
    **fields: Any,
) -> Analysis:
    types = (TypeHit(crisis_type, 1.0, ("提现失败",)),) if crisis_type else ()
    score = {Sentiment.NEGATIVE: -0.9, Sentiment.NEUTRAL: 0.0, Sentiment.POSITIVE: 0.9}[sentiment]
    values: dict[str, Any] = {
        "language": "zh", "subjects": ((subject, ("星河支付",)),), "sentiment": sentiment, "sentiment_score": score,
        "types": types, "carrier": Carrier.ORDINARY, "influence": 10,
    }  # fmt: skip
    return Analysis(**{**values, **fields})


def signal(metric: str = "negative_60m", value: float = 30, grade: Grade = Grade.YELLOW, **fields: Any) -> Signal:
    values: dict[str, Any] = {"window_minutes": 60, "threshold": 25.0, "baseline": None}
    return Signal(metric=metric, value=value, grade=grade, **{**values, **fields})


def verdict(grade: Grade, *, relaxed: Grade | None = None, **fields: Any) -> Verdict:
    values: dict[str, Any] = {
        "subject": "xinghe-pay", "drill": "", "family": "funds", "crisis_type": "withdrawal_failure",
        "signals": (signal(grade=grade),) if grade else (),
    }  # fmt: skip
    return Verdict(grade=grade, relaxed=grade if relaxed is None else relaxed, **{**values, **fields})


def message(destination: str = "slack:C0ALERTS", text: str = "hello", **fields: Any) -> Message:
    return Message(destination, text=text, **fields)


def card_message(destination: str, object_: str, title: str, **fields: Any) -> Message:
    return Message(destination, card=Card(title), object=object_, **fields)


def event(line: str, *, account: str = "U0LINA", **fields: Any) -> Event:
    values: dict[str, Any] = {"chat": "slack", "destination": "slack:C0ALERTS"}
    return Event(account=account, line=line, **{**values, **fields})


def actor(
    person: str = "lina", name: str = "李娜", chat: str = "slack", roles: frozenset[str] = frozenset({"pr"})
) -> Actor:
    return Actor(person, name, chat, roles, "U0LINA")


@dataclass
class House:
    """A store with the services of the flow on it, at a virtual time."""

    config: Config
    store: Store
    clock: VirtualClock
    watch: Watch
    cards: IncidentCards
    notices: Notices
    incidents: Incidents
    services: Services
    registry: Registry
    dispatcher: Dispatcher
    rules: Thresholds
    pokes: list[Any]
    response: Response
    library: LibraryRoom

    @property
    def now(self) -> int:
        return self.clock.now()

    def do(self, job: Callable[[Database], Any]) -> Any:
        return self.store.write_now(job)

    def look(self, job: Callable[[Database], Any]) -> Any:
        return self.store.read_now(job)

    def judge(
        self, grade: Grade, *, incident: str = "", relaxed: Grade | None = None, **fields: Any
    ) -> Incident | None:
        """Apply a verdict now."""
        found = verdict(grade, relaxed=relaxed, incident=incident, **fields)
        return self.do(lambda db: self.incidents.apply(db, found, self.rules, self.now))

    def say(self, line: str, **fields: Any) -> list[Message]:
        """Let a member say a line; returns the answers."""
        said = event(line, **fields)
        row = next(_numbers)

        def job(db: Database) -> list[Message]:
            self.dispatcher.handle(db, row, said, self.now, self.now)
            return [item for key, item in outbox_rows(db) if key.startswith(f"inbox:{row}:")]

        return self.do(job)

    def outbox(self, **where: str) -> list[Message]:
        """Queued messages that match, in order: ``reason``, ``destination``, ``thread``, ``object``."""
        rows = self.look(outbox_rows)
        return [item for _, item in rows if all(getattr(item, name) == value for name, value in where.items())]

    def place(self, object_: str, *destinations: str) -> None:
        """Pretend that an object's card was sent: it stands in these destinations, and its rows are gone."""
        from bot.delivery import outbox

        def job(db: Database) -> None:
            for destination in destinations:
                outbox.place(db, object_, destination, outbox.Placement(f"{destination}/1", {"ts": "1"}), self.now)
            db.conn.execute("UPDATE outbox SET state = 'sent', sent_at = ? WHERE state = 'waiting'", (self.now,))

        self.do(job)

    def incident(self, incident_id: str) -> Incident:
        from bot.store import incidents

        found = self.look(lambda db: incidents.get(db, incident_id))
        assert found is not None
        return found


def outbox_rows(db: Database) -> list[tuple[str, Message]]:
    import orjson

    rows = db.conn.execute(
        "SELECT key, message FROM outbox WHERE state IN ('waiting', 'sending') ORDER BY id"
    ).fetchall()
    return [(row[0], Message.from_json(orjson.loads(row[1]))) for row in rows]


def house(folder: Path, text: str = CONFIG, *, start: int = NOW, overrides: Mapping[str, Any] | None = None,
          playbooks: Sequence[str] = ()) -> House:  # fmt: skip
    """``playbooks`` are the YAML texts of its library."""
    settings = config(text)
    store, clock = Store(folder / "fengbo.db"), VirtualClock(start)
    watch = Watch(settings)
    library = folder / "playbooks"
    library.mkdir(exist_ok=True)
    for number, plan in enumerate(playbooks):
        (library / f"{number}.yaml").write_text(plan, encoding="utf-8")
    response = Response(settings, folder)
    library_of = library_room.build(settings, response)
    cards = IncidentCards(settings, joined(response.panel, library_of.panel, ActionPanel(name_of(settings))))
    notices = Notices(settings, cards)
    runs = response.connect(notices)
    statements = build_statements(settings, notices, response, lambda db, statement, language: ())
    updates = Updates(settings, notices)
    response.also(updates.incident_changed)
    learning = build_learning(settings, notices)
    response.also(library_of.cases.incident_changed, learning.incident_changed)
    incidents = Incidents(settings, notices, watch.subjects, response.incident_changed)
    minimiser = Minimiser(settings.privacy.mask, b"test")
    pokes: list[Any] = []

    def take_in(db: Database, items: Any, source: str, platform: str, now: int) -> accept.Accepted:
        reading = accept.read(items, minimiser, source=source, platform=platform, now=now)
        return accept.keep(db, reading, items, source, now)

    services = Services(
        settings, incidents, cards, watch, take_in, runs, response.advice, None, response.living,
        response.living_notices, statements, updates=updates, cases=library_of.cases,
        learning=learning, proposals=library_of.proposals,
    )  # fmt: skip
    registry = handlers.load()
    return House(
        settings, store, clock, watch, cards, notices, incidents, services, registry, Dispatcher(registry, services),
        thresholds("general", overrides), pokes, response, library_of,
    )  # fmt: skip


__all__ = ["HOUR", "MINUTE", "NOW", "replace"]
