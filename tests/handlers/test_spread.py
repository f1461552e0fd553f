"""``spread``: from what was stored to the card and the picture, beside the flow."""

import asyncio
from pathlib import Path

import pytest
from factories import HOUR, MINUTE, House, analysis, house, post
from sqlite_utils import Database

from bot.delivery import timers
from bot.model.card import Card
from bot.model.grade import CrisisType, Grade, Sentiment
from bot.model.incident import SYSTEM
from bot.model.message import Message
from bot.model.post import Author, Engagement, Post
from bot.reports.makers import picture_maker
from bot.reports.studio import Studio
from bot.store import incidents as incident_store
from bot.store import posts, stories
from handlers.spread import SpreadErrand


@pytest.fixture
def home(tmp_path: Path):
    made = house(tmp_path)
    yield made
    made.store.close()


def keep(home: House, *items: Post, story: int = 0, **fields) -> None:
    def job(db: Database) -> None:
        posts.store(db, items, home.now)
        rows = posts.unanalysed(db, 100_000)
        posts.move_cursor(db, "analysed", posts.cursor(db, "analysed"), rows[-1][0])
        posts.record(db, [(seq, item, analysis(**fields), story) for seq, item in rows], {}, home.now)

    home.do(job)


def cascade(home: House, count: int = 60, **source) -> None:
    """A post of an hour and a half ago, a large account that carried it on, and who followed."""
    start = home.now - 90 * MINUTE
    values = {"id": "src", "published_at": start, "author": Author("a0", "王**", 320)} | source
    items = [post("星河支付提现失败，三天没到账", **values)]
    big = Author("a1", "蓝鲸财经", 1_850_000, True)
    carried = {"kind": "repost", "root_id": "src"}
    items.append(post("转起来", id="big", parent_id="src", author=big, published_at=start + 600_000, **carried))
    for number in range(count):
        items.append(post(
            f"第{number}个说法", id=f"p{number}", parent_id="big" if number % 3 else "src", **carried,
            author=Author(f"f{number}", "李**", 10), published_at=start + 700_000 + number * 60_000,
        ))  # fmt: skip
    keep(home, *items)


def answer(home: House, line: str = "传播 I-1", *, public_url: str = "", **fields) -> Message:
    assert home.say(line, **fields) == [], "the answer comes from the errand, not from the writer"

    async def errand() -> None:
        made = SpreadErrand(home.store, home.clock, public_url)
        (timer,) = [one for one in home.look(lambda db: timers.due(db, home.now)) if one.kind == "spread"]
        apply = await made(timer)

        def bring_back(db: Database) -> None:
            assert timers.claim(db, timer.id, home.now)
            apply(db, home.now)

        await home.store.write(bring_back)

    asyncio.run(errand())
    return home.outbox(reason="answer")[-1]


def card_of(message: Message) -> Card:
    assert message.card is not None
    return message.card


def test_spread_answers_with_what_to_expect_the_way_and_who_carried_it(home: House) -> None:
    home.judge(Grade.YELLOW)
    cascade(home)
    keep(home, post("提现失败 报道", id="n", platform="news", published_at=home.now - 40 * MINUTE,
                    author=Author("n", "蓝鲸新闻", 9_000)))  # fmt: skip
    message = answer(home)
    text = card_of(message).plain()
    assert "照目前的势头" in text and "明天此时约" in text
    assert "@王**" in text and "转发 61 次，最深 2 层" in text
    assert "@蓝鲸财经：粉丝 185 万" in text and "带出 40 次转发" in text
    assert text.index("微博 @王**") < text.index("新闻 @蓝鲸新闻")
    assert message.attachment is not None and message.attachment.kind == "spread"
    assert "疑似" not in text


def test_the_card_leads_to_the_picture_as_a_page_where_the_console_has_an_address(home: House) -> None:
    home.judge(Grade.YELLOW)
    cascade(home, 3)
    assert card_of(answer(home)).link == ""
    assert card_of(answer(home, public_url="https://fengbo.example/")).link == "https://fengbo.example/spread/I-1"


def test_who_brought_the_words_to_another_platform_is_named_where_more_followed(home: House) -> None:
    home.judge(Grade.YELLOW)
    at = home.now - HOUR
    news = {"platform": "news", "author": Author("n", "蓝鲸新闻", 9_000, True)}
    repeated = [post(published_at=at + number * MINUTE, **news) for number in (1, 2)]
    keep(home, post(published_at=at), *repeated, post(platform="forum", published_at=at + 3 * MINUTE), story=7)
    text = card_of(answer(home)).plain()
    assert "@蓝鲸新闻 把话题 7 从微博带到新闻，此后那边又有 1 条" in text
    assert "带到论坛" not in text, "nobody followed there"


def test_in_english_it_reads_as_well(home: House) -> None:
    home.judge(Grade.ORANGE)
    cascade(home)
    text = card_of(answer(home, "spread I-1", destination="slack:C0BOSS")).plain()
    assert "At this rate" in text and "by this time tomorrow" in text and "1.85M followers" in text


def test_what_the_platform_counts_outranks_what_was_collected(home: House) -> None:
    home.judge(Grade.YELLOW)
    cascade(home, engagement=Engagement(reposts=6_100))
    assert "现有 6,100 次转发" in card_of(answer(home)).plain()


def test_without_posts_it_says_so_and_sends_no_picture(home: House) -> None:
    home.judge(Grade.YELLOW)
    message = answer(home)
    assert "还没有收集到相关帖文" in card_of(message).plain() and message.attachment is None


