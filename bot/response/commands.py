"""``fengbo playbook``: list the library, look for mistakes, and ask which playbook fits.

The library, the linter and the matcher are imported where they are used, so that other commands start fast.
"""

import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import orjson
from sqlite_utils import Database

from bot.clock import SystemClock
from bot.config import ConfigError, load
from bot.model.grade import Grade
from bot.model.text import Text
from bot.response.findings import Finding, in_order
from bot.texts import render

if TYPE_CHECKING:
    from bot.response.library import Library

MARKS = {"error": "✗", "warning": "!", "note": "·"}

library_option = click.option(
    "--library", "folder", type=click.Path(), default=None, help="Folder of the library (else the configuration's)."
)
config_option = click.option("--config", "config_path", metavar="FILE", default=None, help="Configuration file.")
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON line each.")


@click.group()
def playbook() -> None:
    """The playbook library: list, lint, match."""


@playbook.command("list")
@library_option
@config_option
@json_option
def list_(folder: str | None, config_path: str | None, as_json: bool) -> None:
    """List the playbooks of the library."""
    from bot.response.library import load_library

    language = _language()
    library = load_library(library_folder(folder, config_path))
    for item in library.playbooks():
        row = {
            "id": item.id, "version": item.version, "title": item.title.in_language(language),
            "crisis_types": list(item.crisis_types), "industries": list(item.industries),
            "from_grade": item.grades.start.word, "steps": len(item.steps), "owner": item.owner,
            "review_by": item.review_by.isoformat(),
        }  # fmt: skip
        if as_json:
            click.echo(orjson.dumps(row).decode())
        else:
            shown = {**row, "industries": row["industries"], "grade": Text(f"grade.{item.grades.start.word}")}
            click.echo(render(Text("playbook.list_row", shown), language))
    errors = [finding for finding in library.findings if finding.severity == "error"]
    _tell(errors, language)
    raise SystemExit(1 if errors else 0)


@playbook.command("lint")
@click.argument("paths", nargs=-1, type=click.Path(exists=True))
@library_option
@config_option
@json_option
@click.option("--strict", is_flag=True, help="Warnings count as findings too.")
def lint_(paths: tuple[str, ...], folder: str | None, config_path: str | None, as_json: bool, strict: bool) -> None:
    """Look for mistakes in the library, or in the files and folders PATHS. Exit 1 where there are errors.

    With a configuration, what members have put in force from chat is read too, in place of the file it outranks.
    """
    from bot.response.lint import lint

    language = _language()
    today = datetime.fromtimestamp(SystemClock().now() / 1000, UTC).date()
    base = library_folder(folder, config_path)
    findings = (
        lint_paths([Path(name) for name in paths], base, today)
        if paths
        else lint(in_use(base, folder, config_path), today)
    )
    for finding in findings:
        if as_json:
            words = render(finding.text, language)
            row = {"severity": finding.severity, "file": finding.file, "line": finding.line, "text": words}
            click.echo(orjson.dumps(row).decode())
        else:
            click.echo(f"{finding.where}: {MARKS[finding.severity]} {render(finding.text, language)}")
    counts = {name: sum(finding.severity == name for finding in findings) for name in MARKS}
    key = "playbook.lint_counts" if findings else "playbook.lint_clean"
    click.echo(render(Text(key, counts), language), err=True)
    raise SystemExit(1 if counts["error"] or (strict and counts["warning"]) else 0)


@playbook.command("match")
@click.argument("words", nargs=-1)
@click.option("--type", "kinds", multiple=True, metavar="TYPE[=WEIGHT]", help="Kind of crisis; else read from WORDS.")
@click.option("--industry", default="general", show_default=True)
@click.option("--grade", default="orange", show_default=True, type=click.Choice(["blue", "yellow", "orange", "red"]))
@click.option("--subject-kind", default="own", type=click.Choice(["own", "competitor", "policy", "industry"]))
@click.option("--platform", "platforms", multiple=True)
@click.option("--tightening", is_flag=True, help="The regulator is tightening: compliance first.")
@click.option("--sensitive", is_flag=True, help="It is a sensitive period.")
@click.option("--limit", default=5, show_default=True)
@library_option
@config_option
@json_option
def match_(words: tuple[str, ...], kinds: tuple[str, ...], industry: str, grade: str, subject_kind: str,
           platforms: tuple[str, ...], tightening: bool, sensitive: bool, limit: int, folder: str | None,
           config_path: str | None, as_json: bool) -> None:  # fmt: skip
    """Which playbook fits? Describe the situation in WORDS, as people post it or as you would tell a colleague."""
    from bot.response.library import load_library
    from bot.response.match import Matcher, Situation

    language = _language()
    text = " ".join(words)
    if not text and not kinds:
        click.echo(render(Text("playbook.match_nothing_asked"), language), err=True)
        raise SystemExit(2)
    library = load_library(library_folder(folder, config_path))
    situation = Situation(
        kinds=_kinds(kinds, text),
        industry=industry,
        grade=Grade.from_word(grade),
        subject_kind=subject_kind,
        texts=[text] if text else [],
        platforms=platforms,
        posture="tightening" if tightening else "normal",
        sensitive_period=sensitive,
    )
    matches = Matcher(library.playbooks()).rank(situation, limit)
    for match in matches:
        item = library.entries[match.playbook_id].playbook
        reasons = [render(reason, language) for reason in match.reasons]
        if as_json:
            row = {"playbook": item.id, "score": match.score, "reasons": reasons}
            click.echo(orjson.dumps(row).decode())
        else:
            params = {"id": item.id, "title": item.title.in_language(language), "score": f"{match.score:.2f}"}
            params["reasons"] = ("；" if language == "zh-CN" else "; ").join(reasons)
            click.echo(render(Text("playbook.match_row", params), language))
    if not matches:
        click.echo(render(Text("playbook.match_none"), language), err=True)
    raise SystemExit(0 if matches else 1)


