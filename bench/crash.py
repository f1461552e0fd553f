"""Kill the real process again and again over a busy minute, then count: nothing lost, nothing twice.

``python -m bench.crash --kills 50`` prints a table and exits 1 when an invariant does not hold. The suite runs the
same with a few kills.
"""

import argparse
import asyncio
import contextlib
import os
import random
import signal
import sqlite3
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from bot.testkit.fake_slack import FakeSlack
from bot.testkit.fake_wecom import FakeWeCom
from bot.testkit.platforms import FakePlatforms

TOKEN = "push-token-of-the-crash-bench"
SUBJECTS = ("starpay", "cloudline", "farcall")
WORDS = {
    "starpay": "星辰钱包提现失败，客服不接电话",
    "cloudline": "云线又宕机了，控制台打不开",
    "farcall": "远讯泄露了我的个人信息",
}
LISTENING_WITHIN = 30.0
SETTLED_WITHIN = 60.0


@dataclass
class Tally:
    """What the outside world was promised: acknowledged posts, acknowledged commands, possible ones."""

    posts: set[str] = field(default_factory=set)
    deliveries: int = 0
    acknowledged: set[str] = field(default_factory=set)
    possible: set[str] = field(default_factory=set)


@dataclass
class Process:
    """The bot as a user starts it."""

    folder: Path
    environment: dict[str, str]
    port: int
    command: tuple[str, ...] = ("run",)
    running: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        log = (self.folder / "bot.log").open("ab")
        self.running = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", *self.command, "--config", str(self.folder / "fengbo.yaml"), "--log", "json",
            env={**os.environ, **self.environment, "FENGBO_LISTEN": f"127.0.0.1:{self.port}"}, stdout=log, stderr=log,
        )  # fmt: skip
        if self.command[0] == "worker":
            return  # it has no door to knock at
        deadline = time.monotonic() + LISTENING_WITHIN
        async with aiohttp.ClientSession() as session:
            while time.monotonic() < deadline:
                with contextlib.suppress(aiohttp.ClientError):
                    async with session.get(f"{self.url}/healthz") as answer:
                        if answer.status == 200:
                            return
                if self.running.returncode is not None:
                    raise RuntimeError(f"the bot ended with {self.running.returncode}: see {self.folder / 'bot.log'}")
                await asyncio.sleep(0.05)
        raise RuntimeError("the bot did not listen in time")

    async def end(self, number: signal.Signals) -> None:
        if self.running is not None and self.running.returncode is None:
            self.running.send_signal(number)
            await self.running.wait()


def configuration(platforms: FakePlatforms) -> dict[str, Any]:
    """Three subjects, each with its Slack channel; low thresholds, so that there is much to say."""
    return {
        "language": "zh-CN",
        "store": "store/fengbo.db",
        "tokens": [{"name": "collector", "token_env": "PUSH_TOKEN", "may": ["push", "read"]}],
        "subjects": [
            {
                "id": name,
                "name": name.title(),
                "industry": "general",
                "channel": name,
                "match": {"any": [WORDS[name][:2]]},
            }
            for name in SUBJECTS
        ],
        "people": [{"id": "lina", "name": "李娜", "roles": ["pr", "admin"], "slack": "U0LINA", "wecom": "lina"}],
        "channels": {
            name: {"slack": platforms.slack.workspace.add_channel(f"C0{name.upper()}", name).id, "console": name}
            for name in SUBJECTS
        },
        "chat": {
            key: value for key, value in platforms.chat_settings().items() if key in ("slack", "wecom", "console")
        },
        "grading": {
            "update_every": "1s",
            "thresholds": {"negative_60m": {"blue": 5, "yellow": 20, "orange": 60, "red": 200}},
        },
    }


async def push(process: Process, tally: Tally, stop: asyncio.Event) -> None:
    """Batches of posts, each repeated until it is acknowledged, every third one sent three times."""
    number = 0
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as session:
        while not stop.is_set():
            number += 1
            subject = SUBJECTS[number % len(SUBJECTS)]
            batch = [
                {"id": f"{number}-{index}", "platform": "weibo", "text": f"{WORDS[subject]}，第{number}批{index}号",
                 "published_at": datetime.now(UTC).isoformat()}
                for index in range(10)
            ]  # fmt: skip
            for _ in range(3 if number % 3 == 0 else 1):
                await _until_accepted(session, process, batch, tally)
            tally.posts.update(item["id"] for item in batch)
            await asyncio.sleep(0.02)


