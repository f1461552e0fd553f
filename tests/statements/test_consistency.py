"""May we say that? Only what is out or approved answers, with its source, and never against its numbers or its no."""

from pathlib import Path

import pytest
import yaml

from bot.model.statement import EarlierText
from bot.statements.consistency import answer

TEXTS = [
    EarlierText(row["statement"], row["audience"], row["language"], "", row["body"], row["published"])
    for row in yaml.safe_load(Path(__file__).with_name("approved_texts.yaml").read_text(encoding="utf-8"))
]
ZH, EN = ([text for text in TEXTS if text.language == language] for language in ("zh-CN", "en"))

ANSWERED = [
    ("zh-CN", "有多少用户无法登录？", "S-1", "2300"),
    ("zh-CN", "能说约2300名用户无法登录吗？", "S-1", "2300"),
    ("zh-CN", "从几点开始无法登录的？", "S-1", "9:12"),
    ("zh-CN", "客服热线是多少？", "S-1", "400-820-1234"),
    ("zh-CN", "可以告诉用户不要重复提交订单吗？", "S-1", "不要重复"),
    ("zh-CN", "已提交的订单会保留吗？", "S-1", "保留"),
    ("zh-CN", "能不能说原因还没有查明？", "S-1", "没有查明"),
    ("zh-CN", "下一次更新是什么时候？", "S-1", "11:00"),
    ("zh-CN", "可以说转账功能已恢复吗？", "S-2", "已于14:20恢复"),
    ("zh-CN", "转账什么时候恢复的？", "S-2", "14:20"),
    ("zh-CN", "提现预计什么时候到账？", "S-2", "20:00"),
    ("zh-CN", "能说资金存放在存管银行吗？", "S-2", "存管银行"),
    ("zh-CN", "能说赔付方案正在研究吗？", "S-2", "正在研究"),
    ("zh-CN", "多少人的手机号被获取了？", "S-3", "1.2万人"),
    ("zh-CN", "能说密码没有泄露吗？", "S-3", "密码没有泄露"),
    ("zh-CN", "我们报案了吗？", "S-3", "报案"),
    ("zh-CN", "可以说接口已关闭吗？", "S-3", "接口已关闭"),
    ("zh-CN", "能告诉用户我们不会索要验证码吗？", "S-3", "验证码"),
    ("zh-CN", "已经有几个人烫伤？", "S-4", "3人"),
    ("zh-CN", "退货需要怎么办？", "S-4", "退货"),
    ("zh-CN", "能让顾客停止使用保温杯吗？", "S-4", "停止使用"),
    ("zh-CN", "召回进度几点公布？", "S-4", "17:00"),
    ("en", "How many customers cannot log in?", "S-11", "2,300"),
    ("en", "May we say that about 2,300 customers cannot log in?", "S-11", "2,300"),
    ("en", "When did customers lose log in?", "S-11", "9:12"),
    ("en", "May we tell customers not to submit orders twice?", "S-11", "orders twice"),
    ("en", "May we say that the cause is not known yet?", "S-11", "not known"),
    ("en", "When is the next update?", "S-11", "11 am"),
    ("en", "May we say that transfers have been restored?", "S-12", "restored"),
    ("en", "When are the withdrawals expected to arrive?", "S-12", "8 pm"),
    ("en", "Can we say that funds are held at the custodian bank?", "S-12", "custodian"),
    ("en", "How many customers had their names and phone numbers copied?", "S-13", "12,000"),
    ("en", "May we say that passwords were not leaked?", "S-13", "not leaked"),
    ("en", "Have we told the police?", "S-13", "police"),
    ("en", "How many people were burnt?", "S-14", "three"),
    ("en", "May we tell customers to stop using the flasks?", "S-14", "stop using"),
]  # fmt: skip


@pytest.mark.parametrize("language,question,source,words", ANSWERED)
def test_what_was_said_answers_with_its_sentence_and_source(
    language: str, question: str, source: str, words: str
) -> None:
    found = answer(question, ZH if language == "zh-CN" else EN, language)
    assert found is not None
    assert found.statement == source and words in "".join(found.sentences)


