"""Socket Mode: the connection through which Slack reaches a bot that has no public address."""

import asyncio
import logging
from typing import Any

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.clock import MINUTE, SECOND, Clock

log = logging.getLogger(__name__)
PING_SECONDS = 5.0
LOOK_EVERY = 5 * SECOND
GIVE_UP_AFTER = 45 * SECOND
FIRST_PAUSE = 1 * SECOND
LONGEST_PAUSE = 1 * MINUTE


class SocketConnection:
    """Connects, and watches that it stays so. The SDK reconnects by itself, but can go round for ever with a ticket
    that was used already; whoever is not connected for 45 seconds starts over."""

    def __init__(self, app: AsyncApp, app_token: str, base_url: str, clock: Clock, ping: float = PING_SECONDS) -> None:
        self._app = app
        self._app_token = app_token
        self._base_url = base_url
        self._clock = clock
        self._ping = ping
        self._handler: AsyncSocketModeHandler | None = None
        self._watch: asyncio.Task[None] | None = None
        self.connected_since = 0

    def start(self) -> None:
        """Connect in the background; a Slack that cannot be reached does not keep the program from starting."""
        if self._watch is None:
            self._watch = asyncio.create_task(self._keep(), name="slack socket")

    async def stop(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
            self._watch = None
        await self._end()

    async def _keep(self) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                await self._connect()
                pause = FIRST_PAUSE
                await self._until_lost()
                log.warning("Socket Mode has been without a connection for a while; starting over")
            except (SlackApiError, OSError, TimeoutError) as error:
                log.error("Socket Mode cannot connect, next try in %d s: %s", pause // SECOND, error)
                await self._clock.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
            await self._end()

    async def _connect(self) -> None:
        web_client = AsyncWebClient(base_url=self._base_url, retry_handlers=[])
        self._handler = AsyncSocketModeHandler(
            self._app, app_token=self._app_token, web_client=web_client, ping_interval=self._ping
        )
        client = self._handler.client
        client.message_listeners.append(self._greeted)
        client.on_close_listeners.append(self._closed)
        # The ticket is fetched here: a refused app token should say so instead of being tried for ever.
        client.wss_uri = await client.issue_new_wss_url()
        connecting = client.connect()  # type: ignore[no-untyped-call]
        await asyncio.wait_for(connecting, GIVE_UP_AFTER / SECOND)

    async def _until_lost(self) -> None:
        lost = 0
        while lost < GIVE_UP_AFTER:
            await self._clock.sleep(LOOK_EVERY)
            if self._handler is not None and await self._handler.client.is_connected():
                lost = 0
            else:
                self.connected_since = 0
                lost += LOOK_EVERY

    async def _greeted(self, client: Any, message: dict[str, Any], raw: str | None = None) -> None:
        if message.get("type") == "hello":
            self.connected_since = self._clock.now()
            log.info("Socket Mode is connected")

    async def _closed(self, message: Any) -> None:
        log.info("a Socket Mode connection was closed")

    async def _end(self) -> None:
        handler, self._handler, self.connected_since = self._handler, None, 0
        if handler is not None:
            await handler.close_async()  # type: ignore[no-untyped-call]
