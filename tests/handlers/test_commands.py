"""Commands from the line somebody types to what they read, through the dispatcher."""

from pathlib import Path

import pytest
from factories import CONFIG, HOUR, MINUTE, NOW, House, analysis, house, post, signal
from sqlite_utils import Database

from bot.delivery import timers
from bot.model.card import Card
from bot.model.grade import Grade
from bot.model.incident import Status
from bot.store import audit, posts, rules
from bot.store import incidents as store

NONE, BLUE, YELLOW, ORANGE, RED = Grade
BOSS = {"account": "U0CHEN"}
STRANGER = {"account": "U0NOBODY", "account_name": "Eve"}
ENGLISH = {"destination": "slack:C0BOSS"}


@pytest.fixture
def home(tmp_path: Path):
    made = house(tmp_path)
    yield made
    made.store.close()


def said(home: House, line: str, **fields) -> str:
    """The text of the one answer."""
    (answer,) = home.say(line, **fields)
    return answer.plain()


def card(home: House, line: str, **fields) -> Card:
    (answer,) = home.say(line, **fields)
    assert answer.card is not None, answer.text
    return answer.card


def store_posts(home: House, *texts: str, **fields) -> None:
    def job(db: Database) -> None:
        posts.store(db, [post(text, **fields) for text in texts], home.now)
        rows = posts.unanalysed(db, 100)
        posts.move_cursor(db, "analysed", posts.cursor(db, "analysed"), rows[-1][0])
        posts.record(db, [(seq, item, analysis(), 0) for seq, item in rows], {}, home.now)

    home.do(job)


# -- on incidents


def test_a_member_takes_an_incident_in_hand(home: House) -> None:
    home.judge(YELLOW)
    answer = said(home, "确认 I-1")
    assert "李娜" in answer and "I-1" in answer
    assert home.incident("I-1").owner == "lina" and home.incident("I-1").status is Status.ACKNOWLEDGED


def test_in_a_thread_nobody_need_name_the_incident(home: House) -> None:
    home.judge(YELLOW)
    home.judge(YELLOW, subject="rival")
    home.place("incident:I-2", "slack:C0ALERTS")
    assert "I-2" in said(home, "ack", anchor="slack:C0ALERTS/1")
    assert home.incident("I-2").status is Status.ACKNOWLEDGED and home.incident("I-1").status is Status.OPEN
    said(home, "ack I-1", anchor="slack:C0ALERTS/1")
    assert home.incident("I-1").status is Status.ACKNOWLEDGED, "a named one outranks the thread's"


def test_with_one_live_incident_it_is_meant_with_several_one_is_asked(home: House) -> None:
    assert "没有" in said(home, "ack")
    home.judge(YELLOW)
    said(home, "note 客户来电")
    home.judge(YELLOW, subject="rival")
    answer = said(home, "note 客户来电")
    assert "I-1" in answer and "I-2" in answer and "note I-" in answer
    assert len(home.look(lambda db: store.timeline(db, "I-1", ["note"]))) == 1
    assert "I-99" in said(home, "ack I-99")


def test_a_drill_is_never_meant_by_itself(home: House) -> None:
    home.judge(YELLOW)
    home.judge(RED, drill="d1")
    said(home, "ack")
    assert home.incident("I-1").status is Status.ACKNOWLEDGED and home.incident("D-2").status is Status.OPEN


@pytest.mark.parametrize(
    ("line", "fields", "owner", "roles"),
    [
        ("assign I-1 zhaolei", {}, "zhaolei", []),
        ("指派 I-1 赵磊 法务", {}, "", [("legal", "zhaolei")]),
        ("assign I-1 @赵磊 legal", {}, "", [("legal", "zhaolei")]),
        ("交给 I-1 <@U0CHEN>", {}, "chenjing", []),
        ("assign I-1", {"person": "zhaolei", "role": "legal"}, "", [("legal", "zhaolei")]),
    ],
)
def test_assigning_by_words_and_by_form(home: House, line: str, fields: dict, owner: str, roles: list) -> None:
    home.judge(YELLOW)
    said(home, line, fields=fields, origin="form" if fields else "text")
    assert home.incident("I-1").owner == owner
    assert home.look(lambda db: store.roles(db, "I-1")) == roles


