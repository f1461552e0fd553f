"""WeCom template cards, markdown and text as HTML that looks like its client, for pictures in the guide."""

import re
from collections.abc import Mapping
from typing import Any

from bot.testkit.pictures import escape, image, link, page

JsonObject = Mapping[str, Any]

CSS = """
.shot{background:#ededed;color:#1c1c1e;font-size:15px;line-height:1.5;padding:16px}
.said{display:flex;gap:10px;margin:0 0 14px}
.avatar{flex:none;width:38px;height:38px;border-radius:6px;background:#b5322b;color:#fff;font-size:19px;
display:grid;place-items:center}
.side{min-width:0;flex:1}.name{font-size:12px;color:#8a8a8e;margin-bottom:3px}
.bubble,.card{background:#fff;border-radius:6px;overflow-wrap:anywhere}
.bubble{display:inline-block;max-width:100%;padding:9px 12px;white-space:pre-wrap}
.said.mine{flex-direction:row-reverse;text-align:right}.said.mine .bubble{background:#c9e7ff;text-align:left}
.card{width:380px;max-width:100%;padding:14px 16px 0;box-shadow:0 1px 2px #0001}
.card>*:last-child{padding-bottom:14px}
.source{display:flex;align-items:center;gap:6px;font-size:12px;color:#8a8a8e;margin-bottom:8px}
.source img{width:16px;height:16px}.c1{color:#1c1c1e}.c2{color:#e5484d}.c3{color:#2aa745}
.more{float:right;color:#8a8a8e;letter-spacing:1px}
.title{font-size:17px;font-weight:600;line-height:1.4}.desc{color:#6b6b70;font-size:14px;margin-top:3px}
.big{text-align:center;padding:14px 0 6px}.big b{font-size:30px;font-weight:600;display:block;line-height:1.2}
.big span{color:#8a8a8e;font-size:13px}
.quote{background:#f4f5f7;border-radius:4px;padding:8px 10px;margin-top:10px;font-size:13px;color:#6b6b70}
.quote b{display:block;color:#1c1c1e}
.sub{margin-top:8px;color:#3c3c43;font-size:14px;white-space:pre-wrap}
.rows{margin-top:10px;font-size:14px}.rows div{display:flex;gap:10px;padding:2px 0}
.rows dt,.key{flex:none;min-width:68px;color:#8a8a8e}.rows dd,.value{margin:0;color:#1c1c1e}
.cover{display:block;width:100%;border-radius:4px;margin:0 0 10px}
.missing{background:#f4f5f7;color:#8a8a8e;padding:20px;text-align:center}
.above{margin-top:8px}.above b{display:block}
.jumps{margin-top:10px;border-top:1px solid #eee}.jumps div{display:flex;justify-content:space-between;
padding:9px 0;border-bottom:1px solid #eee;font-size:14px}.jumps div:last-child{border-bottom:0}
.jumps div::after{content:"›";color:#b5b5ba}
.buttons{display:grid;grid-template-columns:1fr 1fr;gap:8px;margin-top:14px}
.buttons.one{grid-template-columns:1fr}
.button{text-align:center;border-radius:5px;padding:7px 6px;font-size:15px;background:#f2f3f5;color:#1c1c1e}
.button.s1{background:#267ef0;color:#fff}.button.s2{color:#267ef0}.button.s3{color:#e5484d}
.button.s4{color:#3c3c43}.button.off{background:#f7f7f8;color:#b5b5ba;grid-column:1/-1}
.choice{padding:6px 0;font-size:14px}.choice::before{content:"○";color:#b5b5ba;margin-right:8px}
.choice.many::before{content:"☐"}.choice.on::before{content:"◉";color:#267ef0}
.select{display:flex;justify-content:space-between;padding:8px 0;font-size:14px;border-bottom:1px solid #eee}
.select::after{content:"⌄";color:#8a8a8e}
.link{color:#267ef0;text-decoration:none}
blockquote{margin:4px 0;padding-left:10px;border-left:3px solid #d5d5da;color:#6b6b70}
code{font-family:ui-monospace,'Noto Sans Mono CJK SC',monospace;background:#f2f3f5;border-radius:3px;padding:0 4px;
font-size:13px}.h{font-weight:600}.h1{font-size:19px}.h2{font-size:18px}.h3{font-size:17px}
.info{color:#2aa745}.comment{color:#8a8a8e}.warning{color:#f08a24}.markdown{white-space:normal}
"""
_FONT = re.compile(r'<font color="(info|comment|warning)">(.*?)</font>', re.DOTALL)
_INLINE = re.compile(r"\[([^\]\n]*)\]\(([^()\s]+)\)|`([^`\n]+)`|\*\*(.+?)\*\*|<@([\w.@-]+)>")


