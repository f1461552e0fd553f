"""Sends the outbox: one lane of work per destination, in order, paced, without one holding up another."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Mapping

from sqlite_utils import Database

from bot.clock import MINUTE, SECOND, Clock
from bot.delivery import outbox
from bot.delivery.chat import Blocked, Chat, Delay, Pace, Refused, Unclear
from bot.delivery.lanes import Lanes
from bot.delivery.outbox import Placement, Row
from bot.model.message import masked
from bot.store.database import Priority, Store

log = logging.getLogger(__name__)

FIRST_PAUSE = 1 * SECOND
LONGEST_PAUSE = 5 * MINUTE
SEND_TIMEOUT = 60 * SECOND
# A message that an adapter cannot even handle must not keep its destination waiting for ever.
TRIES_OF_A_DEFECT = 5
# So many cards and notices are on their way into one chat at a moment, answers not counted. After a standstill hundreds
# of places have something to say at once; who presses a button then shares the processor with a few of them, not all.
AT_ONCE = 8

Failed = Callable[[Database, Row, str, int], None]
Observe = Callable[[str, str, int], None]


class Sender:
    """``drill_destinations`` are the only ones a drill's message may go to; ``on_failed`` runs in the transaction that
    marks a message as failed; ``observe(chat, outcome, waited ms)`` feeds the metrics."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        chats: Mapping[str, Chat],
        *,
        drill_destinations: frozenset[str] = frozenset(),
        on_failed: Failed | None = None,
        observe: Observe | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._chats = chats
        self._drill_destinations = drill_destinations
        self._on_failed = on_failed or (lambda db, row, error, now: None)
        self._observe = observe or (lambda chat, outcome, waited: None)
        self._lanes = Lanes(
            clock, self._waiting, self._drain, lambda place: f"sending to {masked(place)}", self._rewound
        )
        self._defects: dict[int, int] = {}
        self._turns = defaultdict[str, asyncio.Semaphore](lambda: asyncio.Semaphore(AT_ONCE))

    def wake(self) -> None:
        """Something was enqueued."""
        self._lanes.wake()

    async def run(self) -> None:
        """Send until cancelled; lanes under way are given up at cancellation and resumed from their rows."""
        await self._lanes.run()

    async def idle(self) -> bool:
        """Whether nothing is due to be sent now (tests and graceful stops wait for it)."""
        return await self._lanes.idle()

    async def _waiting(self) -> list[tuple[str, int]]:
        found = [(place, not_before) for place, not_before, _ in await self._store.read(outbox.destinations)]
        return sorted(found, key=lambda lane: not _answers(lane[0]))

    async def _rewound(self, now: int, before: int) -> None:
        await self._store.write(lambda db: outbox.rewound(db, now, before + LONGEST_PAUSE), Priority.DELIVERY)

    async def _drain(self, destination: str) -> None:
        """Send the head of one destination until it is empty, paced or blocked."""
        chat = self._chats.get(destination.partition(":")[0])
        while True:
            if chat is None or _answers(destination):
                goes_on = await self._send_head(destination, chat)
            else:
                async with self._turns[chat.name]:
                    goes_on = await self._send_head(destination, chat)
            if not goes_on:
                return

    async def _send_head(self, destination: str, chat: Chat | None) -> bool:
        """One row, if the limit and its time allow; False ends the lane."""
        now = self._clock.now()
        if chat is not None and (wait := self._wait_for_pace(destination, chat.pace(destination), now)):
            self._lanes.pause(destination, now + wait)
            return False
        # The place in the limit is taken before the send: two lanes of one address must not share the last one.
        self._lanes.take(_lane_limit_key(destination), now)
        row = await self._claim(destination, now)
        if row is None:
            self._lanes.give_back(_lane_limit_key(destination), now)
            return False
        if chat is None:
            await self._fail(row, f"no chat is configured for {destination}")
            return True
        if row.message.drill and destination.partition("#")[0] not in self._drill_destinations:
            await self._fail(row, "a drill may not reach this destination")
            return True
        return await self._deliver(chat, row)

    async def _claim(self, destination: str, now: int) -> Row | None:
        return await self._store.write(lambda db: outbox.claim(db, destination, now), _priority(destination))

    async def _deliver(self, chat: Chat, row: Row) -> bool:
        """One try of one row; False ends the lane until the row's new time."""
        destination = row.message.destination
        placement, arrived, unclear = None, False, row.unclear
        try:
            if unclear:
                arrived, placement = await asyncio.wait_for(chat.find(row), SEND_TIMEOUT / 1000)
                unclear = False  # until we have looked it stays unclear, whatever keeps us from looking
            if not arrived:
                target, thread = await self._store.read(lambda db: self._placements(db, row))
                placement = await asyncio.wait_for(chat.send(row, target, thread), SEND_TIMEOUT / 1000)
        except Delay as error:
            await self._later(row, error.milliseconds, str(error), unclear=unclear)
            self._observe(chat.name, "delayed", 0)
            return False
        except Blocked as error:
            await self._later(row, _pause(row.attempts), str(error), unclear=unclear)
            self._observe(chat.name, "blocked", 0)
            return False
        except (Unclear, TimeoutError) as error:
            await self._later(row, _pause(row.attempts), str(error) or "no answer in time", unclear=True)
            self._observe(chat.name, "unclear", 0)
            return False
        except Refused as error:
            self._observe(chat.name, "refused", 0)
            await self._fail(row, str(error))
            return True
        except Exception as error:  # a defect of the adapter: logged, tried again, and in the end shown as failed
            log.exception("message %s to %s met a defect", row.key, masked(destination))
            self._observe(chat.name, "defect", 0)
            return await self._defective(row, f"{type(error).__name__}: {error}")
        self._defects.pop(row.id, None)
        now = self._clock.now()
        await self._store.write(lambda db: outbox.sent(db, row, now, placement), _priority(destination))
        self._observe(chat.name, "sent", now - row.created_at)
        return True

    async def _defective(self, row: Row, error: str) -> bool:
        self._defects[row.id] = self._defects.get(row.id, 0) + 1
        if self._defects[row.id] >= TRIES_OF_A_DEFECT:
            del self._defects[row.id]
            await self._fail(row, error)
            return True
        await self._later(row, _pause(row.attempts), error, unclear=True)
        return False

    def _placements(self, db: Database, row: Row) -> tuple[Placement | None, Placement | None]:
        message = row.message
        target = outbox.placement(db, message.object, message.destination) if message.object else None
        thread = outbox.placement(db, message.thread, message.destination) if message.thread else None
        return target, thread

    async def _later(self, row: Row, pause: int, error: str, *, unclear: bool) -> None:
        until = self._clock.now() + max(1, pause)
        place, why = _shown(row, error)
        log.warning("message %s to %s waits %d ms: %s", row.key, place, pause, why)
        await self._store.write(lambda db: outbox.later(db, row, until, error, unclear=unclear), Priority.DELIVERY)

    async def _fail(self, row: Row, error: str) -> None:
        now = self._clock.now()
        log.error("message %s to %s was refused: %s", row.key, *_shown(row, error))

        def job(db: Database) -> None:
            outbox.failed(db, row, error)
            self._on_failed(db, row, error, now)

        await self._store.write(job, Priority.DELIVERY)
        self._lanes.wake()

    def _wait_for_pace(self, destination: str, pace: Pace | None, now: int) -> int:
        """Milliseconds until the destination's documented limit allows one more message."""
        return self._lanes.wait_for(_lane_limit_key(destination), pace.count, pace.period, now) if pace else 0


def _lane_limit_key(destination: str) -> str:
    """Lanes other than answers share their address's limit."""
    return destination if _answers(destination) else destination.partition("#")[0]


def _answers(destination: str) -> bool:
    return destination.partition("#")[2].startswith("reply")


def _priority(destination: str) -> Priority:
    """Somebody waits for an answer; five hundred cards that are brought up to date can stand in line behind it."""
    return Priority.PEOPLE if _answers(destination) else Priority.DELIVERY


def _shown(row: Row, error: str) -> tuple[str, str]:
    """Destination and reason as a log may hold them: a customer's address stays in its row."""
    place, address = masked(row.message.destination), row.message.address
    hidden = masked(f"{row.message.chat}:{address}").partition(":")[2]
    return place, error.replace(address, hidden) if address else error


def _pause(attempts: int) -> int:
    """Growing pauses: 1 s, 2 s, 4 s … five minutes."""
    return int(min(FIRST_PAUSE * 2**attempts, LONGEST_PAUSE)) if attempts < 30 else LONGEST_PAUSE
