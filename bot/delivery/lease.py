"""A lease in the store: one worker at a time, a successor within seconds of its death."""

from sqlite_utils import Database

from bot.clock import Clock
from bot.store.database import Priority, Store


class Lease:
    """``name`` is what is leased, ``holder`` who we are, ``duration`` how long a holder may be silent (ms)."""

    def __init__(self, store: Store, clock: Clock, name: str, holder: str, duration: int) -> None:
        self._store = store
        self._clock = clock
        self._name = name
        self._holder = holder
        self._duration = duration
        self._held = False

    async def acquire(self) -> None:
        """Return once we hold it."""
        while not await self._take():
            await self._clock.sleep(min(1000, self._duration // 3))
        self._held = True

    async def keep(self) -> None:
        """Renew until it is lost, then return."""
        while await self._take():
            await self._clock.sleep(self._duration // 3)
        self._held = False

    async def release(self) -> None:
        """Give it back, so that a successor need not wait."""
        if self._held:
            self._held = False
            await self._store.write(
                lambda db: db.conn.execute(
                    "DELETE FROM lease WHERE name = ? AND holder = ?", (self._name, self._holder)
                ),
                Priority.PEOPLE,
            )

    async def _take(self) -> bool:
        now = self._clock.now()

        def job(db: Database) -> bool:
            return bool(
                db.conn.execute(
                    "INSERT INTO lease (name, holder, until) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE"
                    " SET holder = excluded.holder, until = excluded.until WHERE holder = excluded.holder OR until < ?",
                    (self._name, self._holder, now + self._duration, now),
                ).rowcount
            )

        return await self._store.write(job, Priority.PEOPLE)
