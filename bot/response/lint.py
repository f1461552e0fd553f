"""The linter: everything that would go wrong with a playbook on the night it is needed, found by day."""

from collections.abc import Iterator
from datetime import date
from pathlib import PurePath

from bot.model.text import Text
from bot.response.findings import Complaint, Finding, in_order
from bot.response.library import OTHER_FOLDERS, Entry, Library
from bot.response.lint_conditions import lint_conditions, near
from bot.response.lint_shared import lint_shared
from bot.response.lint_steps import lint_steps
from bot.response.lint_texts import lint_texts
from bot.response.steps import SubPlaybook


def lint(library: Library, today: date) -> list[Finding]:
    """All findings of a library, errors first; those of reading the files included.

    Args:
        today: the day to compare review dates with.
    """
    findings = list(library.findings)
    for entry in library.entries.values():
        findings.extend(lint_entry(entry, library, today))
    findings.extend(lint_shared(library))
    return in_order(findings)


def lint_entry(entry: Entry, library: Library, today: date) -> list[Finding]:
    """The findings of one playbook among the others of its library."""
    playbook = entry.playbook
    complaints = [
        *lint_steps(playbook),
        *lint_conditions(playbook),
        *lint_texts(playbook, library, today),
        *_names(entry),
        *_parts(entry, library),
    ]
    return in_order(
        [
            Finding(item.severity, entry.file, entry.line(item.place), Text(f"playbook.{item.key}", item.params))
            for item in complaints
        ]
    )


def _names(entry: Entry) -> Iterator[Complaint]:
    """The file is found by its name: it should be the id, in the folder of an industry it is for."""
    path = PurePath(entry.file)
    playbook = entry.playbook
    if path.suffix == ".yaml" and path.stem != playbook.id:
        yield Complaint("warning", ("id",), "lint_file_name", {"id": playbook.id, "file": path.name})
    folder = path.parent.name
    if folder and folder not in {*playbook.industries, *OTHER_FOLDERS, "playbooks"}:
        yield Complaint("note", ("industries",), "lint_folder", {"folder": folder})


def _parts(entry: Entry, library: Library) -> Iterator[Complaint]:
    """Sub-playbooks that do not exist, or that lead back to this one and would start each other without end."""
    for index, step in enumerate(entry.playbook.steps):
        if not isinstance(step, SubPlaybook):
            continue
        place = ("steps", index, "playbook")
        if step.playbook not in library.entries:
            params = {"name": step.playbook, "near": near(step.playbook, list(library.entries))}
            yield Complaint("error", place, "lint_unknown_playbook", params)
        elif entry.playbook.id in _started_by(step.playbook, library):
            yield Complaint("error", place, "lint_starts_itself", {"name": step.playbook, "id": entry.playbook.id})


def _started_by(playbook_id: str, library: Library) -> set[str]:
    """Every playbook that starting this one may start, itself included."""
    found: set[str] = set()
    todo = [playbook_id]
    while todo:
        current = todo.pop()
        playbook = library.get(current)
        if current in found or playbook is None:
            continue
        found.add(current)
        todo.extend(step.playbook for step in playbook.steps if isinstance(step, SubPlaybook))
    return found
