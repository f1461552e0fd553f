"""Memory after a million posts, and whether alerts and commands are then as fast as with ten thousand."""

import asyncio

import aiohttp

from bot.bench import scene
from bot.bench.load import Load
from bot.bench.process import BotProcess
from bot.bench.result import Result, named, percentile

FEW = 10_000
PROBES = 30
SUBJECTS = scene.TALKED_ABOUT + 2 * PROBES
LONGEST = 3_600.0
# Two measurements of the same thing differ by so much on a machine that does other things as well.
NOISE_SECONDS = 0.05
NOISE = 1.5


async def run(posts: int) -> list[Result]:
    names = scene.talked_about()
    async with (
        scene.fake_slack(SUBJECTS) as slack,
        BotProcess(scene.settings(slack, SUBJECTS), scene.environment(slack)) as process,
        aiohttp.ClientSession() as session,
    ):
        stage = scene.Scene(process, slack, session)
        await Load(process.url, process.headers, posts=FEW, seconds=LONGEST, names=names, seed=1).run()
        await process.analysed(session)
        few = await _probe(stage, scene.TALKED_ABOUT)
        more = max(0, posts - FEW)
        await Load(process.url, process.headers, posts=more, seconds=LONGEST, names=names, seed=2).run()
        await process.analysed(session, within=LONGEST)
        many = await _probe(stage, scene.TALKED_ABOUT + PROBES)
        memory, peak = process.memory(), process.peak_memory()
    results = [
        Result(named("memory", posts=f"{posts:,}"), memory / 1e6, "MB", at_most=400),
        Result(named("memory_peak"), peak / 1e6, "MB"),
    ]
    for kind, before, after in (("alert", few[0], many[0]), ("command", few[1], many[1])):
        results += [
            Result(named(f"memory_{kind}", posts=f"{FEW:,}"), before * 1000, "ms"),
            Result(
                named(f"memory_{kind}", posts=f"{posts:,}"), after * 1000, "ms",
                at_most=round((before * NOISE + NOISE_SECONDS) * 1000),
            ),
        ]  # fmt: skip
    return results


async def _probe(stage: scene.Scene, first: int) -> tuple[float, float]:
    """The median of alerts and of commands, one after the other, in seconds."""
    alerts, answers = [], []
    for number in range(first, first + PROBES):
        alerts.append(await stage.alert(number))
        answers.append(await stage.command())
        await asyncio.sleep(0.1)
    return percentile(alerts, 0.5), percentile(answers, 0.5)
