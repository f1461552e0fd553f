"""Messages in channels: posting, rewriting, several messages that belong together."""

import logging
from dataclasses import dataclass, field
from typing import Any

from bot.chat.slack.api import GONE, NO_THREAD, ApiError, SlackApi
from bot.chat.slack.render import SlackMessage
from bot.delivery.outbox import Placement

log = logging.getLogger(__name__)
EVENT_TYPE = "fengbo"
NOTE_PART = 1_000  # the part number of a line that stands for an attachment which could not be made


@dataclass(slots=True)
class Standing:
    """Where the parts of one message stand: ``parts`` maps the number of a part to its time stamp."""

    channel: str
    thread_ts: str = ""
    broadcast: bool = False
    parts: dict[int, str] = field(default_factory=dict)
    has_file: bool = False

    @classmethod
    def of(cls, placement: Placement) -> "Standing":
        reference = placement.reference
        stamps = [str(reference["ts"]), *(str(ts) for ts in reference.get("more", ()))]
        return cls(str(reference["channel"]), parts=dict(enumerate(stamps)))

    def placement(self) -> Placement | None:
        if 0 not in self.parts:
            return None
        reference: dict[str, Any] = {"channel": self.channel, "ts": self.parts[0]}
        more = [ts for part, ts in sorted(self.parts.items()) if 0 < part < NOTE_PART]
        if more:
            reference["more"] = more
        return Placement(f"{self.channel}/{self.parts[0]}", reference)


class Poster:
    """Puts parts where they belong: what stands is rewritten, what is missing is posted, what is too much goes."""

    def __init__(self, api: SlackApi) -> None:
        self._api = api

    async def deliver(self, key: str, pages: list[SlackMessage], standing: Standing) -> None:
        """Make ``standing`` show exactly ``pages``; it is kept up to date also when something fails in between."""
        for index, page in enumerate(pages):
            metadata = metadata_of(key, index, len(pages))
            ts = standing.parts.get(index)
            if ts and await self._rewrite(standing.channel, ts, page, metadata):
                continue
            if index == 0:
                standing.parts.clear()  # a new first part gets a thread of its own
            # Further parts hang below the first one, so that a rewritten card does not scatter over the channel.
            thread = standing.thread_ts or standing.parts.get(0, "")
            standing.channel, standing.parts[index] = await self.post(
                standing.channel, page, thread, metadata, broadcast=standing.broadcast and index == 0
            )
        for index in [part for part in standing.parts if len(pages) <= part < NOTE_PART]:
            await self._remove(standing.channel, standing.parts.pop(index))

    async def post(
        self, channel: str, page: SlackMessage, thread_ts: str, metadata: dict[str, Any], *, broadcast: bool = False
    ) -> tuple[str, str]:
        """Post one message; returns ``(channel id, time stamp)``. Joins a public channel the bot is not in, and does
        without a thread whose first message is gone."""
        arguments: dict[str, Any] = {"channel": channel, "metadata": metadata, **content(page)}
        arguments |= {"thread_ts": thread_ts or None, "unfurl_links": False, "unfurl_media": False}
        if thread_ts and broadcast:
            arguments["reply_broadcast"] = True  # a change of grade is news for the channel, not only for the thread
        try:
            answer = await self._post(arguments)
        except ApiError as error:
            if not (thread_ts and error.code in NO_THREAD):
                raise
            log.warning("thread %s of %s is gone; the message stands in the channel", thread_ts, channel)
            answer = await self._post({**arguments, "thread_ts": None, "reply_broadcast": None})
        return str(answer.get("channel") or channel), str(answer["ts"])

    async def _post(self, arguments: dict[str, Any]) -> dict[str, Any]:
        try:
            return await self._api.call("chat_postMessage", **arguments)
        except ApiError as error:
            if error.code != "not_in_channel" or not await self.join(arguments["channel"]):
                raise
        return await self._api.call("chat_postMessage", **arguments)

    async def join(self, channel: str) -> bool:
        """Whether the bot could let itself in: public channels only."""
        try:
            await self._api.call("conversations_join", channel=channel)
        except ApiError as error:
            log.warning("cannot join channel %s: %s", channel, error)
            return False
        return True

    async def _rewrite(self, channel: str, ts: str, page: SlackMessage, metadata: dict[str, Any]) -> bool:
        """Rewrite a message; False when it is gone."""
        try:
            await self._api.call("chat_update", channel=channel, ts=ts, metadata=metadata, **content(page))
        except ApiError as error:
            if error.code not in GONE:
                raise
            log.warning("message %s in %s is gone (%s); it is posted anew", ts, channel, error.code)
            return False
        return True

    async def _remove(self, channel: str, ts: str) -> None:
        try:
            await self._api.call("chat_delete", channel=channel, ts=ts)
        except ApiError as error:
            log.warning("the surplus part %s in %s stays: %s", ts, channel, error)


def metadata_of(key: str, part: int, parts: int) -> dict[str, Any]:
    """What makes a message findable again after an unclear failure."""
    return {"event_type": EVENT_TYPE, "event_payload": {"key": key, "part": part, "of": parts}}


def content(page: SlackMessage) -> dict[str, Any]:
    # parse=none: chat.update otherwise links names and addresses in the text by itself. An empty list of blocks takes
    # the blocks of an edited message away.
    return {"text": page.text, "blocks": [dict(one) for one in page.blocks], "parse": "none", "link_names": False}
