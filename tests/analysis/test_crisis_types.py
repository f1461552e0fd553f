import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.analysis.crisis_types import MAX_WORDS, Terms, TermsError, classify
from bot.analysis.text import clean, fold
from bot.model.grade import CrisisType
from bot.model.post import TypeHit


def hits(text: str) -> tuple[TypeHit, ...]:
    return classify([fold(clean(text))])[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("提现三天不到账，客服不理人", "withdrawal_failure"),
        ("余额被冻结，钱取不出来", "withdrawal_failure"),
        ("My withdrawal has been pending for 5 days", "withdrawal_failure"),
        ("支付APP又崩了，付不了款", "outage"),
        ("The app is down again, can't log in", "outage"),
        ("几百万条用户数据在暗网被叫卖", "data_leak"),
        ("Over 2 million customer records exposed in data breach", "data_leak"),
        ("商家拒不退款，已经在黑猫投诉", "complaint_surge"),
        ("They refused to refund me, terrible customer service", "complaint_surge"),
        ("这家公司就是传销骗局", "fraud_accusation"),
        ("This company is a scam", "fraud_accusation"),
        ("证监会立案调查某上市公司", "regulatory_action"),
        ("Regulator fines the bank", "regulatory_action"),
        ("高管被带走调查", "executive_misconduct"),
        ("CEO resigned after sexual harassment scandal", "executive_misconduct"),
        ("某品牌奶粉被曝检出有害物质，多名婴儿住院", "product_safety"),
        ("Maker recalls 30,000 cars over brake failure", "product_safety"),
        ("员工在总部门口讨薪，公司拖欠工资三个月", "labour_dispute"),
        ("Hundreds of workers on strike over unpaid overtime", "labour_dispute"),
        ("网传视频系谣言，官方辟谣", "rumour"),
        ("Unconfirmed reports are circulating online", "rumour"),
        ("平台爆雷，资金链断裂", "funding_trouble"),
        ("The company filed for bankruptcy", "funding_trouble"),
        ("竞争对手雇水军抹黑我们", "competitor_attack"),
        ("A short seller published a smear campaign", "competitor_attack"),
        ("会员费悄悄涨价，连个通知都没有", "price_dispute"),
        ("提前还款违约金高得离谱，年化利率写得含糊", "price_dispute"),
        ("They charged me twice and added hidden fees", "price_dispute"),
        ("这软件偷听我说话，刚聊完就推广告", "privacy_accusation"),
        ("Your app is spying on users through the microphone", "privacy_accusation"),
        ("客服在电话里辱骂客户，录音都有了", "employee_misconduct"),
        ("催收员威胁我家人，还爆通讯录", "employee_misconduct"),
        ("A courier threatened a customer and punched her husband", "employee_misconduct"),
        ("金融监管总局出台助贷新规，存量业务限期清退", "policy_tightening"),
        ("The central bank published draft rules to cap fees", "policy_tightening"),
        ("千万粉丝大V发视频炮轰这家云厂商", "kol_incident"),
        ("代言人塌房，品牌连夜解约", "kol_incident"),
        ("A YouTuber exposes how the company treats its users", "kol_incident"),
    ],
)
def test_the_heaviest_type_is_the_one_a_reader_would_name(text: str, expected: str) -> None:
    found = hits(text)
    assert found, "nothing found"
    assert found[0].type.value == expected


@pytest.mark.parametrize(
    "text",
    [
        "提现秒到，太方便了",
        "提现已恢复，大家放心",
        "心态崩了，考试没过",
        "数据没有泄露，请放心",
        "反诈骗宣传进社区，谨防诈骗",
        "今天天气真好",
        "没有投诉",
        "全场免手续费，绝不涨价",
        "我们保护隐私，也保护用户隐私",
        "官宣代言人啦",
        "网红主播来我们城市打卡",
        "交通新规下月实施",
        "No hidden fees, ever",
        "Lightning strike near the school",
        "my favourite downtown cafe",
        "转发微博",
        "",
        "😂😂😂",
    ],
)
def test_words_taken_back_or_used_otherwise_are_no_crisis(text: str) -> None:
    assert hits(text) == ()


def test_the_words_that_decided_stand_in_the_post() -> None:
    text = fold(clean("平台爆雷，资金链断裂，老板跑路"))
    for hit in classify([text])[0]:
        assert 0.3 <= hit.weight <= 1
        assert hit.words
        assert all(word in text for word in hit.words)


def test_what_follows_a_crisis_weighs_less_beside_it() -> None:
    types = [hit.type for hit in hits("提现失败，已投诉，客服不理人，12315投诉也没用")]
    assert types[0] is CrisisType.WITHDRAWAL_FAILURE
    assert CrisisType.COMPLAINT_SURGE in types


def test_a_batch_is_answered_text_by_text() -> None:
    texts = ["", "系统崩溃", "好", "", "数据泄露", ""]
    assert classify(texts) == [classify([text])[0] for text in texts]
    assert [bool(found) for found in classify(texts)] == [False, True, False, False, True, False]


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"types": {"storm": {"strong": ["a"]}}},
        {"types": {"outage": ["a"]}},
        {"types": {"outage": {"strong": "down"}}},
        {"types": {"outage": {"strong": [" "]}}},
        {"types": {"outage": {"near": [{"first": ["a"]}]}}},
    ],
)
def test_a_mistake_in_the_terms_file_is_named(data: dict) -> None:
    with pytest.raises(TermsError, match="types"):
        Terms(data)


@given(st.lists(st.text(alphabet="没提现失败不到账骗局无 \nabc,谣言客服", max_size=60), max_size=6))
def test_any_mixture_of_words_gets_bounded_sorted_hits(texts: list[str]) -> None:
    folded = [fold(clean(text)) for text in texts]
    for found in classify(folded):
        weights = [hit.weight for hit in found]
        assert weights == sorted(weights, reverse=True)
        assert all(len(hit.words) <= MAX_WORDS for hit in found)


def test_a_text_made_of_words_only_is_answered() -> None:
    assert hits("提现失败骗局谣言崩了" * 400)
