"""``auth.test``, ``users.*``, ``views.*`` and ``files.*`` of the fake."""

import json
from typing import Any

from bot.testkit.slack_blocks import VIEW_BYTES, check_view
from bot.testkit.slack_chat import Arguments, Method, refuse_blocks, structured, writable
from bot.testkit.slack_state import BOT_ID, BOT_USER, TEAM_ID, Message, SlackError, Upload, View, Workspace

PUSHED_VIEWS = 3


def auth_test(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    names = {"url": "https://fengbo-test.slack.com/", "team": "Fengbo Test", "user": "fengbo"}
    return {**names, "team_id": TEAM_ID, "user_id": BOT_USER, "bot_id": BOT_ID, "is_enterprise_install": False}


def user_info(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    user = workspace.users.get(str(arguments.get("user")))
    if user is None:
        raise SlackError("user_not_found")
    return {"user": user}


def user_list(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    return {"members": list(workspace.users.values()), "response_metadata": {"next_cursor": ""}}


def user_by_email(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    for user in workspace.users.values():
        if user["profile"]["email"] == arguments.get("email"):
            return {"user": user}
    raise SlackError("users_not_found")


def read_view(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    view = structured(arguments, "view", "invalid_arguments")
    if complaints := check_view(view):
        raise refuse_blocks("invalid_arguments", complaints)
    if len(json.dumps(view).encode()) > VIEW_BYTES:
        raise SlackError("view_too_large")
    whole: dict[str, Any] = {**view, "blocks": workspace.with_ids(view["blocks"])}
    return whole


def show(workspace: Workspace, user: str, body: dict[str, Any]) -> View:
    identity = f"V0{workspace.number():06d}"
    body = {"root_view_id": identity, "previous_view_id": None, **body}
    return View(identity, user, body, hash=f"{workspace.new_ts()}.h")


def open_view(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    body = read_view(workspace, arguments)
    if body["type"] != "modal":
        raise SlackError("invalid_arguments")
    external = body.get("external_id")
    if external and any(view.body.get("external_id") == external for view in workspace.views.values()):
        raise SlackError("duplicate_external_id")
    view = show(workspace, workspace.use_trigger(arguments.get("trigger_id")), body)
    workspace.views[view.id] = view
    return {"view": view.as_json()}


def push_view(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    body = read_view(workspace, arguments)
    user = workspace.use_trigger(arguments.get("trigger_id"))
    stack = [view for view in workspace.views.values() if view.user == user and not view.closed]
    if not stack:
        raise SlackError("not_found")
    if len(stack) >= PUSHED_VIEWS:
        raise SlackError("push_limit_reached")
    parents = {"root_view_id": stack[0].id, "previous_view_id": stack[-1].id}
    view = show(workspace, user, {**body, **parents})
    workspace.views[view.id] = view
    return {"view": view.as_json()}


def update_view(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    view = workspace.views.get(str(arguments.get("view_id")))
    for other in workspace.views.values():
        if arguments.get("external_id") and other.body.get("external_id") == arguments["external_id"]:
            view = other
    if view is None or view.closed:
        raise SlackError("not_found")
    if arguments.get("hash") and arguments["hash"] != view.hash:
        raise SlackError("hash_conflict")
    view.body = {**read_view(workspace, arguments), "root_view_id": view.body["root_view_id"]}
    view.hash = f"{workspace.new_ts()}.h"
    return {"view": view.as_json()}


def publish_view(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    user = str(arguments.get("user_id"))
    if user not in workspace.users:
        raise SlackError("user_not_found")
    body = read_view(workspace, arguments)
    if body["type"] != "home":
        raise SlackError("invalid_arguments")
    current = workspace.homes.get(user)
    if arguments.get("hash") and current and arguments["hash"] != current.hash:
        raise SlackError("hash_conflict")
    workspace.homes[user] = show(workspace, user, body)
    return {"view": workspace.homes[user].as_json()}


def upload_url(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """The answer's ``upload_url`` is a path; the server puts its own address before it."""
    name, length = str(arguments.get("filename") or ""), int(arguments.get("length") or 0)
    if not name or length <= 0:
        raise SlackError("invalid_arguments")
    upload = Upload(f"F0{workspace.number():06d}", name, length)
    workspace.uploads[upload.id] = upload
    return {"upload_url": f"/upload/v1/{upload.id}", "file_id": upload.id}


def complete_upload(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    wanted = structured(arguments, "files", "invalid_arguments")
    if not isinstance(wanted, list) or not wanted:
        raise SlackError("invalid_arguments")
    files = []
    for item in wanted:
        upload = workspace.uploads.get(str(item.get("id")))
        if upload is None or upload.content is None:
            raise SlackError("file_not_found")
        upload.title = str(item.get("title") or upload.name)
        links = {"permalink": f"https://fengbo-test.slack.com/files/{BOT_USER}/{upload.id}"}
        files.append({"id": upload.id, "name": upload.name, "title": upload.title, "size": upload.size, **links})
    target = arguments.get("channel_id") or str(arguments.get("channels") or "").partition(",")[0]
    if target:
        channel = writable(workspace, {"channel": target})
        comment = str(arguments.get("initial_comment") or "")
        message = Message(workspace.new_ts(), channel.id, BOT_USER, comment, from_bot=True, files=files)
        message.thread_ts = arguments.get("thread_ts") or None
        workspace.post(message)
    return {"files": files}


METHODS: dict[str, Method] = {
    "auth.test": auth_test,
    "users.info": user_info,
    "users.list": user_list,
    "users.lookupByEmail": user_by_email,
    "views.open": open_view,
    "views.push": push_view,
    "views.update": update_view,
    "views.publish": publish_view,
    "files.getUploadURLExternal": upload_url,
    "files.completeUploadExternal": complete_upload,
}
SCOPES = {
    "chat.postMessage": "chat:write",
    "chat.update": "chat:write",
    "chat.delete": "chat:write",
    "chat.postEphemeral": "chat:write",
    "conversations.history": "channels:history",
    "conversations.replies": "channels:history",
    "conversations.create": "channels:manage",
    "conversations.archive": "channels:manage",
    "conversations.invite": "channels:manage",
    "conversations.setTopic": "channels:manage",
    "conversations.join": "channels:join",
    "conversations.open": "im:write",
    "conversations.list": "channels:read",
    "conversations.info": "channels:read",
    "conversations.members": "channels:read",
    "users.info": "users:read",
    "users.list": "users:read",
    "users.lookupByEmail": "users:read.email",
    "files.getUploadURLExternal": "files:write",
    "files.completeUploadExternal": "files:write",
}
ALL_SCOPES = sorted({*SCOPES.values(), "commands", "app_mentions:read", "groups:history", "groups:read", "groups:write",
                     "im:history", "im:read"})  # fmt: skip
