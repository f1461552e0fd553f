"""What a chart says, before it is drawn. Drawn by ``svg`` for the console and by ``png`` for the other chats."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlite_utils import Database

from bot.clock import HOUR, MINUTE, SECOND, Clock
from bot.delivery.chat import AttachmentMaker, Made
from bot.model.grade import Grade
from bot.model.message import Attachment
from bot.model.text import Text, UserError
from bot.reports import png
from bot.reports.axes import DEFAULT_ZONE, clock_label
from bot.reports.series import GradeChange, Series, families_of, fitting_span, read_grade_changes, read_series, step_for
from bot.store.database import Store
from bot.texts import render
from bot.warning.forecast import AHEAD
from bot.warning.outlook import Outlook, read_outlook

CHART = "chart"
DEFAULT_HOURS = 6.0
MAX_HOURS = 24 * 14
AHEAD_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Band:
    """What a coming step holds if nothing changes: in eight of ten cases between ``low`` and ``high`` posts."""

    start: int
    end: int
    low: float
    middle: float
    high: float


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened, named in the reader's language."""

    at: int
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A finished chart: all words are in the reader's language. ``zone`` is the time zone of its axis; ``ahead``
    continues the series into the future."""

    title: str
    subtitle: str
    footnote: str
    summary: str
    series: Series
    changes: tuple[GradeChange, ...] = ()
    language: str = "zh-CN"
    zone: str = DEFAULT_ZONE
    ahead: tuple[Band, ...] = ()
    marks: tuple[Mark, ...] = ()

    @property
    def end(self) -> int:
        """Where its axis of time ends: with the forecast, if it has one."""
        return self.ahead[-1].end if self.ahead else self.series.end

    @property
    def highest(self) -> float:
        """What its axis of counts must hold. The forecast's upper edge may go beyond it: a wide guess must not press
        what happened flat."""
        counted = max([1.0, *self.series.totals, *(value or 0 for value in self.series.usual)])
        return max([counted, *(min(band.high, 1.5 * counted) for band in self.ahead)])


def describe(
    series: Series,
    title: str,
    language: str,
    until: int,
    changes: tuple[GradeChange, ...] = (),
    zone: str = DEFAULT_ZONE,
    ahead: tuple[Band, ...] = (),
) -> Chart:
    """Put the words around a series: step, peak and how many collected posts it rests on. ``until`` is the moment
    up to which posts were counted."""
    unit, size = ("minutes", MINUTE) if series.step >= MINUTE else ("seconds", SECOND)
    subtitle = render(Text(f"chart.per_{unit}", {unit: series.step // size}), language)
    share = round(100 * sum(series.negative) / series.posts) if series.posts else 0
    params = {
        "count": f"{series.posts:,}",
        "from": clock_label(series.start, zone, "%m-%d %H:%M"),
        "to": clock_label(min(series.end, until), zone, "%m-%d %H:%M"),
        "share": share,
        "title": title,
        "platforms": len(series.platforms),
    }
    if series.posts:
        peak = max(range(len(series.totals)), key=lambda index: series.totals[index])
        params["peak"] = series.totals[peak]
        params["peak_at"] = clock_label(series.start + peak * series.step, zone)
    if series.partial and series.posts:
        subtitle += f" · {render(Text('chart.partial'), language)}"
    return Chart(
        title=title,
        subtitle=subtitle,
        footnote=render(Text("chart.source" if series.posts else "chart.source_empty", params), language),
        summary=render(Text("chart.summary" if series.posts else "chart.summary_empty", params), language),
        series=series,
        changes=tuple(change for change in changes if change.at < series.end),
        language=language,
        zone=zone,
        ahead=ahead if series.posts else (),
    )


def incident_chart(db: Database, incident: str, hours: float, now: int, language: str) -> Chart:
    """The chart of one incident over the last ``hours``, with 0 as far back as the matter goes. Raises ``UserError``
    for an unknown incident."""
    row = db.conn.execute(
        "SELECT id, subject, family, drill, title, opened_at, grade, closed_at,"
        " subject_name, crisis_type FROM incident WHERE id = ?",
        (incident,),
    ).fetchone()
    if row is None:
        raise UserError("chart.no_incident", incident=incident)
    end = min(row[7] + HOUR, now) if row[7] else now
    families = families_of(row[2])
    if hours > 0:
        span = int(min(max(hours, 0.25), MAX_HOURS) * HOUR)
    else:
        span = fitting_span(db, [row[1]], end, int(DEFAULT_HOURS * HOUR), families, row[3])
    series = read_series(db, [row[1]], end - span, end, step_for(span), families, row[3])
    changes = read_grade_changes(db, row[0], row[5], Grade(row[6]))
    title = f"{row[0]} {incident_title(row[4], row[8], row[9], language)}"
    outlook = None if row[7] else read_outlook(db, [row[1]], frozenset(families), row[3], now)
    return describe(series, title, language, end, changes, ahead=bands(series, outlook, now))


def bands(series: Series, outlook: Outlook | None, now: int) -> tuple[Band, ...]:
    """The forecast in the series' steps, from its end over a quarter of its length, a day at most. None for charts so
    short that they are drawn in seconds: the forecast knows hours."""
    if outlook is None or series.step < MINUTE:
        return ()
    count = min(max(1, round(AHEAD_SHARE * len(series.negative))), AHEAD * HOUR // series.step)
    found = []
    for index in range(count):
        start = series.end + index * series.step
        # A step longer than an hour is made of the hours in it, a shorter one is a part of one.
        leads = range(max(0, start - now) // HOUR, max(0, start + series.step - 1 - now) // HOUR + 1)
        hours = [outlook.forecast.hours[lead] for lead in leads if lead < AHEAD]
        if not hours:
            break
        share = series.step / HOUR / len(hours)
        low, middle, high = (sum(share * getattr(one, name) for one in hours) for name in ("low", "middle", "high"))
        found.append(Band(start, start + series.step, low, middle, high))
    return tuple(found)


def incident_title(title: str, subject_name: str, crisis_type: str, language: str) -> str:
    """The title a person gave, else subject and crisis type."""
    return title or render(
        Text("incident.title", {"subject": subject_name, "type": Text(f"type.{crisis_type}")}), language
    )


def chart_maker(store: Store, clock: Clock, draw: Callable[[Chart], Awaitable[bytes]] = png.draw) -> AttachmentMaker:
    """Makes the picture of ``Attachment(kind="chart", params={"incident": id, "hours": n})``; without hours it
    reaches as far back as the matter goes."""

    async def make(attachment: Attachment, language: str) -> Made:
        incident = str(attachment.params["incident"])
        hours = float(attachment.params.get("hours") or 0)
        chart = await store.read(lambda db: incident_chart(db, incident, hours, clock.now(), language))
        content = await draw(chart)
        return Made(content, f"{incident}.png", "image/png", chart.summary)

    return make
