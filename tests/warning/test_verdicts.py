"""Which stories of a subject deserve an incident, and which incident general talk belongs to."""

from pathlib import Path

import pytest
from factories import HOUR, MINUTE, NOW, House, analysis, house, post

from bot.model.grade import Carrier, CrisisType, Grade, Sentiment
from bot.store import posts
from bot.warning.service import BaselineCache, Verdict, leading_family, leading_type, verdicts


@pytest.fixture
def home(tmp_path: Path):
    made = house(tmp_path)
    yield made
    made.store.close()


def happen(home: House, count: int, crisis_type: CrisisType | None, *, ago: int = 5 * MINUTE, **fields) -> None:
    """So many negative posts of one crisis type, spread over a quarter of an hour."""
    sentiment = fields.pop("sentiment", Sentiment.NEGATIVE)
    subject = fields.pop("subject", "xinghe-pay")

    def job(db) -> None:
        batch = [post(published_at=NOW - ago - (n % 15) * 1000, **fields) for n in range(count)]
        posts.store(db, batch, NOW)
        rows = posts.unanalysed(db, 100_000)
        posts.move_cursor(db, "analysed", posts.cursor(db, "analysed"), rows[-1][0])
        posts.record(db, [(seq, item, analysis(sentiment, crisis_type, subject), 0) for seq, item in rows], {}, NOW)

    home.do(job)


def judge(home: House, subject: str = "xinghe-pay", drill: str = "", now: int = NOW) -> dict[str, Verdict]:
    found = home.look(lambda db: verdicts(db, home.watch.subject(subject), drill, home.rules, BaselineCache(), now))
    return {item.family: item for item in found}


def open_one(home: House, grade: Grade = Grade.BLUE, **fields) -> str:
    incident = home.judge(grade, **fields)
    assert incident is not None
    return incident.id


def test_without_posts_and_incidents_there_is_nothing_to_say(home: House) -> None:
    assert judge(home) == {}


def test_enough_negative_posts_give_a_verdict_with_its_type_and_reasons(home: House) -> None:
    happen(home, 12, CrisisType.WITHDRAWAL_FAILURE)
    found = judge(home)["funds"]
    assert (found.grade, found.crisis_type, found.incident, found.generic) == (
        Grade.BLUE,
        "withdrawal_failure",
        "",
        False,
    )
    assert {signal.metric for signal in found.signals} >= {"negative_60m", "type_60m"}


def test_general_talk_joins_the_leading_story(home: House) -> None:
    happen(home, 4, CrisisType.WITHDRAWAL_FAILURE)
    happen(home, 30, CrisisType.COMPLAINT_SURGE)
    found = judge(home)
    assert set(found) == {"funds"}
    assert {signal.metric: signal.value for signal in found["funds"].signals}["negative_60m"] == 34
    assert found["funds"].crisis_type == "withdrawal_failure"


def test_general_talk_alone_is_a_general_story(home: House) -> None:
    happen(home, 2, CrisisType.WITHDRAWAL_FAILURE)
    happen(home, 30, CrisisType.COMPLAINT_SURGE)
    found = judge(home)
    assert set(found) == {"general"} and found["general"].generic


def test_a_second_story_is_judged_apart_and_not_by_the_talk_about_the_first(home: House) -> None:
    happen(home, 40, CrisisType.WITHDRAWAL_FAILURE)
    happen(home, 90, CrisisType.COMPLAINT_SURGE)
    happen(home, 22, CrisisType.DATA_LEAK)
    found = judge(home)
    assert set(found) == {"funds", "data"}
    assert found["data"].grade >= Grade.BLUE
    assert all(signal.value <= 22 for signal in found["data"].signals if signal.metric != "platforms_60m")
    assert found["data"].crisis_type == "data_leak"


def test_a_few_posts_of_another_kind_beside_a_large_story_belong_to_it(home: House) -> None:
    happen(home, 90, CrisisType.WITHDRAWAL_FAILURE)
    happen(home, 9, CrisisType.LABOUR_DISPUTE)
    found = judge(home)
    assert set(found) == {"funds"}
    assert {signal.metric: signal.value for signal in found["funds"].signals}["negative_60m"] == 99


def test_the_same_few_posts_are_a_story_where_nothing_larger_is(home: House) -> None:
    happen(home, 20, CrisisType.WITHDRAWAL_FAILURE)
    happen(home, 9, CrisisType.LABOUR_DISPUTE)
    assert set(judge(home)) == {"funds", "labour"}


def test_a_general_incident_goes_over_to_the_cause_that_shows(home: House) -> None:
    incident = open_one(home, family="general", crisis_type="complaint_surge")
    happen(home, 9, CrisisType.OUTAGE)
    found = judge(home)
    assert set(found) == {"service"} and found["service"].incident == incident


def test_general_talk_stays_with_the_worst_live_incident(home: House) -> None:
    open_one(home, Grade.YELLOW, family="data", crisis_type="data_leak")
    incident = open_one(home, Grade.ORANGE, family="funds")
    happen(home, 20, CrisisType.COMPLAINT_SURGE)
    found = judge(home)
    assert found["funds"].incident == incident and found["funds"].grade > Grade.NONE
    assert found["data"].grade is Grade.NONE


