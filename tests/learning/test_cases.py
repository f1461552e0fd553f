"""What happened becomes a case, is found again in both languages, and helps with the next incident."""

from pathlib import Path

import pytest
from factories import HOUR, MINUTE, House, analysis, house, post, signal
from plans import PLAN

from bot.delivery.alarm import Alarm
from bot.learning.cases import Cases, Wanted
from bot.maintenance.forgetting import forget
from bot.model.card import Card
from bot.model.grade import CrisisType, Grade
from bot.model.incident import SYSTEM
from bot.store import cases as store
from bot.store import posts

PLAYBOOKS = Path(__file__).resolve().parents[2] / "playbooks"
CHEN = {"account": "U0CHEN"}
POSTS = [
    "星河支付提现失败，客服电话打不通",
    "提现一直失败，星河支付钱包余额取不出来",
    "我的提现失败三天了，客服不理人",
    "余额提不出来，提现失败，要去投诉",
]


@pytest.fixture
def home(tmp_path: Path):
    made = house(tmp_path, playbooks=[PLAN])
    yield made
    made.store.close()


def card(home: House, line: str, **fields) -> Card:
    (answer,) = home.say(line, **fields)
    assert answer.card is not None, answer.plain()
    return answer.card


def words(home: House, line: str, **fields) -> str:
    (answer,) = home.say(line, **fields)
    return answer.plain()


async def fire(home: House) -> int:
    handlers = {**home.response.timers(), **home.services.cases.timers(), **home.services.learning.timers()}
    return await Alarm(home.store, home.clock, handlers).fire_due()


def incident(
    home: House,
    texts: list[str] = POSTS,
    drill: str = "",
    kind: CrisisType | None = CrisisType.WITHDRAWAL_FAILURE,
    **fields,
) -> str:
    """An incident that rests on stored posts, each of another author."""
    seqs = home.do(lambda db: stored(db, home, texts, kind, drill=drill))
    grade = fields.pop("grade", Grade.ORANGE)
    found = home.judge(grade, signals=(signal(grade=grade, posts=seqs),), drill=drill, **fields)
    assert found is not None
    return found.id


def stored(db, home: House, texts: list[str], kind, *, drill: str = "", at: int = 0) -> tuple[int, ...]:
    """Analysed posts; returns their sequence numbers."""
    posts.store(db, [post(text, published_at=at or home.now, drill=drill) for text in texts], home.now)
    fresh = posts.unanalysed(db, 100)
    posts.record(db, [(seq, item, analysis(crisis_type=kind), 0) for seq, item in fresh], {}, home.now)
    posts.move_cursor(db, "analysed", posts.cursor(db, "analysed"), fresh[-1][0])
    return tuple(seq for seq, _ in fresh)


async def closed(home: House, **fields) -> str:
    incident_id = incident(home, **fields)
    await home.clock.advance(10 * MINUTE)
    words(home, f"ack {incident_id}")
    words(home, f"start small {incident_id}")
    await home.clock.advance(2 * HOUR)
    words(home, f"resolve {incident_id}")
    words(home, f"close {incident_id} 已全部到账")
    assert await fire(home) >= 1
    return incident_id


async def test_a_closed_incident_becomes_a_case_that_says_only_what_the_record_holds(home: House) -> None:
    await closed(home)
    shown = card(home, "案例 I-1")
    text = shown.plain()
    assert shown.title == "C-1 星河支付 · 提现困难 (2026-01-05)"
    assert "期间有 4 条提及，其中负面 4 条" in text and "10 分钟后有人接手" in text and "2 小时后平息" in text
    assert "小预案（R-1）" in text and "首次发声" not in text
    english = card(home, "case C-1", destination="slack:C0BOSS").plain()
    assert "calm after 2 h" in english and "Small plan (R-1)" in english


