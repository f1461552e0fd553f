"""HTML of feeds and APIs → plain text. What is collected is shown as text only, so no tag needs to survive."""

import html
import re

import nh3

from bot.model.intake import MAX_TEXT

# Ends of lines as a reader sees them. Scripts and styles go with their content, in nh3.
_BREAK = re.compile(r"<(?:br|/p|/div|/li|/tr|/h[1-6]|/blockquote|hr)\b[^<>]{0,200}>", re.IGNORECASE)
_LOOKS_LIKE_HTML = re.compile(
    r"</?(?:a|p|br|b|i|u|em|strong|div|span|img|ul|ol|li|h[1-6]|font|table|tr|td|blockquote|pre|code|script|style|"
    r"section|article|figure|iframe|video|hr|sub|sup|small|center)\b[^<>]{0,2000}>",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,8}\d?);", re.IGNORECASE)
_SPACES = re.compile(r"[^\S\n]+")
_LINES = re.compile(r"\s*\n\s*")
# Deep nesting is quadratic for every HTML parser; no article needs more tags than this.
_MOST_TAGS = 20_000
_ANY_TAG = re.compile(r"<[^<>]*>")


def plain(text: str) -> str:
    """Text without tags, entities resolved, one line per paragraph, at most ``MAX_TEXT`` characters (then ``…``)."""
    text = text[: MAX_TEXT * 4]
    if "<" in text and _LOOKS_LIKE_HTML.search(text):
        text = _BREAK.sub("\n", text)
        if text.count("<") > _MOST_TAGS:
            text = _ANY_TAG.sub(" ", text)
        else:
            text = nh3.clean(text, tags=set(), attributes={}, link_rel=None)
        text = html.unescape(text)
    elif "&" in text and _ENTITY.search(text):
        text = html.unescape(text)
    text = _LINES.sub("\n", _SPACES.sub(" ", text.replace("\xa0", " "))).strip()
    text = text.replace("\x00", "")
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def one_line(text: str) -> str:
    return plain(text).replace("\n", " ")
