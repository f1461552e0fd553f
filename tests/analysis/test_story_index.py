"""Stories and topics over a stream: exact copies, resemblance, merges, splits, bounded memory."""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.analysis import story_index
from bot.analysis.stories import signatures
from bot.analysis.story_index import COPY_FROM, Known, Merge, Placed, Split, StoryIndex, shared

POST = "星河支付提现三天了还没有到账，客服电话一直打不通，APP里也没有任何公告，到底什么时候能给大家一个说法"
COPIED = POST + "。"
EDITED = "星河支付提现四天了还没有到账，客服电话一直打不通，APP里也没有任何通知，到底什么时候能给大家一个说法"
OTHER = "周末和朋友去爬山，山上的枫叶全都红了，空气特别好，推荐大家趁着天气不冷去看一看"


def one(text: str) -> bytes:
    return signatures([text])[0]


class Stream:
    """An index with its own numbering, where text alone says enough."""

    def __init__(self, **options: int) -> None:
        self.index = StoryIndex(**options)
        self.ids = itertools.count(1)

    def add(self, text: str, at: int = 0) -> Placed:
        return self.index.add(one(text), text, at, lambda: next(self.ids))

    def stories(self, *texts: str) -> list[int]:
        return [self.add(text, at).story for at, text in enumerate(texts)]


def test_copies_share_a_story_and_edited_ones_a_topic() -> None:
    stream = Stream()
    assert shared(POST, COPIED) > COPY_FROM > shared(POST, EDITED)
    assert stream.add(POST) == Placed(1, True, 1)
    assert stream.add(OTHER) == Placed(2, True, 2)
    assert stream.add(COPIED) == Placed(1, False, 1)
    assert stream.add(EDITED) == Placed(3, True, 1)
    assert stream.add(EDITED) == Placed(3, False, 1)
    assert stream.index.changes() == [], "a new wording that joins is no merge"


def test_a_new_story_is_named_once_and_only_when_new() -> None:
    index = StoryIndex()
    assert index.add(one(POST), POST, 0, lambda: 41).story == 41
    assert index.add(one(POST), POST, 5, lambda: pytest.fail("asked for a name")) == Placed(41, False, 41)


def test_a_story_is_no_longer_found_after_its_window() -> None:
    stream = Stream(window_ms=1000)
    assert [stream.add(POST, at).story for at in (0, 900, 1800)] == [1, 1, 1]
    assert stream.add(POST, 2801) == Placed(2, True, 2)


def random_text(number: int, length: int = 40) -> str:
    return "".join(random.Random(number).choices("天地玄黄宇宙洪荒日月盈昃辰宿列张寒来暑往", k=length))


def test_memory_is_bounded_and_the_least_recently_seen_goes_first() -> None:
    stream = Stream(capacity=20)
    texts = [random_text(number) for number in range(50)]
    stream.stories(*texts)
    assert len(stream.index) == 20
    assert stream.add(texts[49], 99).story == 50
    assert stream.add(texts[0], 99).new


# Two texts that have a third in common, and one that says all of it: two thirds of it are each of them.
_FIRST, _COMMON, _LAST = (random_text(number, 60) for number in (1, 2, 3))
LEFT, RIGHT, BRIDGE = _FIRST + _COMMON, _COMMON + _LAST, _FIRST + _COMMON + _LAST


def bridged() -> Stream:
    stream = Stream(capacity=50)
    assert [stream.add(LEFT, 1).topic, stream.add(RIGHT, 2).topic] == [1, 2]
    assert stream.add(BRIDGE, 3) == Placed(3, True, 1)
    return stream


def test_a_post_that_resembles_two_topics_merges_them_under_the_older_number() -> None:
    stream = bridged()
    assert stream.index.changes() == [Merge(kept=1, gone=2, story=3)]
    assert stream.index.changes() == [], "each change is told once"
    assert stream.add(RIGHT, 4) == Placed(2, False, 1)