async def _until_accepted(
    session: aiohttp.ClientSession, process: Process, batch: list[dict[str, Any]], tally: Tally
) -> None:
    while True:
        tally.deliveries += 1
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with session.post(f"{process.url}/api/v1/posts", json=batch) as answer:
                if answer.status == 202:
                    return
                raise RuntimeError(f"{answer.status}: {await answer.text()}")
        await asyncio.sleep(0.05)


async def command(slack: FakeSlack, tally: Tally, channel: str, stop: asyncio.Event) -> None:
    """Slash commands: Slack sends them once; acknowledged means that it must have its one effect."""
    number = 0
    while not stop.is_set():
        number += 1
        tag = f"slash-{number}"
        tally.possible.add(tag)
        if (await slack.slash(f"note I-1 {tag}", "U0LINA", channel)).ok:
            tally.acknowledged.add(tag)
        await asyncio.sleep(0.08)


async def mention(slack: FakeSlack, tally: Tally, channel: str, stop: asyncio.Event) -> None:
    """Events: Slack repeats them until they are acknowledged, with the same event id."""
    number = 0
    while not stop.is_set():
        number += 1
        tag = f"event-{number}"
        tally.possible.add(tag)
        message = slack.say(f"<@U0BOT> note I-1 {tag}", "U0LINA", channel)
        event = {**message.as_json(), "type": "app_mention", "channel": channel, "client_msg_id": f"m-{message.ts}"}
        retry = 0
        while not (await slack.event(event, event_id=f"Ev{number:09d}", retry=retry)).ok:
            retry += 1
            await asyncio.sleep(0.05)
        if number % 2:  # a repetition although it arrived, as after a lost acknowledgement
            await slack.event(event, event_id=f"Ev{number:09d}", retry=retry + 1)
        tally.acknowledged.add(tag)
        await asyncio.sleep(0.1)


async def write_to_wecom(wecom: FakeWeCom, tally: Tally, stop: asyncio.Event) -> None:
    """Messages of a WeCom member; WeCom repeats what was not answered three times, then gives up."""
    number = 0
    while not stop.is_set():
        number += 1
        tag = f"wecom-{number}"
        tally.possible.add(tag)
        reply = await wecom.say("lina", f"备注 I-1 {tag}", retry=True)
        if reply.ok:
            tally.acknowledged.add(tag)
        await asyncio.sleep(2.2)  # answers to a member leave at 30 a minute: more would only wait at the end


async def run(kills: int, seed: int, folder: Path) -> list[tuple[str, str, bool]]:
    """Play it; returns (what, figures, holds)."""
    dice = random.Random(seed)
    with contextlib.closing(__import__("socket").socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    async with FakePlatforms() as platforms:
        settings = configuration(platforms)
        settings["store"] = str(folder / "fengbo.db")
        (folder / "fengbo.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")
        process = Process(folder, {**platforms.environment(), "PUSH_TOKEN": TOKEN}, port)
        platforms.connect(process.url)
        tally = Tally()
        try:
            await process.start()
            await _busy_time(process, platforms, settings, tally, kills, dice)
            await _settle(folder / "fengbo.db")
        finally:
            await process.end(signal.SIGTERM)
        return judge(folder / "fengbo.db", platforms.slack, tally, kills)


async def _busy_time(
    process: Process, platforms: FakePlatforms, settings: dict[str, Any], tally: Tally, kills: int, dice: random.Random
) -> None:
    """Everybody writes while the process is killed and started again."""
    stop = asyncio.Event()
    channel = settings["channels"][SUBJECTS[0]]["slack"]
    writers = [asyncio.create_task(push(process, tally, stop))]
    await _first_incident(process.folder / "fengbo.db")
    writers += [
        asyncio.create_task(command(platforms.slack, tally, channel, stop)),
        asyncio.create_task(mention(platforms.slack, tally, channel, stop)),
        asyncio.create_task(write_to_wecom(platforms.wecom, tally, stop)),
    ]
    for _ in range(kills):
        await asyncio.sleep(dice.uniform(0.05, 1.2))
        await process.end(signal.SIGKILL)
        await process.start()
    await asyncio.sleep(1.0)
    stop.set()
    await asyncio.gather(*writers)


async def _first_incident(path: Path) -> None:
    deadline = time.monotonic() + SETTLED_WITHIN
    while time.monotonic() < deadline:
        with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(path)) as db:
            if db.execute("SELECT COUNT(*) FROM incident").fetchone()[0]:
                return
        await asyncio.sleep(0.1)
    raise RuntimeError("no incident was opened")


