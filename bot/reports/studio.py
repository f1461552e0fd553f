"""Draws pictures in a child process. Importing matplotlib and drawing hold Python's one lock for up to two seconds on a
busy machine; in here a press would wait for them.

The child lives as long as its parent: it reads pictures from a pipe, which ends with the parent however that ends.
"""

import asyncio
import os
import pickle
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress

from bot.reports import png, scene_png
from bot.reports.charts import Chart
from bot.reports.scene import Scene

Picture = Chart | Scene
LENGTH = 4  # bytes of a frame's head
DRAWN, FAILED = b"+", b"-"
GENTLE = 5  # how much nicer than its parent the child is: nobody's press waits for a picture
ENDS_WITHIN = 5.0  # seconds


class DrawingFailed(RuntimeError):
    """The picture could not be drawn; the message says why."""


class Studio:
    """One child, started with the first picture and again when it has died. Pictures are drawn one after the other."""

    def __init__(self) -> None:
        self._child: Process | None = None
        self._turn = asyncio.Lock()

    async def warm_up(self) -> None:
        """Have the child import what it needs, so that the first real picture takes no longer than the others."""
        await self._ask(None)

    async def draw(self, picture: Picture) -> bytes:
        """The picture as a PNG. Raises ``DrawingFailed``."""
        return await self._ask(picture)

    async def close(self) -> None:
        """Let the child end; what it is drawing is given up."""
        child, self._child = self._child, None
        if child is None or child.stdin is None:
            return
        child.stdin.close()
        try:
            await asyncio.wait_for(child.wait(), ENDS_WITHIN)
        except TimeoutError:
            await _kill(child)

    async def _ask(self, picture: Picture | None) -> bytes:
        body = pickle.dumps(picture)
        async with self._turn:
            try:
                return await self._exchange(body)
            except (ConnectionError, asyncio.IncompleteReadError):
                # It died, perhaps of this picture, perhaps long ago: a new one tries once more.
                try:
                    return await self._exchange(body)
                except (ConnectionError, asyncio.IncompleteReadError) as error:
                    raise DrawingFailed("the process that draws pictures ended") from error

    async def _exchange(self, body: bytes) -> bytes:
        child = await self._running()
        assert child.stdin is not None and child.stdout is not None
        try:
            child.stdin.write(len(body).to_bytes(LENGTH, "big") + body)
            await child.stdin.drain()
            size = int.from_bytes(await child.stdout.readexactly(LENGTH), "big")
            answer = await child.stdout.readexactly(size)
        except BaseException:
            # Also when whoever waited was cancelled: the next one must not get this one's picture.
            self._child = None
            await _kill(child)
            raise
        if answer[:1] != DRAWN:
            raise DrawingFailed(answer[1:].decode(errors="replace"))
        return answer[1:]

    async def _running(self) -> Process:
        if self._child is None or self._child.returncode is not None:
            # A session of its own: Ctrl-C in the terminal is for the parent, which lets the child end.
            self._child = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot.reports.studio", stdin=PIPE, stdout=PIPE, start_new_session=True
            )
        return self._child


async def _kill(child: Process) -> None:
    with suppress(ProcessLookupError):
        child.kill()
    await child.wait()


def serve() -> None:
    """The child: a picture in, a PNG out, until the pipe ends."""
    os.nice(GENTLE)
    source, target = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not get between the pictures
    while head := source.read(LENGTH):
        picture = pickle.loads(source.read(int.from_bytes(head, "big")))
        answer = _answer(picture)
        target.write(len(answer).to_bytes(LENGTH, "big") + answer)
        target.flush()


def _answer(picture: Picture | None) -> bytes:
    try:
        match picture:
            case None:
                png.warm_up()
                return DRAWN
            case Chart():
                return DRAWN + png.draw_now(picture)
            case Scene():
                return DRAWN + scene_png.draw_now(picture)
    except Exception as error:  # noqa: BLE001 - the parent raises it where somebody waits for the picture
        return FAILED + f"{type(error).__name__}: {error}".encode()


if __name__ == "__main__":
    serve()
