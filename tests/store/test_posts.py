"""Posts are stored once and counted once, however they arrive."""

import itertools
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from factories import HOUR, MINUTE, NOW, analysis, post
from hypothesis import given
from hypothesis import strategies as st
from sqlite_utils import Database

from bot.model.grade import Carrier, CrisisType, Sentiment
from bot.model.post import Analysis, Engagement, Post, TypeHit
from bot.store import counts, posts
from bot.store.database import Store
from bot.store.posts import Stored
from bot.store.tables import migrations

SUBJECT = "xinghe-pay"


@pytest.fixture
def store(tmp_path: Path):
    opened = Store(tmp_path / "s.db")
    yield opened
    opened.close()


def deliver(db: Database, batch: Sequence[Post], now: int = NOW) -> Stored:
    with db.atomic():
        return posts.store(db, batch, now)


def analyse(db: Database, now: int = NOW, choose=lambda post: analysis(), limit: int = 1000) -> None:
    """What the pipeline does, without the analysis: record what is waiting and move the cursor in one transaction."""
    rows = posts.unanalysed(db, limit)
    with db.atomic():
        before = posts.cursor(db, "analysed")
        if rows and posts.move_cursor(db, "analysed", before, rows[-1][0]):
            posts.record(db, [(seq, item, choose(item), 0) for seq, item in rows], {}, now)


def memory() -> Database:
    db = Database(memory=True)
    migrations.apply(db)
    db.conn.isolation_level = None
    return db


def totals(db: Database) -> dict[str, list[tuple]]:
    """Everything that is counted, without the store's own numbers of posts (they follow the order of arrival)."""
    return {
        "bucket": db.conn.execute(
            "SELECT subject, minute, family, platform, sentiment, count, engagement, carrier, top_influence FROM bucket"
            " WHERE count > 0 ORDER BY 1, 2, 3, 4, 5"
        ).fetchall(),
        "hour": db.conn.execute(
            "SELECT subject, family, hour, mentions, negative FROM hour ORDER BY 1, 2, 3"
        ).fetchall(),
        "term": db.conn.execute("SELECT subject, minute, kind, word, count FROM term ORDER BY 1, 2, 3, 4").fetchall(),
    }


def test_the_same_delivery_any_number_of_times_is_one_row_and_one_count(store: Store) -> None:
    batch = [post(id="a"), post(id="b"), post(id="c")]
    assert store.write_now(lambda db: posts.store(db, batch, NOW)) == Stored(3, 0)
    store.write_now(analyse)
    before = store.read_now(totals)
    for _ in range(4):
        assert store.write_now(lambda db: posts.store(db, batch, NOW + 5000)) == Stored(0, 3)
        store.write_now(analyse)
    assert store.read_now(lambda db: db.conn.execute("SELECT COUNT(*) FROM post").fetchone()[0]) == 3
    assert store.read_now(totals) == before


def test_one_post_twice_in_one_batch_is_a_duplicate_and_keeps_the_larger_figures(store: Store) -> None:
    batch = [post(id="a", likes=9, text="星河支付 first"), post(id="a", likes=4, text="星河支付 second")]
    assert store.write_now(lambda db: posts.store(db, batch, NOW)) == Stored(1, 1)
    ((_, kept),) = store.read_now(lambda db: posts.unanalysed(db, 10))
    assert (kept.engagement.likes, kept.text) == (9, "星河支付 first")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"id": "1", "source": "a"}, {"id": "1", "source": "a"}, True),
        ({"id": "1", "source": "a"}, {"id": "1", "source": "b"}, False),
        ({"id": "1", "source": "a"}, {"id": "2", "source": "a"}, False),
        ({"id": "1", "source": "a"}, {"id": "1", "source": "a", "drill": "d1"}, False),
    ],
)
def test_source_id_and_drill_make_the_identity(one: dict, other: dict, same: bool) -> None:
    db = memory()
    deliver(db, [post(**one)])
    assert deliver(db, [post(**other)]).duplicates == int(same)


