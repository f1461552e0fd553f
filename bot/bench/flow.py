"""From a push to the alert in Slack, and from a command to its answer, while a thousand posts a second flow in."""

import asyncio

import aiohttp

from bot.bench import scene
from bot.bench.load import Load
from bot.bench.process import BotProcess
from bot.bench.result import Result, named, percentile

ALERTS = 120
RATE = 1_000
COMMANDS = 200
WARM_UP = 12.0  # by then the process has imported what draws charts
SECONDS = 90.0
SETTLE = 5.0


async def run(alerts_wanted: int = ALERTS, commands: int = COMMANDS, seconds: float = SECONDS) -> list[Result]:
    subjects = scene.TALKED_ABOUT + alerts_wanted
    async with (
        scene.fake_slack(subjects) as slack,
        BotProcess(scene.settings(slack, subjects), scene.environment(slack)) as process,
        aiohttp.ClientSession() as session,
    ):
        load = Load(process.url, process.headers, rate=RATE, seconds=seconds, batch=100, names=scene.talked_about())
        await load.start()
        stage = scene.Scene(process, slack, session)
        await asyncio.sleep(WARM_UP)
        span = seconds - WARM_UP - SETTLE
        alerts, answers = await asyncio.gather(
            _alerts(stage, alerts_wanted, span / alerts_wanted), _commands(stage, commands, span / commands)
        )
        found = await load.result()
        memory = process.memory()
    return [
        Result(named("flow_rate"), found["posts"] / found["seconds"], "/s", at_least=0.97 * RATE),
        Result(named("alert_p50", count=len(alerts)), percentile(alerts, 0.5) * 1000, "ms"),
        Result(named("alert_p99", count=len(alerts)), percentile(alerts, 0.99) * 1000, "ms", at_most=1_000),
        Result(named("command_p50", count=len(answers)), percentile(answers, 0.5) * 1000, "ms"),
        Result(named("command_p99", count=len(answers)), percentile(answers, 0.99) * 1000, "ms", at_most=150),
        Result(named("flow_memory"), memory / 1e6, "MB", at_most=400),
    ]


async def _alerts(stage: scene.Scene, count: int, every: float) -> list[float]:
    """One incident after the other, evenly spread; an alert that takes long does not hold back the next push."""
    running = []
    for number in range(count):
        running.append(asyncio.create_task(stage.alert(scene.TALKED_ABOUT + number)))
        await asyncio.sleep(every)
    return list(await asyncio.gather(*running))


async def _commands(stage: scene.Scene, count: int, every: float) -> list[float]:
    """One after the other, so that each answer belongs to its command."""
    loop = asyncio.get_running_loop()
    found = []
    for _ in range(count):
        begun = loop.time()
        found.append(await stage.command())
        await asyncio.sleep(max(0.0, every - (loop.time() - begun)))
    return found
