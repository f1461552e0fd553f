"""What a WeCom corporation remembers: members, tokens, messages on their screens, robots, chats, codes."""

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.clock import DAY, HOUR, MINUTE, SECOND, Clock
from bot.testkit.faults import Window
from bot.testkit.wecom_cards import WeComError, card_text

TOKEN_LIFE = 7200 * SECOND
RESPONSE_CODE_LIFE = 72 * HOUR
RECALL_LIFE = DAY
LONGEST_DUPLICATE_CHECK = 4 * 3600


@dataclass(slots=True)
class WeComMessage:
    """One message on the screens of its receivers. ``cards`` holds the card each of them sees now."""

    id: str
    kind: str
    receivers: list[str]
    sent_at: int
    body: Mapping[str, Any]
    text: str = ""
    was_cut: bool = False
    advice: list[str] = field(default_factory=list)
    task_id: str = ""
    cards: dict[str, dict[str, Any]] = field(default_factory=dict)
    greyed: dict[str, str] = field(default_factory=dict)
    revisions: list[str] = field(default_factory=list)
    recalled: bool = False

    def card(self, user: str) -> dict[str, Any]:
        """The card this person sees; ``LookupError`` when there is none."""
        return self.cards[user]

    def visible(self, user: str) -> str:
        """All text this person sees, a greyed button as its replacement."""
        if user not in self.cards:
            return self.text
        card = self.cards[user]
        if user in self.greyed:
            card = {**card, "button_list": [{"text": self.greyed[user]}]}
        return card_text(card)

    def buttons(self, user: str) -> list[dict[str, Any]]:
        """Buttons this person can still press."""
        if user in self.greyed:
            return []
        return list(self.cards.get(user, {}).get("button_list") or [])


@dataclass(slots=True)
class ResponseCode:
    message: WeComMessage
    issued_at: int
    used: bool = False


@dataclass(slots=True)
class RobotPost:
    """A message of a group robot."""

    kind: str
    body: Mapping[str, Any]
    text: str
    sent_at: int


