"""What is measured of a family in its last minutes."""

from bot.model.grade import Carrier
from bot.store.counts import Bucket, TermCount
from bot.warning.metrics import Measured, measure

MINUTE = 1_000_000


def bucket(age: int, count: int = 1, **fields) -> Bucket:
    values = {
        "family": "funds",
        "platform": "weibo",
        "sentiment": -1,
        "engagement": 0,
        "carrier": 0,
        "carrier_post": 0,
        "top_influence": 10,
        "top_post": age + 1,
    }
    return Bucket(minute=MINUTE - age, count=count, **{**values, **fields})


def of(*buckets: Bucket, families=frozenset({"funds"}), terms=(), day=()) -> Measured:
    return measure(buckets, terms, day, families, MINUTE)


def test_the_hour_ends_with_this_minute_and_begins_sixty_minutes_ago() -> None:
    assert of(bucket(0), bucket(59), bucket(60), bucket(-1)).negative == 2


def test_the_two_half_hours_of_the_speed() -> None:
    found = of(bucket(0, 3), bucket(29, 4), bucket(30, 5), bucket(59, 6), bucket(60, 7))
    assert (found.negative_recent, found.negative_before) == (7, 11)


def test_positive_and_neutral_posts_are_mentions_only() -> None:
    found = of(bucket(1, 2), bucket(1, 5, sentiment=0, engagement=9), bucket(1, 7, sentiment=1, platform="x"))
    assert (found.negative, found.mentions, found.engagement, found.platforms) == (2, 14, 0, {"weibo": 2})


def test_a_platform_is_reached_by_two_posts() -> None:
    found = of(bucket(1), bucket(2), bucket(3, platform="x"), bucket(4, 9, platform="news"))
    assert found.reached == ["news", "weibo"]


def test_the_highest_carrier_of_two_hours_counts_with_its_post_and_different_media_are_counted() -> None:
    found = of(
        bucket(119, carrier=4, carrier_post=7),
        bucket(5, carrier=2, carrier_post=8),
        bucket(6, carrier=2, carrier_post=8),
        bucket(7, carrier=1, carrier_post=9),
        bucket(120, carrier=4, carrier_post=99),
    )
    assert (found.carrier, found.carrier_post, found.carriers) == (Carrier.HOT_LIST, 7, 2)


def test_other_families_do_not_count_and_their_types_neither() -> None:
    terms = [
        TermCount("type", "withdrawal_failure", "funds", 5),
        TermCount("type", "complaint_surge", "general", 80),
        TermCount("word", "跑路", "funds", 3),
        TermCount("word", "跑路", "data", 9),
    ]
    day = [("funds", 1, 9, 4), ("data", 1, 9, 5)]
    found = of(bucket(1), bucket(1, 50, family="data"), terms=terms, day=day)
    assert (found.negative, found.types, found.words, found.negative_day) == (
        1,
        {"withdrawal_failure": 5},
        {"跑路": 3},
        4,
    )


def test_the_leading_family_takes_the_general_talk_with_it() -> None:
    terms = [TermCount("type", "complaint_surge", "general", 80)]
    found = of(bucket(1), bucket(2, 9, family="general"), families=frozenset({"funds", "general"}), terms=terms)
    assert (found.negative, found.types) == (10, {"complaint_surge": 80})


def test_the_most_influential_posts_are_the_examples() -> None:
    found = of(*(bucket(age, top_influence=age, top_post=100 + age) for age in range(8)))
    assert found.example_posts == (107, 106, 105, 104, 103)
