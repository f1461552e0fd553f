"""The Slack app manifest: everything the app needs, installed in one paste (docs.slack.dev/reference/app-manifest)."""

from typing import Any

from bot.chat.slack.parse import ADD_POST, REPORT_POST

COMMAND = "/crisis"
EVENTS = ("app_home_opened", "app_mention", "message.im")
# Scope → what it is for; ``fengbo check`` names the ones a token lacks.
SCOPES = {
    "app_mentions:read": "hear @fengbo",
    "channels:history": "look whether a message arrived before sending it again",
    "channels:join": "enter the public channels of the configuration",
    "channels:manage": "open a channel for a red incident",
    "channels:read": "check the channels of the configuration",
    "chat:write": "send",
    "commands": "hear /crisis and the shortcuts",
    "files:write": "share charts",
    "groups:history": "the same look in private channels",
    "groups:read": "check private channels",
    "groups:write": "open a private channel for a red incident",
    "im:history": "read what is written to the bot directly",
    "im:read": "know direct messages",
    "im:write": "write to members directly",
    "users:read": "know members' names",
}


def manifest(request_url: str = "") -> dict[str, Any]:
    """A complete app manifest. ``request_url`` is the bot's public address, with or without ``/slack/events``; without
    one the app uses Socket Mode and needs no public address."""
    url = request_url.rstrip("/")
    if url and not url.endswith("/slack/events"):
        url += "/slack/events"
    address = {"url": url} if url else {}
    request = {"request_url": url} if url else {}
    return {
        "_metadata": {"major_version": 1, "minor_version": 1},
        "display_information": {
            "name": "Fengbo",
            "description": "Public-opinion crises: alerts, playbooks, approvals · 舆情预警与危机应对",
            "background_color": "#7a1f1f",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "fengbo", "always_online": True},
            "slash_commands": [
                {
                    "command": COMMAND,
                    "description": "Incidents: status, ack, why, add … · 事件命令",
                    "usage_hint": "help",
                    "should_escape": True,
                    **address,
                }
            ],
            "shortcuts": [
                {
                    "name": "Add to Fengbo",
                    "type": "message",
                    "callback_id": ADD_POST,
                    "description": "Take this message as a found post · 收录为帖文",
                },
                {
                    "name": "Report a post",
                    "type": "global",
                    "callback_id": REPORT_POST,
                    "description": "Tell Fengbo about a post you found · 上报帖文",
                },
            ],
        },
        "oauth_config": {"scopes": {"bot": sorted(SCOPES)}},
        "settings": {
            "event_subscriptions": {**request, "bot_events": list(EVENTS)},
            "interactivity": {"is_enabled": True, **request},
            "org_deploy_enabled": False,
            "socket_mode_enabled": not url,
            "token_rotation_enabled": False,
        },
    }
