from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.analysis import english
from bot.analysis.crisis_types import classify
from bot.analysis.sentiment import HashedNgrams, SnowNlpEngine, Weights, engine_named, shipped_weights, weigh_types
from bot.analysis.text import clean, fold
from bot.analysis.training import Sample, TrainingError, macro_f1, train
from bot.model.grade import Sentiment

ENGINE = engine_named("ngrams")


def judged(text: str) -> Sentiment:
    return ENGINE.score([fold(clean(text))])[0][0]


@pytest.mark.parametrize(
    "text",
    [
        "某品牌奶粉被曝检出有害物质，多名婴儿住院",
        "高管被带走调查 股价暴跌",
        "提现三天不到账",
        "提現三天不到賬",
        "一点也不好",
        "垃圾公司，骗钱的",
        "服务器又崩了，什么破软件",
        "几百万用户数据被泄露",
        "拖欠工资，员工堵门讨薪",
        "This company is a scam, they stole my money",
        "App is down again, can't log in 😡",
        "Two babies hospitalised after drinking contaminated formula",
        "not good at all",
    ],
)
def test_bad_news_is_negative(text: str) -> None:
    assert judged(text) is Sentiment.NEGATIVE


@pytest.mark.parametrize(
    "text",
    [
        "非常满意，质量很好，强烈推荐",
        "非常滿意，質量很好，強烈推薦",
        "提现秒到账，体验特别好",
        "太开心了[哈哈]",
        "Great product, I love it, works perfectly!",
        "Support fixed it quickly, thank you 👍",
    ],
)
def test_praise_is_positive(text: str) -> None:
    assert judged(text) is Sentiment.POSITIVE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "…",
        "http://t.cn/abc",
        "转发微博",
        "The meeting starts at 10.",
        "公司将于下周三召开新品发布会",
        "12345",
    ],
)
def test_what_has_no_mood_is_neutral(text: str) -> None:
    assert judged(text) is Sentiment.NEUTRAL


def test_nothing_in_gives_nothing_out_and_an_empty_text_scores_zero() -> None:
    assert ENGINE.score([]) == ([], [])
    assert ENGINE.score([""]) == ([Sentiment.NEUTRAL], [0.0])


@given(st.lists(st.text(alphabet=st.characters(), max_size=60), min_size=1, max_size=6))
def test_any_text_gets_a_score_in_range_whatever_stands_beside_it(texts: list[str]) -> None:
    labels, scores = ENGINE.score(texts)
    assert all(-1 <= score <= 1 for score in scores)
    for text, label, score in zip(texts, labels, scores, strict=True):
        assert ENGINE.score([text]) == ([label], [score])


def test_more_texts_than_a_chunk_are_all_answered() -> None:
    labels, scores = ENGINE.score(["太开心了", "垃圾公司骗钱"] * 1_500)
    assert len(labels) == len(scores) == 3_000
    assert labels[0] is labels[-2] is Sentiment.POSITIVE
    assert labels[1] is labels[-1] is Sentiment.NEGATIVE


@pytest.mark.parametrize(("text", "sign"), [("not bad", 0), ("bad, but the support was great", 1), ("advisable", 0)])
def test_english_knows_negation_turns_and_whole_words(text: str, sign: int) -> None:
    score = english.score(text)
    assert (score >= english.POSITIVE_FROM) == (sign > 0)
    assert (score <= english.NEGATIVE_FROM) == (sign < 0)


def test_sober_news_of_a_crisis_is_negative_but_praise_and_rebuttals_stay() -> None:
    texts = ["公司董事长被公安带走", "官方辟谣：系谣言", "产品召回处理得真好，非常满意，点赞"]
    labels = [Sentiment.NEUTRAL, Sentiment.NEUTRAL, Sentiment.POSITIVE]
    scores = [0.1, 0.0, 0.9]
    again, moved = weigh_types(labels, scores, classify(texts))
    assert again == [Sentiment.NEGATIVE, Sentiment.NEUTRAL, Sentiment.POSITIVE]
    assert -1 <= moved[0] < 0
    assert moved[1:] == [0.0, 0.9]
    assert labels[0] is Sentiment.NEUTRAL  # the engine's answer is left alone


def test_what_is_quoted_weighs_otherwise_than_own_words() -> None:
    _, scores = ENGINE.score(["太开心了//@某人:垃圾公司骗钱", "垃圾公司骗钱//@某人:太开心了"])
    assert scores[0] > scores[1]


def test_an_unknown_engine_is_named_in_the_error() -> None:
    with pytest.raises(ValueError, match="bert"):
        engine_named("bert")


def test_weights_survive_a_file_and_a_foreign_file_is_refused(tmp_path: Path) -> None:
    weights = shipped_weights()
    weights.save(tmp_path / "w.npz")
    again = Weights.load(tmp_path / "w.npz")
    assert (again.negative == weights.negative).all()
    assert (again.scale, again.bias) == (weights.scale, weights.bias)
    assert (tmp_path / "w.npz").stat().st_size < 3_000_000
    np.savez(tmp_path / "foreign.npz", a=np.zeros(3))
    with pytest.raises(ValueError, match="weights"):
        Weights.load(tmp_path / "foreign.npz")


def test_snownlp_is_the_alternative_and_its_input_is_bounded() -> None:
    engine = engine_named("snownlp")
    assert isinstance(engine, SnowNlpEngine)
    labels, scores = engine.score(["质量很好非常满意", "", "垃圾，骗人"])
    assert labels[1] is Sentiment.NEUTRAL
    assert scores[0] > scores[2]


def samples(count: int) -> list[Sample]:
    words = {Sentiment.NEGATIVE: "糟糕失败", Sentiment.NEUTRAL: "开会通知", Sentiment.POSITIVE: "开心满意"}
    return [Sample(f"{word}{number}", label) for label, word in words.items() for number in range(count)]


def test_training_learns_what_it_is_shown() -> None:
    engine = HashedNgrams(train(samples(25), moods=samples(25)))
    labels, _ = engine.score(["真糟糕", "通知一下", "很满意"])
    assert labels == [Sentiment.NEGATIVE, Sentiment.NEUTRAL, Sentiment.POSITIVE]


def test_too_few_samples_are_refused() -> None:
    with pytest.raises(TrainingError, match="negative"):
        train(samples(5))


def test_macro_f1_is_the_mean_over_the_classes() -> None:
    bad, none, good = Sentiment.NEGATIVE, Sentiment.NEUTRAL, Sentiment.POSITIVE
    assert macro_f1([bad, none, good], [bad, none, good]) == 1
    assert macro_f1([bad, bad, none, good], [bad, none, none, bad]) == pytest.approx((0.5 + 2 / 3 + 0) / 3)