def test_a_live_incident_is_judged_although_all_is_quiet(home: House) -> None:
    incident = open_one(home)
    found = judge(home)["funds"]
    assert (found.incident, found.grade, found.relaxed, found.signals) == (incident, Grade.NONE, Grade.NONE, ())


def test_the_relaxed_grade_holds_where_the_strict_one_is_lost(home: House) -> None:
    open_one(home)
    happen(home, 6, CrisisType.WITHDRAWAL_FAILURE)
    found = judge(home)["funds"]
    assert (found.grade, found.relaxed) == (Grade.NONE, Grade.BLUE)


def test_drills_and_reality_are_judged_apart(home: House) -> None:
    happen(home, 20, CrisisType.WITHDRAWAL_FAILURE, drill="d1")
    assert judge(home) == {}
    assert judge(home, drill="d1")["funds"].grade > Grade.NONE


def test_what_is_usual_is_no_news_and_what_is_new_is(home: House) -> None:
    home.do(lambda db: db.conn.execute("INSERT INTO setting (name, value) VALUES ('history_since', '0')"))
    for day in range(1, 8):
        happen(home, 30, CrisisType.WITHDRAWAL_FAILURE, ago=day * 24 * HOUR)
    happen(home, 12, CrisisType.WITHDRAWAL_FAILURE, ago=-2 * MINUTE)
    assert not any(signal.metric == "negative_60m" for signal in judge(home)["funds"].signals)
    happen(home, 60, CrisisType.WITHDRAWAL_FAILURE)
    found = {signal.metric: signal for signal in judge(home)["funds"].signals}
    assert found["negative_60m"].baseline is not None and found["negative_60m"].baseline > 5


def test_a_carrier_speaks_for_two_hours(home: House) -> None:
    def job(db) -> None:
        posts.store(db, [post(published_at=NOW - 100 * MINUTE)], NOW)
        ((seq, item),) = posts.unanalysed(db, 10)
        posts.record(db, [(seq, item, analysis(carrier=Carrier.NATIONAL_MEDIA), 0)], {}, NOW)

    home.do(job)
    assert all(not found.grade for found in judge(home).values()), "no story has begun that it could belong to"
    open_one(home)
    assert judge(home)["funds"].signals[0].metric == "carrier_120m"


@pytest.mark.parametrize(
    ("negatives", "leading"),
    [
        ({}, "general"),
        ({"funds": 2, "general": 99}, "general"),
        ({"funds": 3, "general": 99}, "funds"),
        ({"funds": 3, "data": 5}, "data"),
    ],
)
def test_a_story_leads_from_three_posts_on(negatives: dict[str, int], leading: str) -> None:
    assert leading_family([], negatives) == leading


@pytest.mark.parametrize(
    ("types", "family", "name"),
    [
        ({}, "funds", "other"),
        ({"complaint_surge": 50, "withdrawal_failure": 2}, "funds", "withdrawal_failure"),
        ({"complaint_surge": 50}, "funds", "complaint_surge"),
        ({"withdrawal_failure": 2, "fraud_accusation": 3}, "funds", "fraud_accusation"),
    ],
)
def test_an_incident_is_named_by_its_own_family_first(types: dict[str, int], family: str, name: str) -> None:
    assert leading_type(types, family) == name


def test_the_baseline_cache_reads_history_once_an_hour(home: House) -> None:
    happen(home, 5, CrisisType.OUTAGE, ago=50 * HOUR)
    cache = BaselineCache()
    families = frozenset({"service"})
    first = home.look(lambda db: cache.get(db, "xinghe-pay", "", families, NOW // HOUR))
    home.do(lambda db: db.conn.execute("DELETE FROM hour"))
    assert home.look(lambda db: cache.get(db, "xinghe-pay", "", families, NOW // HOUR)) is first
    cache.forget()
    assert home.look(lambda db: cache.get(db, "xinghe-pay", "", families, NOW // HOUR)) is None


@pytest.mark.parametrize(("evening", "heard"), [(1, True), (60, False)])
def test_a_burst_is_a_reason_where_it_is_unheard_of_and_none_where_it_comes_every_evening(
    home: House, evening: int, heard: bool
) -> None:
    """Three weeks of hours with ``evening`` negative posts in two hours of each day, ten hours away from this one."""

    def history(db) -> None:
        for back in range(2, 21 * 24):
            count = evening if back % 24 in (10, 11) else 1
            db.conn.execute(
                "INSERT INTO hour (subject, drill, family, hour, mentions, negative) VALUES ('xinghe-pay', '', 'funds',"
                " ?, ?, ?)",
                (NOW // HOUR - back, count, count),
            )
        db.conn.execute("INSERT INTO setting (name, value) VALUES ('history_since', '1')")

    home.do(history)
    happen(home, 24, CrisisType.WITHDRAWAL_FAILURE)
    reasons = {signal.metric: signal for signal in judge(home)["funds"].signals}
    assert "negative_60m" in reasons
    assert ("burst_60m" in reasons) == heard
    if heard:
        assert reasons["burst_60m"].detail == "24" and reasons["burst_60m"].grade <= Grade.YELLOW
