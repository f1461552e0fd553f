"""The cases that come with the playbooks: ``<library>/cases/*.yaml``, read and judged."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bot.learning.case import Case
from bot.model.text import Text
from bot.response.findings import Finding, in_order
from bot.response.library import MAXIMUM_BYTES, explanations, read_tree
from bot.response.parts import KNOWN_KINDS
from bot.response.values import Words
from bot.yaml_lines import Place, dotted, line_of

FOLDER = "cases"
LONGEST_HAPPENED = 700
OURS = frozenset({"own", "drill", "hand"})


@dataclass(slots=True)
class CaseFiles:
    """``findings`` are about files; a file with an error has no entry."""

    entries: dict[str, Case] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def load_cases(library: str | Path) -> CaseFiles:
    found = CaseFiles()
    for file in sorted((Path(library) / FOLDER).glob("*.yaml")):
        case, findings = read_case(file)
        found.findings.extend(findings)
        if case is None:
            continue
        if case.id in found.entries:
            found.findings.append(Finding("error", str(file), 1, Text("case.lint_twice", {"id": case.id})))
        else:
            found.entries[case.id] = case
    found.findings = in_order(found.findings)
    return found


def read_case(file: Path) -> tuple[Case | None, list[Finding]]:
    """One file: the case, or what is wrong with it, each with its line and the mend."""
    try:
        source = file.read_bytes()[: MAXIMUM_BYTES + 1].decode()
    except (OSError, UnicodeDecodeError) as error:
        return None, [Finding("error", str(file), 1, Text("playbook.unreadable", {"cause": str(error)}))]
    return parse_case(source, str(file))


def parse_case(source: str, name: str) -> tuple[Case | None, list[Finding]]:
    root, data, findings = read_tree(source, name)
    if findings:
        return None, findings
    try:
        case = Case.model_validate(data)
    except ValidationError as error:
        codes = [str((item.get("ctx") or {}).get("error", "")) for item in error.errors()]
        broken = next((code for code in codes if code in ("case_source", "case_archetype")), "")
        if broken:
            return None, [Finding("error", name, 1, Text(f"case.lint_{broken.removeprefix('case_')}"))]
        return None, explanations(error, root, name)
    complaints = [*_wrong(case, Path(name).stem), *_doubtful(case, data)]
    found = [
        Finding("error" if wrong else "warning", name, line_of(root, place), Text(f"case.{key}", params))
        for wrong, place, key, params in complaints
    ]
    return None if any(item.severity == "error" for item in found) else case, in_order(found)


_Complaint = tuple[bool, Place, str, dict[str, Any]]


def _wrong(case: Case, stem: str) -> Iterator[_Complaint]:
    if case.kind in OURS:
        yield True, ("kind",), "lint_kind", {"kind": case.kind}
    if case.id != stem:
        yield True, ("id",), "lint_name", {"id": case.id, "file": stem}
    for index, kind in enumerate(case.crisis_types):
        if kind not in KNOWN_KINDS:
            yield True, ("crisis_types", index), "lint_type", {"value": kind}
    for source in case.sources:
        if source.year < case.year:
            yield True, ("sources",), "lint_source_year", {"title": source.title, "year": case.year}


def _doubtful(case: Case, data: Any) -> Iterator[_Complaint]:
    for place, words in _all_words(case):
        for language in words.missing():
            yield False, place, "lint_language", {"language": language, "where": dotted(place)}
        if place == ("happened",) and max(len(words.zh), len(words.en)) > LONGEST_HAPPENED:
            yield False, place, "lint_long", {"most": LONGEST_HAPPENED}
    if not (case.worked or case.failed):
        yield False, ("worked",), "lint_missing", {"name": "worked"}
    for name in ("lessons", "timeline", "words"):
        if not data.get(name):
            yield False, (name,), "lint_missing", {"name": name}
    if not any(word.isascii() for word in case.words) or all(word.isascii() for word in case.words):
        yield False, ("words",), "lint_words", {}


def _all_words(case: Case) -> Iterator[tuple[Place, Words]]:
    yield from ((("title",), case.title), (("happened",), case.happened))
    for index, moment in enumerate(case.timeline):
        yield ("timeline", index, "what"), moment.what
    for name, practices in (("worked", case.worked), ("failed", case.failed)):
        for index, practice in enumerate(practices):
            yield (name, index, "what"), practice.what
    for index, lesson in enumerate(case.lessons):
        yield ("lessons", index), lesson
