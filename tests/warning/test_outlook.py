"""What stands on the card of the coming hours, from stored counts."""

from pathlib import Path

import pytest
from factories import HOUR, MINUTE, NOW, House, actor, house

from bot.incidents import words
from bot.model.grade import Grade
from bot.texts import render
from bot.warning.outlook import Outlook, families_of, read_outlook


@pytest.fixture
def home(tmp_path: Path):
    made = house(tmp_path)
    yield made
    made.store.close()


def said(home: House, at: int, count: int, *, negative: bool = True, family: str = "funds") -> None:
    def job(db: object) -> None:
        conn = db.conn  # type: ignore[attr-defined]
        conn.execute(
            "INSERT INTO bucket (subject, drill, minute, family, platform, sentiment, count, engagement, carrier,"
            " carrier_post, top_influence, top_post) VALUES ('xinghe-pay', '', ?, ?, 'weibo', ?, ?, 0, 0, 0, 0, 0)",
            (at // MINUTE, family, -1 if negative else 0, count),
        )
        conn.execute(
            "INSERT INTO hour (subject, drill, family, hour, mentions, negative) VALUES ('xinghe-pay', '', ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET mentions = mentions + excluded.mentions,"
            " negative = negative + excluded.negative",
            (family, at // HOUR, count, count * negative),
        )

    home.do(job)


def look(home: House, families: frozenset[str] | None = families_of("funds"), now: int = NOW) -> Outlook | None:
    return home.look(lambda db: read_outlook(db, ["xinghe-pay"], families, "", now))


def test_with_next_to_nothing_said_there_is_nothing_to_carry_on(home: House) -> None:
    said(home, NOW - 10 * MINUTE, 4)
    assert look(home) is None
    said(home, NOW - 20 * MINUTE, 1)
    assert look(home) is not None


def test_the_last_sixty_minutes_count_across_the_full_hour_and_other_families_do_not(home: House) -> None:
    said(home, NOW - 50 * MINUTE, 30)
    said(home, NOW, 10, family="general")
    said(home, NOW, 500, family="service")
    found = look(home)
    assert found is not None and found.last == 40
    everything = look(home, None)
    assert everything is not None and everything.last == 540


def test_a_sudden_start_counts_by_its_pace_and_not_by_the_empty_hour_before(home: House) -> None:
    for hour in range(1, 72):
        said(home, NOW - hour * HOUR, 4)
    said(home, NOW - 50 * MINUTE, 40)
    slow = look(home)
    home.do(lambda db: db.conn.execute("UPDATE bucket SET minute = ? WHERE count = 40", (NOW // MINUTE - 3,)))
    fast = look(home)
    assert slow is not None and fast is not None and slow.last == fast.last == 40
    assert fast.forecast.volume[1].middle > 1.5 * slow.forecast.volume[1].middle


@pytest.mark.parametrize(("language", "says"), [("zh-CN", "如果没有变化：未来 1 小时"), ("en", "If nothing changes: ")])
def test_the_card_says_it_in_one_line_while_the_matter_lives(home: House, language: str, says: str) -> None:
    for hour in range(1, 72):
        said(home, NOW - hour * HOUR, 5, negative=False)
    said(home, NOW - 5 * MINUTE, 60)
    home.judge(Grade.ORANGE)
    incident = home.incident("I-1")
    card = home.look(lambda db: home.cards(db, incident, language, NOW))
    lines = [section.text for section in card.sections if getattr(section, "text", "").startswith(says)]
    assert len(lines) == 1 and "%" in lines[0]
    home.do(lambda db: home.incidents.close(db, incident, "", actor(), NOW))
    ended = home.incident("I-1")
    after = home.look(lambda db: home.cards(db, ended, language, NOW))
    assert not [section for section in after.sections if getattr(section, "text", "").startswith(says)]


def test_a_rise_goes_on_a_fall_is_past_its_peak_and_a_calm_day_has_it_ahead(home: House) -> None:
    def line(*counts: float) -> str:
        for back, count in enumerate(reversed(counts)):
            said(home, NOW - back * HOUR - 30 * MINUTE, int(count))
        found = look(home)
        home.do(lambda db: (db.conn.execute("DELETE FROM hour"), db.conn.execute("DELETE FROM bucket")))
        assert found is not None
        return render(words.outlook(found, NOW), "zh-CN")

    def day(hour: int) -> float:
        return 20 + 180 * (12 <= hour % 24 < 16)

    assert "仍在上升" in line(*[10.0] * 72, 15, 40, 160)
    assert "高峰可能已经过去（01-05 08:00 前后一小时 420 条）" in line(*[10.0] * 72, 420, 260, 150)
    assert "高峰约在" in line(*[day(hour) for hour in range(24 * 6)], *[20.0] * 24)