@pytest.mark.parametrize(
    ("line", "in_answer"), [("assign I-1", "assign I-1"), ("assign I-1 张三", "李娜"), ("assign I-1 lina chef", "chef")]
)
def test_a_wrong_assignment_says_what_there_is(home: House, line: str, in_answer: str) -> None:
    home.judge(YELLOW)
    assert in_answer in said(home, line)


@pytest.mark.parametrize(
    ("line", "fields", "grade"),
    [
        ("grade I-1 red 记者来电", {}, RED),
        ("改级别 I-1 红色 记者来电", {}, RED),
        ("改级别I-1橙 记者", {}, ORANGE),
        ("grade I-1 严重 记者", {}, ORANGE),
        ("grade I-1", {"grade": "blue", "reason": "lottery"}, BLUE),
        ("grade I-1 red", {}, None),
        ("grade I-1 purple why", {}, None),
        ("grade I-1", {}, None),
    ],
)
def test_grading_takes_a_known_grade_and_a_reason(home: House, line: str, fields: dict, grade: Grade | None) -> None:
    home.judge(YELLOW)
    said(home, line, fields=fields)
    found = home.incident("I-1")
    assert (found.grade, found.manual_grade) == ((grade, grade) if grade else (YELLOW, NONE))


def test_a_grade_is_given_back_to_the_signals(home: House) -> None:
    home.judge(YELLOW)
    said(home, "grade I-1 red x")
    said(home, "改级别 I-1 自动")
    assert home.incident("I-1").manual_grade is NONE


@pytest.mark.parametrize(
    ("line", "fields", "minutes", "reason"),
    [
        ("mute I-1 2h known fault", {}, 120, "known fault"),
        ("静音 I-1 半小时 已知", {}, 30, "已知"),
        ("静音I-1 30 分钟 已知", {}, 30, "已知"),
        ("静音 I-1 已知故障", {}, 60, "已知故障"),
        ("mute I-1", {"duration": "4h", "reason": "repair"}, 240, "repair"),
        ("mute I-1 三天 x", {}, 3 * 1440, "x"),
    ],
)
def test_muting_reads_a_duration_and_a_reason(home: House, line: str, fields: dict, minutes: int, reason: str) -> None:
    home.judge(YELLOW)
    said(home, line, fields=fields)
    found = home.look(lambda db: store.silenced(db, subject="xinghe-pay", incident="I-1", drill="", now=home.now))
    assert found == (NOW + minutes * MINUTE, reason, "李娜")
    said(home, "unmute I-1")
    assert (
        home.look(lambda db: store.silenced(db, subject="xinghe-pay", incident="I-1", drill="", now=home.now)) is None
    )


def test_a_refused_command_leaves_nothing_behind(home: House) -> None:
    home.judge(YELLOW)
    before = home.incident("I-1")
    answer = said(home, "mute I-1 2h")
    assert "mute I-1" in answer
    assert home.incident("I-1") == before
    assert home.look(lambda db: db.conn.execute("SELECT COUNT(*) FROM audit").fetchone()[0]) == 0


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("responding I-1", Status.RESPONDING),
        ("处置中 I-1", Status.RESPONDING),
        ("观察I-1", Status.MONITORING),
        ("resolve I-1", Status.RESOLVED),
        ("关闭 I-1 款项到账", Status.CLOSED),
        ("误报 I-1 同名公司", Status.FALSE_ALARM),
    ],
)
def test_the_lifecycle_can_be_typed(home: House, line: str, status: Status) -> None:
    home.judge(YELLOW)
    assert "I-1" in said(home, line)
    assert home.incident("I-1").status is status
    if not status.live:
        said(home, "reopen I-1")
        assert home.incident("I-1").status is Status.ACKNOWLEDGED


