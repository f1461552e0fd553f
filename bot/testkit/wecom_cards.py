"""Template cards and plain messages as WeCom checks them (developer pages 90236 for apps, 91770 for group robots).

Where the page says "at most", a wrong value is refused; where it only advises ("建议不超过"), the client cuts the
text on the screen, which is reported as advice so that a test can insist on none.
"""

import re
from collections.abc import Mapping
from typing import Any

JsonObject = Mapping[str, Any]

INTERACTIVE = ("button_interaction", "vote_interaction", "multiple_interaction")
NOTICES = ("text_notice", "news_notice")
TASK_ID = re.compile(r"[0-9A-Za-z_@-]{1,128}")
KEY_BYTES = 1024
APP_TEXT_BYTES = 2048
ROBOT_MARKDOWN_BYTES = 4096
# Characters shown: what the page advises for app messages.
ADVISED = {
    ("source", "desc"): 20,
    ("main_title", "title"): 36,
    ("main_title", "desc"): 44,
    ("emphasis_content", "title"): 14,
    ("emphasis_content", "desc"): 22,
}
SUB_TITLE = 160
LISTS = {"horizontal_content_list": 6, "jump_list": 3, "vertical_content_list": 4}
LIST_ADVISED = {
    ("horizontal_content_list", "keyname"): 5,
    ("horizontal_content_list", "value"): 30,
    ("jump_list", "title"): 18,
    ("vertical_content_list", "title"): 38,
    ("vertical_content_list", "desc"): 160,
    ("button_list", "text"): 10,
}


