"""The menu is taken by WeCom in both languages, and the check says what is wrong without posting."""

import pytest

import handlers
from bot.chat.wecom.check import check
from bot.chat.wecom.client import WecomClient
from bot.chat.wecom.menu import create_menu, default_menu
from bot.clock import VirtualClock
from bot.config import RobotConfig, WecomConfig
from bot.model.text import LANGUAGES
from bot.testkit.fake_wecom import FakeWeCom
from bot.testkit.wecom_menu import check_menu
from bot.texts import render
from tests.chat.wecom.conftest import environ, wecom_config


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_menu_is_taken(wecom: FakeWeCom, client: WecomClient, language: str) -> None:
    check_menu(default_menu(language))
    await create_menu(client, language)
    assert wecom.corporation.menu == default_menu(language)


def test_every_entry_of_the_menu_is_a_command() -> None:
    registry = handlers.load()
    for entry in default_menu("zh-CN")["button"]:
        for leaf in entry.get("sub_button", [entry]):
            assert registry.understand(leaf["key"])[0].name == leaf["key"]


async def keys(config: WecomConfig, clock: VirtualClock, secrets: dict[str, str]) -> list[tuple[str, str]]:
    findings = await check(config, clock=clock, environ=secrets)
    for _, text in findings:
        for language in LANGUAGES:
            assert "{" not in render(text, language)
    return [(level, text.key.removeprefix("wecom.check_")) for level, text in findings]


async def test_a_good_setup_is_all_green_and_nothing_is_posted(wecom: FakeWeCom, clock: VirtualClock) -> None:
    found = await keys(wecom_config(wecom.base_url), clock, environ(wecom))
    assert found == [("ok", "token"), ("ok", "agent"), ("ok", "callback"), ("ok", "robot")]
    assert wecom.robot() == [] and wecom.corporation.messages == []


@pytest.mark.parametrize(
    ("secrets", "update", "expected"),
    [
        ({"SECRET": "wrong"}, {}, ("error", "refused")),
        ({"SECRET": ""}, {}, ("error", "no_secret")),
        ({}, {"corp_id": ""}, ("error", "no_corp")),
        ({}, {"agent_id": 0}, ("error", "no_agent")),
        ({}, {"agent_id": 9}, ("error", "agent_refused")),
        ({}, {"base_url": "http://127.0.0.1:9/"}, ("error", "unreachable")),
        ({"AES_KEY": "short"}, {}, ("error", "bad_aes_key")),
        ({"TOKEN": "not good!"}, {}, ("error", "bad_token")),
        ({"TOKEN": ""}, {}, ("warning", "no_callback")),
        ({"ROBOT": "gone"}, {}, ("error", "robot_refused")),
        ({"ROBOT": ""}, {}, ("error", "robot_no_key")),
    ],
    ids=str,
)
async def test_every_mistake_is_named(
    wecom: FakeWeCom,
    clock: VirtualClock,
    secrets: dict[str, str],
    update: dict[str, object],
    expected: tuple[str, str],
) -> None:
    config = wecom_config(wecom.base_url).model_copy(update=update)
    assert expected in await keys(config, clock, {**environ(wecom), **secrets})


async def test_robots_alone_need_no_application(wecom: FakeWeCom, clock: VirtualClock) -> None:
    config = WecomConfig(base_url=wecom.base_url, robots={"pr": RobotConfig(key_env="ROBOT")})
    assert await keys(config, clock, environ(wecom)) == [("ok", "robot")]


@pytest.mark.parametrize(
    ("robot", "secrets", "expected"),
    [
        ({}, {}, [("ok", "aibot")]),
        ({"bot_id": ""}, {}, [("error", "aibot_no_id")]),
        ({}, {"AIBOT": ""}, [("error", "aibot_no_secret")]),
        ({"url": "https://openws.work.weixin.qq.com"}, {}, [("error", "aibot_url")]),
        ({"url": "ws://openws.work.weixin.qq.com"}, {}, [("error", "aibot_url")]),
        ({"url": "ws://127.0.0.1:9105"}, {}, [("ok", "aibot")]),
    ],
    ids=str,
)
async def test_the_smart_robot_alone_needs_no_application_and_is_checked_without_connecting(
    clock: VirtualClock, robot: dict[str, str], secrets: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    # A second connection would throw out the one at work; nothing listens at these addresses.
    settings = {"bot_id": "aib-1", "secret_env": "AIBOT", **robot}
    assert await keys(WecomConfig.model_validate({"aibot": settings}), clock, {"AIBOT": "s", **secrets}) == expected
