"""Who is told what, where, when and in which language."""

from pathlib import Path

import pytest
from factories import CONFIG, HOUR, MINUTE, NOW, House, actor, analysis, config, house, post, signal

from bot.incidents import people, words
from bot.incidents.notices import drill_destinations
from bot.model.card import Facts, Items, Quote
from bot.model.grade import Grade, Sentiment
from bot.model.incident import Incident, Status
from bot.store import posts
from bot.texts import render

NONE, BLUE, YELLOW, ORANGE, RED = Grade
TEAM = {"slack:C0ALERTS", "console:alerts"}
CARD = "incident:I-1"


@pytest.fixture
def home(tmp_path: Path):
    made = house(tmp_path)
    yield made
    made.store.close()


def at_home(folder: Path, **replaced: str) -> House:
    text = CONFIG
    for old, new in replaced.items():
        assert old in ("pr_alerts", "management")
        line = next(line for line in text.splitlines() if line.strip().startswith(old.replace("_", "-") + ":"))
        text = text.replace(line, f"  {old.replace('_', '-')}: {new}")
    return house(folder, text)


def raise_to(home: House, grade: Grade) -> None:
    home.judge(grade, incident="I-1")


def where(home: House, **what: str) -> list[str]:
    return [item.destination for item in home.outbox(**what)]


@pytest.mark.parametrize(
    ("grade", "expected"),
    [(BLUE, TEAM), (YELLOW, TEAM), (ORANGE, TEAM | {"slack:C0BOSS"}), (RED, TEAM | {"slack:C0BOSS"})],
)
def test_each_channel_hears_from_its_own_grade_on(home: House, grade: Grade, expected: set[str]) -> None:
    home.judge(grade)
    assert {item for item in where(home, object=CARD) if not item.startswith("slack:+")} == expected


def test_one_card_stands_in_each_place_and_is_rewritten_there(home: House) -> None:
    home.judge(BLUE)
    home.place(CARD, *TEAM)
    for grade in (YELLOW, ORANGE):
        raise_to(home, grade)
    cards = [item for item in home.outbox(object=CARD) if item.destination in TEAM]
    assert sorted(item.destination for item in cards) == sorted(TEAM), "waiting edits collapse into the newest"
    assert all(item.card is not None and item.card.grade is ORANGE for item in cards)


def test_a_new_card_calls_those_on_duty_and_a_raise_says_so_in_the_thread(home: House) -> None:
    home.judge(YELLOW)
    first = {item.destination: item for item in home.outbox(object=CARD)}
    assert first["slack:C0ALERTS"].mentions == ("U0LINA",) and first["console:alerts"].mentions == ("lina",)
    home.place(CARD, *TEAM)
    raise_to(home, ORANGE)
    said = [item for item in home.outbox(thread=CARD, reason="raised")]
    assert {item.destination for item in said} == TEAM
    assert all("黄色" in item.text and "橙色" in item.text and item.reply == {"broadcast": True} for item in said)


def test_the_channel_decides_the_language(home: House) -> None:
    home.judge(ORANGE)
    cards = {item.destination: item.card for item in home.outbox(object=CARD)}
    assert "提现" in cards["slack:C0ALERTS"].title and "withdrawals failing" in cards["slack:C0BOSS"].title


def test_mail_and_sms_go_out_by_grade_once_for_each_reason(home: House) -> None:
    home.judge(BLUE)
    assert [item for item in where(home) if item.startswith(("email", "sms"))] == []
    raise_to(home, YELLOW)
    assert [item for item in where(home) if item.startswith(("email", "sms"))] == ["email:chen@corp.example"]
    raise_to(home, ORANGE)
    found = [item for item in where(home) if item.startswith(("email", "sms"))]
    assert found == ["email:chen@corp.example", "email:chen@corp.example", "sms:13800000000"]


