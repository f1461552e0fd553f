"""Callbacks of the smart robot as events: tolerant where sources disagree, strict where it matters."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.wecom import aibot_frames as frames
from bot.chat.wecom.aibot_inbound import event_of
from bot.model.message import Event

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
NAMES = ("msgid", "chatid", "chattype", "from", "msgtype", "text", "event", "quote", "mixed", "create_time")


def read(cmd: str, body: Any) -> tuple[Event | None, str]:
    frame = frames.read(json.dumps({"cmd": cmd, "headers": {"req_id": "r"}, "body": body}))
    assert frame is not None
    return event_of(frame)


def said(**body: Any) -> tuple[Event | None, str]:
    whole = {"msgid": "m1", "chattype": "group", "chatid": "wrk1", "from": {"userid": "lina"}, "msgtype": "text"}
    return read(frames.MESSAGE, {**whole, "text": {"content": "@风波 概况"}, **body})


def pressed(event: dict[str, Any], **body: Any) -> tuple[Event | None, str]:
    whole = {"msgid": "m1", "chatid": "wrk1", "chattype": "group", "from": {"userid": "lina"}}
    return read(frames.EVENT, {**whole, "event": {"eventtype": "template_card_event", **event}, **body})


@given(st.sampled_from([frames.MESSAGE, frames.EVENT]), st.dictionaries(st.sampled_from(NAMES), JSON, max_size=8))
def test_whatever_arrives_is_an_event_or_nothing_and_never_an_error(cmd: str, body: dict[str, Any]) -> None:
    event, key = read(cmd, body)
    assert event is None or (key and event.line and event.account and Event.from_json(event.to_json()) == event)


@given(st.text(max_size=200))
def test_whatever_text_is_on_the_line_is_a_frame_or_nothing(text: str) -> None:
    frames.read(text)


def test_a_press_is_read_in_the_nested_and_in_the_flat_shape() -> None:
    press = {"event_key": "ack I-1", "task_id": "incident-I-1_0a@1f"}
    nested, _ = pressed({"template_card_event": press})
    flat, _ = pressed(press)
    assert nested == flat and nested is not None
    assert (nested.line, nested.anchor, nested.destination[:16]) == ("ack I-1", "incident-I-1_0a", "wecom:group/wrk1")


@pytest.mark.parametrize(
    "event",
    [
        {"template_card_event": {"event_key": "", "task_id": "t@1"}},
        {"template_card_event": {"event_key": "ack I-1", "task_id": "t 1; DROP"}},
        {"template_card_event": {"event_key": "ack I-1", "task_id": ""}},
        {"eventtype": "feedback_event"},
    ],
)
def test_what_is_no_press_of_ours_is_passed_over(event: dict[str, Any]) -> None:
    assert pressed(event) == (None, "")


@pytest.mark.parametrize("account", ["", "a b", "a#lane", "x/../y", "a" * 200, "a\nb"])
def test_an_account_that_cannot_be_one_is_passed_over(account: str) -> None:
    assert said(**{"from": {"userid": account}})[0] is None
    assert account == "" or said(chatid=account)[0] is None


def test_two_people_in_the_same_second_are_two_and_a_repetition_is_one() -> None:
    keys = {said(msgid=f"m{number}")[1] for number in (1, 2, 2)}
    without = {said(msgid="", **{"from": {"userid": name}})[1] for name in ("lina", "chenjing", "lina")}
    assert (len(keys), len(without)) == (2, 2)


def test_pictures_and_voice_get_the_help_and_an_empty_mention_too() -> None:
    for body in ({"msgtype": "image"}, {"msgtype": "voice"}, {"text": {"content": "@风波"}}):
        event, _ = said(**body)
        assert event is not None and event.line == "help"
    event, _ = said(msgtype="mixed", mixed={"msg_item": [{"text": {"content": "@风波 概况"}}, {"image": {}}, 7]})
    assert event is not None and event.line == "概况"


def test_a_hundred_kilobytes_are_kept_whole_and_a_megabyte_is_not_taken() -> None:
    event, _ = said(text={"content": "@风波 备注 I-1 " + "字" * 35_000})
    assert event is not None and len(event.line.encode()) > 100_000
    assert said(text={"content": "x" * 300_000})[0] is None


def test_a_conversation_of_one_is_private_and_may_call_itself_by_the_member() -> None:
    for body in ({"chattype": "single", "chatid": ""}, {"chattype": "", "chatid": "lina"}):
        event, _ = said(**body)
        assert event is not None and event.private and event.destination.startswith("wecom:bot/lina#reply")


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("S-12 对外说明 待审批", "S-12"),
        ("风险 I-3 · 预案 R-1", "I-3"),
        ("SS-12 IS-1 S-1x", ""),
        ("草稿 S-1234567890", ""),
    ],
)
def test_a_quotation_means_the_incident_run_or_statement_it_names(words: str, meant: str) -> None:
    event, _ = said(text={"content": "@风波 同意 a1b2"}, quote={"msgtype": "text", "text": {"content": words}})
    assert event is not None and event.reply.get("quoted", "") == meant
