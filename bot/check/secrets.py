"""Secrets that the configuration names and the machine does not have. Their values are never looked at aloud."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bot.check.findings import Finding, error, ok, warn
from bot.config import Config, SecretHolder

SHORTEST_TOKEN = 16


def check(config: Config, environ: Mapping[str, str] | None = None) -> list[Finding]:
    environ = os.environ if environ is None else environ
    found: list[Finding] = []
    named = 0
    for where, holder in holders(config):
        for name in secret_names(holder):
            variable = getattr(holder, f"{name}_env", "")
            file = getattr(holder, f"{name}_file", "")
            if not variable and not file:
                continue
            named += 1
            found.extend(_one(f"{where}.{name}", variable, file, environ))
    for token in config.tokens:
        value = token.secret("token", environ)
        if value and len(value) < SHORTEST_TOKEN:
            found.append(warn("token_short", name=token.name, least=SHORTEST_TOKEN))
    if named and not found:
        found.append(ok("secrets", count=named))
    return found


def _one(where: str, variable: str, file: str, environ: Mapping[str, str]) -> Iterator[Finding]:
    if variable and environ.get(variable, "").strip():
        return
    path = Path(file) if file else None
    try:
        if path is not None and path.is_file():
            if not path.read_text(encoding="utf-8").strip():
                yield error("secret_file_empty", where=where, file=file)
            elif path.stat().st_mode & 0o004:
                yield warn("secret_file_open", file=file)
            return
    except (OSError, UnicodeDecodeError) as problem:
        yield error("secret_file_unreadable", where=where, file=file, cause=type(problem).__name__)
        return
    if variable:
        yield error("secret_missing", where=where, variable=variable)
    else:
        yield error("secret_file_missing", where=where, file=file)


def secret_names(holder: SecretHolder) -> list[str]:
    """The secrets a section may hold: ``token`` for ``token_env`` and ``token_file``."""
    fields = type(holder).model_fields
    return [name.removesuffix("_env") for name in fields if name.endswith("_env") and f"{name[:-4]}_file" in fields]


def holders(node: Any, where: str = "") -> Iterator[tuple[str, SecretHolder]]:
    """Every section that may hold secrets, with its place in the file."""
    if isinstance(node, SecretHolder):
        yield where, node
    if hasattr(type(node), "model_fields"):
        for name in type(node).model_fields:
            if name != "kind":
                yield from holders(getattr(node, name), f"{where}.{name.rstrip('_')}" if where else name)
    elif isinstance(node, dict):
        for name, value in node.items():
            yield from holders(value, f"{where}.{name}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from holders(value, f"{where}[{getattr(value, 'id', None) or getattr(value, 'name', index)}]")
