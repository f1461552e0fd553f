"""Whatever is written, a review answers with findings that stand in the text, always the same, with bounded work."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model.grade import Grade
from bot.model.statement import (
    AUDIENCES,
    EarlierText,
    FactView,
    Finding,
    ReviewContext,
    Severity,
    StatementKind,
    Version,
)
from bot.statements.consistency import answer
from bot.statements.review import review
from bot.statements.review.findings import MOST
from bot.statements.review.numbers import quantities
from bot.statements.review.rules import shipped
from bot.statements.review.text import Reading, fold
from bot.texts import render

SCRAPS = [
    "我们", "保证", "最", "2,300", "2300人", "一万二千", "下午2点半", "11月27日",
    "{hotline}", "【待核实：when】", "**", "<b>", "<!channel>", "@所有人",
    "\u202e", "\u200b", "\ud83d", "\udc00", "\U0001f600",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\u0645\u0631\u062d\u0628\u0627", "\u05e9\u05dc\u05d5\u05dd",
    "http://", "https://10.0.0.1/a", "https://a.example/", "13812345678",
    "+1 (555) 010-1234", "110105199003078515", "a@b.example", "\u201c",
    "\u201d", "\"", "。", "，", ".", "\n", "\r\n", "\t", "\x00", " ", "问：",
    "Q:", "？", "not", "没有", "泄露", "within 24 hours", "$1.2 million",
    "９９％", "百分之九十", "第", "二〇二六年", "99999999999999999999", "1.2.3.4", "İ",
    "ß", "ﬀ", "é", "\U0001d7d7", "\u0663",
]  # fmt: skip
texts = st.one_of(
    st.text(alphabet=st.characters(), max_size=200),
    st.lists(st.sampled_from(SCRAPS), max_size=40).map("".join),
)
words = st.one_of(texts, st.sampled_from(["", "S-1", "public", "zh-CN"]))
facts = st.dictionaries(words, st.builds(FactView, texts, st.booleans(), words), max_size=4)
earlier = st.builds(EarlierText, words, words, st.sampled_from(["zh-CN", "en", "fr"]), texts, texts, st.integers(0, 9))
contexts = st.builds(
    ReviewContext,
    audience=st.sampled_from([*AUDIENCES, "nobody"]),
    language=st.sampled_from(["zh-CN", "en", "fr"]),
    grade=st.sampled_from(list(Grade)),
    crisis_type=words, cluster=st.sampled_from(["", "victim", "accidental", "preventable"]),
    strategy=st.sampled_from(["", "denial", "apology", "scapegoat"]),
    now=st.integers(-(2**62), 2**62), facts=facts,
    tellable=st.one_of(st.none(), st.frozensets(words, max_size=3)),
    earlier=st.lists(earlier, max_size=3).map(tuple), subject_names=st.lists(texts, max_size=2).map(tuple),
    internal_names=st.lists(texts, max_size=2).map(tuple),
    targets=st.lists(st.sampled_from(["sms", "weibo", "x", "wecom", "slack", "?"]), max_size=3).map(tuple),
    denial_verified=st.booleans(), hosts=st.lists(texts, max_size=2).map(tuple),
    hotlines=st.lists(texts, max_size=2).map(tuple), kind=st.sampled_from(list(StatementKind)), template_text=texts,
)  # fmt: skip


def version(title: str, body: str, language: str) -> Version:
    return Version("S-1", 1, "public", language, title, body, "lina", "Li Na", "console", 0)


def check(findings: tuple[Finding, ...], text: str) -> None:
    assert isinstance(findings, tuple)
    assert list(findings) == sorted(findings, key=lambda item: (item.start, item.end))
    for finding in findings:
        assert 0 <= finding.start <= finding.end <= len(text)
        assert (
            len(finding.words) == finding.end - finding.start or not finding.words.isprintable() or "?" in finding.words
        )
        assert Finding.from_json(finding.to_json()) == finding
        for language in ("zh-CN", "en"):
            assert render(finding.why, language) and render(finding.mend, language)
        finding.key.encode()


@settings(max_examples=250, deadline=None)
@given(texts, texts, st.sampled_from(["zh-CN", "en", "fr"]), contexts)
def test_any_text_in_any_context_gives_findings_that_stand_in_it(
    title: str, body: str, language: str, context: ReviewContext
) -> None:
    given_version = version(title, body, language)
    findings = review(given_version, context)
    check(findings, given_version.text)
    assert review(given_version, context) == findings


@settings(max_examples=200, deadline=None)
@given(texts)
def test_folding_moves_no_character_and_readings_stay_inside(text: str) -> None:
    assert len(fold(text)) == len(text)
    reading = Reading.of(text, "zh-CN")
    for spans in (reading.sentences, reading.quoted, reading.questions, reading.paragraphs):
        for start, end in spans:
            assert 0 <= start < end <= len(text)
    for place in range(0, len(text) + 1, 7):
        start, end = reading.clause_at(place)
        assert 0 <= start <= end <= len(text)
    for quantity in quantities(reading.folded):
        assert 0 <= quantity.start < quantity.end <= len(text)


@settings(max_examples=150, deadline=None)
@given(texts, st.lists(earlier, max_size=5), st.sampled_from(["zh-CN", "en", "fr"]))
def test_any_question_is_answered_word_for_word_or_not_at_all(
    question: str, statements: list[EarlierText], language: str
) -> None:
    found = answer(question, statements, language, audiences={text.audience for text in statements})
    if found is not None:
        source = [text for text in statements if text.statement == found.statement and text.published_at]
        assert any(all(sentence in text.body for sentence in found.sentences) for text in source)


HOSTILE = [
    "1", "1 ", "一二三", "“", "(", "http://", "a@", "我们保证", "<b>", "\u202e", "问：", "。", "a,", "\n", "没有泄露",
    "2,300人", "11月27日", "😀", "不", "www.", "x", "we will refund ", "-", "12:30 pm ", "Lanhf Wallet ", "\ud800",
]  # fmt: skip


@pytest.mark.parametrize("scrap", HOSTILE, ids=ascii)
def test_a_hundred_thousand_hostile_characters_end_in_a_readable_list(scrap: str) -> None:
    body = scrap * (100_000 // len(scrap))
    context = ReviewContext(
        "public", "zh-CN", subject_names=("Lanhe Wallet", "蓝禾钱包"), internal_names=("x", "青鸟"),
        facts={"users": FactView("2300", True), "cause": FactView("没有泄露", False)}, now=1_795_700_000_000,
        earlier=(EarlierText("S-2", "public", "zh-CN", "", body, 1),),
    )  # fmt: skip
    given_version = version("", body, "zh-CN")
    findings = review(given_version, context)
    check(findings, given_version.text)
    per_rule = [sum(item.rule == rule.id for item in findings) for rule in shipped().rules]
    assert max(per_rule) <= MOST


def test_what_is_beyond_the_list_is_counted() -> None:
    findings = review(version("", "热线 {hotline}。" * 40, "zh-CN"), ReviewContext("public", "zh-CN"))
    assert sum(item.rule == "unfilled_field" for item in findings) == MOST
    (more,) = [item for item in findings if item.rule == "unfilled_field_more"]
    assert more.severity is Severity.NOTE and more.why.params["count"] == 15


def test_a_placeholder_can_never_be_overridden_and_everything_else_can() -> None:
    rules = shipped().rules
    assert {rule.id for rule in rules if not rule.overridable} == {"unfilled_field", "empty_text"}


def test_a_correction_may_say_other_than_what_it_corrects() -> None:
    was = EarlierText("S-2", "public", "zh-CN", "", "本次故障共影响2300名用户。", 1)
    context = ReviewContext("public", "zh-CN", earlier=(was,), facts={"users": FactView("5000", True)})
    text = version("", "本次故障共影响5000名用户。", "zh-CN")
    (found,) = [item for item in review(text, context) if item.rule == "contradicts_published"]
    assert found.severity is Severity.BLOCK and found.why.params["other"] == "S-2"
    mended = dataclasses.replace(context, kind=StatementKind.CORRECTION)
    (found,) = [item for item in review(text, mended) if item.rule == "contradicts_published"]
    assert found.severity is Severity.WARN


def test_findings_point_at_the_words() -> None:
    text = version("说明", "我们道歉。系统绝对安全。", "zh-CN")
    (found,) = [item for item in review(text, ReviewContext("public", "zh-CN")) if item.rule == "absolute_claim"]
    assert text.text[found.start : found.end] == found.words == "绝对安全"