def test_grown_engagement_counts_in_the_minute_it_was_seen_and_never_shrinks() -> None:
    db = memory()
    deliver(db, [post(id="a", likes=10)])
    analyse(db)
    later = NOW + 7 * MINUTE
    deliver(db, [post(id="a", likes=25)], later)
    deliver(db, [post(id="a", likes=5)], later)
    found = {bucket.minute: (bucket.count, bucket.engagement) for bucket in counts.buckets(db, SUBJECT, "", 0, 1 << 40)}
    assert found == {NOW // MINUTE: (1, 10), later // MINUTE: (0, 15)}
    assert db.conn.execute("SELECT engagement FROM mention").fetchone() == (25,)
    assert db.conn.execute("SELECT likes FROM post").fetchone() == (25,)


def test_growth_before_the_analysis_is_counted_once_with_the_post() -> None:
    db = memory()
    deliver(db, [post(id="a", likes=10)])
    deliver(db, [post(id="a", likes=25)], NOW + MINUTE)
    analyse(db)
    assert sum(bucket.engagement for bucket in counts.buckets(db, SUBJECT, "", 0, 1 << 40)) == 25


def test_growth_while_the_analysis_is_under_way_is_not_lost() -> None:
    db = memory()
    deliver(db, [post(id="a", likes=10)])
    rows = posts.unanalysed(db, 10)
    deliver(db, [post(id="a", likes=25)], NOW + MINUTE)
    with db.atomic():
        posts.move_cursor(db, "analysed", 0, rows[-1][0])
        posts.record(db, [(seq, item, analysis(), 0) for seq, item in rows], {}, NOW)
    assert sum(bucket.engagement for bucket in counts.buckets(db, SUBJECT, "", 0, 1 << 40)) == 25
    assert db.conn.execute("SELECT engagement FROM mention").fetchone() == (25,)


_items = st.lists(
    st.builds(
        dict,
        id=st.sampled_from([f"p{number}" for number in range(8)]),
        likes=st.integers(0, 50),
    ),
    max_size=25,
)


def _fixed(number: int) -> dict:
    """What does not change about a post between its deliveries."""
    chance = random.Random(number)
    return {
        "platform": chance.choice(["weibo", "x", "news"]),
        "published_at": NOW - chance.randrange(0, 3 * HOUR),
        "choice": chance.choice(
            [
                analysis(),
                analysis(Sentiment.POSITIVE, None),
                analysis(Sentiment.NEUTRAL, CrisisType.OUTAGE),
                analysis(carrier=Carrier.NATIONAL_MEDIA, influence=90),
            ]
        ),
    }


@given(items=_items, cuts=st.lists(st.integers(1, 5), max_size=10), seed=st.integers(0, 9), together=st.booleans())
def test_any_order_and_duplication_of_batches_gives_the_same_counts(
    items: list[dict], cuts: list[int], seed: int, together: bool
) -> None:
    fixed = {f"p{number}": _fixed(number) for number in range(8)}

    def run(order: list[dict], sizes: Sequence[int], *, analyse_between: bool) -> dict[str, list[tuple]]:
        db = memory()
        rest = list(order)
        for size in itertools.chain(sizes, itertools.repeat(len(order) or 1)):
            if not rest:
                break
            batch, rest = rest[:size], rest[size:]
            deliver(
                db,
                [
                    post(
                        id=item["id"],
                        platform=fixed[item["id"]]["platform"],
                        engagement=Engagement(likes=item["likes"]),
                        published_at=fixed[item["id"]]["published_at"],
                    )
                    for item in batch
                ],
            )
            if analyse_between:
                analyse(db, choose=lambda item: fixed[item.id]["choice"])
        analyse(db, choose=lambda item: fixed[item.id]["choice"])
        found = totals(db)
        engagement = db.conn.execute("SELECT SUM(engagement) FROM bucket").fetchone()[0] or 0
        found["bucket"] = [(*row[:6], *row[7:]) for row in found["bucket"]]
        return {**found, "engagement": [(engagement,)]}

    shuffled = [*items, *items]
    random.Random(seed).shuffle(shuffled)
    assert run(items, [], analyse_between=False) == run(shuffled, cuts, analyse_between=together)


def test_posts_count_in_their_own_minute_and_hour_though_they_come_late_or_disordered() -> None:
    db = memory()
    times = [NOW, NOW - 90 * MINUTE, NOW - 30 * MINUTE, NOW - 90 * MINUTE]
    deliver(db, [post(published_at=at) for at in times])
    analyse(db)
    found = {bucket.minute: bucket.count for bucket in counts.buckets(db, SUBJECT, "", 0, 1 << 40)}
    assert found == {(NOW - 90 * MINUTE) // MINUTE: 2, (NOW - 30 * MINUTE) // MINUTE: 1, NOW // MINUTE: 1}
    assert sum(row[2] for row in counts.hours(db, SUBJECT, "", 0, 1 << 40)) == 4
    assert counts.first_hour(db, SUBJECT, "") == NOW // HOUR, "old items of a first load are no old silence"
    db.conn.execute("INSERT INTO setting (name, value) VALUES ('history_since', '0')")
    assert counts.first_hour(db, SUBJECT, "") == (NOW - 90 * MINUTE) // HOUR, "unless the history is known to be whole"


def test_a_post_from_the_future_counts_now() -> None:
    db = memory()
    deliver(db, [post(published_at=NOW + 20 * HOUR)])
    analyse(db)
    (bucket,) = counts.buckets(db, SUBJECT, "", 0, 1 << 40)
    assert bucket.minute == NOW // MINUTE
    assert db.conn.execute("SELECT published_at FROM mention").fetchone() == (NOW,)


def test_two_workers_that_race_record_each_post_once(store: Store) -> None:
    store.write_now(lambda db: posts.store(db, [post() for _ in range(6)], NOW))
    rows = store.read_now(lambda db: posts.unanalysed(db, 100))
    shorter = rows[:4]

    def worker(mine):
        def job(db: Database) -> bool:
            seen = posts.cursor(db, "analysed")
            if seen > mine[0][0] - 1 or not posts.move_cursor(db, "analysed", seen, mine[-1][0]):
                return False
            posts.record(db, [(seq, item, analysis(), 0) for seq, item in mine], {}, NOW)
            return True

        return job

    assert [store.write_now(worker(shorter)), store.write_now(worker(rows))] == [True, False]
    assert store.read_now(posts.backlog) == 2
    assert store.write_now(worker(store.read_now(lambda db: posts.unanalysed(db, 100)))) is True
    assert sum(bucket.count for bucket in store.read_now(lambda db: counts.buckets(db, SUBJECT, "", 0, 1 << 40))) == 6
    assert store.read_now(posts.backlog) == 0


def test_the_cursor_moves_only_from_where_the_caller_saw_it() -> None:
    db = memory()
    assert posts.move_cursor(db, "analysed", 0, 10) is True
    assert posts.move_cursor(db, "analysed", 0, 20) is False
    assert posts.move_cursor(db, "analysed", 10, 20) is True
    assert posts.cursor(db, "analysed") == 20


def test_drill_posts_never_count_in_the_real_world() -> None:
    db = memory()
    deliver(db, [post(drill="d1"), post()])
    analyse(db)
    assert [bucket.count for bucket in counts.buckets(db, SUBJECT, "", 0, 1 << 40)] == [1]
    assert [bucket.count for bucket in counts.buckets(db, SUBJECT, "d1", 0, 1 << 40)] == [1]


def test_watch_words_and_types_are_counted_unless_the_post_is_positive() -> None:
    db = memory()
    deliver(db, [post("星河支付 跑路了"), post("星河支付 没有跑路", id="good")])
    two = (TypeHit(CrisisType.WITHDRAWAL_FAILURE, 1.0, ("x",)), TypeHit(CrisisType.RUMOUR, 0.5, ("y",)))

    def choose(item: Post) -> Analysis:
        return analysis(Sentiment.POSITIVE if item.id == "good" else Sentiment.NEGATIVE, types=two)

    rows = posts.unanalysed(db, 10)
    touched = posts.record(db, [(seq, item, choose(item), 0) for seq, item in rows], {SUBJECT: ("跑路",)}, NOW)
    assert touched == {(SUBJECT, "")}
    found = {(term.kind, term.word): (term.family, term.count) for term in counts.terms(db, SUBJECT, "", 0, 1 << 40)}
    assert found == {
        ("type", "withdrawal_failure"): ("funds", 1),
        ("type", "rumour"): ("general", 1),
        ("word", "跑路"): ("funds", 1),
    }


def test_mentions_come_back_with_what_people_want_to_see() -> None:
    db = memory()
    deliver(
        db,
        [
            post("星河支付 提现失败", id="n", url="https://weibo.com/1"),
            post("星河支付 很好", id="p", published_at=NOW - 1),
        ],
    )
    analyse(db, choose=lambda item: analysis(Sentiment.NEGATIVE if item.id == "n" else Sentiment.POSITIVE))
    newest, older = posts.recent_mentions(db, SUBJECT, NOW - HOUR)
    assert (newest.text, newest.url, newest.types) == (
        "星河支付 提现失败",
        "https://weibo.com/1",
        (("withdrawal_failure", ("提现失败",)),),
    )
    assert older.sentiment is Sentiment.POSITIVE
    assert [item.text for item in posts.recent_mentions(db, SUBJECT, NOW - HOUR, negative=True)] == [
        "星河支付 提现失败"
    ]
    assert posts.mentions_of(db, SUBJECT, []) == []
    assert [seq for seq, _ in posts.by_seq(db, [2, 1, 99, 2])] == [2, 1]