class WeComError(Exception):
    """An answer with an errcode other than 0."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message


def bad(message: str) -> WeComError:
    """40058: a wrong parameter, with the sentence that says which."""
    return WeComError(40058, f"{message}. invalid Request Parameter")


def size(text: object) -> int:
    return len(str(text or "").encode())


def is_interactive(card: JsonObject) -> bool:
    """Whether sending it gives a ``response_code``."""
    return card.get("card_type") in INTERACTIVE or "action_menu" in card


def check_card(card: object, used_task_ids: set[str], *, robot: bool = False, update: bool = False) -> list[str]:
    """Refuse what WeCom refuses (``WeComError``) and return what its client would cut on the screen."""
    if not isinstance(card, Mapping):
        raise bad("template_card missing")
    kind = card.get("card_type")
    if kind not in NOTICES + INTERACTIVE or (robot and kind not in NOTICES):
        raise bad(f"template_card.card_type {kind} not supported")
    title = (card.get("main_title") or {}).get("title")
    if not title and not (kind == "text_notice" and card.get("sub_title_text")):
        raise bad("template_card.main_title.title and sub_title_text both empty")
    if is_interactive(card) and not (update and "task_id" not in card):
        _check_task_id(card.get("task_id"), set() if update else used_task_ids)
    if kind in NOTICES:
        _check_action(card.get("card_action"))
    if kind == "news_notice" and not (card.get("card_image") or card.get("image_text_area")):
        raise bad("template_card.card_image missing")
    if kind == "button_interaction":
        _check_buttons(card.get("button_list"))
    if kind in ("vote_interaction", "multiple_interaction"):
        _check_choices(card)
    if "action_menu" in card:
        _check_keys(card["action_menu"].get("action_list"), 1, 3, "action_menu.action_list")
    for name, longest in LISTS.items():
        items = card.get(name) or []
        if not isinstance(items, list) or len(items) > longest:
            raise bad(f"template_card.{name} more than {longest}")
        for item in items:
            _check_link(item, name)
    return advice(card)


def _check_task_id(task_id: object, used: set[str]) -> None:
    if not isinstance(task_id, str) or not TASK_ID.fullmatch(task_id):
        raise WeComError(42014, "invalid task_id")
    if task_id in used:
        # No page names a code for a task_id that was used before; 42014 is the one for a wrong task_id.
        raise WeComError(42014, "task_id already used")


def _check_action(action: object) -> None:
    if not isinstance(action, Mapping) or action.get("type") not in (1, 2):
        raise bad("template_card.card_action.type must be 1 or 2")
    wanted = "url" if action["type"] == 1 else "appid"
    if not action.get(wanted):
        raise bad(f"template_card.card_action.{wanted} missing")


def _check_link(item: JsonObject, name: str) -> None:
    required = {"horizontal_content_list": "keyname", "jump_list": "title", "vertical_content_list": "title"}[name]
    if not item.get(required):
        raise bad(f"template_card.{name}.{required} missing")
    if item.get("type") == 1 and not item.get("url"):
        raise bad(f"template_card.{name}.url missing")


def _check_keys(items: object, fewest: int, most: int, name: str) -> None:
    if not isinstance(items, list) or not fewest <= len(items) <= most:
        raise bad(f"template_card.{name} must have {fewest} to {most} items")
    seen: set[str] = set()
    for item in items:
        key = item.get("key", item.get("id"))
        if not key:
            raise WeComError(42019, "missing key")
        if size(key) > KEY_BYTES or key in seen:
            raise WeComError(42018, "invalid key")
        if not item.get("text"):
            raise WeComError(42020, "missing button name")
        seen.add(str(key))


def _check_buttons(buttons: object) -> None:
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= 6:
        raise bad("template_card.button_list must have 1 to 6 items")
    # A button of type 1 opens its url and has no key.
    for button in buttons:
        if button.get("type") == 1 and not button.get("url"):
            raise bad("template_card.button_list.url missing")
    callbacks = [button for button in buttons if button.get("type") != 1]
    _check_keys(callbacks, 0, 6, "button_list")


def _check_choices(card: JsonObject) -> None:
    submit = card.get("submit_button") or {}
    if not submit.get("text") or not submit.get("key"):
        raise bad("template_card.submit_button missing")
    if card["card_type"] == "vote_interaction":
        box = card.get("checkbox") or {}
        if not box.get("question_key"):
            raise bad("template_card.checkbox.question_key missing")
        _check_keys(box.get("option_list"), 1, 20, "checkbox.option_list")
        return
    selects = card.get("select_list")
    if not isinstance(selects, list) or not 1 <= len(selects) <= 3:
        raise bad("template_card.select_list must have 1 to 3 items")
    for select in selects:
        _check_keys(select.get("option_list"), 1, 10, "select_list.option_list")


def advice(card: JsonObject) -> list[str]:
    """Texts longer than the client shows, one sentence each."""
    found = []
    for (part, name), longest in ADVISED.items():
        text = (card.get(part) or {}).get(name) or ""
        if len(text) > longest:
            found.append(f"{part}.{name}: {len(text)} characters, about {longest} are shown")
    if len(card.get("sub_title_text") or "") > SUB_TITLE:
        found.append(f"sub_title_text: {len(card['sub_title_text'])} characters, about {SUB_TITLE} are shown")
    for (part, name), longest in LIST_ADVISED.items():
        for index, item in enumerate(card.get(part) or []):
            if len(str(item.get(name) or "")) > longest:
                found.append(f"{part}[{index}].{name}: {len(item[name])} characters, about {longest} are shown")
    return found


def cut(text: str, limit: int) -> str:
    """The text as WeCom cuts it: at most ``limit`` bytes, no half character."""
    return text.encode()[:limit].decode(errors="ignore")


def card_text(card: JsonObject) -> str:
    """Everything a reader sees on a card, one piece a line."""
    pieces: list[str] = []
    for name in ("source", "main_title", "emphasis_content", "quote_area"):
        part = card.get(name) or {}
        pieces += [str(part[key]) for key in ("desc", "title", "quote_text") if name != "source" and part.get(key)]
    if card.get("sub_title_text"):
        pieces.append(str(card["sub_title_text"]))
    for name in LISTS:
        for item in card.get(name) or []:
            pieces.append(" ".join(str(item[key]) for key in ("keyname", "value", "title", "desc") if item.get(key)))
    pieces += [str(button.get("text")) for button in card.get("button_list") or []]
    return "\n".join(pieces)
