"""Budgets are kept, nothing is lost, and nothing a stranger wrote can ping or render."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.wecom.words import Line, lines_of, mention, safe_url, size, split, tame, tame_line

nasty = st.text(
    st.one_of(st.sampled_from("<@all>[]()*`#&;>\n\r\u202e\u2028 ：中"), st.characters(codec="utf-8")), max_size=200
)


def marks(part: int, total: int) -> tuple[str, str]:
    return (f"续 {part}/{total}" if part > 1 else ""), (f"({part}/{total})" if part < total else "")


def unmarked(parts: list[str]) -> str:
    kept = []
    for number, part in enumerate(parts, 1):
        head, tail = marks(number, len(parts))
        lines = part.split("\n")
        assert not head or lines[0] == head
        assert not tail or lines[-1] == tail
        kept.extend(lines[1 if head else 0 : -1 if tail else None])
    return "".join(kept)


@given(st.lists(nasty, min_size=1, max_size=30), st.integers(80, 500))
def test_every_part_keeps_its_byte_budget_and_together_they_hold_every_character(texts: list[str], budget: int) -> None:
    lines = [line for text in texts for line in lines_of(text)]
    parts = split(lines, budget, marks)
    assert all(size(part) <= budget for part in parts)
    whole = "".join(map(str, lines))
    assert (unmarked(parts) if len(parts) > 1 else parts[0].replace("\n", "")) == whole


@given(st.text("界🌏é", min_size=400, max_size=900), st.integers(100, 300))
def test_a_line_longer_than_a_message_is_broken_between_characters_inside_its_markup(text: str, budget: int) -> None:
    parts = split([Line(text, '<font color="info">', "</font>")], budget, marks)
    assert all(size(part) <= budget for part in parts)
    assert all(part.count("<font") == part.count("</font>") > 0 for part in parts)
    assert "".join(re.findall(r">([^<]*)</font>", "\n".join(parts))) == text


@given(nasty)
def test_tamed_text_holds_no_character_that_wecom_gives_a_meaning(text: str) -> None:
    tamed = tame(text)
    assert not set(tamed) & set("<>@`*[]\r\u202e\u2028")
    assert not re.search(r"^\s*#", tamed, re.MULTILINE)
    assert not re.search(r"&(#|[A-Za-z]+;)", tamed)
    assert tame(tamed) == tamed
    assert "\n" not in tame_line(text)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("<@all> 快看", "＜＠all＞ 快看"),
        ("<a href='x'>点我</a>", "＜a href='x'＞点我＜/a＞"),
        ("# 大标题", "＃ 大标题"),
        ("#话题# 提现", "＃话题# 提现"),
        ("[领钱](https://evil.example)", "［领钱］(https://evil.example)"),
        ("&lt;@all&gt;", "＆lt;＠all＆gt;"),
        ("R&D 部门", "R&D 部门"),
        ("a\u202eb\u200bc\x00d", "abcd"),
    ],
)
def test_markup_of_strangers_turns_into_look_alikes(written: str, shown: str) -> None:
    assert tame(written) == shown


@pytest.mark.parametrize(
    ("account", "markup"),
    [("lina", "<@lina>"), ("li.na@corp", "<@li.na@corp>"), ("all", ""), ("@all", ""), ("ALL", ""), ("a> <@all", "")],
)
def test_only_single_members_are_mentioned(account: str, markup: str) -> None:
    assert mention(account) == markup


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://fengbo.example/i/I-12?a=1&b=2", "https://fengbo.example/i/I-12?a=1&b=2"),
        ("https://fengbo.example/a) <@all>", "https://fengbo.example/a%29%20%3C%40all%3E"),
        ("javascript:alert(1)", ""),
        ("//evil.example", ""),
        ("http://[broken", ""),
        ("", ""),
    ],
)
def test_links_are_web_addresses_that_cannot_end_early(url: str, safe: str) -> None:
    assert safe_url(url) == safe
