"""Calls of Slack's Web API, and what their failures mean for a message."""

import logging
from collections.abc import Awaitable
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.clock import SECOND
from bot.delivery.chat import Blocked, Delay, Refused, Unclear

log = logging.getLogger(__name__)

CALL_SECONDS = 15
CONNECT_SECONDS = 5
DEFAULT_RETRY_AFTER = 30
LATELY_TRIED = 3

RATE_LIMITED = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
# "Some aspect of the operation may have succeeded before the error was raised" (docs.slack.dev, chat.postMessage).
PERHAPS_DONE = frozenset(
    {"fatal_error", "internal_error", "service_unavailable", "request_timeout", "team_added_to_org"}
)
BAD_CONTENT = frozenset(
    {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long", "blocks_too_long"}
    | {"invalid_attachments", "markdown_text_conflict"}
)
GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed", "no_such_message"})
NO_THREAD = frozenset({"thread_not_found", "message_not_found", "invalid_thread_ts", "cannot_reply_to_message"})
UNREACHABLE = frozenset({"channel_not_found", "not_in_channel", "user_not_in_channel", "messages_tab_disabled"})
# Somebody has to mend something; until then the message waits.
SOMEBODY_MUST_MEND = frozenset(
    {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "org_login_required"}
    | {"ekm_access_denied", "missing_scope", "no_permission", "not_allowed_token_type", "access_denied"}
    | {"channel_not_found", "not_in_channel", "is_archived", "restricted_action", "restricted_action_read_only_channel"}
    | {"restricted_action_thread_only_channel", "restricted_action_non_threadable_channel", "is_inactive"}
    | {"team_access_not_granted", "enterprise_is_restricted", "messages_tab_disabled", "two_factor_setup_required"}
)
NEVER = frozenset(
    {"no_text", "metadata_too_large", "invalid_metadata_format", "invalid_metadata_schema", "user_not_found"}
    | {"user_not_in_channel", "invalid_arguments", "invalid_json", "view_too_large", "too_many_attachments"}
)


class ApiError(Exception):
    """Slack answered ``ok: false``. ``code`` is its error word, ``detail`` what it adds to it."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


class SlackApi:
    """One bot token against one Web API. Nothing is retried here: a silent second ``chat.postMessage`` may be a second
    message, and the outbox retries with a look first."""

    def __init__(self, token: str, base_url: str = "https://slack.com/api/") -> None:
        self.client = AsyncWebClient(token=token, base_url=base_url, timeout=CALL_SECONDS, retry_handlers=[])
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        """The one session of all calls, so that connections are used again."""
        if self._session is None or self._session.closed:
            limit = aiohttp.ClientTimeout(total=CALL_SECONDS, sock_connect=CONNECT_SECONDS)
            self._session = aiohttp.ClientSession(timeout=limit)
            self.client.session = self._session
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def call(self, method: str, **arguments: Any) -> dict[str, Any]:
        """Call a method by its name in the SDK (``chat_postMessage``); see ``answer`` for what it raises."""
        _ = self.session
        given = {name: value for name, value in arguments.items() if value is not None}
        return await answer(getattr(self.client, method)(**given))


async def answer(request: Awaitable[AsyncSlackResponse]) -> dict[str, Any]:
    """The body of a good answer.

    Raises ``ApiError`` for a refusal, ``Delay`` over a limit, ``Blocked`` when nothing left this machine, ``Unclear``
    when the request left and its fate is not known.
    """
    try:
        response = await request
    except SlackApiError as error:
        raise problem_of(error) from error
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise Blocked(f"Slack cannot be reached: {error}") from error
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise Unclear(f"no answer from Slack: {type(error).__name__} {error}") from error
    except (AttributeError, ValueError) as error:
        raise Unclear(f"Slack's answer cannot be read: {error}") from error
    return response.data if isinstance(response.data, dict) else {}


def problem_of(error: SlackApiError) -> Exception:
    """What a failed call means."""
    response = error.response
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0) or 0)
    data = getattr(response, "data", None)
    body: dict[str, Any] = data if isinstance(data, dict) else {}
    code = str(body.get("error") or "")
    if status == 429 or code in RATE_LIMITED:
        return Delay(retry_after(getattr(response, "headers", None)), f"rate limited by Slack ({code or status})")
    if status >= 500 or code in PERHAPS_DONE or not code:
        return Unclear(f"Slack failed inside ({code or status})")
    metadata = body.get("response_metadata")
    details = [str(body[name]) for name in ("needed", "errors") if body.get(name)]
    if isinstance(metadata, dict):
        details.extend(str(message) for message in metadata.get("messages") or ())
    return ApiError(code, " ".join(details)[:300])


def retry_after(headers: Any) -> int:
    """Milliseconds of a ``Retry-After`` header in whole seconds; a default where it is missing or unreadable."""
    value = str(headers.get("Retry-After", "")) if headers is not None else ""
    seconds = int(value) if value.isascii() and value.isdigit() and len(value) < 6 else DEFAULT_RETRY_AFTER
    return max(1, seconds) * SECOND


def verdict(error: ApiError, attempts: int) -> Exception:
    """What the sender is told about a refusal. A code nobody knows is tried again a few times: it must neither be
    dropped at the first sight nor hold up a channel for good."""
    if error.code in SOMEBODY_MUST_MEND:
        return Blocked(f"Slack says {error}")
    if error.code in NEVER or error.code in BAD_CONTENT or attempts >= LATELY_TRIED:
        return Refused(f"Slack says {error}")
    return Blocked(f"Slack says {error}, which is not a known answer")
