"""What a Slack workspace remembers: people, channels, messages, views, files, and what expires."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.clock import MINUTE, SECOND, Clock
from bot.testkit.slack_blocks import find_elements, visible_text

TRIGGER_LIFE = 3 * SECOND
RESPONSE_URL_LIFE = 30 * MINUTE
RESPONSE_URL_USES = 5
TEAM_ID = "T0FENGBO"
APP_ID = "A0FENGBO"
BOT_USER = "U0FENGBO"
BOT_ID = "B0FENGBO"


class SlackError(Exception):
    """An ``ok: false`` answer with Slack's error word and whatever else belongs in the body."""

    def __init__(self, error: str, **extra: Any) -> None:
        super().__init__(error)
        self.error = error
        self.extra = extra


@dataclass(slots=True)
class Message:
    """A message as it stands now; ``revisions`` holds what it showed before, oldest first."""

    ts: str
    channel: str
    user: str
    text: str
    blocks: list[dict[str, Any]] = field(default_factory=list)
    metadata: dict[str, Any] | None = None
    thread_ts: str | None = None
    from_bot: bool = False
    broadcast: bool = False
    ephemeral_for: str | None = None
    files: list[dict[str, Any]] = field(default_factory=list)
    attachments: list[dict[str, Any]] = field(default_factory=list)
    edited_ts: str | None = None
    revisions: list[str] = field(default_factory=list)

    @property
    def visible(self) -> str:
        """What a reader sees: the blocks' texts, or the text where there are no blocks."""
        return visible_text(self.blocks) if self.blocks else self.text

    @property
    def is_reply(self) -> bool:
        return self.thread_ts is not None and self.thread_ts != self.ts

    @property
    def elements(self) -> list[dict[str, Any]]:
        """Buttons and menus on the message."""
        return find_elements(self.blocks)

    def element(self, name: str) -> dict[str, Any]:
        """The element with this ``action_id``, value or visible label; ``LookupError`` names what there is."""
        for element in self.elements:
            label = element.get("text", {}).get("text") if isinstance(element.get("text"), Mapping) else None
            if name in (element["action_id"], element.get("value"), label):
                return element
        there = [element["action_id"] for element in self.elements]
        raise LookupError(f"no element {name!r} on message {self.ts}; there are {there}")

    def as_json(self, *, metadata: bool = False) -> dict[str, Any]:
        body: dict[str, Any] = {"type": "message", "user": self.user, "ts": self.ts, "text": self.text}
        body["team"] = TEAM_ID
        if self.from_bot:
            body |= {"bot_id": BOT_ID, "app_id": APP_ID}
        for name in ("blocks", "attachments", "files", "thread_ts"):
            if getattr(self, name):
                body[name] = getattr(self, name)
        if self.is_reply:
            body["parent_user_id"] = BOT_USER
        if self.edited_ts:
            body["edited"] = {"user": self.user, "ts": self.edited_ts}
        if metadata and self.metadata:
            body["metadata"] = self.metadata
        return body


@dataclass(slots=True)
class Channel:
    id: str
    name: str
    is_private: bool = False
    is_archived: bool = False
    is_im: bool = False
    members: set[str] = field(default_factory=set)
    topic: str = ""
    messages: list[Message] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": self.name,
            "is_channel": not self.is_private and not self.is_im,
            "is_im": self.is_im,
            "is_private": self.is_private or self.is_im,
            "is_archived": self.is_archived,
            "is_member": BOT_USER in self.members,
            "num_members": len(self.members),
            "topic": {"value": self.topic, "creator": BOT_USER, "last_set": 0},
            "purpose": {"value": "", "creator": "", "last_set": 0},
        }


@dataclass(slots=True)
class View:
    """A modal on somebody's screen, or a home tab."""

    id: str
    user: str
    body: dict[str, Any]
    hash: str
    closed: bool = False

    @property
    def visible(self) -> str:
        return visible_text([self.body.get("title"), self.body.get("blocks")])

    def as_json(self) -> dict[str, Any]:
        rest = {"id": self.id, "team_id": TEAM_ID, "hash": self.hash, "app_id": APP_ID, "bot_id": BOT_ID}
        state: dict[str, Any] = {"state": {"values": {}}} if "state" not in self.body else {}
        return {"private_metadata": "", "callback_id": "", "external_id": "", **self.body, **rest, **state}


@dataclass(slots=True)
class ResponseUrl:
    user: str
    channel: str
    message_ts: str | None
    issued_at: int
    uses: int = 0


@dataclass(slots=True)
class Upload:
    id: str
    name: str
    size: int
    content: bytes | None = None
    title: str = ""


