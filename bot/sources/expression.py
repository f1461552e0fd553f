"""JMESPath with its place: compiled once, and as plain Python where the expression only names fields.

Vendors' mappings are mostly ``a || b || c.d``. The interpreter of the library walks its tree anew for every item; the
few node kinds such expressions have are turned into closures here, which is several times faster. Everything else is
the library's.
"""

from collections.abc import Callable, Mapping
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from bot.sources.base import problem

Search = Callable[[Any], Any]


class Expression:
    """A JMESPath expression that knows where it was written. Raises ``SourceError`` bad_expression."""

    def __init__(self, text: str, where: str) -> None:
        self.where = where
        try:
            compiled = jmespath.compile(text)
        except JMESPathError as error:
            cause = " ".join(str(error).split())[:200]
            raise problem("bad_expression", permanent=True, where=where, expression=text, cause=cause) from None
        self._search: Search = closure(compiled.parsed) or compiled.search

    def search(self, data: Any) -> Any:
        """The value, or None where a function does not fit the data (a null where a string was expected)."""
        try:
            return self._search(data)
        except JMESPathError:
            return None


def closure(node: Mapping[str, Any]) -> Search | None:
    """A tree of fields, sub-expressions, ``||``, ``&&`` and literals as one function; None for anything else."""
    kind = node["type"]
    if kind == "field":
        name = node["value"]
        return lambda data: data.get(name) if isinstance(data, dict) else None
    if kind == "literal":
        value = node["value"]
        return lambda data: value
    if kind == "or_expression":
        return _or(_alternatives(node))
    if kind not in ("subexpression", "and_expression"):
        return None
    parts = [closure(child) for child in node["children"]]
    known = tuple(part for part in parts if part is not None)
    if len(known) != len(parts):
        return None
    return _chain(known) if kind == "subexpression" else _and(known)


def _alternatives(node: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """``a || b || c`` stands in the tree as ``(a || b) || c``: all of them in order."""
    if node["type"] != "or_expression":
        return [node]
    return [found for child in node["children"] for found in _alternatives(child)]


def _chain(parts: tuple[Search, ...]) -> Search:
    def search(data: Any) -> Any:
        for part in parts:
            data = part(data)
        return data

    return search


def _or(nodes: list[Mapping[str, Any]]) -> Search | None:
    if all(node["type"] == "field" for node in nodes):
        return _first_field(tuple(node["value"] for node in nodes))
    parts = [closure(node) for node in nodes]
    known = tuple(part for part in parts if part is not None)
    if len(known) != len(parts):
        return None

    def search(data: Any) -> Any:
        value = None
        for part in known:
            value = part(data)
            if not _false(value):
                break
        return value

    return search


def _first_field(names: tuple[str, ...]) -> Search:
    last = names[-1]

    def search(data: Any) -> Any:
        if not isinstance(data, dict):
            return None
        for name in names:
            value = data.get(name)
            if value or (value is not None and not _false(value)):
                return value
        return data.get(last)

    return search


def _and(parts: tuple[Search, ...]) -> Search:
    left, right = parts

    def search(data: Any) -> Any:
        value = left(data)
        return value if _false(value) else right(data)

    return search


def _false(value: Any) -> bool:
    """JMESPath's falsehood: null, false and everything empty; the number 0 is true."""
    return value is None or value is False or (isinstance(value, str | list | dict) and not value)
