"""Charts: the words around them, SVG for the page, PNG for the other chats."""

import struct
import warnings
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.clock import HOUR, MINUTE, VirtualClock
from bot.model.grade import Grade
from bot.model.message import Attachment
from bot.model.text import UserError
from bot.reports import png
from bot.reports.charts import Band, bands, chart_maker, describe, incident_chart
from bot.reports.fonts import drawable
from bot.reports.series import GradeChange, Series
from bot.reports.svg import chart_svg, spark_svg
from bot.store.database import Store
from bot.warning.forecast import forecast
from bot.warning.outlook import Outlook

START = 1_757_498_400_000
STEP = 10 * MINUTE
SERIES = Series(
    START, STEP, (1, 5, 40), (2, 2, 6), (0, 1, 0), (("weibo", 50), ("news", 7)), (8.0, 8.0, None), partial=True
)
CHANGES = (
    GradeChange(START - HOUR, Grade.BLUE),
    GradeChange(START + STEP, Grade.YELLOW),
    GradeChange(START + 2 * STEP, Grade.RED),
)
SVG = "{http://www.w3.org/2000/svg}"
EMPTY = Series(START, STEP, (0, 0), (0, 0), (0, 0))


def test_a_chart_says_how_many_posts_it_rests_on() -> None:
    chart = describe(SERIES, "I-1 提现失败", "zh-CN", START + 25 * MINUTE, CHANGES)
    assert chart.footnote == "数据来自已收集的 57 条帖文，2 个平台 · 09-10 18:00 至 09-10 18:25"
    assert chart.subtitle == "每 10 分钟的帖文数 · 最后一格还在累计"
    assert "负面占 81%" in chart.summary
    assert "18:20 最多（46 条）" in chart.summary


def test_a_chart_without_posts_says_so() -> None:
    chart = describe(EMPTY, "I-1", "en", START + 2 * STEP)
    assert "No related posts" in chart.footnote
    assert "No data in this period" in chart_svg(chart)


