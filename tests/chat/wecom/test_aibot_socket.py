"""The long connection: one at a time, back after every end, in bounded steps, with nothing lost that was to be said."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bot.chat.wecom import aibot_frames as frames
from bot.chat.wecom.aibot_frames import Frame
from bot.chat.wecom.aibot_socket import AibotSocket
from bot.chat.wecom.client import WecomRefusal
from bot.clock import SECOND, VirtualClock
from bot.delivery.chat import Blocked, Delay, Unclear
from bot.delivery.lease import Lease
from bot.store.database import Store
from bot.testkit.fake_aibot import BOT_ID, GROUP_ID, SECRET, FakeAibot

HELLO = {"chatid": GROUP_ID, "chat_type": 2, "msgtype": "markdown", "markdown": {"content": "大家好"}}


@pytest.fixture
async def robot(clock: VirtualClock) -> AsyncIterator[FakeAibot]:
    async with FakeAibot(clock) as fake:
        yield fake


def connection(robot: FakeAibot, clock: VirtualClock, secret: str = SECRET) -> AibotSocket:
    return AibotSocket(robot.socket_url, BOT_ID, secret, clock, jitter=lambda: 0.5)


class Line:
    """A running connection; ``until`` lets real frames pass and then moves the clock."""

    def __init__(self, socket: AibotSocket, clock: VirtualClock) -> None:
        self.socket, self.clock = socket, clock
        self.running = asyncio.create_task(socket.run())

    async def until(self, true: Callable[[], object], seconds: int = 300) -> None:
        await until(self.clock, true, seconds)

    async def end(self) -> None:
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)


async def until(clock: VirtualClock, true: Callable[[], object], seconds: int = 300) -> None:
    for _ in range(seconds):
        for _ in range(20):
            if true():
                return
            await asyncio.sleep(0.002)
        await clock.advance(SECOND)
    raise AssertionError(f"not true after {seconds} s of its clock")


async def settle() -> None:
    """Let real frames pass."""
    for _ in range(10):
        await asyncio.sleep(0.002)


async def passes(clock: VirtualClock, seconds: int) -> None:
    """Time passes with everything that happens in it."""
    for _ in range(seconds):
        for _ in range(3):
            await asyncio.sleep(0.002)
        await clock.advance(SECOND)


@pytest.fixture
async def line(robot: FakeAibot, clock: VirtualClock) -> AsyncIterator[Line]:
    one = Line(connection(robot, clock), clock)
    await one.until(lambda: one.socket.connected)
    yield one
    await one.end()


async def test_it_subscribes_pings_every_thirty_seconds_and_sends(robot: FakeAibot, line: Line) -> None:
    await line.socket.request(frames.SEND, HELLO)
    assert [message.text for message in robot.screen()] == ["大家好"]
    await line.until(lambda: len(robot.calls_of("ping")) == 3)
    assert line.clock.now() - robot.calls_of("aibot_subscribe")[0].received_at >= 90 * SECOND
    assert robot.subscriptions == 1


@pytest.mark.parametrize("how", ["close_cleanly", "cut"])
async def test_it_is_back_after_a_clean_close_and_after_a_cut(robot: FakeAibot, line: Line, how: str) -> None:
    for number in (2, 3, 4):
        await getattr(robot, how)()
        await line.until(lambda wanted=number: robot.subscriptions == wanted and line.socket.connected)  # type: ignore[misc]
    await line.socket.request(frames.SEND, HELLO)


async def test_silence_instead_of_a_pong_ends_the_connection(robot: FakeAibot, line: Line) -> None:
    robot.answers_pings = False
    await line.until(lambda: robot.subscriptions == 2)
    assert len(robot.calls_of("ping")) == 1


async def test_a_kicked_connection_does_not_fight_back_at_once(robot: FakeAibot, line: Line) -> None:
    # Kicked again and again, it waits longer each time, up to ten minutes (less a part that is left to chance).
    for number, pause in enumerate((45, 90, 180, 360, 450, 450), start=2):
        await robot.kick()
        await line.until(lambda: not line.socket.connected, 1)
        with pytest.raises(Delay):
            await line.socket.request(frames.SEND, HELLO)
        await line.clock.advance((pause - 1) * SECOND)
        await settle()
        assert robot.subscriptions == number - 1
        await line.clock.advance(2 * SECOND)
        await line.until(lambda: line.socket.connected, 1)
        assert robot.subscriptions == number
    assert robot.kicks == 6


async def test_a_server_that_hangs_up_at_once_meets_no_storm_of_tries(robot: FakeAibot, line: Line) -> None:
    robot.secret = "changed"
    robot.fail_next("aibot_subscribe", -1, times=10_000)
    await robot.cut()
    before = line.socket.connections
    await passes(line.clock, 300)
    # Pauses of 1, 2, 4 … 60 s, three quarters of them here: some ten tries in five minutes, not thousands.
    assert 5 < line.socket.connections - before < 15


async def test_a_wrong_secret_blocks_with_words_and_heals_when_it_is_mended(
    robot: FakeAibot, clock: VirtualClock
) -> None:
    robot.secret = "another"
    one = Line(connection(robot, clock), clock)

    async def refused() -> bool:
        try:
            await one.socket.request(frames.SEND, HELLO)
        except Blocked as error:
            return "853000" in str(error)
        except Delay:
            pass
        return False

    for _ in range(200):
        if await refused():
            break
        await asyncio.sleep(0.005)
    assert await refused()
    tries = one.socket.connections
    await passes(clock, 30)
    assert one.socket.connections == tries
    robot.secret = SECRET
    await one.until(lambda: one.socket.connected)
    await one.socket.request(frames.SEND, HELLO)
    await one.end()


async def test_a_lost_frame_and_a_lost_answer_are_both_unclear(robot: FakeAibot, line: Line) -> None:
    robot.lose("aibot_send_msg")
    robot.leave_unanswered("aibot_send_msg")
    for shown in (0, 1):
        sending = asyncio.create_task(line.socket.request(frames.SEND, HELLO))
        await line.until(sending.done)
        assert isinstance(sending.exception(), Unclear)
        assert len(robot.screen()) == shown
    sending = asyncio.create_task(line.socket.request(frames.SEND, HELLO))
    robot.latency(5_000, "aibot_send_msg")
    await asyncio.sleep(0.02)
    await robot.cut()
    await line.until(sending.done)
    assert sending.exception() is None or isinstance(sending.exception(), Unclear)


@pytest.mark.parametrize(
    ("code", "kind"), [(45009, Delay), (-1, Delay), (93006, Blocked), (40008, WecomRefusal), (846605, WecomRefusal)]
)
async def test_refusals_are_what_a_sender_can_act_on(
    robot: FakeAibot, line: Line, code: int, kind: type[Exception]
) -> None:
    robot.fail_next("aibot_send_msg", code)
    with pytest.raises(kind):
        await line.socket.request(frames.SEND, HELLO)


async def test_a_connection_the_server_has_forgotten_is_made_anew(robot: FakeAibot, line: Line) -> None:
    robot.fail_next("aibot_send_msg", 10003)
    with pytest.raises(Delay):
        await line.socket.request(frames.SEND, HELLO)
    await line.until(lambda: robot.subscriptions == 2 and line.socket.connected)
    await line.socket.request(frames.SEND, HELLO)
    assert len(robot.screen()) == 1


async def test_nonsense_on_the_line_is_passed_over(robot: FakeAibot, line: Line) -> None:
    assert robot.live is not None
    for text in ("", "{", "[]", "null", '{"cmd": 7, "headers": [], "body": "x"}', '{"errcode": "x", "headers": {}}'):
        await robot.live.send_str(text)
    await robot.live.send_bytes(b"\x00\xff")
    await line.socket.request(frames.SEND, HELLO)
    assert robot.subscriptions == 1


async def test_whoever_watches_hears_how_it_ended_but_not_of_a_hand_over(robot: FakeAibot, line: Line) -> None:
    heard: list[str] = []

    async def watching(state: str) -> None:
        heard.append(state)
        raise OSError("even this does not keep it from coming back")

    async def receive(frame: Frame) -> None: ...

    line.socket.listen(receive, watching)
    await robot.close_cleanly()
    await line.until(lambda: heard == ["lost", "connected"])
    await robot.kick()
    await line.until(lambda: not line.socket.connected, 1)
    await passes(line.clock, 5)
    assert heard == ["lost", "connected"]  # a worker that lost its lease is gone by now
    await line.until(lambda: heard == ["lost", "connected", "kicked", "connected"], 60)


async def test_callbacks_are_taken_in_order_and_one_that_fails_does_not_stop_the_next(
    robot: FakeAibot, line: Line
) -> None:
    taken: list[str] = []

    async def receive(frame: Frame) -> None:
        taken.append(str(frame.body["text"]["content"]))
        if len(taken) == 2:
            raise OSError("the disk is full")

    line.socket.listen(receive)
    for number in range(4):
        await robot.say("lina", f"{number}")
    await line.until(lambda: len(taken) == 4)
    assert [words[-1] for words in taken] == ["0", "1", "2", "3"]


async def test_two_processes_hand_the_one_connection_over_with_the_lease(
    robot: FakeAibot, clock: VirtualClock, tmp_path: Path
) -> None:
    store = Store(tmp_path / "two.db")
    sockets = [connection(robot, clock), connection(robot, clock)]

    async def worker(name: str, socket: AibotSocket) -> None:
        lease = Lease(store, clock, "worker", name, 15 * SECOND)
        await lease.acquire()
        work = asyncio.create_task(socket.run())
        try:
            await lease.keep()
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    workers = [asyncio.create_task(worker(name, socket)) for name, socket in zip("ab", sockets, strict=True)]
    await until(clock, lambda: any(socket.connected for socket in sockets))
    await passes(clock, 60)
    first = next(index for index, socket in enumerate(sockets) if socket.connected)
    assert robot.subscriptions == 1 and sockets[1 - first].connections == 0
    workers[first].cancel()  # dies without giving the lease back
    await until(clock, lambda: sockets[1 - first].connected, 30)
    assert (robot.subscriptions, robot.kicks) == (2, 0)
    for task in workers:
        task.cancel()
    await asyncio.gather(*workers, return_exceptions=True)
    store.close()
