import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.analysis.text import LIMIT, clean, fold, fold_all, fold_and_language, language, own_words

ANY_TEXT = st.text(alphabet=st.characters(), max_size=200)  # lone surrogates included


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("", ""),
        ("  a \n\t b  ", "a b"),
        ("见 http://t.cn/a9zQHq。", "见 。"),
        ("好http://t.cn/a9zQHq//@张三:真的", "好 //@张三:真的"),
        ("<em>星河</em>支付<br/>崩了", "星河支付 崩了"),
        ("a &lt;b&gt; &amp; c", "a <b> & c"),
        ("1 < 2 and <3", "1 < 2 and <3"),
        ("x\ud83d\u200by\x00z", "xyz"),
        ("👨\u200d👩\u200d👧 家", "👨\u200d👩\u200d👧 家"),
    ],
)
def test_cleaning_keeps_what_a_reader_would_see(raw: str, cleaned: str) -> None:
    assert clean(raw) == cleaned


@pytest.mark.parametrize(
    ("raw", "folded"),
    [
        ("ＶＩＳＡ　Card", "visa card"),
        ("提現失敗，後臺", "提现失败,后台"),
        ("①㎏ﬁ", "1kgfi"),
        ("É É", "é é"),
        ("ｶﾞｷﾞ", "ガギ"),
        ("ΟΔΟΣ", "οδοσ"),
    ],
)
def test_folding_makes_spellings_of_one_word_alike(raw: str, folded: str) -> None:
    assert fold(raw) == folded
    assert fold_all([raw]) == [folded]


@given(st.lists(ANY_TEXT, max_size=8))
def test_folding_a_batch_equals_folding_one_by_one(texts: list[str]) -> None:
    cleaned = [clean(text) for text in texts]
    assert fold_all(cleaned) == [fold(text) for text in cleaned]


@given(ANY_TEXT)
def test_cleaning_and_folding_answer_for_anything_and_settle(text: str) -> None:
    cleaned = clean(text)
    assert len(cleaned) <= LIMIT
    cleaned.encode("utf-8")  # no lone surrogate is left
    folded = fold(cleaned)
    assert fold(folded) == folded
    assert not any(unicodedata.category(character) == "Cs" for character in folded)
    assert language(cleaned) in {"zh", "en", "ja", "ko", "other"}


@pytest.mark.parametrize("text", ["好" * 100_000, "<a" * 50_000, "&" * 100_000, "http://" * 15_000, "\x00" * 100_000])
def test_a_huge_text_is_cut_before_it_is_worked_on(text: str) -> None:
    assert len(clean(text)) <= LIMIT


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("iPhone 15 Pro 崩溃了", "zh"),
        ("this app is a scam 😡", "en"),
        ("ユーザーの怒り", "ja"),
        ("환불해 주세요", "ko"),
        ("Привет мир", "other"),
        ("Ce service est tombé en panne à l'école", "other"),
        ("好の", "zh"),
        ("😂😂", "other"),
        ("", "other"),
    ],
)
def test_language_is_told_by_scripts(text: str, expected: str) -> None:
    assert language(text) == expected


def test_a_batch_with_separators_inside_is_not_split_by_them() -> None:
    folded, languages = fold_and_language(["a\x00b", "好"])
    assert folded == ["a b", "好"]
    assert languages == ["en", "zh"]


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("转发微博//@张三:真的", "转发微博"),
        ("//@张三:真的", ""),
        ("没有转发", "没有转发"),
        ("http://a.b/c 好 // @李四：看", "http://a.b/c 好"),
    ],
)
def test_a_reposters_own_words_end_at_the_first_quoted_name(text: str, own: str) -> None:
    assert own_words(text) == own
