"""``chat.*`` and ``conversations.*`` of the fake: errors as on the method pages at docs.slack.dev/reference/methods."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from bot.testkit.slack_blocks import MESSAGE_CHARACTERS, characters, check_blocks
from bot.testkit.slack_state import BOT_USER, Channel, Message, SlackError, Workspace

Arguments = Mapping[str, Any]
Method = Callable[[Workspace, Arguments], dict[str, Any]]

POST_TEXT = 40_000
UPDATE_TEXT = 4_000
MARKDOWN_TEXT = 12_000
METADATA_BYTES = 16_000
CHANNEL_NAME = re.compile(r"[\w-]{1,80}")


def flag(value: object) -> bool:
    """Form arguments are words, JSON ones are booleans."""
    return value is True or str(value).lower() in ("1", "true")


def structured(arguments: Arguments, name: str, error: str) -> Any:
    """An argument that is JSON: an object in a JSON body, a string of JSON in a form."""
    value = arguments.get(name)
    if isinstance(value, str) and value:
        try:
            return json.loads(value)
        except ValueError:
            raise SlackError(error) from None
    return value


def refuse_blocks(error: str, complaints: list[str]) -> SlackError:
    messages = {"messages": [f"[ERROR] {complaint}" for complaint in complaints]}
    return SlackError(error, errors=complaints, response_metadata=messages)


def read_blocks(arguments: Arguments) -> list[dict[str, Any]]:
    blocks = structured(arguments, "blocks", "invalid_blocks_format")
    if blocks in (None, ""):
        return []
    if not isinstance(blocks, list):
        raise SlackError("invalid_blocks_format")
    if complaints := check_blocks(blocks):
        raise refuse_blocks("invalid_blocks", complaints)
    if characters(blocks) > MESSAGE_CHARACTERS:
        raise SlackError("msg_blocks_too_long")
    return blocks


def read_metadata(arguments: Arguments) -> dict[str, Any] | None:
    metadata = structured(arguments, "metadata", "invalid_metadata_format")
    if not metadata:
        return None
    if not isinstance(metadata, dict) or not isinstance(metadata.get("event_payload"), dict):
        raise SlackError("invalid_metadata_format")
    if not isinstance(metadata.get("event_type"), str) or not metadata["event_type"]:
        raise SlackError("invalid_metadata_schema")
    if len(json.dumps(metadata).encode()) > METADATA_BYTES:
        raise SlackError("metadata_too_large")
    return metadata


def read_content(arguments: Arguments, longest: int) -> tuple[str | None, list[dict[str, Any]]]:
    """Text and blocks of a message; ``None`` for a text that was not given."""
    blocks = read_blocks(arguments)
    markdown = arguments.get("markdown_text")
    if markdown and (blocks or arguments.get("text")):
        raise SlackError("markdown_text_conflict")
    if markdown and len(str(markdown)) > MARKDOWN_TEXT:
        raise SlackError("msg_too_long")
    text = arguments.get("text", markdown)
    if text is not None and len(str(text)) > longest:
        raise SlackError("msg_too_long")
    if not text and not blocks and not arguments.get("attachments"):
        raise SlackError("no_text")
    return (None if text is None else str(text)), blocks


def writable(workspace: Workspace, arguments: Arguments) -> Channel:
    channel = workspace.find_channel(arguments.get("channel"))
    if channel.is_archived:
        raise SlackError("is_archived")
    if BOT_USER not in channel.members:
        raise SlackError("channel_not_found" if channel.is_private else "not_in_channel")
    return channel


def post_message(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    channel = writable(workspace, arguments)
    text, blocks = read_content(arguments, POST_TEXT)
    # A root that is not there is no documented error of this method, so it is not one here.
    thread_ts = str(arguments["thread_ts"]) if arguments.get("thread_ts") else None
    message = Message(
        ts=workspace.new_ts(),
        channel=channel.id,
        user=BOT_USER,
        text=text or "",
        blocks=blocks,
        metadata=read_metadata(arguments),
        thread_ts=thread_ts,
        from_bot=True,
        broadcast=flag(arguments.get("reply_broadcast")),
        attachments=structured(arguments, "attachments", "invalid_attachments") or [],
    )
    workspace.post(message)
    return {"channel": channel.id, "ts": message.ts, "message": message.as_json(metadata=True)}


def update_message(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    if arguments.get("channel") not in workspace.channels:
        raise SlackError("channel_not_found")  # the id is needed here, a name will not do
    channel = writable(workspace, arguments)
    message = workspace.find_message(channel, arguments.get("ts"))
    if not message.from_bot:
        raise SlackError("cant_update_message")
    text, blocks = read_content(arguments, UPDATE_TEXT)
    workspace.edit(message, text, blocks)
    if "metadata" in arguments:
        message.metadata = read_metadata(arguments)
    shown = message.as_json(metadata=True)
    return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": shown}


def delete_message(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    channel = writable(workspace, arguments)
    message = workspace.find_message(channel, arguments.get("ts"))
    if not message.from_bot:
        raise SlackError("cant_delete_message")
    channel.messages.remove(message)
    return {"channel": channel.id, "ts": message.ts}


def post_ephemeral(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    channel = writable(workspace, arguments)
    user = str(arguments.get("user"))
    if user not in channel.members:
        raise SlackError("user_not_in_channel")
    text, blocks = read_content(arguments, POST_TEXT)
    message = Message(workspace.new_ts(), channel.id, BOT_USER, text or "", blocks, from_bot=True, ephemeral_for=user)
    message.thread_ts = arguments.get("thread_ts") or None
    workspace.post(message)
    return {"message_ts": message.ts}


def get_permalink(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    channel = workspace.find_channel(arguments.get("channel"))
    message = workspace.find_message(channel, arguments.get("message_ts"))
    link = f"https://fengbo-test.slack.com/archives/{channel.id}/p{message.ts.replace('.', '')}"
    return {"channel": channel.id, "permalink": link}


def _readable(workspace: Workspace, arguments: Arguments) -> Channel:
    channel = workspace.find_channel(arguments.get("channel"))
    if BOT_USER not in channel.members:
        raise SlackError("not_in_channel")
    return channel


def _page(messages: list[Message], arguments: Arguments) -> dict[str, Any]:
    """One page of messages with the time limits and the cursor of Slack's paging applied."""
    oldest, latest = float(arguments.get("oldest") or 0), float(arguments.get("latest") or "inf")
    inclusive = flag(arguments.get("inclusive"))
    chosen = [
        message
        for message in messages
        if oldest < float(message.ts) < latest or (inclusive and float(message.ts) in (oldest, latest))
    ]
    limit = min(int(arguments.get("limit") or 100), 999)
    start = int(str(arguments.get("cursor") or "next:0").removeprefix("next:"))
    metadata = flag(arguments.get("include_all_metadata"))
    page = [message.as_json(metadata=metadata) for message in chosen[start : start + limit]]
    more = start + limit < len(chosen)
    cursor = f"next:{start + limit}" if more else ""
    return {"messages": page, "has_more": more, "response_metadata": {"next_cursor": cursor}}


