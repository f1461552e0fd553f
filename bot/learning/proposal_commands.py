"""``fengbo playbook proposals``: what the record suggests, from the command line. Looks only; people decide in chat."""

import click
import orjson
from sqlite_utils import Database

from bot.clock import SystemClock
from bot.learning.proposals import Proposals
from bot.learning.suggestion import Suggestion
from bot.model.text import Text
from bot.response.commands import config_option, json_option
from bot.response.living import Living
from bot.texts import render


@click.command("proposals")
@config_option
@json_option
def proposals(config_path: str | None, as_json: bool) -> None:
    """What runs, cases and texts of the configured store suggest to change, with evidence and difference."""
    from bot.response.shelf import Shelf, library_folder
    from bot.store.database import Store
    from bot.terminal import find_config, read_config, terminal_language

    config, _ = read_config(config_path)
    file, language, now = find_config(config_path), terminal_language(), SystemClock().now()
    living = Living(config, Shelf(library_folder(config.playbooks.library, file.parent if file else None)))
    service = Proposals(config, living)

    def look(db: Database) -> list[tuple[Suggestion, list[str]]]:
        found = service.look(db, now)
        shown = [service.shown(db, item, now) for item in found]
        return [(item, would.difference if would else []) for item, would in zip(found, shown, strict=True)]

    store = Store(config.store)
    try:
        rows = store.read_now(look)
    finally:
        store.close()
    for item, difference in rows:
        if as_json:
            click.echo(orjson.dumps({**item.model_dump(by_alias=True), "difference": difference}).decode())
            continue
        click.echo(f"# {item.playbook or item.key}: {render(item.reason(language), language)}")
        click.echo(f"# {', '.join(item.evidence)}")
        for line in difference:
            click.echo(line)
    click.echo(render(Text("proposal.title", {"n": len(rows)}), language), err=True)
