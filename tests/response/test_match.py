"""The right playbook comes first, for reasons a person can read."""

import pytest

from bot.analysis.crisis_types import classify
from bot.model.grade import Grade
from bot.model.text import LANGUAGES
from bot.response.library import load_library
from bot.response.match import Match, Matcher, Outcome, Situation
from bot.response.schema import Playbook
from bot.response.similarity import Recogniser, Similarity, folded
from bot.texts import render
from tests.response.playbooks import ROOT, sound

EXEMPLARS = ("withdrawal-failure", "service-outage", "data-leak", "rumour")


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    library = load_library(ROOT)
    return Matcher([playbook for name in EXEMPLARS if (playbook := library.get(name))])


def of(text: str, **changes: object) -> Situation:
    kinds = {hit.type.value: hit.weight for hit in classify([folded(text)])[0]}
    return Situation(**{"kinds": kinds, "texts": [text], "grade": Grade.ORANGE, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "industry", "wanted"),
    [
        ("余额里的钱四天都转不出来，客服一直让等，是不是要卷钱了", "internet-finance", "withdrawal-failure"),
        ("平台把出金关了，几千人堵在楼下要钱", "fintech", "withdrawal-failure"),
        ("cash out has been stuck since Monday and nobody answers", "fintech", "withdrawal-failure"),
        ("全国都连不上，收银台扫不了码，门店全停了", "cloud", "service-outage"),
        ("控制台 502 一上午了，状态页还说正常", "cloud", "service-outage"),
        ("Console unreachable, all regions failing for an hour", "cloud", "service-outage"),
        ("刚下完单就有骗子打来，姓名地址订单全知道", "general", "data-leak"),
        ("论坛上有人挂出他们两千万用户资料打包卖", "cloud", "data-leak"),
        ("Someone posted a dump of their customer records with phone numbers", "general", "data-leak"),
        ("群里都在传他们明天要关门，那张截图明显是P的", "general", "rumour"),
        ("网传老板跑路，其实是旧闻翻炒", "general", "rumour"),
        ("That memo going around is fake, an old hoax with a new date", "general", "rumour"),
    ],
)
def test_the_right_playbook_comes_first(matcher: Matcher, text: str, industry: str, wanted: str) -> None:
    ranked = matcher.rank(of(text, industry=industry))
    assert ranked and ranked[0].playbook_id == wanted, ranked


def test_the_reasons_read_as_a_colleague_would_say_them(matcher: Matcher) -> None:
    situation = Situation(
        kinds={"withdrawal_failure": 0.91}, industry="internet-finance", grade=Grade.ORANGE, posture="tightening"
    )
    best = matcher.rank(situation)[0]
    assert "；".join(render(reason, "zh-CN") for reason in best.reasons) == (
        "类型：提现困难 0.91；行业：互联网金融；级别：橙色 Ⅱ；政策收紧，合规优先"
    )
    assert all(render(reason, language) for reason in best.reasons for language in LANGUAGES)


def changed(**changes: object) -> float:
    """The score of the sound playbook in a plain situation with something changed."""
    return one(sound(), **changes).score


def one(playbook: Playbook, **changes: object) -> Match:
    plain = {"kinds": {"outage": 0.6}, "grade": Grade.ORANGE}
    return Matcher([playbook]).rank(Situation(**{**plain, **changes}))[0]  # type: ignore[arg-type]


def test_scores_move_the_way_people_expect() -> None:
    plain = changed()
    assert 0 < plain < 1
    assert changed(kinds={"outage": 0.9}) > plain
    assert changed(texts=["网站打不开了，宕机了"]) > plain
    assert changed(grade=Grade.BLUE) < plain
    assert changed(subject_kind="competitor") < plain
    assert changed(outcomes={"outage": Outcome(5, 1.0)}) > plain
    assert changed(outcomes={"outage": Outcome(5, 0.0)}) < plain
    assert changed(outcomes={"outage": Outcome(0, 1.0)}) == plain
    assert changed(outcomes={"other": Outcome(5, 1.0)}) == plain


def test_posture_and_sensitive_periods_move_only_what_asks_for_it() -> None:
    playbook = sound()
    careful = playbook.model_copy(
        update={"match": playbook.match.model_copy(update={"compliance_weight": 0.5, "sensitive_weight": 0.5})}
    )
    for situation in ({"posture": "tightening"}, {"sensitive_period": True}):
        assert one(playbook, **situation).score == one(playbook).score
        assert one(careful, **situation).score > one(careful).score


def test_compliance_first_turns_the_order_when_policy_tightens() -> None:
    fast, lawful = sound(), sound()
    lawful = lawful.model_copy(
        update={
            "id": "lawful",
            "crisis_types": ("regulatory_action",),
            "match": lawful.match.model_copy(update={"compliance_weight": 0.6}),
        }
    )
    kinds = {"outage": 0.6, "regulatory_action": 0.52}
    both = Matcher([fast, lawful])
    assert [item.playbook_id for item in both.rank(Situation(kinds=kinds))] == ["outage", "lawful"]
    ranked = both.rank(Situation(kinds=kinds, posture="tightening"))
    assert [item.playbook_id for item in ranked] == ["lawful", "outage"]


