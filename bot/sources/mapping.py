"""A foreign JSON document → posts in the one form, by JMESPath. Compiled once; every error says where it stands."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.sources.base import KEPT_OF_REJECTED, problem
from bot.sources.dates import DateError, parse_iso
from bot.sources.expression import Expression
from bot.sources.markup import one_line, plain

_PLAIN = (
    "id", "platform", "source", "kind", "url", "title", "text", "published_at", "parent_id", "root_id", "location",
)  # fmt: skip
_AUTHOR = ("id", "name", "followers", "verified")
_ENGAGEMENT = ("views", "likes", "reposts", "comments")
TARGETS = frozenset((*_PLAIN, *(f"author.{name}" for name in _AUTHOR), *(f"engagement.{name}" for name in _ENGAGEMENT)))
# As ``date_format``: an item without a date counts from the moment it was first seen (hot lists have none).
FIRST_SEEN = "first_seen"
_COUNT = re.compile(r"^\s*([\d,，]+(?:\.\d+)?)\s*(万|千|百万|亿|w|k|m)?\s*\+?\s*$", re.IGNORECASE)
_UNITS = {"万": 10_000, "w": 10_000, "千": 1_000, "k": 1_000, "百万": 1_000_000, "m": 1_000_000, "亿": 100_000_000}
_NO = frozenset({"", "0", "false", "no", "否", "n", "-1", "none", "null"})


@dataclass(frozen=True, slots=True)
class Join:
    """Look-up inside one answer: for each item the entry of the list ``source`` whose ``key`` equals the item's ``by``
    is put into the item as ``name`` (X API: ``includes.users`` by ``author_id``)."""

    name: str
    source: str
    key: str
    by: str


@dataclass(frozen=True, slots=True)
class Mapped:
    """``items`` are posts in the one JSON form; ``rejected`` are (item as JSON, what is wrong); ``raw`` counts both."""

    items: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[tuple[str, str]] = field(default_factory=list)

    @property
    def raw(self) -> int:
        return len(self.items) + len(self.rejected)


class Mapper:
    """``items`` finds the list in the answer, ``fields`` gives each post field as an expression on one item."""

    def __init__(
        self,
        source: str,
        items: str,
        fields: Mapping[str, str],
        *,
        platform: str = "",
        defaults: Mapping[str, str] | None = None,
        date_format: str = "",
        timezone: str = "Asia/Shanghai",
        joins: tuple[Join, ...] = (),
    ) -> None:
        where = f"sources.{source}"
        unknown = sorted((set(fields) | set(defaults or {})) - TARGETS)
        if unknown:
            known = ", ".join(sorted(TARGETS))
            raise problem("unknown_target", permanent=True, where=f"{where}.map", name=unknown[0], known=known)
        self._source = source
        self._platform = platform
        self._items = Expression(items, f"{where}.items") if items else None
        self._fields = tuple(
            (target, Expression(text, f"{where}.map.{target}")) for target, text in sorted(fields.items())
        )
        self._defaults = dict(defaults or {})
        self._date_format = date_format
        self._timezone = timezone
        self._joins = tuple(
            (
                join.name,
                Expression(join.source, f"{where}.join.{join.name}.from"),
                join.key,
                Expression(join.by, f"{where}.join.{join.name}.by"),
            )
            for join in joins
        )

    def apply(self, document: Any, now: int) -> Mapped:
        """Map one answer. Raises ``SourceError`` no_items where the place of the items holds something else."""
        raw = self._find(document)
        lookups = [(name, _index(found.search(document), key), on) for name, found, key, on in self._joins]
        mapped = Mapped()
        for entry in raw:
            try:
                mapped.items.append(self._item(entry, lookups, now))
            except (ValueError, TypeError) as error:
                mapped.rejected.append((_dump(entry), str(error)[:300]))
        return mapped

    def _find(self, document: Any) -> list[Any]:
        found = self._items.search(document) if self._items else document
        if found is None or found is False or document == []:
            return []
        if isinstance(found, Mapping) and self._items is None:
            return [found]
        if not isinstance(found, list):
            where = self._items.where if self._items else f"sources.{self._source}"
            raise problem("no_items", where=where, found=type(found).__name__)
        return found

    def _item(self, entry: Any, lookups: list[tuple[str, dict[str, Any], Expression]], now: int) -> dict[str, Any]:
        if not isinstance(entry, Mapping):
            raise TypeError("post: must be a JSON object")
        if lookups:
            entry = dict(entry) | {name: table.get(str(on.search(entry))) for name, table, on in lookups}
        post: dict[str, Any] = {} if self._fields else dict(entry)
        for target, expression in self._fields:
            value = expression.search(entry)
            if value is not None and value != "":
                _place(post, target, value)
        for target, value in self._defaults.items():
            if _lookup(post, target) in (None, ""):
                _place(post, target, value)
        self._normalise(post, now)
        return post

    def _normalise(self, post: dict[str, Any], now: int) -> None:
        for name in ("title", "text"):
            value = post.get(name)
            if value is not None:
                if isinstance(value, dict | list | bool):
                    raise ValueError(f"{name}: must be a string")
                post[name] = one_line(str(value)) if name == "title" else plain(str(value))
        if not post.get("text") and not post.get("title"):
            raise ValueError("text: is missing; a post needs text or title")
        value = post.get("published_at")
        if self._date_format == FIRST_SEEN and value in (None, ""):
            value = now
        try:
            post["published_at"] = parse_iso(value, now, self._timezone, self._date_format)
        except DateError as error:
            raise ValueError(f"published_at: {error}") from None
        for name in ("id", "url", "parent_id", "root_id", "location", "kind", "platform"):
            value = post.get(name)
            if isinstance(value, float) and value.is_integer():
                value = int(value)
            if value is not None and not isinstance(value, str):
                post[name] = None if isinstance(value, dict | list | bool) else str(value)
        engagement = post.get("engagement")
        if isinstance(engagement, dict):
            post["engagement"] = {name: parse_count(value) for name, value in engagement.items()}
        author = post.get("author")
        if isinstance(author, dict):
            if "followers" in author:
                author["followers"] = parse_count(author["followers"])
            if isinstance(author.get("verified"), str):
                author["verified"] = author["verified"].strip().lower() not in _NO
            if author.get("name") is not None:
                author["name"] = one_line(str(author["name"]))[:200]
        post["source"] = self._source
        if self._platform and not post.get("platform"):
            post["platform"] = self._platform


def parse_count(value: Any) -> int:
    """A count as platforms show it: ``1,234``, ``1.2万``, ``3k``; 0 for anything that is not one."""
    if isinstance(value, bool) or value is None:
        return 0
    if isinstance(value, int | float):
        return max(0, int(value)) if -1e15 < value < 1e15 else 0
    match = _COUNT.match(str(value))
    if not match:
        return 0
    number = float(match[1].replace(",", "").replace("，", "") or 0)
    return int(min(round(number * _UNITS.get((match[2] or "").lower(), 1)), 1 << 53))


def _index(entries: Any, key: str) -> dict[str, Any]:
    if not isinstance(entries, list):
        return {}
    return {str(entry[key]): entry for entry in entries if isinstance(entry, Mapping) and key in entry}


def _place(post: dict[str, Any], target: str, value: Any) -> None:
    outer, _, inner = target.partition(".")
    if not inner:
        post[outer] = value
        return
    nested = post.get(outer)
    if not isinstance(nested, dict):
        nested = post[outer] = {}
    nested[inner] = value


def _lookup(post: Mapping[str, Any], target: str) -> Any:
    value: Any = post
    for part in target.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _dump(entry: Any) -> str:
    return json.dumps(entry, ensure_ascii=False, default=str)[:KEPT_OF_REJECTED]
