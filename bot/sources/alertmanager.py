"""Prometheus Alertmanager webhooks as posts: trouble of our own machines is the earliest sign of trouble outside."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.model.intake import EARLIEST_AT, FUTURE_ALLOWANCE, iso
from bot.sources.base import problem
from bot.sources.markup import one_line, plain

PLATFORM = "it"
KIND = "it_alert"
MOST_ALERTS = 1_000
_TITLES = ("summary", "title", "message")
_TEXTS = ("description", "message", "summary")


def posts_of(payload: Any, now: int) -> list[dict[str, Any]]:
    """The alerts of one webhook delivery (format version 4, Alertmanager's documentation on ``webhook_config``).

    An alert's id is its fingerprint with status and start, so that repeated notifications of one alert are one post
    and its end is another. Raises ``SourceError`` no_items where there is no list of alerts.
    """
    alerts = payload.get("alerts") if isinstance(payload, Mapping) else None
    if not isinstance(alerts, list):
        raise problem("no_items", permanent=True, where="alerts", found=type(alerts).__name__)
    common = payload.get("commonLabels")
    return [
        _post(alert, common if isinstance(common, Mapping) else {}, now)
        for alert in alerts[:MOST_ALERTS]
        if isinstance(alert, Mapping)
    ]


def _post(alert: Mapping[str, Any], common: Mapping[str, Any], now: int) -> dict[str, Any]:
    labels = {str(name): str(value) for name, value in ({**common, **_mapping(alert.get("labels"))}).items()}
    annotations = {str(name): str(value) for name, value in _mapping(alert.get("annotations")).items()}
    status = "resolved" if alert.get("status") == "resolved" else "firing"
    name = labels.get("alertname", "alert")
    title = next((annotations[key] for key in _TITLES if annotations.get(key)), name)
    text = next((annotations[key] for key in _TEXTS if annotations.get(key)), title)
    listed = " ".join(f"{key}={value}" for key, value in sorted(labels.items()))
    started = str(alert.get("startsAt") or "")
    identity = str(alert.get("fingerprint") or "") or listed
    return {
        "id": f"{identity}/{status}/{started}"[:200],
        "platform": PLATFORM,
        "kind": KIND,
        "url": str(alert.get("generatorURL") or "") or None,
        "title": one_line(f"[{status}] {title}")[:2_000],
        # Labels stand in the text so that a subject's keyword rule can name a service.
        "text": plain(f"{text}\n{listed}"),
        "author": {"name": labels.get("job") or name},
        "published_at": iso(_moment(alert, status, now)),
        "location": labels.get("instance"),
    }


def _moment(alert: Mapping[str, Any], status: str, now: int) -> int:
    for field in ("endsAt", "startsAt") if status == "resolved" else ("startsAt",):
        try:
            parsed = datetime.fromisoformat(str(alert.get(field)))
            moment = int(parsed.timestamp() * 1000)
        except (ValueError, OverflowError):
            continue
        if EARLIEST_AT <= moment <= now + FUTURE_ALLOWANCE:
            return moment
    return now


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
