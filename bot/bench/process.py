"""The real process, as a user starts it: its own folder, its own port, its own interpreter."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import aiohttp
import yaml

LISTENING_WITHIN = 60.0
TOKEN = "bench-token-that-opens-nothing-else"  # noqa: S105 - of a process that lives for a minute on loopback


class BotProcess:
    """``settings`` is the configuration without store, address and tokens; ``environment`` holds its secrets."""

    def __init__(self, settings: Mapping[str, Any], environment: Mapping[str, str]) -> None:
        self._settings = dict(settings)
        self._environment = dict(environment)
        self._folder = tempfile.TemporaryDirectory(prefix="fengbo-bench-")
        self._process: asyncio.subprocess.Process | None = None
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def folder(self) -> Path:
        return Path(self._folder.name)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {TOKEN}"}

    async def __aenter__(self) -> Self:
        self._port = _free_port()
        settings = {
            **self._settings,
            "store": str(self.folder / "fengbo.db"),
            "listen": f"127.0.0.1:{self._port}",
            "tokens": [{"name": "bench", "token_env": "BENCH_TOKEN", "may": ["push", "read"]}],
        }
        file = self.folder / "fengbo.yaml"
        file.write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")
        environment = {name: value for name, value in os.environ.items() if name != "FENGBO_LISTEN"}
        with (self.folder / "bot.log").open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "run", "--config", str(file), "--log", "json",
                env={**environment, **self._environment, "BENCH_TOKEN": TOKEN}, stdout=log, stderr=log,
            )  # fmt: skip
        await self._listening()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self._process.wait(), 20)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        self._folder.cleanup()

    def memory(self) -> int:
        """Resident bytes of the process; 0 where the system does not tell."""
        assert self._process is not None
        return _status(self._process.pid, "VmRSS")

    def peak_memory(self) -> int:
        assert self._process is not None
        return _status(self._process.pid, "VmHWM")

    def processor_seconds(self) -> float:
        """User and system time the process has used."""
        assert self._process is not None
        try:
            fields = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def waited_seconds(self) -> float:
        """How long its main thread was ready to run while other processes had the processors: what a busy machine adds
        to a figure."""
        assert self._process is not None
        try:
            fields = Path(f"/proc/{self._process.pid}/schedstat").read_text(encoding="ascii").split()
        except OSError:
            return 0.0
        return int(fields[1]) / 1e9

    def complaints(self) -> list[str]:
        """Log lines of errors, for whoever looks why a figure is bad."""
        lines = (self.folder / "bot.log").read_text(encoding="utf-8", errors="replace").splitlines()
        return [line for line in lines if '"level":"error"' in line or "Traceback" in line]

    async def metric(self, session: aiohttp.ClientSession, name: str) -> float:
        """One number of ``/metrics`` (the sum over its labels)."""
        async with session.get(f"{self.url}/metrics", headers=self.headers) as answer:
            text = await answer.text()
        lines = [line for line in text.splitlines() if line.startswith((f"{name} ", f"{name}{{"))]
        return sum(float(line.rpartition(" ")[2]) for line in lines)

    async def analysed(self, session: aiohttp.ClientSession, within: float = 120.0) -> None:
        """Return when everything stored has been analysed."""
        async with asyncio.timeout(within):
            while await self.metric(session, "fengbo_analysis_backlog") > 0:  # noqa: ASYNC110 - of another process
                await asyncio.sleep(0.2)

    async def _listening(self) -> None:
        assert self._process is not None
        async with aiohttp.ClientSession() as session, asyncio.timeout(LISTENING_WITHIN):
            while True:
                with contextlib.suppress(aiohttp.ClientError):
                    async with session.get(f"{self.url}/healthz") as answer:
                        if answer.status == 200:
                            return
                if self._process.returncode is not None:
                    log = (self.folder / "bot.log").read_text(encoding="utf-8", errors="replace")
                    raise RuntimeError(f"the process ended with {self._process.returncode}:\n{log[-2000:]}")
                await asyncio.sleep(0.1)


def _status(pid: int, name: str) -> int:
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith(name)), 0)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