async def _settle(path: Path) -> None:
    """Wait until nothing is left to do."""
    deadline = time.monotonic() + SETTLED_WITHIN + 60
    rest: tuple[Any, ...] = ()
    while time.monotonic() < deadline:
        with contextlib.closing(sqlite3.connect(path)) as db:
            rest = db.execute(
                "SELECT (SELECT COUNT(*) FROM inbox WHERE state = 'new'),"
                " (SELECT COUNT(*) FROM outbox WHERE state IN ('waiting', 'sending')),"
                " (SELECT MAX(seq) FROM post) - (SELECT value FROM cursor WHERE name = 'analysed')"
            ).fetchone()
        if not any(rest):
            return
        await asyncio.sleep(0.2)
    raise RuntimeError(f"work was left over: inbox, outbox, analysis = {rest}")


def judge(path: Path, slack: FakeSlack, tally: Tally, kills: int) -> list[tuple[str, str, bool]]:
    """Compare what was promised with what is there."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        stored = [row[0] for row in db.execute("SELECT id FROM post WHERE source = 'collector'")]
        counted = db.execute("SELECT SUM(count) FROM bucket").fetchone()[0]
        mentions = db.execute("SELECT COUNT(*) FROM mention").fetchone()[0]
        notes = [row[0] for row in db.execute("SELECT params FROM timeline WHERE kind = 'note'")]
        incidents = db.execute("SELECT subject, family, COUNT(*) FROM incident GROUP BY subject, family").fetchall()
        rows = dict(db.execute("SELECT state, COUNT(*) FROM outbox GROUP BY state").fetchall())
        sent = [
            row[0]
            for row in db.execute(
                "SELECT key FROM outbox WHERE state = 'sent' AND destination LIKE 'slack:C%' AND key NOT LIKE 'inbox:%'"
            )
        ]
    told: dict[str, int] = {}
    for tag in tally.possible:
        told[tag] = sum(f'"{tag}"' in note for note in notes)
    lost = [tag for tag in tally.acknowledged if told[tag] == 0]
    doubled = [tag for tag, count in told.items() if count > 1]
    keys: dict[str, int] = {}
    cards: dict[tuple[str, str], int] = {}
    for channel in slack.workspace.channels.values():
        for message in channel.messages:
            key = ((message.metadata or {}).get("event_payload") or {}).get("key", "")
            if key and not key.startswith("inbox:"):
                keys[key] = keys.get(key, 0) + 1
                if ":v" in key and key.count(":") == 3:
                    cards[(channel.id, key.split(":")[0])] = cards.get((channel.id, key.split(":")[0]), 0) + 1
    twice = [key for key, count in keys.items() if count > 1]
    return [
        ("kills", f"{kills}", True),
        ("posts acknowledged and stored", f"{len(tally.posts)} of {len(tally.posts)}, {tally.deliveries} deliveries",
         tally.posts <= set(stored) and len(stored) == len(set(stored))),
        ("posts counted exactly", f"{counted} counted, {mentions} mentions, {len(stored)} stored",
         counted == mentions == len(stored)),
        ("commands acknowledged and done", f"{len(tally.acknowledged)} acknowledged, {len(lost)} lost", not lost),
        ("commands done once", f"{len(tally.possible)} given, {len(doubled)} doubled", not doubled),
        ("incidents opened once", f"{incidents}", all(row[2] == 1 for row in incidents)),
        ("one card an incident and channel", f"{len(cards)} cards", all(count == 1 for count in cards.values())),
        ("alerts delivered", f"{len(sent)} sent, {rows}", not rows.get("failed") and not rows.get("waiting")),
        ("alerts posted once", f"{len(keys)} messages, {len(twice)} doubled", not twice),
    ]  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = asyncio.run(run(options.kills, options.seed, Path(folder)))
    for what, figures, holds in rows:
        print(f"{'ok  ' if holds else 'FAIL'} {what}: {figures}")
    return int(not all(holds for _, _, holds in rows))


if __name__ == "__main__":
    raise SystemExit(main())