async def test_it_keeps_words_that_several_people_used_and_nobodys_sentence(home: House) -> None:
    await closed(home, texts=[*POSTS, "我叫王小明在朝阳路三号排队"])
    row = home.look(lambda db: store.get(db, "C-1"))
    assert "提现" in row.body and "失败" in row.body
    assert "朝阳" not in row.body and not any(text in row.body for text in POSTS)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("案例 提现", True), ("cases 提现 失败", True), ("案例 星河 红色", False), ("案例 提现 橙色", True),
        ("case withdrawal", True), ("案例 余额 90天", True), ("case outage", False), ("案例 withdrawal_failure", True),
        ('case " NEAR( 提现*', False), ("案例 演练", False), ("案例 败失", False),
    ],
)  # fmt: skip
async def test_cases_are_found_by_words_kind_grade_and_time_in_both_languages(
    home: House, line: str, found: bool
) -> None:
    await closed(home)
    assert ("C-1" in words(home, line)) is found


@pytest.mark.parametrize(
    ("asked", "found"), [("断网", "rogers-2022"), ("no signal", "optus-2023"), ("数据泄露", "equifax-2017")]
)
def test_public_cases_are_found_by_the_same_words(home: House, asked: str, found: str) -> None:
    cases = Cases(home.config, PLAYBOOKS, home.response.advice)
    assert found in [case.id for case in home.look(lambda db: cases.search(db, Wanted(asked)))]


async def test_no_alert_waits_while_the_library_is_read_after_a_start(home: House) -> None:
    await closed(home)
    cases = Cases(home.config, PLAYBOOKS, home.response.advice, at_once=False)
    await home.clock.advance(72 * HOUR)
    second = home.incident(incident(home))
    assert home.look(lambda db: cases.similar(db, second, home.now)) == []
    home.look(cases.prepare)
    assert home.look(lambda db: cases.similar(db, second, home.now))[0].case.id == "C-1"


async def test_a_retrospective_is_given_our_own_incidents_that_are_like_it(home: House) -> None:
    await closed(home)
    await home.clock.advance(72 * HOUR)
    second = home.incident(incident(home))
    assert home.look(lambda db: home.services.cases.incidents_like(db, second, home.now)) == ["I-1"]


async def test_lessons_from_chat_stand_in_the_case_and_are_searched(home: House) -> None:
    await closed(home)
    assert "已记入 C-1" in words(home, "教训 I-1 先把排队进度放上首页")
    words(home, "lesson C-1 call the bank first", **CHEN)
    text = card(home, "案例 C-1").plain()
    assert "先把排队进度放上首页（李娜）" in text and "call the bank first" in text
    assert "C-1" in words(home, "案例 排队进度")
    assert "I-99" in words(home, "教训 I-99 没有这起")


async def test_a_case_written_by_hand_needs_a_title_and_a_story(home: House) -> None:
    assert "请写明标题和经过" in words(home, "新增案例 只有标题")
    made = card(home, "案例 新增 月末出款拥堵 | 批量出款排队三小时 | withdrawal_failure | 红 | 先公布排队进度")
    assert made.grade is Grade.RED and "先公布排队进度" in made.plain()
    assert "C-1" in words(home, "案例 拥堵")


async def test_words_that_nothing_recognised_and_words_no_rule_let_in_are_kept_for_the_library(home: House) -> None:
    home.do(
        lambda db: stored(
            db, home, ["今天星河支付真好用", "星河支付今天不错", "今天也用"], None, at=home.now - 24 * HOUR
        )
    )
    told = ["薅羊毛的都被封号了", "今天薅羊毛，账户封号", "别再薅羊毛，要封号", "封号因为薅羊毛？今天才知道"]
    incident_id = incident(home, texts=told, kind=None)
    strays = ["小星钱包薅羊毛，封号", "都说小星钱包封号，羊毛薅不得", "封号的小星钱包，羊毛"]
    home.do(lambda db: posts.store(db, [post(text, published_at=home.now) for text in strays], home.now))
    await home.clock.advance(HOUR)
    words(home, f"close {incident_id} 已处理")
    await fire(home)
    case = home.look(lambda db: home.services.cases.get(db, incident_id))
    assert case.unknown["薅羊毛"] == 4 and case.unknown["封号"] == 4 and "今天" not in case.unknown
    assert case.strays == {"小星钱包": 3}


