"""``fengbo drill``: the scenarios there are, what is wrong with one, and starting one."""

from pathlib import Path

import click
import orjson

from bot.drills.library import load_scenarios, read_scenario
from bot.drills.schema import Posts
from bot.model.text import Text, UserError
from bot.reports.document_html import page
from bot.response.commands import MARKS, config_option, json_option, library_folder, library_option
from bot.response.findings import Finding
from bot.response.library import load_library
from bot.response.values import show_duration
from bot.texts import render


@click.group()
def drill() -> None:
    """Drills: list and check scenarios, start one."""


@drill.command("list")
@library_option
@config_option
@json_option
def list_(folder: str | None, config_path: str | None, as_json: bool) -> None:
    """List the scenarios of the library."""
    language = _language()
    found = load_scenarios(library_folder(folder, config_path))
    for scenario in found.entries.values():
        row = {
            "id": scenario.id, "version": scenario.version, "title": scenario.title.in_language(language),
            "summary": scenario.summary.in_language(language), "crisis_type": scenario.crisis_type,
            "industries": list(scenario.industries), "duration": show_duration(scenario.duration),
            "posts": sum(event.count for event in scenario.timeline if isinstance(event, Posts)),
            "injects": len(scenario.timeline),
        }  # fmt: skip
        click.echo(orjson.dumps(row).decode() if as_json else render(Text("drill.list_row", row), language))
    errors = [finding for finding in found.findings if finding.severity == "error"]
    _tell(errors, language)
    raise SystemExit(1 if errors else 0)


@drill.command("lint")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, dir_okay=False))
@library_option
@config_option
@json_option
def lint(paths: tuple[str, ...], folder: str | None, config_path: str | None, as_json: bool) -> None:
    """Look for mistakes in the library's scenarios, or in the files PATHS. Exit 1 where there are any."""
    language = _language()
    library = library_folder(folder, config_path)
    playbooks = frozenset(load_library(library).entries)
    if paths:
        findings = [finding for path in paths for finding in read_scenario(Path(path), playbooks)[1]]
        count = len(paths)
    else:
        found = load_scenarios(library, playbooks)
        findings, count = found.findings, len(found.entries)
    if as_json:
        for item in findings:
            row = {"severity": item.severity, "file": item.file, "line": item.line, "text": render(item.text, language)}
            click.echo(orjson.dumps(row).decode())
    else:
        _tell(findings, language)
    click.echo(render(Text("drill.lint_done", {"files": count, "n": len(findings)}), language), err=True)
    raise SystemExit(1 if findings else 0)


@drill.command("start")
@click.argument("scenario")
@config_option
@click.option("--speed", default=1.0, help="How many times faster than the clock (1).")
@click.option("--surprise", is_flag=True, help="Do not announce it in the drill channel.")
@click.option("--subject", default="", help="The own subject to practise on (else the one whose industry fits).")
@click.option("--anyway", is_flag=True, help="Even while a real crisis is on.")
def start(scenario: str, config_path: str | None, speed: float, surprise: bool, subject: str, anyway: bool) -> None:
    """Start a drill in the running Fengbo of this configuration. Its facilitator is whoever started it here."""
    from bot.app import App
    from bot.drills.plans import require_calm
    from bot.maintenance.operator import operator
    from bot.terminal import read_config

    config, _ = read_config(config_path)
    language = _language()
    app = App(config, role="web")
    try:
        app.store.read_now(lambda db: require_calm(db, anyway, f"fengbo drill start {scenario} --anyway"))
        started = app.store.write_now(
            lambda db: app.drills.drills.start(
                db, scenario, operator(), app.clock.now(), speed=speed, surprise=surprise, subject=subject
            )
        )
    except UserError as error:
        click.echo(render(error.text, language), err=True)
        raise SystemExit(2) from None
    finally:
        app.store.close()
    click.echo(started.id)
    said = Text("done.drill_start", {"id": started.id, "scenario": started.scenario})
    click.echo(render(said, language), err=True)


@drill.command("report")
@click.argument("drill_id")
@config_option
@click.option("--html", "as_page", is_flag=True, help="A page instead of JSON.")
@click.option("--pdf", "pdf", type=click.Path(dir_okay=False), help="Write it into this file as PDF.")
def report_(drill_id: str, config_path: str | None, as_page: bool, pdf: str | None) -> None:
    """The score of a drill (DR-1, or D-1 for one of its incidents), explained line by line."""
    from bot.drills.scorecard import as_json, report
    from bot.drills.written import as_pdf, written
    from bot.store import drills as store
    from bot.store.database import Store
    from bot.terminal import read_config

    config, _ = read_config(config_path)
    language, base = _language(), config.chat.console.public_url
    roles = {person.id: person.roles for person in config.people}
    rows = Store(config.store)
    try:
        chosen = rows.read_now(lambda db: store.get(db, drill_id))
        found = rows.read_now(lambda db: report(db, chosen, roles)) if chosen else None
        blocks = written(rows, found, language, base) if found and (as_page or pdf) else []
    finally:
        rows.close()
    if found is None:
        click.echo(render(Text("error.no_such_drill", {"id": drill_id}), language), err=True)
        raise SystemExit(2)
    if pdf:
        Path(pdf).write_bytes(as_pdf(blocks, language, found))
    elif as_page:
        click.echo(page(blocks, language))
    else:
        click.echo(orjson.dumps(as_json(found, language)))


@drill.command("run")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("--script", type=click.Path(exists=True, dir_okay=False), required=True, help="Who says what when.")
@config_option
@click.option("--html", "as_page", is_flag=True, help="A page instead of JSON.")
def run(file: str, script: str, config_path: str | None, as_page: bool) -> None:
    """Play a scenario to its end with a scripted team, in virtual time on a store of its own. Nothing is sent."""
    from bot.drills.scorecard import as_html, as_json
    from bot.drills.script import ScriptError, read_script
    from bot.scripted_drill import play
    from bot.terminal import read_config

    config, _ = read_config(config_path)
    language = _language()
    scenario, findings = read_scenario(Path(file))
    _tell(findings, language)
    if scenario is None:
        raise SystemExit(2)
    try:
        found = play(config, Path(file), scenario.id, read_script(Path(script)))
    except ScriptError as error:
        click.echo(render(error.text, language), err=True)
        raise SystemExit(2) from None
    said = as_html(found, language) if as_page else orjson.dumps(as_json(found, language)).decode() + "\n"
    click.echo(said, nl=False)


def _tell(findings: list[Finding], language: str) -> None:
    for item in findings:
        click.echo(f"{MARKS[item.severity]} {item.where}: {render(item.text, language)}", err=True)


def _language() -> str:
    from bot.terminal import terminal_language

    return terminal_language()
