"""The console put together: the chat, its page, who may see it."""

from collections.abc import Callable, Sequence

from aiohttp import web

from bot.chat.console.adapter import ConsoleChat
from bot.chat.console.guard import Guard
from bot.chat.console.hub import Hub
from bot.chat.console.identity import Identities, account_of
from bot.chat.console.render import Renderer
from bot.chat.console.routes import add_routes
from bot.clock import Clock
from bot.config import Config, PersonConfig
from bot.delivery.chat import AttachmentMaker
from bot.model.card import Form
from bot.store.database import Store

FormFor = Callable[[str, str, str], Form | None]
# ``(form id, command, chat, account)`` of whoever has just opened a form.
Opened = Callable[[str, str, str, str], None]
Complete = Callable[[str, str], list[tuple[str, str]]]
DEFAULT_CHANNEL = "alerts"


class Console:
    """``form_for(form id, command, language)`` gives the form a button opens; ``complete(line, language)`` gives
    ``(whole line, description)`` pairs for what somebody has typed so far; ``accepted`` is called after an event is
    stored, so that the inbox need not be polled for it."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        config: Config,
        form_for: FormFor,
        complete: Complete,
        people: Sequence[PersonConfig],
        make: AttachmentMaker | None = None,
        visitor: str = "",
        accepted: Callable[[], None] = lambda: None,
        opened: Opened | None = None,
    ) -> None:
        self.store = store
        self.clock = clock
        self.config = config
        self.form_for = form_for
        self.complete = complete
        self.accepted = accepted
        self.opened = opened or (lambda form_id, command, chat, account: None)
        self.identities = Identities(store, clock, config, people, visitor)
        self.guard = Guard(config, self.identities)
        self.renderer = Renderer(self.identities)
        self.hub = Hub(store, clock)
        accounts = {account_of(person) for person in people} | {self.identities.visitor().account}
        self.chat = ConsoleChat(store, clock, self.hub, frozenset(accounts) - set(self.channels), make)

    @property
    def channels(self) -> list[str]:
        """The configured channels in their order, one at least."""
        named = [channel.console for channel in self.config.channels.values() if channel.console]
        return list(dict.fromkeys(named)) or [DEFAULT_CHANNEL]

    def add_routes(self, app: web.Application) -> None:
        """Put the pages and their endpoints into an application; its shutdown ends the streams."""
        add_routes(app, self)
