"""A company's system on loopback: checks token and signature, keeps what it was asked to do, knows idempotency keys."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from bot.clock import Clock
from bot.testkit.server import CALL, FakeServer

TOKEN = "fake-system-token"  # noqa: S105
SIGNING_KEY = "fake-system-signing-key"
WINDOW = 300_000


@dataclass(frozen=True, slots=True)
class Done:
    """One piece of work that was really carried out."""

    path: str
    key: str
    body: Any


class FakeSystem(FakeServer):
    """Takes every path. ``POST``, ``PUT``, ``PATCH`` and ``DELETE`` are work, recorded in ``done``; calls are recorded
    under their path. ``once``: the same ``Idempotency-Key`` is carried out once. ``signed``: unsigned requests get 401.
    ``answers`` are by ``METHOD path``: a JSON value, ``(status, headers, JSON)``, or a function of the work done."""

    def __init__(self, clock: Clock | None = None, *, once: bool = False, signed: bool = False) -> None:
        super().__init__(clock)
        self.once = once
        self.signed = signed
        self.token = TOKEN
        self.signing_key = SIGNING_KEY
        self.done: list[Done] = []
        self.answers: dict[str, Any] = {}

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_route("*", "/{tail:.*}", self._take)

    async def body_of(self, request: web.Request) -> Mapping[str, Any]:
        raw = await request.read()
        if request.content_type == "application/x-www-form-urlencoded":
            return dict(parse_qsl(raw.decode()))
        try:
            parsed = json.loads(raw or b"{}")
        except ValueError:
            return {}
        return parsed if isinstance(parsed, dict) else {}

    async def _take(self, request: web.Request) -> web.Response:
        call = request[CALL]
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.json_response({"error": "unauthorized"}, status=401)
        if self.signed and not self._signature_fits(request, call.raw):
            return web.json_response({"error": "bad signature"}, status=401)
        if request.method not in ("GET", "HEAD"):
            key = request.headers.get("Idempotency-Key", "")
            if not (self.once and any(item.key == key for item in self.done)):
                self.done.append(Done(request.path, key, call.body))
        answer = self.answers.get(f"{request.method} {request.path}", {"id": f"T-{len(self.done)}"})
        if callable(answer):
            answer = answer(self.done)
        if isinstance(answer, tuple):
            status, headers, body = answer
            return web.json_response(body, status=status, headers=headers)
        return web.json_response(answer)

    def _signature_fits(self, request: web.Request, body: bytes) -> bool:
        stamp = request.headers.get("X-Fengbo-Timestamp", "")
        if not stamp.isdigit() or abs(int(stamp) * 1000 - self.clock.now()) > WINDOW:
            return False
        expected = hmac.new(self.signing_key.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(f"v1={expected}", request.headers.get("X-Fengbo-Signature", ""))
