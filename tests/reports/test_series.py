"""Counts over time as charts draw them."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clock import HOUR, MINUTE, SECOND
from bot.model.grade import Grade
from bot.reports import series as series_module
from bot.reports.axes import clock_label, count_ticks, short_count, time_ticks
from bot.reports.series import Series, families_of, fitting_span, read_grade_changes, read_series, step_for
from bot.store.database import Store

START = 1_757_498_400_000  # 2025-09-10 18:00 in Shanghai, a full hour
WEEK = 168


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "fengbo.db")


def bucket(store: Store, at: int, sentiment: int, count: int, **where: str) -> None:
    values = {"subject": "s", "drill": "", "family": "funds", "platform": "weibo"} | where
    store.write_now(
        lambda db: db.conn.execute(
            "INSERT INTO bucket (subject, drill, minute, family, platform, sentiment, count, engagement, carrier,"
            " carrier_post, top_influence, top_post) VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, 0, 0, 0)",
            (values["subject"], values["drill"], at // MINUTE, values["family"], values["platform"], sentiment, count),
        )
    )


def test_posts_fall_into_the_step_of_their_minute(store: Store) -> None:
    for minute, sentiment, count in ((0, -1, 3), (4, 0, 2), (5, -1, 7), (9, 1, 1), (10, -1, 99)):
        bucket(store, START + minute * MINUTE, sentiment, count)
    series = store.read_now(lambda db: read_series(db, ["s"], START, START + 10 * MINUTE, 5 * MINUTE))
    assert series.negative == (3, 7)
    assert series.neutral == (2, 0)
    assert series.positive == (0, 1)
    assert series.totals == (5, 8)
    assert series.posts == 13
    assert not series.partial


def test_only_what_was_asked_for_is_counted(store: Store) -> None:
    for where in (
        {},
        {"subject": "other"},
        {"drill": "d1"},
        {"family": "service"},
        {"family": "general"},
        {"platform": "news"},
    ):
        bucket(store, START, -1, 1, **where)
    bucket(store, START, -1, 1, subject="third")

    def count(subjects: list[str], families: tuple[str, ...] = (), drill: str = "") -> int:
        return store.read_now(lambda db: read_series(db, subjects, START, START + HOUR, HOUR, families, drill)).posts

    assert count(["s"]) == 4
    assert count(["s", "other"]) == 5
    assert count(["s"], families_of("funds")) == 3
    assert count(["s"], families_of("general")) == 1
    assert count(["s"], drill="d1") == 1


def test_platforms_are_shown_most_first(store: Store) -> None:
    for platform, count in (("news", 2), ("weibo", 9), ("douyin", 2)):
        bucket(store, START, -1, count, platform=platform)
    series = store.read_now(lambda db: read_series(db, ["s"], START, START + HOUR, HOUR))
    assert series.platforms == (("weibo", 9), ("douyin", 2), ("news", 2))


def test_the_running_step_is_called_partial_and_a_rolling_series_has_none(store: Store) -> None:
    now = START + 12 * MINUTE + 30_000
    bucket(store, now, -1, 5)
    aligned = store.read_now(lambda db: read_series(db, ["s"], START, now, 5 * MINUTE))
    rolling = store.read_now(lambda db: read_series(db, ["s"], now - 10 * MINUTE, now, 5 * MINUTE, aligned=False))
    assert (aligned.negative, aligned.partial) == ((0, 0, 5), True)
    assert (rolling.negative, rolling.partial) == ((0, 5), False)


def test_usual_is_what_earlier_weeks_had_and_nothing_where_they_are_unknown(store: Store) -> None:
    assert store.read_now(lambda db: read_series(db, ["s"], START, START + HOUR, 10 * MINUTE)).usual == (None,) * 6
    hour = START // HOUR
    rows = [("s", "", "funds", hour - back, 60, 5) for back in range(2, WEEK * 4)]
    store.write_now(lambda db: db.conn.executemany("INSERT INTO hour VALUES (?, ?, ?, ?, ?, ?)", rows))
    usual = store.read_now(lambda db: read_series(db, ["s"], START, START + HOUR, 10 * MINUTE)).usual
    assert usual == (10.0,) * 6


def test_grade_changes_come_from_the_timeline(store: Store) -> None:
    def write(db: object) -> None:
        conn = db.conn  # type: ignore[attr-defined]
        conn.execute(
            "INSERT INTO incident (id, number, kind, drill, subject, subject_name, family, crisis_type, title, status,"
            " grade, peak_grade, opened_at, updated_at) VALUES ('I-1', 1, 'real', '', 's', 'S', 'funds', 'outage', 't',"
            " 'open', 3, 3, 0, 0)"
        )
        for at, params in (
            (1, '{"grade": "blue"}'),
            (2, '{"note": "x"}'),
            (3, '{"grade": "orange"}'),
            (4, '{"grade": "orange"}'),
            (5, '{"grade": 7}'),
        ):
            conn.execute(
                "INSERT INTO timeline (incident, happened_at, recorded_at, kind, params, actor, actor_name, chat)"
                " VALUES ('I-1', ?, ?, 'k', ?, '', '', '')",
                (at, at, params),
            )

    store.write_now(write)
    changes = store.read_now(lambda db: read_grade_changes(db, "I-1", 0, Grade.ORANGE))
    assert [(change.at, change.grade) for change in changes] == [(1, Grade.BLUE), (3, Grade.ORANGE)]
    (only,) = store.read_now(lambda db: read_grade_changes(db, "I-2", 9, Grade.RED))
    assert (only.at, only.grade) == (9, Grade.RED)


@given(st.integers(0, 10**9))
def test_count_axes_reach_the_top_with_few_whole_ticks(highest: int) -> None:
    ticks = [tick.at for tick in count_ticks(highest)]
    assert ticks[0] == 0
    assert ticks[-1] >= highest
    assert 2 <= len(ticks) <= 6
    assert len({after - before for before, after in pairwise(ticks)}) == 1


@given(
    st.integers(START, START + 400 * 24 * HOUR),
    st.integers(MINUTE, 60 * 24 * HOUR),
    st.sampled_from(["Asia/Shanghai", "Asia/Kolkata", "UTC"]),
)
def test_time_axes_have_few_ticks_at_round_local_times(start: int, span: int, zone: str) -> None:
    ticks = time_ticks(start, start + span, 7, zone)
    assert len(ticks) <= 10
    assert all(start <= tick.at <= start + span for tick in ticks)
    if span <= 24 * HOUR:
        assert all(tick.label == clock_label(tick.at, zone) for tick in ticks)


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0"), (999, "999"), (9_999, "9,999"), (12_300, "12.3k"), (100_000, "100k"), (2_500_000, "2.5M")],
)
def test_counts_are_short(count: int, shown: str) -> None:
    assert short_count(count) == shown


@pytest.mark.parametrize(
    ("span", "minutes"),
    [
        (10 * MINUTE, 0.25),
        (30 * MINUTE, 1),
        (HOUR, 2),
        (3 * HOUR, 5),
        (6 * HOUR, 10),
        (24 * HOUR, 60),
        (72 * HOUR, 180),
    ],
)
def test_a_span_is_cut_into_about_thirty_bars(span: int, minutes: float) -> None:
    assert step_for(span) == minutes * MINUTE


def mention(store: Store, at: int, post: int) -> None:
    store.write_now(
        lambda db: db.conn.execute(
            "INSERT INTO mention (subject, post, published_at, family, sentiment, score, types, words, carrier,"
            " influence, engagement, platform) VALUES ('s', ?, ?, 'funds', -1, -1, '[]', '[]', 0, 0, 0, 'weibo')",
            (post, at),
        )
    )


def test_minutes_are_looked_at_in_seconds_while_the_posts_are_few(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for post, second in enumerate((1, 14, 15, 40)):
        mention(store, START + second * SECOND, post)
    bucket(store, START, -1, 4)

    def read() -> Series:
        return store.read_now(lambda db: read_series(db, ["s"], START, START + MINUTE, 15 * SECOND))

    assert (read().step, read().negative) == (15 * SECOND, (2, 1, 1, 0))
    monkeypatch.setattr(series_module, "MOST_POSTS_READ", 3)
    assert (read().step, read().negative) == (MINUTE, (4,))


@pytest.mark.parametrize(
    ("ages", "span"),
    [
        ([], 360),  # nothing is known
        ([1] * 19, 360),  # too few to tell
        ([1] * 40, 10),
        ([1] * 40 + [300] * 3, 10),  # a calm background does not count
        ([20] * 40, 60),
        ([80] * 40, 180),
        (list(range(0, 350, 5)), 360),  # evenly
    ],
)
def test_a_chart_reaches_as_far_back_as_the_matter_goes(store: Store, ages: list[int], span: int) -> None:
    now = START + 30 * SECOND
    for age in set(ages):
        bucket(store, now - age * MINUTE, -1, ages.count(age))
    assert store.read_now(lambda db: fitting_span(db, ["s"], now, 6 * HOUR)) == span * MINUTE
