"""An incident from its first signal to its end, with everything people do to it on the way."""

from pathlib import Path

import pytest
from factories import HOUR, MINUTE, NOW, House, actor, house, signal
from sqlite_utils import Database

from bot.clock import DAY
from bot.delivery import timers
from bot.delivery.alarm import Alarm
from bot.incidents import words
from bot.incidents.service import DEFAULT_ESCALATION
from bot.model.grade import Grade
from bot.model.incident import Actor, Incident, Status
from bot.model.text import UserError
from bot.store import audit
from bot.store import incidents as store
from bot.texts import render

NONE, BLUE, YELLOW, ORANGE, RED = Grade
LINA, CHEN = actor(), Actor("chenjing", "陈静", "wecom", frozenset({"pr_head"}))


@pytest.fixture
def home(tmp_path: Path):
    made = house(tmp_path)
    yield made
    made.store.close()


def opened(home: House, grade: Grade = YELLOW, **fields) -> Incident:
    incident = home.judge(grade, **fields)
    assert incident is not None
    return incident


def act(home: House, name: str, incident: Incident, *args, by: Actor = LINA) -> Incident:
    return home.do(lambda db: getattr(home.incidents, name)(db, home.incident(incident.id), *args, by, home.now))


def refused(home: House, name: str, incident: Incident, *args, by: Actor = LINA) -> str:
    before = home.incident(incident.id)
    with pytest.raises(UserError) as error:
        act(home, name, incident, *args, by=by)
    assert home.incident(incident.id) == before
    return error.value.text.key


def kinds(home: House, incident: Incident) -> list[str]:
    return [entry.kind for entry in home.look(lambda db: store.timeline(db, incident.id))]


def pass_minutes(home: House, minutes: int) -> None:
    home.clock.set(home.now + minutes * MINUTE)


async def fire(home: House) -> int:
    alarm = Alarm(
        home.store,
        home.clock,
        {
            "escalate": lambda db, timer, now: home.incidents.escalate(db, timer.object, now),
            "refresh": lambda db, timer, now: home.incidents.refresh(db, timer.object, now),
            "silence_ends": lambda db, timer, now: home.incidents.refresh(db, timer.object, now),
        },
    )
    return await alarm.fire_due()


def test_from_the_first_signal_to_the_close(home: House) -> None:
    incident = opened(home, BLUE)
    assert (incident.id, incident.status, incident.kind, incident.owner) == ("I-1", Status.OPEN, "real", "")
    pass_minutes(home, 2)
    home.judge(ORANGE, incident=incident.id)
    pass_minutes(home, 1)
    assert act(home, "acknowledge", incident).owner == "lina"
    act(home, "set_status", incident, "responding")
    act(home, "set_status", incident, "monitoring")
    act(home, "set_status", incident, "resolved")
    pass_minutes(home, 60)
    closed = act(home, "close", incident, "款项已全部到账", by=CHEN)
    assert (closed.status, closed.grade, closed.peak_grade) == (Status.CLOSED, ORANGE, ORANGE)
    assert (closed.acknowledged_at, closed.resolved_at, closed.closed_at) == (
        NOW + 3 * MINUTE,
        NOW + 3 * MINUTE,
        home.now,
    )
    assert kinds(home, incident) == ["opened", "raised", "acknowledged", "status", "status", "resolved", "closed"]
    assert home.look(audit.verify) is None
    actions = home.look(lambda db: db.conn.execute("SELECT action, actor, chat FROM audit ORDER BY seq").fetchall())
    assert actions[0] == ("acknowledged", "lina", "slack") and actions[-1] == ("closed", "chenjing", "wecom")
    left = {timer.kind for timer in home.look(lambda db: timers.due(db, home.now + 365 * DAY))}
    assert left <= {"case_file", "retro_make"}, "no timer is left that would call somebody"


def test_acknowledging_twice_changes_nothing_and_names_who_has_it(home: House) -> None:
    incident = opened(home)
    act(home, "acknowledge", incident)
    with pytest.raises(UserError) as error:
        act(home, "acknowledge", incident, by=CHEN)
    assert render(error.value.text, "en") == "Somebody is on I-1 already: 李娜."
    assert home.incident("I-1").owner == "lina"


