"""Changing one value inside the YAML of a playbook, leaving every other character and comment as it stands."""

import re

import yaml

from bot.model.text import UserError

_PART = re.compile(r"[^.\[\]]+")
_VERSION = re.compile(r"^version:[^\n]*$", re.MULTILINE)


def with_value(source: str, root: yaml.Node, path: str, value: str) -> str:
    """The text with the value at ``path`` (``owner``, ``steps.check.due``, ``title.en``) replaced.

    Items of a list are named by their id or their number from 1. Raises UserError where nothing, or no simple value,
    stands there.
    """
    node: yaml.Node = root
    for part in _PART.findall(path):
        following = _child(node, part)
        if following is None:
            raise UserError("error.playbook_no_path", path=path, part=part, known=_names(node)[:12] or ["—"])
        node = following
    if not isinstance(node, yaml.ScalarNode):
        raise UserError("error.playbook_not_simple", path=path, known=_names(node)[:12])
    lines = source.splitlines(keepends=True)
    start = sum(map(len, lines[: node.start_mark.line])) + node.start_mark.column
    end = sum(map(len, lines[: node.end_mark.line])) + node.end_mark.column
    block = node.style in ("|", ">")
    return source[:start] + _written(value) + ("\n" if block else "") + source[end:]


def with_version(source: str, number: int) -> str:
    """The text with its ``version`` set."""
    return _VERSION.sub(f"version: {number}", source, count=1)


def _child(node: yaml.Node, part: str) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == part), None)
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            named = _child(item, "id") if isinstance(item, yaml.MappingNode) else None
            if named is not None and named.value == part:
                return item  # type: ignore[no-any-return]
        if part.isdigit() and 1 <= int(part) <= len(node.value):
            return node.value[int(part) - 1]  # type: ignore[no-any-return]
    return None


def _names(node: yaml.Node) -> list[str]:
    """What may be named below a node."""
    if isinstance(node, yaml.MappingNode):
        return [str(key.value) for key, _ in node.value]
    if isinstance(node, yaml.SequenceNode):
        found = [_child(item, "id") if isinstance(item, yaml.MappingNode) else None for item in node.value]
        return [item.value if item is not None else str(number) for number, item in enumerate(found, 1)]
    return []


def _written(value: str) -> str:
    """A value as YAML on one line, quoted where it would otherwise mean something else."""
    plain = " ".join(value.split())
    if re.fullmatch(r"[\w\u3400-\u9fff][\w\u3400-\u9fff .%-]*", plain) and not plain.endswith(" "):
        return plain
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'
