"""Pictures are drawn in a process of their own, which nobody has to look after."""

import asyncio
import os
import signal
import struct
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest

from bot.clock import MINUTE
from bot.model.grade import Grade
from bot.reports.charts import Chart, describe
from bot.reports.scene import Dot, Scene
from bot.reports.series import GradeChange, Series
from bot.reports.studio import DrawingFailed, Studio

START = 1_757_498_400_000
CHART = describe(
    Series(START, 5 * MINUTE, (1, 2, 3), (1, 0, 1), (0, 0, 1), (("weibo", 9),)),
    "I-1 提现失败", "zh-CN", START + 15 * MINUTE, (GradeChange(START, Grade.RED),),
)  # fmt: skip


@pytest.fixture
async def studio() -> AsyncIterator[Studio]:
    made = Studio()
    yield made
    await made.close()


def size(picture: bytes) -> tuple[int, int]:
    assert picture.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", picture[16:24])
    return width, height


def child(studio: Studio) -> int:
    assert studio._child is not None
    return studio._child.pid


async def test_pictures_asked_for_together_each_reach_who_asked(studio: Studio) -> None:
    scene = Scene(300, 200, (Dot(10, 10, 5, "ink"),), "a dot")
    await studio.warm_up()
    first = child(studio)
    chart, small, again = await asyncio.gather(studio.draw(CHART), studio.draw(scene), studio.draw(CHART))
    assert size(chart) == (1188, 630)
    assert size(small) == (300, 200)
    assert again == chart
    assert child(studio) == first  # one process for all of them


async def test_a_child_that_died_is_replaced_and_the_picture_comes_all_the_same(studio: Studio) -> None:
    await studio.draw(CHART)
    dead = child(studio)
    os.kill(dead, signal.SIGKILL)
    assert size(await studio.draw(CHART)) == (1188, 630)
    assert child(studio) != dead


async def test_what_cannot_be_drawn_says_why_and_the_next_picture_is_drawn(studio: Studio) -> None:
    broken = Chart("x", "x", "x", "x", series=None)  # type: ignore[arg-type]
    with pytest.raises(DrawingFailed, match="AttributeError"):
        await studio.draw(broken)
    first = child(studio)
    assert size(await studio.draw(CHART)) == (1188, 630)
    assert child(studio) == first


async def test_who_gives_up_waiting_leaves_no_picture_for_the_next(studio: Studio) -> None:
    await studio.warm_up()
    given_up = asyncio.create_task(studio.draw(CHART))
    await asyncio.sleep(0)  # it has the turn and waits for the answer
    given_up.cancel()
    await asyncio.gather(given_up, return_exceptions=True)
    assert size(await studio.draw(Scene(300, 200, (), "nothing"))) == (300, 200)


def test_the_child_ends_with_its_parent_even_when_that_is_killed() -> None:
    script = (
        "import asyncio, os, signal, sys\n"
        "from bot.reports.studio import Studio\n"
        "async def main():\n"
        "    studio = Studio()\n"
        "    await studio.warm_up()\n"
        "    print(studio._child.pid, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    # The child inherits the error stream, which ends only when the child has ended too: else this times out.
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    assert int(done.stdout) > 0