def test_nothing_to_go_by_matches_nothing() -> None:
    assert Matcher([sound()]).rank(Situation()) == []
    assert Matcher([]).rank(Situation(kinds={"outage": 1.0}, texts=["宕机"])) == []
    assert Matcher([sound()]).rank(Situation(texts=["今天天气真好，适合出去走走"])) == []


@pytest.mark.parametrize(
    "text",
    [
        "今天天气真好，适合出去走走",
        "新品发布会很精彩，设计好看",
        "The weather is lovely, let us go for a walk in the park",
    ],
)
def test_ordinary_talk_hardly_matches_anything(matcher: Matcher, text: str) -> None:
    assert all(match.score < 0.2 for match in matcher.rank(of(text)))


def test_a_latin_word_counts_only_by_itself() -> None:
    assert changed(texts=["the server is down"]) > changed(texts=["please download the app"])


def test_a_score_is_never_outside_its_bounds() -> None:
    everything = {"outage": Outcome(1000, 1.0)}
    assert changed(kinds={"outage": 50.0}, texts=["宕机 down 网站打不开了"], outcomes=everything) <= 1


def test_likeness_is_one_for_the_same_text_and_near_none_for_another() -> None:
    similarity = Similarity([folded("提现三天还没到账"), folded("网站又打不开了"), ""])
    alike = similarity.to(folded("提現三天還沒到賬"))
    assert alike[0] > 0.99
    assert alike[1] < 0.1
    assert alike[2] == 0
    assert list(similarity.to("")) == [0, 0, 0]
    assert list(Similarity([]).to("任何")) == []


def test_texts_are_recognised_by_what_tells_their_owners_apart() -> None:
    documents = ["客服说余额提不出来", "客服说网站打不开", "客服不理人，投诉没人管"]
    recogniser = Recogniser([folded(text) for text in documents], [0, 1, 2], 3)
    scores = [
        list(recogniser.to(folded(text))) for text in ("钱取不出来", "登录不了，网站崩了", "Cannot withdraw my money")
    ]
    assert [row.index(max(row)) for row in scores] == [0, 1, 0]
    assert list(Recogniser([], [], 2).to("任何")) == [0, 0]
    assert list(recogniser.to("")) == [0, 0, 0]


def two(**changes: object) -> tuple[Playbook, Playbook]:
    """A playbook for outages and one for the regulator, whose matching is changed."""
    fast = sound()
    match = fast.match.model_copy(update=changes)
    return fast, fast.model_copy(update={"id": "lawful", "crisis_types": ("regulatory_action",), "match": match})


MIXED = {"outage": 0.6, "regulatory_action": 0.52}


@pytest.mark.parametrize(
    ("listed", "situation", "said"),
    [
        (
            {"compliance_weight": 0.6},
            {"posture": "tightening"},
            ("政策收紧，合规优先", "policy is tightening, compliance first"),
        ),
        ({"sensitive_weight": 0.6}, {"sensitive_period": True}, ("处于敏感期", "sensitive period")),
        (
            {},
            {"outcomes": {"lawful": Outcome(9, 1.0)}},
            ("过往效果好（9 次，100% 良好）", "worked in the past (9 runs, 100% good)"),
        ),
    ],
)  # fmt: skip
def test_what_turns_the_order_is_named_in_words_even_where_few_reasons_fit(
    listed: dict[str, object], situation: dict[str, object], said: tuple[str, str]
) -> None:
    both = Matcher(two(**listed))
    texts = ["网站打不开了，宕机了"]
    plain = Situation(kinds=MIXED, grade=Grade.ORANGE)
    assert [item.playbook_id for item in both.rank(plain)] == ["outage", "lawful"]
    first = both.rank(Situation(kinds=MIXED, grade=Grade.ORANGE, **situation))[0]  # type: ignore[arg-type]
    assert first.playbook_id == "lawful"
    for language, words in zip(LANGUAGES, said, strict=True):
        assert words in [render(reason, language) for reason in first.leading(2)]
    assert both.rank(Situation(kinds=MIXED, texts=texts))[0].playbook_id == "outage"


def test_a_plan_that_did_badly_falls_behind_and_says_so() -> None:
    ranked = Matcher(two()).rank(Situation(kinds=MIXED, outcomes={"outage": Outcome(9, 0.0)}))
    assert [item.playbook_id for item in ranked] == ["lawful", "outage"]
    assert "过往效果欠佳（9 次，0% 良好）" in [render(reason, "zh-CN") for reason in ranked[1].leading(3)]
