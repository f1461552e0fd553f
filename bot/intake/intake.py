"""The one door for posts: from pushes, hooks, polls, files, hands and the demonstration alike."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from sqlite_utils import Database

from bot.clock import Clock
from bot.config import Config, SourceConfig
from bot.intake import accept
from bot.intake.accept import Accepted
from bot.intake.minimise import Minimiser
from bot.sources import alertmanager
from bot.sources.hook import HookMapper, verify_bearer, verify_hmac
from bot.store.database import Priority, Store

# A transaction of this many posts takes some 20 ms: a click that comes between two of them hardly waits.
CHUNK = 500
READ_OFF_LOOP = 200


class HookRefused(Exception):
    """A push may not come in. ``status`` is the HTTP answer, ``code`` stable, the message plain English."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class Intake:
    """``note_push(db, source, count, now)`` keeps the source's health; ``stored`` is called after every commit that
    brought something new, with the outcome counts."""

    def __init__(
        self,
        config: Config,
        store: Store,
        clock: Clock,
        minimiser: Minimiser,
        note_push: Callable[[Database, str, int, int], None],
        stored: Callable[[Accepted], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._minimiser = minimiser
        self._note_push = note_push
        self._stored = stored
        self._hooks = {
            source.id: source for source in config.sources if source.kind in ("hook", "alertmanager") and source.enabled
        }
        self._mappers: dict[str, HookMapper] = {}

    async def take(self, items: Sequence[Any], source: str, platform: str, *, drill: str = "") -> Accepted:
        """Read and store a batch; returns after the last commit. A batch may be repeated at will."""
        now = self._clock.now()
        if len(items) >= READ_OFF_LOOP:
            reading = await asyncio.to_thread(self._read, items, source, platform, now, drill)
        else:
            reading = self._read(items, source, platform, now, drill)
        accepted = duplicates = 0
        for start in range(0, max(len(reading.posts), 1), CHUNK):
            part = accept.Reading(reading.posts[start : start + CHUNK], reading.rejected if start == 0 else [])
            result = await self._store.write(partial(self._keep, part, items, source, now), Priority.BULK)
            accepted += result.accepted
            duplicates += result.duplicates
        total = Accepted(accepted, duplicates, tuple(reading.rejected))
        self._stored(total)
        return total

    def take_now(self, db: Database, items: Sequence[Any], source: str, platform: str, now: int) -> Accepted:
        """The same inside the caller's transaction, for a few items."""
        reading = self._read(items, source, platform, now, "")
        result = self._keep(reading, items, source, now, db)
        self._stored(result)
        return result

    def verify_hook(self, source: str, headers: Mapping[str, str], body: bytes, now: int) -> None:
        """Raise ``HookRefused`` unless the push carries the source's bearer token or HMAC. Both configured: either."""
        config = self._hooks.get(source)
        if config is None:
            raise HookRefused(404, "no_such_source", f"there is no push source {source[:60]!r} in the configuration")
        token, key = config.secret("token"), config.secret("hmac")
        wants_secret = config.token_env or config.token_file or config.hmac_env or config.hmac_file
        if not wants_secret:
            return  # loopback only: check() and start-up refuse an open push source on a public address
        if token and verify_bearer(token, headers.get("Authorization")):
            return
        stamp = headers.get("X-Timestamp") if config.hmac_header != "X-Hub-Signature-256" else None
        if key and verify_hmac(key, body, headers.get(config.hmac_header), now, stamp):
            return
        raise HookRefused(401, "unauthorised", "the push carries neither the source's token nor a valid signature")

    async def take_payload(self, source: str, payload: Any) -> Accepted:
        """Map a vendor's payload to posts and take them in."""
        config = self._hooks[source]
        now = self._clock.now()
        rejected: list[tuple[str, str]] = []
        if config.kind == "alertmanager":
            items = alertmanager.posts_of(payload, now)
        else:
            items, rejected = self._mapper(config).map(payload, now)
        result = await self.take(items, source, config.platform or "other")
        bad = tuple((len(items) + index, error) for index, (_, error) in enumerate(rejected))
        return Accepted(result.accepted, result.duplicates, result.rejected + bad)

    def _mapper(self, config: SourceConfig) -> HookMapper:
        if config.id not in self._mappers:
            self._mappers[config.id] = HookMapper(config)
        return self._mappers[config.id]

    def _read(self, items: Sequence[Any], source: str, platform: str, now: int, drill: str) -> accept.Reading:
        return accept.read(items, self._minimiser, source=source, platform=platform, now=now, drill=drill)

    def _keep(self, reading: accept.Reading, items: Sequence[Any], source: str, now: int, db: Database) -> Accepted:
        result = accept.keep(db, reading, items, source, now)
        self._note_push(db, source, result.accepted + result.duplicates, now)
        return result
