"""Reading scenarios, and everything that would go wrong with one in the middle of a drill, found before."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from bot.drills.schema import TIMED, Posts, Scenario, Sentences, Unreachable
from bot.model.grade import CrisisType
from bot.model.text import Text
from bot.response.findings import Finding, in_order
from bot.response.library import explanations, read_tree
from bot.response.values import Words, show_duration
from bot.yaml_lines import Place, dotted, line_of

FOLDER = "scenarios"
FULL = 100


@dataclass(slots=True)
class Scenarios:
    """``findings`` are about files; a file with an error has no entry."""

    entries: dict[str, Scenario] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def load_scenarios(library: str | Path, playbooks: frozenset[str] | None = None) -> Scenarios:
    """Every scenario of a library's ``scenarios`` folder. ``playbooks``: the ids that exist, None to not look."""
    found = Scenarios()
    for file in sorted((Path(library) / FOLDER).glob("*.yaml")):
        scenario, findings = read_scenario(file, playbooks)
        found.findings.extend(findings)
        if scenario is None:
            continue
        if scenario.id in found.entries:
            found.findings.append(Finding("error", str(file), 1, Text("drill.lint_id_twice", {"id": scenario.id})))
        else:
            found.entries[scenario.id] = scenario
    found.findings = in_order(found.findings)
    return found


def read_scenario(file: Path, playbooks: frozenset[str] | None = None) -> tuple[Scenario | None, list[Finding]]:
    """One file: the scenario, or what is wrong with it, each with its line and the mend."""
    try:
        source = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return None, [Finding("error", str(file), 1, Text("playbook.unreadable", {"cause": str(error)}))]
    return parse_scenario(source, str(file), playbooks)


def parse_scenario(
    source: str, name: str, playbooks: frozenset[str] | None = None
) -> tuple[Scenario | None, list[Finding]]:
    root, data, findings = read_tree(source, name)
    if findings:
        return None, findings
    try:
        scenario = Scenario.model_validate(data)
    except ValidationError as error:
        return None, [_ours(finding) for finding in explanations(error, root, name)]
    return _judged(scenario, root, name, playbooks)


def _judged(
    scenario: Scenario, root: yaml.Node | None, name: str, playbooks: frozenset[str] | None
) -> tuple[Scenario | None, list[Finding]]:
    findings = [
        Finding("error" if wrong else "warning", name, line_of(root, place), Text(f"drill.{key}", params))
        for wrong, place, key, params in [*_wrong(scenario, playbooks), *_doubtful(scenario)]
    ]
    errors = any(finding.severity == "error" for finding in findings)
    return None if errors else scenario, in_order(findings)


def _ours(finding: Finding) -> Finding:
    """A scenario is no playbook: the sentence about unknown keys says so."""
    if finding.text.key != "playbook.unknown_key":
        return finding
    return Finding(finding.severity, finding.file, finding.line, Text("drill.unknown_key", finding.text.params))


_Complaint = tuple[bool, Place, str, dict[str, Any]]


def _wrong(scenario: Scenario, playbooks: frozenset[str] | None) -> Iterator[_Complaint]:
    """What would stop a drill or make its score meaningless."""
    if scenario.crisis_type not in set(CrisisType):
        yield True, ("crisis_type",), "lint_type", {"value": scenario.crisis_type, "allowed": list(CrisisType)}
    for index, playbook in enumerate(scenario.playbooks):
        if playbooks is not None and playbook not in playbooks:
            yield True, ("playbooks", index), "lint_playbook", {"name": playbook}
    for index, event in enumerate(scenario.timeline):
        place: Place = ("timeline", index)
        last = event.at + (event.over if isinstance(event, Posts) else 0)
        if last > scenario.duration:
            params = {"at": show_duration(last), "duration": show_duration(scenario.duration)}
            yield True, (*place, "at"), "lint_too_late", params
        if isinstance(event, Unreachable) and event.role not in scenario.roles:
            yield True, (*place, "role"), "lint_role", {"role": event.role, "allowed": list(scenario.roles)}
        if isinstance(event, Posts):
            yield from _posts_wrong(scenario, event, place)
    for index, objective in enumerate(scenario.objectives):
        place = ("objectives", index)
        if objective.role not in scenario.roles:
            yield True, (*place, "role"), "lint_role", {"role": objective.role, "allowed": list(scenario.roles)}
        if objective.measure in TIMED and objective.within is None:
            yield True, place, "lint_within", {"measure": objective.measure}
        if objective.within is not None and objective.late is not None and objective.late <= objective.within:
            yield True, (*place, "late"), "lint_late", {}
    total = sum(objective.weight for objective in scenario.objectives)
    if total != FULL:
        yield True, ("objectives",), "lint_weights", {"total": total}


def _posts_wrong(scenario: Scenario, event: Posts, place: Place) -> Iterator[_Complaint]:
    for name in ("platforms", "moods", "languages", "carriers"):
        if not any(getattr(event, name).values()):
            yield True, (*place, name), "lint_no_weight", {"where": dotted((*place, name))}
    if event.kind == "rumour" and event.says is None:
        yield True, place, "lint_says", {}
    sentences: list[tuple[Place, Sentences]] = [((*place, "says"), event.says)] if event.says else []
    if not event.says:
        for mood in event.moods:
            if mood not in scenario.voices:
                yield True, (*place, "moods"), "lint_no_voice", {"mood": mood}
    for where, lines in sentences:
        if not (lines.zh or lines.en):
            yield True, where, "lint_no_sentence", {}


def _doubtful(scenario: Scenario) -> Iterator[_Complaint]:
    """What would only make it a worse drill."""
    for place, words in _all_words(scenario):
        for language in words.missing():
            yield False, place, "lint_language", {"language": language, "where": dotted(place)}
    for mood, sentences in scenario.voices.items():
        if not sentences.zh and not sentences.en:
            yield True, ("voices", mood), "lint_no_sentence", {}
        for line in (*sentences.zh, *sentences.en):
            if mood == "negative" and "{company}" not in line:
                yield False, ("voices", mood), "lint_no_company", {"line": line[:40]}


def _all_words(scenario: Scenario) -> Iterator[tuple[Place, Words]]:
    yield from ((("title",), scenario.title), (("summary",), scenario.summary), (("brief",), scenario.brief))
    yield ("company",), scenario.company
    for index, event in enumerate(scenario.timeline):
        for name in ("text", "sender", "hint"):
            words = getattr(event, name, None)
            if isinstance(words, Words):
                yield ("timeline", index, name), words
    for index, fact in enumerate(scenario.facts):
        yield ("facts", index, "answer"), fact.answer
    for index, reaction in enumerate(scenario.reactions):
        yield ("reactions", index, "note"), reaction.note
