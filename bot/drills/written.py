"""A drill's report with its pictures, drawn in a child process, for a file of its own."""

import asyncio
from base64 import b64encode
from collections.abc import Sequence

from bot.drills.report import document, picture_of, timeline_of
from bot.drills.scorecard import Report
from bot.reports import document_pdf
from bot.reports.document import Block
from bot.reports.scene import Scene
from bot.reports.score_scene import lay_out
from bot.reports.studio import Studio
from bot.store.database import Store


def written(rows: Store, found: Report, language: str, base: str) -> list[Block]:
    """The whole report as blocks."""
    scenes = [lay_out(picture_of(found, language)), rows.read_now(lambda db: timeline_of(db, found, language))]
    score, time = asyncio.run(_drawn(scenes))
    return rows.read_now(lambda db: document(db, found, language, score_png=score, time_png=time, base=base))


def as_pdf(blocks: Sequence[Block], language: str, found: Report) -> bytes:
    """Raises ``PdfFailed``."""
    ended = found.drill.ended_at or found.drill.clock_at
    return asyncio.run(document_pdf.make(blocks, language, found.drill.id, b"", ended))


async def _drawn(scenes: Sequence[Scene]) -> list[str]:
    studio = Studio()
    try:
        return [b64encode(await studio.draw(scene)).decode() for scene in scenes]
    finally:
        await studio.close()
