"""``fengbo report``: a brief on stdout, as words, page, PDF or numbers."""

import asyncio
import sys
from datetime import datetime
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

import click
import orjson

from bot.model.text import LANGUAGES, Text
from bot.terminal import config_option, read_config, say, terminal_language

NOON = 12


@click.command()
@click.argument("cadence", type=click.Choice(["daily", "weekly", "monthly"]), default="weekly")
@click.option("--date", default="", help="A day of the period, YYYY-MM-DD; without it the newest one that is over.")
@click.option("--so-far", is_flag=True, help="The period that is running, up to now.")
@click.option("--subject", "subjects", multiple=True, help="Only this subject; may be given several times.")
@click.option("--html", "kind", flag_value="html", help="As one HTML page.")
@click.option("--pdf", "kind", flag_value="pdf", help="As PDF.")
@click.option("--json", "kind", flag_value="json", default=True, help="The numbers (the default).")
@click.option("--out", metavar="FILE", default="-", help="Where to write it; - is stdout (the default).")
@click.option("--language", type=click.Choice(LANGUAGES), help="The configuration's by default.")
@click.option("--timezone", default="Asia/Shanghai", help="Whose days (Asia/Shanghai).")
@config_option
def report(
    cadence: str, date: str, so_far: bool, subjects: tuple[str, ...], kind: str, out: str, language: str | None,
    timezone: str, config_path: str | None,
) -> None:  # fmt: skip
    """A daily, weekly or monthly brief from the record."""
    from bot.briefs.period import Cadence, holding, last_over
    from bot.briefs.service import Briefs
    from bot.clock import SystemClock
    from bot.drills.build import points
    from bot.reports import document_html, document_pdf, scene_png
    from bot.store.database import Store

    config, _ = read_config(config_path)
    clock, words = SystemClock(), terminal_language()
    known = [subject.id for subject in config.subjects]
    for subject in subjects:
        if subject not in known:
            say(Text("brief.unknown_subject", {"name": subject, "known": known or ["—"]}), words)
            raise SystemExit(2)
    chosen = cast(Cadence, cadence)
    period = holding(chosen, clock.now(), timezone) if so_far else last_over(chosen, clock.now(), timezone)
    if date:
        try:
            day = datetime.strptime(date, "%Y-%m-%d").replace(hour=NOON, tzinfo=ZoneInfo(timezone))
        except ValueError:
            say(Text("brief.bad_date", {"value": date}), words)
            raise SystemExit(2) from None
        period = holding(chosen, int(day.timestamp() * 1000), timezone)
    store = Store(config.store)
    try:
        briefs = Briefs(config, store, clock, scene_png.draw, points(config))
        shown = language or config.language
        brief, blocks = asyncio.run(briefs.make(period, list(subjects), shown))
    finally:
        store.close()
    if kind == "html":
        made = document_html.page(blocks, shown)
    elif kind == "pdf":
        made = asyncio.run(document_pdf.make(blocks, shown, f"fengbo-{cadence}", b"", brief.made_at))
    else:
        from bot.briefs.document import figures

        made = orjson.dumps(figures(brief), option=orjson.OPT_INDENT_2) + b"\n"
    if out == "-":
        sys.stdout.buffer.write(made)
    else:
        Path(out).write_bytes(made)
        click.echo(out)
