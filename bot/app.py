"""The composition root: every part made once, by plain constructor arguments, and run as one."""

import asyncio
import logging
import os
import socket
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import aiohttp
from aiohttp import web
from sqlite_utils import Database

import handlers
from bot import chats as chat_builder
from bot.analysis.pipeline import Analyser
from bot.briefs.service import MAKE as MAKE_BRIEF
from bot.briefs.service import Briefs
from bot.briefs.service import makers as brief_makers
from bot.check.machine import is_loopback
from bot.clock import SECOND, Clock, SystemClock
from bot.config import Config, SourceConfig
from bot.delivery.alarm import Alarm
from bot.delivery.lease import Lease
from bot.delivery.processor import Processor
from bot.delivery.sender import Sender
from bot.delivery.undelivered import Undelivered
from bot.demo.feed import DemoFeed
from bot.drills.build import build as build_drills
from bot.drills.build import points as drill_points
from bot.forms import Forms
from bot.housekeeping import Housekeeping
from bot.incidents.cards import IncidentCards, joined
from bot.incidents.notices import Notices, drill_destinations
from bot.incidents.service import Incidents
from bot.incidents.updates import ASK as UPDATE_ASK
from bot.incidents.updates import Updates
from bot.intake import accept
from bot.intake.collector import Collector
from bot.intake.coverage import Coverage
from bot.intake.intake import Intake
from bot.intake.minimise import Minimiser, install_key
from bot.intake.pipeline import Pipeline
from bot.intake.watch import Watch
from bot.learning import library_room
from bot.learning.build import build as build_learning
from bot.learning.retro_cards import ActionPanel, name_of
from bot.learning.retro_picture import RETRO, retro_maker
from bot.memory import settle_memory, take_short_turns
from bot.metrics import Metrics
from bot.model.text import LANGUAGES, Text
from bot.models import engine_of
from bot.newsroom.folder import FolderErrand
from bot.pages import add_pages
from bot.reports.makers import picture_maker
from bot.reports.studio import Studio
from bot.response import linked
from bot.response.build import Response
from bot.response.linkage import LinkageWorker
from bot.response.results import CallResults
from bot.response.transport import open_session
from bot.sources.factory import sources_from
from bot.sources.net import new_session
from bot.sources.preset import merged
from bot.statements import build as statement_room
from bot.statements import publish_build, publish_targets
from bot.store.database import Store
from bot.texts import catalogue
from bot.web import Api, Readiness, errors
from handlers.article import ArticleErrand
from handlers.dispatch import Dispatcher
from handlers.registry import Services
from handlers.spread import SpreadErrand

log = logging.getLogger(__name__)

LEASE_TIME = 15 * SECOND
CHARTS_AFTER = 30 * SECOND


class StartRefused(Exception):
    """The process must not start as configured; ``text`` says why and what to do."""

    def __init__(self, key: str, **params: Any) -> None:
        super().__init__(key)
        self.text = Text(key, params)


