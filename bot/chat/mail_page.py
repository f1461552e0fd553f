"""A card as an HTML mail: tables and inline styles only, because that is what mail programs agree on.

Everything that comes from a card is escaped here, in one place.
"""

import html
import re
from urllib.parse import urlsplit

from bot.chat.spoken import spoken
from bot.model.card import Card, Facts, Items, Paragraph, Quote, Section, Whole
from bot.model.grade import Grade
from bot.model.text import Text
from bot.texts import render

_COLOUR = {
    Grade.NONE: "#57606a",
    Grade.BLUE: "#1f6feb",
    Grade.YELLOW: "#b58100",
    Grade.ORANGE: "#d4570a",
    Grade.RED: "#c9252d",
}
_FONT = "font-family:-apple-system,'Segoe UI','PingFang SC','Microsoft YaHei',sans-serif"
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


def clean(text: str) -> str:
    """Text without control characters, invisible marks and reversals of direction; line feeds stay."""
    return _UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def web_address(url: str) -> str:
    """The address if it is one a mail may link to, else empty."""
    try:
        parts = urlsplit(clean(url).strip())
    except ValueError:
        return ""
    return clean(url).strip() if parts.scheme in ("http", "https") and parts.netloc else ""


def page(card: Card, language: str, picture: tuple[str, str] | None = None, *, why: str = "") -> str:
    """The whole mail. ``picture`` is (content id, caption) of a picture that comes with it, ``why`` the last line."""
    colour = _COLOUR[card.grade]
    blocks = [_head(card, colour), *(_section(section, language) for section in card.sections)]
    if picture:
        identity, caption = picture
        blocks.append(
            f'<p style="margin:16px 0"><img src="cid:{_text(identity)}" alt="{_text(caption)}"'
            ' style="max-width:100%;border:1px solid #d0d7de;border-radius:6px"></p>'
        )
    link = web_address(card.link)
    if link:
        blocks.append(
            f'<p style="margin:20px 0"><a href="{_text(link)}" style="display:inline-block;padding:10px 20px;'
            f"background:{colour};color:#ffffff;text-decoration:none;border-radius:6px;font-weight:600"
            f'">{_say("open", language)}</a></p>'
        )
    commands = [spoken(button.command, language) for button in card.buttons if button.command]
    if commands:
        blocks.append(_small(_say("say_in_chat", language, commands=commands)))
    if card.footer:
        blocks.append(_small(_text(card.footer)))
    blocks.append(_small(_text(why) if why else _say("why", language)))
    return (
        f'<!doctype html><html lang="{_text(language)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"></head>'
        f'<body style="margin:0;background:#f6f8fa;color:#1f2328;{_FONT}">'
        '<table role="presentation" width="100%" cellpadding="0" cellspacing="0"><tr><td align="center"'
        ' style="padding:24px 12px"><table role="presentation" width="640" cellpadding="0" cellspacing="0"'
        ' style="max-width:640px;width:100%;background:#ffffff;border:1px solid #d0d7de;border-radius:8px;'
        f'border-top:6px solid {colour}"><tr><td style="padding:24px;font-size:15px;line-height:1.6">'
        f"{''.join(blocks)}</td></tr></table></td></tr></table></body></html>"
    )


def _head(card: Card, colour: str) -> str:
    marks = "".join(
        f'<span style="display:inline-block;padding:2px 10px;margin-right:6px;border-radius:10px;color:#ffffff;'
        f'background:{shade};font-size:13px">{_text(words)}</span>'
        for words, shade in ((card.drill, "#6e40c9"), (card.grade_label, colour))
        if words
    )
    subtitle = f'<p style="margin:4px 0 0;color:#57606a">{_text(card.subtitle)}</p>' if card.subtitle else ""
    title = f'<h1 style="margin:8px 0 0;font-size:20px;line-height:1.4">{_text(card.title)}</h1>'
    return f"{marks}{title}{subtitle}"


def _section(section: Section, language: str) -> str:
    if isinstance(section, Paragraph):
        weight = ";font-weight:600" if section.strong else ""
        return f'<p style="margin:16px 0{weight}">{_text(section.text)}</p>'
    if isinstance(section, Whole):
        return (
            '<div style="margin:16px 0;padding:12px 16px;border:1px solid #d0d7de;border-radius:6px;background:#f6f8fa;'
            f'white-space:pre-wrap">{html.escape(clean(section.text))}</div>'
        )
    if isinstance(section, Facts):
        rows = "".join(
            f'<tr><td style="padding:4px 16px 4px 0;color:#57606a;white-space:nowrap;vertical-align:top">'
            f'{_text(label)}</td><td style="padding:4px 0">{_text(value)}</td></tr>'
            for label, value in section.rows
        )
        return f'<table role="presentation" cellpadding="0" cellspacing="0" style="margin:16px 0">{rows}</table>'
    if isinstance(section, Items):
        lines = "".join(f"<li>{_text(line)}</li>" for line in section.lines)
        title = f'<p style="margin:16px 0 4px;font-weight:600">{_text(section.title)}</p>' if section.title else ""
        more = _small(_text(section.more)) if section.more else ""
        return f'{title}<ul style="margin:0;padding-left:20px">{lines}</ul>{more}'
    return _quotation(section, language)


def _quotation(quotation: Quote, language: str) -> str:
    url = web_address(quotation.url)
    source = _text(quotation.source) or (_say("source", language) if url else "")
    if url:
        source = f'<a href="{_text(url)}" style="color:#57606a">{source}</a>'
    foot = f'<br><span style="color:#57606a;font-size:13px">{source}</span>' if source else ""
    return (
        '<blockquote style="margin:16px 0;padding:8px 16px;border-left:4px solid #d0d7de;background:#f6f8fa">'
        f"{_text(quotation.text)}{foot}</blockquote>"
    )


def _small(inner: str) -> str:
    return f'<p style="margin:8px 0;color:#57606a;font-size:13px">{inner}</p>'


def _say(name: str, language: str, **params: object) -> str:
    return _text(render(Text(f"mail.{name}", params), language))


def _text(text: str) -> str:
    return html.escape(clean(text)).replace("\n", "<br>")
