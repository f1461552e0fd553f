"""A WeCom corporation on loopback, a clock that stands still, and the chat that talks to it."""

from collections.abc import AsyncIterator

import pytest

from bot.chat.wecom.adapter import WecomChat
from bot.chat.wecom.client import WecomClient
from bot.chat.wecom.codes import ResponseCodes
from bot.clock import VirtualClock
from bot.config import RobotConfig, WecomConfig
from bot.testkit.fake_wecom import AGENT_ID, CORP_ID, FakeWeCom

# 2026-03-09 09:00:00 in Shanghai
START = 1_773_018_000_000


def wecom_config(base_url: str) -> WecomConfig:
    return WecomConfig(
        corp_id=CORP_ID,
        agent_id=AGENT_ID,
        secret_env="SECRET",
        token_env="TOKEN",
        aes_key_env="AES_KEY",
        base_url=base_url,
        robots={"pr": RobotConfig(key_env="ROBOT")},
    )


def environ(fake: FakeWeCom) -> dict[str, str]:
    callbacks = fake.callbacks
    return {
        "SECRET": fake.secret,
        "ROBOT": "fake-robot-key",
        "TOKEN": callbacks.token,
        "AES_KEY": callbacks.aes_key,
    }


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START)


@pytest.fixture
async def wecom(clock: VirtualClock) -> AsyncIterator[FakeWeCom]:
    async with FakeWeCom(clock) as fake:
        yield fake


@pytest.fixture
async def client(wecom: FakeWeCom, clock: VirtualClock) -> AsyncIterator[WecomClient]:
    one = WecomClient(wecom_config(wecom.base_url), clock, environ=environ(wecom), timeout_seconds=0.5)
    yield one
    await one.close()


@pytest.fixture
def response_codes() -> ResponseCodes:
    return ResponseCodes()


@pytest.fixture
def chat(client: WecomClient, clock: VirtualClock, response_codes: ResponseCodes) -> WecomChat:
    return WecomChat(client, clock, response_codes=response_codes)