def test_a_note_from_a_shared_message_keeps_when_it_was_said(home: House) -> None:
    home.judge(YELLOW)
    said(home, "note I-1", shared="客户说要上热搜", happened_at=NOW - HOUR, origin="shortcut")
    (entry,) = home.look(lambda db: store.timeline(db, "I-1", ["note"]))
    assert (entry.params["text"], entry.happened_at, entry.recorded_at) == ("客户说要上热搜", NOW - HOUR, NOW)
    assert "note I-1" in said(home, "note I-1")


def test_a_decision_is_repeated_in_the_words_it_was_made_in(home: House) -> None:
    home.judge(YELLOW)
    assert "先发状态说明" in said(home, "决定 I-1 先发状态说明")
    assert home.look(audit.verify) is None


def test_why_shows_every_signal_the_moves_and_the_posts(home: House) -> None:
    store_posts(home, "星河支付提现失败", url="https://weibo.com/1")
    home.judge(BLUE)
    home.judge(
        YELLOW, incident="I-1", signals=(signal(posts=(1,)), signal("platforms_60m", 3, BLUE, detail="x,news,weibo"))
    )
    text = card(home, "why I-1", **ENGLISH).plain()
    for part in ("30 negative posts", "3 platforms", "Raised from blue", "星河支付提现失败"):
        assert part in text


def test_the_timeline_names_the_chat(home: House) -> None:
    home.judge(YELLOW)
    said(home, "ack I-1")
    text = card(home, "timeline I-1", **ENGLISH).plain()
    assert "李娜 is on it (Slack)" in text and "system" not in text


@pytest.mark.parametrize(("line", "hours"), [("chart I-1 12h", 12), ("走势 I-1 半天", 12)])
def test_a_chart_is_drawn_when_it_is_sent(home: House, line: str, hours: int) -> None:
    home.judge(YELLOW)
    (answer,) = home.say(line)
    assert answer.attachment is not None
    assert (answer.attachment.kind, answer.attachment.params["incident"]) == ("chart", "I-1")
    assert answer.attachment.params["hours"] == hours


def test_a_copy_of_a_card_in_an_answer_is_not_the_card_that_is_rewritten(home: House) -> None:
    home.judge(YELLOW)
    (answer,) = home.say("show I-1")
    assert answer.object == "" and answer.card is not None and answer.card.object == ""


# -- who may, where, in which language


@pytest.mark.parametrize(
    "line",
    [
        "ack I-1",
        "assign I-1 lina",
        "grade I-1 red x",
        "mute I-1 1h x",
        "note I-1 x",
        "decide I-1 x",
        "close I-1",
        "add 星河支付 x",
        "rules-apply xinghe-pay v1",
    ],
)
def test_a_stranger_changes_nothing_and_is_told_how_to_become_known(home: House, line: str) -> None:
    home.judge(YELLOW)
    before = home.incident("I-1")
    answer = said(home, line, **STRANGER)
    assert "U0NOBODY" in answer
    assert home.incident("I-1") == before
    assert home.look(lambda db: db.conn.execute("SELECT COUNT(*) FROM post").fetchone()[0]) == 0


@pytest.mark.parametrize(
    "line", ["help", "status", "show I-1", "why I-1", "timeline I-1", "chart I-1", "who", "sources", "rules"]
)
def test_a_stranger_may_look(home: House, line: str) -> None:
    home.judge(YELLOW)
    (answer,) = home.say(line, **STRANGER)
    assert "U0NOBODY" not in answer.plain()
    assert answer.card is not None or answer.attachment is not None


