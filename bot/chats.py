"""The chats a configuration asks for, built and ready to be mounted and run."""

from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from bot.chat.console.console import Console, FormFor, Opened
from bot.chat.console.guard import Guard
from bot.chat.mail import MailChat
from bot.chat.slack.adapter import SlackChat
from bot.chat.slack.events import SlackInbound
from bot.chat.sms import SmsChat
from bot.chat.wecom.adapter import WecomChat
from bot.chat.wecom.aibot_adapter import AibotChat
from bot.chat.wecom.aibot_inbound import AibotInbound
from bot.chat.wecom.aibot_shown import Answering
from bot.chat.wecom.aibot_socket import AibotSocket
from bot.chat.wecom.aibot_watch import AibotWatch, places_beside
from bot.chat.wecom.client import WecomClient
from bot.chat.wecom.codes import ResponseCodes
from bot.chat.wecom.crypto import WecomCrypto
from bot.chat.wecom.inbound import WecomCallback
from bot.clock import Clock
from bot.config import Config
from bot.delivery.chat import AttachmentMaker, Chat
from bot.store.database import Store

Stop = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class Chats:
    """``guard`` keeps pages for members; ``live`` by name; ``mount`` puts the inbound routes into an application;
    ``starts`` and ``stops`` are awaited around the run. ``works`` run as long as the worker's lease is held: what only
    one process at a time may do."""

    guard: Guard
    live: dict[str, Chat] = field(default_factory=dict)
    mounts: list[Callable[[web.Application], None]] = field(default_factory=list)
    starts: list[Stop] = field(default_factory=list)
    stops: list[Stop] = field(default_factory=list)
    works: list[tuple[str, Callable[[], Coroutine[Any, Any, None]]]] = field(default_factory=list)

    def mount(self, app: web.Application) -> None:
        for mount in self.mounts:
            mount(app)


def build(
    config: Config,
    store: Store,
    clock: Clock,
    *,
    make: AttachmentMaker,
    form_for: FormFor,
    complete: Callable[[str, str], list[tuple[str, str]]],
    language_of: Callable[[str], str],
    accepted: Callable[[], None],
    visitor: str = "",
    opened: Opened | None = None,
) -> Chats:
    """Everything configured under ``chat``; the console always. ``opened`` hears who has which form open."""
    console = Console(
        store, clock, config, form_for, complete, config.people, make=make, visitor=visitor, accepted=accepted,
        opened=opened,
    )  # fmt: skip
    chats = Chats(console.guard)
    chats.live["console"] = console.chat
    chats.mounts.append(console.add_routes)
    if config.chat.slack:
        _slack(chats, config, store, clock, make, form_for, language_of, accepted, opened)
    if config.chat.wecom:
        _wecom(chats, config, store, clock, make, accepted)
    if config.chat.email:
        chats.live["email"] = MailChat(config.chat.email, make)
    if config.chat.sms:
        sms = SmsChat(config.chat.sms, clock)
        chats.live["sms"] = sms
        chats.stops.append(sms.close)
    return chats


def _slack(
    chats: Chats,
    config: Config,
    store: Store,
    clock: Clock,
    make: AttachmentMaker,
    form_for: FormFor,
    language_of: Callable[[str], str],
    accepted: Callable[[], None],
    opened: Opened | None,
) -> None:
    assert config.chat.slack is not None
    settings = config.chat.slack
    slack = SlackChat(settings, clock, store=store, make=make)
    inbound = SlackInbound(store, clock, config.chat.slack, form_for, language_of, accepted=accepted, opened=opened)
    chats.live["slack"] = slack
    chats.mounts.append(lambda app: _add(app, [web.post("/slack/events", inbound.handle)]))
    chats.starts.append(inbound.start_socket)
    chats.stops.extend([inbound.stop_socket, slack.close])


def _wecom(
    chats: Chats, config: Config, store: Store, clock: Clock, make: AttachmentMaker, accepted: Callable[[], None]
) -> None:
    wecom = config.chat.wecom
    assert wecom is not None
    codes = ResponseCodes()
    client = WecomClient(wecom, clock)
    groups = _smart_robot(chats, config, store, clock, make, accepted) if wecom.aibot else None
    chat = WecomChat(client, clock, make, codes, groups)
    chats.live["wecom"] = chat
    chats.stops.append(chat.close)
    if wecom.secret("token") and wecom.secret("aes_key"):
        crypto = WecomCrypto(wecom.secret("token"), wecom.secret("aes_key"), wecom.corp_id)
        callback = WecomCallback(
            crypto, store, clock, codes, agent_id=wecom.agent_id, stored=accepted, language=config.language
        )
        chats.mounts.append(lambda app: _add(app, callback.routes()))


def _smart_robot(
    chats: Chats, config: Config, store: Store, clock: Clock, make: AttachmentMaker, accepted: Callable[[], None]
) -> AibotChat:
    """The long connection is work of the lease's holder, beside the sender that writes to it."""
    assert config.chat.wecom is not None and config.chat.wecom.aibot is not None
    robot, answering = config.chat.wecom.aibot, Answering()
    socket = AibotSocket(robot.url, robot.bot_id, robot.secret("secret"), clock)
    groups = AibotChat(socket, clock, answering, make)
    names = {one.lower(): person.name for person in config.people for one in (person.wecom, person.wecom_aibot) if one}
    inbound = AibotInbound(
        store, clock, socket, groups, answering, stored=accepted,
        name_of=lambda account: names.get(account.lower(), account), language=config.language, robot_name=robot.name,
    )  # fmt: skip
    watch = AibotWatch(store, clock, places_beside(config))
    socket.listen(inbound.receive, watch.state)
    chats.works.append(("smart robot", socket.run))
    chats.stops.append(inbound.close)
    return groups


def _add(app: web.Application, routes: Iterable[web.RouteDef]) -> None:
    app.router.add_routes(list(routes))
