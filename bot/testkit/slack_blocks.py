"""Block Kit as Slack checks it: limits from the reference pages at docs.slack.dev/reference/block-kit.

A problem is worded the way Slack words it: ``must be less than 151 characters [json-pointer:/blocks/0/text/text]``.
"""

from collections.abc import Callable, Mapping
from typing import Any

JsonObject = Mapping[str, Any]

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
# Not documented: the sum over all blocks fails near this size with msg_blocks_too_long (bolt-js issue 2509).
MESSAGE_CHARACTERS = 13_200
ID_LENGTH = 255
VIEW_BYTES = 250_000


class Problems:
    """Collects complaints, each with the JSON pointer to its place."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, complaint: str, pointer: str) -> None:
        self.found.append(f"{complaint} [json-pointer:{pointer}]")

    def length(self, value: object, limit: int, pointer: str) -> None:
        """A non-empty string of at most ``limit`` characters."""
        if not isinstance(value, str):
            self.add("must be a string", pointer)
        elif not value:
            self.add("must be more than 0 characters", pointer)
        elif len(value) > limit:
            self.add(f"must be less than {limit + 1} characters", pointer)

    def items(self, value: object, minimum: int, maximum: int, pointer: str) -> list[Any]:
        """The list itself, or an empty one with a complaint."""
        if not isinstance(value, list):
            self.add("must be an array", pointer)
            return []
        if len(value) < minimum:
            self.add(f"must provide at least {minimum} items", pointer)
        if len(value) > maximum:
            self.add(f"no more than {maximum} items allowed", pointer)
        return value

    def text(self, value: object, limit: int, pointer: str, *, plain: bool = True) -> None:
        """A text object; ``plain`` ones may not be mrkdwn."""
        if not isinstance(value, Mapping):
            self.add("must provide an object", pointer)
            return
        allowed = ("plain_text",) if plain else ("plain_text", "mrkdwn")
        if value.get("type") not in allowed:
            self.add(f"unsupported type: {value.get('type')}", f"{pointer}/type")
        self.length(value.get("text"), limit, f"{pointer}/text")

    def needs(self, value: JsonObject, name: str, pointer: str) -> bool:
        if name in value:
            return True
        self.add(f"missing required field: {name}", pointer)
        return False


def _identity(value: JsonObject, name: str, pointer: str, seen: set[str], problems: Problems) -> None:
    identity = value.get(name)
    if identity is None:
        return
    problems.length(identity, ID_LENGTH, f"{pointer}/{name}")
    if str(identity) in seen:
        problems.add(f'`{name}` "{identity}" already exists', f"{pointer}/{name}")
    seen.add(str(identity))


def _confirm(value: JsonObject, pointer: str, problems: Problems) -> None:
    confirm = value.get("confirm")
    if confirm is None:
        return
    if not isinstance(confirm, Mapping):
        problems.add("must provide an object", f"{pointer}/confirm")
        return
    for name, limit in (("title", 100), ("text", 300), ("confirm", 30), ("deny", 30)):
        if name in confirm or name in ("title", "text"):
            problems.text(confirm.get(name), limit, f"{pointer}/confirm/{name}", plain=name != "text")


def _options(values: object, maximum: int, pointer: str, problems: Problems, *, plain: bool = True) -> None:
    for index, option in enumerate(problems.items(values, 1, maximum, pointer)):
        place = f"{pointer}/{index}"
        if not isinstance(option, Mapping):
            problems.add("must provide an object", place)
            continue
        problems.text(option.get("text"), 75, f"{place}/text", plain=plain)
        problems.length(option.get("value"), 150, f"{place}/value")


def _button(element: JsonObject, pointer: str, problems: Problems) -> None:
    problems.text(element.get("text"), 75, f"{pointer}/text")
    if "value" in element:
        problems.length(element["value"], 2000, f"{pointer}/value")
    if "url" in element:
        problems.length(element["url"], 3000, f"{pointer}/url")
    if element.get("style") not in (None, "primary", "danger"):
        problems.add(f"must be a valid enum value: {element['style']}", f"{pointer}/style")


def _select(element: JsonObject, pointer: str, problems: Problems) -> None:
    if "placeholder" in element:
        problems.text(element["placeholder"], 150, f"{pointer}/placeholder")
    if element["type"].endswith("static_select"):
        if "option_groups" in element:
            for index, group in enumerate(problems.items(element["option_groups"], 1, 100, f"{pointer}/option_groups")):
                place = f"{pointer}/option_groups/{index}"
                if not isinstance(group, Mapping):
                    problems.add("must provide an object", place)
                    continue
                problems.text(group.get("label"), 75, f"{place}/label")
                _options(group.get("options"), 100, f"{place}/options", problems)
        elif problems.needs(element, "options", pointer):
            _options(element["options"], 100, f"{pointer}/options", problems)


def _overflow(element: JsonObject, pointer: str, problems: Problems) -> None:
    _options(element.get("options"), 5, f"{pointer}/options", problems)


def _choices(element: JsonObject, pointer: str, problems: Problems) -> None:
    _options(element.get("options"), 10, f"{pointer}/options", problems, plain=False)


def _input_text(element: JsonObject, pointer: str, problems: Problems) -> None:
    if "placeholder" in element:
        problems.text(element["placeholder"], 150, f"{pointer}/placeholder")
    maximum = element.get("max_length")
    if maximum is not None and not (isinstance(maximum, int) and 1 <= maximum <= 3000):
        problems.add("must be between 1 and 3000", f"{pointer}/max_length")
    if len(str(element.get("initial_value", ""))) > 3000:
        problems.add("must be less than 3001 characters", f"{pointer}/initial_value")


def _image(element: JsonObject, pointer: str, problems: Problems) -> None:
    if "image_url" not in element and "slack_file" not in element:
        problems.add("missing required field: image_url", pointer)
    if "image_url" in element:
        problems.length(element["image_url"], 3000, f"{pointer}/image_url")
    problems.length(element.get("alt_text"), 2000, f"{pointer}/alt_text")


def _any(element: JsonObject, pointer: str, problems: Problems) -> None:
    """Elements whose inside is not checked further."""


_SELECTS = [
    f"{many}{kind}_select"
    for many in ("", "multi_")
    for kind in ("static", "external", "users", "conversations", "channels")
]
ELEMENTS: dict[str, Callable[[JsonObject, str, Problems], None]] = {
    "button": _button,
    "overflow": _overflow,
    "checkboxes": _choices,
    "radio_buttons": _choices,
    "image": _image,
    "plain_text_input": _input_text,
    "rich_text_input": _any,
    "datepicker": _any,
    "timepicker": _any,
    "datetimepicker": _any,
    "number_input": _any,
    "email_text_input": _any,
    "url_text_input": _any,
    "file_input": _any,
    **dict.fromkeys(_SELECTS, _select),
}
_INPUT_ONLY = {"plain_text_input", "rich_text_input", "number_input", "email_text_input", "url_text_input"} | {
    "file_input"
}
IN_ACTIONS = set(ELEMENTS) - _INPUT_ONLY - {"image"} - {kind for kind in _SELECTS if kind.startswith("multi_")}
IN_SECTION = set(ELEMENTS) - _INPUT_ONLY
IN_INPUT = set(ELEMENTS) - {"button", "overflow", "image"}


def _element(element: object, allowed: set[str], pointer: str, seen: set[str], problems: Problems) -> None:
    if not isinstance(element, Mapping):
        problems.add("must provide an object", pointer)
        return
    kind = str(element.get("type"))
    if kind not in allowed:
        problems.add(f"unsupported type: {kind}", f"{pointer}/type")
        return
    _identity(element, "action_id", pointer, seen, problems)
    _confirm(element, pointer, problems)
    ELEMENTS[kind](element, pointer, problems)


def _section(block: JsonObject, pointer: str, problems: Problems) -> None:
    if "text" not in block and "fields" not in block:
        problems.add("missing required field: text", pointer)
    if "text" in block:
        problems.text(block["text"], 3000, f"{pointer}/text", plain=False)
    if "fields" in block:
        for index, item in enumerate(problems.items(block["fields"], 1, 10, f"{pointer}/fields")):
            problems.text(item, 2000, f"{pointer}/fields/{index}", plain=False)
    if "accessory" in block:
        _element(block["accessory"], IN_SECTION, f"{pointer}/accessory", set(), problems)


def _actions(block: JsonObject, pointer: str, problems: Problems) -> None:
    seen: set[str] = set()
    for index, element in enumerate(problems.items(block.get("elements"), 1, 25, f"{pointer}/elements")):
        _element(element, IN_ACTIONS, f"{pointer}/elements/{index}", seen, problems)


def _context(block: JsonObject, pointer: str, problems: Problems) -> None:
    for index, element in enumerate(problems.items(block.get("elements"), 1, 10, f"{pointer}/elements")):
        place = f"{pointer}/elements/{index}"
        if isinstance(element, Mapping) and element.get("type") == "image":
            _image(element, place, problems)
        else:
            problems.text(element, 3000, place, plain=False)


def _header(block: JsonObject, pointer: str, problems: Problems) -> None:
    problems.text(block.get("text"), 150, f"{pointer}/text")


def _input(block: JsonObject, pointer: str, problems: Problems) -> None:
    problems.text(block.get("label"), 2000, f"{pointer}/label")
    if "hint" in block:
        problems.text(block["hint"], 2000, f"{pointer}/hint")
    if problems.needs(block, "element", pointer):
        _element(block["element"], IN_INPUT, f"{pointer}/element", set(), problems)


def _image_block(block: JsonObject, pointer: str, problems: Problems) -> None:
    _image(block, pointer, problems)
    if "title" in block:
        problems.text(block["title"], 2000, f"{pointer}/title")


def _markdown(block: JsonObject, pointer: str, problems: Problems) -> None:
    problems.length(block.get("text"), 12_000, f"{pointer}/text")


def _rich_text(block: JsonObject, pointer: str, problems: Problems) -> None:
    problems.items(block.get("elements"), 0, 1000, f"{pointer}/elements")


BLOCKS: dict[str, Callable[[JsonObject, str, Problems], None]] = {
    "section": _section,
    "actions": _actions,
    "context": _context,
    "header": _header,
    "divider": _any,
    "input": _input,
    "image": _image_block,
    "markdown": _markdown,
    "rich_text": _rich_text,
    "file": _any,
    "video": _any,
}


def check_blocks(blocks: object, pointer: str = "/blocks", maximum: int = MESSAGE_BLOCKS) -> list[str]:
    """Everything Slack would complain about in a list of blocks; empty when it would take them."""
    problems = Problems()
    seen: set[str] = set()
    for index, block in enumerate(problems.items(blocks, 0, maximum, pointer)):
        place = f"{pointer}/{index}"
        if not isinstance(block, Mapping):
            problems.add("must provide an object", place)
            continue
        kind = str(block.get("type"))
        if kind not in BLOCKS or (kind in ("file", "markdown") and maximum == VIEW_BLOCKS):
            problems.add(f"unsupported type: {kind}", f"{place}/type")
            continue
        _identity(block, "block_id", place, seen, problems)
        BLOCKS[kind](block, place, problems)
    return problems.found


def check_view(view: object) -> list[str]:
    """The same for a modal or a home tab."""
    problems = Problems()
    if not isinstance(view, Mapping):
        return ["must provide an object [json-pointer:/view]"]
    kind = view.get("type")
    if kind not in ("modal", "home"):
        problems.add(f"unsupported type: {kind}", "/view/type")
    for name in ("title", "submit", "close"):
        if name in view or (name == "title" and kind == "modal"):
            problems.text(view.get(name), 24, f"/view/{name}")
    if len(str(view.get("private_metadata") or "")) > 3000:
        problems.add("must be less than 3001 characters", "/view/private_metadata")
    for name in ("callback_id", "external_id"):
        if view.get(name):
            problems.length(view[name], ID_LENGTH, f"/view/{name}")
    blocks = view.get("blocks")
    if kind == "modal" and "submit" not in view and isinstance(blocks, list):
        for index, block in enumerate(blocks):
            if isinstance(block, Mapping) and block.get("type") == "input":
                problems.add("must define `submit` to use an `input` block in modals", f"/view/blocks/{index}/input")
    return problems.found + check_blocks(blocks, "/view/blocks", VIEW_BLOCKS)


def characters(value: object) -> int:
    """Characters of all texts in blocks, the figure that the undocumented message limit counts."""
    if isinstance(value, Mapping):
        own = len(value["text"]) if isinstance(value.get("text"), str) else 0
        return own + sum(characters(item) for item in value.values() if not isinstance(item, str))
    if isinstance(value, list):
        return sum(characters(item) for item in value)
    return 0


def visible_text(value: object) -> str:
    """All text a reader sees in blocks, one piece a line: what tests compare."""
    if isinstance(value, list):
        return "\n".join(filter(None, (visible_text(item) for item in value)))
    if not isinstance(value, Mapping):
        return ""
    pieces: list[str] = []
    for name, item in value.items():
        if name in ("text", "alt_text") and isinstance(item, str):
            pieces.append(item)
        elif name != "metadata" and not isinstance(item, str):
            pieces.append(visible_text(item))
    return "\n".join(filter(None, pieces))


def find_elements(blocks: object) -> list[dict[str, Any]]:
    """Every interactive element of blocks, with the ``block_id`` of its block added as ``_block_id``."""
    found: list[dict[str, Any]] = []
    for block in blocks if isinstance(blocks, list) else []:
        candidates = [block.get("accessory"), block.get("element"), *(block.get("elements") or [])]
        for element in candidates:
            if isinstance(element, Mapping) and "action_id" in element:
                found.append({**element, "_block_id": block.get("block_id", "")})
    return found