def test_a_topic_splits_when_what_connected_it_is_forgotten() -> None:
    stream = bridged()
    stream.index.changes()
    stream.add(LEFT, 50)
    stream.add(RIGHT, 50)
    stream.index.expire(10)
    assert stream.index.changes() == [Split(old=1, new=2, stories=(2,))]
    assert (stream.add(LEFT, 51).topic, stream.add(RIGHT, 52).topic) == (1, 2)


def test_an_index_rebuilt_from_the_store_answers_as_before() -> None:
    rebuilt = StoryIndex()
    rebuilt.load([
        Known(8, 8, one(OTHER), 20, OTHER), Known(7, 7, one(POST), 10, POST), Known(9, 9, b"", 5),
        Known(12, 7, one(EDITED), 30, EDITED), Known(13, 13, one(LEFT), 30, ""),
    ])  # fmt: skip
    assert rebuilt.add(one(COPIED), COPIED, 30, lambda: 1) == Placed(7, False, 7)
    assert rebuilt.add(one(OTHER), OTHER, 30, lambda: 1) == Placed(8, False, 8)
    assert rebuilt.add(one(EDITED), EDITED, 30, lambda: 1) == Placed(12, False, 7)
    assert rebuilt.add(one(LEFT), LEFT, 30, lambda: 1) == Placed(13, False, 13), "without a text the signature decides"
    assert rebuilt.changes() == []


def test_what_is_no_signature_is_refused() -> None:
    with pytest.raises(ValueError, match="256"):
        StoryIndex().add(b"", "", 0, lambda: 1)


def test_the_same_posts_give_the_same_stories_every_time() -> None:
    texts = [POST, EDITED, OTHER] + [POST[start : start + 40] for start in range(0, 10, 2)]
    order = random.Random(3).choices(texts, k=60)
    assert Stream().stories(*order) == Stream().stories(*order)


PARTS = ("提现失败了怎么办", "客服电话打不通", "到底谁来负责", "还我血汗钱", "今天天气不错啊")
WORDS = st.lists(st.sampled_from(PARTS), min_size=2, max_size=7).map("，".join)


def test_links_without_room_do_no_harm_in_a_long_stream_of_look_alikes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(story_index, "_MOST_LINKS", 2)
    chance = random.Random(5)
    parts = [random_text(number, 20) for number in range(12)]
    stream_whole([("".join(chance.choices(parts, k=3)), at) for at in range(3_000)], capacity=60)


@given(st.lists(st.tuples(WORDS, st.integers(0, 400)), max_size=40), st.integers(1, 12))
def test_whatever_streams_by_topics_are_whole_and_changes_tell_all(posts: list[tuple[str, int]], capacity: int) -> None:
    stream_whole(posts, capacity)


def stream_whole(posts: list[tuple[str, int]], capacity: int) -> None:
    """Somebody who only hears of new stories and changes knows the topic of every story that is still in memory."""
    stream = Stream(capacity=capacity, window_ms=300)
    told: dict[int, int] = {}
    for text, at in posts:
        placed = stream.add(text, at)
        if placed.new:
            told[placed.story] = placed.topic
        for change in stream.index.changes():
            if isinstance(change, Merge):
                assert change.kept < change.gone
                told = {story: change.kept if topic == change.gone else topic for story, topic in told.items()}
            else:
                assert change.new == min(change.stories)
                told |= dict.fromkeys(change.stories, change.new)
        assert told[placed.story] == placed.topic
        assert len(stream.index) <= capacity


@given(st.text(st.characters(), max_size=60), st.text(st.characters(), max_size=60))
def test_what_two_texts_share_is_counted_exactly(first: str, second: str) -> None:
    def grams(text: str) -> set[str]:
        return {text[start : start + 4] for start in range(len(text) - 3)} or {text}

    expected = len(grams(first) & grams(second)) / len(grams(first) | grams(second))
    assert shared(first, second) == pytest.approx(expected)
