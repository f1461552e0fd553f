"""Everything members say and press in Slack, over HTTP and Socket Mode: verified, stored, and only then acknowledged.

Bolt dispatches. By default it acknowledges an event before its listener runs, and what the listener had not finished
is lost with the process; with ``process_before_response`` the answer waits for the listener, and every listener here
waits for the commit. A failure answers 500 (over Socket Mode: nothing), and Slack delivers the event again.
"""

import asyncio
import logging
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import orjson
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient
from sqlite_utils import Database

from bot.chat.slack import parse
from bot.chat.slack.api import ApiError, SlackApi
from bot.chat.slack.parse import Arrival, Body
from bot.chat.slack.signature import verify
from bot.chat.slack.socket import SocketConnection
from bot.chat.slack.views import FORM_CALLBACK, FormContext, modal
from bot.clock import Clock
from bot.config import SlackConfig
from bot.delivery import inbox, outbox
from bot.delivery.chat import Blocked, Delay, Unclear
from bot.model.card import Form
from bot.model.message import Message
from bot.model.text import Text
from bot.store.database import Store
from bot.texts import render as words

log = logging.getLogger(__name__)

FormFor = Callable[[str, str, str], Form | None]
ANY = re.compile("")
BODY_BYTES = 1 << 20
# A trigger opens a view within three seconds of the press, and the press wants its answer in the same time.
OPEN_WITHIN = 2.2


