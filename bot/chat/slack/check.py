"""Whether Slack will work, in words for the person who set it up. Nothing is posted anywhere."""

from collections.abc import Mapping
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.chat.slack.api import ApiError, SlackApi, answer
from bot.chat.slack.manifest import SCOPES
from bot.config import Config, SlackConfig
from bot.delivery.chat import Blocked, Delay, Unclear
from bot.model.text import Text

Finding = tuple[str, Text]
TROUBLE = (Blocked, Delay, Unclear)
SOCKET_SCOPE = "connections:write"


async def check(config: Config, environ: Mapping[str, str] | None = None) -> list[Finding]:
    """Findings as (``ok`` | ``warning`` | ``error``, text): bot token, scopes, channels, how Slack reaches us."""
    slack = config.chat.slack
    if slack is None:
        return []
    token = slack.secret("bot_token", environ)
    if not token:
        return [("error", Text("slack.check.no_token")), *await _inbound(slack, environ)]
    api = SlackApi(token, slack.base_url)
    try:
        findings = await _token(api)
        if findings[0][0] == "ok":
            for name, channel in config.channels.items():
                if channel.slack:
                    findings.append(await _channel(api, name, channel.slack))
        return [*findings, *await _inbound(slack, environ)]
    finally:
        await api.close()


async def _token(api: SlackApi) -> list[Finding]:
    _ = api.session
    try:
        response = await api.client.auth_test()
    except SlackApiError as error:
        code = str(error.response.get("error", "")) if hasattr(error.response, "get") else ""
        return [("error", Text("slack.check.token_refused", {"code": code or str(error)[:80]}))]
    except (OSError, TimeoutError) as error:
        return [("error", Text("slack.check.unreachable", {"cause": str(error) or type(error).__name__}))]
    data: Any = response.data
    findings: list[Finding] = [
        ("ok", Text("slack.check.token", {"team": data.get("team", ""), "user": data.get("user", "")}))
    ]
    granted = response.headers.get("x-oauth-scopes") or response.headers.get("X-OAuth-Scopes") or ""
    missing = sorted(set(SCOPES) - {scope.strip() for scope in granted.split(",")})
    if granted and missing:
        findings.append(("error", Text("slack.check.scopes", {"scopes": missing})))
    elif granted:
        findings.append(("ok", Text("slack.check.scopes_fine")))
    return findings


async def _channel(api: SlackApi, name: str, channel: str) -> Finding:
    params = {"name": name, "channel": channel}
    try:
        found = (await api.call("conversations_info", channel=channel)).get("channel") or {}
    except ApiError as error:
        return "error", Text("slack.check.channel_refused", {**params, "code": error.code})
    except TROUBLE as error:
        return "error", Text("slack.check.unreachable", {"cause": str(error)})
    params["shown"] = str(found.get("name") or channel)
    if found.get("is_archived"):
        return "error", Text("slack.check.channel_archived", params)
    if found.get("is_member") or found.get("is_im"):
        return "ok", Text("slack.check.channel", params)
    if found.get("is_private"):
        return "error", Text("slack.check.channel_private", params)
    return "warning", Text("slack.check.channel_join", params)


async def _inbound(slack: SlackConfig, environ: Mapping[str, str] | None) -> list[Finding]:
    app_token, signing_secret = slack.secret("app_token", environ), slack.secret("signing_secret", environ)
    if not (app_token or signing_secret):
        return [("error", Text("slack.check.no_inbound"))]
    if not app_token:
        return [("ok", Text("slack.check.http"))]
    client = AsyncWebClient(base_url=slack.base_url, retry_handlers=[])
    try:
        # Only a ticket is fetched; it runs out unused.
        await answer(client.apps_connections_open(app_token=app_token))
    except ApiError as error:
        return [("error", Text("slack.check.app_token", {"code": error.code, "scope": SOCKET_SCOPE}))]
    except TROUBLE as error:
        return [("error", Text("slack.check.unreachable", {"cause": str(error)}))]
    return [("ok", Text("slack.check.socket"))]
