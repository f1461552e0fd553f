"""Cards stand, are rewritten while codes last, and are never lost to a limit or a lost answer."""

from collections.abc import Callable

import pytest

from bot.chat.wecom.adapter import WecomChat
from bot.chat.wecom.codes import ResponseCodes
from bot.clock import HOUR, MINUTE, SECOND, VirtualClock
from bot.delivery.chat import Blocked, Delay, Made, Refused, Unclear
from bot.delivery.outbox import Placement, Row
from bot.model.card import Button, Card, Paragraph
from bot.model.grade import Grade
from bot.model.message import Attachment, Message
from bot.testkit.fake_wecom import ROBOT_KEY, FakeWeCom

BUTTONS = (Button("认领", "ack I-12", "primary"), Button("原因", "why I-12"))
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100


def card(text: str, grade: Grade = Grade.YELLOW, **more: object) -> Card:
    return Card(f"星河支付 {text}", object="incident:I-12", grade=grade, buttons=BUTTONS, **more)  # type: ignore[arg-type]


def row(key: str, shown: Card | str, destination: str = "wecom:lina", unclear: bool = False, **more: object) -> Row:
    message = (
        Message(destination, text=shown, **more)  # type: ignore[arg-type]
        if isinstance(shown, str)
        else Message(destination, card=shown, object=shown.object, **more)  # type: ignore[arg-type]
    )
    return Row(1, key, message, int(unclear), unclear, 0)


async def post(chat: WecomChat, one: Row, placement: Placement | None = None) -> Placement:
    placed = await chat.send(one, placement, None)
    assert placed is not None
    return placed


async def test_a_card_is_rewritten_in_place_with_the_code_of_its_send(wecom: FakeWeCom, chat: WecomChat) -> None:
    placed = await post(chat, row("k1", card("升温")))
    again = await post(chat, row("k2", card("已认领")), placed)
    (shown,) = wecom.inbox("lina")
    assert "已认领" in shown.visible("lina") and "升温" not in shown.visible("lina")
    assert again.anchor == placed.anchor
    assert again.reference["send"] == []


async def test_every_code_is_used_once_and_then_a_card_that_matters_is_posted_anew(
    wecom: FakeWeCom, chat: WecomChat
) -> None:
    placed = await post(chat, row("k1", card("一")))
    placed = await post(chat, row("k2", card("二")), placed)
    raised = await post(chat, row("k3", card("三", Grade.RED), reason="raised"), placed)
    assert len(wecom.calls_of("message/update_template_card")) == 1
    first, second = wecom.inbox("lina")
    assert "二" in first.visible("lina") and "三" in second.visible("lina")
    assert raised.anchor == placed.anchor and raised.reference["tasks"] == [second.task_id]
    await post(chat, row("k4", card("四", Grade.RED)), raised)
    assert "四" in wecom.inbox("lina")[1].visible("lina")


async def test_new_figures_alone_are_not_worth_a_second_card_when_codes_are_used_up(
    wecom: FakeWeCom, chat: WecomChat
) -> None:
    placed = await post(chat, row("k1", card("一")))
    placed = await post(chat, row("k2", card("二")), placed)
    same = await post(chat, row("k3", card("三")), placed)
    assert same == placed
    assert len(wecom.inbox("lina")) == 1


async def test_the_newest_click_is_used_before_the_code_of_the_send(
    wecom: FakeWeCom, chat: WecomChat, response_codes: ResponseCodes, clock: VirtualClock
) -> None:
    placed = await post(chat, row("k1", card("一")))
    (shown,) = wecom.inbox("lina")
    click = wecom.corporation.new_code(shown)
    response_codes.clicked(shown.task_id, click, clock.now())
    placed = await post(chat, row("k2", card("二")), placed)
    assert placed.reference["send"] and placed.reference["clicks"] == []
    placed = await post(chat, row("k3", card("三")), placed)
    used = [call.body["response_code"] for call in wecom.calls_of("message/update_template_card")]
    assert used[0] == click and len(set(used)) == len(used) == 2
    assert "三" in shown.visible("lina") and len(wecom.inbox("lina")) == 1


async def test_codes_older_than_72_hours_are_not_tried(wecom: FakeWeCom, chat: WecomChat, clock: VirtualClock) -> None:
    placed = await post(chat, row("k1", card("一")))
    await clock.advance(72 * HOUR)
    await post(chat, row("k2", card("二"), reason="raised"), placed)
    assert not wecom.calls_of("message/update_template_card")
    assert len(wecom.inbox("lina")) == 2


async def test_a_code_that_wecom_refuses_leads_to_a_new_card(wecom: FakeWeCom, chat: WecomChat) -> None:
    placed = await post(chat, row("k1", card("一")))
    wecom.corporation.codes.clear()
    await post(chat, row("k2", card("二", Grade.RED)), placed)
    assert [("二" in one.visible("lina")) for one in wecom.inbox("lina")] == [False, True]