def test_quiet_hours_hold_back_everything_but_red(tmp_path: Path) -> None:
    home = at_home(
        tmp_path,
        pr_alerts='{slack: C0ALERTS, console: alerts, quiet: ["09:00-12:30"]}',
        management='{slack: C0BOSS, email: [chenjing], sms: [lina], quiet: ["09:00-12:30"]}',
    )
    home.judge(ORANGE)
    rows = home.look(lambda db: db.conn.execute("SELECT destination, not_before FROM outbox").fetchall())
    assert {destination for destination, _ in rows} == {
        "slack:C0ALERTS#quiet",
        "console:alerts#quiet",
        "slack:C0BOSS#quiet",
        "email:chen@corp.example#quiet",
        "sms:13800000000#quiet",
    }
    assert {moment for _, moment in rows} == {NOW + 150 * MINUTE}
    raise_to(home, RED)
    now = home.look(
        lambda db: db.conn.execute(
            "SELECT destination FROM outbox WHERE not_before = ? AND state = 'waiting'", (NOW,)
        ).fetchall()
    )
    assert {row[0] for row in now} >= {"slack:C0ALERTS", "slack:C0BOSS", "email:chen@corp.example", "sms:13800000000"}
    held = home.look(
        lambda db: db.conn.execute(
            "SELECT destination FROM outbox WHERE not_before > ? AND state = 'waiting'", (NOW,)
        ).fetchall()
    )
    assert not any(row[0].startswith(("slack", "console")) for row in held), "the card held back gives way"
    home.store.close()


@pytest.mark.parametrize(
    ("quiet", "clock", "minutes"),
    [
        ("23:00-07:00", "22:59", 0),
        ("23:00-07:00", "23:00", 480),
        ("23:00-07:00", "06:59", 1),
        ("23:00-07:00", "07:00", 0),
        ("12:00-14:00", "13:30", 30),
        ("12:00-14:00", "14:00", 0),
        ("00:00-24:00", "10:00", 840),
    ],
)
def test_quiet_hours_over_midnight_and_by_day(quiet: str, clock: str, minutes: int) -> None:
    channel = config().channels["pr-alerts"].model_copy(update={"quiet": [quiet]})
    hour, minute = (int(part) for part in clock.split(":"))
    midnight = NOW - 10 * HOUR
    now = midnight + hour * HOUR + minute * MINUTE
    assert people.quiet_until(channel, now) == (now + minutes * MINUTE if minutes else 0)


def test_members_get_their_cards_one_to_one_and_whoever_has_no_account_is_left_out(tmp_path: Path) -> None:
    home = at_home(tmp_path, pr_alerts="{slack: C0ALERTS, wecom: [lina, zhaolei]}")
    text = home.config.model_copy(
        update={
            "people": [
                item.model_copy(update={"wecom": ""}) if item.id == "zhaolei" else item for item in home.config.people
            ]
        }
    )
    home.notices._config = text
    home.judge(BLUE)
    assert set(where(home, object=CARD)) == {"slack:C0ALERTS", "wecom:lina"}
    home.store.close()


def test_a_drill_may_reach_its_channel_and_nothing_else() -> None:
    assert drill_destinations(config()) == frozenset({"slack:C0DRILL", "console:drill"})
    assert drill_destinations(config("subjects: []")) == frozenset()


def test_a_drill_without_a_drill_channel_is_said_nowhere(tmp_path: Path) -> None:
    text = "\n".join(line for line in CONFIG.splitlines() if not line.strip().startswith("drill:"))
    home = house(tmp_path, text)
    home.judge(RED, drill="d1")
    assert home.outbox() == []
    home.store.close()


# -- the card


def facts(card) -> dict[str, str]:
    return dict(row for section in card.sections if isinstance(section, Facts) for row in section.rows)


def card_of(home: House, language: str, incident_id: str = "I-1"):
    return home.look(lambda db: home.cards(db, home.incident(incident_id), language, home.now))


def with_posts(home: House, count: int = 5, **fields) -> list[int]:
    def job(db) -> list[int]:
        batch = [post(f"星河支付提现失败 {n}", url=f"https://weibo.com/{n}", **fields) for n in range(count)]
        posts.store(db, batch, NOW)
        rows = posts.unanalysed(db, 100)
        posts.move_cursor(db, "analysed", posts.cursor(db, "analysed"), rows[-1][0])
        posts.record(db, [(seq, item, analysis(influence=seq), seq) for seq, item in rows], {}, NOW)
        return [seq for seq, _ in rows]

    return home.do(job)


@pytest.mark.parametrize(
    ("language", "title", "grade", "reason", "owner"),
    [
        ("zh-CN", "I-1 星河支付 · 提现", "橙色", "60 分钟", ("负责人", "李娜")),
        ("en", "I-1 星河支付 · withdrawals failing", "orange", "30 negative posts in 60 minutes", ("Owner", "李娜")),
    ],
)
def test_the_card_says_what_happened_how_bad_why_and_who(
    home: House, language: str, title: str, grade: str, reason: str, owner: tuple[str, str]
) -> None:
    seqs = with_posts(home)
    home.judge(ORANGE, signals=(signal(posts=tuple(seqs)), signal("platforms_60m", 3, BLUE, detail="weibo,x,news")))
    home.do(lambda db: home.incidents.acknowledge(db, home.incident("I-1"), actor(), home.now))
    card = card_of(home, language)
    assert card.title.startswith(title) and grade in card.grade_label and card.grade is ORANGE
    reasons = next(section for section in card.sections if isinstance(section, Items))
    assert reason in reasons.lines[0] and len(reasons.lines) == 2
    assert facts(card)[owner[0]] == owner[1]
    quotes = [section for section in card.sections if isinstance(section, Quote)]
    assert [quote.url for quote in quotes] == ["https://weibo.com/4", "https://weibo.com/3", "https://weibo.com/2"]
    assert card.drill == "" and card.object == CARD


