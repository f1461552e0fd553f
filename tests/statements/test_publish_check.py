"""``fengbo check`` on publishers: each that reaches nobody or cannot be written to is named with its mend."""

from pathlib import Path

import pytest
from factories import CONFIG
from publish_scene import PUBLISHERS

from bot.check import publishers
from bot.config import parse
from bot.model.text import LANGUAGES
from bot.texts import render

SYSTEM = """
linkage:
  systems: {cms: {base_url: "https://cms.example", auth: {kind: none}}}
  actions: {post: {system: cms, path: /x, body: {t: "{body}"}}}
"""


def found(text: str, more: str = "") -> dict[str, str]:
    """Level by the name of the finding."""
    findings = publishers.check(parse(CONFIG + more + text, "fengbo.yaml"))
    for _, words in findings:
        assert all(render(words, language) for language in LANGUAGES)
    return {words.key.removeprefix("check."): level for level, words in findings}


def one(entry: str) -> str:
    return f"publishers:\n  - {{id: a, {entry}}}\n"


def test_without_publishers_nothing_is_said() -> None:
    assert found("") == {}


def test_publishers_that_can_be_used_are_counted_and_a_lost_answer_is_foreseen() -> None:
    settings = PUBLISHERS.format(cms="https://cms.example", folder="/tmp")
    assert found(settings) == {"publisher_doubt": "warn", "audiences_unserved": "note", "publishers": "ok"}


@pytest.mark.parametrize(
    ("entry", "name", "level"),
    [
        ("kind: email, audiences: [media], to: [zhaolei]", "publisher_nobody", "error"),
        ("kind: email, audiences: [media], to: [zhaolei, lina]", "publisher_lost", "warn"),
        ("kind: newsroom, audiences: [public]", "newsroom_no_address", "note"),
        ("kind: newsroom, audiences: [public], serve: false", "newsroom_nowhere", "error"),
        ("kind: webhook, audiences: [public], action: post", "publisher_doubt", "warn"),
    ],
)
def test_a_publisher_that_fails_somebody_is_named(entry: str, name: str, level: str) -> None:
    said = found(one(entry), SYSTEM)
    assert said[name] == level and ("publishers" in said) == (level != "error")


def test_a_newsroom_that_others_reach_needs_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FENGBO_LISTEN", "0.0.0.0:8080")
    assert found(one("kind: newsroom, audiences: [public]"))["newsroom_no_address"] == "warn"


def test_a_folder_that_will_be_made_is_fine(tmp_path: Path) -> None:
    said = found(one(f'kind: newsroom, audiences: [public], url: "https://n.example", folder: "{tmp_path}/new/site"'))
    assert "newsroom_folder" not in said
    (tmp_path / "new").write_text("in the way")
    said = found(one(f'kind: newsroom, audiences: [public], url: "https://n.example", folder: "{tmp_path}/new/site"'))
    assert said["newsroom_folder"] == "error"