async def test_a_rewrite_whose_answer_was_lost_is_recognised_by_its_used_code(
    wecom: FakeWeCom, chat: WecomChat
) -> None:
    placed = await post(chat, row("k1", card("一")))
    wecom.drop_after_effect("message/update_template_card")
    with pytest.raises(Unclear):
        await chat.send(row("k2", card("二"), reason="raised"), placed, None)
    again = await post(chat, row("k2", card("二"), reason="raised", unclear=True), placed)
    assert again.reference["send"] == []
    assert [one.kind for one in wecom.inbox("lina")] == ["template_card", "text"]
    assert "二" in wecom.inbox("lina")[0].visible("lina")


async def test_the_same_words_twice_arrive_twice_and_a_resend_of_one_does_not(
    wecom: FakeWeCom, chat: WecomChat
) -> None:
    for key in ("k1", "k2"):
        await chat.send(row(key, "可以这样说……"), None, None)
    wecom.drop_after_effect("message/send")
    with pytest.raises(Unclear):
        await chat.send(row("k3", "可以这样说……"), None, None)
    await chat.send(row("k3", "可以这样说……", unclear=True), None, None)
    assert len(wecom.inbox("lina")) == 3


async def test_a_newer_card_under_the_same_key_is_not_mistaken_for_the_one_that_was_interrupted(
    wecom: FakeWeCom, chat: WecomChat
) -> None:
    long = (Paragraph("很长。" * 300),)
    wecom.rate_limit("message/send", 1, 60)
    with pytest.raises(Delay):
        await chat.send(row("k1", card("旧", sections=long)), None, None)
    wecom.rate_limit("message/send", 0, 60)
    await chat.send(row("k1", card("新", sections=long)), None, None)
    assert "新" in [one for one in wecom.inbox("lina") if one.kind == "template_card"][-1].visible("lina")


async def test_a_chart_alone_is_one_picture(wecom: FakeWeCom, chat: WecomChat) -> None:
    chat._make = maker()  # type: ignore[assignment]
    for destination in ("wecom:lina", "wecom:robot/pr"):
        await chat.send(row(f"k{destination}", "", destination, attachment=Attachment("chart")), None, None)
    assert [one.kind for one in wecom.inbox("lina")] == ["image"]
    assert [one.kind for one in wecom.robot()] == ["image"]


@pytest.mark.parametrize("known", [True, False])
async def test_without_a_callback_the_alert_comes_without_buttons(
    wecom: FakeWeCom, chat: WecomChat, clock: VirtualClock, known: bool
) -> None:
    wecom.callback_configured = False
    if known:
        chat._client.has_callback = False
    await post(chat, row("k1", card("一")))
    await post(chat, row("k2", card("二", link="https://fengbo.example/1")))
    await chat.send(row("k3", card("三"), "wecom:robot/pr"), None, None)
    plain, linked = wecom.inbox("lina")
    assert (plain.kind, linked.kind) == ("markdown", "template_card")
    assert linked.card("lina")["card_type"] == "text_notice" and not linked.buttons("lina")
    assert ("认领" in plain.text, "回复" in plain.text) == (False, False)
    assert ("回复" in wecom.robot()[0].text) != known


async def test_a_post_whose_answer_was_lost_is_not_shown_twice(wecom: FakeWeCom, chat: WecomChat) -> None:
    wecom.drop_after_effect("message/send")
    one = row("k1", card("一"))
    with pytest.raises(Unclear):
        await chat.send(one, None, None)
    assert await chat.find(one) == (False, None)
    await post(chat, row("k1", card("一"), unclear=True))
    assert len(wecom.inbox("lina")) == 1


async def test_a_member_who_is_gone_is_refused_by_name(wecom: FakeWeCom, chat: WecomChat) -> None:
    with pytest.raises(Refused, match="81013"):
        await chat.send(row("k1", "hi", "wecom:ghost"), None, None)
    wecom._methods["message/send"] = lambda body, call: {"invaliduser": "lina", "msgid": "1"}
    with pytest.raises(Refused, match="invaliduser: Lina"):
        await chat.send(row("k2", "hi", "wecom:Lina"), None, None)


async def test_a_rate_limit_delays_and_the_long_message_goes_on_where_it_stopped(
    wecom: FakeWeCom, chat: WecomChat
) -> None:
    long = row("k1", card("一", sections=(Paragraph("很长。" * 1000),)), "wecom:robot/pr")
    wecom.rate_limit(f"robot:{ROBOT_KEY}", 1, 60)
    with pytest.raises(Delay) as caught:
        await chat.send(long, None, None)
    assert caught.value.milliseconds == MINUTE
    assert len(wecom.robot()) == 1
    wecom.rate_limit(f"robot:{ROBOT_KEY}", 0, 60)
    await chat.send(long, None, None)
    posts = [one.text for one in wecom.robot()]
    assert len(posts) == 3
    assert "".join(posts).count("很长。") >= 998
    assert posts[1].startswith("续 2/3")