def test_rules_are_edited_by_editors_only(home: House) -> None:
    assert "公关负责人" in said(home, "rules xinghe-pay any+ 跑路")
    assert "公关负责人" in said(home, "rules-apply xinghe-pay v1")
    assert home.look(lambda db: rules.history(db, "xinghe-pay")) == []


def test_a_private_question_gets_a_private_answer_and_a_button_too(home: House) -> None:
    (private,) = home.say("status", private=True)
    (public,) = home.say("status")
    home.judge(YELLOW)
    (button,) = home.say("ack I-1", origin="button")
    (error,) = home.say("nonsense")
    assert [item.audience for item in (private, public, button, error)] == ["U0LINA", "", "U0LINA", "U0LINA"]


def test_the_answer_goes_back_where_it_was_asked_with_the_chats_own_reply_context(home: House) -> None:
    (answer,) = home.say("status", destination="slack:C0ALERTS#reply-1", reply={"response_url": "https://x"})
    assert (answer.destination, answer.reply) == ("slack:C0ALERTS#reply-1", {"response_url": "https://x"})


@pytest.mark.parametrize(
    ("fields", "language"),
    [
        ({"destination": "slack:C0ALERTS"}, "zh-CN"),
        ({"destination": "slack:C0BOSS"}, "en"),
        ({"destination": "slack:C0BOSS#reply-1"}, "en"),
        ({"destination": "slack:D1", "account": "U0CHEN"}, "en"),
        ({"destination": "slack:D1", "account": "U0LINA"}, "zh-CN"),
        ({"destination": "slack:C0ALERTS", "account": "U0CHEN"}, "zh-CN"),
    ],
)
def test_the_channel_decides_the_language_and_in_private_the_person(home: House, fields: dict, language: str) -> None:
    (answer,) = home.say("status", **fields)
    assert answer.language == language
    assert (card_title := answer.card.title if answer.card else "") and ("Overview" in card_title) is (language == "en")


def test_what_nobody_understands_names_the_nearest(home: House) -> None:
    assert "ack" in said(home, "akc I-1") and "help" in said(home, "xyzzy", **ENGLISH)


def test_an_event_that_cannot_be_handled_is_answered_with_its_number(home: House) -> None:
    from factories import event

    home.do(lambda db: home.dispatcher.give_up(db, 77, event("ack I-1"), home.now))
    (answer,) = home.outbox(reason="answer")
    assert "77" in answer.text and answer.audience == "U0LINA"


# -- help, status, who


@pytest.mark.parametrize("fields", [{}, ENGLISH])
def test_help_lists_every_visible_command_and_explains_each(home: House, fields: dict) -> None:
    text = card(home, "help", **fields).plain()
    for name, command in home.registry.commands.items():
        if command.hidden:
            continue
        shown = name if fields else next(word for word in command.synonyms if not word.isascii())
        assert shown in text
        explained = card(home, f"help {name}", **fields).plain()
        assert name in explained and all(word in explained for word in command.synonyms)
    assert "ack" in said(home, "help akc")


def test_status_shows_the_worst_first_with_owner_and_age(home: House) -> None:
    assert "没有" in card(home, "status").plain()
    home.judge(BLUE, subject="rival")
    home.judge(ORANGE)
    said(home, "ack I-2")
    home.clock.set(NOW + 2 * HOUR)
    overview = card(home, "status", **ENGLISH)
    lines = overview.plain().splitlines()
    first = next(line for line in lines if "I-2" in line)
    assert "orange" in first and "李娜" in first and "2 h" in first
    assert lines.index(first) < lines.index(next(line for line in lines if "I-1" in line))
    assert overview.grade is ORANGE and [button.command for button in overview.buttons] == ["show I-2", "show I-1"]
    assert "I-2" in card(home, "我的").plain() and "I-1" not in card(home, "我的").plain()


def test_who_is_on_duty_next_and_how_busy(home: House) -> None:
    home.judge(YELLOW)
    said(home, "ack I-1")
    text = card(home, "值班", **ENGLISH).plain()
    assert "李娜 now, 赵磊 as backup" in text and "李娜 (PR) · 1 in hand" in text and "01-12 09:00" in text


