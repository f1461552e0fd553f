"""The picture of a spread: which rows it has, that nothing leaves it, that names do no harm."""

import itertools
import struct
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.analysis.spread import spread_of
from bot.model.post import Author, Post
from bot.model.seen import Seen
from bot.reports import scene_png
from bot.reports.scene import Box, Dot, Line, Scene, Words, fitted, text_width
from bot.reports.scene_svg import scene_svg
from bot.reports.spread_picture import MOST_ROWS, Picture, headline, people, picture_of, shown_name
from bot.reports.spread_scene import lay_out

MINUTE = 60_000
T0 = 1_757_498_400_000
_numbers = itertools.count(1)


def seen(id_: str, minute: float, parent: str | None = None, name: str = "", story: int = 0, **fields) -> Seen:
    author = Author(f"a{id_}", name or id_, fields.pop("followers", 0))
    values = {"source": "s", "platform": "weibo", "text": "提现失败", "parent_id": parent, "author": author} | fields
    return Seen(next(_numbers), Post(id=id_, published_at=T0 + int(minute * MINUTE), **values), story)


def picture(posts: list[Seen], language: str = "zh-CN", title: str = "I-1") -> Picture:
    now = max([one.at for one in posts], default=T0) + MINUTE
    return picture_of(spread_of(posts, now), posts, title, language, now)


STORY = [
    seen("r", 0, name="王**", story=1),
    seen("big", 5, "r", "蓝鲸财经", followers=1_850_000),
    *(seen(f"b{number}", 6 + number, "big") for number in range(30)),
    *(seen(f"r{number}", 7 + number, "r") for number in range(10)),
    seen("n", 20, platform="news", story=1),
    seen("d", 25, platform="douyin"),
    seen("d2", 26, platform="douyin"),
]


def test_a_row_for_the_source_each_carrier_and_each_further_platform_in_time() -> None:
    rows = picture(STORY).rows
    assert [(row.name, row.platform, row.carried, row.above, row.same_words) for row in rows] == [
        ("@王**", "weibo", 41, -1, False),
        ("@蓝鲸财经", "weibo", 30, 0, False),
        ("@n", "news", 1, 0, True),
        ("@d", "douyin", 2, -1, False),
    ]
    assert len(rows[0].times) == 11 and len(rows[1].times) == 30, "each repost counts for the nearest row above it"
    assert rows[1].detail == "粉丝 185 万 · 带出 30 次转发"


def test_there_are_never_more_rows_than_have_room() -> None:
    many = [seen(f"p{number}", number, platform=f"site{number}") for number in range(40)]
    assert len(picture(many).rows) == MOST_ROWS


def test_the_headline_says_size_depth_and_what_to_expect() -> None:
    now = T0 + 60 * MINUTE
    assert headline(spread_of(STORY, now), "zh-CN").startswith(
        "45 条帖文，3 个平台 · 最大一条转发链 41 次，最深 2 层 · 照此下去"
    )
    assert "by this time tomorrow" in headline(spread_of(STORY, now), "en")
    assert headline(spread_of([], now), "en") == "No related posts collected yet"


@pytest.mark.parametrize(
    ("count", "chinese", "english"),
    [(0, "0", "0"), (9_999, "9,999", "9,999"), (123_000, "12.3 万", "123k"), (250_000_000, "2.5 亿", "250M")],
)
def test_large_numbers_are_said_as_each_language_says_them(count: int, chinese: str, english: str) -> None:
    assert (people(count, "zh-CN"), people(count, "en")) == (chinese, english)


def test_names_are_plain_short_and_one_line() -> None:
    assert shown_name("@阿\u202e强\n<b>") == "@阿强<b>"
    assert shown_name("名" * 50) == "@" + "名" * 13 + "…"
    assert shown_name("\u200b\n") == shown_name("") == ""


def test_words_are_cut_only_where_they_have_no_room() -> None:
    assert fitted("星河支付", 20, 80) == "星河支付"
    assert fitted("星河支付提现", 20, 80) == "星河支…"
    assert text_width(fitted("x" * 500, 20, 200), 20) <= 200


def parse(scene: Scene) -> ElementTree.Element:
    return ElementTree.fromstring(scene_svg(scene).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


def test_the_svg_holds_every_shape_without_styles_or_colours() -> None:
    scene = lay_out(picture(STORY))
    svg = scene_svg(scene)
    assert len(list(parse(scene))) == len(scene.shapes)
    assert "style=" not in svg and "#" not in svg.replace("&#x27;", "")


POSTS = st.lists(
    st.builds(
        seen, st.text(max_size=3), st.floats(-100, 9_000), st.none() | st.text(max_size=2),
        st.text(st.characters(), max_size=30), st.integers(0, 2), platform=st.text(max_size=8),
        followers=st.integers(0, 10**12), text=st.text("a/@:王", max_size=20),
    ), max_size=15,
)  # fmt: skip


@settings(max_examples=60)
@given(POSTS, st.sampled_from(["zh-CN", "en"]), st.text(st.characters(), max_size=80))
def test_whatever_is_collected_every_shape_lies_within_the_picture(
    posts: list[Seen], language: str, title: str
) -> None:
    scene = lay_out(picture(posts, language, title))
    parse(scene)
    for shape in scene.shapes:
        match shape:
            case Box():
                assert shape.width > 0 <= shape.height and shape.x >= -1 and shape.x + shape.width <= scene.width + 1
                assert shape.y >= 0 and shape.y + shape.height <= scene.height
            case Line():
                assert all(0 <= x <= scene.width and 0 <= y <= scene.height for x, y in shape.points)
            case Dot() | Words():
                assert 0 <= shape.x <= scene.width and 0 < shape.y < scene.height


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_the_png_has_the_size_of_the_scene(language: str) -> None:
    scene = lay_out(picture([*STORY, seen("evil", 30, name="$\\frac{1}{0}$ 😀", platform="$x^2$")], language))
    png = scene_png.draw_now(scene)
    assert struct.unpack(">II", png[16:24]) == (scene.width, scene.height)