def test_every_quotation_is_a_stored_post_and_each_story_is_quoted_once(home: House) -> None:
    with_posts(home, 4)
    home.do(lambda db: db.conn.execute("UPDATE mention SET story = 1"))
    home.judge(YELLOW, signals=(signal(posts=(1, 2, 3, 4, 99)),))
    quotes = [section for section in card_of(home, "en").sections if isinstance(section, Quote)]
    assert [quote.text for quote in quotes] == ["星河支付提现失败 3"]


def test_no_owner_is_said_and_many_reasons_are_counted_not_cut_silently(home: House) -> None:
    home.judge(YELLOW, signals=tuple(signal(value=number) for number in range(8)))
    card = card_of(home, "en")
    assert facts(card)["Owner"] == "nobody yet"
    reasons = next(section for section in card.sections if isinstance(section, Items))
    assert len(reasons.lines) == 5 and reasons.more.startswith("3 more") and "why I-1" in reasons.more


def test_blind_spots_mutes_peaks_and_hand_set_grades_stand_on_the_card(home: House) -> None:
    home.judge(RED)
    incident = home.incident("I-1")
    home.do(lambda db: home.incidents.set_grade(db, incident, BLUE, "x", actor(), home.now))
    home.do(lambda db: home.incidents.mute(db, home.incident("I-1"), HOUR, "修复中", actor(), home.now))
    home.do(lambda db: db.conn.execute("UPDATE incident SET blind_sources = '[\"finance-news\"]'"))
    text = card_of(home, "en").plain()
    assert "finance-news" in text and "修复中" in text and "Set by hand: blue" in text and "Peak: red" in text


def test_a_drills_card_is_marked_in_both_languages(home: House) -> None:
    home.judge(RED, drill="d1")
    for language, mark in (("en", "DRILL"), ("zh-CN", "演练")):
        card = card_of(home, language, "D-1")
        assert mark in card.drill and mark in card.plain()


@pytest.mark.parametrize(
    ("status", "first", "has", "has_not"),
    [
        (Status.OPEN, "ack I-1", "mute I-1", "close I-1"),
        (Status.RESPONDING, "note I-1", "resolve I-1", "ack I-1"),
        (Status.RESOLVED, "note I-1", "close I-1", "resolve I-1"),
        (Status.CLOSED, "why I-1", "reopen I-1", "ack I-1"),
    ],
)
def test_the_buttons_fit_the_status_and_say_commands(
    home: House, status: Status, first: str, has: str, has_not: str
) -> None:
    home.judge(YELLOW)
    home.do(lambda db: db.conn.execute("UPDATE incident SET status = ?", (status.value,)))
    commands = [button.command for button in card_of(home, "en").buttons]
    assert commands[0] == first and has in commands and has_not not in commands and len(commands) <= 6
    for command in commands:
        assert home.registry.understand(command)[2] == "I-1"


# -- the pace of rewriting


def refreshed(home: House) -> int:
    return home.incident("I-1").version


def test_new_numbers_rewrite_the_card_no_more_often_than_the_configured_pace(home: House) -> None:
    home.judge(YELLOW)
    start = refreshed(home)
    for second in range(1, 31):
        home.clock.set(NOW + second * 1000)
        home.judge(YELLOW, incident="I-1", signals=(signal(value=30 + second),))
    assert refreshed(home) == start + 3, "every ten seconds, though numbers come every second"


def test_the_last_numbers_of_a_burst_are_shown_by_a_timer(home: House) -> None:
    from bot.delivery import timers

    home.judge(YELLOW)
    home.clock.set(NOW + 1000)
    home.judge(YELLOW, incident="I-1", signals=(signal(value=77),))
    assert home.look(lambda db: timers.waiting_at(db, "refresh", "I-1")) == NOW + 10_000
    home.clock.set(NOW + 10_000)
    home.do(lambda db: home.incidents.refresh(db, "I-1", home.now))
    (card,) = [item.card for item in home.outbox(object=CARD) if item.destination == "slack:C0ALERTS"]
    assert "77" in card.plain()