def test_an_assigned_owner_stays_owner_when_somebody_else_acknowledges(home: House) -> None:
    incident = opened(home)
    person = home.config.person("zhaolei")
    act(home, "assign", incident, person, "lead")
    assert act(home, "acknowledge", incident).owner == "zhaolei"


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("acknowledge", ()),
        ("set_grade", (RED, "why")),
        ("set_status", ("responding",)),
        ("close", ("x",)),
        ("false_alarm", ("x",)),
        ("mute", (HOUR, "x")),
    ],
)
@pytest.mark.parametrize("ending", ["close", "false_alarm"])
def test_nothing_but_reopening_changes_an_ended_incident(home: House, ending: str, name: str, args: tuple) -> None:
    incident = opened(home)
    act(home, ending, incident, "done")
    assert refused(home, name, incident, *args) == "error.ended"
    assert act(home, "reopen", incident).status is Status.ACKNOWLEDGED


def test_a_resolved_incident_is_not_said_to_be_in_somebodys_hands(home: House) -> None:
    incident = opened(home)
    act(home, "set_status", incident, "resolved")
    assert refused(home, "acknowledge", incident) == "error.ended"
    assert act(home, "reopen", incident).status is Status.ACKNOWLEDGED


@pytest.mark.parametrize(
    ("name", "args", "key"),
    [
        ("set_grade", (RED, "  "), "error.needs_reason"),
        ("false_alarm", ("",), "error.needs_reason"),
        ("mute", (HOUR, ""), "error.needs_reason"),
        ("unmute", (), "error.not_muted"),
        ("reopen", (), "error.not_ended"),
    ],
)
def test_what_cannot_be_done_says_why_and_changes_nothing(home: House, name: str, args: tuple, key: str) -> None:
    assert refused(home, name, opened(home), *args) == key


def test_the_same_status_twice_is_refused(home: House) -> None:
    incident = opened(home)
    act(home, "set_status", incident, "responding")
    assert refused(home, "set_status", incident, "responding") == "error.same_status"


def test_signals_raise_at_once_and_the_peak_is_remembered(home: House) -> None:
    incident = opened(home, BLUE)
    home.judge(RED, incident=incident.id)
    for _ in range(3):
        home.judge(NONE, incident=incident.id)
        pass_minutes(home, 60)
    found = home.incident(incident.id)
    assert (found.grade, found.peak_grade) == (BLUE, RED)
    assert kinds(home, incident) == ["opened", "raised", "lowered"]


def test_calm_for_long_resolves_an_incident_that_nobody_works_on(home: House) -> None:
    incident = opened(home, BLUE)
    home.judge(NONE, incident=incident.id)
    pass_minutes(home, 180)
    home.judge(NONE, incident=incident.id)
    assert home.incident(incident.id).status is Status.RESOLVED
    assert kinds(home, incident) == ["opened", "calm"]


def test_a_persons_grade_stands_until_given_back(home: House) -> None:
    incident = opened(home, YELLOW)
    act(home, "set_grade", incident, BLUE, "lottery")
    home.judge(ORANGE, incident=incident.id)
    home.judge(ORANGE, incident=incident.id)
    found = home.incident(incident.id)
    assert (found.grade, found.manual_grade) == (BLUE, BLUE)
    hints = [item for item in home.outbox(reason="hint")]
    assert len({item.destination for item in hints}) == len(hints) > 0, "said once a place, not every time"
    act(home, "set_grade", incident, None, "")
    home.judge(ORANGE, incident=incident.id)
    assert home.incident(incident.id).grade is ORANGE
    assert kinds(home, incident) == ["opened", "graded", "grade_auto", "raised"]


def test_a_grade_raised_by_hand_is_announced_like_one_raised_by_signals(home: House) -> None:
    incident = opened(home, BLUE)
    home.place("incident:I-1", "slack:C0ALERTS")
    act(home, "set_grade", incident, RED, "记者来电")
    assert {item.chat for item in home.outbox(reason="raised")} >= {"slack", "email", "sms"}
    (said,) = [item for item in home.outbox(thread="incident:I-1") if item.destination == "slack:C0ALERTS"]
    assert "记者来电" in said.text and said.mentions == ("U0LINA",)


