"""Volume and mood of a matter with what was done marked on it: the picture of a retrospective."""

from collections.abc import Awaitable, Callable

from sqlite_utils import Database

from bot.clock import Clock
from bot.delivery.chat import AttachmentMaker, Made
from bot.incidents import words
from bot.learning.moments import families_of
from bot.learning.retrospect import Retrospect, picture_span
from bot.model.incident import Incident
from bot.model.message import Attachment
from bot.model.text import Text, UserError
from bot.reports.charts import Chart, Mark, describe
from bot.reports.series import read_series, step_for
from bot.store import incidents
from bot.store.database import Store
from bot.texts import render

RETRO = "retro"

MARKED = ("alert", "acknowledged", "published", "peak", "calm")


def retro_chart(db: Database, found: Retrospect, language: str) -> Chart | None:
    """None where no posts are stored (any more): an empty picture would say that it was quiet."""
    chart = _chart(db, found, language)
    return chart if chart.series.posts else None


def retro_maker(
    store: Store, clock: Clock, draw: Callable[[Chart], Awaitable[bytes]],
    look: Callable[[Database, Incident, int], Retrospect],
) -> AttachmentMaker:  # fmt: skip
    """Makes the picture of ``Attachment(kind="retro", params={"incident": id})``."""

    async def make(attachment: Attachment, language: str) -> Made:
        name = str(attachment.params["incident"])

        def read(db: Database) -> Chart:
            incident = incidents.get(db, name)
            if incident is None:
                raise UserError("error.no_such_incident", id=name)
            return _chart(db, look(db, incident, clock.now()), language)

        chart = await store.read(read)
        return Made(await draw(chart), f"{name}-retrospective.png", "image/png", chart.summary)

    return make


def _chart(db: Database, found: Retrospect, language: str) -> Chart:
    incident = found.incident
    start, end = picture_span(found)
    series = read_series(
        db, [incident.subject], start, end, step_for(end - start), families_of(incident), incident.drill, usual=False
    )
    title = f"{incident.id} {render(words.title(incident), language)}"
    chart = describe(series, title, language, end)
    marks = [(moment.name, moment.at) for moment in found.moments.moments if moment.name in MARKED[:2] + MARKED[3:]]
    marks += [("published", said.published_at) for said in found.moments.statements if said.published_at]
    shown = tuple(Mark(at, render(Text(f"retro.mark_{name}"), language)) for name, at in marks if at <= chart.end)
    return Chart(
        chart.title, chart.subtitle, chart.footnote, chart.summary, series, language=language, zone=chart.zone,
        marks=shown,
    )  # fmt: skip
