"""Recorded posts through today's rules in virtual time: which alerts would have come, when, and why."""

import asyncio
import gzip
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
from sqlite_utils import Database

from bot.analysis.pipeline import Analyser
from bot.clock import HOUR, MINUTE, VirtualClock
from bot.config import Config, PersonConfig
from bot.incidents import words
from bot.incidents.cards import IncidentCards
from bot.incidents.notices import Notices
from bot.incidents.service import Incidents
from bot.intake import accept
from bot.intake.pipeline import Pipeline
from bot.intake.watch import Watch
from bot.model.incident import Incident
from bot.model.intake import PostError, iso, parse_post, parse_time
from bot.model.post import Analysis, Post
from bot.model.signal import Signal
from bot.model.text import Text
from bot.models import engine_of
from bot.store import incidents as incident_store
from bot.store import posts
from bot.store.inline import Here, InlineStore
from bot.texts import render

# A batch is at most one virtual minute and this many posts; the analysis looks further ahead, since it is pure.
BATCH = 512
AHEAD = 2_000
# After the last post time goes on until the incidents have calmed down, but not for ever.
AFTERMATH = 12 * HOUR
ANY_TIME = 4_102_444_800_000  # 2100: a record may be of any year
ALERTS = ("opened", "raised", "lowered")
REASONS_TOLD = 3
REJECTED_TOLD = 20
TELL_EVERY = 50_000

Say = Callable[[Text], None]
Line = tuple[int, bytes]


def replay_files(config: Config, paths: Sequence[Path], say: Say = lambda text: None) -> Iterator[dict[str, Any]]:
    """Play posts (JSON lines, also gzipped) in the order of their ``published_at`` and give every alert as it comes:
    ``{at, incident, grade, reason, subject, change}``, ``change`` being opened, raised or lowered.

    The same input gives the same output. ``say`` hears of progress and of lines that are no posts.
    """
    player = _Player(config, say)
    try:
        yield from player.play(_read(paths, say))
    finally:
        player.close()


def _read(paths: Sequence[Path], say: Say) -> list[Line]:
    """``(published_at, line)`` of every post, in the order of time. Lines stay bytes: a million of them fit."""
    lines: list[Line] = []
    told = 0
    for path in paths:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                if not line.strip():
                    continue
                try:
                    lines.append((parse_time(orjson.loads(line)["published_at"], ANY_TIME), line))
                except (orjson.JSONDecodeError, PostError, KeyError, TypeError) as error:
                    told += 1
                    if told <= REJECTED_TOLD:
                        cause = f"{type(error).__name__}: {error}"[:200]
                        say(Text("cli.replay_rejected", {"place": f"{path}:{number}", "error": cause}))
    lines.sort(key=lambda line: line[0])
    return lines


