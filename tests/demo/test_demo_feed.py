"""The demonstration's record: is it well formed, and does it rise and calm down when a visitor expects it to?"""

import json
import re
from collections import Counter
from datetime import datetime
from importlib.resources import files
from itertools import islice, pairwise
from typing import Any

import pytest

from bot.clock import DAY, HOUR, SECOND
from bot.config import load
from bot.demo import player
from bot.intake.minimise import Minimiser
from bot.model.intake import parse_post

START = 1_760_000_000_000
PLATFORMS = {"weibo", "wechat", "douyin", "x", "news", "forum", "xiaohongshu", "review", "ticket"}
KINDS = {"post", "repost", "comment", "article", "review", "video", "ticket", "hot_topic"}
TRADITIONAL = set("錢個點說發這還們來開關電話資斷")

Line = dict[str, Any]
FEED = player.load_feed()
BACKGROUND = player.load_background()
CONFIGURATION = load(str(player.CONFIGURATION))


def first_sightings() -> list[Line]:
    found: dict[str, Line] = {}
    for line in FEED:
        found.setdefault(line["id"], line)
    return list(found.values())


def content(line: Line) -> str:
    return f"{line['title'] or ''}\n{line['text']}"


def negatives_until(seconds: float) -> int:
    """Posts the author of the record meant as negative, played by then and each counted once."""
    return sum(
        line["tone"] == "negative" and player.playing_offset(line["at"]) <= seconds * SECOND
        for line in first_sightings()
    )


def at(post: Line) -> int:
    return round(datetime.fromisoformat(post["published_at"]).timestamp() * 1000)


@pytest.mark.parametrize("lines", [FEED, BACKGROUND], ids=["feed", "background"])
def test_every_line_is_a_whole_post_in_the_public_format(lines: list[Line]) -> None:
    for line in lines:
        assert line["text"].strip() and line["kind"] in KINDS and line["platform"] in PLATFORMS, line
        assert line["source"] == f"demo-{line['platform']}", line["id"]
        assert set(line["author"]) == {"id", "name", "followers", "verified"}, line["id"]
        assert set(line["engagement"]) == {"views", "likes", "reposts", "comments"}, line["id"]
        assert all(isinstance(count, int) and 0 <= count < 10_000_000 for count in line["engagement"].values()), line
        assert line["tone"] in {"negative", "neutral", "positive"}
        assert "{" not in line["text"] or lines is BACKGROUND, line["id"]


def test_the_record_is_large_enough_in_time_order_and_touches_every_platform() -> None:
    assert 560 <= len(FEED) <= 680 and 140 <= len(BACKGROUND) <= 200
    assert [line["at"] for line in FEED] == sorted(line["at"] for line in FEED)
    assert FEED[0]["at"] >= 0 and FEED[-1]["at"] <= player.PACE[-1][0]
    assert {line["platform"] for line in FEED} == PLATFORMS == {line["platform"] for line in BACKGROUND}
    assert {source.platform for source in CONFIGURATION.sources} == PLATFORMS
    assert {source.id for source in CONFIGURATION.sources} == {line["source"] for line in FEED}


def test_an_id_comes_again_only_as_the_same_post_with_grown_engagement() -> None:
    seen: dict[str, Line] = {}
    again = 0
    for line in FEED:
        before = seen.get(line["id"])
        if before:
            again += 1
            assert {**line, "engagement": 0, "at": 0} == {**before, "engagement": 0, "at": 0}, line["id"]
            assert all(line["engagement"][name] >= count for name, count in before["engagement"].items()), line["id"]
            assert line["engagement"] != before["engagement"], line["id"]
        seen[line["id"]] = line
    assert 40 <= again <= 140
    assert not {line["id"] for line in BACKGROUND} & set(seen)
    assert len({line["id"] for line in BACKGROUND}) == len(BACKGROUND)


