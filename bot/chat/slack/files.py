"""Pictures and files: the three calls of Slack's upload (docs.slack.dev/messaging/working-with-files)."""

import hashlib
from pathlib import PurePath

import aiohttp

from bot.chat.slack.api import SlackApi
from bot.chat.slack.safe import escape
from bot.delivery.chat import Blocked, Made, Unclear


def file_name(name: str, key: str) -> str:
    """The name of a file, marked with its outbox row: a shared file carries no metadata to find it by."""
    path = PurePath(name or "file")
    return f"{path.stem[:80]}-{mark_of(key)}{path.suffix[:12]}"


def mark_of(key: str) -> str:
    return hashlib.blake2b(key.encode(), digest_size=5).hexdigest()


async def share(api: SlackApi, made: Made, key: str, channel: str, thread_ts: str, *, comment: bool) -> None:
    """Upload and show a file in a channel or thread. ``channel`` must be an id of a conversation, not of a member."""
    name = file_name(made.name, key)
    caption = made.caption.strip() or name
    place = await api.call(
        "files_getUploadURLExternal", filename=name, length=len(made.content), alt_txt=caption[:1_000]
    )
    await _upload(api, str(place["upload_url"]), made)
    await api.call(
        "files_completeUploadExternal",
        files=[{"id": place["file_id"], "title": caption[:250]}],
        channel_id=channel,
        thread_ts=thread_ts or None,
        initial_comment=escape(caption) if comment else None,
    )


async def _upload(api: SlackApi, url: str, made: Made) -> None:
    try:
        async with api.session.post(url, data=made.content, headers={"Content-Type": made.media_type}) as response:
            if response.status >= 400:
                raise Blocked(f"the upload was refused with {response.status}")
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise Unclear(f"the upload broke off: {type(error).__name__}") from error
