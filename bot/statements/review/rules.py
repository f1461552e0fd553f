"""The rules as data: what they look for, how grave it is for whom, and what shows that they work.

A rule looks for ``patterns`` (RE2, on the folded text) of a language, or is worked out by the named ``check``. What
lies in an ``unless`` pattern is excepted, so are words in quotation marks and questions where ``skip`` says so. A
``<name>`` inside a pattern stands for a part that ``parts.yaml`` defines.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from importlib import resources
from typing import Any

import re2
import yaml

from bot.model.grade import Grade
from bot.model.statement import AUDIENCES, ReviewContext, Severity

INSIDE = ("core_team", "management", "staff")
READERS = ("affected_customers", "customers", "media", "kols", "public")
_GROUPS = {
    "inside": INSIDE,
    "outside": tuple(name for name in AUDIENCES if name not in INSIDE),
    "readers": READERS,
}
LANGUAGES = ("zh-CN", "en")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times faster where libyaml is there
_SKIPS = ("quoted", "questions")
_NO_RULES = ("parts.yaml", "signals.yaml", "topics.yaml")
_PART = re.compile(r"<([a-z_]+)>")


class RuleError(ValueError):
    """A rule file has a mistake. The message names the file, the rule, and what to do."""

    def __init__(self, file: str, rule: str, mend: str) -> None:
        super().__init__(f"{file}: {rule}: {mend}")


@dataclass(frozen=True, slots=True)
class When:
    """Where a rule or a severity holds; an empty field holds everywhere. ``grade`` is the least one."""

    audience: tuple[str, ...] = ()
    grade: Grade = Grade.NONE
    kind: tuple[str, ...] = ()
    cluster: tuple[str, ...] = ()
    strategy: tuple[str, ...] = ()
    crisis_type: tuple[str, ...] = ()

    def holds(self, context: ReviewContext) -> bool:
        return (
            (not self.audience or context.audience in self.audience)
            and context.grade >= self.grade
            and (not self.kind or context.kind.value in self.kind)
            and (not self.cluster or context.cluster in self.cluster)
            and (not self.strategy or context.strategy in self.strategy)
            and (not self.crisis_type or context.crisis_type in self.crisis_type)
        )


@dataclass(frozen=True, slots=True)
class Compiled:
    """The patterns of one language."""

    find: Any
    unless: Any = None


@dataclass(frozen=True, slots=True)
class Example:
    """A text that shows a rule at work. ``context`` overrides fields of the review's context."""

    text: str
    language: str
    context: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """``grades`` are tried in order; the first that holds gives the severity. ``least`` is the length of body from
    which something can be missing."""

    id: str
    file: str
    grades: tuple[tuple[When, Severity], ...]
    check: str = ""
    when: When = field(default_factory=When)
    overridable: bool = True
    patterns: Mapping[str, Compiled] = field(default_factory=dict)
    skip: tuple[str, ...] = ()
    least: int = 0
    fires: tuple[Example, ...] = ()
    quiet: tuple[Example, ...] = ()

    def severity(self, context: ReviewContext) -> Severity | None:
        """How grave it is here, or None where the rule does not apply."""
        if not self.when.holds(context):
            return None
        return next((severity for when, severity in self.grades if when.holds(context)), None)


@dataclass(frozen=True, slots=True)
class Topic:
    """Something that is so or is not. ``progress``: things rightly move from no to yes in time (restored, found)."""

    id: str
    yes: Mapping[str, Compiled]
    no: Mapping[str, Compiled]
    progress: bool = False


@dataclass(frozen=True, eq=False)
class Rules:
    """``signals``: named patterns by language that checks ask for, such as what announces a next update."""

    rules: tuple[Rule, ...]
    by_id: Mapping[str, Rule]
    signals: Mapping[str, Mapping[str, Compiled]]
    topics: tuple["Topic", ...] = ()


