"""The library takes what it can use and names the rest; the shipped playbooks are sound."""

from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.response.library import MAXIMUM_BYTES, load_library, parse_playbook
from bot.response.lint import lint
from bot.response.schema import Playbook, json_schema
from bot.response.values import parse_duration, show_duration
from tests.response.playbooks import ROOT, SOUND, TODAY, sound

EXEMPLARS = ("withdrawal-failure", "service-outage", "data-leak", "rumour")


def put(folder: Path, name: str, source: str) -> None:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(source, encoding="utf-8")


def test_a_folder_is_read_with_its_shared_templates_and_without_its_scenarios(tmp_path: Path) -> None:
    put(tmp_path, "general/outage.yaml", SOUND)
    put(tmp_path, "scenarios/drill.yaml", "not: a playbook")
    put(
        tmp_path,
        "templates/shared.yaml",
        "audience: public\ntitle: {zh-CN: 甲, en: A}\nbody: {zh-CN: '{what}', en: '{what}'}\n",
    )
    library = load_library(tmp_path)
    assert [item.id for item in library.playbooks()] == ["outage"]
    assert library.findings == []
    assert library.template(sound(), "shared") == library.templates["shared"]
    assert library.template(sound(), "first") == sound().templates["first"]
    assert library.template(sound(), "none") is None


def test_a_broken_file_does_not_keep_the_others_from_working(tmp_path: Path) -> None:
    put(tmp_path, "general/outage.yaml", SOUND)
    put(tmp_path, "cloud/broken.yaml", "id: [")
    put(tmp_path, "cloud/empty.yaml", "")
    put(tmp_path, "cloud/list.yaml", "- a\n")
    put(tmp_path, "cloud/huge.yaml", "#" * (MAXIMUM_BYTES + 1))
    (tmp_path / "cloud/bytes.yaml").write_bytes(b"\xff\xfe\xff")
    library = load_library(tmp_path)
    assert list(library.entries) == ["outage"]
    found = {Path(item.file).name: item.text.key for item in library.findings}
    assert found == {
        "broken.yaml": "playbook.yaml",
        "empty.yaml": "playbook.empty",
        "list.yaml": "playbook.not_a_mapping",
        "huge.yaml": "playbook.too_large",
        "bytes.yaml": "playbook.unreadable",
    }


def test_the_second_playbook_of_an_id_is_left_out_and_named(tmp_path: Path) -> None:
    put(tmp_path, "cloud/outage.yaml", SOUND)
    put(tmp_path, "general/outage.yaml", SOUND)
    (finding,) = load_library(tmp_path).findings
    assert finding.text.key == "playbook.id_twice"
    assert finding.text.params["other"].endswith("cloud/outage.yaml")


def test_a_folder_that_is_not_there_is_a_finding(tmp_path: Path) -> None:
    (finding,) = load_library(tmp_path / "none").findings
    assert finding.text.key == "playbook.no_folder"


@pytest.mark.parametrize(
    "source",
    [
        "\n".join(["a0: &a0 [x, x]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40))]),
        "a: &a [*a]",
        "[" * 20_000,
        "{a: " * 3_000,
    ],
    ids=["doubling aliases", "an alias inside itself", "deep lists", "deep mappings"],
)
def test_a_file_that_would_blow_up_is_refused_quickly(source: str) -> None:
    entry, findings = parse_playbook(source, "bomb.yaml")
    assert entry is None
    assert findings[0].text.key in {"playbook.too_nested", "playbook.yaml"}


@given(st.text(max_size=300))
@settings(max_examples=60)
def test_any_text_is_a_playbook_or_has_findings(source: str) -> None:
    entry, findings = parse_playbook(source, "any.yaml")
    assert (entry is None) == bool(findings)


@given(st.integers(min_value=0, max_value=4_000_000_000))
def test_a_duration_is_read_as_it_was_shown(milliseconds: int) -> None:
    assert parse_duration(show_duration(milliseconds)) == milliseconds


@pytest.mark.parametrize("value", ["", "15", 15, "15 minutes", True, None, "m", "-1h", "1h30m", [], "９m\n9"])
def test_a_time_without_its_unit_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(value)


def test_the_schema_for_editors_is_current() -> None:
    """Mend with: python -c "from bot.response.schema import json_schema; print(json_schema(), end='')" """
    assert (ROOT / "playbook.schema.json").read_text(encoding="utf-8") == json_schema()


def test_the_schema_knows_every_key_and_closes_every_group() -> None:
    schema = orjson.loads(json_schema())
    assert set(schema["properties"]) == set(Playbook.model_fields)
    groups = [item for item in schema["$defs"].values() if item.get("type") == "object"]
    assert len(groups) > 20
    assert all(group.get("additionalProperties") is False for group in groups)
    assert schema["$defs"]["Words"]["properties"].keys() == {"zh-CN", "en"}


def test_the_shipped_library_has_no_errors_and_no_warnings() -> None:
    library = load_library(ROOT)
    found = [
        f"{item.where} {item.text.key} {dict(item.text.params)}"
        for item in lint(library, TODAY)
        if item.severity != "note"
    ]
    assert found == []
    assert set(EXEMPLARS) <= set(library.entries)


@pytest.mark.parametrize("name", EXEMPLARS)
def test_a_shipped_playbook_survives_freezing(name: str) -> None:
    playbook = load_library(ROOT).get(name)
    assert playbook is not None
    assert Playbook.thaw(playbook.frozen()) == playbook


@pytest.mark.parametrize("name", EXEMPLARS)
def test_a_shipped_playbook_keeps_the_time_nodes_and_parts_of_a_professional_plan(name: str) -> None:
    playbook = load_library(ROOT).get(name)
    assert playbook is not None
    hours = {step.due / 3_600_000 for step in playbook.steps if step.due}
    assert {1, 4, 5, 24, 48} <= hours
    asked = {item.fact for step in playbook.steps if step.kind == "question" for item in step.fields}
    assert {"what", "when"} <= asked
    assert (playbook.evidence.views, playbook.evidence.reposts) == (5000, 500)
    assert {"authority", "media", "kol", "counsellor"} <= {contact.kind for contact in playbook.contacts}
    assert {"authority", "staff", "public"} <= {template.audience for template in playbook.templates.values()}
    assert playbook.media_line and playbook.compensation and playbook.recovery and playbook.support and playbook.quiz
    assert {"pr", "legal", "customer_service", "executive"} <= {role.department for role in playbook.roles.values()}
