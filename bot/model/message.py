"""What leaves and what arrives: messages to chats, events from chats."""

from dataclasses import dataclass, field
from typing import Any

from bot.model.card import Card


@dataclass(frozen=True, slots=True)
class Attachment:
    """A picture or file made at the moment of sending. ``kind`` names a registered maker, ``params`` its input."""

    kind: str
    params: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one destination.

    ``destination`` is ``<chat>:<address>`` with an optional ``#<lane>``: rows of one destination leave in order, a
    lane keeps an answer to a person out of the queue of a busy channel. With ``object`` the message is shown in
    place: the first one is posted, later ones rewrite it. ``thread`` names the object under which a message stands.
    ``mentions`` are accounts of that chat to be pinged. ``audience`` is the one account that sees an answer, empty for
    everybody. ``reply`` is the chat's own reply context (response URL, thread), taken from the event it answers.
    ``reason`` says why it was sent, as a catalogue key below ``reason.``. ``verbatim``: ``text`` is an approved text;
    a chat shows it whole, in one message and character for character, or refuses it. ``subject`` is the subject of
    such a mail.
    """

    destination: str
    card: Card | None = None
    text: str = ""
    object: str = ""
    thread: str = ""
    attachment: Attachment | None = None
    mentions: tuple[str, ...] = ()
    audience: str = ""
    reply: dict[str, Any] = field(default_factory=dict)
    language: str = "zh-CN"
    reason: str = ""
    drill: str = ""
    verbatim: bool = False
    subject: str = ""

    @property
    def chat(self) -> str:
        return self.destination.partition(":")[0]

    @property
    def address(self) -> str:
        return self.destination.partition(":")[2].partition("#")[0]

    def plain(self) -> str:
        """Text form of the whole message."""
        return self.card.plain() if self.card and not self.text else self.text

    def to_json(self) -> dict[str, Any]:
        return {
            "destination": self.destination,
            "card": self.card.to_json() if self.card else None,
            "text": self.text,
            "object": self.object,
            "thread": self.thread,
            "attachment": {"kind": self.attachment.kind, "params": self.attachment.params} if self.attachment else None,
            "mentions": list(self.mentions),
            "audience": self.audience,
            "reply": self.reply,
            "language": self.language,
            "reason": self.reason,
            "drill": self.drill,
            **({"verbatim": True, "subject": self.subject} if self.verbatim else {}),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Message":
        return cls(
            destination=data["destination"],
            card=Card.from_json(data["card"]) if data.get("card") else None,
            text=data.get("text", ""),
            object=data.get("object", ""),
            thread=data.get("thread", ""),
            attachment=Attachment(**data["attachment"]) if data.get("attachment") else None,
            mentions=tuple(data.get("mentions", ())),
            audience=data.get("audience", ""),
            reply=data.get("reply", {}),
            language=data.get("language", "zh-CN"),
            reason=data.get("reason", ""),
            drill=data.get("drill", ""),
            verbatim=data.get("verbatim", False),
            subject=data.get("subject", ""),
        )


def masked(destination: str) -> str:
    """A destination as logs and notices may show it: whose address it is stays with the row."""
    place, mark, lane = destination.partition("#")
    chat, _, address = place.partition(":")
    if chat == "email":
        local, _, domain = address.rpartition("@")
        address = f"{local[:1]}…@{domain}"
    elif chat == "sms":
        address = f"{address[:3]}…{address[-2:]}" if len(address) > 6 else "…"
    return f"{chat}:{address}{mark}{lane}"


@dataclass(frozen=True, slots=True)
class Event:
    """Something a person did in a chat: said a line, pressed a button, submitted a form.

    ``line`` is the command line in words (a button carries one); ``fields`` what a form added. ``account`` is the
    member's id in that chat. ``destination`` is where an answer goes, ``private`` whether only that member sees it.
    ``anchor`` is the chat's id of the message or thread it happened in, in the form the chat's placements use.
    ``shared`` is text of a message that the member pointed at (a shortcut), with its link in ``shared_url``.
    ``happened_at`` is the chat's own time stamp, 0 where it gives none.
    """

    chat: str
    account: str
    destination: str
    line: str
    account_name: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    anchor: str = ""
    private: bool = False
    reply: dict[str, Any] = field(default_factory=dict)
    shared: str = ""
    shared_url: str = ""
    happened_at: int = 0
    origin: str = "text"  # text | button | card (a button all saw pressed) | form | shortcut | menu

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Event":
        """Read a stored event; fields that only another version knows are left out, so that an upgrade taken back
        does not stop the inbox."""
        return cls(**{name: data[name] for name in cls.__slots__ if name in data})