@pytest.mark.parametrize(
    ("subject", "measured", "grade"), [("rival", RED, YELLOW), ("rival", BLUE, BLUE), ("xinghe-pay", RED, RED)]
)
def test_a_competitors_crisis_informs_and_wakes_nobody(
    home: House, subject: str, measured: Grade, grade: Grade
) -> None:
    assert opened(home, measured, subject=subject).grade is grade


def test_after_the_end_the_same_story_is_quiet_unless_it_is_worse(home: House) -> None:
    incident = opened(home, YELLOW)
    act(home, "false_alarm", incident, "同名公司")
    pass_minutes(home, 30)
    assert home.judge(YELLOW) is None
    assert home.judge(BLUE) is None
    assert home.judge(YELLOW, family="data", crisis_type="data_leak") is not None
    worse = home.judge(ORANGE)
    assert worse is not None and worse.id == "I-3"


def test_the_afterglow_ends(home: House) -> None:
    act(home, "close", opened(home, YELLOW), "")
    pass_minutes(home, 121)
    assert home.judge(YELLOW) is not None


def test_a_serious_incident_inhibits_small_ones_of_its_subject(home: House) -> None:
    opened(home, ORANGE)
    assert home.judge(BLUE, family="data", crisis_type="data_leak") is None
    assert home.judge(BLUE, subject="rival", family="data") is not None
    assert home.judge(YELLOW, family="data", crisis_type="data_leak") is not None


def test_a_story_that_is_open_is_not_opened_twice(home: House) -> None:
    opened(home, YELLOW)
    assert home.judge(ORANGE) is None, "a verdict measured before the incident existed"


def test_signals_that_arrive_after_a_person_ended_it_change_nothing(home: House) -> None:
    incident = opened(home, YELLOW)
    act(home, "close", incident, "")
    before = home.incident(incident.id)
    assert home.judge(RED, incident=incident.id) is None
    assert home.incident(incident.id) == before


def test_a_general_beginning_takes_the_name_and_family_of_its_cause(home: House) -> None:
    incident = opened(home, BLUE, family="general", crisis_type="complaint_surge", generic=True)
    home.judge(BLUE, incident=incident.id, family="service", crisis_type="outage")
    found = home.incident(incident.id)
    assert (found.family, found.crisis_type) == ("service", "outage")
    home.judge(BLUE, incident=incident.id, family="service", crisis_type="complaint_surge", generic=True)
    assert home.incident(incident.id).crisis_type == "outage", "a cause keeps its name"
    assert kinds(home, incident) == ["opened", "type_changed"]


def test_a_new_family_is_kept_even_if_nothing_else_changed(home: House) -> None:
    incident = opened(home, BLUE, family="general", crisis_type="other")
    home.judge(BLUE, incident=incident.id, family="service", crisis_type="other")
    assert home.incident(incident.id).family == "service"


def test_drills_have_numbers_of_their_own_kind_and_never_touch_the_real_incident(home: House) -> None:
    real, drill = opened(home), opened(home, drill="d1")
    assert (real.id, drill.id, drill.kind) == ("I-1", "D-2", "drill")
    assert {item.destination for item in home.outbox(drill="d1")} == {"slack:C0DRILL", "console:drill"}
    assert not any(item.destination.endswith("DRILL") for item in home.outbox(drill=""))


# -- escalation


@pytest.mark.parametrize("grade", [BLUE, YELLOW, ORANGE, RED])
async def test_nobody_acknowledges_and_the_circle_grows_by_timers(home: House, grade: Grade) -> None:
    incident = opened(home, grade)
    step = DEFAULT_ESCALATION[grade.word] // MINUTE
    called = []
    for _ in range(5):
        pass_minutes(home, step - 1)
        assert await fire(home) == 0
        pass_minutes(home, 1)
        await fire(home)
        entries = home.look(lambda db: store.timeline(db, incident.id, ["escalated"]))
        called.append((len(entries), entries[-1].params["level"], entries[-1].params["people"]))
    assert called == [
        (1, 1, ["李娜", "赵磊"]),
        (2, 2, ["李娜", "赵磊", "陈静"]),
        (3, 3, ["李娜", "赵磊", "陈静"]),
        (3, 3, ["李娜", "赵磊", "陈静"]),
        (3, 3, ["李娜", "赵磊", "陈静"]),
    ]


async def test_an_acknowledgement_stops_the_escalation(home: House) -> None:
    incident = opened(home, RED)
    act(home, "acknowledge", incident)
    pass_minutes(home, 600)
    assert await fire(home) == 0


