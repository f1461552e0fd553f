"""``fengbo statement export S-12``: the approval file on disk or on stdout."""

import asyncio
import sys
from pathlib import Path

import click

from bot.clock import SystemClock
from bot.model.text import LANGUAGES, Text
from bot.reports import document_html, document_pdf
from bot.statements import filing
from bot.statements.export import document
from bot.store.database import Store


@click.group()
def statement() -> None:
    """Statements: what was approved, and the proof."""


@statement.command()
@click.argument("statement_id", metavar="STATEMENT")
@click.option("--pdf", "kind", flag_value="pdf", default=True, help="As PDF (the default).")
@click.option("--html", "kind", flag_value="html", help="As one HTML page.")
@click.option("--out", metavar="FILE", help="Where to write it; STATEMENT.pdf or .html by default, - for stdout.")
@click.option("--language", type=click.Choice(LANGUAGES), help="The configuration's by default.")
@click.option("--config", "config_path", metavar="FILE", default=None, help="Configuration file.")
def export(statement_id: str, kind: str, out: str | None, language: str | None, config_path: str | None) -> None:
    """Export the approval file of STATEMENT, such as S-12."""
    from bot.terminal import read_config, say, terminal_language

    config, _ = read_config(config_path)
    wanted = language or config.language
    store = Store(config.store)
    try:
        now = SystemClock().now()
        file = store.read_now(lambda db: filing.collect(db, config, statement_id.upper(), now))
    finally:
        store.close()
    if file is None:
        say(Text("export.not_found"), terminal_language())
        raise SystemExit(2)
    blocks = document(file, wanted)
    if kind == "html":
        made = document_html.page(blocks, wanted)
    else:
        made = asyncio.run(document_pdf.make(blocks, wanted, file.statement.id, file.text.sealed, file.made_at))
    target = out or f"{file.statement.id}.{kind}"
    if target == "-":
        sys.stdout.buffer.write(made)
    else:
        Path(target).write_bytes(made)
        click.echo(target)
    key = "export.written" if file.proof.broken_at is None else "export.written_broken"
    say(Text(key, {"file": target, "digest": file.text.digest}), terminal_language())
    raise SystemExit(0 if file.proof.broken_at is None else 1)