def library_folder(folder: str | None, config_path: str | None) -> Path:
    """The library: ``--library``, the configuration's, or ``playbooks`` in the working folder or beside the program."""
    from bot.response.library import shipped_folder
    from bot.terminal import find_config

    if folder:
        return Path(folder)
    file = find_config(config_path)
    if file is not None:
        try:
            named = Path(load(file).playbooks.library)
        except ConfigError as error:
            for place, text in error.problems:
                click.echo(f"{place}: {render(text, _language())}", err=True)
            raise SystemExit(2) from None
        return named if named.is_absolute() or named.is_dir() else file.parent / named
    return shipped_folder()


def in_use(base: Path, folder: str | None, config_path: str | None) -> "Library":
    """The library as a process would use it: the files of ``base``, and over them what is in force in the configured
    store. A folder that was named stands for itself; a store that is not there yet has nothing in force."""
    from bot.response.library import load_library
    from bot.response.shelf import Shelf
    from bot.terminal import find_config

    file = None if folder is not None else find_config(config_path)
    store = Path(load(file).store) if file is not None else None
    if store is None or not store.is_file():
        return load_library(base)
    shelf = Shelf(base)
    # Reading only: looking for mistakes must neither make a store nor bring one up to date.
    with closing(sqlite3.connect(f"{store.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        try:
            shelf.follow(Database(connection))
        except sqlite3.OperationalError as error:
            params = {"file": str(store), "cause": str(error)}
            click.echo(render(Text("playbook.store_unreadable", params), _language()), err=True)
            raise SystemExit(2) from None
    return shelf.library()


def lint_paths(paths: list[Path], base: Path, today: date) -> list[Finding]:
    """The findings of some files, with the rest of the library known for what they refer to."""
    from bot.response.library import Library, add_file, add_template, load_library, playbook_files, template_files
    from bot.response.lint import lint_entry
    from bot.response.lint_shared import lint_shared

    asked = [file for path in paths for file in playbook_files(path)]
    named = {file.resolve() for file in asked}
    library = Library()
    rest = load_library(base) if base.is_dir() else Library()
    texts = [file for path in paths for file in template_files(path)]
    for file in texts:
        add_template(library, file)
    library.templates = {**rest.templates, **library.templates}
    for file in asked:
        add_file(library, file)
    own = list(library.findings)
    mine = list(library.entries.values())
    for entry in rest.entries.values():
        if Path(entry.file).resolve() not in named:
            library.entries.setdefault(entry.playbook.id, entry)
    found = [finding for entry in mine for finding in lint_entry(entry, library, today)]
    return in_order([*own, *found, *lint_shared(library, {file.stem for file in texts})])


def _kinds(named: tuple[str, ...], text: str) -> dict[str, float]:
    """Kinds as they were given (``outage=0.9``), else those that the analysis finds in the text."""
    found: dict[str, float] = {}
    for item in named:
        kind, _, weight = item.partition("=")
        try:
            found[kind.strip()] = float(weight) if weight else 1.0
        except ValueError:
            click.echo(render(Text("playbook.bad_weight", {"value": item}), _language()), err=True)
            raise SystemExit(2) from None
    if not found and text:
        from bot.analysis.crisis_types import classify
        from bot.response.similarity import folded

        found = {hit.type.value: hit.weight for hit in classify([folded(text)])[0]}
    return found


def _tell(findings: list[Finding], language: str) -> None:
    for finding in in_order(findings):
        click.echo(f"{finding.where}: {MARKS[finding.severity]} {render(finding.text, language)}", err=True)


def _language() -> str:
    from bot.terminal import terminal_language

    return terminal_language()
