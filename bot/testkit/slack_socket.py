"""Socket Mode of the fake: tickets, hello, envelopes and their acknowledgements (docs.slack.dev/apis/events-api)."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from bot.clock import SECOND, Clock
from bot.testkit.slack_state import APP_ID, SlackError

CONNECTIONS = 10
TICKET_LIFE = 30 * SECOND


@dataclass(slots=True)
class Acknowledgement:
    """What the bot answered to an envelope; ``payload`` is its reply to a command or a view, if any."""

    envelope_id: str
    payload: dict[str, Any] | None = None


@dataclass(slots=True)
class SocketHub:
    """The open connections of one app; each envelope goes to one of them in turn, as on Slack."""

    clock: Clock
    notify: Callable[[], Any]
    sockets: list[web.WebSocketResponse] = field(default_factory=list)
    tickets: dict[str, int] = field(default_factory=dict)
    opened: int = 0
    _waiting: dict[str, asyncio.Future[Acknowledgement]] = field(default_factory=dict)
    _turn: int = 0
    _number: int = 0

    def new_ticket(self) -> str:
        if len(self.sockets) >= CONNECTIONS:
            raise SlackError("too_many_websockets")
        self._number += 1
        ticket = f"ticket-{self._number}"
        self.tickets[ticket] = self.clock.now()
        return ticket

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One connection from hello to its end; a ticket opens one connection within 30 seconds."""
        issued_at = self.tickets.pop(request.query.get("ticket", ""), None)
        if issued_at is None or self.clock.now() - issued_at > TICKET_LIFE:
            return web.Response(status=408)
        socket = web.WebSocketResponse(autoping=True)
        await socket.prepare(request)
        self.sockets.append(socket)
        self.opened += 1
        hello = {"type": "hello", "num_connections": len(self.sockets), "connection_info": {"app_id": APP_ID}}
        await socket.send_json({**hello, "debug_info": {"host": "fake", "approximate_connection_time": 18060}})
        await self.notify()
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._acknowledge(message.data)
        finally:
            self.sockets.remove(socket)
            await self.notify()
        return socket

    def _acknowledge(self, data: str) -> None:
        try:
            body = json.loads(data)
        except ValueError:
            return
        waiter = self._waiting.pop(str(body.get("envelope_id")), None) if isinstance(body, dict) else None
        if waiter is not None and not waiter.done():
            waiter.set_result(Acknowledgement(str(body["envelope_id"]), body.get("payload")))

    async def deliver(
        self, kind: str, payload: dict[str, Any], *, timeout: float = 3.0, retry: int = 0, reason: str = ""
    ) -> Acknowledgement | None:
        """Send one envelope; ``None`` when it was not acknowledged in ``timeout`` seconds.

        Raises ``RuntimeError`` when no connection is open.
        """
        open_sockets = [socket for socket in self.sockets if not socket.closed]
        if not open_sockets:
            raise RuntimeError("the bot has no Socket Mode connection open")
        self._turn += 1
        self._number += 1
        envelope_id = f"envelope-{self._number}"
        envelope: dict[str, Any] = {"envelope_id": envelope_id, "type": kind, "payload": payload}
        envelope["accepts_response_payload"] = kind != "events_api"
        if kind == "events_api":
            envelope |= {"retry_attempt": retry, "retry_reason": reason}
        waiter: asyncio.Future[Acknowledgement] = asyncio.get_running_loop().create_future()
        self._waiting[envelope_id] = waiter
        await open_sockets[self._turn % len(open_sockets)].send_json(envelope)
        try:
            return await asyncio.wait_for(waiter, timeout)
        except TimeoutError:
            return None
        finally:
            self._waiting.pop(envelope_id, None)

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Announce the end as Slack does (``warning`` comes some 10 s ahead and leaves the connection open)."""
        for socket in list(self.sockets):
            await socket.send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": "fake"}})
            if reason != "warning":
                await socket.close()

    async def cut(self) -> None:
        """End all connections without a word."""
        for socket in list(self.sockets):
            if socket._req is not None and socket._req.transport is not None:
                socket._req.transport.abort()

    async def close(self) -> None:
        for socket in list(self.sockets):
            await socket.close()
