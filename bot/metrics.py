"""What operators measure, as Prometheus metrics of one process."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from sqlite_utils import Database

from bot.delivery import outbox, timers
from bot.store import incidents, posts

_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class Metrics:
    """Counters move as things happen; gauges are read from the store when somebody asks."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.posts = Counter("fengbo_posts_total", "Posts taken in", ["outcome"], registry=self.registry)
        self.events = Counter("fengbo_events_total", "Events from chats", ["chat"], registry=self.registry)
        self.messages = Counter(
            "fengbo_messages_total", "Tries to deliver a message", ["chat", "outcome"], registry=self.registry
        )
        self.delivery = Histogram(
            "fengbo_delivery_seconds", "From enqueued to sent", ["chat"], buckets=_BUCKETS, registry=self.registry
        )
        self._backlog = Gauge("fengbo_analysis_backlog", "Stored posts not analysed yet", registry=self.registry)
        self._outbox = Gauge("fengbo_outbox_rows", "Messages by state", ["state"], registry=self.registry)
        self._inbox = Gauge("fengbo_inbox_waiting", "Events not handled yet", registry=self.registry)
        self._late = Gauge("fengbo_timers_late", "Timers more than a minute late", registry=self.registry)
        self._incidents = Gauge("fengbo_incidents_live", "Live incidents by grade", ["grade"], registry=self.registry)
        self._sources = Gauge("fengbo_sources", "Sources by health", ["health"], registry=self.registry)

    def sent(self, chat: str, outcome: str, waited: int) -> None:
        """One try of the sender; ``waited`` in milliseconds counts for what was sent."""
        self.messages.labels(chat, outcome).inc()
        if outcome == "sent":
            self.delivery.labels(chat).observe(waited / 1000)

    def read(self, db: Database, now: int) -> bytes:
        """The text exposition, gauges fresh from the store."""
        self._backlog.set(posts.backlog(db))
        states = outbox.backlog(db)
        for state in ("waiting", "sending", "failed"):
            self._outbox.labels(state).set(states.get(state, 0))
        self._inbox.set(db.conn.execute("SELECT COUNT(*) FROM inbox WHERE state = 'new'").fetchone()[0])
        self._late.set(timers.overdue(db, now, 60_000))
        live = [incident.grade.word for incident in incidents.live(db)]
        for grade in ("blue", "yellow", "orange", "red"):
            self._incidents.labels(grade).set(live.count(grade))
        for health, count in db.conn.execute("SELECT health, COUNT(*) FROM source_state GROUP BY health"):
            self._sources.labels(health).set(count)
        return generate_latest(self.registry)
