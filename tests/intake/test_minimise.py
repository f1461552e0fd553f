"""People's numbers are masked and their names shortened before anything is stored."""

import sqlite3
from pathlib import Path

import pytest
from factories import post
from hypothesis import given
from hypothesis import strategies as st

from bot.intake.minimise import Minimiser, install_key
from bot.model.post import Author
from bot.store.database import Store

ALL = Minimiser(("phone", "id_card", "bank_card", "email"), b"key")


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        # mobile numbers
        ("打13812345678找我", "打138******78找我"),
        ("138-1234-5678", "138******78"),
        ("138 1234 5678", "138******78"),
        ("+86 138 1234 5678", "138******78"),
        ("+8613812345678", "138******78"),
        ("电话：199 0000 1111。", "电话：199******11。"),
        ("１３８１２３４５６７８", "138******78"),
        ("a13812345678b", "a138******78b"),
        ("13812345678,13912345678", "138******78,139******78"),
        # identity cards
        ("身份证11010519491231002X丢了", "身份证110*************2X丢了"),
        ("11010519491231002x", "110*************2x"),
        ("440308199901010012", "440*************12"),
        # bank cards that pass the check digit
        ("卡号6222021234567890128", None),
        ("4111 1111 1111 1111", "4111********1111"),
        ("4111-1111-1111-1111", "4111********1111"),
        # mail
        ("写信给 li.na@corp.example 吧", "写信给 l***@corp.example 吧"),
    ],
)
def test_numbers_of_people_are_masked(text: str, masked: str | None) -> None:
    found = ALL.text(text)
    if masked is None:
        digits = "".join(character for character in text if character.isdigit())
        assert (digits not in found) is luhn(digits)
    else:
        assert found == masked


def luhn(digits: str) -> bool:
    doubled = [int(c) if n % 2 == 0 else sum(divmod(int(c) * 2, 10)) for n, c in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0


@pytest.mark.parametrize(
    "text",
    [
        "订单号 4111111111111112",
        "订单20250910123456",
        "12345678901",
        "10086",
        "400-820-8820",
        "12312345678",
        "2025-09-10 19:02:11",
        "￥13,812,345,678",
        "单号138123456789",
        "9913812345678",
        "版本 1.38.1234.5678",
        "室温23度，3天",
        "@风波 你好",
        "1234567890123456789012",
        "110105194913310021",
    ],
)
def test_other_numbers_stay_as_they_are(text: str) -> None:
    assert ALL.text(text) == text


@pytest.mark.parametrize(
    ("kinds", "text"),
    [((), "13812345678 a@b.cn 4111111111111111"), (("phone",), "4111111111111111 a@b.cn"), (("email",), "13812345678")],
)
def test_only_what_is_configured_is_masked(kinds: tuple[str, ...], text: str) -> None:
    assert Minimiser(kinds, b"key").text(text) == text


@given(text=st.text())
def test_no_text_breaks_it(text: str) -> None:
    ALL.text(text)


@given(text=st.from_regex(r"\A[0-9０-９ xX+@.\-a-z]{0,60}\Z"))
def test_no_number_breaks_it_and_masking_twice_changes_nothing_more(text: str) -> None:
    once = ALL.text(text)
    assert ALL.text(once) == once


@given(
    digits=st.from_regex(r"\A1[3-9][0-9]{9}\Z"),
    before=st.sampled_from(["", "打", "a", "：", " "]),
    after=st.sampled_from(["", "找", " ", "。"]),
)
def test_no_mobile_number_gets_through(digits: str, before: str, after: str) -> None:
    assert digits not in ALL.text(before + digits + after)


@pytest.mark.parametrize(
    ("author", "name"),
    [
        (Author("1", "王小明", 10), "王**"),
        (Author("1", "王小明", 10, verified=True), "王小明"),
        (Author("1", "新闻社", 50_000), "新闻社"),
        (Author("1", "王小明", 49_999), "王**"),
        (Author("1", "", 0), ""),
        (Author("1", None), None),
    ],
)
def test_private_names_are_shortened_and_public_voices_keep_theirs(author: Author, name: str | None) -> None:
    assert ALL.post(post(author=author)).author.name == name


def test_author_ids_are_hashed_by_source_with_the_installs_key() -> None:
    def key(minimiser: Minimiser, source: str = "weibo") -> str | None:
        return minimiser.post(post(source=source, author=Author("u1", "x"))).author.id

    other = Minimiser((), b"another key")
    assert key(ALL) == key(ALL)
    assert len({key(ALL), key(ALL, "x"), key(other), "u1"}) == 4
    assert ALL.post(post(author=Author(None, "x"))).author.id is None


def test_titles_are_masked_like_texts_and_the_rest_of_a_post_is_kept() -> None:
    before = post("找13812345678", title="打13812345678", url="https://x/1", likes=3)
    after = ALL.post(before)
    assert (after.text, after.title) == ("找138******78", "打138******78")
    assert (after.id, after.url, after.engagement, after.published_at) == (
        before.id,
        before.url,
        before.engagement,
        before.published_at,
    )


def test_the_key_of_an_install_is_made_once_and_a_configured_one_outranks_it(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.db")
    first = store.write_now(lambda db: install_key(db, ""))
    assert store.write_now(lambda db: install_key(db, "")) == first and len(first) >= 32
    assert store.write_now(lambda db: install_key(db, "configured")) == b"configured"
    store.close()
    assert sqlite3.connect(tmp_path / "s.db").execute("SELECT COUNT(*) FROM setting").fetchone() == (1,)
