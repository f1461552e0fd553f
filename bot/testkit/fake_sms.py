"""An HTTP gateway for short messages on loopback: bearer token, JSON body, idempotency key."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.clock import Clock
from bot.testkit.faults import Failure
from bot.testkit.server import CALL, FakeServer
from bot.testkit.watched import Call

TOKEN = "fake-sms-token"  # noqa: S105
PHONE = re.compile(r"\+?\d{5,15}")
LONGEST = 500


@dataclass(frozen=True, slots=True)
class ShortMessage:
    phone: str
    text: str
    key: str
    sent_at: int


class FakeSms(FakeServer):
    """``POST /send`` with ``{"to", "text"}`` (names may differ); calls are recorded as ``send``.

    The same ``Idempotency-Key`` header (or ``id`` in the body) twice sends one message and answers the second call
    with ``"duplicate": true``.
    """

    def __init__(
        self, clock: Clock | None = None, *, token: str = TOKEN, fields: tuple[str, str, str] = ("to", "text", "id")
    ) -> None:
        super().__init__(clock)
        self.token = token
        self.sent: list[ShortMessage] = []
        self.blocked: set[str] = set()
        self._fields = fields
        self._answers: dict[str, str] = {}

    @property
    def send_url(self) -> str:
        """What ``chat.sms.url`` is set to."""
        return f"{self.url}/send"

    def to(self, phone: str) -> list[ShortMessage]:
        return [message for message in self.sent if message.phone == phone]

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_post("/send", self._send)

    def method_of(self, request: web.Request) -> str:
        return request.path.strip("/")

    async def body_of(self, request: web.Request) -> Mapping[str, Any]:
        try:
            parsed = json.loads(await request.read() or b"{}")
        except ValueError:
            return {}
        return parsed if isinstance(parsed, dict) else {}

    def limit_targets(self, call: Call) -> list[str]:
        return [call.method, str(call.body.get(self._fields[0]))]

    def refusal(self, call: Call, failure: Failure) -> web.Response:
        headers = {"Retry-After": str(failure.retry_after)} if failure.retry_after is not None else {}
        return web.json_response({"error": str(failure.error)}, status=failure.status or 500, headers=headers)

    async def _send(self, request: web.Request) -> web.Response:
        call = request[CALL]
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.json_response({"error": "unauthorized"}, status=401)
        if request.content_type != "application/json" or not call.body:
            return web.json_response({"error": "a JSON object is wanted"}, status=415)
        phone, text, identity = (call.body.get(name) for name in self._fields)
        if not isinstance(phone, str) or not PHONE.fullmatch(phone) or phone in self.blocked:
            return web.json_response({"error": "invalid_number"}, status=422)
        if not isinstance(text, str) or not 0 < len(text) <= LONGEST:
            return web.json_response({"error": "invalid_text"}, status=422)
        key = request.headers.get("Idempotency-Key") or str(identity or "")
        if key and key in self._answers:
            return web.json_response({"id": self._answers[key], "status": "accepted", "duplicate": True})
        self.sent.append(ShortMessage(phone, text, key, self.clock.now()))
        number = f"sms-{len(self.sent)}"
        if key:
            self._answers[key] = number
        return web.json_response({"id": number, "status": "accepted", "duplicate": False})
