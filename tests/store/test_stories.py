"""Stories and topics as rows."""

from pathlib import Path

import pytest
from factories import House, analysis, house, post
from sqlite_utils import Database

from bot.analysis.story_index import Merge, Split
from bot.intake import topics
from bot.model.grade import Grade
from bot.store import incidents as incident_store
from bot.store import posts, stories
from bot.store.stories import Fresh

MARK = b"m" * 256


@pytest.fixture
def home(tmp_path: Path):
    made = house(tmp_path)
    yield made
    made.store.close()


def keep(home: House, *told: tuple[int, int, int, str]) -> None:
    """Store ``count`` posts of each (story, topic, count, text)."""

    def job(db: Database) -> None:
        for story, topic, count, text in told:
            posts.store(db, [post(text) for _ in range(count)], home.now)
            rows = posts.unanalysed(db, 1_000)
            posts.move_cursor(db, "analysed", posts.cursor(db, "analysed"), rows[-1][0])
            stories.save(db, [(story, seq, item) for seq, item in rows], {story: Fresh(MARK, topic)})
            posts.record(db, [(seq, item, analysis(), story) for seq, item in rows], {}, home.now)

    home.do(job)


def topic_of(home: House) -> dict[int, int]:
    return dict(home.look(lambda db: db.conn.execute("SELECT id, topic FROM story").fetchall()))


def noted(home: House) -> list[tuple[str, int, int]]:
    entries = home.look(lambda db: incident_store.timeline(db, "I-1", ["topics_merged", "topic_split"]))
    return [(entry.kind, entry.params["one"], entry.params["other"]) for entry in entries]


def test_a_story_is_loaded_with_its_topic_and_the_words_of_its_first_post(home: House) -> None:
    keep(home, (4, 4, 2, "提现失败"), (5, 4, 1, "提现失败了"))
    rows, following = home.look(lambda db: stories.load(db, 0, 10))
    assert sorted((row.id, row.topic, row.text, row.signature) for row in rows) == [
        (4, 4, "提现失败", MARK), (5, 4, "提现失败了", MARK),
    ]  # fmt: skip
    assert following == 6
    now = home.look(lambda db: stories.topic_now(db, 4))
    assert (now.posts, now.words, now.subjects) == (3, "提现失败", frozenset({"xinghe-pay"}))


def test_a_merge_of_two_topics_worth_a_word_stands_on_the_timeline(home: House) -> None:
    home.judge(Grade.YELLOW)
    keep(home, (1, 1, 20, "提现失败"), (2, 2, 12, "老板跑路"), (3, 3, 2, "小话题"))
    home.do(lambda db: topics.apply(db, [Merge(1, 2, 9), Merge(1, 3, 9)], home.now))
    assert topic_of(home) == {1: 1, 2: 1, 3: 1}
    assert noted(home) == [("topics_merged", 1, 2)], "two posts are no news"


def test_a_split_gives_the_part_its_own_topic_and_says_so(home: House) -> None:
    home.judge(Grade.YELLOW)
    keep(home, (1, 1, 20, "提现失败"), (2, 1, 12, "老板跑路"))
    home.do(lambda db: topics.apply(db, [Split(1, 2, (2,))], home.now))
    assert topic_of(home) == {1: 1, 2: 2} and noted(home) == [("topic_split", 1, 2)]


def test_an_incident_of_another_subject_hears_nothing(home: House) -> None:
    home.judge(Grade.YELLOW, subject="rival")
    keep(home, (1, 1, 20, "提现失败"), (2, 2, 12, "老板跑路"))
    home.do(lambda db: topics.apply(db, [Merge(1, 2, 9)], home.now))
    assert noted(home) == []


def test_quotations_know_the_topic_of_a_post_not_its_wording(home: House) -> None:
    keep(home, (1, 1, 1, "提现失败"), (2, 1, 1, "提现失败了"))
    assert {item.story for item in home.look(lambda db: posts.recent_mentions(db, "xinghe-pay", 0))} == {1}
