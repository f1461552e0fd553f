"""The load generator, a process of its own that reads its settings as JSON from stdin.

Prints one JSON line: posts acknowledged, seconds, and the slowest answers. ``rate`` 0 sends as fast as it is answered.
"""

import asyncio
import sys
from typing import Any

import aiohttp
import orjson

from bot.bench.result import percentile
from bot.bench.texts import Batches
from bot.clock import SystemClock


async def generate(settings: dict[str, Any]) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    clock = SystemClock()
    batches = Batches(settings["batch"], settings["names"], settings["seed"])
    rate, most, seconds = settings["rate"], settings["posts"], settings["seconds"]
    started = loop.time()
    sent = acknowledged = 0
    waits: list[float] = []
    errors: list[str] = []

    async def sender(session: aiohttp.ClientSession) -> None:
        nonlocal sent, acknowledged
        while loop.time() - started < seconds and (not most or sent < most) and len(errors) < 20:
            due = started + sent / rate if rate else 0.0
            sent += batches.size
            if due > loop.time():
                await asyncio.sleep(due - loop.time())
            begun = loop.time()
            async with session.post(
                settings["url"] + "/api/v1/posts", data=batches.next(clock.now()), headers=settings["headers"]
            ) as answer:
                body = await answer.read()
            if answer.status != 202:
                errors.append(f"{answer.status} {body[:200].decode(errors='replace')}")
                continue
            acknowledged += orjson.loads(body)["accepted"]
            waits.append(loop.time() - begun)

    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(sender(session) for _ in range(settings["connections"])))
    return {
        "posts": acknowledged, "seconds": loop.time() - started, "p50": percentile(waits, 0.5),
        "p99": percentile(waits, 0.99), "errors": errors,
    }  # fmt: skip


class Load:
    """The generator as seen from the benchmark: started, waited for."""

    def __init__(
        self, url: str, headers: dict[str, str], *, rate: float = 0, posts: int = 0, seconds: float = 60,
        batch: int = 500, connections: int = 2, names: list[str] | None = None, seed: int = 1,
    ) -> None:  # fmt: skip
        self._settings = {
            "url": url, "headers": headers, "rate": rate, "posts": posts, "seconds": seconds, "batch": batch,
            "connections": connections, "names": names or [], "seed": seed,
        }  # fmt: skip
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            "from bot.bench.load import main; main()",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._process.stdin is not None
        self._process.stdin.write(orjson.dumps(self._settings))
        self._process.stdin.close()

    async def result(self) -> dict[str, Any]:
        """Wait for the end. Raises ``RuntimeError`` where posts were refused."""
        assert self._process is not None and self._process.stdout is not None
        output = await self._process.stdout.read()
        await self._process.wait()
        found: dict[str, Any] = orjson.loads(output)
        if found["errors"]:
            raise RuntimeError(f"posts were refused: {found['errors'][0]}")
        return found

    async def run(self) -> dict[str, Any]:
        await self.start()
        return await self.result()


def main() -> None:
    print(orjson.dumps(asyncio.run(generate(orjson.loads(sys.stdin.buffer.read())))).decode())
