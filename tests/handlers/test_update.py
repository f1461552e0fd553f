"""How an incident stands: told by whoever has it, asked for when nobody tells."""

import asyncio
from pathlib import Path

import pytest
from factories import CONFIG, MINUTE, House, house

from bot.delivery.alarm import Alarm
from bot.model.grade import Grade
from bot.store import incidents as store
from handlers.incident import update_form

NONE, BLUE, YELLOW, ORANGE, RED = Grade


@pytest.fixture
def home(tmp_path: Path):
    made = house(tmp_path)
    yield made
    made.store.close()


async def later(home: House, minutes: int) -> None:
    await home.clock.advance(minutes * MINUTE)
    updates = home.services.updates
    await Alarm(home.store, home.clock, {"update_ask": updates.ask, "escalate": lambda db, timer, now: None}).fire_due()


def asked(home: House, destination: str = "slack:C0ALERTS") -> list[str]:
    return [row.text for row in home.outbox(destination=destination, reason="update") if "没有进展" in row.text]


def test_an_update_stands_in_every_thread_at_the_managers_and_on_the_timeline(home: House) -> None:
    home.judge(ORANGE)
    home.say("进展 I-1 排队已减半，22 点再报")
    assert [row.text for row in home.outbox(reason="update", destination="slack:C0ALERTS")] == [
        "I-1 进展 · 李娜：排队已减半，22 点再报"
    ]
    (boss,) = home.outbox(reason="update", destination="slack:C0BOSS")
    assert "update by 李娜" in boss.text and boss.thread == "incident:I-1"
    (entry,) = home.look(lambda db: store.timeline(db, "I-1", ("update",)))
    assert entry.actor == "lina"
    assert "例如" in home.say("进展 I-1")[0].plain()


def test_whoever_has_it_is_asked_when_nobody_tells_and_the_managers_the_second_time(home: House) -> None:
    home.judge(ORANGE)
    home.say("确认 I-1")
    asyncio.run(later(home, 59))
    assert asked(home) == []
    asyncio.run(later(home, 2))
    assert len(asked(home)) == 1 and "李娜" in asked(home)[0]
    (card,) = [row.card for row in home.outbox(destination="slack:U0LINA", reason="update") if row.card]
    (button,) = card.buttons
    assert (button.command, button.form) == ("update I-1", "update")
    assert update_form(button.command, "zh-CN").fields[0].name == "text"
    assert not home.outbox(destination="slack:U0CHEN", reason="update")
    asyncio.run(later(home, 61))
    assert home.outbox(destination="slack:U0CHEN", reason="update"), "the second unanswered question goes up"


def test_an_update_starts_the_time_anew_and_the_end_stops_it(home: House) -> None:
    home.judge(ORANGE)
    asyncio.run(later(home, 50))
    home.say("update I-1 still looking")
    asyncio.run(later(home, 50))
    assert asked(home) == []
    home.say("close I-1 done")
    asyncio.run(later(home, 600))
    assert asked(home) == []


def test_a_worse_grade_is_asked_about_more_often_and_none_where_it_is_switched_off(tmp_path: Path) -> None:
    text = CONFIG + "grading: {update_asked: {orange: 0s, red: 10m}}\n"
    home = house(tmp_path, text)
    home.judge(ORANGE)
    asyncio.run(later(home, 600))
    assert asked(home) == []
    home.say("grade I-1 red 监管介入", account="U0CHEN")
    asyncio.run(later(home, 11))
    assert len(asked(home)) == 1
    home.store.close()


def test_a_drill_asks_nobody_outside_the_drill(home: House) -> None:
    home.judge(RED, drill="D-1")
    asyncio.run(later(home, 61))
    assert {row.destination for row in home.outbox(reason="update")} <= {"slack:C0DRILL", "console:drill"}
