"""Every page beside the console's own: the newsroom, approval files, retrospectives."""

from aiohttp import web

from bot.chat.console.guard import Guard
from bot.clock import Clock
from bot.config import Config
from bot.learning.retrospectives import Retrospectives
from bot.newsroom.routes import Newsroom
from bot.reports.studio import Studio
from bot.store.database import Store
from bot.web_reports import ReportPages
from bot.web_retrospectives import RetrospectivePages
from bot.web_statements import StatementPages


def add_pages(
    app: web.Application, config: Config, store: Store, clock: Clock, guard: Guard, retrospectives: Retrospectives,
    studio: Studio,
) -> None:  # fmt: skip
    """Put their routes into ``app``."""
    Newsroom(config, store, clock, guard.page).add_routes(app)
    StatementPages(config, store, clock, guard).add_routes(app)
    RetrospectivePages(config, store, clock, guard, retrospectives, studio).add_routes(app)
    ReportPages(config, store, clock, guard).add_routes(app)