# -- sources and posts


def test_a_found_post_is_stored_once_with_its_platform_and_subject(home: House) -> None:
    answer = said(home, "add https://weibo.com/123/abc，星河支付提现失败", **ENGLISH)
    assert "Weibo" in answer and "星河支付" in answer
    again = said(home, "补录 https://weibo.com/123/abc 星河支付又一条", **ENGLISH)
    assert "already" in again
    row = home.look(lambda db: db.conn.execute("SELECT url, text, platform, source FROM post").fetchall())
    assert row == [("https://weibo.com/123/abc", "星河支付提现失败", "weibo", "manual")]


def test_a_found_post_that_matches_nothing_says_so(home: House) -> None:
    assert "no watched subject" in said(home, "add 远方天气不错", **ENGLISH)


def test_a_shared_message_is_added_with_its_time_and_link(home: House) -> None:
    said(
        home,
        "add",
        shared="星河支付提现失败，大家小心",
        shared_url="https://x.com/1",
        happened_at=NOW - HOUR,
        origin="shortcut",
    )
    row = home.look(lambda db: db.conn.execute("SELECT url, text, platform, published_at FROM post").fetchone())
    assert row == ("https://x.com/1", "星河支付提现失败，大家小心", "x", NOW - HOUR)


def test_a_post_added_to_an_incident_stands_on_its_timeline(home: House) -> None:
    home.judge(YELLOW)
    said(home, "add I-1 星河支付提现失败")
    (entry,) = home.look(lambda db: store.timeline(db, "I-1", ["post_added"]))
    assert entry.params["text"] == "星河支付提现失败"


def test_a_bare_link_is_fetched_by_an_errand(home: House) -> None:
    said(home, "add https://news.example/a")
    (timer,) = home.look(lambda db: timers.due(db, home.now))
    assert (timer.kind, timer.payload["url"], timer.payload["platform"]) == (
        "article",
        "https://news.example/a",
        "news",
    )
    assert "add https" in said(home, "add")


@pytest.mark.parametrize(
    ("url", "platform"),
    [
        ("https://m.weibo.cn/1", "weibo"),
        ("https://mp.weixin.qq.com/s/1", "wechat"),
        ("https://x.com/1", "x"),
        ("https://www.netflix.com/1", "news"),
        ("https://notweibo.example/1", "news"),
        ("https://twitter.com:443/1", "x"),
        ("https://zhuanlan.zhihu.com/p/1", "zhihu"),
        ("https://[broken/1", "manual"),
    ],
)
def test_the_platform_is_told_from_the_host(home: House, url: str, platform: str) -> None:
    said(home, f"add {url} 星河支付")
    found = home.look(lambda db: db.conn.execute("SELECT platform FROM post").fetchone())
    assert found == (platform,)


def test_sources_shows_what_is_measured_failing_and_missing_in_words(home: House) -> None:
    error = '{"key": "sources.timeout", "params": {"url": "https://news.example/rss", "seconds": 20}}'
    home.do(
        lambda db: db.conn.execute(
            "INSERT INTO source_state (source, health, last_error, posts) VALUES ('finance-news', 'failing', ?, 3)",
            (error,),
        )
    )
    text = card(home, "信源", **ENGLISH).plain()
    assert "did not answer within 20 seconds" in text and "vendor" in text and '"key"' not in text


# -- keyword rules


