"""The description of the HTTP interface, as OpenAPI 3.1."""

from functools import cache
from importlib import resources
from typing import Any

from bot import quick_yaml


@cache
def openapi() -> dict[str, Any]:
    text = resources.files("bot").joinpath("openapi.yaml").read_text(encoding="utf-8")
    return quick_yaml.load(text)  # type: ignore[no-any-return]
