"""The spread of an incident: read from the store on a reader, worked out in a thread, drawn when it is sent."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlite_utils import Database

from bot.analysis.spread import Spread, matter, spread_of
from bot.clock import Clock
from bot.delivery.chat import AttachmentMaker, Made
from bot.model.incident import Incident
from bot.model.message import Attachment
from bot.model.seen import Seen
from bot.model.text import Text, UserError
from bot.reports import scene_png
from bot.reports.charts import incident_title
from bot.reports.scene import Scene
from bot.reports.spread_picture import Picture, picture_of
from bot.reports.spread_scene import lay_out
from bot.store import incidents as incident_store
from bot.store.database import Store
from bot.store.spread import posts_around
from bot.texts import render

SPREAD = "spread"


@dataclass(frozen=True, slots=True)
class Reading:
    """An incident's posts and what they show as of ``now``. ``cut``: there are more posts than were looked at."""

    incident: Incident
    seen: tuple[Seen, ...]
    spread: Spread
    cut: bool
    now: int


async def read(store: Store, incident_id: str, now: int) -> Reading:
    """Look at an incident's posts. Raises ``UserError`` for an unknown incident."""

    def look(db: Database) -> tuple[Incident, list[Seen], bool]:
        incident = incident_store.get(db, incident_id)
        if incident is None:
            raise UserError("chart.no_incident", incident=incident_id)
        return incident, *posts_around(db, incident, now)

    incident, around, cut = await store.read(look)
    return await asyncio.to_thread(_worked_out, incident, around, cut, now)


def picture(reading: Reading, language: str) -> Picture:
    """The picture of a reading, in words and rows."""
    incident = reading.incident
    name = incident_title(incident.title, incident.subject_name, incident.crisis_type, language)
    title = render(Text("spread.picture_title", {"id": incident.id, "title": name}), language)
    return picture_of(reading.spread, reading.seen, title, language, reading.now)


def spread_maker(
    store: Store, clock: Clock, draw: Callable[[Scene], Awaitable[bytes]] = scene_png.draw
) -> AttachmentMaker:
    """Makes the picture of ``Attachment(kind="spread", params={"incident": id})``."""

    async def make(attachment: Attachment, language: str) -> Made:
        reading = await read(store, str(attachment.params["incident"]), clock.now())
        shown = picture(reading, language)
        content = await draw(lay_out(shown))
        return Made(content, f"{reading.incident.id}-spread.png", "image/png", shown.summary)

    return make


def _worked_out(incident: Incident, around: list[Seen], cut: bool, now: int) -> Reading:
    seen = matter(around, incident.family, incident.opened_at)
    return Reading(incident, tuple(seen), spread_of(seen, now), cut, now)
