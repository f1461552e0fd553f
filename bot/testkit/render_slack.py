"""Slack messages, modals and home tabs as HTML that looks like Slack's light theme, for pictures in the guide."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bot.testkit.pictures import escape, image, page
from bot.testkit.slack_text import markdown, mrkdwn, plain

JsonObject = Mapping[str, Any]
Names = Mapping[str, str]

CSS = """
.shot{background:#fff;color:#1d1c1d;font-size:15px;line-height:1.46;padding:12px 0}
.message{display:flex;gap:8px;padding:8px 20px}
.avatar{flex:none;width:36px;height:36px;border-radius:6px;background:#b5322b;color:#fff;font-size:18px;
display:grid;place-items:center}
.body{flex:1;min-width:0;overflow-wrap:anywhere}
.author{font-weight:900}.badge{font-size:10px;font-weight:700;background:#e8e8e8;color:#616061;border-radius:2px;
padding:1px 4px;margin-left:4px;vertical-align:2px}.time{font-size:12px;color:#616061;margin-left:8px}
.block{margin:4px 0 8px}.header{font-size:18px;font-weight:900;margin:8px 0 4px}
.section{display:flex;gap:16px;justify-content:space-between}.section>.text{flex:1;min-width:0;white-space:pre-wrap}
.fields{display:grid;grid-template-columns:1fr 1fr;gap:8px 16px;margin-top:4px}
.context{display:flex;flex-wrap:wrap;gap:4px 8px;align-items:center;font-size:13px;color:#616061}
.icon{width:20px;height:20px;border-radius:2px}.thumb{width:88px;height:88px;border-radius:8px;object-fit:cover}
.picture{max-width:360px;border-radius:8px;border:1px solid #ddd;display:block}
.missing{display:inline-grid;place-items:center;background:#f4f4f4;border:1px dashed #bbb;color:#616061;
font-size:12px;padding:8px}
hr{border:0;border-top:1px solid #ddd;margin:12px 0}
.actions{display:flex;flex-wrap:wrap;gap:8px}
.button,.select{display:inline-flex;align-items:center;height:32px;padding:0 12px;border:1px solid #bbb;
border-radius:8px;background:#fff;color:#1d1c1d;font-size:13px;font-weight:700;white-space:nowrap}
.button.primary{background:#007a5a;border-color:#007a5a;color:#fff}
.button.danger{background:#fff;border-color:#e01e5a;color:#e01e5a}
.message .button.danger{background:#e01e5a;color:#fff}
.select{font-weight:400;gap:24px}.select::after{content:"⌄";color:#616061}
.choice{display:block;font-size:13px}.choice::before{content:"☐ "}.choice.round::before{content:"○ "}
blockquote{margin:2px 0;padding-left:12px;border-left:4px solid #ddd}
pre,code{font-family:ui-monospace,'Noto Sans Mono CJK SC',monospace;font-size:12px;border:1px solid #ddd;
background:#f8f8f8;border-radius:3px}pre{padding:8px;margin:4px 0;white-space:pre-wrap}
code{padding:2px 3px;color:#c01343}.link{color:#1264a3;text-decoration:none}
.mention{background:#e8f5fa;color:#1264a3;border-radius:3px;padding:0 2px}.mention.all{background:#fdf2d1}
h4{margin:6px 0 2px;font-size:16px}p{margin:0 0 4px}.item{padding-left:12px}
.files{border:1px solid #ddd;border-radius:8px;padding:8px 12px;display:inline-block;margin:4px 0;font-weight:700}
.replies{border-left:2px solid #ddd;margin-left:12px}
.only{color:#616061;font-size:12px}
.modal{margin:12px auto;width:520px;border:1px solid #ddd;border-radius:10px;box-shadow:0 8px 24px #0003}
.modal>.title{font-size:20px;font-weight:900;padding:16px 24px;border-bottom:1px solid #eee}
.modal>.inside{padding:12px 24px}.modal>.foot{display:flex;justify-content:flex-end;gap:8px;padding:12px 24px;
border-top:1px solid #eee}.home{padding:8px 24px}
.label{font-weight:700;margin-bottom:4px}.hint{font-size:12px;color:#616061}
.field{border:1px solid #bbb;border-radius:8px;padding:6px 10px;color:#616061;min-height:34px}
.field.tall{min-height:90px}.field.filled{color:#1d1c1d}
"""


def render_message(
    blocks: Sequence[JsonObject],
    *,
    text: str = "",
    author: str = "Fengbo",
    avatar: str = "风",
    badge: str = "APP",
    time: str = "",
    files: Sequence[JsonObject] = (),
    only_you: str = "",
    names: Names | None = None,
) -> str:
    """One message as a snippet. ``text`` shows where there are no blocks; ``names`` maps ids to shown names;
    ``only_you`` is the grey line over an ephemeral message."""
    names = names or {}
    shown = render_blocks(blocks, names) if blocks else f'<div class="block">{mrkdwn(text, names)}</div>'
    attached = "".join(f'<div class="files">{escape(file.get("title") or file.get("name"))}</div>' for file in files)
    above = f'<div class="only">{escape(only_you)}</div>' if only_you else ""
    head = f'<span class="author">{escape(author)}</span>'
    head += f'<span class="badge">{escape(badge)}</span>' if badge else ""
    head += f'<span class="time">{escape(time)}</span>' if time else ""
    return (
        f'<article class="message"><div class="avatar">{escape(avatar)}</div>'
        f'<div class="body">{above}<div>{head}</div>{shown}{attached}</div></article>'
    )


def render_view(view: JsonObject, names: Names | None = None) -> str:
    """A modal or a home tab as a snippet."""
    inside = render_blocks(view.get("blocks") or [], names or {})
    if view.get("type") == "home":
        return f'<section class="home">{inside}</section>'
    foot = "".join(
        f'<span class="button {css}">{plain(view[name].get("text"))}</span>'
        for name, css in (("close", ""), ("submit", "primary"))
        if view.get(name)
    )
    title = plain((view.get("title") or {}).get("text"))
    return (
        f'<section class="modal"><div class="title">{title}</div><div class="inside">{inside}</div>'
        f'<div class="foot">{foot}</div></section>'
    )


def render_page(*snippets: str, width: int = 680, language: str = "zh-CN") -> str:
    """Snippets under one another as a document that needs nothing else."""
    return page("".join(snippets), CSS, width, language)


def replies(*snippets: str) -> str:
    """Messages of a thread, set in under their root."""
    return f'<div class="replies">{"".join(snippets)}</div>'


def render_blocks(blocks: Sequence[JsonObject], names: Names) -> str:
    shown = []
    for block in blocks:
        draw = _BLOCKS.get(str(block.get("type")))
        inside = draw(block, names) if draw else escape(f"[{block.get('type')}]")
        shown.append(f'<div class="block">{inside}</div>')
    return "".join(shown)


def _text(value: Any, names: Names) -> str:
    if not isinstance(value, Mapping):
        return ""
    if value.get("type") == "mrkdwn":
        return mrkdwn(value.get("text"), names)
    return plain(value.get("text"), emoji=value.get("emoji", True) is not False)


def _section(block: JsonObject, names: Names) -> str:
    inside = _text(block.get("text"), names)
    if fields := block.get("fields"):
        inside += f'<div class="fields">{"".join(f"<div>{_text(item, names)}</div>" for item in fields)}</div>'
    accessory = block.get("accessory")
    beside = f"<div>{_element(accessory, names)}</div>" if accessory else ""
    return f'<div class="section"><div class="text">{inside}</div>{beside}</div>'


def _context(block: JsonObject, names: Names) -> str:
    shown = [
        image(element.get("image_url"), element.get("alt_text"), "icon")
        if element.get("type") == "image"
        else f"<span>{_text(element, names)}</span>"
        for element in block.get("elements") or []
    ]
    return f'<div class="context">{"".join(shown)}</div>'


def _actions(block: JsonObject, names: Names) -> str:
    shown = "".join(_element(element, names) for element in block.get("elements") or [])
    return f'<div class="actions">{shown}</div>'


def _image(block: JsonObject, names: Names) -> str:
    title = f"<div>{_text(block.get('title'), names)}</div>" if block.get("title") else ""
    return title + image(block.get("image_url"), block.get("alt_text"), "picture")


def _input(block: JsonObject, names: Names) -> str:
    label = f'<div class="label">{_text(block.get("label"), names)}</div>'
    hint = f'<div class="hint">{_text(block.get("hint"), names)}</div>' if block.get("hint") else ""
    return label + _element(block.get("element") or {}, names) + hint


def _rich_text(block: JsonObject, names: Names) -> str:
    shown = []
    for part in block.get("elements") or []:
        pieces = [_rich_piece(piece, names) for piece in part.get("elements") or []]
        if part.get("type") == "rich_text_list":
            shown += [f'<div class="item">• {piece}</div>' for piece in pieces]
        elif part.get("type") == "rich_text_quote":
            shown.append(f"<blockquote>{''.join(pieces)}</blockquote>")
        elif part.get("type") == "rich_text_preformatted":
            shown.append(f"<pre>{''.join(pieces)}</pre>")
        else:
            shown.append(f"<p>{''.join(pieces)}</p>")
    return "".join(shown)


def _rich_piece(piece: JsonObject, names: Names) -> str:
    kind = piece.get("type")
    if kind == "rich_text_section":
        return "".join(_rich_piece(inner, names) for inner in piece.get("elements") or [])
    if kind == "user":
        return mrkdwn(f"<@{piece.get('user_id')}>", names)
    if kind == "emoji":
        return plain(f":{piece.get('name')}:")
    text = escape(piece.get("text") or piece.get("url")).replace("\n", "<br>")
    style = piece.get("style") or {}
    for name, tag in (("bold", "b"), ("italic", "i"), ("strike", "s"), ("code", "code")):
        text = f"<{tag}>{text}</{tag}>" if style.get(name) else text
    return text


def _element(element: JsonObject, names: Names) -> str:
    kind = str(element.get("type"))
    if kind == "button":
        style = element.get("style") if element.get("style") in ("primary", "danger") else ""
        return f'<span class="button {style}">{_text(element.get("text"), names)}</span>'
    if kind == "image":
        return image(element.get("image_url"), element.get("alt_text"), "thumb")
    if kind == "overflow":
        return '<span class="button">⋯</span>'
    if kind in ("checkboxes", "radio_buttons"):
        css = "choice round" if kind == "radio_buttons" else "choice"
        options = element.get("options") or []
        return "".join(f'<span class="{css}">{_text(option.get("text"), names)}</span>' for option in options)
    if kind.endswith("_input"):
        value, shape = element.get("initial_value"), "tall" if element.get("multiline") else ""
        inside = escape(value) if value else _text(element.get("placeholder"), names)
        return f'<div class="field {shape} {"filled" if value else ""}">{inside}</div>'
    chosen = (element.get("initial_option") or {}).get("text") or element.get("placeholder")
    date = element.get("initial_date") or element.get("initial_time")
    return f'<span class="select">{escape(date) if date else _text(chosen, names)}</span>'


_BLOCKS: dict[str, Callable[[JsonObject, Names], str]] = {
    "section": _section,
    "context": _context,
    "actions": _actions,
    "image": _image,
    "input": _input,
    "rich_text": _rich_text,
    "header": lambda block, names: f'<div class="header">{_text(block.get("text"), names)}</div>',
    "divider": lambda block, names: "<hr>",
    "markdown": lambda block, names: markdown(block.get("text")),
}