@cache
def shipped() -> Rules:
    """The rules that come with the program; raises ``RuleError``."""
    folder = resources.files(__package__).joinpath("rules")
    files = {item.name: item.read_text(encoding="utf-8") for item in folder.iterdir() if item.name.endswith(".yaml")}
    return load(files)


@cache
def data(name: str) -> Any:
    """A data file of this package that holds no rules."""
    return yaml.load(resources.files(__package__).joinpath(name).read_text(encoding="utf-8"), Loader=_LOADER)


def load(files: Mapping[str, str]) -> Rules:
    """Rules of several files by name; raises ``RuleError`` for the first mistake."""
    parts = _parts(files.get("parts.yaml", ""))
    rules: dict[str, Rule] = {}
    for name in sorted(files):
        if name in _NO_RULES:
            continue
        for entry in _entries(name, files[name]):
            rule = _Reader(name, parts, entry).rule()
            if rule.id in rules:
                raise RuleError(name, rule.id, f"is also defined in {rules[rule.id].file}; give one another id")
            rules[rule.id] = rule
    return Rules(tuple(rules.values()), rules, _signals(files, parts), tuple(_topics(files, parts)))


def _signals(files: Mapping[str, str], parts: Mapping[str, str]) -> dict[str, dict[str, Compiled]]:
    found: dict[str, dict[str, Compiled]] = {}
    for name, entry in (_yaml("signals.yaml", files.get("signals.yaml", "")) or {}).items():
        found[name] = _Reader("signals.yaml", parts, {"id": name, **entry}).patterns()
    return found


def _topics(files: Mapping[str, str], parts: Mapping[str, str]) -> Iterator[Topic]:
    for name, entry in (_yaml("topics.yaml", files.get("topics.yaml", "")) or {}).items():
        yes, no = (_Reader("topics.yaml", parts, {"id": name, **entry[side]}).patterns() for side in ("is", "is_not"))
        yield Topic(name, yes, no, bool(entry.get("progress")))


