"""The smart robot's long connection: the only way by which WeCom lets a group press buttons.

One connection a robot: a new one kicks the old (page 101463). So it is part of the work that the worker's lease covers,
and a kicked connection waits long before it tries again, or two programs would throw each other out for ever. The
official SDK ends silently after a clean close and gives up after ten tries; here every end leads to the next try.
"""

import asyncio
import itertools
import logging
import random
import secrets
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Any

import aiohttp

from bot.chat.wecom import aibot_frames as frames
from bot.chat.wecom.aibot_frames import Frame
from bot.clock import MINUTE, SECOND, Clock
from bot.delivery.chat import Blocked, Delay, Refused, Unclear

log = logging.getLogger(__name__)

PING_EVERY = 30 * SECOND  # page 101463
ANSWER_WITHIN = 10 * SECOND  # for a ping, a subscription, a send
FIRST_PAUSE = 1 * SECOND
LONGEST_PAUSE = 1 * MINUTE
# Kicked or refused: somebody else is connected, or a person has to mend something.
FIRST_LONG_PAUSE = 1 * MINUTE
LONGEST_LONG_PAUSE = 10 * MINUTE
SETTLED = 1 * MINUTE  # a connection that lived this long starts the pauses over
LEASE_LOST_WITHIN = 6 * SECOND  # a worker's lease is renewed every five
NOT_CONNECTED = SECOND // 2  # until a sender looks again
CONNECT_SECONDS = 15.0
WAITING_CALLBACKS = 1_000

Receive = Callable[[Frame], Awaitable[None]]
Watching = Callable[[str], Awaitable[None]]


class End(StrEnum):
    LOST = "lost"  # closed by either side, cut, silent, or never reached
    KICKED = "kicked"
    REFUSED = "refused"


