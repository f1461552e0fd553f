import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.analysis.keywords import Matcher, RuleError
from bot.model.post import KeywordRule, Subject


def subject(id_: str = "s", **rule: object) -> Subject:
    return Subject(id=id_, name=id_, rule=KeywordRule(**rule))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rule", "text", "words"),
    [
        ({"any": ("星河支付",)}, "星河支付崩了", ("星河支付",)),
        ({"any": ("星河支付",)}, "星河 支付", None),
        ({"any": ("Visa",)}, "it is advisable", None),
        ({"any": ("Visa",)}, "我的VISA卡被盗刷", ("Visa",)),
        ({"any": ("Visa",)}, "ＶＩＳＡ", ("Visa",)),
        ({"any": ("5G",)}, "15g流量", None),
        ({"any": ("5G",)}, "5G手机", ("5G",)),
        ({"any": ("iPhone",)}, "iPhone15", ("iPhone",)),
        ({"any": ("Xinghe Pay",)}, "XINGHE   PAY is down", ("Xinghe Pay",)),
        ({"any": ("C++",)}, "c++ developers", ("C++",)),
        ({"any": ("提现",)}, "無法提現", ("提现",)),
        ({"any": ("提現",)}, "无法提现", ("提現",)),
        ({"all": ("提现", "失败")}, "提现又失败", ("提现", "失败")),
        ({"all": ("提现", "失败")}, "提现成功", None),
        ({"any": ("星河",), "all": ("提现",)}, "星河提现", ("星河", "提现")),
        ({"any": ("星河",), "none": ("招聘",)}, "星河招聘", None),
        ({"any": ("星河", "星河支付")}, "星河支付", ("星河", "星河支付")),
        ({"regex": (r"提现.{0,5}(失败|不到账)",)}, "提现一直不到账", (r"提现.{0,5}(失败|不到账)",)),
        ({"regex": (r"V\d+\.\d+",)}, "升级到v2.3了", (r"V\d+\.\d+",)),
        ({"regex": (r"\S+，谢谢",)}, "好的,谢谢", (r"\S+，谢谢",)),
        ({"any": ("别的",), "regex": ("崩[了溃]",)}, "崩了", ("崩[了溃]",)),
        ({"any": ("星河",), "platforms": ("x",)}, "星河", None),
        ({"any": ("星河",), "platforms": ("Weibo",)}, "星河", ("星河",)),
    ],
)
def test_a_rule_matches_what_a_reader_would_say_it_does(rule: dict, text: str, words: tuple[str, ...] | None) -> None:
    found = Matcher([subject(**rule)]).explain([text], "weibo")[0]
    assert found == ((("s", words),) if words else ())


@pytest.mark.parametrize(
    ("rule", "place", "code"),
    [
        ({}, "match", "empty"),
        ({"none": ("招聘",)}, "match", "empty"),
        ({"any": ("好", "  ")}, "any[1]", "empty_word"),
        ({"any": ("长" * 101,)}, "any[0]", "long_word"),
        ({"regex": ("(好",)}, "regex[0]", "bad_regex"),
        ({"regex": (r"(a)\1",)}, "regex[0]", "bad_regex"),
        ({"regex": ("a*",)}, "regex[0]", "regex_matches_everything"),
        ({"regex": ("a" * 301,)}, "regex[0]", "long_regex"),
        ({"all": ("好",), "none": ("好",)}, "none", "contradiction"),
        ({"any": tuple(str(number) for number in range(10_001))}, "match", "too_many_words"),
    ],
)
def test_a_bad_rule_is_refused_with_its_place_and_a_code(rule: dict, place: str, code: str) -> None:
    with pytest.raises(RuleError) as caught:
        Matcher([subject(**rule)])
    assert (caught.value.subject, caught.value.place, caught.value.code) == ("s", place, code)


def test_subjects_come_in_their_order_each_with_its_own_words() -> None:
    matcher = Matcher([subject("b", any=("银行",)), subject("a", any=("银行", "基金")), subject("c", any=("保险",))])
    assert matcher.explain(["基金和银行"]) == [(("b", ("银行",)), ("a", ("银行", "基金")))]


def test_a_catastrophic_pattern_costs_no_more_than_another() -> None:
    matcher = Matcher([subject(regex=(r"(a+)+b", r"(.*)*x.*y.*z"))])
    assert matcher.explain(["a" * 4_000]) == [()]


def test_without_subjects_nothing_matches() -> None:
    assert Matcher([]).match(["好"], ["weibo"]) == [()]


def test_ten_thousand_rules_answer_as_one_would() -> None:
    matcher = Matcher([subject(str(number), any=(f"品牌{number}号",)) for number in range(10_000)])
    assert matcher.explain(["品牌77号和品牌9999号"]) == [(("77", ("品牌77号",)), ("9999", ("品牌9999号",)))]


@given(st.lists(st.text(alphabet="ab1好 提", min_size=1, max_size=4), min_size=1, max_size=5), st.text(max_size=40))
def test_a_word_is_found_only_where_it_stands(words: list[str], text: str) -> None:
    words = [word for word in words if word.strip()]
    if words:
        for _, found in Matcher([subject(any=tuple(words))]).explain([text])[0]:
            assert found
            assert set(found) <= {word.strip() for word in words}


@given(st.text(alphabet=st.characters(), max_size=60), st.text(alphabet=st.characters(), max_size=60))
def test_any_pattern_is_taken_or_refused_and_any_text_answered(pattern: str, text: str) -> None:
    try:
        matcher = Matcher([subject(regex=(pattern,))])
    except RuleError:
        return
    assert len(matcher.match([text], ["weibo"])) == 1
