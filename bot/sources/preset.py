"""Presets: how a well-known API or vendor is asked and mapped, as YAML data beside this module.

A preset gives everything a source needs but the words to look for and the secret; whatever the configuration says
itself wins. Keys as in ``SourceConfig``, and besides: ``about`` (what is confirmed, what to check), ``parameters``
(names that ``with:`` must give), ``join``, ``since`` and ``error``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from bot import quick_yaml
from bot.config import PageConfig, SourceConfig
from bot.sources.base import SourceError, problem
from bot.sources.mapping import Join

_DURATIONS = frozenset({"every", "every_sensitive", "silent_after", "timeout"})
_EXTRA = frozenset({"about", "parameters", "join", "since", "error", "name"})


@dataclass(frozen=True, slots=True)
class Since:
    """Ask only for what is newer: ``param`` (or ``{since}`` in the address) carries the newest id or time so far.

    ``kind`` is id, time (ISO 8601), epoch or epoch_ms. ``overlap`` milliseconds are asked for again, because search
    indexes fill late; ``first`` is how far the first poll looks back.
    """

    param: str = ""
    kind: str = "id"
    overlap: int = 0
    first: int = 86_400_000


@dataclass(frozen=True, slots=True)
class ErrorShape:
    """Errors that come with status 200 or in a body of their own: ``message`` and ``code`` are JMESPath; ``limits`` are
    codes that mean: too many requests."""

    message: str = ""
    code: str = ""
    limits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Resolved:
    """A source's settings with its preset merged in."""

    config: SourceConfig
    joins: tuple[Join, ...] = ()
    since: Since | None = None
    error: ErrorShape | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    auth_optional: bool = False


@cache
def names() -> tuple[str, ...]:
    """All presets, in alphabetical order."""
    folder = resources.files(__package__) / "presets"
    return tuple(sorted(item.name.removesuffix(".yaml") for item in folder.iterdir() if item.name.endswith(".yaml")))


@cache
def load(name: str) -> Mapping[str, Any]:
    """One preset's data. Raises ``SourceError`` unknown_preset."""
    if name not in names():
        raise problem("unknown_preset", permanent=True, name=name, known=", ".join(names()))
    text = (resources.files(__package__) / "presets" / f"{name}.yaml").read_text(encoding="utf-8")
    data: Mapping[str, Any] = quick_yaml.load(text)
    return data


def resolve(config: SourceConfig) -> Resolved:
    """Merge the preset under the explicit settings. Raises ``SourceError`` for a missing parameter or preset."""
    if not config.preset:
        return Resolved(config, since=_since_of(config), parameters=config.with_)
    preset = load(config.preset)
    data = {key: value for key, value in preset.items() if key not in _EXTRA}
    auth = dict(data.pop("auth", None) or {})
    optional = bool(auth.pop("optional", False))
    if auth:
        data["auth"] = auth
    for name in config.model_fields_set - {"preset"}:
        value = getattr(config, name)
        key = "with" if name == "with_" else name
        if key in ("with", "map", "defaults", "headers") and isinstance(value, dict):
            value = {**(data.get(key) or {}), **value}
        elif key == "auth" and value is not None:
            value = {**auth, **value.model_dump(exclude_unset=True)}
        elif key == "page" and value is not None:
            value = value.model_dump(exclude_unset=True) | {"kind": value.kind}
        elif name in _DURATIONS:
            value = f"{value}ms"  # a bare number would be read as seconds once more
        data[key] = value
    data["preset"] = config.preset
    for name, wanted in (preset.get("parameters") or {}).items():
        if not (data.get("with") or {}).get(name):
            raise problem(
                "missing_parameter", permanent=True, where=f"sources.{config.id}.with", name=name, what=wanted
            )
    merged = SourceConfig.model_validate(data)
    since = preset.get("since")
    shape = preset.get("error")
    return Resolved(
        config=merged,
        joins=tuple(
            Join(name=name, source=join["from"], key=join["key"], by=join["by"])
            for name, join in (preset.get("join") or {}).items()
        ),
        since=Since(**since) if since else _since_of(merged),
        error=ErrorShape(shape.get("message", ""), shape.get("code", ""), tuple(map(str, shape.get("limits", ()))))
        if shape
        else None,
        parameters=merged.with_,
        auth_optional=optional,
    )


def merged(configs: Sequence[SourceConfig]) -> list[SourceConfig]:
    """The sources' settings with their presets; where a preset cannot be used, the settings as they stand."""
    found: list[SourceConfig] = []
    for config in configs:
        try:
            found.append(resolve(config).config)
        except SourceError:
            found.append(config)
    return found


def _since_of(config: SourceConfig) -> Since | None:
    page: PageConfig | None = config.page
    if page is None or page.kind != "since":
        return None
    return Since(param=page.param if page.param != "page" else "", kind=page.since)