def _yaml(name: str, text: str) -> Any:
    try:
        return yaml.load(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        raise RuleError(name, "the file", f"is not YAML: {error}") from None


def _parts(text: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for name, value in (_yaml("parts.yaml", text) or {}).items():
        parts[name] = _with_parts(str(value), parts, "parts.yaml", name)
    return parts


def _entries(name: str, text: str) -> list[Any]:
    entries = _yaml(name, text)
    if not isinstance(entries, list) or not entries:
        raise RuleError(name, "the file", "holds no list of rules; begin each with '- id:'")
    return entries


def _with_parts(pattern: str, parts: Mapping[str, str], file: str, rule: str) -> str:
    def part(match: re.Match[str]) -> str:
        if match[1] not in parts:
            raise RuleError(file, rule, f"<{match[1]}> is not defined in parts.yaml; known: {', '.join(parts)}")
        return f"(?:{parts[match[1]]})"

    return _PART.sub(part, pattern)


_KEYS = {"id", "severity", "check", "when", "overridable", "skip", "least", "fires", "quiet", *LANGUAGES}


class _Reader:
    """Reads one entry."""

    def __init__(self, file: str, parts: Mapping[str, str], entry: Any) -> None:
        self._file, self._parts = file, parts
        self._entry: dict[str, Any] = entry if isinstance(entry, dict) else {}
        self._id = str(self._entry.get("id") or "")
        if not re.fullmatch(r"[a-z][a-z0-9_]{2,39}", self._id):
            raise RuleError(file, repr(self._id or entry)[:60], "needs an id of small letters, digits and _")

    def _wrong(self, mend: str) -> RuleError:
        return RuleError(self._file, self._id, mend)

    def rule(self) -> Rule:
        entry = self._entry
        unknown = set(entry) - _KEYS
        if unknown:
            raise self._wrong(f"unknown {', '.join(sorted(map(str, unknown)))}; known: {', '.join(sorted(_KEYS))}")
        patterns = self.patterns()
        if not patterns and not entry.get("check"):
            raise self._wrong("needs patterns under zh-CN or en, or a check")
        skip = tuple(entry.get("skip") or ())
        if set(skip) - set(_SKIPS):
            raise self._wrong(f"skip may hold {', '.join(_SKIPS)}")
        return Rule(
            self._id, self._file, self._severities(), str(entry.get("check") or ""), self._when(entry.get("when")),
            bool(entry.get("overridable", True)), patterns, skip, int(entry.get("least") or 0),
            self._examples("fires"), self._examples("quiet"),
        )  # fmt: skip

    def patterns(self) -> dict[str, Compiled]:
        return {language: self._compiled(language) for language in LANGUAGES if self._entry.get(language)}

    def _severities(self) -> tuple[tuple[When, Severity], ...]:
        given = self._entry.get("severity")
        if not given:
            raise self._wrong("needs a severity: block, warn or note")
        found = []
        for item in given if isinstance(given, list) else [given]:
            if isinstance(item, Mapping):
                word = str(item.get("is"))
                when = self._when({key: value for key, value in item.items() if key != "is"})
            else:
                word, when = str(item), When()
            try:
                found.append((when, Severity(word)))
            except ValueError:
                raise self._wrong(f"{word!r} is no severity: use block, warn or note") from None
        return tuple(found)

    def _when(self, given: Any) -> When:
        if not given:
            return When()
        unknown = set(given) - {item.name for item in fields(When)}
        if unknown:
            raise self._wrong(f"unknown condition {', '.join(sorted(unknown))}")
        values: dict[str, Any] = {}
        for name, value in given.items():
            if name == "grade":
                values[name] = Grade.from_word(str(value))
                continue
            listed = value if isinstance(value, list) else [value]
            values[name] = tuple(one for item in listed for one in _GROUPS.get(item, (item,)))
        for audience in values.get("audience", ()):
            if audience not in AUDIENCES:
                raise self._wrong(f"{audience!r} is no audience: use {', '.join((*_GROUPS, *AUDIENCES))}")
        return When(**values)

    def _compiled(self, language: str) -> Compiled:
        given = self._entry[language]
        if not isinstance(given, Mapping) or set(given) - {"patterns", "unless"} or not given.get("patterns"):
            raise self._wrong(f"{language} needs patterns, and may have unless")
        unless = given.get("unless") or ()
        return Compiled(self._regex(language, given["patterns"]), self._regex(language, unless) if unless else None)

    def _regex(self, language: str, patterns: Iterable[Any]) -> Any:
        written = []
        for pattern in patterns:
            if not isinstance(pattern, str) or not pattern:
                raise self._wrong(f"{pattern!r} is no pattern; put it into quotation marks")
            full = _with_parts(pattern, self._parts, self._file, self._id)
            if language == "en":
                full = f"{_edge(full[0])}(?:{full}){_edge(full[-1])}"
            try:
                compile_pattern(full)
            except re2.error as error:
                raise self._wrong(f"the pattern {pattern!r} cannot be read: {error}") from None
            written.append(full)
        return compile_pattern("|".join(written))

    def _examples(self, name: str) -> tuple[Example, ...]:
        found = []
        for language, listed in (self._entry.get(name) or {}).items():
            if language not in LANGUAGES:
                raise self._wrong(f"{name}: {language!r} is no language: use zh-CN or en")
            for item in listed:
                given = dict(item) if isinstance(item, Mapping) else {"text": item}
                text, title = str(given.pop("text")), str(given.pop("title", ""))
                found.append(Example(text, language, given, title))
        return tuple(found)


def _edge(character: str) -> str:
    # English patterns are whole words unless they begin or end with a sign or a part of their own.
    return r"\b" if character.isalnum() or character in "()" else ""


def compile_pattern(pattern: str) -> Any:
    """A pattern over UTF-8 bytes whose work grows with the text and never with the square of it."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 64 << 20
    return re2.compile(pattern.encode("utf-8"), options=options)
