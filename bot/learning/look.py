"""The errand that looks through the record: on a reader, in a thread, so that nobody's click waits for it."""

from collections.abc import Callable

from sqlite_utils import Database

from bot.clock import Clock
from bot.delivery import outbox
from bot.delivery.timers import Timer
from bot.incidents import words
from bot.learning.proposal_cards import WEEK, ProposalNotices, list_card
from bot.learning.proposals import Proposals
from bot.model.message import Message
from bot.store.database import Store


class LookErrand:
    def __init__(self, store: Store, clock: Clock, proposals: Proposals, notices: ProposalNotices) -> None:
        self._store = store
        self._clock = clock
        self._proposals = proposals
        self._notices = notices

    async def __call__(self, timer: Timer) -> Callable[[Database, int], None]:
        found = await self._store.read(lambda db: self._proposals.look(db, self._clock.now()))

        def apply(db: Database, now: int) -> None:
            fresh = self._proposals.renew(db, found, now)
            if timer.object == WEEK:
                self._notices.looked(db, timer, fresh, now)
                return
            asked = timer.payload
            card = list_card(self._proposals.open_ones(db), words.clock_time(now), asked["language"])
            message = Message(
                asked["destination"], card=card, audience=asked["audience"], reply=asked["reply"],
                language=asked["language"], reason="answer",
            )  # fmt: skip
            outbox.enqueue(db, message, f"library_look:{timer.id}", now)

        return apply
