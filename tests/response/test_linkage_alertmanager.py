"""A silence against the real Alertmanager: made, found again after doubt, ended twice."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from factories import CONFIG, house

from bot.clock import SystemClock
from bot.config import parse
from bot.response.linkage import Linkage, LinkageWorker
from bot.response.transport import open_session
from bot.store import calls

LINKAGE = """
linkage:
  systems: {{am: {{base_url: "http://127.0.0.1:{port}"}}}}
  actions:
    hush:
      system: am
      preset: alertmanager-silence
      with: {{matchers: [{{name: service, value: "{{service}}", isRegex: false, isEqual: true}}]}}
    unhush: {{system: am, preset: alertmanager-unsilence}}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def running(program: Path, folder: Path, port: int) -> AsyncIterator[aiohttp.ClientSession]:
    config = folder / "alertmanager.yml"
    config.write_text('{"route": {"receiver": "none"}, "receivers": [{"name": "none"}]}')
    process = await asyncio.create_subprocess_exec(
        str(program), f"--config.file={config}", f"--storage.path={folder}/data", "--cluster.listen-address=",
        f"--web.listen-address=127.0.0.1:{port}", "--log.level=error", env=os.environ | {"HOME": str(folder)},
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            for _ in range(100):
                try:
                    async with session.get("/-/ready") as answer:
                        if answer.status == 200:
                            break
                except aiohttp.ClientError:
                    await asyncio.sleep(0.1)
            yield session
    finally:
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), 10)


@pytest.mark.server
async def test_a_silence_is_made_once_found_again_and_ended(alertmanager: Path, tmp_path: Path) -> None:
    port = free_port()
    settings = parse(CONFIG + LINKAGE.format(port=port), "fengbo.yaml")
    place, clock = house(tmp_path), SystemClock()
    linkage = Linkage(settings)

    def ask(key: str, action: str, **params: Any) -> None:
        place.do(lambda db: linkage.request(db, key=key, action=action, params=params, now=clock.now()))

    async with running(alertmanager, tmp_path, port) as server, open_session() as session:
        worker = LinkageWorker(place.store, clock, settings, session, lambda db, call, now: None, {})
        task = asyncio.create_task(worker.run())

        async def result(key: str) -> calls.Call:
            for _ in range(400):
                found = place.look(lambda db: calls.by_key(db, key))
                if found is not None and found.finished_at:
                    return found
                await asyncio.sleep(0.02)
            raise AssertionError(place.look(lambda db: calls.by_key(db, key)))

        async def silences() -> list[dict[str, Any]]:
            async with server.get("/api/v2/silences") as answer:
                return [item for item in await answer.json() if item["status"]["state"] != "expired"]

        try:
            ask("one", "hush", service="pay", title="提现失败", duration="30m")
            made = await result("one")
            (silence,) = await silences()
            assert made.state == "done" and made.result["id"] == silence["id"]
            assert silence["matchers"][0]["value"] == "pay" and silence["createdBy"] == "Fengbo"
            # The answer got lost on the way: the row is in doubt, the silence is there.
            place.do(lambda db: db.conn.execute("UPDATE call SET state = 'sending', result = '{}', finished_at = 0"))
            worker.wake()
            again = await result("one")
            assert again.state == "done" and again.result["id"] == silence["id"]
            assert len(await silences()) == 1
            ask("end", "unhush", silence=silence["id"])
            ask("end twice", "unhush", silence=silence["id"])
            worker.wake()
            assert {(await result(key)).state for key in ("end", "end twice")} == {"done"}
            assert await silences() == []
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            place.store.close()
