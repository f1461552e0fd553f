from hypothesis import given
from hypothesis import strategies as st

from bot.analysis.stories import SIGNATURE_BYTES, signatures, similarity

POST = "星河支付提现三天了还没有到账，客服电话一直打不通，APP里也没有任何公告，到底什么时候能给大家一个说法"
EDITED = "星河支付提现四天了还没有到账，客服电话一直打不通，APP里也没有任何通知，到底什么时候能给大家一个说法"
OTHER = "周末和朋友去爬山，山上的枫叶全都红了，空气特别好，推荐大家趁着天气不冷去看一看"


def one(text: str) -> bytes:
    return signatures([text])[0]


def test_an_edited_repost_is_near_and_another_post_is_far() -> None:
    assert similarity(one(POST), one(POST)) == 1
    assert similarity(one(POST), one(EDITED)) > 0.5
    assert similarity(one(POST), one("转发微博 " + POST)) > 0.7
    assert similarity(one(POST), one(OTHER)) < 0.15


def test_a_short_text_has_no_signature() -> None:
    assert signatures(["转发微博", "", "提现不到账了大家"]) == [b"", b"", one("提现不到账了大家")]
    assert similarity(b"", one(POST)) == 0


@given(st.lists(st.text(alphabet=st.characters(), max_size=40), max_size=6))
def test_a_signature_does_not_depend_on_its_batch(texts: list[str]) -> None:
    assert signatures(texts) == [one(text) for text in texts]
    assert all(len(mark) in (0, SIGNATURE_BYTES) for mark in signatures(texts))
