"""How a matter spread: cascades from dirty posts, the way across platforms, hints, the index."""

import itertools
import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.analysis.cascades import cascades_of
from bot.analysis.hints import LEAST_ACCOUNTS, hints
from bot.analysis.influence_index import InfluenceIndex, influence_index
from bot.analysis.spread import QUIET, matter, spread_of
from bot.model.grade import Carrier, Sentiment
from bot.model.post import Author, Engagement, Post
from bot.model.seen import Seen

HOUR, MINUTE = 3_600_000, 60_000
T0 = 1_757_498_400_000
_numbers = itertools.count(1)


def seen(id_: str, minute: float, text: str = "星河支付提现失败", **fields: Any) -> Seen:
    kept = {name: fields.pop(name) for name in ("story", "family", "sentiment", "carrier") if name in fields}
    name = fields.pop("name", id_)
    author = Author(fields.pop("author", "u-" + id_), name, fields.pop("followers", 0), fields.pop("verified", False))
    values = {"id": id_, "source": "s", "platform": "weibo", "text": text, "author": author} | fields
    post = Post(published_at=T0 + int(minute * MINUTE), **values)
    return Seen(next(_numbers), post, **({"family": "funds", "sentiment": Sentiment.NEGATIVE} | kept))


def repost(id_: str, minute: float, parent: str | None = None, root: str | None = "r", **fields: Any) -> Seen:
    return seen(id_, minute, **({"parent_id": parent, "root_id": root, "kind": "repost"} | fields))


def test_reposts_are_sorted_under_their_source_by_parent_root_or_chain() -> None:
    found = cascades_of([
        seen("r", 0, name="爆料人"),
        repost("a", 1, "r", name="大V说", text="大家看看"),
        repost("b", 2, "a"),
        repost("c", 3, text="啊//@大V说:大家看看"),
        repost("d", 4, "b", root=None),
        seen("e", 5, text="同感//@大V说:大家看看//@爆料人:星河支付提现失败"),
        seen("other", 6),
    ])  # fmt: skip
    (cascade,) = found
    parents = {item.id.split("\x1f")[1]: item.parent and item.parent.split("\x1f")[1] for item in cascade.tree.items}
    assert parents == {"r": None, "a": "r", "b": "a", "c": "a", "d": "b", "e": "a"}


def test_a_source_nobody_collected_still_holds_its_reposts_together() -> None:
    (cascade,) = cascades_of([repost("a", 1, root="gone"), repost("b", 2, "a", root="gone"), repost("c", 3, "lost")])[
        :1
    ]
    assert cascade.collected_root is None and cascade.root.quoted and cascade.tree.size == 2


def test_comments_are_counted_and_carry_nothing_on() -> None:
    (cascade,) = cascades_of([seen("r", 0), repost("a", 1), repost("b", 2, "r", kind="comment", root=None)])
    assert (cascade.tree.size, cascade.comments) == (1, 1)


IDS = st.none() | st.sampled_from(["r", *"abcdef", "gone"])
POSTS = st.lists(
    st.tuples(
        st.sampled_from(["r", *"abcdef"]), st.integers(0, 50), IDS, IDS,
        st.sampled_from(["post", "repost", "comment"]), st.sampled_from(["weibo", "news", "x"]), st.integers(0, 3),
        st.text("ab//@:： 王", max_size=30),
    ), max_size=14,
)  # fmt: skip


@given(POSTS, st.randoms())
def test_whatever_is_collected_gives_an_answer_and_its_order_changes_nothing(
    rows: list[tuple[Any, ...]], chance: random.Random
) -> None:
    posts = [
        seen(id_, minute, text, parent_id=parent, root_id=root, kind=kind, platform=platform, story=story)
        for id_, minute, parent, root, kind, platform, story, text in rows
    ]
    mixed = list(posts)
    chance.shuffle(mixed)
    now = T0 + 60 * MINUTE
    assert spread_of(mixed, now) == spread_of(posts, now)
    assert matter(mixed, "funds", now) == matter(posts, "funds", now)
    placed = [key for cascade in cascades_of(posts) for key in cascade.seen]
    assert len(placed) == len(set(placed)), "no post stands in two cascades"


def test_hostile_posts_take_no_time_that_grows_faster_than_they() -> None:
    chain = "x" + "".join(f"//@n{number}:w" for number in range(1_000))
    ring = [repost(f"p{number}", number / 100, f"p{(number + 1) % 3_000}", root=None) for number in range(3_000)]
    posts = [*ring, repost("self", 1, "self", root="self"), seen("long", 2, "退钱" * 50_000), seen("chain", 3, chain)]
    posts += [seen(f"evil{number}", 4, name="@all <script>\u202e" * 9) for number in range(10)]
    found = spread_of(posts, T0 + HOUR)
    assert found.posts == len(posts) and found.cascades[0].tree.mended.cycles <= 1


