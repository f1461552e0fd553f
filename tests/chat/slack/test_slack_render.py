"""Cards as Slack messages: always within the limits, nothing lost unless it is counted, nothing collected can ping."""

import itertools
import json
import re

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bot.chat.slack import limits
from bot.chat.slack.render import SlackMessage, render, render_plain
from bot.chat.slack.safe import WORD_JOINER, escape, mention, said, web_link
from bot.model.card import Button, Card, Facts, Items, Paragraph, Quote
from bot.model.grade import Grade
from bot.model.message import Message
from bot.testkit.slack_blocks import MESSAGE_CHARACTERS, characters, check_blocks, find_elements, visible_text

HOSTILE = "<!channel> @here @everyone <@U0LINA> <https://evil.example|bank> *bold* :sob: & <script>"
TEXTS = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="退款无法提现😡👨‍👩‍👧é <>&@|*_~`:\n", max_size=200),
    st.builds(
        lambda word, count: (word + " ") * count,
        st.text(alphabet="ab款&😡<", min_size=1, max_size=9),
        st.sampled_from([1, 40, 600]),
    ),
    st.just(HOSTILE),
)
SECTIONS = st.one_of(
    st.builds(Paragraph, TEXTS, st.booleans()),
    st.builds(Facts, st.lists(st.tuples(TEXTS, TEXTS), max_size=14).map(tuple)),
    st.builds(Items, TEXTS, st.lists(TEXTS, max_size=30).map(tuple), TEXTS),
    st.builds(Quote, TEXTS, TEXTS, TEXTS | st.just("https://x.example/a?b=<c>|d")),
)
BUTTONS = st.builds(
    Button,
    TEXTS,
    TEXTS,
    st.sampled_from(["default", "primary", "danger"]),
    TEXTS,
    st.sampled_from(["", "mute"]),
)
CARDS = st.builds(
    Card,
    title=TEXTS,
    grade=st.sampled_from(Grade),
    grade_label=st.sampled_from(["", "橙色预警"]),
    subtitle=TEXTS,
    sections=st.lists(SECTIONS, max_size=8).map(tuple),
    buttons=st.lists(BUTTONS, max_size=30).map(tuple),
    footer=TEXTS,
    link=st.sampled_from(["", "https://fengbo.example/i/12"]),
    drill=st.sampled_from(["", "【演练】"]),
)


def shown(messages: list[SlackMessage]) -> set[str]:
    """All words a reader can see."""
    return set(re.findall(r"\w+", visible_text([block for message in messages for block in message.blocks])))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(CARDS, st.sampled_from(["zh-CN", "en"]), st.lists(st.sampled_from(["U0LINA", "W12345", "lina"]), max_size=4))
def test_any_card_stays_within_every_limit_of_slack(card: Card, language: str, mentions: list[str]) -> None:
    message = Message("slack:C1", card=card, language=language, mentions=tuple(mentions))
    for one in render(message):
        assert check_blocks(list(one.blocks)) == []
        assert characters(list(one.blocks)) <= MESSAGE_CHARACTERS
        assert limits.measure(one.blocks) <= limits.MESSAGE_CHARACTERS
        assert 0 < len(one.text) <= 4_000
        json.dumps(one.blocks).encode("utf-8")
        one.text.encode("utf-8")
    for one in render_plain(message):
        assert not one.blocks
        assert 0 < len(one.text) <= 4_000