def parse(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


def test_the_svg_stacks_what_was_counted() -> None:
    root = parse(chart_svg(describe(SERIES, "t", "zh-CN", START + 30 * MINUTE, CHANGES)))
    bars = [(bar.get("class"), float(bar.get("height", 0))) for bar in root.iter(f"{SVG}rect")]
    assert [name for name, _ in bars] == [
        "negative",
        "neutral",
        "negative",
        "neutral",
        "positive",
        "negative",
        "neutral",
    ]
    heights = [height for name, height in bars if name == "negative"]
    assert heights[1] / heights[0] == pytest.approx(5, rel=0.05)
    assert heights[2] / heights[1] == pytest.approx(8, rel=0.05)
    words = [text.text for text in root.iter(f"{SVG}text")]
    assert {"蓝 Ⅳ", "黄 Ⅲ", "红 Ⅰ", "0", "20", "60"} <= set(words)
    titles = [title.text for title in root.iter(f"{SVG}title")]
    assert titles[2] == "18:20：共 46 条，负面 40，中性 6，正面 0"


@settings(max_examples=60)
@given(
    st.lists(st.tuples(*[st.integers(0, 10**6)] * 3), min_size=1, max_size=50),
    st.text(max_size=30),
    st.integers(120, 1200),
)
def test_any_counts_and_title_make_a_clean_picture_within_its_frame(
    counts: list[tuple[int, int, int]], title: str, width: int
) -> None:
    title = "".join(character for character in title if character.isprintable())
    columns = [tuple(column) for column in zip(*counts, strict=True)]
    svg = chart_svg(describe(Series(START, STEP, *columns), title, "en", START + HOUR), width, 200)
    root = parse(svg)
    assert "style=" not in svg
    for bar in root.iter(f"{SVG}rect"):
        assert float(bar.get("x", -1)) >= 0
        assert float(bar.get("y", -1)) >= 0
        assert float(bar.get("x", 0)) + float(bar.get("width", 0)) <= width + 1
        assert float(bar.get("y", 0)) + float(bar.get("height", 0)) <= 200


@given(st.lists(st.integers(0, 10**9), max_size=40), st.text(max_size=20).filter(str.isprintable))
def test_a_spark_line_takes_any_counts(counts: list[int], label: str) -> None:
    assert parse(spark_svg(counts, label)).get("aria-label") == label


def test_the_font_draws_chinese_and_drops_what_no_font_draws() -> None:
    assert drawable("星河支付 繁體 龘 Ⅳ 12% 🙂\u200b") == "星河支付 繁體 龘 Ⅳ 12% "


async def test_the_png_is_drawn_without_a_missing_glyph() -> None:
    chart = describe(SERIES, "I-1 提现失败 🙂 $x^2$ \u200b", "zh-CN", START + 30 * MINUTE, CHANGES)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture = await png.draw(chart)
        empty = await png.draw(describe(EMPTY, "没有", "en", START))
    for content in (picture, empty):
        assert content.startswith(b"\x89PNG")
        assert struct.unpack(">II", content[16:24]) == (1188, 630)
    assert picture != empty


async def test_the_maker_reads_the_incident_and_captions_the_picture(tmp_path: Path) -> None:
    store = Store(tmp_path / "fengbo.db")

    def write(db: object) -> None:
        conn = db.conn  # type: ignore[attr-defined]
        conn.execute(
            "INSERT INTO incident (id, number, kind, drill, subject, subject_name, family, crisis_type, title, status,"
            " grade, peak_grade, opened_at, updated_at) VALUES ('I-1', 1, 'real', '', 's', 'S', 'funds', 'outage',"
            " '提现失败', 'open', 3, 3, ?, 0)",
            (START,),
        )
        for family, count in (("funds", 30), ("general", 12), ("service", 500)):
            conn.execute(
                "INSERT INTO bucket (subject, drill, minute, family, platform, sentiment, count, engagement, carrier,"
                " carrier_post, top_influence, top_post) VALUES ('s', '', ?, ?, 'weibo', -1, ?, 0, 0, 0, 0, 0)",
                (START // MINUTE, family, count),
            )

    store.write_now(write)
    make = chart_maker(store, VirtualClock(START + HOUR))
    made = await make(Attachment("chart", {"incident": "I-1", "hours": 3}), "zh-CN")
    assert (made.name, made.media_type) == ("I-1.png", "image/png")
    assert made.content.startswith(b"\x89PNG")
    assert "共收集 42 条帖文，负面占 100%" in made.caption
    with pytest.raises(UserError):
        store.read_now(lambda db: incident_chart(db, "I-9", 3, START, "en"))


def outlook(last: float = 60) -> Outlook:
    history = [20.0] * 200 + [last]
    return Outlook(int(last), forecast(history, START // HOUR), {}, int(last), 0, True)


@pytest.mark.parametrize(
    ("step", "bars", "ahead"),
    [(MINUTE, 30, 8), (5 * MINUTE, 36, 9), (HOUR, 24, 6), (6 * HOUR, 28, 4), (24 * HOUR, 14, 1)],
)
def test_the_forecast_goes_on_a_quarter_of_the_chart_and_a_day_at_most(step: int, bars: int, ahead: int) -> None:
    series = Series(START, step, (3,) * bars, (0,) * bars, (0,) * bars)
    found = bands(series, outlook(), series.end)
    assert len(found) == ahead
    assert found[0].start == series.end and all(band.end - band.start == step for band in found)
    assert all(0 <= band.low <= band.middle <= band.high for band in found)
    hours = outlook().forecast.hours
    assert found[0].middle == pytest.approx(
        sum(hour.middle for hour in hours[: max(1, step // HOUR)]) * min(1, step / HOUR)
    )


def test_without_a_forecast_and_in_charts_of_seconds_there_is_no_band() -> None:
    assert bands(SERIES, None, START + HOUR) == ()
    assert bands(Series(START, 15_000, (3,) * 40, (0,) * 40, (0,) * 40), outlook(), START + HOUR) == ()


async def test_the_band_stands_behind_the_last_bar_inside_the_frame_and_in_both_pictures() -> None:
    ahead = tuple(
        Band(SERIES.end + index * STEP, SERIES.end + (index + 1) * STEP, 10.0, 30.0, 90_000.0) for index in range(3)
    )
    chart = describe(SERIES, "I-1", "zh-CN", START + 30 * MINUTE, CHANGES, ahead=ahead)
    assert chart.end == ahead[-1].end and chart.highest < 100, "a wide guess does not press the bars flat"
    root = parse(chart_svg(chart))
    rects = [bar for bar in root.iter(f"{SVG}rect") if bar.get("class") == "ahead"]
    bars = [bar for bar in root.iter(f"{SVG}rect") if bar.get("class") == "negative"]
    assert len(rects) == 3
    assert min(float(one.get("x", 0)) for one in rects) > max(float(one.get("x", 0)) for one in bars)
    for one in rects:
        assert float(one.get("y", -1)) >= 0 and float(one.get("x", 0)) + float(one.get("width", 0)) <= 720
        assert float(one.get("y", 0)) + float(one.get("height", 0)) <= 240
    assert "如果没有变化" in "".join(title.text or "" for title in root.iter(f"{SVG}title"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert await png.draw(chart) != await png.draw(describe(SERIES, "I-1", "zh-CN", START + 30 * MINUTE, CHANGES))