@dataclass(slots=True)
class Corporation:
    """State of the fake, without HTTP."""

    clock: Clock
    members: dict[str, str]
    departments: dict[str, set[str]] = field(default_factory=dict)
    tags: dict[str, set[str]] = field(default_factory=dict)
    messages: list[WeComMessage] = field(default_factory=list)
    dropped: list[tuple[str, WeComMessage]] = field(default_factory=list)
    robots: dict[str, list[RobotPost]] = field(default_factory=dict)
    chats: dict[str, dict[str, Any]] = field(default_factory=dict)
    menu: dict[str, Any] | None = None
    media: dict[str, bytes] = field(default_factory=dict)
    codes: dict[str, ResponseCode] = field(default_factory=dict)
    task_ids: set[str] = field(default_factory=set)
    member_limits: bool = False
    _tokens: dict[str, int] = field(default_factory=dict)
    _duplicates: dict[str, int] = field(default_factory=dict)
    _minute: dict[str, Window] = field(default_factory=dict)
    _hour: dict[str, Window] = field(default_factory=dict)
    _number: int = 0

    def number(self) -> int:
        self._number += 1
        return self._number

    # -- tokens -------------------------------------------------------------------------------------------------

    def token(self) -> tuple[str, int]:
        """The current token and its remaining life in seconds; asking again gives the same one while it lives."""
        now = self.clock.now()
        for token, expires_at in self._tokens.items():
            if expires_at > now:
                return token, (expires_at - now) // SECOND
        token = secrets.token_urlsafe(48)
        self._tokens[token] = now + TOKEN_LIFE
        return token, TOKEN_LIFE // SECOND

    def revoke_tokens(self) -> None:
        """All tokens stop working before their time: 40014."""
        self._tokens.clear()

    def expire_tokens(self) -> None:
        """All tokens are past their life: 42001."""
        self._tokens = dict.fromkeys(self._tokens, self.clock.now())

    def check_token(self, token: str | None) -> None:
        if not token:
            raise WeComError(41001, "access_token missing")
        if token not in self._tokens:
            raise WeComError(40014, "invalid access_token")
        if self._tokens[token] <= self.clock.now():
            raise WeComError(42001, "access_token expired")

    # -- receivers ----------------------------------------------------------------------------------------------

    def resolve(self, body: Mapping[str, Any]) -> tuple[list[str], dict[str, str]]:
        """Members a send reaches, and ``invaliduser`` and its kin for those it does not; 81013 if it is nobody."""
        users, parties, tags = (_split(body.get(name)) for name in ("touser", "toparty", "totag"))
        if not users and not parties and not tags:
            raise WeComError(82001, "touser, toparty and totag all empty")
        if users == ["@all"]:
            return list(self.members), {"invaliduser": "", "invalidparty": "", "invalidtag": ""}
        by_lower = {member.lower(): member for member in self.members}
        found = [by_lower[user.lower()] for user in users if user.lower() in by_lower]
        found += [member for party in parties for member in sorted(self.departments.get(party, ()))]
        found += [member for tag in tags for member in sorted(self.tags.get(tag, ()))]
        invalid = {
            # Lower case whatever was sent: page 90236.
            "invaliduser": "|".join(user.lower() for user in users if user.lower() not in by_lower),
            "invalidparty": "|".join(party for party in parties if party not in self.departments),
            "invalidtag": "|".join(tag for tag in tags if tag not in self.tags),
        }
        if not found:
            raise WeComError(81013, "user & party & tag all invalid")
        return list(dict.fromkeys(found)), invalid

    def is_duplicate(self, body: Mapping[str, Any]) -> bool:
        """With ``enable_duplicate_check`` the same request JSON within its interval is not delivered again."""
        if not body.get("enable_duplicate_check"):
            return False
        interval = min(int(body.get("duplicate_check_interval") or 1800), LONGEST_DUPLICATE_CHECK)
        digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        now = self.clock.now()
        before = self._duplicates.get(digest)
        if before is not None and now - before < interval * SECOND:
            return True
        self._duplicates[digest] = now
        return False

    def show(self, message: WeComMessage) -> None:
        """Put it on the screens; a member over 30 a minute or 1,000 an hour gets nothing and nobody is told."""
        kept = []
        for user in message.receivers:
            minute = self._minute.setdefault(user, Window(30, MINUTE / SECOND))
            hour = self._hour.setdefault(user, Window(1000, HOUR / SECOND))
            now = self.clock.now()
            if self.member_limits and (minute.wait(now) or hour.wait(now)):
                self.dropped.append((user, message))
                message.cards.pop(user, None)
                continue
            minute.take(now)
            hour.take(now)
            kept.append(user)
        message.receivers = kept
        self.messages.append(message)

    # -- cards --------------------------------------------------------------------------------------------------

    def new_code(self, message: WeComMessage) -> str:
        code = f"code-{self.number()}-{secrets.token_urlsafe(12)}"
        self.codes[code] = ResponseCode(message, self.clock.now())
        return code

    def use_code(self, code: object) -> WeComMessage:
        entry = self.codes.get(str(code))
        # No page gives codes for an unknown or a stale response_code: a wrong parameter is the nearest.
        if entry is None:
            raise WeComError(40058, "invalid response_code")
        if entry.used:
            raise WeComError(42022, "response_code already used")
        if self.clock.now() - entry.issued_at > RESPONSE_CODE_LIFE:
            raise WeComError(40058, "response_code expired")
        entry.used = True
        return entry.message

    def change(self, message: WeComMessage, users: Iterable[str], button: str | None, card: Any) -> None:
        """Grey the buttons out under another name, or show another card."""
        for user in users:
            message.revisions.append(message.visible(user))
            if button is not None:
                message.greyed[user] = button
            else:
                message.greyed.pop(user, None)
                message.cards[user] = {"task_id": message.task_id, **card}


def _split(value: object) -> list[str]:
    return [item.strip() for item in str(value or "").split("|") if item.strip()]
