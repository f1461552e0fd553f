"""Counts become signals and a grade, and every grade can be explained."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.model.grade import Carrier, Grade
from bot.model.post import KeywordRule, Subject
from bot.warning.assess import DIMENSION, assess, preset_names, thresholds
from bot.warning.baseline import Baseline
from bot.warning.metrics import Measured

RULES = thresholds("general")
PLAIN = Subject("s", "S", KeywordRule(any=("s",)))
SENSITIVE = Subject("s", "S", KeywordRule(any=("s",)), sensitive=("money",))
BLUE, YELLOW, ORANGE, RED = Grade.BLUE, Grade.YELLOW, Grade.ORANGE, Grade.RED


def signals_of(measured: Measured, baseline: Baseline | None = None, subject: Subject = PLAIN, **more: float) -> dict:
    return {signal.metric: signal for signal in assess(measured, baseline, subject, RULES, **more)[1]}


def platforms(count: int) -> dict[str, int]:
    return {f"p{number}": 2 for number in range(count)}


@pytest.mark.parametrize(
    ("metric", "make", "steps"),
    [
        ("negative_60m", lambda n: Measured(negative=n), (8, 25, 80, 250)),
        ("negative_24h", lambda n: Measured(negative_day=n), (40, 120, 400, 1200)),
        ("mentions_60m", lambda n: Measured(mentions=n), (150, 500, 1500, 5000)),
        ("engagement_60m", lambda n: Measured(engagement=n), (500, 3000, 20000, 100000)),
        ("platforms_60m", lambda n: Measured(platforms=platforms(n)), (3, 4, 6, 8)),
        ("type_60m", lambda n: Measured(types={"outage": n, "other": 1}), (8, 20, 60, 200)),
        ("keyword_60m", lambda n: Measured(words={"跑路": n, "x": 1}), (8, 25, 80, 250)),
    ],
)
def test_each_count_gives_its_own_grade_at_its_threshold_and_not_one_below(metric, make, steps) -> None:
    assert metric not in signals_of(make(steps[0] - 1))
    for grade, step in zip((BLUE, YELLOW, ORANGE, RED), steps, strict=True):
        found = signals_of(make(step))[metric]
        assert (found.grade, found.value, found.threshold) == (grade, step, step)
        if grade > BLUE:
            assert signals_of(make(step - 1))[metric].grade == grade - 1


@pytest.mark.parametrize(
    ("negative", "mentions", "grade"),
    [(8, 20, BLUE), (7, 20, None), (11, 20, YELLOW), (14, 20, ORANGE), (17, 20, RED), (19, 19, None), (0, 500, None)],
)
def test_the_share_of_negative_posts_takes_a_minimum_of_mentions(
    negative: int, mentions: int, grade: Grade | None
) -> None:
    found = signals_of(Measured(negative=negative, mentions=mentions)).get("negative_share_60m")
    assert (found.grade if found else None) == grade
    if found:
        assert found.detail == f"{negative}/{mentions}"


@pytest.mark.parametrize(
    ("before", "recent", "grade"),
    [
        (5, 10, BLUE),
        (10, 29, BLUE),
        (10, 30, YELLOW),
        (10, 50, ORANGE),
        (10, 80, RED),
        (1, 9, None),
        (0, 10, BLUE),
        (0, 24, YELLOW),
        (30, 20, None),
    ],
)
def test_speed_is_growth_from_half_hour_to_half_hour_and_a_start_from_nothing_counts_little(
    before: int, recent: int, grade: Grade | None
) -> None:
    found = signals_of(Measured(negative_before=before, negative_recent=recent)).get("speed_30m")
    assert (found.grade if found else None) == grade


@pytest.mark.parametrize(
    ("carrier", "count", "grade"),
    [
        (Carrier.ORDINARY, 0, None),
        (Carrier.KOL, 0, BLUE),
        (Carrier.TRADE_MEDIA, 1, YELLOW),
        (Carrier.NATIONAL_MEDIA, 1, ORANGE),
        (Carrier.HOT_LIST, 1, ORANGE),
        (Carrier.NATIONAL_MEDIA, 3, RED),
        (Carrier.TRADE_MEDIA, 3, ORANGE),
        (Carrier.KOL, 3, BLUE),
    ],
)
def test_the_highest_carrier_counts_and_several_media_count_more(
    carrier: Carrier, count: int, grade: Grade | None
) -> None:
    found = signals_of(Measured(carrier=carrier, carriers=count, carrier_post=7)).get("carrier_120m")
    assert (found.grade if found else None) == grade
    if found:
        assert (found.detail, found.posts) == (carrier.word, (7,))


@pytest.mark.parametrize(
    ("negative", "usual", "grade"),
    [
        (7, 0.0, None),
        (9, 0.0, BLUE),
        (20, 1.0, YELLOW),
        (60, 1.0, ORANGE),
        (200, 1.0, RED),
        (9, 8.0, None),
        (20, None, None),
    ],
)
def test_the_deviation_from_the_usual_level_counts_in_standard_deviations(
    negative: int, usual: float | None, grade: Grade | None
) -> None:
    baseline = None if usual is None else Baseline(usual, usual, 50)
    found = signals_of(Measured(negative=negative), baseline).get("deviation_60m")
    assert (found.grade if found else None) == grade
    if found and usual is not None:
        assert found.value == pytest.approx(2 * (math.sqrt(negative + 0.375) - math.sqrt(usual + 0.375)))
        assert found.baseline == usual


@pytest.mark.parametrize(
    ("usual", "negative", "alerts"),
    [
        (100, 100, False),
        (100, 149, False),
        (100, 151, True),
        (4, 10, False),
        (4, 11, True),
        (0, 8, True),
        (None, 8, True),
    ],
)
def test_what_is_usual_at_this_hour_is_no_news_however_large(usual: int | None, negative: int, alerts: bool) -> None:
    baseline = None if usual is None else Baseline(usual, usual * 3, 50)
    assert ("negative_60m" in signals_of(Measured(negative=negative), baseline)) is alerts


def test_a_day_is_compared_with_the_usual_day_and_mentions_with_three_times_the_usual() -> None:
    usual = Baseline(10, 100, 50)
    assert "negative_24h" not in signals_of(Measured(negative_day=360), usual)
    assert signals_of(Measured(negative_day=361), usual)["negative_24h"].baseline == 240
    assert "mentions_60m" not in signals_of(Measured(mentions=300), usual)
    assert "mentions_60m" in signals_of(Measured(mentions=301), usual)


LADDER = [
    ("one dimension gives blue at most", Measured(negative=10_000, mentions=10_000), ORANGE),
    ("nothing is nothing", Measured(), Grade.NONE),
    ("a little is blue", Measured(negative=8), BLUE),
    ("much volume alone stays blue", Measured(negative=250, mentions=5_000, negative_day=1_200), BLUE),
    ("volume and content make yellow", Measured(negative=25, types={"outage": 20}), YELLOW),
    (
        "volume, content and spread make orange",
        Measured(negative=80, types={"outage": 60}, platforms=platforms(6)),
        ORANGE,
    ),
    (
        "four dimensions at red without a public carrier stay orange",
        Measured(
            negative=250,
            mentions=280,
            types={"outage": 200},
            platforms=platforms(8),
            carrier=Carrier.TRADE_MEDIA,
            carriers=3,
        ),
        ORANGE,
    ),
    (
        "four dimensions at red with national media are red",
        Measured(
            negative=250, mentions=280, types={"outage": 200}, platforms=platforms(8), carrier=Carrier.NATIONAL_MEDIA
        ),
        RED,
    ),
    (
        "a hot list makes public as well",
        Measured(negative=250, mentions=280, types={"outage": 200}, platforms=platforms(8), carrier=Carrier.HOT_LIST),
        RED,
    ),
]


@pytest.mark.parametrize(("what", "measured", "grade"), LADDER[1:], ids=[row[0] for row in LADDER[1:]])
def test_a_grade_takes_enough_different_dimensions(what: str, measured: Measured, grade: Grade) -> None:
    assert assess(measured, None, PLAIN, RULES)[0] is grade


@given(
    negative=st.integers(0, 100_000),
    day=st.integers(0, 1_000_000),
    mentions=st.integers(0, 1_000_000),
    usual=st.none() | st.floats(0, 1000),
)
def test_volume_alone_never_gives_more_than_blue_or_with_attitude_more_than_yellow(
    negative: int, day: int, mentions: int, usual: float | None
) -> None:
    baseline = None if usual is None else Baseline(usual, usual, 50)
    measured = Measured(negative=negative, mentions=max(mentions, negative), negative_day=day)
    assert assess(measured, baseline, PLAIN, RULES)[0] <= YELLOW


_measured = st.builds(
    Measured,
    negative=st.integers(0, 2000),
    mentions=st.integers(0, 9000),
    negative_recent=st.integers(0, 900),
    negative_before=st.integers(0, 900),
    engagement=st.integers(0, 200_000),
    negative_day=st.integers(0, 9000),
    platforms=st.integers(0, 10).map(platforms),
    types=st.dictionaries(st.sampled_from(["outage", "rumour"]), st.integers(1, 500)),
    words=st.dictionaries(st.sampled_from(["跑路"]), st.integers(1, 500)),
    carrier=st.sampled_from(Carrier),
    carriers=st.integers(0, 5),
)


@given(
    measured=_measured, usual=st.none() | st.floats(0, 500), preset=st.sampled_from(["general", "telecom", "unknown"])
)
def test_every_grade_has_signals_that_justify_it_strongest_first(
    measured: Measured, usual: float | None, preset: str
) -> None:
    rules = thresholds(preset)
    grade, signals = assess(measured, None if usual is None else Baseline(usual, usual, 50), PLAIN, rules)
    assert bool(grade) == bool(signals)
    assert [signal.grade for signal in signals] == sorted((signal.grade for signal in signals), reverse=True)
    if grade:
        dimensions = {DIMENSION[signal.metric] for signal in signals if signal.grade >= grade}
        assert len(dimensions) >= rules.need[grade.word]
    if grade is RED:
        assert measured.carrier >= Carrier.NATIONAL_MEDIA
    for signal in signals:
        assert signal.value >= signal.threshold - 0.01


@given(measured=_measured, usual=st.none() | st.floats(0, 500))
def test_easier_thresholds_never_give_a_lower_grade(measured: Measured, usual: float | None) -> None:
    baseline = None if usual is None else Baseline(usual, usual, 50)
    strict, easier = (assess(measured, baseline, PLAIN, RULES, factor=factor)[0] for factor in (1.0, 0.7))
    assert easier >= strict


@pytest.mark.parametrize(
    ("subject", "negative", "found"), [(PLAIN, 7, False), (SENSITIVE, 7, True), (SENSITIVE, 6, False)]
)
def test_a_sensitive_subject_alerts_at_four_fifths_of_the_thresholds(
    subject: Subject, negative: int, found: bool
) -> None:
    assert ("negative_60m" in signals_of(Measured(negative=negative), subject=subject)) is found


def test_a_sensitive_period_lowers_counts_but_no_shares_or_ranks() -> None:
    measured = Measured(negative=7, mentions=20, platforms=platforms(2))
    assert set(signals_of(measured, factor=0.8)) == {"negative_60m"}


def test_the_metrics_say_what_they_are_made_of() -> None:
    measured = Measured(
        negative=30,
        mentions=30,
        platforms={"weibo": 9, "x": 2, "news": 5, "once": 1},
        types={"outage": 9, "rumour": 8},
        words={"跑路": 9},
        examples=[(5, 51), (90, 42), (7, 1)],
    )
    found = signals_of(measured)
    assert found["platforms_60m"].detail == "weibo,news,x"
    assert (found["type_60m"].detail, found["keyword_60m"].detail) == ("outage", "跑路")
    assert found["negative_60m"].posts == (42, 1, 51)


@pytest.mark.parametrize("preset", preset_names())
def test_every_preset_is_complete_and_rises(preset: str) -> None:
    rules = thresholds(preset)
    assert set(rules.metrics) == set(DIMENSION)
    for name, ladder in rules.metrics.items():
        steps = [ladder[word] for word in ("blue", "yellow", "orange", "red")]
        assert steps == sorted(steps) and len(set(steps)) == 4, name
    assert rules.hold(BLUE) == 180 * 60_000 and rules.hold(RED) == 60 * 60_000


def test_a_deployment_changes_single_values_and_keeps_the_rest() -> None:
    rules = thresholds("fintech", {"negative_60m": {"blue": 3}, "need": {"red": 5}, "fall_factor": 0.5})
    assert (rules.metrics["negative_60m"]["blue"], rules.metrics["negative_60m"]["red"]) == (3, 250)
    assert rules.metrics["type_60m"]["blue"] == 5 and rules.need == {"blue": 1, "yellow": 2, "orange": 3, "red": 5}
    assert rules.numbers["fall_factor"] == 0.5


@pytest.mark.parametrize(
    ("negative", "burst", "grade"),
    [
        (7, 0.99, None),  # too few to speak of
        (8, 0.49, None),
        (8, 0.5, BLUE),
        (8, 0.99, YELLOW),  # one grade above what eight posts are
        (25, 0.99, ORANGE),
        (80, 0.99, RED),
        (80, 0.7, YELLOW),
    ],
)
def test_a_burst_speaks_one_grade_louder_than_its_count_at_most(
    negative: int, burst: float, grade: Grade | None
) -> None:
    found = signals_of(Measured(negative=negative, burst=burst)).get("burst_60m")
    assert (found.grade if found else None) == grade
    if found:
        assert found.detail == str(negative) and DIMENSION["burst_60m"] == "volume"
