"""What Slack sends to a bot: signed requests over HTTP, or envelopes over Socket Mode."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp

from bot.clock import SECOND, Clock
from bot.testkit.slack_socket import SocketHub
from bot.testkit.slack_state import APP_ID, BOT_USER, TEAM_ID, Message, View, Workspace

ACKNOWLEDGE_WITHIN = 3.0
_KINDS = {"event_callback": "events_api", "slash_command": "slash_commands"}


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back from the bot. ``status`` is ``None`` when nothing came in three seconds or the line broke."""

    status: int | None
    text: str = ""
    error: str = ""
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def json(self) -> Any:
        """The answer's JSON, or ``None`` where it is empty or something else."""
        try:
            return json.loads(self.text)
        except ValueError:
            return None


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Slack's v0 request signature (docs.slack.dev/authentication/verifying-requests-from-slack)."""
    base = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


class SlackRequests:
    """Builds payloads and sends them. ``sign_with`` and ``age`` spoil the signature on purpose."""

    def __init__(self, workspace: Workspace, clock: Clock, secret: str, hub: SocketHub) -> None:
        self._workspace = workspace
        self._clock = clock
        self._secret = secret
        self._hub = hub
        self.url = ""
        self.socket_mode = False
        self.verification_token = "fake-verification-token"  # noqa: S105

    async def send(
        self,
        body: bytes,
        content_type: str,
        *,
        headers: Mapping[str, str] | None = None,
        sign_with: str | None = None,
        age: int = 0,
        timeout: float = ACKNOWLEDGE_WITHIN,
    ) -> Reply:
        """Post signed bytes. ``age`` in milliseconds makes the timestamp that much older."""
        if not self.url:
            raise RuntimeError("say where the bot is first: fake.connect(url)")
        timestamp = str((self._clock.now() - age) // SECOND)
        signed = {
            "Content-Type": content_type,
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature(sign_with or self._secret, timestamp, body),
            **(headers or {}),
        }
        started = asyncio.get_running_loop().time()
        try:
            limit = aiohttp.ClientTimeout(total=timeout)
            async with (
                aiohttp.ClientSession(timeout=limit) as session,
                session.post(self.url, data=body, headers=signed) as response,
            ):
                text = await response.text()
                elapsed = asyncio.get_running_loop().time() - started
                return Reply(response.status, text, seconds=elapsed)
        except TimeoutError:
            return Reply(None, error="http_timeout")
        except aiohttp.ClientError as problem:
            return Reply(None, error=f"connection_failed: {problem}")

    async def deliver(
        self, payload: dict[str, Any], *, form: bool, headers: Mapping[str, str] | None = None, **how: Any
    ) -> Reply:
        """Send a payload the way the app is set up: HTTP (event JSON, or a form) or Socket Mode."""
        if self.socket_mode:
            kind = _KINDS.get(payload.get("type", "slash_command"), "interactive")
            retry = int((headers or {}).get("X-Slack-Retry-Num", 0))
            timeout = how.get("timeout", ACKNOWLEDGE_WITHIN)
            acknowledgement = await self._hub.deliver(kind, payload, timeout=timeout, retry=retry)
            if acknowledgement is None:
                return Reply(None, error="timeout")
            return Reply(200, json.dumps(acknowledgement.payload) if acknowledgement.payload else "")
        if not form:
            return await self.send(json.dumps(payload).encode(), "application/json", headers=headers, **how)
        fields = payload if "command" in payload else {"payload": json.dumps(payload)}
        encoded = urlencode(fields).encode()
        return await self.send(encoded, "application/x-www-form-urlencoded", headers=headers, **how)

    # -- payloads: shapes as in Slack's own samples of every payload -------------------------------------------

    def event_payload(self, event: Mapping[str, Any], event_id: str | None = None) -> dict[str, Any]:
        ts = event.get("event_ts") or event.get("ts") or self._workspace.new_ts()
        authorization = {"team_id": TEAM_ID, "user_id": BOT_USER, "is_bot": True, "is_enterprise_install": False}
        return {
            "token": self.verification_token,
            "team_id": TEAM_ID,
            "api_app_id": APP_ID,
            "event": {**event, "event_ts": ts},
            "type": "event_callback",
            "event_id": event_id or f"Ev0{self._workspace.number():08d}",
            "event_time": self._clock.now() // SECOND,
            "authorizations": [{"enterprise_id": None, **authorization}],
            "is_ext_shared_channel": False,
            "event_context": "fake-context",
        }

    def slash_payload(self, command: str, text: str, user: str, channel: str, base: str) -> dict[str, Any]:
        place = self._workspace.channels[channel]
        return {
            "token": self.verification_token,
            "team_id": TEAM_ID,
            "team_domain": "fengbo-test",
            "channel_id": channel,
            "channel_name": "directmessage" if place.is_im else place.name,
            "user_id": user,
            "user_name": user.lower(),
            "command": command,
            "text": text,
            "api_app_id": APP_ID,
            "is_enterprise_install": "false",
            "response_url": base + self._workspace.new_response_url(user, channel),
            "trigger_id": self._workspace.new_trigger(user),
        }

    def _interaction(self, kind: str, user: str) -> dict[str, Any]:
        who = {"id": user, "username": user.lower(), "name": user.lower(), "team_id": TEAM_ID}
        return {
            "type": kind,
            "user": who,
            "api_app_id": APP_ID,
            "token": self.verification_token,
            "trigger_id": self._workspace.new_trigger(user),
            "team": {"id": TEAM_ID, "domain": "fengbo-test"},
            "enterprise": None,
            "is_enterprise_install": False,
        }

    def action(self, element: Mapping[str, Any], selected: str | None = None) -> dict[str, Any]:
        """The ``actions`` entry of a pressed button or a chosen option."""
        action = {name: element[name] for name in ("action_id", "type", "value", "text", "style") if name in element}
        action |= {"block_id": element.get("_block_id", ""), "action_ts": self._workspace.new_ts()}
        if selected is None:
            return action
        for option in element.get("options", []):
            if selected in (option["value"], option["text"]["text"]):
                return {**action, "selected_option": option}
        if element["type"] == "users_select":
            return {**action, "selected_user": selected}
        raise LookupError(f"no option {selected!r} in {element['action_id']}")

    def click_payload(self, message: Message, action: Mapping[str, Any], user: str, base: str) -> dict[str, Any]:
        channel = self._workspace.channels[message.channel]
        container = {"type": "message", "message_ts": message.ts, "channel_id": channel.id}
        container["is_ephemeral"] = bool(message.ephemeral_for)  # type: ignore[assignment]
        if message.thread_ts:
            container["thread_ts"] = message.thread_ts
        address = self._workspace.new_response_url(user, channel.id, message.ts)
        return {
            **self._interaction("block_actions", user),
            "container": container,
            "channel": {"id": channel.id, "name": "directmessage" if channel.is_im else channel.name},
            "message": message.as_json(metadata=True),
            "state": {"values": {}},
            "response_url": base + address,
            "actions": [dict(action)],
        }

    def view_click_payload(self, view: View, action: Mapping[str, Any], user: str) -> dict[str, Any]:
        container = {"type": "view", "view_id": view.id}
        body = {**self._interaction("block_actions", user), "container": container, "view": view.as_json()}
        return {**body, "actions": [dict(action)]}

    def view_payload(self, kind: str, view: View, values: Mapping[str, Any]) -> dict[str, Any]:
        """``view_submission`` or ``view_closed``; ``values`` is ``{block_id: {action_id: {...}}}``."""
        whole = {**view.as_json(), "state": {"values": values}}
        return {**self._interaction(kind, view.user), "view": whole, "response_urls": [], "is_cleared": False}

    def shortcut_payload(self, callback_id: str, user: str) -> dict[str, Any]:
        ts = self._workspace.new_ts()
        return {**self._interaction("shortcut", user), "callback_id": callback_id, "action_ts": ts}

    def message_action_payload(self, callback_id: str, message: Message, user: str, base: str) -> dict[str, Any]:
        channel = self._workspace.channels[message.channel]
        return {
            **self._interaction("message_action", user),
            "callback_id": callback_id,
            "action_ts": self._workspace.new_ts(),
            "message_ts": message.ts,
            "message": message.as_json(),
            "channel": {"id": channel.id, "name": channel.name},
            "response_url": base + self._workspace.new_response_url(user, channel.id, message.ts),
        }
