"""``fengbo retro I-12``: the retrospective on disk or on stdout."""

import asyncio
import sys
from base64 import b64encode
from pathlib import Path

import click
from sqlite_utils import Database

from bot.clock import SystemClock
from bot.learning.retro_cards import name_of
from bot.learning.retro_document import document
from bot.learning.retro_json import as_json
from bot.learning.retro_picture import retro_chart
from bot.learning.retrospect import Retrospect, retrospect
from bot.model.text import LANGUAGES, Text
from bot.reports import document_html, document_pdf, png
from bot.reports.charts import Chart
from bot.store import incidents as incident_store
from bot.store.database import Store


@click.command()
@click.argument("incident_id", metavar="INCIDENT")
@click.option("--pdf", "kind", flag_value="pdf", default=True, help="As PDF (the default).")
@click.option("--html", "kind", flag_value="html", help="As one HTML page.")
@click.option("--json", "kind", flag_value="json", help="As JSON, for programs.")
@click.option("--out", metavar="FILE", help="Where to write it; INCIDENT-retrospective.pdf by default, - for stdout.")
@click.option("--language", type=click.Choice(LANGUAGES), help="The configuration's by default.")
@click.option("--config", "config_path", metavar="FILE", default=None, help="Configuration file.")
def retro(incident_id: str, kind: str, out: str | None, language: str | None, config_path: str | None) -> None:
    """The retrospective of INCIDENT, such as I-12: a draft while it is not closed."""
    from bot.terminal import read_config, say, terminal_language

    config, _ = read_config(config_path)
    wanted = language or config.language

    def look(db: Database) -> tuple[Retrospect, Chart | None] | None:
        incident = incident_store.get(db, incident_id)
        if incident is None:
            return None
        found = retrospect(db, config, incident, SystemClock().now())
        return found, retro_chart(db, found, wanted)

    store = Store(config.store)
    try:
        seen = store.read_now(look)
    finally:
        store.close()
    if seen is None:
        say(Text("error.no_such_incident", {"id": incident_id}), terminal_language())
        raise SystemExit(2)
    found, chart = seen
    name = f"{found.incident.id}-retrospective"
    if kind == "json":
        made = as_json(found)
    else:
        picture = b64encode(png.draw_now(chart)).decode() if chart else ""
        blocks = document(found, wanted, picture, name_of(config))
        made = (
            document_html.page(blocks, wanted) if kind == "html"
            else asyncio.run(document_pdf.make(blocks, wanted, name, b"", found.moments.made_at))
        )  # fmt: skip
    target = out or ("-" if kind == "json" else f"{name}.{kind}")
    if target == "-":
        sys.stdout.buffer.write(made)
        return
    Path(target).write_bytes(made)
    click.echo(target)