def said(inside: str, *, name: str = "", avatar: str = "风", mine: bool = False) -> str:
    """A bubble or card beside the picture of who said it."""
    above = f'<div class="name">{escape(name)}</div>' if name else ""
    css = "said mine" if mine else "said"
    picture = f'<div class="avatar">{escape(avatar)}</div>'
    return f'<article class="{css}">{picture}<div class="side">{above}{inside}</div></article>'


def render_text(content: str) -> str:
    """A text message's bubble; WeCom makes addresses of the web clickable."""
    pieces = re.split(r"(https?://[^\s<>\"'，。；、）】]+)", content)
    shown = [link(piece, escape(piece)) if index % 2 else escape(piece) for index, piece in enumerate(pieces)]
    return f'<div class="bubble">{"".join(shown)}</div>'


def render_markdown(content: str) -> str:
    """The subset of apps and group robots: headings, bold, links, inline code, quotes and three colours."""
    lines = []
    for line in content.split("\n"):
        if heading := re.match(r"(#{1,6})\s+(.*)", line):
            lines.append(f'<div class="h h{len(heading[1])}">{_inline(heading[2])}</div>')
        elif quote := re.match(r">\s?(.*)", line):
            lines.append(f"<blockquote>{_inline(quote[1])}</blockquote>")
        else:
            lines.append(f"<div>{_inline(line) or '&nbsp;'}</div>")
    return f'<div class="bubble markdown">{"".join(lines)}</div>'


def _inline(text: str) -> str:
    shown, end = [], 0
    for found in _FONT.finditer(text):
        shown.append(_marks(text[end : found.start()]))
        shown.append(f'<span class="{found[1]}">{_marks(found[2])}</span>')
        end = found.end()
    return "".join(shown) + _marks(text[end:])


def _marks(text: str) -> str:
    shown, end = [], 0
    for found in _INLINE.finditer(text):
        shown.append(escape(text[end : found.start()]))
        if found[2]:
            shown.append(link(found[2], escape(found[1])))
        elif found[3]:
            shown.append(f"<code>{escape(found[3])}</code>")
        elif found[4]:
            shown.append(f"<b>{_marks(found[4])}</b>")
        else:
            shown.append(f'<span class="link">@{escape(found[5])}</span>')
        end = found.end()
    return "".join(shown) + escape(text[end:])


def render_card(card: JsonObject, *, replaced: str | None = None) -> str:
    """A template card. ``replaced`` shows the buttons greyed out under this name, as after a click."""
    parts = [
        _menu(card),
        _source(card.get("source") or {}),
        _cover(card),
        _titles(card.get("main_title") or {}),
        _emphasis(card.get("emphasis_content") or {}),
        _quote(card.get("quote_area") or {}),
        f'<div class="sub">{escape(card["sub_title_text"])}</div>' if card.get("sub_title_text") else "",
        _vertical(card),
        _horizontal(card),
        _jumps(card),
        _choices(card),
        _buttons(card, replaced),
    ]
    return f'<section class="card">{"".join(parts)}</section>'


