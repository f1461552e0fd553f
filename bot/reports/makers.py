"""Every picture a message can carry, by its kind."""

from collections.abc import Mapping

from bot.clock import Clock
from bot.delivery.chat import AttachmentMaker, Made
from bot.model.message import Attachment
from bot.reports.charts import CHART, chart_maker
from bot.reports.score_scene import SCORE, score_maker
from bot.reports.spreads import SPREAD, spread_maker
from bot.reports.studio import Studio
from bot.store.database import Store


def picture_maker(
    store: Store, clock: Clock, studio: Studio, more: Mapping[str, AttachmentMaker] | None = None
) -> AttachmentMaker:  # fmt: skip
    """Makes an attachment of any kind; ``more`` are those of rooms above. ``KeyError`` for a kind that nobody makes."""
    own = {
        CHART: chart_maker(store, clock, studio.draw), SPREAD: spread_maker(store, clock, studio.draw),
        SCORE: score_maker(studio.draw),
    }  # fmt: skip
    makers = {**own, **(more or {})}

    async def make(attachment: Attachment, language: str) -> Made:
        return await makers[attachment.kind](attachment, language)

    return make
