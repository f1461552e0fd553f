"""The console as a chat: deliveries become rows, once, in place, for the right eyes."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bot.chat.console import messages
from bot.chat.console.adapter import ConsoleChat
from bot.chat.console.hub import Hub, News
from bot.clock import SystemClock, VirtualClock
from bot.delivery.chat import Made, Refused
from bot.delivery.outbox import Placement, Row
from bot.model.card import Card
from bot.model.grade import Grade
from bot.model.message import Attachment, Message
from bot.store.database import Store

CARD = Card(title="I-1 提现失败", object="incident:I-1", grade=Grade.BLUE)


class Desk:
    """A chat on a store of its own."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "fengbo.db")
        self.clock = VirtualClock(1_757_500_000_000)
        self.hub = Hub(self.store, self.clock)
        self.chat = ConsoleChat(self.store, self.clock, self.hub, frozenset({"lina"}), self.make)
        self.made = 0

    async def make(self, attachment: Attachment, language: str) -> Made:
        self.made += 1
        return Made(b"picture %d" % self.made, "chart.png", "image/png", f"{attachment.kind} {language}")

    async def send(
        self, message: Message, key: str = "k1", placement: Placement | None = None, thread: Placement | None = None
    ) -> Placement:
        found = await self.chat.send(Row(1, key, message, 0, False, self.clock.now()), placement, thread)
        assert found is not None
        return found

    def page(self, account: str = "lina", channel: str = "alerts") -> list[messages.Entry]:
        return self.store.read_now(lambda db: messages.page(db, account, channel))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


async def test_a_message_sent_again_with_its_key_stands_once(desk: Desk) -> None:
    first = await desk.send(Message("console:alerts", text="一条"))
    again = await desk.send(Message("console:alerts", text="一条"))
    assert first == again
    assert [entry.text for entry in desk.page()] == ["一条"]
    assert first == Placement(f"console/{first.reference['id']}", {"id": first.reference["id"]})


async def test_a_card_is_rewritten_in_its_place_and_told_as_news(desk: Desk) -> None:
    place = await desk.send(Message("console:alerts", card=CARD, object=CARD.object))
    await desk.send(Message("console:alerts", text="后来的话"), "k2")
    before = desk.store.read_now(messages.latest)
    await desk.clock.advance(60_000)
    worse = Message("console:alerts", card=replace(CARD, grade=Grade.RED), object=CARD.object)
    assert await desk.send(worse, "k3", place) == place
    shown = desk.page()
    assert [(entry.card.grade if entry.card else None) for entry in shown] == [Grade.RED, None]
    assert shown[0].changed_at == shown[0].posted_at + 60_000
    news = desk.store.read_now(lambda db: messages.changed(db, "lina", before, 10))
    assert [entry.id for entry in news] == [place.reference["id"]]


async def test_a_message_that_retention_removed_is_said_anew(desk: Desk) -> None:
    place = await desk.send(Message("console:alerts", card=CARD, object=CARD.object))
    desk.store.write_now(lambda db: db.conn.execute("DELETE FROM console_message"))
    again = await desk.send(Message("console:alerts", card=CARD, object=CARD.object), "k2", place)
    assert [entry.id for entry in desk.page()] == [again.reference["id"]]


async def test_an_unclear_delivery_is_found_by_its_key(desk: Desk) -> None:
    row = Row(1, "k1", Message("console:alerts", text="到了吗"), 1, True, 0)
    assert await desk.chat.find(row) == (False, None)
    place = await desk.chat.send(row, None, None)
    assert await desk.chat.find(row) == (True, place)


@pytest.mark.parametrize(
    ("message", "channel", "for_lina", "for_others"),
    [
        (Message("console:alerts", text="x"), "alerts", 1, 1),
        (Message("console:alerts#answers", text="x"), "alerts", 1, 1),
        (Message("console:alerts", text="x", audience="lina"), "alerts", 1, 0),
        (Message("console:lina", text="x"), "@lina", 1, 0),
        (Message("console:@lina", text="x"), "@lina", 1, 0),
    ],
)
async def test_an_answer_is_seen_by_those_it_is_for(
    desk: Desk, message: Message, channel: str, for_lina: int, for_others: int
) -> None:
    place = await desk.send(message)
    identity = place.reference["id"]
    for account, count in (("lina", for_lina), ("zhaolei", for_others)):
        assert len(desk.page(account, channel)) == count
        assert len(desk.store.read_now(lambda db, who=account: messages.changed(db, who, 0, 10))) == count
        assert (desk.store.read_now(lambda db, who=account: messages.get(db, who, identity)) is not None) == count


async def test_a_destination_without_a_channel_is_refused(desk: Desk) -> None:
    with pytest.raises(Refused):
        await desk.send(Message("console:#lane", text="x"))


async def test_a_thread_names_what_it_is_about_unless_that_is_private(desk: Desk) -> None:
    place = await desk.send(Message("console:alerts", card=CARD, object=CARD.object))
    await desk.send(Message("console:alerts", text="跟进"), "k2", thread=place)
    reply = desk.page()[1]
    assert (reply.thread, reply.about, reply.anchor) == (place.reference["id"], CARD.title, place.anchor)
    hidden = await desk.send(Message("console:alerts", card=CARD, audience="lina"), "k3")
    await desk.send(Message("console:alerts", text="跟进"), "k4", thread=hidden)
    assert desk.page("zhaolei")[-1].about == ""


async def test_an_attachment_is_kept_replaced_and_guarded_like_its_message(desk: Desk) -> None:
    message = Message("console:alerts", attachment=Attachment("chart"), audience="lina", language="en")
    place = await desk.send(message)
    first = desk.page()[0].picture
    assert first is not None
    assert (first.name, first.media_type, first.caption) == ("chart.png", "image/png", "chart en")
    await desk.send(message, "k2", place)
    second = desk.page()[0].picture
    assert second is not None

    def read(account: str, identity: str) -> object:
        return desk.store.read_now(lambda db: messages.content(db, account, identity))

    assert read("lina", second.id) == ("chart.png", "image/png", b"picture 2")
    assert read("lina", first.id) is None
    assert read("zhaolei", second.id) is None


async def test_a_reader_hears_at_once_of_what_this_process_sends(desk: Desk) -> None:
    waiting = asyncio.create_task(desk.hub.wait(News(), 5_000))
    await asyncio.sleep(0)
    await desk.send(Message("console:alerts", text="新的"))
    assert (await waiting).revision == 1


async def test_a_reader_hears_of_what_another_process_wrote(tmp_path: Path) -> None:
    """Two stores on one file stand for two processes; the second looks every half second."""
    here, there = Desk(tmp_path), Store(tmp_path / "fengbo.db")
    hub = Hub(there, SystemClock())
    async with hub.reading():
        await here.send(Message("console:alerts", text="从另一个进程"))
        news = News()
        while news.revision == 0:
            seen, news = news, await hub.wait(news, 5_000)
            assert news != seen, "nothing was heard within five seconds"
    there.close()
