"""The whole process in virtual time, without doors: nothing is sent, nobody is called, and the same words at the same
moments give the same record. For scripted drills."""

import asyncio
import itertools
from typing import Any

from sqlite_utils import Database

from bot.app import App
from bot.clock import SECOND, VirtualClock
from bot.config import Config
from bot.delivery import timers
from bot.incidents.notices import Notices
from bot.incidents.people import account
from bot.model.incident import Incident
from bot.model.message import Event
from bot.store import incidents as incident_store
from bot.store.inline import InlineStore

TICK = 30 * SECOND  # live incidents are judged again this often


class _Unseen(Notices):
    """A card is a view that nobody looks at here, and rendering it after every post is most of the work of a drill."""

    def show(self, db: Database, incident: Incident, now: int, **how: Any) -> None:
        """Nothing."""


class Rehearsal:
    """``config.store`` is written to, so name a file of its own. ``inline`` works without threads; ``unseen`` does too
    and renders no incident card; alone it keeps all rows in memory."""

    def __init__(self, config: Config, start: int, *, inline: bool = False, unseen: bool = False) -> None:
        self.clock = VirtualClock(start)
        store = InlineStore(config.store if inline else "") if inline or unseen else None
        self.app = App(config, clock=self.clock, store=store, notices=_Unseen if unseen else Notices)
        self._numbers = itertools.count(1)
        self._begun = False

    def say(self, person_id: str, line: str) -> list[str]:
        """Let a configured person say a line in the drill channel; returns the answers."""
        person = self.app.config.person(person_id)
        if person is None:
            raise LookupError(f"nobody is called {person_id!r}")
        chat = next((name for name in ("console", "slack", "wecom") if account(person, name)), "console")
        event = Event(chat=chat, destination=f"{chat}:drill", account=account(person, chat), line=line)
        number = next(self._numbers)

        def job(db: Database) -> list[str]:
            now = self.clock.now()
            self.app.dispatcher.handle(db, number, event, now, now)
            return [
                row[0]
                for row in db.conn.execute(
                    "SELECT message FROM outbox WHERE key LIKE ? ORDER BY id", (f"inbox:{number}:%",)
                )
            ]

        return self.app.store.write_now(job)

    async def until(self, moment: int) -> None:
        """Let everything happen that is due up to a moment."""
        if not self._begun:
            self._begun = True
            await self.app.pipeline.start()
        while True:
            await self._settle()
            now = self.clock.now()
            if now >= moment:
                return
            following = await self.app.store.read(timers.next_due)
            live = await self.app.store.read(incident_store.live)
            moments = [moment, *([now + TICK] if live else []), *([following] if following is not None else [])]
            self.clock.set(max(min(moments), now + 1))

    async def _settle(self) -> None:
        while await self.app.alarm.fire_due():
            pass
        await self.app.alarm.home()
        while await self.app.pipeline.step():
            pass
        await asyncio.sleep(0)

    def close(self) -> None:
        self.app.store.close()
