"""Links: broken, private, shortened, unencrypted, or on somebody else's host."""

import ipaddress
import re
from collections.abc import Iterator

from bot.statements.review.findings import Hit
from bot.statements.review.reviewing import Reviewing
from bot.statements.review.rules import data
from bot.statements.review.text import fold

LINK = re.compile(
    r"(?<![a-z0-9])(?:h{0,2}[tx]{1,3}p{1,3}s?[:：]?/{1,3}|www\.)"
    r"[^\s<>\"'“”‘’（）()【】《》，。；、！？\u4e00-\u9fff]{1,2000}"
)
_SCHEME = re.compile(r"https?://")
_HOST = re.compile(
    r"(?:[\w-]{1,63}\.){1,8}[a-z\u00a1-\uffff][\w-]{1,62}|\[[0-9a-f:.]{2,45}\]|\d{1,3}(?:\.\d{1,3}){3}|[\w-]{1,63}"
)


def links(review: Reviewing) -> Iterator[Hit]:
    known = data("shorteners.yaml")
    ours = tuple(fold(host) for host in review.context.hosts)
    for match in LINK.finditer(review.reading.folded):
        link = match[0].rstrip(".,;:!?-")
        start, end = match.start(), match.start() + len(link)
        rule, host = _judged(link, known)
        if rule:
            yield Hit(rule, start, end, {"host": host})
            continue
        if link.startswith("http://"):
            yield Hit("link_insecure", start, end)
        if ours and not any(host == own or host.endswith(f".{own}") for own in ours):
            yield Hit("link_foreign", start, end, {"host": host})


def _judged(link: str, known: dict[str, list[str]]) -> tuple[str, str]:
    """The rule that a link breaks, or nothing, and its host."""
    if link.startswith("www."):
        link = f"https://{link}"
    if not _SCHEME.match(link):
        return "link_broken", ""
    authority = re.split(r"[/?#]", _SCHEME.sub("", link, count=1), maxsplit=1)[0]
    host = re.sub(r":\d{1,5}$", "", authority)
    if "@" in authority or not host or not _HOST.fullmatch(host):
        return "link_broken", host
    if _private(host, known["private_endings"]):
        return "link_private", host
    if host in known["shorteners"] or host.removeprefix("www.") in known["shorteners"]:
        return "link_shortened", host
    return "", host


def _private(host: str, endings: list[str]) -> bool:
    try:
        return not ipaddress.ip_address(host.strip("[]")).is_global
    except ValueError:
        return "." not in host or host.rsplit(".", 1)[1] in endings
