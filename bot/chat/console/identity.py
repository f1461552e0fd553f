"""Who looks at the console. Without configured tokens everybody on this machine is the visitor; with tokens a member
signs in with a personal one and gets a signed cookie."""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlite_utils import Database

from bot.clock import DAY, MINUTE, Clock
from bot.config import Config, PersonConfig, TokenConfig
from bot.store.database import Store

COOKIE = "fengbo_session"
SEAT = "fengbo_seat"  # where nobody signs in: whose part the visitor plays
SESSION = 7 * DAY
KEY_NAME = "console.session_key"
TRIES = 10  # wrong tokens from one address …
TRIES_PERIOD = MINUTE  # … in this time
MAX_ADDRESSES = 10_000


@dataclass(frozen=True, slots=True)
class Member:
    """A person at the page. ``account`` is what messages and events carry; ``acts`` whether more than reading is
    allowed; ``visitor`` that nobody had to sign in."""

    account: str
    name: str
    acts: bool = True
    visitor: bool = False

    @property
    def direct(self) -> str:
        """The channel between Fengbo and this member."""
        return f"@{self.account}"


def account_of(person: PersonConfig) -> str:
    return person.console or person.id


class Identities:
    """``visitor`` names the person everybody is while no tokens are configured; the first person if it is empty."""

    def __init__(
        self, store: Store, clock: Clock, config: Config, people: Sequence[PersonConfig], visitor: str
    ) -> None:
        self._store = store
        self._clock = clock
        self._config = config
        self._people = {person.id: person for person in people}
        self._visitor = visitor
        self._key = b""
        self._failures: dict[str, list[int]] = {}

    @property
    def open(self) -> bool:
        """Whether nobody needs to sign in."""
        return not self._config.tokens

    def visitor(self, seat: str = "") -> Member:
        """Whoever sits at a machine without sign-in: the visitor, or the colleague whose part they play."""
        person = self._people.get(seat) or self._people.get(self._visitor) or next(iter(self._people.values()), None)
        if person is None:
            return Member("visitor", "", visitor=True)
        return Member(account_of(person), person.name, visitor=True)

    def name_of(self, account: str) -> str:
        """The name people know an account or a person's id by, the account itself where nobody has it."""
        found = (person.name for person in self._people.values() if account in (account_of(person), person.id))
        return next(found, account)

    @property
    def people(self) -> list[PersonConfig]:
        return list(self._people.values())

    async def member(self, cookie: str, seat: str = "") -> Member | None:
        """Who a request comes from, ``None`` if nobody has signed in. ``seat`` counts only where nobody has to."""
        if self.open:
            return self.visitor(seat)
        claim = await self._claim(cookie)
        if claim is None or int(claim["until"]) <= self._clock.now():
            return None
        token = next((token for token in self._config.tokens if token.name == claim["token"]), None)
        # The fingerprint ends the sessions of a token that was replaced or taken away.
        if token is None or not hmac.compare_digest(_fingerprint(token.secret("token")), str(claim["print"])):
            return None
        return self._member(token)

    async def sign_in(self, secret: str) -> str | None:
        """The cookie for a personal token, ``None`` if it is not one."""
        found: TokenConfig | None = None
        for token in self._config.tokens:
            value = token.secret("token")
            # Every token is compared, in constant time, so that the answer's timing says nothing.
            if value and hmac.compare_digest(_fingerprint(value), _fingerprint(secret)):
                found = token
        if found is None or self._member(found) is None:
            return None
        claim = {"token": found.name, "print": _fingerprint(secret), "until": self._clock.now() + SESSION}
        body = base64.urlsafe_b64encode(orjson.dumps(claim)).rstrip(b"=")
        return f"{body.decode()}.{_sign(await self._session_key(), body)}"

    def may_try(self, address: str) -> bool:
        """Whether an address has not guessed too often."""
        since = self._clock.now() - TRIES_PERIOD
        recent = [at for at in self._failures.get(address, []) if at > since]
        self._failures[address] = recent
        return len(recent) < TRIES

    def failed(self, address: str) -> None:
        if len(self._failures) > MAX_ADDRESSES:
            self._failures.clear()
        self._failures.setdefault(address, []).append(self._clock.now())

    def _member(self, token: TokenConfig) -> Member | None:
        person = self._people.get(token.person)
        if person is None or not {"act", "read"} & set(token.may):
            return None
        return Member(account_of(person), person.name, acts="act" in token.may)

    async def _claim(self, cookie: str) -> dict[str, Any] | None:
        body, _, signature = cookie.partition(".")
        if not signature or not cookie.isascii():
            return None
        if not hmac.compare_digest(_sign(await self._session_key(), body.encode()), signature):
            return None
        try:
            claim = orjson.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        except (binascii.Error, orjson.JSONDecodeError):
            return None
        return claim if isinstance(claim, dict) and {"token", "print", "until"} <= claim.keys() else None

    async def _session_key(self) -> bytes:
        """The key that signs cookies: made once per store."""
        if not self._key:
            self._key = bytes.fromhex(await self._store.write(_make_key))
        return self._key


def _make_key(db: Database) -> str:
    db.conn.execute(
        "INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING", (KEY_NAME, secrets.token_hex(32))
    )
    return str(db.conn.execute("SELECT value FROM setting WHERE name = ?", (KEY_NAME,)).fetchone()[0])


def _fingerprint(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _sign(key: bytes, body: bytes) -> str:
    return hmac.new(key, body, hashlib.sha256).hexdigest()