async def test_a_robot_posts_twenty_a_minute_and_the_next_one_waits(
    wecom: FakeWeCom, chat: WecomChat, clock: VirtualClock
) -> None:
    wecom.documented_rates()
    assert (chat.pace("wecom:robot/pr").count, chat.pace("wecom:lina").count) == (20, 30)  # type: ignore[union-attr]
    sent = waits = 0
    while sent < 45:
        try:
            await chat.send(row(f"k{sent}", f"消息 {sent}", "wecom:robot/pr"), None, None)
            sent += 1
            await clock.advance(SECOND)
        except Delay as delay:
            waits += 1
            await clock.advance(delay.milliseconds)
    assert [one.text for one in wecom.robot()] == [f"消息 {number}" for number in range(45)]
    assert waits == 2
    assert len(wecom.calls_of("webhook/send")) == 45  # not one call over the limit


async def test_a_member_gets_no_message_that_wecom_would_drop(
    wecom: FakeWeCom, chat: WecomChat, clock: VirtualClock
) -> None:
    wecom.documented_rates()
    for number in range(30):
        await chat.send(row(f"k{number}", f"消息 {number}"), None, None)
    with pytest.raises(Delay):
        await chat.send(row("k30", "消息 30"), None, None)
    await chat.send(row("other", "另一位", "wecom:zhaolei"), None, None)
    await clock.advance(MINUTE)
    await chat.send(row("k30", "消息 30"), None, None)
    assert len(wecom.inbox("lina")) == 31 and not wecom.corporation.dropped


async def test_robots_post_edits_only_for_a_reason(wecom: FakeWeCom, chat: WecomChat) -> None:
    placed = await post(chat, row("k1", card("一"), "wecom:robot/pr"))
    assert await chat.send(row("k2", card("二"), "wecom:robot/pr"), placed, None) == placed
    assert len(wecom.robot()) == 1
    await post(chat, row("k3", card("三"), "wecom:robot/pr", reason="raised"), placed)
    assert "三" in wecom.robot()[1].text
    with pytest.raises(Refused):
        await chat.send(row("k4", "私下", "wecom:robot/pr", audience="lina"), None, None)
    with pytest.raises(Blocked):
        await chat.send(row("k5", "谁", "wecom:robot/nobody"), None, None)


def maker(content: bytes = PNG, media_type: str = "image/png") -> Callable[..., object]:
    async def make(attachment: Attachment, language: str) -> Made:
        if attachment.kind == "broken":
            raise ValueError("no data")
        return Made(content, "走势.png", media_type, "近一小时负面走势")

    return make


@pytest.mark.parametrize(
    ("destination", "content", "kinds"),
    [
        ("wecom:lina", PNG, ["template_card", "image"]),
        ("wecom:robot/pr", PNG, ["markdown", "image"]),
        ("wecom:robot/pr", PNG + b"\0" * (2 << 20), ["markdown", "text"]),
    ],
)
async def test_a_picture_follows_the_card_or_its_caption_does(
    wecom: FakeWeCom, chat: WecomChat, destination: str, content: bytes, kinds: list[str]
) -> None:
    chat._make = maker(content)  # type: ignore[assignment]
    one = row("k1", card("一"), destination, attachment=Attachment("chart"))
    await chat.send(one, None, None)
    got = [post.kind for post in wecom.robot()] if "robot" in destination else [m.kind for m in wecom.inbox("lina")]
    assert got == kinds


async def test_a_picture_that_cannot_be_made_does_not_hold_the_alert(wecom: FakeWeCom, chat: WecomChat) -> None:
    chat._make = maker()  # type: ignore[assignment]
    await chat.send(row("k1", card("一"), attachment=Attachment("broken")), None, None)
    assert [one.kind for one in wecom.inbox("lina")] == ["template_card"]


async def test_a_token_revoked_in_the_middle_of_a_long_message_costs_one_gettoken_and_nothing_twice(
    wecom: FakeWeCom, chat: WecomChat, clock: VirtualClock
) -> None:
    await chat.send(row("k0", "先来一条"), None, None)
    await clock.advance(MINUTE)
    wecom.corporation.revoke_tokens()
    await chat.send(row("k1", "很长。" * 1500), None, None)
    assert len(wecom.calls_of("gettoken")) == 2
    texts = [one.text for one in wecom.inbox("lina")][1:]
    assert len(texts) == len(set(texts)) == 7
    assert not any(one.was_cut for one in wecom.inbox("lina"))
