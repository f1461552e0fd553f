"""Answers that one member sees: response URLs, ephemeral messages, direct messages."""

import logging
from collections import OrderedDict
from typing import Any

import aiohttp

from bot.chat.slack.api import ApiError, SlackApi, retry_after
from bot.chat.slack.posting import Poster, content, metadata_of
from bot.chat.slack.render import SlackMessage
from bot.delivery.chat import Blocked, Delay, Unclear
from bot.delivery.outbox import Row

log = logging.getLogger(__name__)
REMEMBERED = 200
# Where an ephemeral message cannot be shown, the member's direct messages can.
_NOT_HERE = frozenset({"user_not_in_channel", "channel_not_found", "not_in_channel", "is_archived", "no_permission"})


class PrivateAnswers:
    """A response URL serves five times within 30 minutes; after that an ephemeral message, then a direct one."""

    def __init__(self, api: SlackApi, poster: Poster) -> None:
        self._api = api
        self._poster = poster
        self._said: OrderedDict[str, int] = OrderedDict()

    async def deliver(self, row: Row, pages: list[SlackMessage], thread_ts: str) -> None:
        """Show all pages to ``row.message.audience``; a retry goes on after the last page that surely arrived."""
        for index in range(self._said.get(row.key, 0), len(pages)):
            await self._one(row, pages[index], thread_ts, metadata_of(row.key, index, len(pages)))
            self._said[row.key] = index + 1
            while len(self._said) > REMEMBERED:
                self._said.popitem(last=False)
        self._said.pop(row.key, None)

    async def respond(self, url: str, page: SlackMessage, thread_ts: str, *, everybody: bool = False) -> bool:
        """Use a response URL; False when it is used up or has expired."""
        kind = "in_channel" if everybody else "ephemeral"
        body: dict[str, Any] = {**content(page), "response_type": kind, "replace_original": False}
        body |= {"thread_ts": thread_ts} if thread_ts else {}
        try:
            async with self._api.session.post(url, json=body) as response:
                text = await response.text()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            raise Blocked(f"the response URL cannot be reached: {error}") from error
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise Unclear(f"no answer from the response URL: {type(error).__name__}") from error
        if response.status == 429:
            raise Delay(retry_after(response.headers), "the response URL is rate limited")
        if response.status >= 500:
            raise Unclear(f"the response URL answered {response.status}")
        if response.status >= 400:
            log.info("a response URL is of no use any more (%d %.80s)", response.status, text)
            return False
        return True

    async def _one(self, row: Row, page: SlackMessage, thread_ts: str, metadata: dict[str, Any]) -> None:
        message = row.message
        url = str(message.reply.get("response_url") or "")
        if url and await self.respond(url, page, thread_ts):
            return
        if message.address[:1] in ("D", "U", "W"):
            await self._poster.post(message.address, page, thread_ts, metadata)
            return
        try:
            await self._api.call(
                "chat_postEphemeral",
                channel=message.address,
                user=message.audience,
                thread_ts=thread_ts or None,
                **content(page),
            )
        except ApiError as error:
            if error.code not in _NOT_HERE:
                raise
            log.info("%s cannot be answered in %s (%s): direct message", message.audience, message.address, error.code)
            await self._poster.post(message.audience, page, "", metadata)