async def test_the_next_incident_is_shown_what_resembles_it_why_and_what_it_took(home: House) -> None:
    await closed(home)
    words(home, "教训 I-1 先把排队进度放上首页")
    await home.clock.advance(72 * HOUR)
    second = incident(home, texts=["又提现失败了，客服打不通", "余额取不出来，提现失败"])
    shown = card(home, f"相似案例 {second}").plain()
    assert "C-1" in shown and "同为“提现困难”" in shown and "公众用词相同" in shown and "提现" in shown
    assert "2 小时平息" in shown and "(2026-01-05)" in shown and "先把排队进度放上首页" in shown
    on_card = card(home, f"show {second}")
    assert "（C-1）" in on_card.plain() and f"similar {second}" in [item.command for item in on_card.buttons]
    assert len(on_card.buttons) <= 6


async def test_an_incident_of_another_kind_with_other_words_gets_no_line_on_its_card(home: House) -> None:
    await closed(home)
    await home.clock.advance(72 * HOUR)
    other = incident(
        home,
        texts=["创始人在直播里骂人", "老板骂员工上热搜"],
        family="people",
        crisis_type="executive_misconduct",
        kind=CrisisType.EXECUTIVE_MISCONDUCT,
    )
    assert "可参考" not in card(home, f"show {other}").plain()
    assert "没有足够相似的" in words(home, f"similar {other}")


async def test_a_drill_s_case_is_marked_and_stays_apart(home: House) -> None:
    drilled = incident(home, drill="DR-1")
    await home.clock.advance(HOUR)
    words(home, f"resolve {drilled}")
    await fire(home)
    assert "[演练案例]" in words(home, "案例 演练") and "C-1" not in words(home, "案例 提现")
    real = incident(home)
    assert "没有足够相似的" in words(home, f"similar {real}")


async def test_a_reopened_incident_renews_its_one_case(home: House) -> None:
    incident_id = await closed(home)
    words(home, f"reopen {incident_id}")
    await home.clock.advance(5 * HOUR)
    words(home, f"close {incident_id} 这次真的好了")
    await fire(home)
    assert home.look(lambda db: store.edition(db))[0] == 1
    assert "7 小时关闭" in card(home, "案例 C-1").plain()


async def test_incidents_closed_before_there_was_a_library_become_cases(home: House) -> None:
    incident_id = await closed(home)
    home.do(lambda db: [db.conn.execute(f"DELETE FROM {name}") for name in ("crisis_case", "case_words")])
    home.do(lambda db: home.services.cases.begin(db, home.now))
    await fire(home)
    assert "C-1" in words(home, f"案例 {incident_id}")


async def test_forgetting_a_person_takes_their_words_out_of_lessons(home: House) -> None:
    text = "我在柜台等了整整三个钟头也没人理"
    await closed(home, texts=[*POSTS, text])
    words(home, f"教训 I-1 用户原话：{text}")

    def author(db) -> None:
        from bot.intake.minimise import Minimiser, install_key

        key = Minimiser((), install_key(db, None)).author_key("vendor", "u9")
        db.conn.execute("UPDATE post SET author_key = ? WHERE text = ?", (key, text))

    home.do(author)
    home.do(lambda db: forget(db, home.config, "vendor", "u9", SYSTEM, home.now))
    assert "柜台" not in card(home, "案例 C-1").plain()
    assert "没有找到" in words(home, "案例 柜台")


def test_buttons_say_commands_that_exist(home: House) -> None:
    for button in card(home, "案例").buttons:
        assert home.registry.understand(button.command)[0].name in ("case", "case-add")
