"""Everything that reaches out of the house, built together: calls, customers, contacts, automatic answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import aiohttp

from bot.clock import Clock
from bot.config import Config
from bot.delivery.alarm import Errand, Handler
from bot.incidents.notices import Notices
from bot.intake.minimise import Minimiser
from bot.response import contacts, customers, replies
from bot.response.contacts import Contacts
from bot.response.customers import Customers
from bot.response.linkage import Linkage
from bot.response.replies import AutoReplies


@dataclass(frozen=True, slots=True)
class Linked:
    linkage: Linkage
    customers: Customers
    contacts: Contacts
    replies: AutoReplies

    def timers(self) -> dict[str, Handler]:
        """What their timers do, by kind."""
        return {
            customers.FEED: self.customers.feed,
            customers.FORGET: self.customers.forget,
            contacts.REMIND: self.contacts.remind,
            contacts.OVERDUE: self.contacts.overdue,
            replies.CLOSE: self.replies.run_out,
        }

    def errands(self) -> dict[str, Errand]:
        """Timers that first read something from outside."""
        return {customers.COUNT: self.customers.count}


def build(
    config: Config,
    notices: Notices,
    clock: Clock,
    minimiser: Minimiser,
    session: Callable[[], aiohttp.ClientSession],
    *,
    wake: Callable[[], None] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Linked:
    """``session`` gives the one of ``bot.response.transport.open_session``; ``wake`` tells the worker of a call."""
    linkage = Linkage(config, wake)
    return Linked(
        linkage,
        Customers(config, notices, clock, session, environ),
        Contacts(config, notices),
        AutoReplies(config, linkage, notices, minimiser),
    )
