"""Changes inside the YAML of a playbook that leave every other character and comment as it stands: take a step out, add
one, add words, set a value that is not written yet.

Raises ``EditRefused`` where a place is written in a way that cannot be changed without touching more.
"""

import re
from collections.abc import Sequence

import yaml

from bot.response.editing import with_value
from bot.response.values import Words


class EditRefused(Exception):
    """The text stands so that the change cannot be made in place."""


_PLAIN = re.compile(r"[^\W\d_][\w .-]*")
_TRUTHS = frozenset({"yes", "no", "on", "off", "true", "false", "null", "y", "n"})


def scalar(value: str) -> str:
    """A value on one line, quoted where it would otherwise mean something else."""
    flat = " ".join(value.split())
    if _PLAIN.fullmatch(flat) and not flat.endswith(" ") and flat.lower() not in _TRUTHS:
        return flat
    return quoted(flat)


def quoted(text: str) -> str:
    """A text on one line in double quotes."""
    flat = " ".join(text.split())
    return '"' + flat.replace("\\", "\\\\").replace('"', '\\"') + '"'


def written_words(words: Words) -> str:
    """A text in both languages, in flow style."""
    return f"{{zh-CN: {quoted(words.zh)}, en: {quoted(words.en)}}}"


def task(step_id: str, title: Words, role: str, due: str) -> str:
    """A step that a person does, in flow style on one line."""
    return f"{{id: {step_id}, kind: task, title: {written_words(title)}, role: {role}, due: {due}}}"


def without_step(source: str, root: yaml.Node, step_id: str) -> str:
    """The text without a step; what came after it comes after what it came after."""
    steps = _items(root, "steps")
    place = next((index for index, item in enumerate(steps) if _text(item, "id") == step_id), None)
    if place is None or len(steps) == 1:
        raise EditRefused(step_id)
    before = [item.value for item in _list(steps[place], "after")]
    edits: list[tuple[int, int, str]] = []
    for item in steps:
        names = [name.value for name in _list(item, "after")]
        if item is steps[place] or step_id not in names:
            continue
        node = _value(item, "after")
        if not isinstance(node, yaml.SequenceNode) or not node.flow_style:
            raise EditRefused(step_id)
        kept = list(dict.fromkeys(other for name in names for other in (before if name == step_id else [name])))
        edits.append((*_span(source, node), f"[{', '.join(kept)}]"))
    edits.append((*_lines_of(source, root, place), ""))
    return _edited(source, edits)


def with_step(source: str, root: yaml.Node, written: str) -> str:
    """The text with one more step at the end; ``written`` is a mapping in flow style, on one line."""
    steps = _items(root, "steps")
    last = steps[-1]
    indent = max(0, last.start_mark.column - 2)
    _, end = _lines_of(source, root, len(steps) - 1)
    lead = "" if source[:end].endswith("\n") else "\n"
    return f"{source[:end]}{lead}{' ' * indent}- {written}\n{source[end:]}"


def with_words(source: str, root: yaml.Node, words: Sequence[str]) -> str:
    """The text with more words in ``match.words``."""
    listed = ", ".join(map(scalar, words))
    match = _value(root, "match")
    if match is None:
        owner = _key(root, "owner")
        if owner is None:
            raise EditRefused("match")
        place = _offset(source, owner.start_mark.line, 0)
        return f"{source[:place]}match: {{words: [{listed}]}}\n{source[place:]}"
    node = _value(match, "words")
    if node is None:
        return with_key(source, match, "words", f"[{listed}]")
    if not isinstance(node, yaml.SequenceNode):
        raise EditRefused("match.words")
    if node.flow_style:
        _, end = _span(source, node)
        closing = source.rindex("]", 0, end)
        body = source[:closing].rstrip()
        comma = "" if body.endswith(("[", ",")) else ","
        space = "" if body.endswith("[") else " "
        return f"{body}{comma}{space}{listed}{source[closing:]}"
    last = node.value[-1]
    column = node.value[0].start_mark.column - 2
    place = _offset(source, last.end_mark.line + 1, 0)
    lead = "" if source[:place].endswith("\n") else "\n"
    lines = "".join(f"{' ' * column}- {scalar(word)}\n" for word in words)
    return source[:place] + lead + lines + source[place:]


