import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.analysis.stories import SIGNATURE_BYTES, StoryIndex, signatures, similarity

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


def index_of(*texts: str, **options: int) -> tuple[StoryIndex, list[int]]:
    index, ids = StoryIndex(**options), itertools.count(1)
    return index, [index.add(one(text), at, lambda: next(ids))[0] for at, text in enumerate(texts)]


def test_posts_that_say_the_same_share_a_story() -> None:
    _, ids = index_of(POST, OTHER, EDITED, OTHER + "！", "转发 " + POST)
    assert ids == [1, 2, 1, 2, 1]


def test_a_new_story_is_named_once_and_only_when_new() -> None:
    index = StoryIndex()
    assert index.add(one(POST), 0, lambda: 41) == (41, True)
    assert index.add(one(POST), 5, lambda: pytest.fail("asked for a name")) == (41, False)


def test_a_story_is_forgotten_after_its_window() -> None:
    index = StoryIndex(window_ms=1000)
    index.add(one(POST), 0, lambda: 1)
    assert index.add(one(POST), 900, lambda: 2) == (1, False)
    assert index.add(one(POST), 1800, lambda: 2) == (1, False)
    assert index.add(one(POST), 2801, lambda: 2) == (2, True)


def test_memory_is_bounded_and_the_oldest_goes_first() -> None:
    texts = ["".join(random.Random(number).choices("天地玄黄宇宙洪荒日月盈昃", k=40)) for number in range(50)]
    index, _ = index_of(*texts, capacity=20)
    assert len(index) == 20
    assert index.add(one(texts[49]), 99, lambda: 100) == (50, False)
    assert index.add(one(texts[0]), 99, lambda: 101) == (101, True)


def test_an_index_rebuilt_from_the_store_answers_as_before() -> None:
    rebuilt = StoryIndex()
    rebuilt.load([(8, one(OTHER), 20), (7, one(POST), 10), (9, b"", 5)])
    assert rebuilt.add(one(EDITED), 30, lambda: 1) == (7, False)
    assert rebuilt.add(one(OTHER), 30, lambda: 1) == (8, False)


def test_what_is_no_signature_is_refused() -> None:
    with pytest.raises(ValueError, match="256"):
        StoryIndex().add(b"", 0, lambda: 1)


def test_the_same_posts_give_the_same_stories_every_time() -> None:
    rng = random.Random(3)
    texts = [POST, EDITED, OTHER] + [POST[start : start + 40] for start in range(0, 10, 2)]
    order = rng.choices(texts, k=60)
    assert index_of(*order)[1] == index_of(*order)[1]
