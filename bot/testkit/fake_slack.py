"""A Slack workspace on loopback: its Web API, Socket Mode, response URLs, and the people who use it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from bot.clock import Clock
from bot.testkit import slack_chat, slack_people
from bot.testkit.faults import Failure
from bot.testkit.server import CALL, FakeServer
from bot.testkit.slack_chat import Arguments, Method, flag
from bot.testkit.slack_requests import Reply, SlackRequests
from bot.testkit.slack_socket import SocketHub
from bot.testkit.slack_state import APP_ID, BOT_USER, Channel, Message, SlackError, View, Workspace
from bot.testkit.watched import Call

BOT_TOKEN = "xoxb-fake-bot-token"  # noqa: S105
APP_TOKEN = "xapp-fake-app-token"  # noqa: S105
SIGNING_SECRET = "fake-signing-secret"  # noqa: S105
PEOPLE = {"U0LINA": "李娜", "U0ZHAO": "赵磊", "U0CHEN": "陈静"}
CHANNELS = {"C0ALERTS": "pr-alerts", "C0DRILL": "drill"}
METHODS: dict[str, Method] = {**slack_chat.METHODS, **slack_people.METHODS}
# Tier 3 and 4 methods we use, calls a minute per workspace (docs.slack.dev/apis/web-api/rate-limits).
TIERS = {"chat.update": 50, "conversations.history": 50, "conversations.replies": 50, "users.info": 100}
_WRITES_TO_CHANNEL = ("chat.postMessage", "chat.postEphemeral")


class FakeSlack(FakeServer):
    """Speaks as Slack towards the bot. ``people`` and ``channels`` map ids to names."""

    def __init__(
        self,
        clock: Clock | None = None,
        *,
        people: Mapping[str, str] | None = None,
        channels: Mapping[str, str] | None = None,
        bot_token: str = BOT_TOKEN,
        app_token: str = APP_TOKEN,
        signing_secret: str = SIGNING_SECRET,
    ) -> None:
        super().__init__(clock)
        self.bot_token, self.app_token, self.signing_secret = bot_token, app_token, signing_secret
        self.scopes: set[str] = set(slack_people.ALL_SCOPES)
        self.workspace = Workspace(self.clock)
        self.workspace.add_user(BOT_USER, "fengbo")
        for user, name in (people or PEOPLE).items():
            self.workspace.add_user(user, name)
        for channel, name in (channels or CHANNELS).items():
            self.workspace.add_channel(channel, name)
        self._channel_rate: tuple[int, float] | None = None
        self.hub = SocketHub(self.clock, self.changed)
        self.requests = SlackRequests(self.workspace, self.clock, signing_secret, self.hub)

    @property
    def base_url(self) -> str:
        """What ``chat.slack.base_url`` is set to."""
        return f"{self.url}/api/"

    async def stop(self) -> None:
        await self.hub.close()
        await super().stop()

    def documented_rates(self) -> None:
        """Switch the documented limits on: one message a second and channel, the tiers a minute and method."""
        self._channel_rate = (1, 1.0)
        for method, per in TIERS.items():
            self.rate_limit(method, per, 60)

    # -- looking at the screen ----------------------------------------------------------------------------------

    def channel(self, name: str) -> Channel:
        """A channel by id or name; raises ``SlackError`` when there is none."""
        return self.workspace.find_channel(name)

    def screen(self, channel: str) -> list[Message]:
        """The channel as people see it, oldest first, threads folded away."""
        return [one for one in self.channel(channel).messages if not one.is_reply or one.broadcast]

    def thread(self, root: Message) -> list[Message]:
        """The replies under a message, oldest first."""
        return [
            one for one in self.workspace.channels[root.channel].messages if one.is_reply and one.thread_ts == root.ts
        ]

    def ephemerals(self, user: str) -> list[Message]:
        return [message for message in self.workspace.ephemerals if message.ephemeral_for == user]

    def modals(self, user: str) -> list[View]:
        """Open modals of a person, the topmost last."""
        return [view for view in self.workspace.views.values() if view.user == user and not view.closed]

    def home(self, user: str) -> View | None:
        return self.workspace.homes.get(user)

    async def wait_for_message(self, channel: str, containing: str = "", timeout: float = 5.0) -> Message:
        """The newest message of a channel (threads too) whose visible text contains this."""

        def find() -> Message | None:
            fits = [one for one in self.channel(channel).messages if containing in one.visible and one.from_bot]
            return fits[-1] if fits else None

        message = await self.wait_for(find, timeout)
        assert message is not None
        return message

    # -- acting as people ---------------------------------------------------------------------------------------

    def connect(self, url: str = "", *, socket_mode: bool = False) -> None:
        """Where the bot listens (``…/slack/events``), or that it comes over Socket Mode."""
        self.requests.url, self.requests.socket_mode = url, socket_mode

    async def event(
        self,
        event: Mapping[str, Any],
        *,
        event_id: str | None = None,
        retry: int = 0,
        reason: str = "http_timeout",
        **how: Any,
    ) -> Reply:
        """One delivery of an Events API event; give the same ``event_id`` and ``retry`` to deliver it again."""
        again = {"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": reason} if retry else {}
        payload = self.requests.event_payload(event, event_id)
        return await self.requests.deliver(payload, form=False, headers=again, **how)

    async def challenge(self, **how: Any) -> Reply:
        """The URL verification; a good bot answers with the challenge."""
        body = {"token": self.requests.verification_token, "challenge": "fake-challenge", "type": "url_verification"}
        return await self.requests.send(json.dumps(body).encode(), "application/json", **how)

    async def mention(self, text: str, user: str, channel: str, thread_ts: str | None = None, **how: Any) -> Reply:
        """Somebody writes ``@fengbo text`` in a channel: the message appears and the event goes out."""
        message = self.say(f"<@{BOT_USER}> {text}", user, channel, thread_ts)
        event = {**message.as_json(), "type": "app_mention", "channel": channel, "client_msg_id": f"m-{message.ts}"}
        return await self.event(event, **how)

    def say(self, text: str, user: str, channel: str, thread_ts: str | None = None) -> Message:
        """A person's message appears, without an event."""
        message = Message(self.workspace.new_ts(), channel, user, text, thread_ts=thread_ts)
        return self.workspace.post(message)

    async def direct_message(self, text: str, user: str, **how: Any) -> Reply:
        """Somebody writes to the bot directly."""
        channel = self.workspace.direct_messages(user)
        message = self.say(text, user, channel.id)
        return await self.event({**message.as_json(), "channel": channel.id, "channel_type": "im"}, **how)

    async def open_home(self, user: str, **how: Any) -> Reply:
        where = {"channel": self.workspace.direct_messages(user).id, "tab": "home"}
        return await self.event({"type": "app_home_opened", "user": user, **where}, **how)

    async def slash(self, text: str, user: str, channel: str, *, command: str = "/crisis", **how: Any) -> Reply:
        """A slash command; an answer in the reply appears on the screen."""
        payload = self.requests.slash_payload(command, text, user, channel, self.url)
        reply = await self.requests.deliver(payload, form=True, **how)
        if reply.ok and reply.text.strip():
            body = reply.json if isinstance(reply.json, dict) else {"text": reply.text}
            self._show_answer(body, user, channel, None)
            await self.changed()
        return reply

    async def click(self, message: Message, name: str, user: str, *, selected: str | None = None, **how: Any) -> Reply:
        """Press a button (by ``action_id``, value or label) or choose an option on a message."""
        action = self.requests.action(message.element(name), selected)
        return await self.requests.deliver(
            self.requests.click_payload(message, action, user, self.url), form=True, **how
        )

    async def click_view(self, view: View, name: str, *, selected: str | None = None, **how: Any) -> Reply:
        """Press something inside a modal or home tab."""
        probe = Message("", "", view.user, "", view.body["blocks"])
        action = self.requests.action(probe.element(name), selected)
        return await self.requests.deliver(self.requests.view_click_payload(view, action, view.user), form=True, **how)

    async def submit_view(self, view: View, values: Mapping[str, Mapping[str, Any]], **how: Any) -> Reply:
        """Submit a modal; ``values`` is ``{block_id: {action_id: state}}``. Follows the ``response_action``."""
        reply = await self.requests.deliver(
            self.requests.view_payload("view_submission", view, values), form=True, **how
        )
        if reply.ok:
            self._follow(view, reply.json if isinstance(reply.json, dict) else {})
            await self.changed()
        return reply

    async def close_view(self, view: View, **how: Any) -> Reply | None:
        view.closed = True
        if not flag(view.body.get("notify_on_close")):
            return None
        return await self.requests.deliver(self.requests.view_payload("view_closed", view, {}), form=True, **how)

    async def shortcut(self, callback_id: str, user: str, **how: Any) -> Reply:
        return await self.requests.deliver(self.requests.shortcut_payload(callback_id, user), form=True, **how)

    async def message_action(self, callback_id: str, message: Message, user: str, **how: Any) -> Reply:
        """A message shortcut on somebody's message."""
        payload = self.requests.message_action_payload(callback_id, message, user, self.url)
        return await self.requests.deliver(payload, form=True, **how)

    def _follow(self, view: View, answer: Mapping[str, Any]) -> None:
        action = answer.get("response_action")
        if action == "errors":
            return
        if action in ("update", "push"):
            body = slack_people.read_view(self.workspace, {"view": answer["view"]})
            if action == "update":
                view.body = {**body, "root_view_id": view.body["root_view_id"]}
            else:
                pushed = slack_people.show(self.workspace, view.user, {**body, "previous_view_id": view.id})
                self.workspace.views[pushed.id] = pushed
            return
        view.closed = True
        if action == "clear":
            for other in self.modals(view.user):
                other.closed = True

    # -- answering the bot --------------------------------------------------------------------------------------

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_route("*", "/api/{method}", self._call)
        router.add_post("/upload/v1/{file}", self._upload)
        router.add_post("/actions/{team}/{number}/{secret}", self._respond)
        router.add_get("/link", self.hub.handle)

    def method_of(self, request: web.Request) -> str:
        first, _, rest = request.path.strip("/").partition("/")
        names = {"api": rest, "upload": "upload", "actions": "response_url", "link": "socket"}
        return names.get(first, request.path)

    async def body_of(self, request: web.Request) -> Mapping[str, Any]:
        body: dict[str, Any] = dict(request.query)
        kind = request.content_type
        if kind == "application/json":
            try:
                parsed = json.loads(await request.read() or b"{}")
            except ValueError:
                return body
            body |= parsed if isinstance(parsed, dict) else {}
        elif kind == "application/x-www-form-urlencoded":
            body |= {name: str(value) for name, value in (await request.post()).items()}
        return body

    def limit_targets(self, call: Call) -> list[str]:
        channel = call.body.get("channel")
        if not channel or call.method not in _WRITES_TO_CHANNEL:
            return [call.method]
        if self._channel_rate and not self.faults.has_limit(str(channel)):
            self.rate_limit(str(channel), *self._channel_rate)
        return [call.method, str(channel)]

    def refusal(self, call: Call, failure: Failure) -> web.Response:
        if failure.error in ("ratelimited", "rate_limited") or failure.status == 429:
            return self.limited(call, failure.retry_after if failure.retry_after is not None else 1)
        body = {"ok": False, "error": str(failure.error)} if failure.error else None
        status = failure.status or (200 if failure.error else 500)
        return web.json_response(body, status=status) if body else web.Response(status=status, text="fake failure")

    def limited(self, call: Call, wait: int) -> web.Response:
        body = {"ok": False, "error": "ratelimited"}
        return web.json_response(body, status=429, headers={"Retry-After": str(wait)})

    def _authorise(self, request: web.Request, call: Call) -> None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        token = token if scheme == "Bearer" else str(call.body.get("token", ""))
        wants_app = call.method == "apps.connections.open"
        if not token:
            raise SlackError("not_authed")
        if token not in (self.bot_token, self.app_token):
            raise SlackError("invalid_auth")
        if (token == self.app_token) != wants_app:
            raise SlackError("not_allowed_token_type")
        scope = slack_people.SCOPES.get(call.method)
        if scope and scope not in self.scopes:
            raise SlackError("missing_scope", needed=scope, provided=",".join(sorted(self.scopes)))

    @staticmethod
    def _check_body(request: web.Request, call: Call) -> None:
        kinds = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")
        if not call.raw:
            return
        if request.content_type not in kinds:
            raise SlackError("invalid_post_type")
        if request.content_type == "application/json":
            try:
                parsed = json.loads(call.raw)
            except ValueError:
                raise SlackError("invalid_json") from None
            if not isinstance(parsed, dict):
                raise SlackError("json_not_object")

    async def _call(self, request: web.Request) -> web.Response:
        call = request[CALL]
        headers = {"X-OAuth-Scopes": ",".join(sorted(self.scopes))}
        try:
            if call.method not in METHODS and call.method != "apps.connections.open":
                raise SlackError("unknown_method", req_method=call.method)
            self._check_body(request, call)
            self._authorise(request, call)
            result = self._perform(call.method, call.body)
        except SlackError as refused:
            return web.json_response({"ok": False, "error": refused.error, **refused.extra}, headers=headers)
        return web.json_response({"ok": True, **result}, headers=headers)

    def _perform(self, method: str, arguments: Arguments) -> dict[str, Any]:
        if method == "apps.connections.open":
            address = self.url.replace("http", "ws", 1)
            return {"url": f"{address}/link?ticket={self.hub.new_ticket()}&app_id={APP_ID}"}
        result = METHODS[method](self.workspace, arguments)
        if method == "files.getUploadURLExternal":
            result["upload_url"] = self.url + result["upload_url"]
        return result

    async def _upload(self, request: web.Request) -> web.Response:
        upload = self.workspace.uploads.get(request.match_info["file"])
        if upload is None:
            return web.Response(status=404, text="no such upload")
        content: bytes = request[CALL].raw
        if request.content_type == "multipart/form-data":
            for part in (await request.post()).values():
                if isinstance(part, web.FileField):
                    content = part.file.read()
        if len(content) != upload.size:
            return web.Response(status=400, text=f"expected {upload.size} bytes, got {len(content)}")
        upload.content = content
        return web.Response(text=f"OK - {len(content)}")

    async def _respond(self, request: web.Request) -> web.Response:
        call = request[CALL]
        try:
            entry = self.workspace.use_response_url(request.path.removeprefix("/actions/"))
            self._show_answer(call.body, entry.user, entry.channel, entry.message_ts)
        except SlackError as refused:
            late = refused.error in ("used_url", "expired_url", "invalid_url")
            body = {"ok": False, "error": refused.error, **refused.extra}
            return web.json_response(body, status=404 if late else 400)
        return web.Response(text="ok")

    def _show_answer(self, body: Arguments, user: str, channel: str, message_ts: str | None) -> None:
        """What a response URL or a command's reply does: replace, delete, or say something new."""
        shown: Sequence[Message] = [*self.workspace.channels[channel].messages, *self.workspace.ephemerals]
        original = next((message for message in shown if message_ts and message.ts == message_ts), None)
        if flag(body.get("delete_original")) and original:
            if original.ephemeral_for:
                self.workspace.ephemerals.remove(original)
            else:
                self.workspace.channels[channel].messages.remove(original)
            return
        text, blocks = slack_chat.read_content(body, slack_chat.POST_TEXT)
        if flag(body.get("replace_original")) and original:
            self.workspace.edit(original, text, blocks)
            return
        public = body.get("response_type") == "in_channel"
        message = Message(self.workspace.new_ts(), channel, BOT_USER, text or "", blocks, from_bot=True)
        message.ephemeral_for = None if public else user
        message.thread_ts = body.get("thread_ts")
        self.workspace.post(message)
