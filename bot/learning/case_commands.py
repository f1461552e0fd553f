"""``fengbo case``: list and check the cases that come with the playbooks, and search all of them."""

from pathlib import Path

import click
import orjson

from bot.learning.case import json_schema
from bot.learning.case_files import load_cases, read_case
from bot.learning.cases import Wanted
from bot.model.text import Text
from bot.response.commands import MARKS, config_option, json_option, library_folder, library_option
from bot.response.findings import Finding
from bot.texts import render


@click.group()
def case() -> None:
    """Cases: what happened before, ours and well-known ones."""


@case.command("lint")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, dir_okay=False))
@library_option
@config_option
@json_option
def lint(paths: tuple[str, ...], folder: str | None, config_path: str | None, as_json: bool) -> None:
    """Look for mistakes in the library's cases, or in the files PATHS. Exit 1 where there are any."""
    language = _language()
    if paths:
        findings = [finding for path in paths for finding in read_case(Path(path))[1]]
        count = len(paths)
    else:
        found = load_cases(library_folder(folder, config_path))
        findings, count = found.findings, len(found.entries)
    _tell(findings, language, as_json)
    click.echo(render(Text("case.lint_done", {"files": count, "n": len(findings)}), language), err=True)
    raise SystemExit(1 if findings else 0)


@case.command("search")
@click.argument("words", nargs=-1)
@config_option
def search(words: tuple[str, ...], config_path: str | None) -> None:
    """Search all cases, ours in the configured store and those that come along: one JSON line each."""
    from bot.learning.cases import Cases
    from bot.response.advice import Advice
    from bot.response.shelf import Shelf
    from bot.response.shelf import library_folder as folder_of
    from bot.store.database import Store
    from bot.terminal import find_config, read_config

    config, _ = read_config(config_path)
    file = find_config(config_path)
    folder = folder_of(config.playbooks.library, file.parent if file else None)
    cases = Cases(config, folder, Advice(config, Shelf(folder)))
    store = Store(config.store)
    try:
        for found in store.read_now(lambda db: cases.search(db, Wanted(" ".join(words)))):
            click.echo(found.frozen())
    finally:
        store.close()


@case.command("schema")
def schema() -> None:
    """The JSON Schema of a case file, for editors."""
    click.echo(json_schema(), nl=False)


def _tell(findings: list[Finding], language: str, as_json: bool) -> None:
    for item in findings:
        if as_json:
            row = {"severity": item.severity, "file": item.file, "line": item.line, "text": render(item.text, language)}
            click.echo(orjson.dumps(row).decode())
        else:
            click.echo(f"{MARKS[item.severity]} {item.where}: {render(item.text, language)}", err=True)


def _language() -> str:
    from bot.terminal import terminal_language

    return terminal_language()
