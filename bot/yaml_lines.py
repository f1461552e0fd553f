"""Where a value stands in a YAML file, so that every complaint about it can name the line."""

from collections.abc import Iterator

import yaml

Place = tuple[str | int, ...]


def line_of(node: yaml.Node | None, place: Place) -> int:
    """The line (from 1) of a place in the file, of its nearest ancestor where the place itself is not written."""
    line = 1 if node is None else node.start_mark.line + 1
    for part in place:
        following = None
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == str(part):
                    line, following = key.start_mark.line + 1, value
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            following = node.value[part]
            line = following.start_mark.line + 1
        if following is None:
            break
        node = following
    return line


def dotted(place: Place) -> str:
    """``("steps", 3, "title")`` as a person would write it: ``steps[3].title``."""
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def keys_twice(node: yaml.Node | None) -> Iterator[tuple[str, int]]:
    """Keys written twice in one place, of which YAML would silently take the later one, with their lines."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from keys_twice(item)
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if isinstance(key.value, str) and key.value in seen:
                yield key.value, key.start_mark.line + 1
            seen.add(str(key.value))
            yield from keys_twice(value)
