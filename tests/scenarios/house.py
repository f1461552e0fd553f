"""The whole program in one test: the real App on loopback, fake Slack, WeCom, mail and SMS around it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from bot import config as configuration
from bot.app import App
from bot.testkit.platforms import FakePlatforms

PUSH, READ = "push-token-of-the-tests", "read-token-of-the-tests"
CHANNEL, ENGLISH = "C0ALERTS", "C0WORLD"


@dataclass
class House:
    """``push`` sends posts, ``api`` reads; ``platforms`` show what people see."""

    app: App
    platforms: FakePlatforms
    url: str
    session: aiohttp.ClientSession

    async def push(self, items: list[dict[str, Any]], times: int = 1) -> dict[str, Any]:
        answer: dict[str, Any] = {}
        for _ in range(times):
            async with self.session.post(
                f"{self.url}/api/v1/posts", json=items, headers={"Authorization": f"Bearer {PUSH}"}
            ) as response:
                assert response.status == 202, await response.text()
                answer = await response.json()
        return answer

    async def api(self, path: str) -> Any:
        async with self.session.get(f"{self.url}{path}", headers={"Authorization": f"Bearer {READ}"}) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def until(self, what: Callable[[], Any], within: float = 10.0) -> Any:
        """The first true value of ``what``; fails with what the screen shows when it does not come."""
        deadline = asyncio.get_running_loop().time() + within
        while asyncio.get_running_loop().time() < deadline:
            value = what()
            if value:
                return value
            await asyncio.sleep(0.02)
        shown = [message.visible for message in self.platforms.slack.screen(CHANNEL)]
        raise AssertionError(f"did not happen within {within} s; the Slack channel shows: {shown}")

    async def until_incident(self, wanted: Callable[[dict[str, Any]], bool], within: float = 10.0) -> dict[str, Any]:
        deadline = asyncio.get_running_loop().time() + within
        seen: list[dict[str, Any]] = []
        while asyncio.get_running_loop().time() < deadline:
            seen = await self.api("/api/v1/incidents")
            for incident in seen:
                if wanted(incident):
                    return incident
            await asyncio.sleep(0.05)
        raise AssertionError(f"no such incident within {within} s: {seen}")


def settings(platforms: FakePlatforms, folder: Path, **changes: Any) -> dict[str, Any]:
    """A payment company with a Chinese channel in three chats and an English one in Slack."""
    data: dict[str, Any] = {
        "language": "zh-CN",
        "store": str(folder / "fengbo.db"),
        "listen": "127.0.0.1:0",
        "tokens": [
            {"name": "collector", "token_env": "PUSH_TOKEN", "may": ["push"]},
            {"name": "reader", "token_env": "READ_TOKEN", "may": ["read"]},
        ],
        "subjects": [
            {"id": "starpay", "name": "星辰支付", "industry": "internet-finance", "channel": "alerts",
             "match": {"any": ["星辰支付", "星辰钱包"], "none": ["招聘"]}, "watch": ["跑路"]},
            {"id": "farcloud", "name": "Farcloud", "industry": "cloud", "channel": "world",
             "match": {"any": ["farcloud"]}},
        ],
        "people": [
            {"id": "lina", "name": "李娜", "roles": ["pr"], "slack": "U0LINA", "wecom": "lina"},
            {"id": "chenjing", "name": "陈静", "roles": ["pr_head", "admin"], "slack": "U0CHEN", "wecom": "chenjing",
             "email": "chenjing@corp.example", "phone": "13800000000"},
        ],
        "rota": {"pr": {"people": ["lina", "chenjing"], "shift": "3650d", "starts": "2026-01-05T09:00:00+08:00"}},
        "channels": {
            "alerts": {"slack": CHANNEL, "console": "alerts", "wecom": ["lina", "chenjing"], "wecom_robot": "pr-robot",
                       "email": ["chenjing"], "sms": ["chenjing"]},
            "world": {"slack": ENGLISH, "language": "en"},
        },
        "chat": platforms.chat_settings(),
        "grading": {"update_every": "200ms"},
    }  # fmt: skip
    for key, change in changes.items():
        value = change(platforms) if callable(change) else change  # what needs the port of a fake asks for it
        data[key] = {**data[key], **value} if isinstance(value, dict) and isinstance(data.get(key), dict) else value
    return data


@contextlib.asynccontextmanager
async def house(folder: Path, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> AsyncIterator[House]:
    """Start it all, stop it all."""
    async with FakePlatforms() as platforms:
        platforms.slack.workspace.add_channel(ENGLISH, "world")
        for name, value in {**platforms.environment(), "PUSH_TOKEN": PUSH, "READ_TOKEN": READ}.items():
            monkeypatch.setenv(name, value)
        text = yaml.safe_dump(settings(platforms, folder, **changes), allow_unicode=True)
        app = App(configuration.parse(text, "house.yaml"))
        await app.start()
        url = f"http://127.0.0.1:{app.port}"
        platforms.connect(url)
        try:
            async with aiohttp.ClientSession() as session:
                yield House(app, platforms, url, session)
        finally:
            await app.stop()


_number = 0


def complaint(text: str, *, minutes_ago: float = 1.0, **more: Any) -> dict[str, Any]:
    """A post as a collector sends it, with an id of its own."""
    global _number
    _number += 1
    at = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    return {
        "id": f"p{_number}",
        "platform": "weibo",
        "text": f"{text}（{_number}）",
        "published_at": at.isoformat(),
        **more,
    }


def complaints(
    count: int, text: str = "星辰支付提现失败三天不到账，客服电话打不通，气死了", **more: Any
) -> list[dict[str, Any]]:
    platforms = ("weibo", "forum", "review", "douyin", "x")
    return [complaint(text, platform=platforms[index % len(platforms)], **more) for index in range(count)]