@st.composite
def numbered_cards(draw: st.DrawFn) -> Card:
    """Cards of many sizes in which every word is different."""
    numbers = itertools.count()

    def text() -> str:
        return " ".join(f"w{next(numbers)}" for _ in range(draw(st.sampled_from([0, 1, 4, 12, 40, 700]))))

    def texts(most: int) -> tuple[str, ...]:
        return tuple(text() for _ in range(draw(st.integers(0, most))))

    makers = (
        lambda: Paragraph(text(), draw(st.booleans())),
        lambda: Facts(tuple((label, text()) for label in texts(12))),
        lambda: Items(text(), texts(60), text()),
        lambda: Quote(text(), text()),
    )
    return Card(
        title=text(),
        subtitle=text(),
        sections=tuple(draw(st.sampled_from(makers))() for _ in range(draw(st.integers(0, 5)))),
        buttons=tuple(Button(label, "ack", confirm=text()) for label in texts(28)),
        footer=text(),
        link=draw(st.sampled_from(["", "https://fengbo.example/i/12"])),
    )


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(numbered_cards())
def test_no_text_is_lost_unless_the_lines_left_out_are_counted(card: Card) -> None:
    messages = render(Message("slack:C1", card=card, language="en"))
    seen = shown(messages)
    missing = [one for one in re.findall(r"w\d+", json.dumps(card.to_json())) if one not in seen]
    said = " ".join(visible_text(list(message.blocks)) for message in messages)
    counted = sum(int(count) for count in re.findall(r"(\d+) more: https://fengbo.example/i/12", said))
    lines = [line for section in card.sections if isinstance(section, Items) for line in section.lines]
    hidden = [line for line in lines if line and line.split()[0] in missing]
    assert len(hidden) <= counted
    assert {word for line in hidden for word in line.split()} == set(missing)


def test_a_red_drill_card_shows_circle_mark_grade_and_title_in_its_header() -> None:
    card = Card(
        "星河支付：提现失败", grade=Grade.RED, grade_label="红色 Ⅰ级", drill="【演练】", sections=(Paragraph("x"),)
    )
    (message,) = render(Message("slack:C1", card=card))
    assert message.blocks[0]["type"] == "header"
    assert message.blocks[0]["text"]["text"] == "🔴 【演练】 红色 Ⅰ级 · 星河支付：提现失败"
    assert "【演练】" in message.text


def test_every_continuation_of_a_drill_carries_its_mark() -> None:
    card = Card("演练事件", drill="【演练】", sections=tuple(Paragraph("长" * 2_300) for _ in range(14)))
    messages = render(Message("slack:C1", card=card))
    assert len(messages) > 1
    assert all("【演练】" in visible_text(list(message.blocks)) for message in messages)


def test_collected_text_cannot_ping_link_or_format() -> None:
    card = Card(
        HOSTILE,
        subtitle=HOSTILE,
        sections=(
            Quote(HOSTILE, HOSTILE, "https://a.example/x|<!here>"),
            Facts(((HOSTILE, "1"),)),
            Items(HOSTILE, (HOSTILE,)),
        ),
        footer=HOSTILE,
        grade_label="x",
    )
    messages = render(Message("slack:C1", card=card)) + render_plain(Message("slack:C1", card=card))
    for message in messages:
        assert not re.search(r"<[!@#]", message.text)
        assert not re.search(r"@(here|everyone|channel)\b", message.text)

    def walk(value: object) -> None:
        if isinstance(value, dict):
            assert value.get("type") not in ("broadcast", "user", "usergroup", "emoji", "channel")
            if value.get("type") == "mrkdwn":
                assert value["verbatim"] is True
                assert not re.search(r"<(?!https?://)", value["text"])
                assert not re.search(r"@(here|everyone|channel)\b", value["text"])
            if value.get("type") == "plain_text":
                assert value["emoji"] is False
            for item in value.values():
                walk(item)
        elif isinstance(value, list | tuple):
            for item in value:
                walk(item)

    walk([message.blocks for message in messages])


def test_only_the_named_accounts_are_pinged() -> None:
    (message,) = render(Message("slack:C1", card=Card("<@U9EVIL>"), mentions=("U0LINA", "S0PRTEAM1", "<!channel>")))
    assert message.blocks[0]["text"]["text"] == "<@U0LINA> <!subteam^S0PRTEAM1> @&lt;!channel&gt;"
    assert message.text.startswith("<@U0LINA> <!subteam^S0PRTEAM1>")
    assert "<@U9EVIL>" not in message.text


