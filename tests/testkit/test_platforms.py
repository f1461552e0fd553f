"""All fakes together, and the configuration they hand out."""

from slack_sdk.web.async_client import AsyncWebClient

from bot.config import ChatConfig
from bot.testkit.platforms import FakePlatforms


async def test_the_settings_are_a_valid_chat_section_whose_secrets_open_the_fakes():
    async with FakePlatforms() as platforms:
        chat = ChatConfig.model_validate(platforms.chat_settings(socket_mode=True))
        token = chat.slack.secret("bot_token", platforms.environment())
        client = AsyncWebClient(token=token, base_url=chat.slack.base_url)
        assert (await client.auth_test())["ok"]
        assert chat.slack.secret("app_token", platforms.environment()) == platforms.slack.app_token
        assert (
            chat.wecom.robots["pr-robot"].secret("key", platforms.environment()) in platforms.wecom.corporation.robots
        )
        assert chat.email.port == platforms.mail.port
        assert chat.sms.url.startswith(platforms.sms.url)


async def test_connecting_tells_both_platforms_where_the_bot_is():
    async with FakePlatforms() as platforms:
        platforms.connect("http://127.0.0.1:8080")
        assert platforms.slack.requests.url == "http://127.0.0.1:8080/slack/events"
        assert platforms.wecom.callbacks.url == "http://127.0.0.1:8080/wecom/callback"
