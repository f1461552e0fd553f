"""Briefs at work: asked for or due, made beside the flow, kept as they were sent, told through the outbox."""

import base64
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, cast

from sqlite_utils import Database

from bot.briefs import document, pictures
from bot.briefs.period import Cadence, Period, last_over, next_due
from bot.briefs.reading import Brief, read_brief
from bot.clock import Clock
from bot.config import Config
from bot.config_reports import ReportConfig
from bot.delivery import outbox, timers
from bot.delivery.chat import AttachmentMaker, Made
from bot.delivery.timers import Timer
from bot.incidents.notices import live_destinations
from bot.model.card import Card
from bot.model.message import Attachment, Message
from bot.reports import document_pdf
from bot.reports.document import Block
from bot.reports.scene import Scene
from bot.store import briefs as store
from bot.store.database import Store

DUE, MAKE = "brief_due", "brief"
PICTURE, PAPER = "brief_picture", "brief_pdf"
Draw = Callable[[Scene], Awaitable[bytes]]
Scores = Callable[[Database, list[str]], Mapping[str, float]]


class Briefs:
    """``draw`` makes a PNG of a scene; ``scores`` gives the points of drills."""

    def __init__(self, config: Config, rows: Store, clock: Clock, draw: Draw, scores: Scores) -> None:
        self._config = config
        self._store = rows
        self._clock = clock
        self._draw = draw
        self._scores = scores

    # -- on a cadence

    def begin(self, db: Database, now: int) -> None:
        """Set the timers of the configured briefs; a timer that waits already keeps its moment, so that what came due
        while nobody ran is made once, for the newest period."""
        wanted = {name_of(report): report for report in self._config.reports}
        for name, report in wanted.items():
            if timers.waiting_at(db, DUE, name) is None:
                timers.schedule(db, DUE, name, next_due(report.cadence, report.hour, now, report.timezone), now)
        stale = db.conn.execute("SELECT object FROM timer WHERE kind = ? AND state = 'waiting'", (DUE,)).fetchall()
        for (name,) in stale:
            if name not in wanted:
                timers.cancel(db, DUE, name)

    def timers(self) -> dict[str, Callable[[Database, Timer, int], None]]:
        return {DUE: self.due}

    def due(self, db: Database, timer: Timer, now: int) -> None:
        """A cadence has come round: have the newest period that is over made, and wait for the next one."""
        report = next((item for item in self._config.reports if name_of(item) == timer.object), None)
        if report is None:
            return
        period = last_over(report.cadence, now, report.timezone)
        self.ask(db, period, report.subjects, report.language or self._language(report), self._places(report), now)
        timers.schedule(db, DUE, timer.object, next_due(report.cadence, report.hour, now, report.timezone), now)

    # -- asked for

    def ask(
        self, db: Database, period: Period, subjects: list[str], language: str, places: list[dict[str, Any]], now: int
    ) -> None:
        """Have a brief made and sent to ``places`` (``destination``, and ``audience``, ``reply`` of an answer)."""
        payload = {
            "cadence": period.cadence,
            "start": period.start,
            "end": period.end,
            "zone": period.zone,
            "subjects": subjects,
            "language": language,
            "places": places,
        }
        key = f"{period.cadence}:{period.start}:{','.join(subjects)}:{places[0]['destination'] if places else ''}:{now}"
        timers.schedule(db, MAKE, key, now, now, payload)

    async def __call__(self, timer: Timer) -> Callable[[Database, int], None]:
        """The errand: read, draw, then store and send in one transaction."""
        asked = timer.payload
        period = Period(cast(Cadence, asked["cadence"]), asked["start"], asked["end"], asked["zone"])
        brief, blocks = await self.make(period, asked["subjects"], asked["language"])

        def apply(db: Database, now: int) -> None:
            row = self.keep(db, brief, blocks, asked["subjects"], asked["language"], now)
            public = self._config.chat.console.public_url.rstrip("/")
            card = document.card(brief, row.id, asked["language"], f"{public}/reports/{row.id}" if public else "")
            pictured = any(block.kind == "picture" for block in blocks)
            for place in asked["places"]:
                message = self._message(row.id, card, place, asked["language"], pictured)
                outbox.enqueue(db, message, f"{row.id}:{place['destination']}", now)

        return apply

    async def make(self, period: Period, subjects: list[str], language: str) -> tuple[Brief, list[Block]]:
        """A brief with its pictures, as the store stands now."""
        now = self._clock.now()
        brief = await self._store.read(
            partial(read_brief, config=self._config, period=period, now=now, subjects=subjects)
        )
        scores = await self._store.read(lambda db: self._scores(db, [drill.id for drill in brief.drills]))
        shown: dict[str, tuple[str, str]] = {}
        for name, lay_out in (
            ("volume", pictures.volume),
            ("compared", pictures.compared),
            ("platforms", pictures.platforms),
        ):
            scene = lay_out(brief, language)
            if scene is not None:
                shown[name] = (base64.b64encode(await self._draw(scene)).decode(), scene.summary)
        return brief, document.blocks(brief, language, shown, scores)

    def keep(
        self, db: Database, brief: Brief, blocks: list[Block], subjects: list[str], language: str, now: int
    ) -> store.BriefRow:
        period = brief.period
        row = store.BriefRow(
            store.next_id(db),
            period.cadence,
            period.start,
            period.end,
            period.zone,
            language,
            tuple(subjects),
            document.title_of(period, language),
            tuple(block.to_json() for block in blocks),
            document.figures(brief),
            now,
        )
        store.insert(db, row)
        return row

    @staticmethod
    def _message(brief_id: str, card: Card, place: dict[str, Any], language: str, pictured: bool) -> Message:
        """A mail carries the whole as PDF, a chat the first picture."""
        destination = str(place["destination"])
        kind = PAPER if destination.startswith("email:") else PICTURE if pictured else ""
        return Message(
            destination,
            card=card,
            attachment=Attachment(kind, {"brief": brief_id}) if kind else None,
            audience=str(place.get("audience", "")),
            reply=place.get("reply") or {},
            language=language,
            reason="answer" if place.get("answer") else "report",
        )

    def _places(self, report: ReportConfig) -> list[dict[str, Any]]:
        channel = self._config.channels.get(report.channel)
        found = [{"destination": place} for place in live_destinations(channel)] if channel else []
        for name in report.email:
            person = self._config.person(name)
            address = person.email if person else name
            if address:
                found.append({"destination": f"email:{address}"})
        return found

    def _language(self, report: ReportConfig) -> str:
        return self._config.channel_language(report.channel) if report.channel else self._config.language