def render_page(*snippets: str, width: int = 470, language: str = "zh-CN") -> str:
    """Snippets under one another as a document that needs nothing else."""
    return page("".join(snippets), CSS, width, language)


def _menu(card: JsonObject) -> str:
    return '<span class="more">•••</span>' if card.get("action_menu") else ""


def _source(source: JsonObject) -> str:
    if not source:
        return ""
    icon = image(source["icon_url"], "", "icon") if source.get("icon_url") else ""
    colour = source.get("desc_color") if source.get("desc_color") in (1, 2, 3) else 0
    return f'<div class="source">{icon}<span class="c{colour}">{escape(source.get("desc"))}</span></div>'


def _cover(card: JsonObject) -> str:
    cover = card.get("card_image") or {}
    return image(cover.get("url"), cover.get("url"), "cover") if cover else ""


def _titles(part: JsonObject) -> str:
    desc = f'<div class="desc">{escape(part["desc"])}</div>' if part.get("desc") else ""
    return f'<div class="title">{escape(part["title"])}</div>{desc}' if part.get("title") else desc


def _emphasis(part: JsonObject) -> str:
    if not part:
        return ""
    return f'<div class="big"><b>{escape(part.get("title"))}</b><span>{escape(part.get("desc"))}</span></div>'


def _quote(part: JsonObject) -> str:
    if not part:
        return ""
    title = f"<b>{escape(part['title'])}</b>" if part.get("title") else ""
    return f'<div class="quote">{title}{escape(part.get("quote_text"))}</div>'


def _vertical(card: JsonObject) -> str:
    items = card.get("vertical_content_list") or []
    return "".join(
        f'<div class="above"><b>{escape(item.get("title"))}</b>{escape(item.get("desc"))}</div>' for item in items
    )


def _horizontal(card: JsonObject) -> str:
    rows = ""
    for item in card.get("horizontal_content_list") or []:
        value = escape(item.get("value"))
        value = link(item.get("url"), value) if item.get("type") == 1 else value
        rows += f'<div><span class="key">{escape(item.get("keyname"))}</span><span class="value">{value}</span></div>'
    return f'<div class="rows">{rows}</div>' if rows else ""


def _jumps(card: JsonObject) -> str:
    rows = "".join(
        f"<div>{link(item.get('url'), escape(item.get('title')))}</div>" for item in card.get("jump_list") or []
    )
    return f'<div class="jumps">{rows}</div>' if rows else ""


def _choices(card: JsonObject) -> str:
    shown = ""
    box = card.get("checkbox") or {}
    for option in box.get("option_list") or []:
        css = "choice many" if box.get("mode") == 1 else "choice"
        css += " on" if option.get("is_checked") else ""
        shown += f'<div class="{css}">{escape(option.get("text"))}</div>'
    selects = list(card.get("select_list") or [])
    if card.get("button_selection"):
        selects.append(card["button_selection"])
    for select in selects:
        options = select.get("option_list") or [{}]
        chosen = next((one for one in options if one.get("id") == select.get("selected_id")), options[0])
        key = f'<span class="key">{escape(select.get("title"))}</span>'
        shown += f'<div class="select">{key}{escape(chosen.get("text"))}</div>'
    return shown


def _buttons(card: JsonObject, replaced: str | None) -> str:
    buttons = list(card.get("button_list") or [])
    if card.get("submit_button"):
        buttons.append({"style": 1, **card["submit_button"]})
    if not buttons:
        return ""
    if replaced is not None:
        return f'<div class="buttons"><span class="button off">{escape(replaced)}</span></div>'
    shown = ""
    for button in buttons:
        style = button.get("style") if button.get("style") in (1, 2, 3, 4) else 1
        shown += f'<span class="button s{style}">{escape(button.get("text"))}</span>'
    return f'<div class="buttons{" one" if len(buttons) == 1 else ""}">{shown}</div>'
