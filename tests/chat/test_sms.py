"""Short messages: two at most, nothing essential lost, sent once by their id, and every no sorted."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.sms import NARROW_CHARACTERS, WIDE_CHARACTERS, SmsChat, words
from bot.clock import HOUR, VirtualClock
from bot.config import SmsConfig
from bot.delivery.chat import Blocked, Delay, Refused, Unclear
from bot.delivery.outbox import Row
from bot.model.card import Card
from bot.model.grade import Grade
from bot.model.message import Message
from bot.model.text import LANGUAGES
from bot.testkit.fake_sms import FakeSms

START = 1_773_018_000_000
LINK = "https://fengbo.example/i/I-12"
ALERT = Card("星河支付 提现失败", object="incident:I-12", grade=Grade.RED, grade_label="红色预警 Ⅰ", link=LINK)


def row(key: str, card: Card | None = ALERT, phone: str = "13800000000", **more: object) -> Row:
    name = card.object if card else ""
    return Row(1, key, Message(f"sms:{phone}", card=card, object=name, **more), 0, False, START)  # type: ignore[arg-type]


@pytest.fixture
async def gateway() -> AsyncIterator[FakeSms]:
    async with FakeSms(VirtualClock(START)) as fake:
        yield fake


@pytest.fixture
async def chat(gateway: FakeSms) -> AsyncIterator[SmsChat]:
    config = SmsConfig(url=gateway.send_url, token_env="TOKEN")
    one = SmsChat(config, VirtualClock(START), environ={"TOKEN": gateway.token}, timeout_seconds=0.5)
    yield one
    await one.close()


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


async def test_an_alert_is_mark_grade_title_and_link(gateway: FakeSms, chat: SmsChat) -> None:
    await chat.send(row("k1"), None, None)
    (message,) = gateway.to("13800000000")
    assert message.text == f"[红色预警 Ⅰ] 星河支付 提现失败 {LINK}"


def test_a_drill_is_marked_first() -> None:
    drill = Card("提现失败", grade_label="红色预警", drill="【演练】")
    assert words(Message("sms:1", card=drill)) == "[演练][红色预警] 提现失败"


@pytest.mark.parametrize(
    ("card", "end"),
    [
        (Card("很长的标题" * 60, grade_label="红色预警", link=LINK), f"… {LINK}"),
        (Card("很长的标题" * 60, grade_label="红色预警"), "…详情请看工作群"),
        (Card("很长的标题" * 60, link="https://fengbo.example/" + "x" * 200), "…详情请看工作群"),
    ],
)
def test_a_title_that_is_too_long_says_so_and_where_the_rest_is(card: Card, end: str) -> None:
    text = words(Message("sms:1", card=card))
    assert text.endswith(end)
    assert units(text) == WIDE_CHARACTERS


def test_latin_text_may_use_the_longer_alphabet() -> None:
    title = "Withdrawals fail " * 15
    assert words(Message("sms:1", card=Card(title, link=LINK))) == f"{title.strip()} {LINK}"


@given(st.text(), st.text(), st.text(), st.sampled_from(["", LINK, "x"]), st.sampled_from(LANGUAGES))
def test_never_more_than_two_messages_and_never_a_second_line(
    title: str, label: str, drill: str, link: str, language: str
) -> None:
    text = words(Message("sms:1", card=Card(title, grade_label=label, drill=drill, link=link), language=language))
    assert units(text) <= (NARROW_CHARACTERS if text.isascii() else WIDE_CHARACTERS)
    assert "\n" not in text and "【" not in text
    assert link != LINK or text.endswith(LINK)


async def test_a_lost_answer_is_unclear_and_the_resend_is_one_message(gateway: FakeSms, chat: SmsChat) -> None:
    gateway.drop_after_effect("send")
    with pytest.raises(Unclear):
        await chat.send(row("k1"), None, None)
    assert await chat.find(row("k1")) == (False, None)
    await chat.send(row("k1"), None, None)
    await chat.send(row("k2"), None, None)
    assert len(gateway.sent) == 2


async def test_the_body_follows_the_template_and_values_are_not_parsed_again(gateway: FakeSms) -> None:
    config = SmsConfig(
        url=gateway.send_url,
        token_env="TOKEN",
        body={"to": "{phone}", "text": "{text}退订回T", "idempotency_key": "{id}", "sign": "{other}"},
    )
    chat = SmsChat(config, VirtualClock(START), environ={"TOKEN": gateway.token})
    await chat.send(row("k1", Card("{phone} {id}")), None, None)
    await chat.close()
    (call,) = gateway.calls
    assert call.body["text"] == "{phone} {id}退订回T"
    assert call.body["sign"] == "{other}"
    assert call.body["idempotency_key"] == call.headers["Idempotency-Key"]


async def test_edits_need_a_reason(gateway: FakeSms, chat: SmsChat) -> None:
    placed = await chat.send(row("k1"), None, None)
    assert await chat.send(row("k2"), placed, None) == placed
    await chat.send(row("k3", reason="grade_raised"), placed, None)
    assert len(gateway.sent) == 2


@pytest.mark.parametrize(
    ("status", "retry_after", "error", "wait"),
    [
        (429, 7, Delay, 7_000),
        (429, None, Delay, 30_000),
        (503, 100_000, Delay, HOUR),
        (500, None, Unclear, 0),
        (401, None, Blocked, 0),
        (302, None, Blocked, 0),
        (400, None, Refused, 0),
        (409, None, None, 0),
    ],
)
async def test_a_status_says_whether_to_wait_to_mend_or_to_give_up(
    gateway: FakeSms, chat: SmsChat, status: int, retry_after: int | None, error: type[Exception] | None, wait: int
) -> None:
    gateway.fail_next("send", "no", status=status, retry_after=retry_after)
    if error is None:
        await chat.send(row("k1"), None, None)
        return
    with pytest.raises(error) as caught:
        await chat.send(row("k1"), None, None)
    if isinstance(caught.value, Delay):
        assert caught.value.milliseconds == wait


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("Mon, 09 Mar 2026 01:00:20 GMT", 20_000),
        ("Mon, 09 Mar 2026 00:00:00 GMT", 1_000),
        ("soon", 30_000),
        ("0", 1_000),
    ],
)
def test_retry_after_may_be_a_date(chat: SmsChat, header: str, wait: int) -> None:
    assert chat._wait(header) == wait


@pytest.mark.parametrize("phone", ["", "abc", "138 0000", "+", "1" * 20])
async def test_a_number_that_is_none_is_refused_before_any_call(gateway: FakeSms, chat: SmsChat, phone: str) -> None:
    with pytest.raises(Refused):
        await chat.send(row("k1", phone=phone), None, None)
    assert gateway.calls == []


async def test_a_number_the_gateway_does_not_take_is_refused(gateway: FakeSms, chat: SmsChat) -> None:
    gateway.blocked.add("13800000000")
    with pytest.raises(Refused, match="invalid_number"):
        await chat.send(row("k1"), None, None)


async def test_a_gateway_that_does_not_listen_blocks() -> None:
    chat = SmsChat(SmsConfig(url="http://127.0.0.1:9/send"), VirtualClock(START))
    with pytest.raises(Blocked):
        await chat.send(row("k1"), None, None)
    await chat.close()
