"""Stored posts → analysis → mentions and counts → verdicts → incidents. The stored cursor is the queue."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from sqlite_utils import Database

from bot.analysis.pipeline import Analyser
from bot.analysis.story_index import Known, Merge, Split, StoryIndex
from bot.clock import HOUR, SECOND, Clock, sleep_or_wake
from bot.incidents.service import Incidents
from bot.intake import topics
from bot.intake.watch import Watch
from bot.model.post import Analysis, Post
from bot.store import incidents as incident_store
from bot.store import posts, stories
from bot.store.database import Priority, Store
from bot.warning.service import BaselineCache, Verdict, verdicts

log = logging.getLogger(__name__)

BATCH = 512
LOOK_AGAIN = 250  # milliseconds; posts stored by another process have no other way to wake us
# One subject is judged at most this often; live incidents at least every TICK.
JUDGE_EVERY = 250
TICK = 30 * SECOND
APPLIED_TOGETHER = 8  # verdicts of one transaction; each may rewrite cards and start a plan
STORY_WINDOW = 48 * HOUR
STORY_CAPACITY = 40_000  # at some 2.5 KB each; the least recently seen one goes first


class Pipeline:
    """One analysing worker. ``on_change`` is called after anything may have been enqueued."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        watch: Watch,
        analyser: Analyser,
        incidents: Incidents,
        on_change: Callable[[], None] | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._watch = watch
        self._analyser = analyser
        self._rules_version = watch.version
        self._incidents = incidents
        self._on_change = on_change or (lambda: None)
        self._baselines = BaselineCache()
        self._stories: dict[str, StoryIndex] = {}  # by drill: practice never joins a real story
        self._next_story = 1
        self._dirty: set[tuple[str, str]] = set()
        self._judged_at: dict[tuple[str, str], int] = {}
        self._ticked_at = 0
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Posts were stored."""
        self._wake.set()

    async def run(self) -> None:
        """Analyse and judge until cancelled."""
        await self.start()
        while True:
            self._wake.clear()
            if not await self.step():
                pause = min(LOOK_AGAIN, JUDGE_EVERY) if self._dirty else LOOK_AGAIN
                await sleep_or_wake(self._clock, pause, self._wake)

    async def start(self) -> None:
        """Rebuild what lives in memory from the store; every subject is judged once, so that nothing that was counted
        before a crash stays unjudged."""
        now = self._clock.now()
        known, following = await self._store.read(lambda db: stories.load(db, now - STORY_WINDOW, STORY_CAPACITY))
        await asyncio.to_thread(self._recall, known)
        self._next_story = following
        self._dirty = {(subject.id, "") for subject in self._watch.subjects()}

    async def step(self) -> bool:
        """Analyse one batch, judge what it touched; False if there was nothing to analyse."""
        self._follow_rules()
        rows = await self._store.read(lambda db: posts.unanalysed(db, BATCH))
        if rows:
            await self._analyse(rows)
        await self._judge_due()
        return bool(rows)

    async def _analyse(self, rows: list[tuple[int, Post]]) -> None:
        analyses = await asyncio.to_thread(self._analyser.analyse, [post for _, post in rows])
        analyses = await self._inherit(rows, analyses)
        now = self._clock.now()
        placed, fresh, changes = await asyncio.to_thread(self._place, rows, analyses, now)
        before = rows[0][0] - 1
        watch_words = dict(self._watch.watch_words())

        def job(db: Database) -> set[tuple[str, str]]:
            seen = posts.cursor(db, "analysed")
            if seen > before or not posts.move_cursor(db, "analysed", seen, rows[-1][0]):
                return set()  # another worker was faster
            relevant = [
                (seq, post, analysis, story)
                for (seq, post), analysis, story in zip(rows, analyses, placed, strict=True)
                if analysis.subjects
            ]
            stories.save(db, [(row[3], row[0], row[1]) for row in relevant if row[3]], fresh)
            topics.apply(db, changes, now)
            return posts.record(db, relevant, watch_words, now)

        self._dirty |= await self._store.write(job, Priority.BULK)

    async def _inherit(self, rows: list[tuple[int, Post]], analyses: list[Analysis]) -> list[Analysis]:
        """A comment or repost that names nobody is about whom the post before it was about."""
        ancestors: dict[int, list[bytes]] = {}
        for index, ((_, post), analysis) in enumerate(zip(rows, analyses, strict=True)):
            if not analysis.subjects and (post.parent_id or post.root_id):
                ids = dict.fromkeys(filter(None, (post.parent_id, post.root_id)))
                ancestors[index] = [posts.digest_of(replace(post, id=ancestor)) for ancestor in ids]
        if not ancestors:
            return analyses
        wanted = {digest for digests in ancestors.values() for digest in digests}
        about = await self._store.read(lambda db: posts.subjects_of(db, wanted))
        position = {posts.digest_of(post): index for index, (_, post) in enumerate(rows)}
        result = list(analyses)
        for index, digests in ancestors.items():
            for digest in digests:
                # The ancestor may stand in the same batch, before this post.
                here = result[position[digest]].subjects if digest in position else ()
                subjects = [name for name, _ in here] or about.get(digest, [])
                if subjects:
                    result[index] = replace(result[index], subjects=tuple((name, ()) for name in subjects))
                    break
        return result

    def _place(
        self, rows: list[tuple[int, Post]], analyses: list[Analysis], now: int
    ) -> tuple[list[int], dict[int, stories.Fresh], list[Merge | Split]]:
        """The story of each post, the new stories, and what became of topics; off the event loop."""
        changes: list[Merge | Split] = []
        for index in self._stories.values():
            index.expire(now - STORY_WINDOW)
        placed: list[int] = []
        fresh: dict[int, stories.Fresh] = {}
        for (_, post), analysis in zip(rows, analyses, strict=True):
            if not analysis.signature or not analysis.subjects:
                placed.append(0)
                continue
            found = self._index(post.drill).add(analysis.signature, post.content, post.published_at, self._new_story)
            if found.new:
                fresh[found.story] = stories.Fresh(analysis.signature, found.topic)
            placed.append(found.story)
        for index in self._stories.values():
            changes += index.changes()
        return placed, fresh, changes

    def _index(self, drill: str) -> StoryIndex:
        if drill not in self._stories:
            self._stories[drill] = StoryIndex(STORY_CAPACITY, STORY_WINDOW)
        return self._stories[drill]

    def _recall(self, known: list[stories.Row]) -> None:
        for drill in {row.drill for row in known}:
            own = [row for row in known if row.drill == drill]
            self._index(drill).load(Known(row.id, row.topic, row.signature, row.last_at, row.text) for row in own)

    def _new_story(self) -> int:
        self._next_story += 1
        return self._next_story - 1

    async def _judge_due(self) -> None:
        now = self._clock.now()
        # Either way: a clock that was set back must not keep anything unjudged for as long as it was wrong.
        if abs(now - self._ticked_at) >= TICK:
            self._ticked_at = now
            self._dirty |= {(item.subject, item.drill) for item in await self._store.read(incident_store.live)}
        # Sorted: which of two incidents gets the lower number must not depend on the order of a set.
        due = sorted(key for key in self._dirty if abs(now - self._judged_at.get(key, 0)) >= JUDGE_EVERY)
        self._dirty.difference_update(due)
        for start in range(0, len(due), 200):
            await self.judge(due[start : start + 200])

    async def judge(self, keys: Iterable[tuple[str, str]]) -> None:
        """Judge (subject, drill) pairs now."""
        now = self._clock.now()
        wanted = list(keys)
        found = await self._store.read(lambda db: self._verdicts(db, wanted, now))
        for key in wanted:
            self._judged_at[key] = now
        worth = [verdict for verdict in found if verdict.grade or verdict.incident]
        if not worth:
            return

        def apply(db: Database, part: list[Verdict]) -> None:
            for verdict in part:
                subject = self._watch.subject(verdict.subject)
                if subject is not None:
                    self._incidents.apply(db, verdict, self._watch.thresholds(subject), now)

        # In parts, between which a press finds its place; the store keeps their order.
        parts = [worth[start : start + APPLIED_TOGETHER] for start in range(0, len(worth), APPLIED_TOGETHER)]
        await asyncio.gather(*(self._store.write(partial(apply, part=part), Priority.DELIVERY) for part in parts))
        self._on_change()

    def _verdicts(self, db: Database, keys: list[tuple[str, str]], now: int) -> list[Verdict]:
        result: list[Verdict] = []
        for subject_id, drill in keys:
            subject = self._watch.subject(subject_id)
            if subject is None:
                continue
            rules = self._watch.thresholds(subject)
            factor = rules.numbers["period_factor"] if self._watch.sensitive_now(now) else 1.0
            result.extend(verdicts(db, subject, drill, rules, self._baselines, now, factor))
        return result

    def _follow_rules(self) -> None:
        if self._watch.version != self._rules_version:
            self._rules_version = self._watch.version
            self._analyser = self._analyser.with_subjects(self._watch.subjects())
            log.info("keyword rules changed: %d subjects in force", len(self._watch.subjects()))
