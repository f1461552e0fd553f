"""The console as a chat: a delivery is a row, and everybody who looks at the page sees it at once."""

from sqlite_utils import Database

from bot.chat.console import messages
from bot.chat.console.hub import Hub
from bot.chat.console.messages import Draft
from bot.clock import Clock
from bot.delivery.chat import AttachmentMaker, Pace, Refused
from bot.delivery.outbox import Placement, Row
from bot.model.message import Message
from bot.store.database import Priority, Store

DIRECT = "@"  # channels that begin with it belong to one account


class ConsoleChat:
    """Implements ``bot.delivery.chat.Chat``. ``accounts`` are the members' console accounts: a message addressed to
    one of them goes into the channel between Fengbo and that member."""

    name = "console"

    def __init__(
        self,
        store: Store,
        clock: Clock,
        hub: Hub,
        accounts: frozenset[str] = frozenset(),
        make: AttachmentMaker | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._hub = hub
        self._accounts = accounts
        self._make = make

    def pace(self, destination: str) -> Pace | None:
        return None

    async def send(self, row: Row, placement: Placement | None, thread: Placement | None) -> Placement | None:
        """Write the message down, once per outbox key, and tell the connected pages."""
        message = row.message
        if not message.address:
            raise Refused(f"{message.destination!r} names no console channel")
        draft = await self._draft(row, thread)
        now = self._clock.now()
        here = int(placement.reference["id"]) if placement else 0

        def write(db: Database) -> tuple[int, int]:
            # A message that retention has removed cannot be rewritten; it is said anew.
            stands = here and messages.rewrite(db, here, draft, now)
            return (here if stands else messages.post(db, draft, now)), messages.latest(db)

        identity, revision = await self._store.write(write, Priority.DELIVERY)
        self._hub.notify(revision)
        return _placement(identity)

    async def find(self, row: Row) -> tuple[bool, Placement | None]:
        """The row's key tells for sure whether a first delivery arrived; a rewrite is simply done again."""
        identity = await self._store.read(lambda db: messages.by_key(db, row.key))
        return (True, _placement(identity)) if identity else (False, None)

    async def _draft(self, row: Row, thread: Placement | None) -> Draft:
        message = row.message
        channel, audience = self._where(message)
        made = None
        if message.attachment is not None and self._make is not None:
            made = await self._make(message.attachment, message.language)
        return Draft(
            channel=channel,
            key=row.key,
            audience=audience,
            object=message.object,
            thread=int(thread.reference["id"]) if thread else 0,
            card=message.card,
            text=message.text,
            mentions=message.mentions,
            made=made,
            drill=message.drill or (message.card.drill if message.card else ""),
        )

    def _where(self, message: Message) -> tuple[str, str]:
        """Channel and audience. What is addressed to a member is seen by that member alone."""
        address = message.address
        if address.startswith(DIRECT):
            return address, address[len(DIRECT) :]
        if address in self._accounts:
            return DIRECT + address, address
        return address, message.audience


def _placement(identity: int) -> Placement:
    return Placement(f"console/{identity}", {"id": identity})
