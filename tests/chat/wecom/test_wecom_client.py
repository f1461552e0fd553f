"""One token for everybody, and every way WeCom says no turned into what the sender can do about it."""

import asyncio

import pytest

from bot.chat.wecom.client import WecomClient, WecomRefusal
from bot.clock import SECOND, VirtualClock
from bot.delivery.chat import Blocked, Delay, Refused, Unclear
from bot.testkit.fake_wecom import FakeWeCom
from tests.chat.wecom.conftest import environ, wecom_config

HELLO = {"touser": "lina", "agentid": 1000002, "msgtype": "text", "text": {"content": "hello"}}


async def send(client: WecomClient) -> dict[str, object]:
    return await client.call("message/send", HELLO)


async def test_twenty_calls_at_once_share_one_token(wecom: FakeWeCom, client: WecomClient) -> None:
    await asyncio.gather(*(send(client) for _ in range(20)))
    assert len(wecom.calls_of("gettoken")) == 1
    assert len(wecom.calls_of("message/send")) == 20


@pytest.mark.parametrize("loss", ["revoke_tokens", "expire_tokens"])
async def test_a_token_lost_on_the_way_is_asked_for_once_and_the_calls_go_through(
    wecom: FakeWeCom, client: WecomClient, clock: VirtualClock, loss: str
) -> None:
    await send(client)
    await clock.advance(10 * SECOND)
    getattr(wecom.corporation, loss)()
    await asyncio.gather(*(send(client) for _ in range(10)))
    assert len(wecom.calls_of("gettoken")) == 2
    assert len(wecom.inbox("lina")) == 11


async def test_a_token_that_is_rejected_again_and_again_does_not_hammer_gettoken(
    wecom: FakeWeCom, client: WecomClient, clock: VirtualClock
) -> None:
    wecom.fail_next("message/send", 40014, times=100)
    with pytest.raises(Delay) as caught:
        await send(client)
    assert caught.value.milliseconds == 5 * SECOND
    for _ in range(5):
        with pytest.raises((Delay, Blocked)):
            await send(client)
    assert len(wecom.calls_of("gettoken")) == 1
    await clock.advance(5 * SECOND)
    with pytest.raises(Blocked):
        await send(client)
    assert len(wecom.calls_of("gettoken")) == 2


async def test_a_token_is_renewed_before_it_expires(wecom: FakeWeCom, client: WecomClient, clock: VirtualClock) -> None:
    await send(client)
    await clock.advance(6_899 * SECOND)
    await send(client)
    assert len(wecom.calls_of("gettoken")) == 1
    await clock.advance(2 * SECOND)
    await send(client)
    assert len(wecom.calls_of("gettoken")) == 2


async def test_a_wrong_secret_blocks_and_is_not_tried_at_once_again(wecom: FakeWeCom, clock: VirtualClock) -> None:
    secrets = {**environ(wecom), "SECRET": "wrong"}
    client = WecomClient(wecom_config(wecom.base_url), clock, environ=secrets)
    for _ in range(3):
        with pytest.raises(Blocked, match="40001") as caught:
            await send(client)
        assert "wrong" not in str(caught.value)
    assert len(wecom.calls_of("gettoken")) == 1
    await client.close()


@pytest.mark.parametrize(
    ("errcode", "error", "wait"),
    [
        (-1, Delay, 5_000),
        (45009, Delay, 60_000),
        (45033, Delay, 60_000),
        (40001, Blocked, 0),
        (40013, Blocked, 0),
        (60020, Blocked, 0),
        (48002, Blocked, 0),
        (40008, Refused, 0),
        (40058, Refused, 0),
        (41048, Refused, 0),
        (44004, Refused, 0),
        (99999, Refused, 0),
    ],
)
async def test_an_errcode_says_whether_to_wait_to_mend_or_to_give_up(
    wecom: FakeWeCom, client: WecomClient, errcode: int, error: type[Exception], wait: int
) -> None:
    wecom.fail_next("message/send", errcode)
    with pytest.raises(error) as caught:
        await send(client)
    if isinstance(caught.value, Delay):
        assert caught.value.milliseconds == wait
    if isinstance(caught.value, WecomRefusal):
        assert caught.value.code == errcode
    assert len(wecom.inbox("lina")) == 0


@pytest.mark.parametrize(
    ("trouble", "error"),
    [("drop_before_effect", Unclear), ("drop_after_effect", Unclear), ("hang", Unclear)],
)
async def test_a_call_without_an_answer_is_unclear(
    wecom: FakeWeCom, client: WecomClient, trouble: str, error: type[Exception]
) -> None:
    await send(client)
    getattr(wecom, trouble)("message/send")
    with pytest.raises(error) as caught:
        await send(client)
    assert "access_token" not in str(caught.value)


async def test_without_a_token_nothing_is_unclear(wecom: FakeWeCom, client: WecomClient) -> None:
    wecom.drop_after_effect("gettoken", times=2)  # aiohttp itself tries a GET a second time
    with pytest.raises(Blocked):
        await send(client)


@pytest.mark.parametrize(("status", "error"), [(502, Unclear), (500, Unclear), (404, Blocked), (429, Delay)])
async def test_an_http_error_is_sorted_too(
    wecom: FakeWeCom, client: WecomClient, status: int, error: type[Exception]
) -> None:
    await send(client)
    wecom.fail_next("message/send", status=status)
    with pytest.raises(error):
        await send(client)


async def test_a_host_that_does_not_listen_blocks(clock: VirtualClock) -> None:
    client = WecomClient(wecom_config("http://127.0.0.1:9/cgi-bin/"), clock, environ={"SECRET": "s3cret-value"})
    with pytest.raises(Blocked) as caught:
        await send(client)
    assert "s3cret-value" not in str(caught.value)
    await client.close()