class SlackInbound:
    """``form_for(form id, command line, language)`` builds a form, or says there is none; ``language_of`` the language
    of a destination; ``accepted`` is called after something was stored."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        config: SlackConfig,
        form_for: FormFor,
        language_of: Callable[[str], str],
        *,
        accepted: Callable[[], None] | None = None,
        opened: Callable[[str, str, str, str], None] | None = None,
        api: SlackApi | None = None,
        ping: float = 5.0,
    ) -> None:
        self._store = store
        self._clock = clock
        self._form_for = form_for
        self._language_of = language_of
        self._accepted = accepted or (lambda: None)
        self._opened = opened or (lambda form_id, command, chat, account: None)
        self._signing_secret = config.secret("signing_secret")
        self._api = api or SlackApi(config.secret("bot_token"), config.base_url)
        self._last_event_at = 0
        self._refused = 0
        self.app = self._bolt(config)
        app_token = config.secret("app_token")
        self._socket = SocketConnection(self.app, app_token, config.base_url, clock, ping) if app_token else None

    # -- HTTP

    async def handle(self, request: web.Request) -> web.Response:
        """``POST /slack/events``: events, commands and interactions alike."""
        if (request.content_length or 0) > BODY_BYTES:
            return web.Response(status=413)
        raw = await request.read()
        timestamp = request.headers.get("X-Slack-Request-Timestamp", "")
        signature = request.headers.get("X-Slack-Signature", "")
        if not verify(self._signing_secret, timestamp, signature, raw, self._clock.now()):
            self._refused += 1
            log.warning("refused a request whose Slack signature or time stamp does not fit")
            return web.Response(status=401, text="invalid signature")
        try:
            body = read_body(raw, request.content_type)
        except ValueError:
            return web.Response(status=400, text="unreadable body")
        # Verified and read here: Bolt's own reader takes a command whose words contain “payload” for something else.
        answer = await self.app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=body))
        return await to_aiohttp_response(answer)

    # -- Socket Mode

    async def start_socket(self) -> None:
        """Connect if an app token is configured; does not wait for the connection."""
        if self._socket is not None:
            self._socket.start()

    async def stop_socket(self) -> None:
        """Disconnect and let go of connections to the Web API."""
        if self._socket is not None:
            await self._socket.stop()
        await self._api.close()

    def health(self) -> dict[str, Any]:
        """How Slack reaches us: ``mode``; ``connected_since`` and ``last_event_at`` in Unix milliseconds, 0 for never;
        ``refused`` counts requests with a wrong signature."""
        since = self._socket.connected_since if self._socket else 0
        return {
            "mode": "socket" if self._socket else "http",
            "connected_since": since,
            "last_event_at": self._last_event_at,
            "refused": self._refused,
        }

    # -- what Bolt calls

    def _bolt(self, config: SlackConfig) -> AsyncApp:
        async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
            # Nothing is looked up: accepting what a member did must not depend on Slack's answer to us.
            return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id)

        app = AsyncApp(
            name="fengbo",
            client=AsyncWebClient(base_url=config.base_url, retry_handlers=[]),
            authorize=authorize,
            signing_secret=self._signing_secret,
            process_before_response=True,
            request_verification_enabled=False,  # ``handle`` does it on the raw bytes
            ssl_check_enabled=False,
            ignoring_self_events_enabled=False,  # ``parse.message`` does it without knowing our own id
            attaching_function_token_enabled=False,
        )
        app.command(ANY)(self._on_command)
        app.event(ANY)(self._on_event)
        app.action(ANY)(self._on_action)
        app.view(FORM_CALLBACK)(self._on_submission)
        app.shortcut(ANY)(self._on_shortcut)
        return app

    async def _on_command(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        await self._accept(parse.command(body))
        await ack()

    async def _on_event(self, body: dict[str, Any]) -> None:
        kind = body["event"].get("type")
        if kind in ("app_mention", "message"):
            await self._accept(parse.message(body))
        elif kind == "app_home_opened":
            await self._accept(parse.home(body))

    async def _on_action(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        for action in body.get("actions") or ():
            context = parse.context_of(body, action)
            form = self._form(context.form, context.command, context.channel) if context.form else None
            if form is None:
                await self._accept(parse.click(body, action))
            else:
                await self._open(body, form, context)
        await ack()

    async def _on_submission(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        await self._accept(parse.submission(body))
        await ack()

    async def _on_shortcut(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        if body.get("type") == "message_action":
            await self._accept(parse.add_post(body) if body.get("callback_id") == parse.ADD_POST else None)
        else:
            line = "add" if body.get("callback_id") == parse.REPORT_POST else "help"
            account = str(body.get("user", {}).get("id", ""))
            form = self._form(line, line, account)
            if form is None:
                await self._accept(parse.shortcut(body, line))
            else:
                await self._open(body, form, FormContext(line, line, account, private=True))
        await ack()

    # -- the two things that can happen to an arrival

    async def _accept(self, arrival: Arrival | None) -> None:
        """Store it once; whoever awaited this may acknowledge."""
        now = self._clock.now()
        self._last_event_at = now
        if arrival is None:
            return
        if await self._store.write(lambda db: inbox.accept(db, arrival.key, arrival.event, now)):
            self._accepted()

    async def _open(self, body: Body, form: Form, context: FormContext) -> None:
        """Show a form at once. Nothing is stored yet: opening a form changes nothing."""
        language = self._language_of(f"slack:{context.channel}")
        context = form_context(context, form)
        try:
            async with asyncio.timeout(OPEN_WITHIN):
                view = modal(form, context, language)
                await self._api.call("views_open", trigger_id=body.get("trigger_id"), view=view)
            self._opened(form.id, form.command, "slack", str(body.get("user", {}).get("id", "")))
        except (ApiError, Blocked, Delay, Unclear, TimeoutError) as error:
            log.error("the form %s could not be opened: %s", form.id, error or type(error).__name__)
            await self._say_late(body, context, language)

    async def _say_late(self, body: Body, context: FormContext, language: str) -> None:
        account = str(body.get("user", {}).get("id", ""))
        reply = {"channel": context.channel, "thread_ts": context.thread_ts, "response_url": context.response_url}
        message = Message(
            destination=parse.destination(context.channel or account, account),
            text=words(Text("slack.form.late", {"command": context.command}), language),
            audience=account,
            reply={name: value for name, value in reply.items() if value},
            language=language,
            reason="answer",
        )
        now, key = self._clock.now(), f"slack-form:{body.get('trigger_id')}"

        def job(db: Database) -> bool:
            return outbox.enqueue(db, message, key, now)

        await self._store.write(job)
        self._accepted()

    def _form(self, form_id: str, line: str, channel: str) -> Form | None:
        return self._form_for(form_id, line, self._language_of(f"slack:{channel}"))


def form_context(context: FormContext, form: Form) -> FormContext:
    """What a submission will say: the form's command, or the button's where that says more (``mute I-12``)."""
    line = form.command.strip()
    if not line or context.command.startswith(line):
        return context
    fields = {name: getattr(context, name) for name in context.__slots__}
    return FormContext(**{**fields, "command": line})


def read_body(raw: bytes, content_type: str) -> dict[str, Any]:
    """The payload of a request: a form with fields, a form with JSON in ``payload``, or JSON. Raises ``ValueError``."""
    text = raw.decode("utf-8")
    if content_type == "application/json":
        body = orjson.loads(text)
    else:
        fields = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=200))
        body = orjson.loads(fields["payload"]) if "payload" in fields and "command" not in fields else fields
    if not isinstance(body, dict):
        raise ValueError("not an object")
    if body.get("type") == "event_callback" and not isinstance(body.get("event"), dict):
        raise ValueError("an event without content")
    return body
