"""Slack's mrkdwn and the Markdown of its ``markdown`` block as HTML."""

import html
import re
from collections.abc import Mapping

from bot.testkit.pictures import escape, link

EMOJI = {
    "red_circle": "🔴",
    "large_orange_circle": "🟠",
    "large_yellow_circle": "🟡",
    "large_blue_circle": "🔵",
    "large_green_circle": "🟢",
    "white_circle": "⚪",
    "rotating_light": "🚨",
    "warning": "⚠️",
    "white_check_mark": "✅",
    "heavy_check_mark": "✔️",
    "x": "❌",
    "bell": "🔔",
    "no_bell": "🔕",
    "eyes": "👀",
    "mega": "📣",
    "chart_with_upwards_trend": "📈",
    "hourglass_flowing_sand": "⏳",
    "construction": "🚧",
    "dart": "🎯",
    "memo": "📝",
}
_FENCE = re.compile(r"```\n?(.*?)```", re.DOTALL)
_TOKEN = re.compile(r"<([^<>\n]+)>|`([^`\n]+)`|:([a-z0-9_+-]+):")
# A mark opens after a space or a bracket and closes before one, as in Slack; inside CJK text it does not open.
_EDGE = r"(?<![\w{0}]){0}(?=\S)(.+?)(?<=\S){0}(?![\w{0}])"
_MARKS = [(re.compile(_EDGE.format(re.escape(mark))), tag) for mark, tag in (("*", "b"), ("_", "i"), ("~", "s"))]


def plain(text: object, *, emoji: bool = True) -> str:
    """A ``plain_text`` object's text: no markup, emoji names as pictures."""
    escaped = escape(text)
    return re.sub(r":([a-z0-9_+-]+):", _emoji, escaped) if emoji else escaped


def _emoji(found: re.Match[str]) -> str:
    return EMOJI.get(found[1], found[0])


def mrkdwn(text: object, names: Mapping[str, str] | None = None) -> str:
    """mrkdwn as HTML; ``names`` gives people and channels their names."""
    pieces = _FENCE.split(str(text or ""))
    parts = []
    for index, piece in enumerate(pieces):
        if index % 2:
            parts.append(f"<pre>{escape(html.unescape(piece))}</pre>")
        else:
            parts.append(_lines(piece, names or {}))
    return "".join(parts)


def _lines(text: str, names: Mapping[str, str]) -> str:
    shown: list[str] = []
    for line in text.split("\n"):
        # Only text that was escaped on the way in begins with the entity; a bare ">" is a quote too.
        quoted = re.match(r"(?:>|&gt;)\s?(.*)", line)
        if quoted:
            shown.append(f"<blockquote>{_inline(quoted[1], names)}</blockquote>")
        else:
            shown.append(_inline(line, names))
    joined = "<br>".join(shown)
    return joined.replace("</blockquote><br>", "</blockquote>").replace("<br><blockquote>", "<blockquote>")


def _inline(text: str, names: Mapping[str, str]) -> str:
    kept: list[str] = []

    def keep(markup: str) -> str:
        kept.append(markup)
        return f"\x00{len(kept) - 1}\x00"

    def token(found: re.Match[str]) -> str:
        if found[1] is not None:
            return keep(_angle(found[1], names))
        if found[2] is not None:
            return keep(f"<code>{escape(html.unescape(found[2]))}</code>")
        return keep(EMOJI[found[3]]) if found[3] in EMOJI else found[0]

    marked = escape(html.unescape(_TOKEN.sub(token, text.replace("\x00", ""))))
    for pattern, tag in _MARKS:
        marked = pattern.sub(rf"<{tag}>\1</{tag}>", marked)
    return re.sub("\x00(\\d+)\x00", lambda found: kept[int(found[1])], marked)


def _angle(inside: str, names: Mapping[str, str]) -> str:
    """What stands between angle brackets: a person, a channel, a call to all, a date, or a link."""
    target, _, label = inside.partition("|")
    target, label = html.unescape(target), html.unescape(label)
    if target[:1] in ("@", "#"):
        name = label or names.get(target[1:], target[1:])
        return f'<span class="mention">{escape(target[0] + name.lstrip("@#"))}</span>'
    if target.startswith("!date^"):
        return escape(label)
    if target.startswith("!"):
        name = label or "@" + target[1:].partition("^")[0]
        return f'<span class="mention all">{escape(name)}</span>'
    return link(target, escape(label or target))


def markdown(text: object) -> str:
    """The real Markdown of a ``markdown`` block: headings, lists, quotes, bold, italics, code, links."""
    shown: list[str] = []
    for index, piece in enumerate(_FENCE.split(str(text or ""))):
        if index % 2:
            shown.append(f"<pre>{escape(piece)}</pre>")
            continue
        shown += [_markdown_line(line) for line in piece.split("\n") if line.strip()]
    return "".join(shown)


def _markdown_line(line: str) -> str:
    if heading := re.match(r"(#{1,6})\s+(.*)", line):
        return f"<h4>{markdown_inline(heading[2])}</h4>"
    if item := re.match(r"\s*(?:[-*]|(\d+\.))\s+(.*)", line):
        return f'<div class="item">{escape(item[1] or "•")} {markdown_inline(item[2])}</div>'
    if quote := re.match(r">\s?(.*)", line):
        return f"<blockquote>{markdown_inline(quote[1])}</blockquote>"
    return f"<p>{markdown_inline(line)}</p>"


def markdown_inline(text: str) -> str:
    """Bold, italics, inline code and links of one line of Markdown."""
    kept: list[str] = []

    def keep(found: re.Match[str]) -> str:
        kept.append(link(found[2], escape(found[1])) if found[2] else f"<code>{escape(found[3])}</code>")
        return f"\x00{len(kept) - 1}\x00"

    marked = escape(re.sub(r"\[([^\]]+)\]\(([^()\s]+)\)|`([^`]+)`", keep, text.replace("\x00", "")))
    marked = re.sub(r"\*\*(\S.*?)\*\*", r"<b>\1</b>", marked)
    marked = re.sub(r"(?<![*\w])\*(\S.*?)\*(?!\w)", r"<i>\1</i>", marked)
    return re.sub("\x00(\\d+)\x00", lambda found: kept[int(found[1])], marked)
