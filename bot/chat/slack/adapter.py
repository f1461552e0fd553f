"""Slack as a chat: what the sender of the outbox talks to."""

import logging
from typing import Any

from bot.chat.slack import files
from bot.chat.slack.api import BAD_CONTENT, ApiError, SlackApi, verdict
from bot.chat.slack.lookup import Lookup
from bot.chat.slack.posting import NOTE_PART, Poster, Standing, metadata_of
from bot.chat.slack.private import PrivateAnswers
from bot.chat.slack.render import SlackMessage, render, render_plain
from bot.chat.slack.rooms import Rooms, is_room
from bot.chat.slack.safe import escape
from bot.chat.slack.views import home_view
from bot.clock import SECOND, Clock
from bot.config import SlackConfig
from bot.delivery import outbox
from bot.delivery.chat import AttachmentMaker, Blocked, Delay, Made, Pace, Refused, Unclear
from bot.delivery.outbox import Placement, Row
from bot.model.message import Message
from bot.model.text import Text
from bot.store.database import Store
from bot.texts import render as words

log = logging.getLogger(__name__)
# chat.postMessage: about one message a second and channel (docs.slack.dev/apis/web-api/rate-limits).
CHANNEL_PACE = Pace(1, SECOND)


class SlackChat:
    """Implements ``bot.delivery.chat.Chat``. Addresses are ids: a channel ``C…``/``G…``, direct messages ``D…``, a
    member ``U…``. ``api`` is the Web API or the settings to reach it; with a ``store`` a look-up finds messages inside
    threads too; ``make`` makes attachments."""

    name = "slack"

    def __init__(
        self,
        api: SlackApi | SlackConfig,
        clock: Clock,
        *,
        store: Store | None = None,
        make: AttachmentMaker | None = None,
    ) -> None:
        if isinstance(api, SlackConfig):
            api = SlackApi(api.secret("bot_token"), api.base_url)
        self._api = api
        self._clock = clock
        self._store = store
        self._make = make
        self._poster = Poster(api)
        self._private = PrivateAnswers(api, self._poster)
        self._lookup = Lookup(api)
        self._rooms = Rooms(api)

    async def close(self) -> None:
        await self._api.close()

    def pace(self, destination: str) -> Pace | None:
        return None if destination.partition("#")[2].startswith("reply") else CHANNEL_PACE

    async def send(self, row: Row, placement: Placement | None, thread: Placement | None) -> Placement | None:
        """Deliver; see ``Chat.send``."""
        message = row.message
        if not message.address:
            raise Refused(f"{message.destination!r} names no channel")
        try:
            if message.reply.get("home"):
                await self._publish_home(message)
                return None
            if message.audience:
                await self._answer(row, thread)
                return None
            return await self._post(row, placement, thread)
        except ApiError as error:
            raise verdict(error, row.attempts) from error

    async def find(self, row: Row) -> tuple[bool, Placement | None]:
        """Whether all parts of a message did arrive. Answers to one member leave no trace to look for."""
        message = row.message
        if message.audience or message.reply.get("home"):
            return False, None
        thread = await self._thread_of(message)
        try:
            standing, parts = await self._lookup.scan(
                await self._channel_of(message), _thread_ts(message, thread), row.key, row.created_at
            )
        except ApiError as error:
            log.warning("cannot look for message %s in %s: %s", row.key, message.address, error)
            return False, None
        except (Delay, Blocked) as error:
            # Not knowing stays not knowing: anything else would let the sender post it again without a look.
            raise Unclear(f"cannot look whether it arrived: {error}") from error
        pictured = message.attachment is None or standing.has_file or NOTE_PART in standing.parts
        text_there = not _has_content(message) or (parts > 0 and all(part in standing.parts for part in range(parts)))
        arrived = text_there and pictured
        return arrived, standing.placement() if arrived else None

    # -- channels

    async def _post(self, row: Row, placement: Placement | None, thread: Placement | None) -> Placement | None:
        message = row.message
        thread_ts = _thread_ts(message, thread)
        pages = render(message)
        standing = await self._standing(row, placement, thread_ts, len(pages))
        if _has_content(message):
            try:
                await self._deliver(row, pages, standing)
            except ApiError as error:
                if not await self._respond_instead(message, pages, thread_ts, error):
                    raise
                return None
        if message.attachment is not None and placement is None and not standing.has_file:
            await self._attach(row, standing)
        return standing.placement()

    async def _standing(self, row: Row, placement: Placement | None, thread_ts: str, pages: int) -> Standing:
        """Where the message stands already: its placement, or what an earlier try left of several parts."""
        message = row.message
        if placement is not None:
            standing = Standing.of(placement)
            standing.thread_ts = thread_ts
            return standing
        if row.attempts and (pages > 1 or message.attachment is not None):
            try:
                channel = await self._channel_of(message)
                standing, _ = await self._lookup.scan(channel, thread_ts, row.key, row.created_at)
                return standing
            except ApiError as error:
                log.warning("cannot look for parts of %s in %s: %s", row.key, message.address, error)
        channel = await self._channel_of(message)
        return Standing(channel, thread_ts, bool(message.reply.get("broadcast")))

    async def _channel_of(self, message: Message) -> str:
        """The channel id of an address; an incident's room is opened if it is not there yet."""
        if not is_room(message.address):
            return message.address
        topic = message.card.title if message.card else ""
        return await self._rooms.open(message.address, topic, message.reply.get("invite", ()))

    async def _deliver(self, row: Row, pages: list[SlackMessage], standing: Standing) -> None:
        """Show the pages; when Slack does not take the blocks, once more as plain text."""
        try:
            await self._poster.deliver(row.key, pages, standing)
        except ApiError as error:
            if error.code not in BAD_CONTENT:
                raise
            log.error("Slack refused the blocks of %s (%s); sending plain text", row.key, error)
            await self._poster.deliver(row.key, render_plain(row.message), standing)

    async def _respond_instead(
        self, message: Message, pages: list[SlackMessage], thread_ts: str, error: ApiError
    ) -> bool:
        """A command typed in a channel the bot cannot enter is answered through its response URL."""
        url = str(message.reply.get("response_url") or "")
        if not url or error.code not in ("not_in_channel", "channel_not_found", "restricted_action"):
            return False
        for page in pages:
            if not await self._private.respond(url, page, thread_ts, everybody=True):
                return False
        return True

    # -- answers to one member

    async def _answer(self, row: Row, thread: Placement | None) -> None:
        message = row.message
        thread_ts = _thread_ts(message, thread)
        if _has_content(message):
            try:
                await self._private.deliver(row, render(message), thread_ts)
            except ApiError as error:
                if error.code not in BAD_CONTENT:
                    raise
                log.error("Slack refused the blocks of %s (%s); sending plain text", row.key, error)
                await self._private.deliver(row, render_plain(message), thread_ts)
        if message.attachment is not None:
            # A file cannot be shown to one member of a channel: it goes to the direct messages.
            direct = await self._lookup.conversation(message.audience)
            await self._attach(row, Standing(direct))

    async def _publish_home(self, message: Message) -> None:
        user = str(message.reply.get("user") or message.audience or message.address)
        view = home_view(render(message), message.language)
        await self._api.call("views_publish", user_id=user, view=view)

    # -- attachments

    async def _attach(self, row: Row, standing: Standing) -> None:
        """Share the attachment below the message. A picture that cannot be made or shared does not keep the message
        from being sent: a line says so."""
        made = await self._made(row.message)
        channel = await self._lookup.conversation(standing.channel)
        thread_ts = standing.thread_ts or standing.parts.get(0, "")
        if made is not None:
            try:
                alone = not _has_content(row.message)
                await files.share(self._api, made, row.key, channel, thread_ts, comment=alone)
                return
            except ApiError as error:
                log.error("the attachment of %s cannot be shared: %s", row.key, error)
        if NOTE_PART not in standing.parts:
            caption = made.caption if made else ""
            note = words(Text("slack.attachment_failed", {"caption": caption}), row.message.language)
            page = SlackMessage(escape(note.strip()))
            await self._poster.post(channel, page, thread_ts, metadata_of(row.key, NOTE_PART, 0))

    async def _made(self, message: Message) -> Made | None:
        attachment = message.attachment
        if attachment is None or self._make is None:
            return None
        try:
            return await self._make(attachment, message.language)
        except Exception:  # whatever fails in drawing, the message itself must leave; the cause is in the log
            log.exception("the attachment %s could not be made", attachment.kind)
            return None

    async def _thread_of(self, message: Message) -> Placement | None:
        if self._store is None or not message.thread:
            return None
        return await self._store.read(lambda db: outbox.placement(db, message.thread, message.destination))


def _has_content(message: Message) -> bool:
    return message.card is not None or bool(message.text.strip()) or message.attachment is None


def _thread_ts(message: Message, thread: Placement | None) -> str:
    """The thread a message belongs into: that of its object, else the one the answered event came from. An answer for
    everybody may open a thread below what it answers (``under``); one for a member would be hidden there."""
    if thread is not None:
        return str(thread.reference.get("ts", ""))
    reply: dict[str, Any] = message.reply
    if reply.get("channel", message.address) != message.address:
        return ""
    return str(reply.get("thread_ts") or ("" if message.audience else reply.get("under")) or "")