def test_parents_and_roots_are_earlier_posts_of_the_same_platform() -> None:
    seen: dict[str, Line] = {}
    for line in FEED:
        for name in ("parent_id", "root_id"):
            if line[name]:
                assert seen[line[name]]["platform"] == line["platform"], line["id"]
        assert (line["parent_id"] is None) == (line["root_id"] is None), line["id"]
        seen[line["id"]] = line
    chains = [line for line in FEED if line["text"].count("//@") >= 2]
    assert chains and all(line["root_id"] != line["parent_id"] for line in chains)


def test_both_scripts_english_and_masked_looking_numbers_are_there() -> None:
    texts = [content(line) for line in first_sightings()]
    assert sum(len(TRADITIONAL & set(text)) >= 2 for text in texts) >= 12
    assert sum(text.isascii() or sum(c.isascii() for c in text) > 0.9 * len(text) for text in texts) >= 30
    assert any(re.search(r"\b138-0000-000\d\b", text) for text in texts)
    assert any("13800000000" in text for text in texts)
    assert any(re.search(r"6222( 0000){3} 004", text) for text in texts)
    assert any("[泪]" in text for text in texts) and any("😭" in text for text in texts)
    hashtag = [text for text in texts if "#星河支付提现#" in text]
    assert len(hashtag) >= 8


def test_posts_are_individual_save_for_the_rumour_and_its_edited_copies() -> None:
    texts = Counter(line["text"] for line in first_sightings())
    assert max(texts.values()) == 1
    copies = [text for text in texts if "能提多少" in text or "能拿回多少" in text or "大额出款" in text]
    assert 30 <= len(copies) <= 70


def test_the_complaints_rise_as_a_visitor_expects() -> None:
    assert negatives_until(8) <= 2
    assert 8 <= negatives_until(12) <= 16
    assert 25 <= negatives_until(22) <= 50
    assert 80 <= negatives_until(42) <= 140
    assert negatives_until(75) < 320
    rising = [negatives_until(seconds) for seconds in (8, 15, 30, 45, 60, 75)]
    assert all(later > earlier for earlier, later in pairwise(rising))
    assert negatives_until(150) - negatives_until(75) < 0.15 * negatives_until(75)


def test_media_regulator_and_hot_list_come_after_the_rumour_and_before_the_answer() -> None:
    def second(fits: str) -> float:
        return next(player.playing_offset(line["at"]) / SECOND for line in FEED if re.search(fits, content(line)))

    rumour, trade, national = second("资金链断裂"), second("支付前沿观察讯"), second("全国财经|本网记者")
    regulator, hot_list, answer = (
        second("地方金融监管局：已关注到"),
        second("热搜第 17 位"),
        second("关于提现延迟的说明"),
    )
    assert 25 < rumour < trade < national < regulator < answer
    assert trade > 45 and hot_list < answer and 74 < answer < 80
    assert any(line["kind"] == "hot_topic" for line in FEED)
    loud = [line for line in FEED if line["author"]["followers"] > 800_000 and line["tone"] == "negative"]
    assert player.playing_offset(loud[0]["at"]) < 30 * SECOND


def test_after_the_answer_good_news_outweighs_anger() -> None:
    late = Counter(line["tone"] for line in first_sightings() if player.playing_offset(line["at"]) > 90 * SECOND)
    assert late["positive"] > 2 * late["negative"] > 0


def test_the_timetable_keeps_the_moment_of_first_publication_and_hides_the_authors_notes() -> None:
    timetable = player.schedule(FEED, START)
    assert [offset for offset, _ in timetable] == sorted(offset for offset, _ in timetable)
    published: dict[str, int] = {}
    for offset, post in timetable:
        assert not {"at", "tone"} & set(post)
        assert at(post) == START + offset if post["id"] not in published else at(post) == published[post["id"]]
        published.setdefault(post["id"], at(post))
    assert len(timetable) == len(FEED)
    assert 145 * SECOND < timetable[-1][0] <= 150 * SECOND


def test_speed_and_run_change_only_pace_and_names() -> None:
    plain = player.schedule(FEED, START)
    fast = player.schedule(FEED, START, speed=10, run="b")
    assert all(abs(slow - 10 * quick) <= 10 for (slow, _), (quick, _) in zip(plain, fast, strict=True))
    assert not {post["id"] for _, post in plain} & {post["id"] for _, post in fast}
    ids = {post["id"] for _, post in fast}
    assert all(post["parent_id"] in ids for _, post in fast if post["parent_id"])
    with pytest.raises(ValueError, match="speed"):
        player.schedule(FEED, START, speed=0)


