"""``fengbo playbook propose`` and ``diff``: the living library from the command line."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click
from sqlite_utils import Database

from bot.clock import SystemClock
from bot.config import Config
from bot.model.text import Text, UserError
from bot.response.living import Living, Proposal
from bot.response.living_notices import LivingNotices
from bot.texts import render

Result = TypeVar("Result")
config_option = click.option("--config", "config_path", metavar="FILE", default=None, help="Configuration file.")


@click.command("propose")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("--reason", default="", help="Why, for those who decide.")
@config_option
def propose(file: str, reason: str, config_path: str | None) -> None:
    """Propose the playbook in FILE as its next version; its owner is told and decides in chat. Exit 1 on errors."""
    from bot.maintenance.operator import operator

    now, actor = SystemClock().now(), operator()
    text = Path(file).read_text(encoding="utf-8")

    def job(db: Database, config: Config, living: Living) -> Proposal:
        proposal = living.propose(db, text, actor, now, reason)
        if proposal.version:
            LivingNotices(config, living).proposed(db, proposal, actor.name, "", now)
        return proposal

    proposal = _with_library(config_path, job)
    for finding in proposal.findings:
        click.echo(f"{file}:{finding.line}: {render(finding.text, _language())}", err=True)
    if proposal.playbook is None or not proposal.version:
        click.echo(render(Text("living.refused_footer"), _language()), err=True)
        raise SystemExit(1)
    for line in proposal.difference:
        click.echo(line)
    params = {"id": proposal.playbook.id, "v": proposal.version}
    click.echo(render(Text("living.told", params), _language()), err=True)


@click.command("diff")
@click.argument("playbook_id")
@click.argument("version")
@config_option
def diff(playbook_id: str, version: str, config_path: str | None) -> None:
    """Everything that VERSION (v3) of PLAYBOOK_ID changes against what is in force."""
    digits = version.lstrip("vV")
    if not digits.isdigit():
        raise click.BadParameter(version)
    now = SystemClock().now()

    def job(db: Database, config: Config, living: Living) -> Proposal:
        stored = living.version(db, playbook_id, int(digits))
        return living.judged(db, stored.text, stored.version, now, stored.reason)

    for line in _with_library(config_path, job).difference:
        click.echo(line)


def _with_library(config_path: str | None, job: Callable[[Database, Config, Living], Result]) -> Result:
    """Run a job in one transaction on the configured store; what cannot be done ends with 2 and the reason."""
    from bot.response.shelf import Shelf, library_folder
    from bot.store.database import Store
    from bot.terminal import find_config, read_config

    config, _ = read_config(config_path)
    file = find_config(config_path)
    living = Living(config, Shelf(library_folder(config.playbooks.library, file.parent if file else None)))
    store = Store(config.store)
    try:
        return store.write_now(lambda db: job(db, config, living))
    except UserError as error:
        click.echo(render(error.text, _language()), err=True)
        raise SystemExit(2) from None
    finally:
        store.close()


def _language() -> str:
    from bot.terminal import terminal_language

    return terminal_language()
