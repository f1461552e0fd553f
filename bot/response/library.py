"""The library on disk: ``<folder>/<industry>/*.yaml`` and shared texts in ``<folder>/templates/*.yaml``.

A file that cannot be used is left out and named with its line; the others work. Files may come from anybody who can
propose a playbook, so size, nesting and YAML aliases are bounded before anything is built from them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from bot.model.text import Text
from bot.response.condition import ConditionError
from bot.response.findings import Finding
from bot.response.parts import Template
from bot.response.schema import Playbook
from bot.response.steps import STEP_KINDS
from bot.yaml_lines import Place, dotted, keys_twice, line_of

MAXIMUM_BYTES = 512_000
MAXIMUM_NODES = 50_000
SHARED_FOLDER = "templates"
OTHER_FOLDERS = {SHARED_FOLDER, "scenarios", "cases"}

# The C reader is ten times as fast; PyYAML brings it on all usual systems.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Entry:
    """One playbook with the place it came from. ``root`` is its YAML tree, kept to name lines; ``stored`` the version
    that people put in force over the file, 0 where the file itself counts."""

    playbook: Playbook
    file: str
    root: yaml.Node | None
    source: str
    stored: int = 0

    def line(self, place: Place) -> int:
        return line_of(self.root, place)


@dataclass(frozen=True, slots=True)
class Shared:
    """Where a shared template stands, kept to name lines."""

    file: str
    root: yaml.Node | None


@dataclass(slots=True)
class Library:
    """All usable playbooks by id, the shared templates by name, and what was wrong with the rest."""

    entries: dict[str, Entry] = field(default_factory=dict)
    templates: dict[str, Template] = field(default_factory=dict)
    shared: dict[str, Shared] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def get(self, playbook_id: str) -> Playbook | None:
        entry = self.entries.get(playbook_id)
        return entry.playbook if entry else None

    def playbooks(self) -> list[Playbook]:
        """Every playbook, by industry of its file and id."""
        return [entry.playbook for entry in sorted(self.entries.values(), key=lambda item: item.file)]

    def template(self, playbook: Playbook, name: str) -> Template | None:
        """The text of that name: the playbook's own first, else the shared one."""
        return playbook.templates.get(name) or self.templates.get(name)


def load_library(folder: str | Path) -> Library:
    """Read every playbook below ``folder``. Never raises for what stands in a file: see ``Library.findings``."""
    base = Path(folder)
    library = Library()
    if not base.is_dir():
        library.findings.append(Finding("error", str(base), 1, Text("playbook.no_folder", {"folder": str(base)})))
        return library
    for file in template_files(base):
        add_template(library, file)
    for file in playbook_files(base):
        add_file(library, file)
    return library


def shipped_folder() -> Path:
    """The library to use where none is named: ``playbooks`` in the working folder, else the one beside the program."""
    here = Path("playbooks")
    return here if here.is_dir() else Path(__file__).resolve().parents[2] / "playbooks"


def playbook_files(path: Path) -> Iterator[Path]:
    """The playbook files that a path means: itself, or those one or two folders below it."""
    if path.is_file():
        if path.resolve().parent.name != SHARED_FOLDER:
            yield path
        return
    for file in sorted([*path.glob("*.yaml"), *path.glob("*/*.yaml")]):
        if not OTHER_FOLDERS & set(file.relative_to(path).parts[:-1]) and path.name not in OTHER_FOLDERS:
            yield file


def template_files(path: Path) -> list[Path]:
    """The shared templates that a path means: itself, those in it, or those of its ``templates`` folder."""
    if path.is_file():
        return [path] if path.resolve().parent.name == SHARED_FOLDER else []
    folder = path if path.resolve().name == SHARED_FOLDER else path / SHARED_FOLDER
    return sorted(folder.glob("*.yaml"))


def add_file(library: Library, file: Path) -> None:
    """Read one file into the library, or name what is wrong with it."""
    entry, findings = _read(file)
    library.findings.extend(findings)
    if entry is None:
        return
    earlier = library.entries.get(entry.playbook.id)
    if earlier is not None:
        params = {"id": entry.playbook.id, "other": earlier.file}
        line = entry.line(("id",))
        library.findings.append(Finding("error", entry.file, line, Text("playbook.id_twice", params)))
        return
    library.entries[entry.playbook.id] = entry


def parse_playbook(source: str, name: str) -> tuple[Entry | None, list[Finding]]:
    """Read the text of one playbook; ``name`` is what findings call the file."""
    root, data, findings = read_tree(source, name)
    if findings:
        return None, findings
    try:
        return Entry(Playbook.model_validate(data), name, root, source), []
    except ValidationError as error:
        return None, explanations(error, root, name)