@dataclass(slots=True)
class Workspace:
    """State of the fake, without HTTP."""

    clock: Clock
    channels: dict[str, Channel] = field(default_factory=dict)
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    views: dict[str, View] = field(default_factory=dict)
    homes: dict[str, View] = field(default_factory=dict)
    triggers: dict[str, tuple[str, int]] = field(default_factory=dict)
    used_triggers: set[str] = field(default_factory=set)
    response_urls: dict[str, ResponseUrl] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    ephemerals: list[Message] = field(default_factory=list)
    invite_limit: int = 30
    _last_ts: int = 0
    _last_number: int = 0

    def number(self) -> int:
        self._last_number += 1
        return self._last_number

    def new_ts(self) -> str:
        """Seconds with six decimals, unique and rising in the workspace."""
        self._last_ts = max(self.clock.now() * 1000, self._last_ts + 1)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def add_user(self, user: str, name: str, language: str = "zh-CN") -> None:
        profile = {"display_name": name, "real_name": name, "email": f"{user.lower()}@corp.example"}
        self.users[user] = {
            "id": user,
            "team_id": TEAM_ID,
            "name": user.lower(),
            "real_name": name,
            "deleted": False,
            "is_bot": user == BOT_USER,
            "locale": language,
            "tz": "Asia/Shanghai",
            "tz_offset": 28800,
            "profile": profile,
        }

    def add_channel(self, channel: str, name: str, *, with_bot: bool = True, is_private: bool = False) -> Channel:
        """A channel with everybody known so far, and the bot unless ``with_bot`` is false."""
        members = {user for user in self.users if user != BOT_USER} | ({BOT_USER} if with_bot else set())
        self.channels[channel] = Channel(channel, name, is_private=is_private, members=members)
        return self.channels[channel]

    def find_channel(self, name: object) -> Channel:
        """By id, ``#name``, or a user id (their direct messages); raises ``channel_not_found``."""
        text = str(name or "")
        if text in self.channels:
            return self.channels[text]
        if text in self.users:
            return self.direct_messages(text)
        for channel in self.channels.values():
            if text.removeprefix("#") == channel.name:
                return channel
        raise SlackError("channel_not_found")

    def direct_messages(self, user: str) -> Channel:
        identity = f"D{user[1:]}"
        if identity not in self.channels:
            self.channels[identity] = Channel(identity, user, is_im=True, members={user, BOT_USER})
        return self.channels[identity]

    def post(self, message: Message) -> Message:
        """Put a message on the screen, giving blocks and elements the ids Slack would give them."""
        message.blocks = self.with_ids(message.blocks)
        if message.ephemeral_for:
            self.ephemerals.append(message)
        else:
            self.channels[message.channel].messages.append(message)
        return message

    def edit(self, message: Message, text: str | None, blocks: list[dict[str, Any]] | None) -> None:
        """Show something else; Slack drops the blocks when only text is given."""
        message.revisions.append(message.visible)
        message.text = text if text is not None else message.text
        message.blocks = self.with_ids(blocks or [])
        if not message.blocks:
            message.edited_ts = self.new_ts()

    def with_ids(self, blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
        filled = []
        for block in blocks:
            whole = {"block_id": f"b{self.number()}", **block}
            if isinstance(whole.get("elements"), list) and whole["type"] == "actions":
                whole["elements"] = [{"action_id": f"a{self.number()}", **element} for element in whole["elements"]]
            filled.append(whole)
        return filled

    def find_message(self, channel: Channel, ts: object) -> Message:
        for message in channel.messages:
            if message.ts == ts:
                return message
        raise SlackError("message_not_found")

    # -- things that expire -------------------------------------------------------------------------------------

    def new_trigger(self, user: str) -> str:
        trigger = f"{self.number()}.{self.clock.now()}.trigger"
        self.triggers[trigger] = (user, self.clock.now())
        return trigger

    def use_trigger(self, trigger: object) -> str:
        """The user of a trigger; each opens one view within three seconds."""
        if trigger not in self.triggers:
            raise SlackError("invalid_trigger_id")
        user, issued_at = self.triggers[str(trigger)]
        if trigger in self.used_triggers:
            raise SlackError("exchanged_trigger_id")
        if self.clock.now() - issued_at > TRIGGER_LIFE:
            raise SlackError("expired_trigger_id")
        self.used_triggers.add(str(trigger))
        return user

    def new_response_url(self, user: str, channel: str, message_ts: str | None = None) -> str:
        """The path of a fresh response URL."""
        key = f"{TEAM_ID}/{self.number()}/answer"
        self.response_urls[key] = ResponseUrl(user, channel, message_ts, self.clock.now())
        return f"/actions/{key}"

    def use_response_url(self, key: str) -> ResponseUrl:
        entry = self.response_urls.get(key)
        if entry is None:
            raise SlackError("invalid_url")
        if self.clock.now() - entry.issued_at > RESPONSE_URL_LIFE:
            raise SlackError("expired_url")
        if entry.uses >= RESPONSE_URL_USES:
            raise SlackError("used_url")
        entry.uses += 1
        return entry
