"""Modals for forms, and the home tab."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.chat.slack import limits, pieces
from bot.chat.slack.limits import block, measure, shorten, units
from bot.chat.slack.pieces import Block
from bot.chat.slack.render import SlackMessage
from bot.chat.slack.safe import clean
from bot.model.card import Form, FormField
from bot.model.text import Text
from bot.texts import render as words

FORM_CALLBACK = "fengbo_form"
_VIEW_BYTES = 200_000


@dataclass(frozen=True, slots=True)
class FormContext:
    """What a submission must know of the press that opened the form: kept in the view, signed by Slack's delivery."""

    command: str
    form: str = ""
    channel: str = ""
    anchor: str = ""
    thread_ts: str = ""
    private: bool = False
    response_url: str = ""

    def to_metadata(self) -> str:
        """Compact JSON; the response URL is left out where it does not fit (an ephemeral message serves as well)."""
        data = {name: getattr(self, name) for name in self.__slots__ if getattr(self, name)}
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        if units(text) > limits.PRIVATE_METADATA:
            data.pop("response_url", None)
            text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        return text

    @classmethod
    def from_metadata(cls, text: str) -> "FormContext":
        """Raises ``ValueError`` for anything this class did not write."""
        data = json.loads(text)
        if not isinstance(data, dict) or not isinstance(data.get("command"), str):
            raise ValueError("not the metadata of a form")
        return cls(**{name: data[name] for name in cls.__slots__ if name in data})


def modal(form: Form, context: FormContext, language: str) -> dict[str, Any]:
    """A form as a modal view."""
    title = clean(form.title) or limits.ELLIPSIS
    short = shorten(title, limits.VIEW_TITLE)
    blocks: list[Block] = pieces.paragraph(title, strong=True) if short != title else []
    blocks.extend(_input(field, language) for field in form.fields)
    submit = form.submit or words(Text("slack.form.submit"), language)
    cancel = form.cancel or words(Text("slack.form.cancel"), language)
    view: dict[str, Any] = {
        "type": "modal",
        "callback_id": FORM_CALLBACK,
        "title": pieces.plain(short),
        "submit": pieces.plain(shorten(submit, limits.VIEW_TITLE)),
        "close": pieces.plain(shorten(cancel, limits.VIEW_TITLE)),
        "private_metadata": context.to_metadata(),
        "blocks": blocks or pieces.paragraph(title),
    }
    return view


def _input(field: FormField, language: str) -> Block:
    label = clean(field.label).strip() or field.name
    short = shorten(label, limits.FIELD)
    element = _element(field, language)
    return block(
        "input",
        block_id=f"field:{field.name}",
        label=pieces.plain(short),
        element={**element, "action_id": field.name},
        optional=not field.required,
    )


def _element(field: FormField, language: str) -> Block:
    hint = clean(field.placeholder).strip()
    placeholder = {"placeholder": pieces.plain(shorten(hint, limits.PLACEHOLDER))} if hint else {}
    if field.kind == "person":
        chosen = field.initial.lstrip("@")
        initial = {"initial_user": chosen} if chosen[:1] in ("U", "W") and chosen.isalnum() and chosen.isupper() else {}
        return {"type": "users_select", **placeholder, **initial}
    if field.kind == "choice" and _fit_a_menu(field):
        return {"type": "static_select", **placeholder, **_menu(field)}
    text: Block = {"type": "plain_text_input", "multiline": field.kind == "multiline", **placeholder}
    if initial_text := clean(field.initial):
        text["initial_value"] = shorten(initial_text, limits.SECTION)
    return text


def _fit_a_menu(field: FormField) -> bool:
    """Menus hold 100 groups of 100 options with short values; anything else is typed."""
    fits = all(0 < units(value) <= limits.OPTION_VALUE for value, _ in field.options)
    return fits and 0 < len(field.options) <= limits.OPTIONS * limits.OPTIONS


def _menu(field: FormField) -> Block:
    options = [_option(value, label) for value, label in field.options]
    menu: Block = {"options": options}
    if len(options) > limits.OPTIONS:
        groups = [options[start : start + limits.OPTIONS] for start in range(0, len(options), limits.OPTIONS)]
        menu = {
            "option_groups": [
                {"label": pieces.plain(f"{index * limits.OPTIONS + 1} –"), "options": group}
                for index, group in enumerate(groups)
            ]
        }
    if initial := next((option for option in options if option["value"] == field.initial), None):
        menu["initial_option"] = initial
    return menu


def _option(value: str, label: str) -> Block:
    return {"text": pieces.plain(shorten(clean(label).strip() or value, limits.OPTION_LABEL)), "value": value}


def read_fields(view: Mapping[str, Any]) -> dict[str, str]:
    """What was filled in, by field name; members as ``@U…``, empty fields left out."""
    fields: dict[str, str] = {}
    values = (view.get("state") or {}).get("values") or {}
    for inputs in values.values():
        for name, state in inputs.items():
            option = state.get("selected_option") or {}
            user = state.get("selected_user")
            value = state.get("value") or option.get("value") or (f"@{user}" if user else "")
            if value:
                fields[name] = str(value)
    return fields


def home_view(pages: list[SlackMessage], language: str) -> dict[str, Any]:
    """A home tab of everything the pages show, as far as a view holds it; what is left out is said."""
    blocks: list[Block] = []
    note = words(Text("slack.home.more"), language)
    for one in (dict(one) for page in pages for one in page.blocks):
        if len(blocks) == limits.VIEW_BLOCKS - 1 or measure(blocks) + measure(one) > _VIEW_BYTES // 4:
            blocks.append(block("context", elements=[pieces.plain(note)]))
            break
        blocks.append(one)
    return {"type": "home", "blocks": blocks or pieces.paragraph(pages[0].text if pages else note)}