def _read(file: Path) -> tuple[Entry | None, list[Finding]]:
    try:
        if file.stat().st_size > MAXIMUM_BYTES:
            params = {"limit": MAXIMUM_BYTES // 1000}
            return None, [Finding("error", str(file), 1, Text("playbook.too_large", params))]
        source = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return None, [Finding("error", str(file), 1, Text("playbook.unreadable", {"cause": str(error)}))]
    return parse_playbook(source, str(file))


def add_template(library: Library, file: Path) -> None:
    """Read one shared template into the library, or name what is wrong with it."""
    try:
        if file.stat().st_size > MAXIMUM_BYTES:
            params = {"limit": MAXIMUM_BYTES // 1000}
            library.findings.append(Finding("error", str(file), 1, Text("playbook.too_large", params)))
            return
        source = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        library.findings.append(Finding("error", str(file), 1, Text("playbook.unreadable", {"cause": str(error)})))
        return
    root, data, findings = read_tree(source, str(file))
    library.findings.extend(findings)
    if findings:
        return
    try:
        library.templates[file.stem] = Template.model_validate(data)
        library.shared[file.stem] = Shared(str(file), root)
    except ValidationError as error:
        library.findings.extend(explanations(error, root, str(file)))


def read_tree(source: str, name: str) -> tuple[yaml.Node | None, Any, list[Finding]]:
    """The YAML tree and its data, or the findings that forbid both."""
    if len(source) > MAXIMUM_BYTES:
        params = {"limit": MAXIMUM_BYTES // 1000}
        return None, None, [Finding("error", name, 1, Text("playbook.too_large", params))]
    try:
        loader = _Loader(source)
        root = loader.get_single_node()
        if root is None or _weight(root, {}) > MAXIMUM_NODES:
            key = "playbook.empty" if root is None else "playbook.too_nested"
            return None, None, [Finding("error", name, 1, Text(key))]
        data = loader.construct_document(root)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        cause = getattr(error, "problem", None) or str(error).partition("\n")[0]
        return (
            None,
            None,
            [Finding("error", name, mark.line + 1 if mark else 1, Text("playbook.yaml", {"cause": cause}))],
        )
    except (RecursionError, ValueError) as error:
        # Nested beyond any plan, an anchor inside itself, or a date such as 2026-02-31.
        key = "playbook.too_nested" if isinstance(error, RecursionError) else "playbook.yaml"
        return None, None, [Finding("error", name, 1, Text(key, {"cause": str(error)}))]
    twice = [Finding("error", name, line, Text("playbook.key_twice", {"where": key})) for key, line in keys_twice(root)]
    if not isinstance(data, dict):
        twice.append(Finding("error", name, 1, Text("playbook.not_a_mapping")))
    return root, data, twice


def _weight(node: yaml.Node, known: dict[int, int]) -> int:
    """How many values the tree has once its aliases are written out; counted once per node, so it ends quickly."""
    if id(node) in known:
        if known[id(node)] < 0:
            raise RecursionError
        return known[id(node)]
    known[id(node)] = -1
    total = 1
    if isinstance(node, yaml.SequenceNode):
        total += sum(_weight(item, known) for item in node.value)
    elif isinstance(node, yaml.MappingNode):
        total += sum(_weight(key, known) + _weight(value, known) for key, value in node.value)
    known[id(node)] = total
    return total


def explanations(error: ValidationError, root: yaml.Node | None, name: str) -> list[Finding]:
    return [_explain(item, root, name) for item in error.errors()]


_KEY_OF_TYPE = {
    "missing": "required",
    "extra_forbidden": "unknown_key",
    "literal_error": "not_one_of",
    "union_tag_not_found": "no_kind",
    "union_tag_invalid": "unknown_kind",
    "too_short": "needs_one",
    "string_too_short": "needs_one",
    "too_long": "too_many",
}
_CODES = {"duration", "grade", "identifier", "words", "day", "condition_not_text", "quiz_answer"}


def _explain(item: Any, root: yaml.Node | None, name: str) -> Finding:
    """One pydantic error as a line and a sentence with the mend."""
    place = _place(item["loc"])
    key = _KEY_OF_TYPE.get(item["type"], "invalid")
    context = item.get("ctx") or {}
    given = item.get("input")
    params: dict[str, Any] = {
        "where": dotted(place),
        "value": "…" if isinstance(given, dict | list) else str(given)[:80],
    }
    params["allowed"] = context.get("expected") or context.get("expected_tags") or ""
    params["limit"] = context.get("max_length", "")
    params["cause"] = item["msg"]
    params["example"] = "{zh-CN: …, en: …}"
    cause = context.get("error")
    if isinstance(cause, ConditionError):
        key, params["near"] = f"condition_{cause.code}", cause.near
    elif cause is not None and str(cause) in _CODES:
        key = f"bad_{cause}"
    elif isinstance(given, bool):
        key = "bad_truth"
    elif key == "unknown_kind":
        params["value"] = context.get("tag", "")
    elif key == "invalid" and place and item["type"] in {"model_type", "model_attributes_type", "dict_type"}:
        key = "not_a_group"
    elif key == "invalid" and item["type"] == "tuple_type":
        key = "not_a_list"
    blamed = place[:-1] if key == "required" else place
    return Finding("error", name, line_of(root, blamed), Text(f"playbook.{key}", params))


def _place(location: tuple[str | int, ...]) -> Place:
    """Pydantic's location without what is not written in the file: validators, and the kind chosen for a step."""
    parts = [
        part for part in location if not (isinstance(part, str) and (part.startswith("function-") or part == "[key]"))
    ]
    if len(parts) > 2 and parts[0] == "steps" and parts[2] in STEP_KINDS:
        del parts[2]
    return tuple(parts)