def name_of(report: ReportConfig) -> str:
    """What tells one configured brief from another: an edited one begins anew."""
    to = ",".join([report.channel, *sorted(report.email)])
    return f"{report.cadence}@{report.hour}@{report.timezone}@{','.join(sorted(report.subjects))}@{to}"


def makers(rows: Store) -> dict[str, AttachmentMaker]:
    """The attachments of a kept brief: its first picture, or the whole as PDF."""

    async def picture(attachment: Attachment, language: str) -> Made:
        row = await _row(rows, attachment)
        block = next((block for block in row if block.kind == "picture"), None)
        if block is None:
            raise LookupError("a brief without posts has no picture")
        return Made(base64.b64decode(block.data), f"{attachment.params['brief']}.png", "image/png", block.text)

    async def paper(attachment: Attachment, language: str) -> Made:
        name = str(attachment.params["brief"])
        found = await rows.read(lambda db: store.get(db, name))
        assert found is not None
        made = await document_pdf.make(
            [Block.from_json(one) for one in found.blocks], found.language, name, b"", found.made_at
        )
        return Made(made, f"{name}.pdf", "application/pdf", found.title)

    return {PICTURE: picture, PAPER: paper}


async def _row(rows: Store, attachment: Attachment) -> list[Block]:
    found = await rows.read(lambda db: store.get(db, str(attachment.params["brief"])))
    return [Block.from_json(one) for one in found.blocks] if found else []
