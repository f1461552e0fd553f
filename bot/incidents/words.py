"""Incidents in words: titles, grades, signals, moments and durations as ``Text``."""

from datetime import datetime, timedelta, timezone
from typing import Any

from bot.clock import HOUR
from bot.model.grade import Grade
from bot.model.incident import Incident, TimelineEntry
from bot.model.signal import Signal
from bot.model.text import Text
from bot.warning.early import EarlyWarning
from bot.warning.forecast import Range
from bot.warning.outlook import Outlook

CHINA = timezone(timedelta(hours=8))


def grade(value: Grade) -> Text:
    return Text(f"grade.{value.word}")


def title(incident: Incident) -> Text | str:
    """``星河支付 · 提现困难``: a title given by a person, else subject and crisis type."""
    if incident.title:
        return incident.title
    return Text("incident.title", {"subject": incident.subject_name, "type": Text(f"type.{incident.crisis_type}")})


def signal(value: Signal) -> Text:
    """One signal as a sentence with its numbers: what was measured, against what, and what is usual."""
    params: dict[str, Any] = {
        "value": _number(value), "threshold": f"{value.threshold:g}", "detail": _detail(value),
        "usual": Text("signal.no_usual"),
    }  # fmt: skip
    if value.baseline is not None:
        params["usual"] = Text("signal.usual", {"baseline": f"{value.baseline:.1f}".removesuffix(".0")})
    elif value.metric not in ("negative_60m", "negative_24h", "mentions_60m"):
        params["usual"] = ""
    return Text(f"signal.{value.metric}", params)


def clock_time(moment: int) -> str:
    """Hour and minute in China Standard Time, with the date in front where it helps nobody to guess."""
    return datetime.fromtimestamp(moment / 1000, CHINA).strftime("%m-%d %H:%M")


def duration(milliseconds: int) -> Text:
    """A length of time in its largest useful unit."""
    seconds = max(0, milliseconds) // 1000
    for size, name in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size or seconds == size or (size < 86_400 and seconds >= size):
            return Text(f"duration.{name}", {"n": seconds // size})
    return Text("duration.seconds", {"n": seconds})


def early(found: EarlyWarning) -> Text:
    """The early-warning score with its parts."""
    parts = [Text("early.part", {"dimension": Text(f"early.{name}"), "points": points}) for name, points in found.parts]
    return Text("early.line", {"score": found.score, "parts": parts})


def outlook(found: Outlook, now: int) -> Text:
    """A forecast as a sentence: how many posts, how negative, and whether the worst hour is behind us."""
    ahead = found.forecast
    volume = {name: _span(ahead.volume[hours]) for name, hours in (("hour", 1), ("six", 6), ("day", 24))}
    share = found.share[6]
    percent = f"{round(100 * share.low)}–{round(100 * share.high)}%"
    return Text("outlook.line", {**volume, "share": percent, "peak": _peak(found, now)})


def _peak(found: Outlook, now: int) -> Text:
    ahead = found.forecast
    if found.rising:
        return Text("outlook.rising", {"n": _about(max(ahead.volume[1].high, found.last))})
    if found.top >= ahead.peak.middle:
        return Text("outlook.peak_behind", {"at": clock_time(now - found.top_ago * HOUR), "n": _about(found.top)})
    at = clock_time(now + ahead.peak_in * HOUR)
    return Text("outlook.peak_soon" if ahead.peak_in == 1 else "outlook.peak", {"at": at, "n": _span(ahead.peak)})


def _span(expected: Range) -> str:
    low, high = _about(expected.low), _about(expected.high)
    return f"{low:,}" if low == high else f"{low:,}–{high:,}"


def _about(value: float) -> int:
    """Two figures are as much as a forecast knows."""
    whole = round(value)
    return whole if whole < 100 else round(whole, 2 - len(str(whole)))


def timeline(entry: TimelineEntry) -> Text:
    """A timeline entry as a sentence; grades, statuses and the like inside it are translated."""
    params: dict[str, Any] = {"actor": entry.actor_name}
    for name, value in entry.params.items():
        if name in ("grade", "before"):
            params[name] = Text(f"grade.{value}")
        elif name == "role":
            params[name] = Text(f"role.{value}") if value in KNOWN_ROLES else value
        elif name == "source_health":
            params[name] = Text(f"health.{value}")
        elif name in ("status", "type"):
            params[name] = Text(f"{name}.{value}")
        else:
            params[name] = value
    return Text(f"timeline.{entry.kind}", params)


KNOWN_ROLES = frozenset(
    {"pr", "pr_head", "legal", "operations", "customer_service", "marketing", "executive", "approver", "admin", "lead"}
)


def role(name: str) -> Text | str:
    return Text(f"role.{name}") if name in KNOWN_ROLES else name


def _number(value: Signal) -> str:
    if value.metric == "negative_share_60m":
        return f"{value.value:.0%}"
    return f"{value.value:.1f}".removesuffix(".0")


def _detail(value: Signal) -> Text | str | list[Text]:
    if value.metric == "platforms_60m":
        return [Text(f"platform.{name}") if name in KNOWN_PLATFORMS else Text("plain", {"text": name})
                for name in value.detail.split(",") if name]  # fmt: skip
    if value.metric == "type_60m":
        return Text(f"type.{value.detail}")
    if value.metric == "carrier_120m":
        return Text(f"carrier.{value.detail}")
    return value.detail


KNOWN_PLATFORMS = frozenset(
    [
        "weibo",
        "wechat",
        "douyin",
        "x",
        "news",
        "forum",
        "video",
        "review",
        "ticket",
        "it",
        "manual",
        "xiaohongshu",
        "zhihu",
        "bilibili",
        "reddit",
        "hackernews",
        "hotlist",
        "other",
    ]
)


def platform(name: str) -> Text | str:
    return Text(f"platform.{name}") if name in KNOWN_PLATFORMS else name
