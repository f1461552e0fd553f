"""Templates of requests: ``{param}`` filled in as values, never spliced into syntax.

A string that is nothing but ``{param}`` becomes the value itself (a list stays a list); inside a longer string the
value becomes text. Values are never read for placeholders again. ``{param?}`` may be missing: its entry is left out.
``{param|quoted}`` escapes quotation marks and backslashes for query languages that stand inside quotation marks.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

_PLACEHOLDER = re.compile(r"\{([a-z_][a-z0-9_]*)(\?|\|quoted)?\}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ABSENT = object()
DEEPEST = 20


class TemplateError(Exception):
    """A template cannot be filled. The message says which parameter is missing or unfit, in plain English."""


def names(template: Any) -> set[str]:
    """The parameters a template cannot do without."""
    if isinstance(template, str):
        return {match[1] for match in _PLACEHOLDER.finditer(template) if match[2] != "?"}
    if isinstance(template, Mapping):
        return {name for value in template.values() for name in names(value)}
    if isinstance(template, list | tuple):
        return {name for value in template for name in names(value)}
    return set()


def fill(template: Any, values: Mapping[str, Any]) -> Any:
    """A template of JSON shape with its values in. Raises ``TemplateError`` for a value nobody gave."""
    found = _fill(template, values, 0)
    return None if found is _ABSENT else found


def fill_path(template: str, values: Mapping[str, Any]) -> str:
    """A path: every value is one percent-encoded segment at most, so that it cannot lead elsewhere."""

    def segment(match: re.Match[str]) -> str:
        text = _text(_value(match, values))
        if text in ("", ".", ".."):
            raise TemplateError(f"{match[1]} says {text!r}, which cannot stand in an address")
        return quote(text, safe="")

    return _PLACEHOLDER.sub(segment, template)


def fill_query(template: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    """An encoded query string; lists repeat their name."""
    return urlencode({name: value for name, value in fill(template, values).items() if value is not None}, doseq=True)


def fill_headers(template: Mapping[str, str], values: Mapping[str, Any]) -> dict[str, str]:
    """Headers whose values cannot begin a line of their own."""
    found = {}
    for name, value in fill(template, values).items():
        text = _text(value)
        if _CONTROL.search(text) or not text.isascii():
            raise TemplateError(f"the header {name} would hold characters that a header cannot carry")
        found[name] = text
    return found


def _fill(template: Any, values: Mapping[str, Any], depth: int) -> Any:
    if depth > DEEPEST:
        raise TemplateError("the template is nested too deeply")
    if isinstance(template, str):
        whole = _PLACEHOLDER.fullmatch(template)
        if whole and whole[2] != "|quoted":
            value = _value(whole, values)
            return _ABSENT if value is None and whole[2] == "?" else value
        return _PLACEHOLDER.sub(lambda match: _text(_value(match, values)), template)
    if isinstance(template, Mapping):
        filled = {name: _fill(value, values, depth + 1) for name, value in template.items()}
        return {name: value for name, value in filled.items() if value is not _ABSENT}
    if isinstance(template, list | tuple):
        items = [_fill(value, values, depth + 1) for value in template]
        return [value for value in items if value is not _ABSENT]
    return template


def _value(match: re.Match[str], values: Mapping[str, Any]) -> Any:
    name, kind = match[1], match[2]
    value = values.get(name)
    if kind == "?":
        return None if value == "" else value
    if value is None or value == "":
        raise TemplateError(f"{name} is needed and nobody gave it")
    if kind == "|quoted":
        return _CONTROL.sub(" ", re.sub(r"([\\'\"])", r"\\\1", _text(value)))
    return value


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ", ".join(_text(item) for item in value)
    return str(value)