NOT_APPROVED = [
    ("zh-CN", "会裁员吗？"),
    ("zh-CN", "董事长会辞职吗？"),
    ("zh-CN", "公司股价会跌吗？"),
    ("zh-CN", "能说竞争对手也出过问题吗？"),
    ("zh-CN", "涉事高管停职了吗？"),
    ("zh-CN", "故障是误操作引起的吗？"),
    ("zh-CN", "门店几点关门？"),
    ("zh-CN", "会员费涨价吗？"),
    ("en", "Will there be layoffs?"),
    ("en", "Is the executive suspended?"),
    ("en", "Was the fault caused by an operator?"),
    ("en", "Will the chairman resign?"),
    ("en", "May we say that a competitor had the same problem?"),
    ("en", "What is the share price?"),
]
OTHER_NUMBER = [
    ("zh-CN", "能说5000名用户无法登录吗？"),
    ("zh-CN", "能说两万人的手机号被非法获取吗？"),
    ("zh-CN", "可以说有30人烫伤吗？"),
    ("zh-CN", "能说转账功能已于16:00恢复吗？"),
    ("zh-CN", "可以说提现今晚18:00前到账吗？"),
    ("en", "May we say that 5,000 customers cannot log in?"),
    ("en", "May we say that 20,000 names were copied?"),
    ("en", "May we say that thirty people were burnt?"),
    ("en", "May we say that transfers have been restored at 4 pm?"),
]
DENIED = [
    ("zh-CN", "能说原因已经查明吗？"),
    ("zh-CN", "能说密码泄露了吗？"),
    ("zh-CN", "能说手机号没有被非法获取吗？"),
    ("zh-CN", "能告诉用户我们会索要验证码吗？"),
    ("zh-CN", "可以说提现已经全部到账吗？"),
    ("zh-CN", "能说所有用户的提现都已到账吗？"),
    ("zh-CN", "能说没有人烫伤吗？"),
    ("en", "May we say that the cause is known?"),
    ("en", "May we say that passwords were leaked?"),
    ("en", "May we say that names and phone numbers were not copied?"),
    ("en", "May we say that all withdrawals have arrived?"),
    ("en", "May we say that nobody was burnt?"),
]


@pytest.mark.parametrize("language,question", [*NOT_APPROVED, *OTHER_NUMBER, *DENIED])
def test_what_was_not_said_or_was_said_otherwise_is_not_approved(language: str, question: str) -> None:
    assert answer(question, ZH if language == "zh-CN" else EN, language) is None


def test_an_unpublished_text_answers_only_once_it_is_approved() -> None:
    assert answer("涉事高管停职了吗？", ZH, "zh-CN") is None
    found = answer("涉事高管停职了吗？", ZH, "zh-CN", approved={"S-6"})
    assert found is not None and found.statement == "S-6" and found.published_at == 0


def test_a_text_for_staff_is_never_quoted_to_the_outside() -> None:
    assert answer("故障是误操作引起的吗？", ZH, "zh-CN") is None
    found = answer("故障是误操作引起的吗？", ZH, "zh-CN", audiences=("staff",))
    assert found is not None and found.statement == "S-5"


def test_the_later_of_two_texts_that_say_the_same_is_the_source() -> None:
    again = EarlierText("S-9", "public", "zh-CN", "", "约2300名用户无法登录，现已全部恢复。", 9000)
    found = answer("有多少用户无法登录？", [*ZH, again], "zh-CN")
    assert found is not None and found.statement == "S-9"


def test_nothing_is_made_up_from_nothing() -> None:
    assert answer("", ZH, "zh-CN") is None
    assert answer("有多少用户无法登录？", [], "zh-CN") is None
    assert answer("？" * 10_000, ZH, "zh-CN") is None
    assert answer("Wie viele?", ZH, "de") is None
