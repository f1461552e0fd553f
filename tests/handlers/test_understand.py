"""What people type is understood, in either language, as they type it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import handlers
from bot.clock import DAY, HOUR, MINUTE, SECOND
from bot.model.text import LANGUAGES
from bot.texts import catalogue, has
from handlers.registry import Registry, UnknownCommand, chat_duration, shown_name, split_duration

registry = handlers.load()


@pytest.mark.parametrize(
    ("line", "command", "incident", "rest"),
    [
        # plain, in both languages
        ("ack I-12", "ack", "I-12", ""),
        ("ACK i-12", "ack", "I-12", ""),
        ("确认 I-12", "ack", "I-12", ""),
        ("我来 I-12", "ack", "I-12", ""),
        ("take I-12", "ack", "I-12", ""),
        ("acknowledge", "ack", "", ""),
        # Chinese needs no space
        ("确认I-12", "ack", "I-12", ""),
        ("I-12确认", "ack", "I-12", ""),
        ("接手I-12吧", "ack", "I-12", "吧"),
        ("静音I-12 1小时 已知故障", "mute", "I-12", "1小时 已知故障"),
        ("改级别I-12橙色 记者来电", "grade", "I-12", "橙色 记者来电"),
        ("记一笔：法务已到", "note", "", "法务已到"),
        # the id stands anywhere, in any of its shapes
        ("I-12 ack", "ack", "I-12", ""),
        ("I-12", "show", "I-12", ""),
        ("#I-12 ack", "ack", "I-12", ""),
        ("ack i12", "ack", "I-12", ""),
        ("ack d-3", "ack", "D-3", ""),
        ("ack I-012", "ack", "I-12", ""),
        ("assign lina legal I-12", "assign", "I-12", "lina legal"),
        ("note I-12 same as I-9", "note", "I-12", "same as I-9"),
        ("note client ABI-12 called", "note", "", "client ABI-12 called"),
        ("note the WI-FI5 is down", "note", "", "the WI-FI5 is down"),
        ("note I-12-3 is a part number", "note", "", "I-12-3 is a part number"),
        # an id inside an address is part of the address
        ("add https://weibo.com/I-5/d3?x=i4 看这里", "add", "", "https://weibo.com/I-5/d3?x=i4 看这里"),
        ("add https://weibo.com/d3 I-12", "add", "I-12", "https://weibo.com/d3"),
        # full width, as Chinese keyboards give it
        ("确认　I-12", "ack", "I-12", ""),
        ("ａｃｋ Ｉ－１２", "ack", "I-12", ""),
        ("ＡＣＫ　＃Ｉ１２", "ack", "I-12", ""),
        ("note I-12 金额：１２３，请核对", "note", "I-12", "金额：１２３，请核对"),
        ("？", "help", "", ""),
        ("?", "help", "", ""),
        # addressed
        ("@fengbo ack I-12", "ack", "I-12", ""),
        ("<@U0BOT> ack I-12", "ack", "I-12", ""),
        ("<@U0BOT>ack I-12", "ack", "I-12", ""),
        ("＠风波 确认 I-12", "ack", "I-12", ""),
        ("/crisis ack I-12", "ack", "I-12", ""),
        ("/Fengbo help", "help", "", ""),
        ("@fengbo", "help", "", ""),
        ("", "help", "", ""),
        ("   ", "help", "", ""),
        # separators
        ("note: 客户来电", "note", "", "客户来电"),
        ("note，客户来电", "note", "", "客户来电"),
        ("note I-12, please", "note", "I-12", "please"),
        ("false alarm I-3 lottery", "false-alarm", "I-3", "lottery"),
        ("误报 I-3 抽奖", "false-alarm", "I-3", "抽奖"),
        ("取消静音 I-3", "unmute", "I-3", ""),
        ("看走势 I-3", "chart", "I-3", ""),
        ("规则 星河支付 any+ 跑路", "rules", "", "星河支付 any+ 跑路"),
        ("规则生效 xinghe-pay v3", "rules-apply", "", "xinghe-pay v3"),
        ("help 静音", "help", "", "静音"),
        # several lines stay several lines
        ("note I-12 first\nsecond", "note", "I-12", "first\nsecond"),
    ],
)
def test_a_line_is_understood(line: str, command: str, incident: str, rest: str) -> None:
    found, words, incident_id = registry.understand(line)
    assert (found.name, incident_id, words) == (command, incident, rest)


@pytest.mark.parametrize(
    ("line", "near"),
    [
        ("akc I-12", "ack"),
        ("asign I-12", "assign"),
        ("stauts", "status"),
        ("hlep", "help"),
        ("mut I-1 1h", "mute"),
        ("静 I-1", "静音"),
        ("关闭了吗", None),
        ("false_alarm I-1", "false-alarm"),
        ("resolv", "resolve"),
        ("help?", "help"),
        ("xyzzy", "help"),
        ("ackI-12", "ack"),
    ],
)
def test_what_is_not_understood_names_the_nearest(line: str, near: str | None) -> None:
    if near is None:
        assert registry.understand(line)[0].name == "close", "Chinese goes on without a space"
        return
    with pytest.raises(UnknownCommand) as error:
        registry.understand(line)
    assert near in error.value.text.params["near"]
    assert "home" not in error.value.text.params["near"], "hidden commands are not suggested"


@given(line=st.text(max_size=200))
def test_no_line_breaks_it(line: str) -> None:
    try:
        command, rest, incident = registry.understand(line)
    except UnknownCommand as error:
        assert error.text.params["near"]
        return
    assert command.name in registry.commands
    assert rest == rest.strip()
    assert incident == "" or incident[:2] in ("I-", "D-")


@pytest.mark.parametrize(
    ("words", "milliseconds"),
    [
        ("2h", 2 * HOUR),
        ("2 h", 2 * HOUR),
        ("90s", 90 * SECOND),
        ("30min", 30 * MINUTE),
        ("30 minutes", 30 * MINUTE),
        ("1.5h", 90 * MINUTE),
        ("3d", 3 * DAY),
        ("1 week", 7 * DAY),
        ("30分钟", 30 * MINUTE),
        ("30分", 30 * MINUTE),
        ("半小时", 30 * MINUTE),
        ("半个小时", 30 * MINUTE),
        ("半天", 12 * HOUR),
        ("一小时", HOUR),
        ("两小时", 2 * HOUR),
        ("两个小时", 2 * HOUR),
        ("三天", 3 * DAY),
        ("十分钟", 10 * MINUTE),
        ("十五分钟", 15 * MINUTE),
        ("二十分钟", 20 * MINUTE),
        ("四十五分钟", 45 * MINUTE),
        ("一个半小时", 90 * MINUTE),
        ("1个半小时", 90 * MINUTE),
        ("２小时", 2 * HOUR),
        ("一周", 7 * DAY),
        ("99d", 7 * DAY),
        ("0s", SECOND),
        ("1 小时", HOUR),
    ],
)
def test_durations_are_read_as_people_say_them(words: str, milliseconds: int) -> None:
    assert chat_duration(words) == milliseconds


@pytest.mark.parametrize(
    "words", ["", "h", "two hours", "2x", "5 months", "known", "已知", "2", "小时", "-2h", "2hx", "1e9h"]
)
def test_what_is_no_duration_is_none(words: str) -> None:
    assert chat_duration(words) is None


@pytest.mark.parametrize(
    ("words", "rest"),
    [
        ("2h known fault", "known fault"),
        ("2 小时 已知", "已知"),
        ("半小时已知情况", "已知情况"),
        ("30分钟，已知", "已知"),
        ("三天:修复中", "修复中"),
    ],
)
def test_what_follows_a_duration_is_the_reason(words: str, rest: str) -> None:
    found = split_duration(words)
    assert found is not None and found[1] == rest


@given(words=st.text(max_size=60) | st.from_regex(r"\A[0-9一二两三十半.]{1,12} ?(h|分钟|小时|天)?.{0,5}\Z"))
def test_durations_stay_between_a_second_and_a_week(words: str) -> None:
    found = split_duration(words)
    assert found is None or 1_000 <= found[0] <= 7 * DAY


# -- the registry as a whole


def test_every_command_is_described_and_exampled_in_both_languages() -> None:
    for name in registry.commands:
        for part in ("summary", "example"):
            assert has(f"help.{name}.{part}"), f"help.{name}.{part}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_example_is_understood_as_its_command(language: str) -> None:
    for name, command in registry.commands.items():
        example = catalogue(language)[f"help.{name}.example"]
        assert registry.understand(example)[0].name == command.name, example


def test_every_name_and_synonym_means_its_own_command() -> None:
    for name, command in registry.commands.items():
        for word in (name, *command.synonyms):
            assert registry.understand(word)[0].name == name, word
            assert registry.understand(f"{word} I-7")[::2] == (command, "I-7"), word


def test_every_command_has_a_chinese_name_unless_it_is_hidden() -> None:
    for command in registry.commands.values():
        if not command.hidden:
            assert not shown_name(command, "zh-CN").isascii(), command.name
            assert shown_name(command, "en") == command.name


def test_a_name_can_mean_only_one_thing() -> None:
    fresh = Registry()
    fresh.command("one", "同")(lambda request: [])
    with pytest.raises(ValueError, match="already means 'one'"):
        fresh.command("two", "同")(lambda request: [])


@pytest.mark.parametrize(
    ("start", "language", "first"),
    [("a", "en", "ack "), ("静", "zh-CN", "静音 "), ("确", "en", "确认 "), ("Wh", "en", "why ")],
)
def test_completion_offers_names_of_either_language(start: str, language: str, first: str) -> None:
    offered = [insert for insert, _ in registry.complete(start, language)]
    assert first in offered
    assert all(has(key) for _, key in registry.complete(start, language))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("form_id", sorted(registry.forms))
def test_every_form_can_be_opened_in_both_languages_and_submits_a_known_command(form_id: str, language: str) -> None:
    form = registry.form_for(form_id, f"{form_id} I-1", language)
    assert form is not None and form.title and form.submit and form.cancel
    assert registry.understand(form.command)[0].name == form_id
    for field in form.fields:
        assert field.label and field.kind in ("text", "multiline", "choice", "person")
        assert bool(field.options) is (field.kind == "choice")
        if field.initial:
            assert field.initial in dict(field.options)
    assert registry.form_for("no-such", "x", language) is None
