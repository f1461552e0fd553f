"""The moments of an incident are those of its rows: each number names the items it rests on."""

from pathlib import Path

import pytest
from factories import HOUR, MINUTE, NOW, House, analysis, house, post, signal
from plans import PLAN

from bot.learning.moments import Moments, moments_of, spans
from bot.model.grade import Grade, Sentiment
from bot.store import posts

CHEN = {"account": "U0CHEN"}


@pytest.fixture
def home(tmp_path: Path):
    made = house(tmp_path, playbooks=[PLAN])
    yield made
    made.store.close()


def heard(home: House, *moments: int, drill: str = "", story: int = 0, mood: Sentiment = Sentiment.NEGATIVE):
    """Posts about the subject at these moments; returns their numbers."""
    items = [post(f"星河支付提现失败 {at}", published_at=at, drill=drill) for at in moments]

    def keep(db) -> tuple[int, ...]:
        posts.store(db, items, home.now)
        stored = posts.unanalysed(db, 100)
        posts.record(db, [(seq, item, analysis(mood), story) for seq, item in stored], {}, home.now)
        posts.move_cursor(db, "analysed", posts.cursor(db, "analysed"), stored[-1][0])
        return tuple(seq for seq, _ in stored)

    return home.do(keep)


def opened(home: House, *moments: int, drill: str = "") -> str:
    seqs = heard(home, *moments, drill=drill)
    found = home.judge(Grade.ORANGE, signals=(signal(grade=Grade.ORANGE, posts=seqs),), drill=drill)
    assert found is not None
    return found.id


def moments(home: House, incident_id: str) -> Moments:
    return home.look(lambda db: moments_of(db, home.incident(incident_id), home.now))


def leave(home: House) -> None:
    home.do(lambda db: db.conn.execute("UPDATE outbox SET state = 'sent', sent_at = ? WHERE state = 'waiting'",
                                       (home.now,)))  # fmt: skip


async def test_every_milestone_is_told_with_the_rows_it_rests_on(home: House) -> None:
    incident_id = opened(home, NOW - 20 * MINUTE, NOW - 5 * MINUTE)
    await home.clock.advance(2 * MINUTE)
    leave(home)
    await home.clock.advance(4 * MINUTE)
    home.say(f"ack {incident_id}")
    home.say(f"start small {incident_id}")
    await home.clock.advance(40 * MINUTE)
    home.say("done R-1.1 已核实，三千人")
    heard(home, *(NOW + 30 * MINUTE + second for second in range(3)), mood=Sentiment.NEUTRAL)
    await home.clock.advance(HOUR)
    home.say(f"resolve {incident_id}")
    home.say(f"close {incident_id} 已到账")
    await home.clock.advance(HOUR)
    heard(home, home.now - MINUTE, mood=Sentiment.POSITIVE)
    found = moments(home, incident_id)

    names = [moment.name for moment in found.moments]
    assert names == ["first_post", "first_signal", "alert", "acknowledged", "playbook", "peak", "resolved", "closed"]
    assert found.at("first_post") == NOW - 20 * MINUTE
    assert [ref.kind for ref in found.get("first_post").rests_on] == ["post"]
    assert (found.time_to_acknowledge, found.time_to_answer) == (4 * MINUTE, None)
    assert found.get("acknowledged").who == "李娜"
    assert (found.at("peak"), found.get("peak").count) == (NOW + 30 * MINUTE, 3)
    assert all(moment.rests_on for moment in found.moments)
    counts = {volume.name: (volume.mentions, volume.negative) for volume in found.volumes}
    assert counts == {"before": (2, 2), "during": (3, 0), "after": (1, 0)}
    assert found.volume("before").share == 1 and len(found.volume("during").posts) == 3
    late = found.steps_of("late")
    assert [(step.reference.id, step.late_by, step.reason) for step in late] == [
        ("R-1.1", 10 * MINUTE, "已核实，三千人")
    ]  # fmt: skip
    assert ("alert", "acknowledged", 4 * MINUTE) in spans(found)


def test_what_never_happened_is_not_there(home: House) -> None:
    found = moments(home, home.judge(Grade.ORANGE, signals=()).id)
    assert [moment.name for moment in found.moments] == []
    assert found.between("alert", "published") is None
    assert found.volume("before").share is None and found.volume("after") is None
    assert (found.statements, found.steps) == ((), ())


async def test_a_skipped_step_says_why_and_what_the_end_left_undone_is_not_called_done(home: House) -> None:
    incident_id = opened(home, NOW - MINUTE)
    home.say(f"start small {incident_id}")
    home.say("skip R-1.2 大家都在现场")
    home.say(f"ack {incident_id}")
    home.say(f"close {incident_id} 误会")
    found = moments(home, incident_id)
    assert [(step.number, step.reason) for step in found.steps_of("skipped")] == [(2, "大家都在现场")]
    assert not found.steps_of("kept", "done")


async def test_a_reopened_incident_was_not_over(home: House) -> None:
    incident_id = opened(home, NOW - MINUTE)
    home.say(f"ack {incident_id}")
    home.say(f"resolve {incident_id}")
    await home.clock.advance(MINUTE)
    home.say(f"reopen {incident_id}")
    found = moments(home, incident_id)
    assert found.at("resolved") is None and found.at("closed") is None and found.at("acknowledged") == NOW


def test_a_drill_counts_only_its_own_posts(home: House) -> None:
    heard(home, NOW - 3 * MINUTE)
    incident_id = opened(home, NOW - 2 * MINUTE, drill="DR-1")
    found = moments(home, incident_id)
    assert found.drill == "DR-1" and found.volume("before").mentions == 1


def test_where_the_signals_name_no_post_the_loudest_topic_of_the_hour_says_where_it_began(home: House) -> None:
    early, loud, other = NOW - 3 * HOUR, NOW - 10 * MINUTE, NOW - 20 * MINUTE
    home.do(lambda db: db.conn.executemany(
        "INSERT INTO story (id, drill, first_post, first_at, last_at, size, signature, topic)"
        " VALUES (?, '', 1, 0, 0, 1, x'', ?)",
        [(1, 1), (2, 1), (3, 3)],
    ))  # fmt: skip
    first = heard(home, early, story=1)
    heard(home, loud, loud + 1, story=2)
    heard(home, other, story=3)
    found = home.judge(Grade.ORANGE)
    assert found is not None
    moment = moments(home, found.id).get("first_post")
    assert moment.at == early and [ref.id for ref in moment.rests_on] == [str(first[0])]
