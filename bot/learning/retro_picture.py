"""Volume and mood of a matter with what was done marked on it: the picture of a retrospective."""

from sqlite_utils import Database

from bot.incidents import words
from bot.learning.moments import families_of
from bot.learning.retrospect import Retrospect, picture_span
from bot.model.text import Text
from bot.reports.charts import Chart, Mark, describe
from bot.reports.series import read_series, step_for
from bot.texts import render

MARKED = ("alert", "acknowledged", "published", "peak", "calm")


def retro_chart(db: Database, found: Retrospect, language: str) -> Chart | None:
    """None where no posts are stored (any more): an empty picture would say that it was quiet."""
    incident = found.incident
    start, end = picture_span(found)
    series = read_series(
        db, [incident.subject], start, end, step_for(end - start), families_of(incident), incident.drill, usual=False
    )
    if not series.posts:
        return None
    title = f"{incident.id} {render(words.title(incident), language)}"
    chart = describe(series, title, language, end)
    marks = [(moment.name, moment.at) for moment in found.moments.moments if moment.name in MARKED[:2] + MARKED[3:]]
    marks += [("published", said.published_at) for said in found.moments.statements if said.published_at]
    shown = tuple(Mark(at, render(Text(f"retro.mark_{name}"), language)) for name, at in marks if at <= chart.end)
    return Chart(
        chart.title, chart.subtitle, chart.footnote, chart.summary, series, language=language, zone=chart.zone,
        marks=shown,
    )  # fmt: skip
