"""How far a post may carry: its kind of carrier, and an influence from 0 to 100."""

import functools
import math
from dataclasses import dataclass
from importlib import resources
from urllib.parse import urlsplit

from bot import quick_yaml
from bot.analysis.text import fold
from bot.model.grade import Carrier
from bot.model.post import Post

KOL_FOLLOWERS = 100_000
VERIFIED_KOL_FOLLOWERS = 10_000
_ORDINARY_FOLLOWERS = 1_000  # below it no name is worth a look: media have more
_LONGEST_NAME = 40

_FLOOR = {
    Carrier.ORDINARY: 0,
    Carrier.KOL: 30,
    Carrier.TRADE_MEDIA: 40,
    Carrier.NATIONAL_MEDIA: 70,
    Carrier.HOT_LIST: 80,
}


@dataclass(frozen=True, slots=True)
class _Carriers:
    hot_list: frozenset[str]
    news: frozenset[str]
    names: tuple[tuple[Carrier, tuple[str, ...]], ...]
    domains: dict[str, Carrier]


@functools.cache
def _carriers() -> _Carriers:
    data = quick_yaml.load(resources.files("bot.analysis").joinpath("carriers.yaml").read_text(encoding="utf-8"))
    kinds = ((Carrier.NATIONAL_MEDIA, data["national_media"]), (Carrier.TRADE_MEDIA, data["trade_media"]))
    names = tuple((kind, tuple(fold(str(name)) for name in entry["names"])) for kind, entry in kinds)
    domains = {str(domain).lower(): kind for kind, entry in reversed(kinds) for domain in entry["domains"]}
    hot, news = (frozenset(map(str, data[key])) for key in ("hot_list_platforms", "news_platforms"))
    return _Carriers(hot, news, names, domains)


@functools.lru_cache(maxsize=4_096)
def _of_name(name: str) -> Carrier:
    folded = fold(name[:_LONGEST_NAME]).strip()
    for kind, names in _carriers().names:
        if folded.startswith(names):
            return kind
    return Carrier.ORDINARY


@functools.lru_cache(maxsize=4_096)
def _of_host(host: str) -> Carrier:
    domains = _carriers().domains
    parts = host.lower().rstrip(".").split(".")[-6:]
    for start in range(len(parts) - 1):
        kind = domains.get(".".join(parts[start:]))
        if kind is not None:
            return kind
    return Carrier.ORDINARY


def carrier(post: Post) -> Carrier:
    """Hot list by platform or kind; media by the address of a news item or by a verified (or news-platform) author's
    name; opinion leader by followers, fewer of them when verified; else ordinary."""
    known = _carriers()
    if post.kind == "hot_topic" or post.platform in known.hot_list:
        return Carrier.HOT_LIST
    author = post.author
    best = Carrier.ORDINARY
    news = post.platform in known.news
    if post.url and (news or post.kind == "article"):
        best = _of_host(_host(post.url))
    if author.name and (news or (author.verified and author.followers >= _ORDINARY_FOLLOWERS)):
        best = max(best, _of_name(author.name))
    if best is Carrier.ORDINARY and (
        author.followers >= KOL_FOLLOWERS or (author.verified and author.followers >= VERIFIED_KOL_FOLLOWERS)
    ):
        return Carrier.KOL
    return best


def _host(url: str) -> str:
    try:
        return urlsplit(url[:2_000]).hostname or ""
    except ValueError:  # a broken IPv6 address: no name to look up
        return ""


def influence(post: Post, carried_by: Carrier | None = None) -> int:
    """0–100, the larger of the carrier's floor and of what the numbers say:

    ``reach = followers + views``, ``echo = likes + 2 * comments + 4 * reposts`` (a repost carries a post on, a like
    does not), ``numbers = 8 * log10(1 + reach) + 10 * log10(1 + echo)``. So 1,000 followers are 24, a million 48; a
    thousand reposts add 36. Floors: KOL 30, trade media 40, national media 70, hot list 80. The scale is logarithmic
    because reach spans eight orders of magnitude; the factors are ours.
    """
    kind = carrier(post) if carried_by is None else carried_by
    engagement = post.engagement
    reach = max(0, post.author.followers) + max(0, engagement.views)
    echo = max(0, engagement.likes) + 2 * max(0, engagement.comments) + 4 * max(0, engagement.reposts)
    if not reach and not echo:
        return _FLOOR[kind]
    numbers = 8 * math.log10(1 + reach) + 10 * math.log10(1 + echo)
    return max(_FLOOR[kind], min(100, round(numbers)))
