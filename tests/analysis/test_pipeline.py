import json
from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.analysis.jsonl import analyse_lines
from bot.analysis.keywords import RuleError
from bot.analysis.pipeline import Analyser
from bot.analysis.stories import SIGNATURE_BYTES
from bot.model.grade import Carrier, CrisisType, Sentiment
from bot.model.post import Author, KeywordRule, Post, Subject

NOW = 1_767_225_600_000
PAY = Subject(id="pay", name="星河支付", rule=KeywordRule(any=("星河支付",)))
ANALYSER = Analyser([PAY])
POST = Post(
    id="1", source="s", platform="weibo", text="星河支付提现三天不到账，客服不理人，涉及5000元", published_at=NOW
)


def test_one_post_gets_every_part_of_the_analysis() -> None:
    post = replace(POST, author=Author(name="某大V", followers=2_000_000))
    analysis = ANALYSER.analyse([post])[0]
    assert analysis.language == "zh"
    assert analysis.subjects == (("pay", ("星河支付",)),)
    assert analysis.sentiment is Sentiment.NEGATIVE
    assert analysis.sentiment_score < 0
    assert analysis.primary_type is CrisisType.WITHDRAWAL_FAILURE
    assert ("amount", "5000元") in analysis.entities
    assert len(analysis.signature) == SIGNATURE_BYTES
    assert analysis.carrier is Carrier.KOL
    assert analysis.influence == 50


def test_the_title_is_read_too() -> None:
    assert ANALYSER.analyse([replace(POST, title="星河支付", text="崩了")])[0].subjects


def test_nothing_in_gives_nothing_out() -> None:
    assert ANALYSER.analyse([]) == []


def test_other_subjects_make_another_analyser_and_leave_the_first_alone() -> None:
    other = ANALYSER.with_subjects([Subject(id="app", name="APP", rule=KeywordRule(any=("客服",)))])
    assert other.engine is ANALYSER.engine
    assert [id_ for id_, _ in other.analyse([POST])[0].subjects] == ["app"]
    assert [id_ for id_, _ in ANALYSER.analyse([POST])[0].subjects] == ["pay"]
    with pytest.raises(RuleError):
        ANALYSER.with_subjects([replace(PAY, rule=KeywordRule())])


HOSTILE = [
    "",
    "好",
    "好" * 100_000,
    "😡😭" * 500,
    "\ud83d\ud83d坏",
    "\x00\x01\x1b[31m",
    "مرحبا мир 你好 こんにちは 안녕 hello",
    "#@#@#@" * 5_000,
    "<script>" * 5_000,
    "&#x" * 5_000,
    "//@a:" * 3_000,
    "a\u0301" * 10_000,
    "ﷺ" * 4_000,  # one character that folds to eighteen
    "1,1.1" * 3_000,
    "提现失败" * 3_000,
    "not " * 5_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_gets_an_answer(text: str) -> None:
    alone = ANALYSER.analyse([replace(POST, text=text)])[0]
    assert -1 <= alone.sentiment_score <= 1
    between = ANALYSER.analyse([POST, replace(POST, text=text), POST])
    assert between[1] == alone
    assert between[0] == between[2] == ANALYSER.analyse([POST])[0]


@given(st.lists(st.text(alphabet=st.characters(), max_size=80), max_size=5))
def test_an_analysis_does_not_depend_on_its_batch(texts: list[str]) -> None:
    posts = [replace(POST, text=text) for text in texts]
    assert ANALYSER.analyse(posts) == [ANALYSER.analyse([post])[0] for post in posts]


def line(**fields: object) -> bytes:
    post = {
        "id": "w1",
        "platform": "weibo",
        "text": "星河支付提现三天不到账了",
        "published_at": "2025-09-10T19:02:11+08:00",
    }
    return json.dumps(post | fields).encode()


def test_lines_in_give_lines_out_in_the_published_shape() -> None:
    out = [
        orjson.loads(each)
        for each in analyse_lines([line(), line(id="w2"), line(id="w3", text="好")], ANALYSER, now=NOW)
    ]
    first = out[0]
    assert list(first)[:7] == ["id", "lang", "subjects", "sentiment", "crisis_types", "entities", "story"]
    assert first["id"] == "w1"
    assert first["lang"] == "zh"
    assert first["subjects"] == [{"id": "pay", "words": ["星河支付"], "sentiment": "negative"}]
    assert first["sentiment"]["label"] == "negative"
    assert first["crisis_types"][0]["type"] == "withdrawal_failure"
    assert [each["story"] for each in out] == [1, 1, None]


def test_bad_lines_are_reported_with_their_number_and_do_not_stop_the_run() -> None:
    problems: list[tuple[int, str]] = []
    lines = [
        b"{",
        b"",
        line(),
        b"[1]",
        line(published_at="gestern"),
        b"\xff\xfe",
        line(text="x" * 200_000),
        line(id="last"),
    ]
    out = list(
        analyse_lines(lines, ANALYSER, now=NOW, on_error=lambda number, problem: problems.append((number, problem)))
    )
    assert [orjson.loads(each)["id"] for each in out] == ["w1", "last"]
    assert [number for number, _ in problems] == [1, 4, 5, 6, 7]
    assert "published_at" in problems[2][1]


def test_batches_change_nothing() -> None:
    lines = [line(id=str(number), text=f"星河支付第{number}次提现不到账") for number in range(25)]
    whole = list(analyse_lines(lines, ANALYSER, now=NOW))
    assert list(analyse_lines(lines, ANALYSER, now=NOW, batch=7)) == whole


@given(st.lists(st.binary(max_size=60), max_size=5))
def test_any_bytes_are_survived(lines: list[bytes]) -> None:
    list(analyse_lines(lines, ANALYSER, now=NOW))
