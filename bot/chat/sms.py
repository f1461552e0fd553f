"""Short messages as a one-way chat through any HTTP gateway: ``sms:13800000000``.

The gateway's JSON body is a template of the configuration with ``{phone}``, ``{text}`` and ``{id}``. The id is made
from the outbox key and also sent as ``Idempotency-Key``, so a gateway can recognise a resend.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

import aiohttp
import orjson

from bot.chat.mail_page import clean, web_address
from bot.clock import HOUR, MINUTE, SECOND, Clock
from bot.config import SmsConfig
from bot.delivery.chat import Blocked, Delay, Pace, Refused, Unclear
from bot.delivery.outbox import Placement, Row
from bot.model.message import Message
from bot.model.text import Text
from bot.texts import render

TIMEOUT_SECONDS = 10.0
# Two concatenated messages: 67 characters each in UCS-2, 153 in the seven-bit alphabet (3GPP TS 23.040).
WIDE_CHARACTERS = 2 * 67
NARROW_CHARACTERS = 2 * 153
_PHONE = re.compile(r"\+?[0-9]{5,15}")
_FIELD = re.compile(r"\{(phone|text|id)\}")


class SmsChat:
    """Implements ``bot.delivery.chat.Chat``. An edit without a reason is not sent: a short message cannot change."""

    name = "sms"

    def __init__(
        self,
        config: SmsConfig,
        clock: Clock,
        *,
        environ: Mapping[str, str] | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._config = config
        self._clock = clock
        self._token = config.secret("token", environ)
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds, sock_connect=timeout_seconds / 2)
        self._session: aiohttp.ClientSession | None = None

    def pace(self, destination: str) -> Pace | None:
        return None

    async def find(self, row: Row) -> tuple[bool, Placement | None]:
        """Gateways have no common way to ask; the id makes a resend harmless."""
        return False, None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def send(self, row: Row, placement: Placement | None, thread: Placement | None) -> Placement | None:
        """Send it; see ``Chat.send``."""
        message = row.message
        if placement is not None and message.object and not message.reason:
            return placement
        if not _PHONE.fullmatch(message.address):
            raise Refused(f"{message.address!r} is not a phone number")
        identity = hashlib.sha256(row.key.encode()).hexdigest()[:32]
        values = {"phone": message.address, "text": words(message), "id": identity}
        body = {name: _FIELD.sub(lambda match: values[match[1]], shape) for name, shape in self._config.body.items()}
        await self._post(identity, body)
        return Placement(identity, {}) if message.object else None

    async def _post(self, identity: str, body: dict[str, str]) -> None:
        headers = {"Content-Type": "application/json", "Idempotency-Key": identity}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout)
        try:
            async with self._session.post(
                self._config.url, data=orjson.dumps(body), headers=headers, allow_redirects=False
            ) as response:
                answer = await response.content.read(4096)
                status, retry_after = response.status, response.headers.get("Retry-After", "")
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            raise Blocked(f"cannot connect to the SMS gateway: {type(error).__name__}") from None
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unclear(f"no answer from the SMS gateway: {type(error).__name__}") from None
        self._sort(status, retry_after, answer)

    def _sort(self, status: int, retry_after: str, answer: bytes) -> None:
        """What a status asks of the sender; 409 is a gateway's word for an id it already has."""
        if status < 300 or status == 409:
            return
        why = f"HTTP {status} {answer[:200].decode(errors='replace')}".strip()
        if status in (429, 503):
            raise Delay(self._wait(retry_after), why)
        if status >= 500 or status == 408:
            raise Unclear(why)
        if status in (401, 402, 403, 404, 405) or status < 400:
            raise Blocked(f"{why}: check chat.sms.url, its token and the account")
        raise Refused(why)

    def _wait(self, retry_after: str) -> int:
        """``Retry-After`` in seconds or as a date (RFC 9110), within a second and an hour; half a minute without."""
        wait = MINUTE // 2
        if re.fullmatch(r"[0-9]{1,6}", retry_after.strip()):
            wait = int(retry_after) * SECOND
        elif retry_after:
            try:
                at = parsedate_to_datetime(retry_after)
            except ValueError:
                return wait
            moment = at if at.tzinfo else at.replace(tzinfo=UTC)
            wait = int(moment.timestamp() * 1000) - self._clock.now()
        return max(SECOND, min(wait, HOUR))


def words(message: Message) -> str:
    """At most two short messages: mark, grade, title, link. A title that is too long ends in an ellipsis before the
    link, or before a hint where the rest is."""
    card = message.card
    if card is None:
        return _fit("", _line(message.text, message.drill), "", message.language)
    mark = "".join(f"[{_line(part).strip('[]')}]" for part in (card.drill, card.grade_label) if part.strip())
    return _fit(mark, _line(card.title), web_address(card.link), message.language)


def _fit(mark: str, title: str, link: str, language: str) -> str:
    whole = " ".join(filter(None, (mark, title, link)))
    if _units(whole) <= _budget(whole):
        return whole
    tail = f"… {link}" if link and _units(link) <= WIDE_CHARACTERS // 2 else render(Text("mail.sms_more"), language)
    head = f"{mark} {title}".strip()[:NARROW_CHARACTERS]
    room = _budget(f"{head}{tail}") - _units(tail)
    while _units(head) > room:
        head = head[:-1]
    return f"{head}{tail}"


def _line(*parts: str) -> str:
    """One line; the brackets in which gateways put the sender's name are left to them."""
    text = " ".join(" ".join(clean(part).split()) for part in reversed(parts) if part)
    return text.replace("【", "[").replace("】", "]")


def _units(text: str) -> int:
    """Characters as a phone counts them: UTF-16 units."""
    return len(text.encode("utf-16-le")) // 2


def _budget(text: str) -> int:
    return NARROW_CHARACTERS if text.isascii() else WIDE_CHARACTERS
