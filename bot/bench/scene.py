"""The organisation that is measured: subjects of everyday talk and quiet ones, a Slack channel each, one fake Slack."""

import asyncio
from typing import Any

import aiohttp

from bot.bench.process import BotProcess
from bot.bench.texts import PLACE_OF_ID, PLATFORMS, post
from bot.clock import SystemClock
from bot.testkit.fake_slack import FakeSlack

COMMAND_CHANNEL = "C0ROOM"
MEMBER = "U0LINA"
# The everyday talk names these; they have incidents of their own whose cards are rewritten all the time.
TALKED_ABOUT = 20
CROSSING = 40
ANSWERED_WITHIN = 10.0
ALERTED_WITHIN = 20.0


def talked_about() -> list[str]:
    return [name_of(number) for number in range(TALKED_ABOUT)]


def name_of(number: int) -> str:
    return f"品牌{number:03d}号"


def channel_of(number: int) -> str:
    return f"C{number:07d}"


def fake_slack(subjects: int) -> FakeSlack:
    """A Slack without limits: what is measured is the bot."""
    channels = {channel_of(number): f"room-{number}" for number in range(subjects)}
    return FakeSlack(channels={COMMAND_CHANNEL: "room", **channels}, people={MEMBER: "李娜"})


def settings(slack: FakeSlack, subjects: int) -> dict[str, Any]:
    """A configuration with one channel a subject, so that no channel's own limit stands in the way."""
    return {
        "language": "zh-CN",
        "subjects": [
            {"id": f"s{number}", "name": name_of(number), "match": {"any": [name_of(number)]}, "channel": f"c{number}"}
            for number in range(subjects)
        ],
        "people": [{"id": "lina", "name": "李娜", "roles": ["pr", "admin"], "slack": MEMBER}],
        "channels": {
            "room": {"slack": COMMAND_CHANNEL, "min_grade": "red"},
            **{f"c{number}": {"slack": channel_of(number)} for number in range(subjects)},
        },
        "chat": {
            "slack": {
                "bot_token_env": "SLACK_BOT_TOKEN",
                "signing_secret_env": "SLACK_SIGNING_SECRET",
                "base_url": slack.base_url,
            }
        },
    }


def environment(slack: FakeSlack) -> dict[str, str]:
    return {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_SIGNING_SECRET": slack.signing_secret}


class Scene:
    """Does to a running process what people and collectors do, and takes the time. Seconds everywhere."""

    def __init__(self, process: BotProcess, slack: FakeSlack, session: aiohttp.ClientSession) -> None:
        self._process = process
        self._slack = slack
        self._session = session
        slack.connect(f"{process.url}/slack/events")

    async def alert(self, number: int) -> float:
        """Push a batch that makes subject ``number``, of which nobody has talked yet, cross a threshold; from the start
        of the request to the arrival of the message at Slack."""
        now = SystemClock().now()
        items = [
            {**post(f"{name_of(number)}提现失败，三天没到账，客服不理人，骗子公司还我血汗钱 {index}", index,
                    PLATFORMS[index % len(PLATFORMS)], now - index), "id": f"{PLACE_OF_ID}x{number}-{index}"}
            for index in range(CROSSING)
        ]  # fmt: skip
        loop = asyncio.get_running_loop()
        begun = loop.time()
        async with self._session.post(
            f"{self._process.url}/api/v1/posts", json=items, headers=self._process.headers
        ) as answer:
            answer.raise_for_status()
            await answer.read()
        return await self._arrived("chat.postMessage", begun, channel_of(number), ALERTED_WITHIN) - begun

    async def command(self) -> float:
        """``/crisis status``: from the signed request to the arrival of the answer at Slack."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        sending = asyncio.create_task(self._slack.slash("status", MEMBER, COMMAND_CHANNEL))
        arrived = await self._arrived("", begun, "", ANSWERED_WITHIN)
        reply = await sending
        if not reply.ok:
            raise RuntimeError(f"the command was refused: {reply.status} {reply.text[:200]} {reply.error}")
        return arrived - begun

    async def _arrived(self, method: str, since: float, channel: str, within: float) -> float:
        """When a call came in: to a channel, or (without one) an answer to the command."""
        answers = (method,) if method else ("response_url", "chat.postEphemeral")

        def found() -> float:
            for call in reversed(self._slack.calls):
                if call.at_monotonic < since:
                    return 0.0
                if call.method in answers and (not channel or call.body.get("channel") == channel):
                    return call.at_monotonic
            return 0.0

        return await self._slack.wait_for(found, within)