async def test_escalation_reaches_people_one_to_one_and_by_sms_from_orange_on(home: House) -> None:
    opened(home, ORANGE)
    home.place("incident:I-1", "slack:C0ALERTS")
    pass_minutes(home, 10)
    await fire(home)
    reached = {item.destination for item in home.outbox(reason="escalated") if item.thread == ""}
    assert {"slack:U0LINA", "wecom:lina", "email:lina@corp.example", "sms:13800000000", "slack:U0ZHAO"} <= reached
    (said,) = [item for item in home.outbox(reason="escalated", thread="incident:I-1") if item.chat == "slack"]
    assert said.mentions == ("U0LINA", "U0ZHAO")


async def test_a_yellow_escalation_sends_no_sms_and_a_drill_calls_nobody(home: House) -> None:
    opened(home, YELLOW)
    opened(home, RED, drill="d1")
    pass_minutes(home, 30)
    await fire(home)
    assert not any(item.chat == "sms" and item.reason == "escalated" for item in home.outbox())
    assert {item.destination for item in home.outbox(drill="d1")} <= {"slack:C0DRILL", "console:drill"}


async def test_a_raise_brings_the_escalation_forward_and_never_puts_it_off(home: House) -> None:
    incident = opened(home, YELLOW)
    pass_minutes(home, 25)
    home.judge(ORANGE, incident=incident.id)
    pass_minutes(home, 5)
    assert await fire(home) == 1
    second = opened(home, BLUE, subject="rival")
    home.judge(YELLOW, incident=second.id, subject="rival")
    pass_minutes(home, 30)
    await fire(home)
    assert "escalated" in kinds(home, second)


async def test_configured_times_outrank_the_usual_ones(tmp_path: Path) -> None:
    from factories import CONFIG

    home = house(tmp_path, CONFIG + "grading: {escalate_after: {yellow: 5m}}\n")
    opened(home, YELLOW)
    pass_minutes(home, 5)
    assert await fire(home) == 1
    home.store.close()


# -- muting


async def test_muted_nobody_is_called_and_afterwards_it_goes_on(home: House) -> None:
    incident = opened(home, YELLOW)
    home.place("incident:I-1", "slack:C0ALERTS")
    act(home, "mute", incident, 2 * HOUR, "已知故障")
    home.do(lambda db: db.conn.execute("UPDATE outbox SET state = 'sent' WHERE state = 'waiting'"))
    pass_minutes(home, 30)
    await fire(home)
    home.judge(ORANGE, incident=incident.id)
    texts = [item for item in home.outbox() if not item.object]
    assert texts == [], "no announcement, no call, no mail"
    assert {item.destination for item in home.outbox(object="incident:I-1")} == {"slack:C0ALERTS"}, "the card goes on"
    assert home.incident("I-1").escalation_level == 0
    pass_minutes(home, 91)
    await fire(home)
    (card,) = [item.card for item in home.outbox(object="incident:I-1") if item.destination == "slack:C0ALERTS"]
    assert card is not None and "已知故障" not in card.plain(), "at its end the card says so no longer"
    assert home.incident("I-1").escalation_level == 1, "and still nobody has acknowledged it"


async def test_new_numbers_do_not_take_the_place_of_the_end_of_the_silence(home: House) -> None:
    incident = opened(home, YELLOW)
    act(home, "mute", incident, HOUR, "known")
    home.judge(YELLOW, incident=incident.id, signals=(signal(value=31),))
    pass_minutes(home, 1)
    await fire(home)
    assert home.look(lambda db: timers.waiting_at(db, "silence_ends", "I-1")) == NOW + HOUR


def test_a_muted_incident_does_not_even_hint(home: House) -> None:
    incident = opened(home, YELLOW)
    act(home, "set_grade", incident, BLUE, "x")
    act(home, "mute", incident, HOUR, "known")
    home.judge(RED, incident=incident.id)
    assert home.outbox(reason="hint") == []


def test_unmuting_ends_it_at_once(home: House) -> None:
    incident = opened(home, YELLOW)
    act(home, "mute", incident, HOUR, "known")
    act(home, "unmute", incident)
    home.place("incident:I-1", "slack:C0ALERTS")
    home.judge(ORANGE, incident=incident.id)
    assert home.outbox(reason="raised") != []
    assert refused(home, "unmute", incident) == "error.not_muted"