class AibotSocket:
    """``run`` keeps the connection until cancelled; ``request`` sends a frame and waits for its answer.

    ``jitter`` gives a number in [0, 1): pauses are spread over their upper half, so that many do not come back at once.
    """

    def __init__(
        self, url: str, bot_id: str, secret: str, clock: Clock, *, jitter: Callable[[], float] = random.random
    ) -> None:
        self._url = url
        self._bot_id = bot_id
        self._secret = secret
        self._clock = clock
        self._jitter = jitter
        self._receive: Receive = _nobody
        self._watching: Watching | None = None
        self._next_try = 0
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._subscribed = False
        self._refused = "" if bot_id and secret else "the smart robot has no bot_id or no secret"
        self._answers: dict[str, asyncio.Future[Frame]] = {}
        self._callbacks: asyncio.Queue[Frame] = asyncio.Queue(WAITING_CALLBACKS)
        self._numbers = itertools.count(1)
        self._word = secrets.token_hex(4)
        self.connections = 0  # tries so far

    def listen(self, receive: Receive, watching: Watching | None = None) -> None:
        """Who takes callbacks, one after the other; it returns once a callback is stored. ``watching`` hears
        ``connected`` and how each connection ended."""
        self._receive, self._watching = receive, watching

    @property
    def connected(self) -> bool:
        return self._subscribed

    def demand(self) -> None:
        """Raises Delay while there is no connection, Blocked while a person has to mend something first."""
        if self._subscribed:
            return
        if self._refused:
            raise Blocked(self._refused)
        # Nothing changes before the next try.
        wait = max(NOT_CONNECTED, self._next_try + NOT_CONNECTED - self._clock.now())
        raise Delay(wait, "the smart robot is not connected")

    # -- asking

    async def request(self, cmd: str, body: dict[str, Any] | None = None, *, answering: str = "") -> Frame:
        """Send one frame and return its answer of errcode 0. ``answering`` is the ``req_id`` of a callback.

        Raises Delay when there is no connection (surely not sent), Blocked, Unclear, or a Refused.
        """
        self.demand()
        return await self._exchange(cmd, body, answering)

    async def _exchange(self, cmd: str, body: dict[str, Any] | None, answering: str = "") -> Frame:
        socket = self._socket
        if socket is None or socket.closed:
            raise Delay(NOT_CONNECTED, "the smart robot is not connected")
        req_id = answering or f"{cmd}-{self._word}-{next(self._numbers)}"
        answer: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._answers[req_id] = answer
        try:
            await socket.send_str(frames.written(cmd, req_id, body))
            frame = await self._in_time(answer)
        except (aiohttp.ClientError, ConnectionError, RuntimeError) as error:
            raise Unclear(f"the connection broke with {cmd} under way: {type(error).__name__}") from None
        finally:
            self._answers.pop(req_id, None)
        if frame is None:
            raise Unclear(f"no answer to {cmd} in {ANSWER_WITHIN // SECOND} s")
        if frame.errcode == frames.NOT_SUBSCRIBED:
            await socket.close()
            raise Delay(NOT_CONNECTED, "the smart robot has to connect anew")
        if frame.errcode:
            raise frames.refusal(frame.errcode, frame.errmsg)
        return frame

    async def _in_time(self, answer: "asyncio.Future[Frame]") -> Frame | None:
        """The answer, or ``None`` after ten seconds of the clock."""
        sleeper = asyncio.ensure_future(self._clock.sleep(ANSWER_WITHIN))
        either: list[asyncio.Future[Any]] = [answer, sleeper]
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            return answer.result() if answer.done() else None
        finally:
            sleeper.cancel()

    # -- keeping the connection

    async def run(self) -> None:
        """Connect, and again after every end, until cancelled."""
        taking = asyncio.create_task(self._take_callbacks(), name="aibot callbacks")
        short, long = FIRST_PAUSE, FIRST_LONG_PAUSE
        try:
            while True:
                began = self._clock.now()
                end = await self._one_connection()
                if self._clock.now() - began >= SETTLED:
                    short, long = FIRST_PAUSE, FIRST_LONG_PAUSE
                if end is End.LOST:
                    pause, short = short, min(short * 2, LONGEST_PAUSE)
                else:
                    pause, long = long, min(long * 2, LONGEST_LONG_PAUSE)
                pause = int(pause * (0.5 + self._jitter() / 2))
                log.warning("wecom: the smart robot's connection ended (%s); next try in %d ms", end, pause)
                self._next_try = self._clock.now() + pause
                # Whoever was kicked because another worker took the lease over is cancelled before it complains.
                await self._clock.sleep(min(pause, LEASE_LOST_WITHIN))
                await self._tell(end.value)
                await self._clock.sleep(max(0, self._next_try - self._clock.now()))
        finally:
            taking.cancel()
            await asyncio.gather(taking, return_exceptions=True)

    async def _tell(self, state: str) -> None:
        if self._watching is None:
            return
        try:
            await self._watching(state)
        except Exception:  # whatever keeps people from being told must not keep the connection from coming back
            log.exception("wecom: nobody was told that the smart robot is %s", state)

    async def _one_connection(self) -> End:
        self.connections += 1
        if not (self._bot_id and self._secret):
            return End.REFUSED
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.ws_connect(
                    self._url, max_msg_size=frames.FRAME_BYTES, timeout=aiohttp.ClientWSTimeout(ws_close=2.0)
                ) as socket,
            ):
                self._socket = socket
                return await self._live(socket)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            # Exceptions of aiohttp may hold the address, which may hold what nobody else should read.
            log.warning("wecom: the smart robot cannot connect: %s", type(error).__name__)
            return End.LOST
        finally:
            self._socket, self._subscribed = None, False
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(ConnectionResetError())

    async def _live(self, socket: aiohttp.ClientWebSocketResponse) -> End:
        """Subscribe, then read and ping until one of them ends."""
        reading = asyncio.create_task(self._read(socket), name="aibot read")
        talking = asyncio.create_task(self._talk(), name="aibot talk")
        try:
            done, _ = await asyncio.wait({reading, talking}, return_when=asyncio.FIRST_COMPLETED)
            # A connection that was kicked is closed as well: what was said about it counts.
            ends = {task.result() for task in done}
            return next((end for end in (End.KICKED, End.REFUSED) if end in ends), End.LOST)
        finally:
            for task in (reading, talking):
                task.cancel()
            await asyncio.gather(reading, talking, return_exceptions=True)

    async def _talk(self) -> End:
        try:
            await self._exchange(frames.SUBSCRIBE, {"bot_id": self._bot_id, "secret": self._secret})
            self._subscribed, self._refused = True, ""
            log.info("wecom: the smart robot is connected")
            await self._tell("connected")
            while True:
                await self._clock.sleep(PING_EVERY)
                await self._exchange(frames.PING, None)
        except Unclear as silence:
            log.warning("wecom: %s", silence)
            return End.LOST
        except Delay as busy:
            log.warning("wecom: the smart robot has to wait: %s", busy)
            return End.LOST
        except (Blocked, Refused) as refusal:
            self._refused = str(refusal)[:200]
            log.error("wecom: the smart robot is refused: %s", self._refused)
            return End.REFUSED

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> End:
        async for message in socket:
            frame = frames.read(message.data) if message.type is aiohttp.WSMsgType.TEXT else None
            if frame is None:
                continue
            if frame.event == "disconnected_event":
                # Sent to the old connection when a new one subscribed; the server closes it right after.
                log.error("wecom: another program has connected with this smart robot; only one can be connected")
                return End.KICKED
            if frame.cmd in (frames.MESSAGE, frames.EVENT):
                await self._callbacks.put(frame)
            elif frame.cmd == frames.PING and frame.req_id not in self._answers:
                await socket.send_str(frames.written(frames.PONG, frame.req_id))  # public clients expect to be asked
            elif (answer := self._answers.get(frame.req_id)) is not None and not answer.done():
                answer.set_result(frame)
        return End.LOST

    async def _take_callbacks(self) -> None:
        """Hand callbacks on in their order, apart from reading: a slow store must not look like a dead connection."""
        while True:
            frame = await self._callbacks.get()
            try:
                await self._receive(frame)
            except Exception:  # it could not be stored: not answered, so the member sees that nothing happened
                log.exception("wecom: a callback of the smart robot was not taken")


async def _nobody(frame: Frame) -> None:
    log.warning("wecom: nobody listens to the smart robot; a %s was dropped", frame.cmd)
