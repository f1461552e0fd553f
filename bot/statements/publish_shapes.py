"""The approved text in the shape each kind of target takes it: the words themselves never change, what stands around
them does. Pure."""

import re
from datetime import datetime

from bot.incidents.words import CHINA
from bot.model.publication import Publication
from bot.model.statement import DIGEST_SHOWN
from bot.model.text import Text
from bot.reports.document_html import exact
from bot.texts import render

# Below what the chats take in one message (bot/chat/*/): room stays for the lines around the text.
SLACK_UNITS = 11_000
SLACK_LINES = 100_000
WECOM_BYTES = 2_048
MOST_SUBJECT = 150
# What one chat or another does not show as it stands: controls, invisible marks, reversals of direction, and line ends
# other than a line feed.
_NOT_SHOWN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_WECOM_MARKUP = re.compile(r"[<>\t]|&(?=#|[A-Za-z]+;)")
_BLANKS = re.compile(r"\s{1000}")


def fits(chat: str, text: str) -> bool:
    """Whether a chat shows the whole text, character for character, in one message."""
    if chat in ("email", "console"):
        return "\r" not in text
    if _NOT_SHOWN.search(text):
        return False
    if chat == "slack":
        return len(text.encode("utf-16-le")) // 2 <= SLACK_UNITS and not _BLANKS.search(text)
    if chat == "wecom":
        return len(text.encode()) <= WECOM_BYTES and not _WECOM_MARKUP.search(text)
    return False


def moment(at: int, language: str) -> str:
    """A moment as people outside read it, with its zone."""
    shown = datetime.fromtimestamp(at / 1000, CHINA).strftime("%Y-%m-%d %H:%M")
    return render(Text("publish.moment", {"moment": shown}), language)


def embargo_line(publication: Publication, now: int) -> str:
    """The line around an embargoed text; empty where there is none (any more)."""
    if publication.embargo <= now:
        return ""
    params = {"until": moment(publication.embargo, publication.language)}
    return render(Text("publish.embargo", params), publication.language)


def around(text: str, line: str) -> str:
    """A text between two lines of ours; the text itself stays one unbroken piece."""
    return f"{line}\n\n{text}\n\n{line}" if line else text


def subject(publication: Publication, now: int) -> str:
    """The subject of a mail: the embargo first, then the title, or the beginning of a text without one."""
    title = publication.title or publication.body.strip().partition("\n")[0]
    short = title if len(title) <= MOST_SUBJECT else title[: MOST_SUBJECT - 1] + "…"
    return " ".join(filter(None, (embargo_line(publication, now), short)))


def pointer(publication: Publication, where: str) -> str:
    """What a chat says that cannot show the whole text: title, where it stands, and its digest. Never a part of it."""
    params = {"title": publication.title or publication.statement, "where": where,
              "statement": publication.statement, "digest": publication.digest[:DIGEST_SHOWN]}  # fmt: skip
    return render(Text("publish.pointer", params), publication.language)


def as_html(text: str) -> str:
    """The text as HTML whose text content is the text: escaped, line feeds kept by ``pre-wrap`` of whoever shows it."""
    return f'<div style="white-space:pre-wrap">{exact(text)}</div>'