def test_unchanged_numbers_rewrite_nothing(home: House) -> None:
    home.judge(YELLOW)
    before = home.incident("I-1")
    home.clock.set(NOW + HOUR)
    home.judge(YELLOW, incident="I-1")
    assert home.incident("I-1") == before


# -- people


@pytest.mark.parametrize(
    ("days", "on_duty"),
    [
        (0, ("lina", "zhaolei")),
        (6.9, ("lina", "zhaolei")),
        (7, ("zhaolei", "lina")),
        (14, ("lina", "zhaolei")),
        (-1, ("zhaolei", "lina")),
    ],
)
def test_the_rota_turns_by_shifts(days: float, on_duty: tuple[str, str]) -> None:
    rota = config().rota["pr"]
    now = rota.starts + int(days * 24 * HOUR)
    assert people.on_call(rota, now) == on_duty
    assert now < people.shift_ends(rota, now) <= now + rota.shift


def test_without_a_rota_whoever_has_the_role_is_on_duty() -> None:
    assert [person.id for person in people.duty(config(rota={}), NOW)] == ["lina"]
    assert [person.id for person in people.escalation(config(rota={}), 1, NOW)] == ["chenjing"]


@pytest.mark.parametrize("said", ["lina", "李娜", "@李娜", "<@U0LINA>", "<@U0LINA|lina>", " LINA ", "＠李娜"])
def test_a_person_is_found_by_id_name_or_account(said: str) -> None:
    found = people.find_person(config(), said)
    assert found is not None and found.id == "lina"


@pytest.mark.parametrize("said", ["", " ", "@", "nobody"])
def test_nobody_is_found_by_nothing(said: str) -> None:
    assert people.find_person(config(), said) is None


@pytest.mark.parametrize(
    ("chat", "account", "person"),
    [
        ("slack", "U0LINA", "lina"),
        ("console", "lina", "lina"),
        ("wecom", "U0LINA", ""),
        ("slack", "", ""),
        ("email", "chen@corp.example", "chenjing"),
    ],
)
def test_an_account_belongs_to_one_chat(chat: str, account: str, person: str) -> None:
    assert people.find_actor(config(), chat, account).person == person


# -- words


@pytest.mark.parametrize(
    ("milliseconds", "zh", "en"),
    [
        (-5, "0", "0 s"),
        (59_000, "59", "59 s"),
        (60_000, "1", "1 min"),
        (3_599_000, "59", "59 min"),
        (3_600_000, "1", "1 h"),
        (47 * HOUR, "47", "47 h"),
        (48 * HOUR, "2", "2 d"),
        (24 * HOUR, "1", "1 d"),
        (25 * HOUR, "25", "25 h"),
    ],
)
def test_durations_are_said_in_their_largest_useful_unit(milliseconds: int, zh: str, en: str) -> None:
    assert render(words.duration(milliseconds), "zh-CN").startswith(zh)
    assert render(words.duration(milliseconds), "en").split()[0] == en.split()[0]


def test_every_signal_can_be_said_in_both_languages_with_its_numbers() -> None:
    from bot.warning.assess import DIMENSION

    details = {"type_60m": "outage", "carrier_120m": "kol", "platforms_60m": "weibo,unheard-of"}
    for metric in DIMENSION:
        for baseline in (None, 3.0):
            for language in ("zh-CN", "en"):
                said = render(
                    words.signal(
                        signal(
                            metric,
                            0.42 if "share" in metric else 42,
                            detail=details.get(metric, "d"),
                            baseline=baseline,
                        )
                    ),
                    language,
                )
                assert "{" not in said
                if metric != "carrier_120m":
                    assert "42" in said, (metric, said)


def test_a_positive_post_is_never_quoted_as_a_reason(home: House) -> None:
    def job(db) -> None:
        posts.store(db, [post("星河支付真好")], NOW)
        ((seq, item),) = posts.unanalysed(db, 10)
        posts.record(db, [(seq, item, analysis(Sentiment.POSITIVE), 0)], {}, NOW)

    home.do(job)
    home.judge(YELLOW, signals=(signal(posts=(1,)),))
    assert not any(isinstance(section, Quote) for section in card_of(home, "en").sections)


def test_an_incident_survives_the_store_unchanged(home: House) -> None:
    made = home.judge(ORANGE, signals=(signal(posts=(1, 2), baseline=1.5, detail="x"),))
    assert isinstance(made, Incident)
    assert home.incident("i-1") == made