def test_the_trickle_goes_on_calmly_with_fresh_ids() -> None:
    posts = list(islice(player.trickle(BACKGROUND, START), 400))
    assert posts == list(islice(player.trickle(BACKGROUND, START), 400))
    assert len({post["id"] for _, post in posts}) == 400
    assert posts[0][0] > 150 * SECOND
    grumbles = {line["id"] for line in BACKGROUND if line["tone"] == "negative"}
    assert not any(re.sub(r"-t\d+-\d+$", "", post["id"]) in grumbles for _, post in posts)
    assert all("{" not in content(post) for _, post in posts)


def test_the_history_is_two_calm_weeks_with_nights_and_days() -> None:
    now = START + 9 * HOUR + 17
    posts = list(player.history(BACKGROUND, now))
    moments = [at(post) for post in posts]
    assert moments == sorted(moments) and now - 14 * DAY <= moments[0] and moments[-1] < now
    assert 14 * 120 < len(posts) < 14 * 180
    hours = Counter(datetime.fromisoformat(post["published_at"]).hour for post in posts)
    assert sum(hours[hour] for hour in range(18, 23)) > 5 * sum(hours[hour] for hour in range(1, 6))
    assert len({post["id"] for post in posts}) == len(posts)
    tones = {line["id"]: line["tone"] for line in BACKGROUND}
    grumbles = Counter(
        moment // HOUR
        for moment, post in zip(moments, posts, strict=True)
        if tones[re.sub(r"-h\d+-\d+$", "", post["id"])] == "negative"
    )
    assert grumbles and max(grumbles.values()) == 1


def test_the_history_of_a_later_start_repeats_the_same_posts() -> None:
    now = START
    earlier = {post["id"]: post for post in player.history(BACKGROUND, now, days=3)}
    later = {post["id"]: post for post in player.history(BACKGROUND, now + 5 * HOUR, days=3)}
    common = earlier.keys() & later.keys()
    assert len(common) > 200 and all(earlier[name] == later[name] for name in common)
    other = {post["text"] for post in player.history(BACKGROUND, now, days=3, seed=2)}
    assert other != {post["text"] for post in earlier.values()}


def test_the_configuration_names_the_crew_and_what_is_watched() -> None:
    roles = {person.id: set(person.roles) for person in CONFIGURATION.people}
    assert roles["lina"] == {"pr"} and {"legal", "approver"} <= roles["zhaolei"]
    assert {"pr_head", "approver", "admin"} <= roles["chenjing"] and {"executive", "approver"} <= roles["linhai"]
    assert {"visitor", "wangqiang", "zhoumin"} <= set(roles)
    kinds = {subject.kind: subject for subject in CONFIGURATION.subjects}
    assert set(kinds) == {"own", "competitor", "policy"}
    assert kinds["own"].sensitive == ["money"] and kinds["own"].watch == ["提现", "跑路", "报警"]
    assert CONFIGURATION.chat.slack is None and CONFIGURATION.chat.wecom is None


def test_nothing_in_the_record_points_at_a_real_address() -> None:
    for line in [*FEED, *BACKGROUND]:
        assert line["url"] is None or re.match(r"https://[a-z]+\.example/", line["url"]), line["id"]
    assert json.loads((files("bot.demo") / "slots.json").read_text(encoding="utf-8"))


def test_intake_takes_every_played_post_and_masks_its_numbers() -> None:
    minimiser = Minimiser(CONFIGURATION.privacy.mask, b"key")
    masked = 0
    for offset, raw in player.schedule(FEED, START):
        post = parse_post(raw, source=raw["source"], platform=raw["platform"], now=START + offset)
        kept = minimiser.post(post)
        assert not re.search(r"138[ -]?0000[ -]?000\d|6222( 0000){3}|110101190001", kept.content), post.id
        masked += kept.text != post.text
    assert masked >= 6
