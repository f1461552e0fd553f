"""Durable intake: posts pushed over HTTP as fast as they are acknowledged."""

import aiohttp

from bot.bench import scene
from bot.bench.load import Load
from bot.bench.process import BotProcess
from bot.bench.result import Result, named

SECONDS = 20.0
WARM_UP = 3.0


async def run() -> list[Result]:
    """Sustained posts a second, acknowledged after the commit, with analysis going on beside it."""
    names = scene.talked_about()
    async with (
        scene.fake_slack(len(names)) as slack,
        BotProcess(scene.settings(slack, len(names)), scene.environment(slack)) as process,
        aiohttp.ClientSession() as session,
    ):
        await Load(process.url, process.headers, seconds=WARM_UP, names=names, seed=1).run()
        before = process.processor_seconds()
        found = await Load(process.url, process.headers, seconds=SECONDS, names=names, seed=2).run()
        used = process.processor_seconds() - before
        behind = await process.metric(session, "fengbo_analysis_backlog")
    rate = found["posts"] / found["seconds"]
    return [
        Result(named("intake_rate"), rate, "/s", at_least=5_000),
        Result(named("intake_p99"), found["p99"] * 1000, "ms"),
        Result(named("intake_backlog", seconds=int(SECONDS)), behind, ""),
        Result(named("intake_processor"), 100 * used / found["seconds"], "%"),
    ]
