"""Every picture a message can carry, by its kind."""

from bot.clock import Clock
from bot.delivery.chat import AttachmentMaker, Made
from bot.model.message import Attachment
from bot.reports.charts import CHART, chart_maker
from bot.reports.spreads import SPREAD, spread_maker
from bot.reports.studio import Studio
from bot.store.database import Store


def picture_maker(store: Store, clock: Clock, studio: Studio) -> AttachmentMaker:
    """Makes an attachment of any kind. ``KeyError`` for a kind that nobody makes."""
    makers = {CHART: chart_maker(store, clock, studio.draw), SPREAD: spread_maker(store, clock, studio.draw)}

    async def make(attachment: Attachment, language: str) -> Made:
        return await makers[attachment.kind](attachment, language)

    return make
