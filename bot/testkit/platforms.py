"""All fake platforms at once, with the configuration that points a bot at them."""

from typing import Any, Self

from bot.clock import Clock
from bot.testkit import fake_aibot, fake_slack, fake_wecom
from bot.testkit.fake_aibot import FakeAibot
from bot.testkit.fake_feeds import FakeFeeds
from bot.testkit.fake_mail import FakeMail
from bot.testkit.fake_sms import FakeSms

SENDER = "fengbo@corp.example"


class FakePlatforms:
    """Slack, WeCom and its smart robot, mail, SMS, feeds. ``mail`` is ``None`` where ``aiosmtpd`` is not installed."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.slack = fake_slack.FakeSlack(clock)
        self.wecom = fake_wecom.FakeWeCom(clock)
        self.sms = FakeSms(clock)
        self.feeds = FakeFeeds(clock)
        self.mail: FakeMail | None = FakeMail(clock)
        self.aibot = FakeAibot(clock)

    async def start(self, host: str = "127.0.0.1", first_port: int = 0) -> Self:
        """``first_port`` and the five after it; 0 lets the system choose each."""
        ports = iter(range(first_port, first_port + 6) if first_port else [0] * 6)
        for server in (self.slack, self.wecom, self.sms, self.feeds):
            await server.start(host, next(ports))
        if self.mail is not None:
            try:
                await self.mail.start(host, next(ports))
            except ModuleNotFoundError:
                self.mail = None
        await self.aibot.start(host, next(ports))
        return self

    async def stop(self) -> None:
        for server in (self.slack, self.wecom, self.sms, self.feeds, self.mail, self.aibot):
            if server is not None:
                await server.stop()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def connect(self, bot_url: str) -> None:
        """Where the bot listens, for everything people do on the platforms."""
        self.slack.connect(f"{bot_url}/slack/events")
        self.wecom.connect(f"{bot_url}/wecom/callback")

    def environment(self) -> dict[str, str]:
        """The secrets, under the names that ``chat_settings`` refers to. They open nothing but the fakes."""
        return {
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_SIGNING_SECRET": self.slack.signing_secret,
            "SLACK_APP_TOKEN": self.slack.app_token,
            "WECOM_SECRET": self.wecom.secret,
            "WECOM_TOKEN": self.wecom.callbacks.token,
            "WECOM_AES_KEY": self.wecom.callbacks.aes_key,
            "WECOM_ROBOT_KEY": fake_wecom.ROBOT_KEY,
            "WECOM_AIBOT_SECRET": fake_aibot.SECRET,
            "SMS_TOKEN": self.sms.token,
        }

    def chat_settings(self, *, socket_mode: bool = False) -> dict[str, Any]:
        """The ``chat`` section of a configuration; with ``socket_mode`` Slack gets its app token too."""
        slack = {"bot_token_env": "SLACK_BOT_TOKEN", "signing_secret_env": "SLACK_SIGNING_SECRET"}
        slack |= {"app_token_env": "SLACK_APP_TOKEN"} if socket_mode else {}
        wecom = {
            "corp_id": self.wecom.corp_id,
            "agent_id": self.wecom.agent_id,
            "secret_env": "WECOM_SECRET",
            "token_env": "WECOM_TOKEN",
            "aes_key_env": "WECOM_AES_KEY",
            "base_url": self.wecom.base_url,
            "robots": {"pr-robot": {"key_env": "WECOM_ROBOT_KEY"}},
            "aibot": {
                "bot_id": fake_aibot.BOT_ID,
                "secret_env": "WECOM_AIBOT_SECRET",
                "url": self.aibot.socket_url,
            },
        }
        settings: dict[str, Any] = {
            "slack": {**slack, "base_url": self.slack.base_url},
            "wecom": wecom,
            "console": {},
            "sms": {"url": self.sms.send_url, "token_env": "SMS_TOKEN"},
        }
        if self.mail is not None:
            settings["email"] = {"host": self.mail.host, "port": self.mail.port, "sender": SENDER}
        return settings