def with_step_value(source: str, root: yaml.Node, step_id: str, name: str, value: str) -> str:
    """The text with one value of a step, replaced or added."""
    step = next((item for item in _items(root, "steps") if _text(item, "id") == step_id), None)
    if step is None:
        raise EditRefused(step_id)
    if _value(step, name) is not None:
        return with_value(source, root, f"steps.{step_id}.{name}", value)
    return with_key(source, step, name, scalar_or_duration(value))


def scalar_or_duration(value: str) -> str:
    return value if re.fullmatch(r"\d+[smhdw]", value) else scalar(value)


def with_key(source: str, node: yaml.Node, name: str, written: str) -> str:
    """The text with one more key in a mapping."""
    if not isinstance(node, yaml.MappingNode) or not node.value:
        raise EditRefused(name)
    start, end = _span(source, node)
    if node.flow_style:
        closing = source.rindex("}", start, end)
        body = source[:closing].rstrip()
        return f"{body}{'' if body.endswith(('{', ',')) else ','} {name}: {written}{source[closing:]}"
    first_value = node.value[0][1]
    if first_value.start_mark.line != node.start_mark.line or not isinstance(first_value, yaml.ScalarNode):
        raise EditRefused(name)
    place = _offset(source, node.start_mark.line + 1, 0)
    lead = "" if source[:place].endswith("\n") else "\n"
    return f"{source[:place]}{lead}{' ' * node.start_mark.column}{name}: {written}\n{source[place:]}"


def replaced(source: str, old: str, new: str) -> str:
    """The text with one passage of a quoted or plain text replaced; it must stand there exactly once."""
    if source.count(old) != 1 or '"' in new or "\\" in new or "\n" in new or "{" in new or "}" in new:
        raise EditRefused(old)
    return source.replace(old, new)


def _items(root: yaml.Node, name: str) -> list[yaml.Node]:
    node = _value(root, name)
    if not isinstance(node, yaml.SequenceNode) or node.flow_style or not node.value:
        raise EditRefused(name)
    return list(node.value)


def _lines_of(source: str, root: yaml.Node, place: int) -> tuple[int, int]:
    """Where a step's lines begin and end; blank lines and comments in front of the next thing stay with that."""
    steps = _items(root, "steps")
    start = _offset(source, steps[place].start_mark.line, 0)
    if place + 1 < len(steps):
        end = _offset(source, steps[place + 1].start_mark.line, 0)
    else:
        mark = steps[place].end_mark
        end = _offset(source, mark.line + (1 if mark.column else 0), 0)
    lines = source[start:end].splitlines(keepends=True)
    while len(lines) > 1 and (not lines[-1].strip() or lines[-1].lstrip().startswith("#")):
        end -= len(lines.pop())
    return start, end


def _edited(source: str, edits: list[tuple[int, int, str]]) -> str:
    for start, end, text in sorted(edits, reverse=True):
        source = source[:start] + text + source[end:]
    return source


def _span(source: str, node: yaml.Node) -> tuple[int, int]:
    return (
        _offset(source, node.start_mark.line, node.start_mark.column),
        _offset(source, node.end_mark.line, node.end_mark.column),
    )


def _offset(source: str, line: int, column: int) -> int:
    return sum(map(len, source.splitlines(keepends=True)[:line])) + column


def _key(node: yaml.Node, name: str) -> yaml.Node | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return next((key for key, _ in pairs if key.value == name), None)


def _value(node: yaml.Node, name: str) -> yaml.Node | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return next((value for key, value in pairs if key.value == name), None)


def _list(node: yaml.Node, name: str) -> list[yaml.ScalarNode]:
    found = _value(node, name)
    return [item for item in found.value if isinstance(item, yaml.ScalarNode)] if isinstance(
        found, yaml.SequenceNode) else []  # fmt: skip


def _text(node: yaml.Node, name: str) -> str:
    found = _value(node, name)
    return str(found.value) if isinstance(found, yaml.ScalarNode) else ""
