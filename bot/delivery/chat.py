"""What the sender asks of a chat, and how a chat says that something did not work."""

from dataclasses import dataclass
from typing import Protocol

from bot.delivery.outbox import Placement, Row
from bot.model.message import Attachment, Message


@dataclass(frozen=True, slots=True)
class Pace:
    """At most ``count`` messages in ``period`` milliseconds to one destination."""

    count: int
    period: int


@dataclass(frozen=True, slots=True)
class Made:
    """A made attachment: bytes, file name, media type and the text that stands for it where pictures cannot."""

    content: bytes
    name: str
    media_type: str
    caption: str


class AttachmentMaker(Protocol):
    async def __call__(self, attachment: Attachment, language: str) -> Made: ...


class Delay(Exception):
    """The chat asks to wait ``milliseconds``; the message has surely not been delivered."""

    def __init__(self, milliseconds: int, why: str) -> None:
        super().__init__(why)
        self.milliseconds = milliseconds


class Blocked(Exception):
    """Nothing gets through to this destination until somebody mends it (revoked token, archived channel, host
    unreachable before the request left). Retried with growing pauses; the message waits."""


class Unclear(Exception):
    """The request left but no answer came: it may have been delivered. The sender looks before it resends."""


class Refused(Exception):
    """The chat will never take this message. It is kept as failed and shown to the operators."""


class Chat(Protocol):
    """One live chat. ``name`` is the part of a destination before the colon."""

    name: str

    def pace(self, destination: str) -> Pace | None:
        """The documented limit for a destination, ``None`` where there is none."""
        ...

    async def send(self, row: Row, placement: Placement | None, thread: Placement | None) -> Placement | None:
        """Deliver; with ``placement`` rewrite the message there. Returns where it now stands, if it can be rewritten.

        Raises Delay, Blocked, Unclear or Refused.
        """
        ...

    async def find(self, row: Row) -> tuple[bool, Placement | None]:
        """After an unclear failure: whether the message did arrive, and where. A chat that cannot tell says False."""
        ...


__all__ = ["AttachmentMaker", "Blocked", "Chat", "Delay", "Made", "Message", "Pace", "Refused", "Unclear"]