def history(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    channel = _readable(workspace, arguments)
    shown = [message for message in channel.messages if not message.is_reply or message.broadcast]
    return _page(sorted(shown, key=lambda message: float(message.ts), reverse=True), arguments)


def replies(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    channel = _readable(workspace, arguments)
    root = arguments.get("ts")
    thread = [message for message in channel.messages if root in (message.ts, message.thread_ts)]
    if not thread:
        raise SlackError("thread_not_found")
    return _page(thread, arguments)


def create_channel(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    name = str(arguments.get("name") or "")
    if not CHANNEL_NAME.fullmatch(name) or name != name.lower():
        raise SlackError("invalid_name" if name else "invalid_name_required")
    if any(channel.name == name for channel in workspace.channels.values()):
        raise SlackError("name_taken")
    channel = Channel(f"C0NEW{workspace.number():04d}", name, is_private=flag(arguments.get("is_private")))
    channel.members.add(BOT_USER)
    workspace.channels[channel.id] = channel
    return {"channel": channel.as_json()}


def invite(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    channel = writable(workspace, arguments)
    users = [user for user in str(arguments.get("users") or "").split(",") if user]
    if not users:
        raise SlackError("no_user")
    if len(users) > workspace.invite_limit:
        raise SlackError("too_many_users")
    for user in users:
        if user == BOT_USER:
            raise SlackError("cant_invite_self")
        if user not in workspace.users:
            raise SlackError("user_not_found")
    if all(user in channel.members for user in users):
        raise SlackError("already_in_channel")
    channel.members.update(users)
    return {"channel": channel.as_json()}


def set_topic(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    channel = writable(workspace, arguments)
    topic = str(arguments.get("topic") or "")
    if len(topic) > 250:
        raise SlackError("too_long")
    channel.topic = topic
    return {"channel": channel.as_json()}


def join(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    channel = workspace.find_channel(arguments.get("channel"))
    if channel.is_private:
        raise SlackError("method_not_supported_for_channel_type")
    channel.members.add(BOT_USER)
    return {"channel": channel.as_json()}


def archive(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    channel = writable(workspace, arguments)
    channel.is_archived = True
    return {}


def open_direct(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    user = str(arguments.get("users") or "")
    if user not in workspace.users:
        raise SlackError("user_not_found")
    return {"channel": workspace.direct_messages(user).as_json()}


def list_channels(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    types = str(arguments.get("types") or "public_channel").split(",")
    chosen = []
    for channel in workspace.channels.values():
        kind = "im" if channel.is_im else "private_channel" if channel.is_private else "public_channel"
        hidden = channel.is_archived and flag(arguments.get("exclude_archived"))
        if kind in types and not hidden and (kind == "public_channel" or BOT_USER in channel.members):
            chosen.append(channel.as_json())
    limit = int(arguments.get("limit") or 100)
    start = int(str(arguments.get("cursor") or "next:0").removeprefix("next:"))
    cursor = f"next:{start + limit}" if start + limit < len(chosen) else ""
    return {"channels": chosen[start : start + limit], "response_metadata": {"next_cursor": cursor}}


def channel_info(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    return {"channel": workspace.find_channel(arguments.get("channel")).as_json()}


def members(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    channel = workspace.find_channel(arguments.get("channel"))
    return {"members": sorted(channel.members), "response_metadata": {"next_cursor": ""}}


METHODS: dict[str, Method] = {
    "chat.postMessage": post_message,
    "chat.update": update_message,
    "chat.delete": delete_message,
    "chat.postEphemeral": post_ephemeral,
    "chat.getPermalink": get_permalink,
    "conversations.history": history,
    "conversations.replies": replies,
    "conversations.create": create_channel,
    "conversations.invite": invite,
    "conversations.setTopic": set_topic,
    "conversations.join": join,
    "conversations.archive": archive,
    "conversations.open": open_direct,
    "conversations.list": list_channels,
    "conversations.info": channel_info,
    "conversations.members": members,
}