def test_posts_that_nobody_reposted_still_have_their_way(home: House) -> None:
    home.judge(Grade.YELLOW)
    keep(home, post(published_at=home.now - HOUR), post(platform="douyin", published_at=home.now - MINUTE))
    text = card_of(answer(home)).plain()
    assert "没有收集到转发链" in text and "抖音" in text


def test_chatter_of_other_kinds_is_left_out(home: House) -> None:
    home.judge(Grade.YELLOW)
    cascade(home, 5)
    keep(home, *[post("坐地铁立减两块", platform="forum", published_at=home.now - MINUTE) for _ in range(9)],
         sentiment=Sentiment.POSITIVE, crisis_type=None)  # fmt: skip
    keep(home, post("又宕机了", platform="news", published_at=home.now - MINUTE), crisis_type=CrisisType.OUTAGE)
    text = card_of(answer(home)).plain()
    assert "7 条帖文，1 个平台" in text and "论坛" not in text


def test_steered_posts_are_shown_as_a_hint_with_evidence(home: House) -> None:
    home.judge(Grade.YELLOW)
    keep(home, *[post("星河支付马上就要倒闭了大家快跑", published_at=home.now - 9 * MINUTE + number * 1_000,
                      author=Author(f"w{number}", "用**", 2)) for number in range(12)])  # fmt: skip
    text = card_of(answer(home)).plain()
    assert "不是结论" in text and "12 个账号在微博发了同一句话" in text and "12 个粉丝不足 50" in text


def test_a_button_is_answered_to_the_one_who_pressed(home: House) -> None:
    home.judge(Grade.YELLOW)
    cascade(home, 3)
    assert answer(home, origin="button").audience == "U0LINA"
    assert answer(home).audience == ""


async def test_the_picture_is_made_when_it_is_sent(tmp_path: Path) -> None:
    home = house(tmp_path)
    home.judge(Grade.YELLOW)
    cascade(home)
    studio = Studio()
    make = picture_maker(home.store, home.clock, studio)
    for language, word in (("zh-CN", "转发链"), ("en", "repost chain")):
        from bot.model.message import Attachment

        made = await make(Attachment("spread", {"incident": "I-1"}), language)
        assert made.content.startswith(b"\x89PNG") and made.name == "I-1-spread.png" and word in made.caption
    await studio.close()
    home.store.close()


def test_only_the_newest_posts_are_looked_at_and_the_card_says_so(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    from bot.store import spread as spread_store

    home.judge(Grade.YELLOW)
    cascade(home, 20)
    monkeypatch.setattr(spread_store.posts_around, "__defaults__", (10,))
    assert "只看了最新" in card_of(answer(home)).footer


# -- story


def keep_topics(home: House) -> None:
    """Two topics, one of them on two platforms and in two wordings, and posts that say nothing twice."""
    at = home.now - 50 * MINUTE

    def job(db: Database) -> None:
        said = [
            post("提现三天没到账", id="a", published_at=at), post("提现三天没到账！", id="b", published_at=at + MINUTE),
            post("提现四天没到账", id="c", published_at=at + 2 * MINUTE, platform="news"),
            post("老板跑路了吗", id="d", published_at=at), post("老板跑路了吗", id="e", published_at=at),
            post("就我一个人这么说", id="f", published_at=at),
        ]  # fmt: skip
        posts.store(db, said, home.now)
        rows = posts.unanalysed(db, 100)
        posts.move_cursor(db, "analysed", posts.cursor(db, "analysed"), rows[-1][0])
        of = {"a": 1, "b": 1, "c": 2, "d": 3, "e": 3, "f": 4}
        placed = [(of[item.id], seq, item) for seq, item in rows]
        fresh = {story: stories.Fresh(b"s" * 256, 1 if story == 2 else story) for story in of.values()}
        stories.save(db, placed, fresh)
        posts.record(db, [(seq, item, analysis(), story) for story, seq, item in placed], {}, home.now)

    home.do(job)


def test_story_says_what_is_said_in_how_many_wordings_and_where_it_went(home: House) -> None:
    home.judge(Grade.YELLOW)
    keep_topics(home)
    text = card_of(answer(home, "话题 I-1")).plain()
    assert "话题 1：3 条，2 种写法，负面 3 条" in text and "话题 3：2 条，1 种写法" in text
    assert "微博" in text and " → 新闻" in text and "提现三天没到账" in text
    assert "就我一个人这么说" not in text and "话题 4" not in text


def test_merges_and_splits_stand_on_the_card_and_on_the_timeline(home: House) -> None:
    home.judge(Grade.YELLOW)
    keep_topics(home)
    params = {"one": 1, "one_posts": 30, "one_words": "提现", "other": 3, "other_posts": 12, "other_words": "跑路"}
    home.do(lambda db: incident_store.note(db, "I-1", "topics_merged", home.now, SYSTEM, params))
    line = "话题 3（12 条，“跑路”）并入话题 1（30 条，“提现”）"
    assert line in card_of(answer(home, "story I-1")).plain()
    (timeline,) = home.say("时间线 I-1")
    assert timeline.card is not None and line in timeline.card.plain()


def test_nothing_said_twice_is_said_so(home: House) -> None:
    home.judge(Grade.YELLOW)
    text = card_of(answer(home, "story I-1", destination="slack:C0BOSS")).plain()
    assert "No two posts say much the same yet" in text
