"""Every sentence a person sees, in zh-CN and en. Catalogues are ``<area>.<language>.yaml`` files beside this module.

An entry is a flat ``area.name: "sentence with {placeholder}"``. Placeholders are plain names; a value is inserted as
it is and never parsed again, so collected text cannot reach the catalogue's syntax. ``{grade}``-like words are
translated by passing a nested ``Text``.
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import yaml

from bot.model.text import LANGUAGES, Text

# Ten times faster where libyaml is there.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLACEHOLDER = re.compile(r"\{([a-z_][a-z0-9_]*)\}")


class MissingText(KeyError):
    """A key that a catalogue does not have: a defect of the program, found by the catalogue test."""


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """All entries of one language; raises ``ValueError`` where two files define one key."""
    if language not in LANGUAGES:
        raise ValueError(f"unknown language {language!r}: use one of {', '.join(LANGUAGES)}")
    entries: dict[str, str] = {}
    for file in sorted(resources.files(__name__).iterdir(), key=lambda item: item.name):
        if not file.name.endswith(f".{language}.yaml"):
            continue
        text = file.read_text(encoding="utf-8")
        for key, value in (yaml.load(text, Loader=_LOADER) or {}).items():
            if key in entries:
                raise ValueError(f"{file.name}: {key} is already defined in another catalogue file")
            entries[key] = str(value)
    return entries


def render(text: Text | str, language: str) -> str:
    """Put a text into words. A plain string is returned as it is (collected or typed words)."""
    if isinstance(text, str):
        return text
    try:
        template = catalogue(language)[text.key]
    except KeyError:
        raise MissingText(f"{text.key} ({language})") from None
    return _PLACEHOLDER.sub(lambda match: _value(text.params[match[1]], language), template)


def placeholders(template: str) -> set[str]:
    """The names a template expects."""
    return set(_PLACEHOLDER.findall(template))


def has(key: str) -> bool:
    """Whether both languages have the key."""
    return all(key in catalogue(language) for language in LANGUAGES)


def _value(value: Any, language: str) -> str:
    if isinstance(value, Text):
        return render(value, language)
    if isinstance(value, list | tuple):
        return ("、" if language == "zh-CN" else ", ").join(_value(item, language) for item in value)
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)