def test_the_way_across_platforms_says_where_the_words_came_from() -> None:
    found = spread_of([
        seen("w", 0, story=1), seen("n", 50, platform="news", story=1), seen("n2", 60, platform="news", story=1),
        seen("d", 70, platform="douyin", story=2), seen("w2", 80, story=2),
    ], T0 + 2 * HOUR)  # fmt: skip
    assert [(one.platform, one.posts, one.words_from) for one in found.arrivals] == [
        ("weibo", 2, ""), ("news", 2, "weibo"), ("douyin", 1, ""),
    ]  # fmt: skip
    assert [(one.words_from, one.post.post.id, one.followed) for one in found.bridges] == [
        ("weibo", "n", 1), ("douyin", "w2", 0),
    ]  # fmt: skip


def test_a_matter_is_its_family_what_carries_it_on_and_what_repeats_it() -> None:
    posts = [
        seen("old", -60 * 20), seen("r", 0, story=7), repost("a", 1, family="general", sentiment=Sentiment.NEUTRAL),
        seen("ad", 2, family="general", sentiment=Sentiment.POSITIVE),
        seen("copy", 3, family="general", sentiment=Sentiment.NEUTRAL, story=7),
        repost("c", 4, "r", root=None, kind="comment", family="general", sentiment=Sentiment.NEUTRAL),
    ]  # fmt: skip
    chosen = [one.post.id for one in matter(posts, "funds", T0 + 10 * MINUTE)]
    assert chosen == ["r", "a", "copy", "c"], "what lies before a long pause was another matter"
    assert QUIET < 20 * HOUR
    general = [one.post.id for one in matter(posts, "general", T0 + 10 * MINUTE)]
    assert "ad" not in general and "r" in general


def test_the_size_a_day_from_now_starts_from_what_the_platform_shows() -> None:
    source = seen("r", 0, engagement=Engagement(reposts=1_000), followers=50_000)
    posts = [source, *(repost(f"p{number}", number / 2) for number in range(100))]
    found = spread_of(posts, T0 + HOUR).expected
    plain = spread_of([replace(source, post=replace(source.post, engagement=Engagement())), *posts[1:]], T0 + HOUR)
    assert found and plain.expected
    assert found.now == 1_000 and found.middle == round(plain.expected.middle * 10)
    assert plain.expected.now == 100 < plain.expected.middle
    assert spread_of(posts[:4], T0 + HOUR).expected is None


def steered(count: int, *, followers: int = 3, spacing: float = 1, name: str = "用户{}") -> list[Seen]:
    return [
        seen(f"w{number}", number * spacing / 60, "星河支付早就该倒闭了大家快跑", followers=followers,
             name=name.format(8_000 + number))
        for number in range(count)
    ]  # fmt: skip


def test_many_small_accounts_with_the_same_words_in_a_minute_are_a_hint_with_its_evidence() -> None:
    (hint,) = hints(steered(12))
    assert (hint.accounts, hint.small, hint.alike, hint.posts) == (12, 12, 12, 12)
    assert hint.signs == ("same_minute", "small_accounts", "names_alike")


@pytest.mark.parametrize(
    "posts",
    [
        steered(LEAST_ACCOUNTS - 1),
        steered(12, spacing=600),
        steered(12, followers=5_000, name="老友{}号家的"),
        [replace(one, post=replace(one.post, author=Author("same", "n"))) for one in steered(12)],
        [replace(one, post=replace(one.post, text="转发微博")) for one in steered(12)],
        [replace(one, post=replace(one.post, text="👍" * 40)) for one in steered(12)],
        [],
    ],
    ids=["few", "spread over hours", "ordinary people", "one account", "a bare repost", "emoji", "nothing"],
)
def test_what_people_do_by_themselves_is_no_hint(posts: list[Seen]) -> None:
    assert hints(posts) == []


def test_the_index_is_the_sum_of_its_parts_and_stays_within_a_hundred() -> None:
    nobody = influence_index([], T0)
    assert nobody == InfluenceIndex() and nobody.value == 0
    huge = Engagement(10**12, 10**12, 10**12, 10**12)
    posts = [seen(f"x{number}", 0, engagement=huge, carrier=Carrier.HOT_LIST) for number in range(30)]
    full = influence_index(posts, T0 + MINUTE)
    assert (full.reach, full.engagement, full.sentiment, full.carrier) == (30, 20, 15, 15)
    assert full.value == 80 + full.speed <= 100


def test_each_part_of_the_index_grows_with_its_own_cause_alone() -> None:
    base = [seen(f"b{number}", 0, followers=100) for number in range(20)]
    before = influence_index(base, T0 + MINUTE)
    for change, part in (
        ({"author": Author("big", "n", 9_000_000)}, "reach"),
        ({"engagement": Engagement(likes=90_000)}, "engagement"),
    ):
        after = influence_index([replace(base[0], post=replace(base[0].post, **change)), *base[1:]], T0 + MINUTE)
        assert [name for name in InfluenceIndex.__slots__ if getattr(after, name) > getattr(before, name)] == [part]
    assert influence_index(base, T0 + 2 * HOUR).speed == 0 < before.speed
    calm = influence_index([replace(one, sentiment=Sentiment.NEUTRAL) for one in base], T0 + MINUTE)
    assert calm.sentiment == 0 < before.sentiment
    carried = influence_index([replace(base[0], carrier=Carrier.NATIONAL_MEDIA), *base[1:]], T0 + MINUTE)
    assert carried.carrier == 13
