"""The linter on shared templates, and on the paths people name for it."""

from pathlib import Path

import pytest

from bot.model.text import LANGUAGES
from bot.response.commands import lint_paths
from bot.response.findings import Finding
from bot.response.library import load_library, shipped_folder
from bot.response.lint import lint
from bot.texts import render
from tests.response.playbooks import SOUND, TODAY

TEXT = """audience: public
crisis_types: [outage]
variant: first
strategy: adjusting_information
title: {zh-CN: 说明, en: Statement}
body: {zh-CN: "{what} {hotline}", en: "{what} {hotline}"}
"""


def library_with(folder: Path, text: str, plan: str = SOUND) -> Path:
    (folder / "templates").mkdir()
    (folder / "general").mkdir()
    (folder / "templates" / "word.yaml").write_text(text, encoding="utf-8")
    (folder / "general" / "outage.yaml").write_text(plan, encoding="utf-8")
    return folder


def findings(folder: Path) -> list[Finding]:
    return [item for item in lint(load_library(folder), TODAY) if item.file.endswith("word.yaml")]


def test_a_sound_template_has_no_findings(tmp_path: Path) -> None:
    assert findings(library_with(tmp_path, TEXT)) == []


@pytest.mark.parametrize(
    ("old", "new", "severity", "key", "line"),
    [
        ("[outage]", "[outrage]", "warning", "lint_template_unknown_kind", 2),
        ("variant: first\n", "", "note", "lint_template_no_moment", 1),
        ("adjusting_information", "denial", "warning", "lint_template_avoided", 4),
        ("{what} {hotline}", "{why} {hotline}", "warning", "lint_template_closed", 6),
        ('en: "{what} {hotline}"', 'en: "{what}"', "warning", "lint_languages_differ", 6),
        ('en: "{what} {hotline}"', 'en: ""', "error", "lint_language_missing", 6),
        ("{what}", "{watt}", "error", "lint_unknown_field", 6),
        ("strategy: adj", "fields: {extra: {zh-CN: 甲, en: A}}\nstrategy: adj", "note", "lint_field_unused", 4),
        ("variant: first", "variant: maybe", "error", "not_one_of", 3),
        ("strategy: adjusting_information", "strategy: hope", "error", "not_one_of", 4),
        ("audience: public", "audience: public\ngrades: {from: purple}", "error", "bad_grade", 2),
    ],
)
def test_a_mistake_is_found_on_its_line(tmp_path: Path, old: str, new: str, severity: str, key: str, line: int) -> None:
    avoiding = SOUND.replace("strategies: [apology]", "strategies: [apology], avoid: [denial]")
    found = findings(library_with(tmp_path, TEXT.replace(old, new), avoiding))
    assert (severity, f"playbook.{key}", line) in {(item.severity, item.text.key, item.line) for item in found}, found
    assert all(render(item.text, language) for item in found for language in LANGUAGES)


def test_the_shipped_templates_are_sound() -> None:
    assert [item for item in lint(load_library(shipped_folder()), TODAY) if item.severity != "note"] == []


def test_a_template_can_be_named_alone_or_by_its_folder(tmp_path: Path) -> None:
    folder = library_with(tmp_path, TEXT.replace("[outage]", "[outrage]"))
    for path in (folder / "templates" / "word.yaml", folder / "templates", folder):
        keys = [item.text.key for item in lint_paths([path], folder, TODAY)]
        assert "playbook.lint_template_unknown_kind" in keys, path
    assert lint_paths([folder / "general"], folder, TODAY) == []


def test_a_template_of_endless_size_is_refused_and_the_others_work(tmp_path: Path) -> None:
    folder = library_with(tmp_path, TEXT)
    (folder / "templates" / "huge.yaml").write_text("# " + "x" * 600_000, encoding="utf-8")
    library = load_library(folder)
    assert set(library.templates) == {"word"}
    assert [item.text.key for item in library.findings] == ["playbook.too_large"]