class _Player:
    def __init__(self, config: Config, say: Say) -> None:
        self._language = config.language
        self._say = say
        self._clock = VirtualClock()
        self._store = InlineStore()
        watch = Watch(config)
        self._ahead = _Ahead(Analyser(watch.subjects(), engine_of(config), judging=True))
        incidents = Incidents(config, _Silence(config, IncidentCards(config)), watch.subjects)
        self._pipeline = Pipeline(self._store, self._clock, watch, self._ahead, incidents)
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(Here())
        self._told = 0

    def close(self) -> None:
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()
        self._store.close()

    def play(self, lines: Sequence[Line]) -> Iterator[dict[str, Any]]:
        played = 0
        for start in range(0, len(lines), AHEAD):
            read = [post for line in lines[start : start + AHEAD] if (post := self._post(line)) is not None]
            self._ahead.look(read)
            for moment, batch in self._ahead.batches(read):
                # Live incidents are judged again and again while nothing is said.
                yield from self._wait_until(moment)
                yield from self._take(batch)
            played += len(read)
            if played // TELL_EVERY != (played - len(read)) // TELL_EVERY and read:
                self._say(Text("cli.replay_progress", {"n": played, "at": iso(read[-1].published_at)}))
        yield from self._wait_until(self._clock.now() + AFTERMATH)

    def _post(self, line: Line) -> Post | None:
        try:
            post = parse_post(orjson.loads(line[1]), source="replay", platform="other", now=ANY_TIME)
        except PostError as error:
            self._say(
                Text("cli.replay_rejected", {"place": line[1][:60].decode(errors="replace"), "error": str(error)})
            )
            return None
        return post  # in a private store that goes with the replay

    def _take(self, batch: list[Post]) -> Iterator[dict[str, Any]]:
        now = batch[-1].published_at
        self._clock.set(now)
        self._store.write_now(lambda db: accept.keep(db, accept.Reading(batch), (), "replay", now))
        yield from self._step()

    def _wait_until(self, moment: int) -> Iterator[dict[str, Any]]:
        """Let minutes pass as long as an incident is live; without one nothing can happen in an empty hour."""
        while self._store.read_now(incident_store.live) and self._clock.now() + MINUTE < moment:
            self._clock.set(self._clock.now() + MINUTE)
            yield from self._step()

    def _step(self) -> Iterator[dict[str, Any]]:
        while self._loop.run_until_complete(self._pipeline.step()):
            pass
        yield from self._store.read_now(self._new_alerts)

    def _new_alerts(self, db: Database) -> list[dict[str, Any]]:
        rows = db.conn.execute(
            "SELECT t.id, t.happened_at, t.kind, t.params, i.id, i.subject FROM timeline t JOIN incident i"
            " ON i.id = t.incident WHERE t.id > ? AND t.kind IN (?, ?, ?) ORDER BY t.id",
            (self._told, *ALERTS),
        ).fetchall()
        if rows:
            self._told = rows[-1][0]
        return [self._alert(*row[1:]) for row in rows]

    def _alert(self, at: int, change: str, params: str, incident: str, subject: str) -> dict[str, Any]:
        data = orjson.loads(params)
        said = [render(words.signal(Signal.from_json(signal)), self._language) for signal in data.get("signals", ())]
        if not said:
            grades = {name: Text(f"grade.{data[name]}") for name in ("before", "grade")}
            said = [render(Text(f"timeline.{change}", {**data, **grades}), self._language)]
        return {
            "at": iso(at),
            "incident": incident,
            "grade": data["grade"],
            "reason": ("；" if self._language == "zh-CN" else "; ").join(said[:REASONS_TOLD]),
            "subject": subject,
            "change": change,
        }


class _Ahead(Analyser):
    """Analyses many minutes at once, because a call costs as much for one post as for fifty, and knows from it which
    posts are about somebody."""

    def __init__(self, inner: Analyser) -> None:
        self.subjects = inner.subjects
        self._inner = inner
        self._known: dict[bytes, Analysis] = {}
        self._relevant: set[bytes] = set()

    def look(self, read: Sequence[Post]) -> None:
        found = self._inner.analyse(read)
        self._known = {posts.digest_of(post): analysis for post, analysis in zip(read, found, strict=True)}

    def batches(self, read: Sequence[Post]) -> Iterator[tuple[int, list[Post]]]:
        """Batches of at most one minute of talk, each with the moment it begins. Posts about nobody are taken along
        whenever: they change nothing, but must be stored before those that answer them."""
        batch: list[Post] = []
        begun_at = 0
        for post in read:
            if batch and (len(batch) >= BATCH or (begun_at and post.published_at // MINUTE != begun_at // MINUTE)):
                yield begun_at or batch[-1].published_at, batch
                batch, begun_at = [], 0
            batch.append(post)
            if self._about_somebody(post) and not begun_at:
                begun_at = post.published_at
        if batch:
            yield begun_at or batch[-1].published_at, batch

    def _about_somebody(self, post: Post) -> bool:
        """By its own words, or by those of the post that it answers or passes on."""
        digest = posts.digest_of(post)
        above = [posts.digest_of(replace(post, id=name)) for name in (post.parent_id, post.root_id) if name]
        relevant = bool(self._known[digest].subjects) or any(name in self._relevant for name in above)
        if relevant:
            self._relevant.add(digest)
        return relevant

    def analyse(self, posts_: Sequence[Post]) -> list[Analysis]:
        found = [self._known.get(posts.digest_of(post)) for post in posts_]
        if all(found):
            return [analysis for analysis in found if analysis is not None]
        return self._inner.analyse(posts_)


class _Silence(Notices):
    """Nobody is told anything in a replay."""

    def show(self, db: Database, incident: Incident, now: int, **how: Any) -> None:
        """Nothing."""

    def say(self, db: Database, incident: Incident, text: Text, now: int, *, key: str, reason: str) -> None:
        """Nothing."""

    def chart(self, db: Database, incident: Incident, now: int, *, key: str) -> None:
        """Nothing."""

    def call(
        self, db: Database, incident: Incident, persons: Iterable[PersonConfig], text: Text, now: int, *, key: str
    ) -> None:
        """Nothing."""
