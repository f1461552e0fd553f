"""A group with buttons: outbox, sender, the smart robot, the inbox and back, against the fake connection."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from sqlite_utils import Database

from bot.chat.wecom.adapter import WecomChat
from bot.chat.wecom.aibot_adapter import AibotChat
from bot.chat.wecom.aibot_inbound import AibotInbound, without_mention
from bot.chat.wecom.aibot_shown import Answering
from bot.chat.wecom.aibot_socket import AibotSocket
from bot.chat.wecom.aibot_watch import AibotWatch
from bot.chat.wecom.client import WecomClient
from bot.clock import MINUTE, SECOND, VirtualClock
from bot.config import WecomConfig
from bot.delivery import inbox, outbox
from bot.delivery.chat import Made, Refused
from bot.delivery.outbox import Row
from bot.delivery.processor import Processor
from bot.delivery.sender import Sender
from bot.model.card import Button, Card, Facts, Paragraph
from bot.model.grade import Grade
from bot.model.message import Attachment, Event, Message
from bot.store.database import Priority, Store
from bot.testkit.aibot_state import AibotMessage
from bot.testkit.fake_aibot import BOT_ID, GROUP_ID, SECRET, FakeAibot

PLACE = f"wecom:group/{GROUP_ID}"
ACK, WHY = Button("接手", "ack I-1", "primary"), Button("原因", "why I-1")
ALERT = Card(
    "I-1 星辰支付", object="incident:I-1", grade=Grade.RED, grade_label="红色预警", buttons=(ACK, WHY),
    sections=(Facts((("负面", "9"),)),),
)  # fmt: skip
TAKEN = replace(ALERT, subtitle="李娜 已接手", buttons=(WHY,))


class Room:
    """Everything between the outbox and the group. ``handled`` are the events the inbox worked off; a press of ``ack``
    enqueues the card as taken, as the incident would."""

    def __init__(self, store: Store, clock: VirtualClock, robot: FakeAibot, client: WecomClient) -> None:
        self.store, self.clock, self.robot = store, clock, robot
        self.handled: list[Event] = []
        self.works = asyncio.Event()
        self.works.set()
        answering = Answering()
        self.socket = AibotSocket(robot.socket_url, BOT_ID, SECRET, clock, jitter=lambda: 0.5)
        self.groups = AibotChat(self.socket, clock, answering, self._make)
        self.processor = Processor(store, clock, self._handle, lambda db, row, event, now: None, self._done)
        self.sender = Sender(store, clock, {"wecom": WecomChat(client, clock, groups=self.groups)})
        self.inbound = AibotInbound(
            store, clock, self.socket, self.groups, answering, stored=self.processor.wake,
            name_of=lambda account: {"lina": "李娜"}.get(account, account),
        )  # fmt: skip
        self.socket.listen(self.inbound.receive)
        self.running = [asyncio.create_task(work) for work in (self.socket.run(), self.sender.run(), self._process())]

    async def _process(self) -> None:
        await self.works.wait()
        await self.processor.run()

    def _done(self) -> None:
        self.sender.wake()

    def _handle(self, db: Database, row: int, event: Event, received_at: int, now: int) -> None:
        self.handled.append(event)
        if event.line == "ack I-1":
            outbox.enqueue(db, Message(PLACE, card=TAKEN, object="incident:I-1"), f"taken:{row}", now)

    async def _make(self, attachment: Attachment, language: str) -> Made:
        return Made(b"png", "chart.png", "image/png", "近 60 分钟 9 条")

    def put(self, message: Message, key: str) -> None:
        self.store.write_now(lambda db: outbox.enqueue(db, message, key, self.clock.now()))
        self.sender.wake()

    def alert(self, key: str = "k1", card: Card = ALERT, **more: object) -> None:
        self.put(Message(PLACE, card=card, object=card.object, **more), key)  # type: ignore[arg-type]

    def waiting(self) -> dict[str, int]:
        return self.store.read_now(outbox.backlog)

    async def until(self, true: Callable[[], object], seconds: int = 60, step: int = SECOND // 10) -> None:
        for _ in range(seconds * SECOND // step):
            for _ in range(10):
                if true():
                    return
                await asyncio.sleep(0.002)
            await self.clock.advance(step)
        shown = [message.text for message in self.robot.screen()]
        raise AssertionError(f"not true after {seconds} s; {self.waiting()}; {shown}")

    async def quiet(self) -> None:
        await self.until(lambda: not {"waiting", "sending"} & self.waiting().keys())

    async def end(self) -> None:
        for task in self.running:
            task.cancel()
        await asyncio.gather(*self.running, return_exceptions=True)
        await self.inbound.close()


@pytest.fixture
async def robot(clock: VirtualClock) -> AsyncIterator[FakeAibot]:
    async with FakeAibot(clock) as fake:
        yield fake


@pytest.fixture
async def room(tmp_path: Path, clock: VirtualClock, robot: FakeAibot, client: WecomClient) -> AsyncIterator[Room]:
    store = Store(tmp_path / "room.db")
    one = Room(store, clock, robot, client)
    await one.until(lambda: one.socket.connected)
    yield one
    await one.end()
    store.close()


async def test_an_alert_stands_in_the_group_with_its_buttons_and_calls_people(robot: FakeAibot, room: Room) -> None:
    room.alert(mentions=("lina",))
    await room.until(lambda: robot.cards())
    called, card = robot.screen()
    assert "<@lina>" in called.text and "红色预警 I-1 星辰支付" in called.text
    assert list(card.buttons) == ["ack I-1", "why I-1"] and not card.advice


async def test_a_press_is_stored_first_and_shown_with_its_outcome_on_the_same_card(
    robot: FakeAibot, room: Room
) -> None:
    room.alert()
    await room.until(lambda: robot.cards())
    pressed_at = room.clock.now()
    await robot.press(robot.cards()[0], "ack I-1", "lina")
    await room.until(lambda: "李娜 已按「接手」" in robot.cards()[0].text)
    assert room.clock.now() - pressed_at < 5 * SECOND
    assert "ack I-1" not in robot.cards()[0].buttons
    event = room.handled[0]
    assert (event.account, event.line, event.private, event.origin) == ("lina", "ack I-1", False, "card")
    assert event.destination.partition("#")[0] == PLACE
    # The group is not told a second time by a card of its own.
    await room.quiet()
    assert len(robot.screen()) == 1


async def test_a_press_that_is_not_handled_in_time_is_shown_as_received_and_the_outcome_follows(
    robot: FakeAibot, room: Room
) -> None:
    room.alert()
    await room.until(lambda: robot.cards())
    room.running[2].cancel()  # the processor stands still
    pressed_at = room.clock.now()
    await robot.press(robot.cards()[0], "ack I-1", "lina")
    await room.until(lambda: "已收到 李娜 的「接手」" in robot.cards()[0].text)
    assert room.clock.now() - pressed_at < 5 * SECOND
    assert robot.cards()[0].buttons["ack I-1"].startswith("✓")
    assert room.store.read_now(lambda db: len(inbox.waiting(db))) == 1
    room.running[2] = asyncio.create_task(room.processor.run())
    await room.until(lambda: len(robot.cards()) == 2)
    assert "李娜 已接手" in robot.cards()[1].text


async def test_pressed_twice_delivered_twice_and_pressed_by_two(robot: FakeAibot, room: Room) -> None:
    room.alert()
    await room.until(lambda: robot.cards())
    card = robot.cards()[0]
    await robot.press(card, "why I-1", "lina", times=3)
    await robot.press(card, "why I-1", "chenjing")
    await room.until(lambda: len(room.handled) >= 2)
    await room.quiet()
    assert [event.account for event in room.handled] == ["lina", "chenjing"]


async def test_two_presses_under_way_on_one_card_post_no_second_card(robot: FakeAibot, room: Room) -> None:
    room.alert()
    await room.until(lambda: robot.cards())
    await robot.press(robot.cards()[0], "why I-1", "chenjing")
    await robot.press(robot.cards()[0], "ack I-1", "lina", times=2)
    await room.until(lambda: "李娜 已接手" in robot.cards()[0].text)
    await room.quiet()
    assert len(robot.screen()) == 1


async def test_a_storm_of_presses_is_stored_and_leaves_room_for_an_alert(robot: FakeAibot, room: Room) -> None:
    room.alert()
    await room.until(lambda: robot.cards())
    for number in range(40):
        await robot.press(robot.cards()[0], "why I-1", f"member{number}")
    await room.until(lambda: len(room.handled) == 40)
    await room.until(lambda: len(robot.calls_of("aibot_respond_update_msg")) == 19)
    room.put(Message(PLACE, text="红色预警"), "k2")
    await room.until(lambda: robot.screen()[-1].text == "红色预警", 5)
    assert len(robot.calls_of("aibot_respond_update_msg")) == 19


async def test_without_the_store_nothing_is_answered_and_the_connection_lives(
    robot: FakeAibot, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.alert()
    await room.until(lambda: robot.cards())
    write = room.store.write

    async def full(job: object, priority: Priority = Priority.BULK) -> object:
        if priority is Priority.PEOPLE:
            raise OSError("no space left on device")
        return await write(job, priority)  # type: ignore[arg-type]

    monkeypatch.setattr(room.store, "write", full)
    await robot.press(robot.cards()[0], "ack I-1", "lina")
    await room.until(lambda: room.clock.now() and not room.handled, 1)
    await room.clock.advance(3 * SECOND)
    assert not robot.calls_of("aibot_respond_update_msg") and room.socket.connected
    monkeypatch.undo()
    await robot.press(robot.cards()[0], "ack I-1", "lina")
    await room.until(lambda: "李娜 已按「接手」" in robot.cards()[0].text)


async def test_a_lost_press_is_made_good_by_words_in_the_group(robot: FakeAibot, room: Room) -> None:
    room.alert()
    await room.until(lambda: robot.cards())
    await robot.press(robot.cards()[0], "ack I-1", "lina", lost=True)
    await robot.say("lina", "同意 S-12 a1b2")
    await robot.say("lina", "ack I-1", times=2)
    await room.until(lambda: len(robot.cards()) == 2)
    assert [event.line for event in room.handled] == ["同意 S-12 a1b2", "ack I-1"]


async def test_a_quotation_says_what_is_meant(robot: FakeAibot, room: Room) -> None:
    room.alert()
    await room.until(lambda: robot.cards())
    await room.quiet()
    placed = room.store.read_now(lambda db: outbox.placement(db, "incident:I-1", PLACE))
    assert placed is not None
    await robot.say("lina", "备注 已联系清算行", quoting=robot.cards()[0])
    await robot.say("lina", "备注 别的", quoting=AibotMessage(GROUP_ID, "markdown", "事件I-99不在这个群", 0))
    await room.until(lambda: len(room.handled) == 2)
    assert [(event.line, event.anchor) for event in room.handled] == [
        ("备注 已联系清算行", placed.anchor),
        ("备注 别的", ""),
    ]


async def test_an_older_card_is_brought_up_to_date_by_a_press_and_the_newest_still_comes(
    robot: FakeAibot, room: Room
) -> None:
    room.alert()
    await room.until(lambda: robot.cards())
    room.alert("k2", replace(ALERT, title="I-1 星辰支付 升级"), reason="raised")
    await room.until(lambda: len(robot.cards()) == 2)
    await robot.press(robot.cards()[0], "ack I-1", "lina", with_chat=False)
    await room.until(lambda: len(robot.cards()) == 3)
    assert "李娜 已接手" in robot.cards()[0].text and "李娜 已接手" in robot.cards()[2].text
    assert room.handled[0].destination.startswith(PLACE)


async def test_only_what_matters_becomes_another_card(robot: FakeAibot, room: Room) -> None:
    room.alert()
    await room.until(lambda: robot.cards())
    room.alert("k2", replace(ALERT, sections=(Facts((("负面", "12"),)),)))  # a figure
    await room.quiet()
    assert len(robot.cards()) == 1
    room.alert("k3", TAKEN)  # taken in another chat
    await room.until(lambda: len(robot.cards()) == 2)
    run = Card("R-1 预案", object="run:R-1", buttons=(Button("完成", "done R-1 1"),))
    room.alert("r1", run)
    await room.until(lambda: len(robot.cards()) == 3)
    room.alert("r2", replace(run, buttons=(Button("完成", "done R-1 2"),)))  # a tick of a checklist
    await room.quiet()
    assert len(robot.cards()) == 3
    # … but whoever presses finds the newest state.
    await robot.press(robot.cards()[2], "done R-1 1", "lina")
    await room.until(lambda: "done R-1 2" in robot.cards()[2].buttons)


async def test_while_the_line_is_down_everything_waits_and_then_comes_in_order(robot: FakeAibot, room: Room) -> None:
    await robot.kick()
    await room.until(lambda: not room.socket.connected)
    room.alert()
    for number in range(3):
        room.put(Message(PLACE, text=f"第 {number} 句"), f"s{number}")
    await room.clock.advance(30 * SECOND)
    assert robot.screen() == [] and sum(room.waiting().values()) == 4
    await room.until(lambda: len(robot.screen()) == 4, 90, SECOND)
    assert [message.kind for message in robot.screen()] == ["template_card", "markdown", "markdown", "markdown"]
    assert [message.text for message in robot.screen()[1:]] == ["第 0 句", "第 1 句", "第 2 句"]


async def test_thirty_a_minute_delay_and_lose_nothing(robot: FakeAibot, room: Room) -> None:
    began = room.clock.now()
    for number in range(65):
        room.put(Message(PLACE, text=f"第 {number} 句"), f"s{number}")
    await room.until(lambda: len(robot.screen()) == 65, 200, SECOND)
    assert [message.text for message in robot.screen()] == [f"第 {number} 句" for number in range(65)]
    assert room.clock.now() - began >= 2 * MINUTE
    assert all(call.status == 0 for call in robot.calls_of("aibot_send_msg"))


async def test_a_card_whose_answer_was_lost_stands_once(robot: FakeAibot, room: Room) -> None:
    robot.leave_unanswered("aibot_send_msg")
    room.alert()
    await room.until(lambda: len(robot.calls_of("aibot_send_msg")) == 2)
    await room.quiet()
    assert len(robot.screen()) == 1
    assert room.store.read_now(lambda db: outbox.placement(db, "incident:I-1", PLACE)) is not None


async def test_a_group_nobody_has_spoken_in_waits_until_somebody_does(
    robot: FakeAibot, room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    room.put(Message("wecom:group/wrkOther", text="在吗"), "k1")
    await room.until(lambda: robot.calls_of("aibot_send_msg") and room.waiting() == {"waiting": 1})
    caplog.set_level("INFO")
    await robot.say("lina", "帮助", "wrkOther")
    await room.until(lambda: robot.screen("wrkOther"))
    assert "wrkOther" in caplog.text  # the operator learns the chat id, which WeCom shows nowhere


async def test_answers_for_one_person(robot: FakeAibot, room: Room) -> None:
    room.put(Message(PLACE, text="你没有这个权限", audience="lina"), "k1")
    room.put(Message(PLACE, card=Card("联系人", sections=(Paragraph("138…"),)), audience="lina"), "k2")
    await room.until(lambda: len(robot.screen()) == 2)
    assert robot.screen()[0].text == "<@lina>\n你没有这个权限"
    # The card may hold what the group should not read, and Lina has no chat with the robot yet.
    assert "还不能私聊你" in robot.screen()[1].text and "138" not in robot.screen()[1].text
    await robot.say("lina", "帮助", "lina")
    room.put(Message(PLACE, card=Card("联系人", sections=(Paragraph("138…"),)), audience="lina"), "k3")
    await room.until(lambda: any("138" in message.text for message in robot.screen("lina")))
    assert len(robot.screen()) == 2
    await room.until(lambda: room.handled)
    event = room.handled[0]
    assert (event.line, event.private, event.destination.partition("#")[0]) == ("帮助", True, "wecom:bot/lina")


async def test_without_an_application_members_are_reached_through_the_robot(
    robot: FakeAibot, room: Room, clock: VirtualClock
) -> None:
    alone = WecomClient(WecomConfig(), clock)
    chat = WecomChat(alone, clock, groups=room.groups)
    row = Row(1, "k1", Message("wecom:lina", card=ALERT, object="incident:I-1"), 0, False, 0)
    with pytest.raises(Refused, match="never written"):
        await chat.send(row, None, None)
    await robot.say("lina", "帮助", "lina")
    placement = await chat.send(row, None, None)
    assert placement is not None and "ack I-1" in robot.cards("lina")[0].buttons
    room.store.write_now(lambda db: outbox.place(db, "incident:I-1", "wecom:lina", placement, 0))
    await robot.press(robot.cards("lina")[0], "why I-1", "lina")
    await room.until(lambda: "李娜 已按「原因」" in robot.cards("lina")[0].text)
    assert room.handled[-1].private


async def test_people_elsewhere_hear_once_that_the_groups_are_deaf_and_when_they_are_not(tmp_path: Path) -> None:
    store, clock = Store(tmp_path / "watch.db"), VirtualClock(MINUTE)
    watch = AibotWatch(store, clock, [("console:alerts", "zh-CN"), ("slack:C1", "en")])

    def said() -> list[str]:
        rows = store.read_now(lambda db: db.conn.execute("SELECT message FROM outbox ORDER BY id").fetchall())
        return [str(orjson.loads(row[0])["text"])[:40] for row in rows]

    for _ in range(4):  # a restart of the server is nobody's business
        await watch.state("lost")
        await clock.advance(MINUTE)
    await watch.state("connected")
    assert said() == []
    await watch.state("kicked")
    await watch.state("kicked")
    assert [words[:7] for words in said()] == ["企业微信智能机", "Another"]
    await watch.state("connected")
    assert "已恢复" in said()[2] and "connected again" in said()[3]
    await watch.state("lost")
    await clock.advance(6 * MINUTE)
    await watch.state("lost")
    assert "断开超过 5 分钟" in said()[4] and len(said()) == 6
    store.close()


async def test_whoever_opens_the_robot_is_greeted(robot: FakeAibot, room: Room) -> None:
    req_id = await robot.enter("lina")
    await room.until(lambda: robot.state.greetings[req_id])
    assert "概况" in robot.state.greetings[req_id]


async def test_a_picture_is_said_in_words(robot: FakeAibot, room: Room) -> None:
    room.put(Message(PLACE, attachment=Attachment("chart")), "k1")
    await room.until(lambda: robot.screen())
    assert robot.screen()[0].text == "近 60 分钟 9 条"


async def test_no_smart_robot_configured_is_said_and_not_retried(client: WecomClient, clock: VirtualClock) -> None:
    with pytest.raises(Refused, match="aibot"):
        await WecomChat(client, clock).send(Row(1, "k", Message(PLACE, text="x"), 0, False, 0), None, None)


@pytest.mark.parametrize(
    ("said", "name", "heard"),
    [
        ("@风波 同意 S-12 a1b2", "", "同意 S-12 a1b2"),
        ("@风波\u2005同意 S-12", "", "同意 S-12"),
        ("@PR 风波 状态", "PR 风波", "状态"),
        ("指派 I-1 @李娜 @风波", "风波", "指派 I-1 @李娜"),
        ("@风波 指派 I-1 @李娜", "", "指派 I-1 @李娜"),
        ("状态 @风波", "", "状态"),
        ("@风波", "", ""),
    ],
)
def test_the_mention_of_the_robot_is_not_part_of_what_is_said(said: str, name: str, heard: str) -> None:
    assert without_mention(said, name) == heard