class App:
    """One process. ``role``: ``all`` does everything, ``web`` only takes in and shows, ``worker`` only works.

    Any number of web processes and workers may share a store; a lease lets one worker work at a time, another takes
    over within seconds when it dies.
    """

    def __init__(
        self, config: Config, *, clock: Clock | None = None, role: str = "all", demo: bool = False,
        store: Store | None = None, notices: type[Notices] = Notices,
    ) -> None:  # fmt: skip
        config = config.model_copy(update={"sources": merged(config.sources)})
        self.config = config
        self.clock = clock or SystemClock()
        self.role = role
        self.demo = demo
        self.store = store or Store(config.store)
        self.metrics, self.ready, self.watch = Metrics(), Readiness(), Watch(config)
        self.store.read_now(self.watch.load)
        key = self.store.write_now(lambda db: install_key(db, config.privacy.secret("author_key")))
        self.minimiser = Minimiser(config.privacy.mask, key)
        self.registry = handlers.load()
        self.response = Response(config)
        self.library = library_room.build(config, self.response, at_once=False)
        self.cards = IncidentCards(
            config, joined(self.response.panel, self.library.panel, ActionPanel(name_of(config)))
        )  # fmt: skip
        self.notices = notices(config, self.cards)
        self.linked = linked.build(
            config, self.notices, self.clock, self.minimiser, self._systems_session, wake=self._call_asked
        )
        self.store.write_now(lambda db: self.response.begin(db, self.clock.now(), self.library.begin))
        self.runs = self.response.connect(
            self.notices,
            self.linked.linkage if config.linkage.actions else None,
            self.linked.replies if config.linkage.auto_reply else None,
        )
        self.call_results = CallResults(self.notices, self.runs.action_result, self._changed)
        self.linked.linkage.listen(self.call_results)
        self.statements = statement_room.build(config, self.notices, self.response, publish_targets.receipt_lines)
        self.publishing = publish_build.connect(
            config, self.notices, self.linked, self.statements, self.runs, self.call_results
        )
        self.updates, cases = Updates(config, self.notices), self.library.cases
        self.learning = build_learning(config, self.notices, cases.incidents_like)
        self.response.also(self.updates.incident_changed, cases.incident_changed, self.learning.incident_changed)
        self.incidents = Incidents(config, self.notices, self.watch.subjects, self.response.incident_changed)
        self.intake = Intake(config, self.store, self.clock, self.minimiser, self._note_push, self._posts_stored)
        self.drills = build_drills(config, self.incidents, self.minimiser, self._posts_stored)
        self.studio = Studio()
        self.briefs = Briefs(config, self.store, self.clock, self.studio.draw, drill_points(config))
        services = Services(
            config, self.incidents, self.cards, self.watch, self.intake.take_now, self.runs, self.response.advice,
            self.linked, self.response.living, self.response.living_notices, self.statements, self.publishing,
            self.drills, self.updates, cases, self.learning, self.library.proposals, self.briefs,
        )  # fmt: skip
        self.dispatcher = Dispatcher(self.registry, services)
        self.processor = Processor(
            self.store, self.clock, self.dispatcher.handle, self.dispatcher.give_up, self._changed
        )
        self.forms = Forms(config, self.store, self.clock, self.registry, self.runs, self.statements, self._changed)
        self.chats = chat_builder.build(
            config, self.store, self.clock, make=picture_maker(self.store, self.clock, self.studio, {
                **brief_makers(self.store),
                RETRO: retro_maker(self.store, self.clock, self.studio.draw, self.learning.retrospectives.look),
            }),
            form_for=self.forms.form_for, complete=self.forms.complete, language_of=self.dispatcher.language_of,
            accepted=self._event_accepted, visitor="visitor" if demo else "", opened=self.forms.opened,
        )  # fmt: skip
        self.sender = Sender(
            self.store, self.clock, self.chats.live, drill_destinations=drill_destinations(config),
            on_failed=Undelivered(config).note, observe=self.metrics.sent,
        )  # fmt: skip
        self.housekeeping = Housekeeping(config, self.store, self.clock)
        self.coverage = Coverage(config, self.incidents)
        self.alarm = Alarm(
            self.store, self.clock,
            {
                "escalate": lambda db, timer, now: self.incidents.escalate(db, timer.object, now),
                "refresh": lambda db, timer, now: self.incidents.refresh(db, timer.object, now),
                "silence_ends": lambda db, timer, now: self.incidents.refresh(db, timer.object, now),
                **self.response.timers(),
                **self.linked.timers(),
                **self.statements.timers(),
                UPDATE_ASK: self.updates.ask,
                **self.library.timers(),
                **self.learning.timers(),
                **self.publishing.timers(),
                **self.drills.timers(),
                **self.briefs.timers(),
            },
            self._changed,
            {
                "article": ArticleErrand(services, self.clock, self._open_session),
                "spread": SpreadErrand(self.store, self.clock, config.chat.console.public_url),
                MAKE_BRIEF: self.briefs,
                **self.linked.errands(),
                **self.library.errands(self.store, self.clock),
                publish_targets.FOLDER: FolderErrand(config, self.store, self.publishing),
            },
            rewound=self.response.resume,
        )  # fmt: skip
        analyser = Analyser(self.watch.subjects(), engine_of(config))
        self.pipeline = Pipeline(self.store, self.clock, self.watch, analyser, self.incidents, self._changed)
        self.collector: Collector | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._session: aiohttp.ClientSession | None = None
        self._systems: aiohttp.ClientSession | None = None
        self.linkage_worker: LinkageWorker | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._warming: asyncio.Task[None] | None = None
        self._runner: web.AppRunner | None = None
        self._lease = Lease(self.store, self.clock, "worker", f"{socket.gethostname()}:{os.getpid()}", LEASE_TIME)

    # -- life

    async def start(self) -> None:
        """Open the doors, then begin to work."""
        take_short_turns()
        for language in LANGUAGES:
            catalogue(language)  # the first person to ask something should not wait for the words
        self._loop = asyncio.get_running_loop()
        self._session = new_session(self.config.privacy.allow_hosts)
        self.collector = self._collector(self._session)
        self._systems = open_session()
        self.linkage_worker = LinkageWorker(self.store, self.clock, self.config, self._systems, self.call_results)
        if self.role in ("all", "web"):
            await self._open_doors()
        if self.role in ("all", "worker"):
            self._spawn("worker", self._work())
            self._warming = asyncio.create_task(self._warm_up(), name="warm-up")
        for start in self.chats.starts if self.role in ("all", "web") else ():
            await start()
        settle_memory()

    async def _warm_up(self) -> None:
        """Read the playbooks while the doors already open: a card that needs them would hold up everything written
        behind it. Begin what draws charts before somebody waits for the first one, but not while starting."""
        await asyncio.to_thread(self.response.warm_up)
        await self.store.read(self.library.cases.prepare)
        await self.clock.sleep(CHARTS_AFTER)
        await self.studio.warm_up()

    async def stop(self) -> None:
        """Close the doors, let what is under way end, give the rest back to its rows."""
        if self._warming is not None:
            self._warming.cancel()
        if self._runner is not None:
            await self._runner.cleanup()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for stop in self.chats.stops:
            await stop()
        await self.studio.close()
        for session in (self._session, self._systems):
            if session is not None:
                await session.close()
        await self._lease.release()
        self.store.close()

    @property
    def port(self) -> int:
        """The port that is really listened on (the configured one may be 0)."""
        assert self._runner is not None
        return int(self._runner.addresses[0][1])

    async def _open_doors(self) -> None:
        host, port = self.config.address
        if not is_loopback(host) and not self.config.tokens:
            raise StartRefused("app.public_without_tokens", listen=f"{host}:{port}")
        self._runner = web.AppRunner(self.application(), access_log=None, shutdown_timeout=2.0)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port, backlog=1024).start()
        except OSError as error:
            raise StartRefused("app.address_taken", listen=f"{host}:{port}", cause=error.strerror or "") from None

    def application(self) -> web.Application:
        """The HTTP application with every route."""
        app = web.Application(middlewares=[errors], client_max_size=32 * 1024 * 1024)
        Api(
            self.config,
            self.store,
            self.clock,
            self.intake,
            self.metrics,
            self.ready,
            self.linked.replies,
            self.runs.of,
        ).add_routes(app)
        self.chats.mount(app)
        add_pages(
            app, self.config, self.store, self.clock, self.chats.guard, self.learning.retrospectives, self.studio
        )  # fmt: skip
        return app

    async def _work(self) -> None:
        """Hold the lease and work; when it is lost, stop working at once and wait for it again."""
        self.ready.ask(self._late_timers)
        while True:
            await self._lease.acquire()
            await self.store.write(lambda db: self.response.resume(db, self.clock.now()))
            await self.store.write(lambda db: self.briefs.begin(db, self.clock.now()))
            work = [asyncio.create_task(part, name=name) for name, part in self._parts()]
            keeper = asyncio.create_task(self._lease.keep())
            try:
                done, _ = await asyncio.wait({*work, keeper}, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    if task is not keeper:
                        task.result()  # a part that ends has failed: fail loudly, the supervisor restarts us
                log.warning("another worker holds the lease; waiting")
            finally:
                for task in (*work, keeper):
                    task.cancel()
                await asyncio.gather(*work, keeper, return_exceptions=True)

    def _parts(self) -> list[tuple[str, Coroutine[Any, Any, None]]]:
        assert self.collector is not None and self.linkage_worker is not None
        parts: list[tuple[str, Coroutine[Any, Any, None]]] = [
            ("pipeline", self.pipeline.run()),
            ("processor", self.processor.run()),
            ("sender", self.sender.run()),
            ("alarm", self.alarm.run()),
            ("housekeeping", self.housekeeping.run()),
            ("collector", self.collector.run()),
            ("linkage", self.linkage_worker.run()),
            *((name, work()) for name, work in self.chats.works),
        ]
        if self.demo:
            platforms = {source.id: source.platform for source in self.config.sources}
            speed = next((source.speed for source in self.config.sources if source.kind == "demo"), 1.0)
            parts.append(
                ("demonstration", DemoFeed(self.clock, self._take_demo, self._begin_demo, platforms, speed).run())
            )
        return parts

    def _collector(self, session: aiohttp.ClientSession) -> Collector:
        sources = sources_from(self.config.sources, session)
        return Collector(
            self.store,
            self.clock,
            sources,
            self.watch.sensitive_now,
            self._accept_polled,
            on_health=self._health_changed,
        )

    # -- what parts tell each other

    def _accept_polled(
        self, db: Database, items: Sequence[dict[str, Any]], source: SourceConfig, now: int
    ) -> accept.Accepted:
        reading = accept.read(items, self.minimiser, source=source.id, platform=source.platform, now=now)
        result = accept.keep(db, reading, items, source.id, now)
        self._posts_stored(result)
        return result

    def _open_session(self) -> aiohttp.ClientSession:
        assert self._session is not None
        return self._session

    def _systems_session(self) -> aiohttp.ClientSession:
        assert self._systems is not None
        return self._systems

    def _call_asked(self) -> None:
        if self.linkage_worker is not None:
            self._on_loop(self.linkage_worker.wake)

    def _note_push(self, db: Database, source: str, count: int, now: int) -> None:
        if self.collector is not None:
            self.collector.note_push(db, source, count, now)

    def _health_changed(self, db: Database, source: str, old: str, new: str, now: int) -> None:
        assert self.collector is not None
        _, reason = self.collector.describe(db, source, now)
        self.coverage.changed(db, source, old, new, reason, now)

    async def _begin_demo(self, since: int) -> None:
        """The demonstration brings its calm weeks with it: they are known to be whole."""
        await self.store.write(
            lambda db: db.conn.execute(
                "INSERT OR REPLACE INTO setting (name, value) VALUES ('history_since', ?)", (str(since),)
            )
        )

    async def _take_demo(self, items: list[dict[str, Any]], source: str, platform: str) -> None:
        await self.intake.take(items, source, platform)

    def _posts_stored(self, result: accept.Accepted) -> None:
        self.metrics.posts.labels("accepted").inc(result.accepted)
        self.metrics.posts.labels("duplicate").inc(result.duplicates)
        self.metrics.posts.labels("rejected").inc(len(result.rejected))
        self._on_loop(self.pipeline.wake)

    def _event_accepted(self) -> None:
        self._on_loop(self.processor.wake)

    def _changed(self) -> None:
        """Something may have been enqueued or scheduled."""
        self._on_loop(self.sender.wake)
        self._on_loop(self.alarm.wake)

    def _on_loop(self, call: Callable[[], None]) -> None:
        """Wake-ups may come from the store's thread; events belong to the loop."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(call)

    def _spawn(self, name: str, work: Any) -> None:
        self._tasks.append(asyncio.create_task(work, name=name))

    async def wait(self) -> None:
        """Return when the worker ends by itself, which is a failure; raises what it failed of."""
        if self._tasks:
            done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        else:
            await asyncio.Event().wait()

    async def _late_timers(self) -> str:
        late = await self.alarm.late()
        return f"{late} timers are more than a minute late" if late else ""
