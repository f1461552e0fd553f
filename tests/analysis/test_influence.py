from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.analysis.influence import carrier, influence
from bot.model.grade import Carrier
from bot.model.post import Author, Engagement, Post

POST = Post(id="1", source="s", platform="weibo", text="好", published_at=0)


def by(name: str = "某人", followers: int = 0, verified: bool = False, **fields: object) -> Post:
    return replace(POST, author=Author(name=name, followers=followers, verified=verified), **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("post", "expected"),
    [
        (POST, Carrier.ORDINARY),
        (by(followers=99_999), Carrier.ORDINARY),
        (by(followers=100_000), Carrier.KOL),
        (by(followers=10_000, verified=True), Carrier.KOL),
        (by("人民日报", 100_000_000, True), Carrier.NATIONAL_MEDIA),
        (by("人民日報海外版", 5_000_000, True), Carrier.NATIONAL_MEDIA),
        (by("人民日报", 12), Carrier.ORDINARY),  # anybody may call himself so
        (by("36氪", 4_000_000, True), Carrier.TRADE_MEDIA),
        (by("", platform="news", url="https://finance.sina.com.cn/a.html"), Carrier.TRADE_MEDIA),
        (by("", platform="news", url="https://www.reuters.com/a"), Carrier.NATIONAL_MEDIA),
        (by("", platform="news", url="https://notreuters.com/a"), Carrier.ORDINARY),
        (by("", platform="news", url="https://[broken"), Carrier.ORDINARY),
        (by("", platform="weibo", url="https://www.reuters.com/a"), Carrier.ORDINARY),
        (replace(POST, kind="hot_topic"), Carrier.HOT_LIST),
        (replace(POST, platform="hotsearch"), Carrier.HOT_LIST),
    ],
)
def test_who_carries_a_post(post: Post, expected: Carrier) -> None:
    assert carrier(post) is expected


@pytest.mark.parametrize(
    ("post", "expected"),
    [
        (POST, 0),
        (by(followers=1_000), 24),
        (by(followers=90_000), 40),
        (replace(POST, engagement=Engagement(reposts=1_000)), 36),
        (by(followers=1_000_000), 48),
        (by("人民日报", 2_000, True), 70),
        (replace(POST, kind="hot_topic"), 80),
    ],
)
def test_influence_follows_the_written_formula(post: Post, expected: int) -> None:
    assert influence(post) == expected


@given(*[st.integers(min_value=-5, max_value=1 << 60)] * 5)
def test_influence_stays_between_0_and_100(followers: int, views: int, likes: int, reposts: int, comments: int) -> None:
    post = replace(by(followers=followers), engagement=Engagement(views, likes, reposts, comments))
    assert 0 <= influence(post) <= 100