def test_a_rule_is_tried_put_in_force_and_taken_back(home: House) -> None:
    store_posts(home, "星河支付很好", "星河卡丢了", "别的")
    trial = card(home, "rules xinghe-pay any+ 星河卡", **BOSS, **ENGLISH)
    assert "1 → 2 posts" in trial.plain() and "Not in force yet" in trial.plain()
    assert home.watch.subject("xinghe-pay").rule.any == ("星河支付", "星河钱包"), "a trial changes nothing"
    (button,) = trial.buttons
    assert button.command == "rules-apply xinghe-pay v1"
    assert "1" in said(home, button.command, **BOSS)
    assert home.watch.subject("xinghe-pay").rule.any == ("星河支付", "星河钱包", "星河卡")
    assert home.watch.version == 1
    card(home, "规则 星河支付 none+ 招聘，卡", **BOSS)
    said(home, "规则生效 星河支付 v2", **BOSS)
    assert home.watch.subject("xinghe-pay").rule.none == ("招聘", "卡")
    history = card(home, "rules xinghe-pay history", **ENGLISH).plain()
    assert "version 2 · in force" in history and "version 1 · replaced" in history
    said(home, "rules xinghe-pay revert", **BOSS)
    assert home.watch.subject("xinghe-pay").rule.any == ("星河支付", "星河钱包")
    actions = home.look(lambda db: [row[0] for row in db.conn.execute("SELECT action FROM audit ORDER BY seq")])
    assert actions == ["rule_applied", "rule_applied", "rule_reverted"]


def test_rules_in_force_survive_a_restart(home: House) -> None:
    from bot.intake.watch import Watch

    card(home, "rules xinghe-pay any+ 星河卡", **BOSS)
    said(home, "rules-apply xinghe-pay v1", **BOSS)
    again = Watch(home.config)
    home.look(again.load)
    assert again.subject("xinghe-pay").rule.any[-1] == "星河卡"


@pytest.mark.parametrize(
    ("line", "in_answer"),
    [
        ("rules nobody", "xinghe-pay"),
        ("rules xinghe-pay any", "any+"),
        ("rules xinghe-pay any- 没有的", "没有的"),
        ("rules xinghe-pay regex+ (((", "cannot be used"),
        ("rules-apply xinghe-pay v9", "v9"),
        ("rules-apply xinghe-pay", "—"),
        ("rules rival any- 远山支付", "empty"),
    ],
)
def test_a_bad_edit_says_what_is_wrong(home: House, line: str, in_answer: str) -> None:
    assert in_answer in said(home, line, **BOSS, **ENGLISH)
    assert home.look(lambda db: rules.live(db)) == {}


def test_the_list_and_one_rule_show_what_they_matched_in_a_day(home: House) -> None:
    store_posts(home, "星河支付很好", "星河钱包也好", platform="x")
    listed = card(home, "规则", **ENGLISH).plain()
    assert "星河支付, 星河钱包" in listed and "rival" in listed
    one = card(home, "rules 星河支付", **ENGLISH).plain()
    assert "2 posts matched" in one and "X 2" in one and "星河钱包也好" in one


def test_a_subject_whose_name_has_spaces_is_found_by_it(tmp_path: Path) -> None:
    home = house(tmp_path, CONFIG.replace("name: 星河支付,", "name: Xinghe Pay,"))
    assert "Xinghe Pay" in card(home, "rules xinghe pay").title
    trial = card(home, "rules Xinghe Pay any+ 星河卡", **BOSS)
    assert "星河卡" in trial.plain()
    home.store.close()


def test_answers_are_queued_in_the_transaction_of_the_effect(home: House) -> None:
    home.judge(YELLOW)

    def job(db: Database) -> None:
        from factories import event

        home.dispatcher.handle(db, 5, event("ack I-1"), NOW, NOW)
        raise RuntimeError("crash before the commit")

    with pytest.raises(RuntimeError):
        home.do(job)
    assert home.incident("I-1").status is Status.OPEN and home.outbox(reason="answer") == []


def test_handling_the_same_row_again_answers_once(home: House) -> None:
    from factories import event

    for _ in range(2):
        home.do(lambda db: home.dispatcher.handle(db, 5, event("status"), NOW, NOW))
    assert len(home.outbox(reason="answer")) == 1
