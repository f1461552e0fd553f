"""Looking whether a message did arrive: Slack has no idempotency key, so its metadata is searched in the history."""

import logging
from collections.abc import AsyncIterator
from typing import Any

from bot.chat.slack.api import SlackApi
from bot.chat.slack.files import mark_of
from bot.chat.slack.posting import EVENT_TYPE, Standing
from bot.clock import MINUTE, SECOND

log = logging.getLogger(__name__)
PAGE = 200
PAGES = 25
CLOCKS_DIFFER = 2 * MINUTE


class Lookup:
    def __init__(self, api: SlackApi) -> None:
        self._api = api

    async def conversation(self, address: str) -> str:
        """The id of a conversation; members' ids become their direct messages."""
        if address[:1] not in ("U", "W"):
            return address
        answer = await self._api.call("conversations_open", users=address)
        return str(answer["channel"]["id"])

    async def scan(self, address: str, thread_ts: str, key: str, since: int) -> tuple[Standing, int]:
        """What stands of the row ``key``, and of how many parts; looks at messages since ``since`` (milliseconds).

        Raises ``ApiError`` where the history may not be read.
        """
        standing = Standing(await self.conversation(address), thread_ts)
        oldest = f"{max(0, since - CLOCKS_DIFFER) / SECOND:.6f}"
        parts = await self._search(standing, thread_ts, key, oldest)
        if not thread_ts and 0 in standing.parts:
            parts = max(parts, await self._search(standing, standing.parts[0], key, oldest))
        return standing, parts

    async def _search(self, standing: Standing, thread_ts: str, key: str, oldest: str) -> int:
        parts = 0
        async for message in self._messages(standing.channel, thread_ts, oldest):
            metadata = message.get("metadata") or {}
            payload = metadata.get("event_payload") or {}
            if metadata.get("event_type") == EVENT_TYPE and payload.get("key") == key:
                standing.parts[int(payload.get("part", 0))] = str(message["ts"])
                parts = int(payload.get("of", 1))
            if any(mark_of(key) in str(file.get("name", "")) for file in message.get("files") or ()):
                standing.has_file = True
        return parts

    async def _messages(self, channel: str, thread_ts: str, oldest: str) -> AsyncIterator[dict[str, Any]]:
        cursor: str | None = None
        for _ in range(PAGES):
            arguments: dict[str, Any] = {"channel": channel, "oldest": oldest, "limit": PAGE, "cursor": cursor}
            arguments["include_all_metadata"] = True
            if thread_ts:
                answer = await self._api.call("conversations_replies", ts=thread_ts, **arguments)
            else:
                answer = await self._api.call("conversations_history", **arguments)
            for message in answer.get("messages") or ():
                yield message
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return
        log.warning(
            "the history of %s is longer than %d messages since %s; looked no further", channel, PAGE * PAGES, oldest
        )