def test_a_silenced_subject_still_gets_its_incident_but_says_nothing(home: House) -> None:
    def job(db: Database) -> None:
        store.silence(
            db, subject="xinghe-pay", incident="", drill="", now=NOW, ends_at=NOW + HOUR, reason="x", actor=LINA
        )

    home.do(job)
    assert opened(home, ORANGE).id == "I-1"
    assert home.outbox() == []
    assert opened(home, YELLOW, subject="rival") and home.outbox() != []


# -- timeline and card


def test_the_timeline_keeps_when_it_happened_when_it_was_said_by_whom_and_where(home: House) -> None:
    incident = opened(home)
    pass_minutes(home, 10)
    home.do(lambda db: home.incidents.note(db, incident, "法务已到", CHEN, home.now))
    home.do(lambda db: home.incidents.note(db, incident, "客户来电", LINA, home.now, NOW + MINUTE))
    entries = home.look(lambda db: store.timeline(db, incident.id))
    assert [
        (e.kind, e.params.get("text"), e.actor, e.actor_name, e.chat, e.happened_at - NOW) for e in entries[1:]
    ] == [
        ("note", "客户来电", "lina", "李娜", "slack", MINUTE),
        ("note", "法务已到", "chenjing", "陈静", "wecom", 10 * MINUTE),
    ]
    assert entries[1].recorded_at == home.now


def test_a_decision_is_on_the_timeline_and_in_the_audit_trail_in_its_own_words(home: House) -> None:
    incident = opened(home)
    home.do(lambda db: home.incidents.decide(db, incident, "先发状态说明", CHEN, home.now))
    (entry,) = home.look(lambda db: store.timeline(db, incident.id, ["decision"]))
    assert render(words.timeline(entry), "zh-CN") == "陈静 决定：先发状态说明"
    row = home.look(lambda db: db.conn.execute("SELECT action, actor, detail FROM audit").fetchone())
    assert row == ("decision", "chenjing", '{"text":"先发状态说明"}')


def test_every_timeline_entry_can_be_said_in_both_languages(home: House) -> None:
    incident = opened(home, BLUE, family="general", crisis_type="other")
    home.judge(YELLOW, incident=incident.id, family="service", crisis_type="outage")
    act(home, "assign", incident, home.config.person("zhaolei"), "legal")
    act(home, "acknowledge", incident)
    act(home, "set_status", incident, "responding")
    act(home, "set_grade", incident, RED, "x")
    act(home, "set_grade", incident, None, "")
    act(home, "mute", incident, HOUR, "x")
    act(home, "unmute", incident)
    act(home, "set_status", incident, "resolved")
    act(home, "close", incident, "")
    act(home, "reopen", incident)
    act(home, "false_alarm", incident, "x")
    entries = home.look(lambda db: store.timeline(db, incident.id))
    assert len(entries) == 14
    for language in ("zh-CN", "en"):
        said = [render(words.timeline(entry), language) for entry in entries]
        assert all(said) and not any("{" in line for line in said)


def test_giving_the_same_role_twice_is_refused_and_the_person_is_told_one_to_one(home: House) -> None:
    incident = opened(home, ORANGE)
    person = home.config.person("zhaolei")
    act(home, "assign", incident, person, "legal")
    assert "slack:U0ZHAO" in {item.destination for item in home.outbox()}
    assert refused(home, "assign", incident, person, "legal") == "error.has_role"
    assert home.look(lambda db: store.roles(db, "I-1")) == [("legal", "zhaolei")]


def test_blind_sources_are_named_on_live_incidents_and_taken_back(home: House) -> None:
    def health(state: str) -> None:
        def job(db: Database) -> None:
            db.conn.execute(
                "INSERT OR REPLACE INTO source_state (source, health) VALUES ('finance-news', ?), ('unknown', ?)",
                (state, state),
            )
            home.incidents.sources_changed(db, home.now)

        home.do(job)

    opened(home)
    health("failing")
    assert home.incident("I-1").blind_sources == ("finance-news",)
    assert opened(home, subject="rival").blind_sources == ("finance-news",), "a new incident knows it from the start"
    health("measured")
    assert home.incident("I-1").blind_sources == ()
