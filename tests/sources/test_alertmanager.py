"""Alertmanager webhooks: the shape of version 4, and the real program."""

import asyncio
import json
import os
import signal
import socket
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from bot.model.intake import parse_post
from bot.sources.alertmanager import posts_of
from bot.sources.base import SourceError

from .conftest import NOW


def alert(**more: object) -> dict[str, object]:
    return {
        "status": "firing",
        "labels": {
            "alertname": "WithdrawalErrors",
            "service": "xinghe-pay",
            "severity": "critical",
            "instance": "pay-1:9100",
        },
        "annotations": {
            "summary": "提现错误率 12%",
            "description": "withdrawals fail on {{ $labels.instance }} <b>now</b>",
        },
        "startsAt": "2025-12-31T10:00:00.123456789Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example/graph?g0.expr=x",
        "fingerprint": "c0ffee0123456789",
    } | more


def payload(*alerts: object) -> dict[str, object]:
    return {
        "version": "4",
        "groupKey": "{}:{}",
        "status": "firing",
        "receiver": "fengbo",
        "commonLabels": {},
        "alerts": list(alerts),
    }


def test_an_alert_becomes_a_post_that_names_its_service() -> None:
    (post,) = posts_of(payload(alert()), NOW)
    assert post["id"] == "c0ffee0123456789/firing/2025-12-31T10:00:00.123456789Z"
    assert (post["platform"], post["kind"]) == ("it", "it_alert")
    assert post["title"] == "[firing] 提现错误率 12%"
    assert "service=xinghe-pay" in post["text"] and "withdrawals fail on" in post["text"] and "<b>" not in post["text"]
    assert post["published_at"] == "2025-12-31T10:00:00Z" and post["location"] == "pay-1:9100"
    assert parse_post(post, source="am", platform="x", now=NOW).platform == "it"


def test_repeated_notifications_are_one_post_and_the_end_is_another() -> None:
    ended = alert(status="resolved", endsAt="2025-12-31T10:30:00Z")
    again = alert(startsAt="2025-12-31T11:00:00Z")
    ids = [post["id"] for post in posts_of(payload(alert(), alert(), ended, again), NOW)]
    assert ids[0] == ids[1] and len(set(ids)) == 3
    assert posts_of(payload(ended), NOW)[0]["published_at"] == "2025-12-31T10:30:00Z"


@pytest.mark.parametrize("broken", [None, [], "x", {}, {"alerts": None}, {"alerts": {"a": 1}}])
def test_a_payload_without_alerts_is_refused(broken: object) -> None:
    with pytest.raises(SourceError):
        posts_of(broken, NOW)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)


@given(
    st.dictionaries(
        st.sampled_from(["status", "labels", "annotations", "startsAt", "endsAt", "fingerprint", "generatorURL"]),
        json_values,
    )
)
def test_any_alert_gives_a_post(found: dict[str, object]) -> None:
    (post,) = posts_of(payload(found), NOW)
    parse_post(post, source="am", platform="it", now=NOW)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.server
async def test_the_real_alertmanager_delivers_an_alert_and_its_end(site, alertmanager: Path, tmp_path: Path) -> None:
    bodies: list[dict[str, object]] = []

    async def record(request: web.Request) -> web.Response:
        bodies.append(await request.json())
        return web.Response()

    site.answer(record)
    config = {
        "route": {"receiver": "fengbo", "group_wait": "0s", "group_interval": "1s", "repeat_interval": "1h"},
        "receivers": [
            {"name": "fengbo", "webhook_configs": [{"url": f"{site.url}/api/v1/hooks/alerts", "send_resolved": True}]}
        ],
    }
    file = tmp_path / "alertmanager.yml"
    file.write_text(json.dumps(config))
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        str(alertmanager),
        f"--config.file={file}",
        f"--storage.path={tmp_path}/data",
        "--cluster.listen-address=",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
        env=os.environ | {"HOME": str(tmp_path)},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with aiohttp.ClientSession() as session:
            fired = {
                "labels": {"alertname": "PayDown", "service": "xinghe-pay"},
                "annotations": {"summary": "支付中断"},
            }
            await _post(session, port, [fired | {"startsAt": "2025-12-31T10:00:00Z"}])
            first = await _received(bodies, 1)
            await _post(session, port, [fired | {"startsAt": "2025-12-31T10:00:00Z", "endsAt": "2025-12-31T10:05:00Z"}])
            second = await _received(bodies, 2)
    finally:
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), 10)
    (post,) = posts_of(first, NOW)
    (end,) = posts_of(second, NOW)
    assert post["title"] == "[firing] 支付中断" and "service=xinghe-pay" in post["text"]
    assert end["title"] == "[resolved] 支付中断"
    assert post["id"].split("/")[0] == end["id"].split("/")[0] and post["id"] != end["id"]
    parse_post(post, source="am", platform="it", now=NOW)


async def _post(session: aiohttp.ClientSession, port: int, alerts: list[dict[str, object]]) -> None:
    for _ in range(100):
        try:
            async with session.post(f"http://127.0.0.1:{port}/api/v2/alerts", json=alerts) as answer:
                if answer.status == 200:
                    return
        except aiohttp.ClientError:
            pass
        await asyncio.sleep(0.1)
    raise AssertionError("the Alertmanager does not take alerts")


async def _received(bodies, count: int) -> dict[str, object]:
    for _ in range(200):
        if len(bodies) >= count:
            return bodies[count - 1]
        await asyncio.sleep(0.05)
    raise AssertionError(f"no delivery number {count}")
