"""The outbox, the real sender and WeCom: limits delay and lose nothing, and what has a reason is said."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bot.chat.wecom.adapter import WecomChat
from bot.clock import SECOND, VirtualClock
from bot.delivery import outbox
from bot.delivery.sender import Sender
from bot.model.card import Button, Card
from bot.model.message import Message
from bot.store.database import Store
from bot.testkit.fake_wecom import ROBOT_KEY, FakeWeCom


class Desk:
    """A store with a running sender; ``until`` moves the clock until something is true."""

    def __init__(self, store: Store, clock: VirtualClock, sender: Sender) -> None:
        self.store, self.clock, self.sender = store, clock, sender

    def put(self, key: str, destination: str, shown: Card | str, **more: object) -> None:
        is_card = isinstance(shown, Card)
        message = Message(
            destination,
            card=shown if isinstance(shown, Card) else None,
            text="" if isinstance(shown, Card) else shown,
            object="incident:I-1" if is_card else "",
            **more,  # type: ignore[arg-type]
        )
        self.store.write_now(lambda db: outbox.enqueue(db, message, key, self.clock.now()))
        self.sender.wake()

    def backlog(self) -> dict[str, int]:
        return self.store.read_now(outbox.backlog)

    async def until(self, true: Callable[[], object], seconds: int = 600) -> None:
        for _ in range(seconds * 4):
            for _ in range(20):
                if true():
                    return
                await asyncio.sleep(0.002)
            await self.clock.advance(SECOND)
            self.sender.wake()
        raise AssertionError(f"not true after {seconds} s of its clock; backlog {self.backlog()}")


@pytest.fixture
async def desk(tmp_path: Path, clock: VirtualClock, chat: WecomChat) -> AsyncIterator[Desk]:
    store = Store(tmp_path / "desk.db")
    sender = Sender(store, clock, {"wecom": chat})
    running = asyncio.create_task(sender.run())
    yield Desk(store, clock, sender)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    store.close()


def card(text: str) -> Card:
    return Card(text, object="incident:I-1", buttons=(Button("认领", "ack I-1"),))


async def test_a_storm_of_45009_delays_and_loses_nothing_and_keeps_the_order(wecom: FakeWeCom, desk: Desk) -> None:
    wecom.rate_limit(f"robot:{ROBOT_KEY}", 2, 60)
    for number in range(6):
        desk.put(f"k{number}", "wecom:robot/pr", f"消息 {number}")
    desk.put("m1", "wecom:lina", "不受影响")
    await desk.until(lambda: wecom.inbox("lina"), seconds=5)
    await desk.until(lambda: len(wecom.robot()) == 6)
    assert [post.text for post in wecom.robot()] == [f"消息 {number}" for number in range(6)]
    assert desk.clock.now() - wecom.robot()[0].sent_at >= 120 * SECOND


async def test_an_answer_that_was_lost_is_sent_again_and_shown_once(wecom: FakeWeCom, desk: Desk) -> None:
    wecom.drop_after_effect("message/send", times=2)
    desk.put("k1", "wecom:lina", card("一"))
    await desk.until(lambda: not desk.backlog())
    assert len(wecom.inbox("lina")) == 1
    assert desk.store.read_now(lambda db: outbox.placement(db, "incident:I-1", "wecom:lina")) is not None


async def test_a_reason_survives_when_a_newer_edit_takes_the_place_of_its_row(wecom: FakeWeCom, desk: Desk) -> None:
    desk.put("k1", "wecom:robot/pr", card("一"))
    await desk.until(lambda: len(wecom.robot()) == 1 and not desk.backlog())
    wecom.fail_next("webhook/send", 45009)
    desk.put("k2", "wecom:robot/pr", card("升为红色"), reason="raised", mentions=("lina",))
    await desk.until(lambda: wecom.calls_of("webhook/send")[-1].answer and desk.backlog().get("waiting"))
    desk.put("k3", "wecom:robot/pr", card("红色，新数字"))
    await desk.until(lambda: not desk.backlog())
    assert len(wecom.robot()) == 2
    assert "红色，新数字" in wecom.robot()[-1].text and "<@lina>" in wecom.robot()[-1].text