def test_a_long_list_is_shortened_to_one_message_with_the_rest_counted_and_linked() -> None:
    lines = tuple(f"{index} 用户反映提现一直失败，客服没有答复，已经等了三天" for index in range(400))
    card = Card("t", sections=(Items("帖文", lines),), link="https://fengbo.example/i/12")
    (message,) = render(Message("slack:C1", card=card))
    text = visible_text(list(message.blocks))
    found = re.search(r"还有 (\d+) 条：https://fengbo.example/i/12", text)
    assert found
    assert int(found[1]) + sum(line in text for line in lines) == 400


def test_a_long_list_without_a_link_goes_on_in_further_messages() -> None:
    lines = tuple(f"line number {index} of a list that nobody can look up elsewhere" for index in range(400))
    messages = render(Message("slack:C1", card=Card("t", sections=(Items("posts", lines),)), language="en"))
    text = "\n".join(visible_text(list(message.blocks)) for message in messages)
    assert all(line in text for line in lines)
    assert "Part 1 of" in visible_text(list(messages[0].blocks))


def test_buttons_stay_with_the_title_when_a_card_is_split() -> None:
    card = Card("t", sections=(Paragraph("长" * 30_000),), buttons=(Button("确认", "ack I-12", "primary"),))
    first, *rest = render(Message("slack:C1", card=card))
    assert [element["value"] for element in find_elements(list(first.blocks))] == ["ack I-12"]
    assert rest and not any(find_elements(list(message.blocks)) for message in rest)


def test_a_button_carries_its_command_its_style_and_its_question() -> None:
    buttons = (Button("误报", "false-alarm I-12", "danger", "确定？"), Button("静默…", "mute I-12", form="mute"))
    (message,) = render(Message("slack:C1", card=Card("t", buttons=buttons)))
    alarm, mute = find_elements(list(message.blocks))
    assert (alarm["value"], alarm["style"], alarm["confirm"]["text"]["text"]) == (
        "false-alarm I-12",
        "danger",
        "确定？",
    )
    assert (mute["value"], mute["action_id"]) == ("mute I-12", "form:mute:1")
    assert "style" not in mute


@pytest.mark.parametrize(
    ("text", "limit"),
    [("a" * 10, 3), ("一二三。四五六七", 5), ("👨‍👩‍👧" * 4, 9), ("e\u0301" * 9, 4), ("", 5)],
)
def test_pieces_of_a_text_add_up_to_it(text: str, limit: int) -> None:
    pieces = limits.split_text(text, limit)
    assert "".join(pieces) == text
    assert all(limits.units(piece) <= limit for piece in pieces)


def test_a_family_emoji_is_not_cut_in_two() -> None:
    assert limits.split_text("👨‍👩‍👧" * 3, 10) == ["👨‍👩‍👧"] * 3


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("<@U0FENGBO> status", "status"),
        ("请 <@U0FENGBO> ack I-3", "请 ack I-3"),
        ("assign I-3 <@U0LINA|lina>", "assign I-3 @U0LINA"),
        ("add <https://a.example/x?a=1&amp;b=2|a.example>", "add https://a.example/x?a=1&b=2"),
        ("in <#C0ALERTS|pr-alerts> <mailto:a@b.example|a@b.example>", "in #pr-alerts a@b.example"),
        ("a &lt; b &amp;&amp; c", "a < b && c"),
        ("  two   words \n next ", "two words\nnext"),
    ],
)
def test_slack_markup_is_read_back_as_words(typed: str, words: str) -> None:
    assert said(typed, "U0FENGBO") == words


@pytest.mark.parametrize("url", ["javascript:alert(1)", "ftp://x.example", "https://a b", "", "x"])
def test_only_web_addresses_become_links(url: str) -> None:
    assert web_link(url) == ""


def test_escaping_leaves_no_markup_and_lone_surrogates_do_not_reach_slack() -> None:
    assert escape("<!here>\ud800") == "&lt;!here&gt;\ufffd"
    assert mention("U0LINA") == "<@U0LINA>"
    assert escape("@channel") == f"@{WORD_JOINER}channel"
