"""A statement drafted, edited, sent round, agreed to and refused from chat."""

import asyncio
import re
from pathlib import Path

import pytest
from factories import CONFIG, MINUTE, House, actor, house
from plans import PLAN

from bot.delivery.alarm import Alarm
from bot.model.card import Whole
from bot.model.grade import Grade
from bot.model.statement import Statement, StatementStatus, Version
from bot.response.run_state import StepStatus
from bot.statements import totp
from bot.statements.cards import StatementCards
from bot.statements.wording import change_lines
from bot.store import audit
from bot.store import statements as store
from handlers.statement_forms import statement_form

AT_ONCE = PLAN.replace("    after: [ask]\n    audience: public", "    audience: public")
NONE, BLUE, YELLOW, ORANGE, RED = Grade
LINA, ZHAO, CHEN = {"account": "U0LINA"}, {"account": "U0ZHAO"}, {"account": "U0CHEN"}
SUN = {"account": "U0SUN"}
TEAM = CONFIG.replace(
    "rota:",
    """  - {id: sunjie, name: 孙洁, roles: [legal], slack: U0SUN}
  - {id: linhai, name: 林海, roles: [executive], slack: U0LIN, deputy: sunjie}
statements: {values: {hotline: "95000"}, hotlines: ["95000"]}
rota:""",
)
BODY = """星河支付今天晚间部分用户提现延迟到账，我们向每一位受影响的用户致歉。
技术人员正在逐笔处理。您不需要重复提交，请留意应用内的通知；有疑问请拨打 95000。
我们会在11月28日22:00前公布下一次进展。"""


@pytest.fixture
def home(tmp_path: Path):
    made = house(tmp_path, TEAM, playbooks=[AT_ONCE])
    made.judge(YELLOW)
    yield made
    made.store.close()


def said(home: House, line: str, **fields) -> str:
    (answer,) = home.say(line, **fields)
    return answer.plain()


def the(home: House, name: str = "S-1") -> Statement:
    found = home.look(lambda db: store.get(db, name))
    assert found is not None
    return found


def text_of(home: House, name: str = "S-1") -> Version:
    found = home.look(lambda db: store.version(db, the(home, name)))
    assert found is not None
    return found


def digest(home: House, name: str = "S-1", length: int = 4) -> str:
    return text_of(home, name).digest[:length]


def written(home: House, grade: Grade = YELLOW) -> None:
    """A clean text by Li Na, sent round."""
    said(home, "起草 I-1 公众")
    said(home, f"改稿 S-1 关于提现延迟的说明\n{BODY}")
    if grade > YELLOW:
        said(home, f"grade I-1 {grade.word} 多家银行", **CHEN)
    assert "已送审" in said(home, "送审 S-1")


async def fire(home: House) -> int:
    return await Alarm(home.store, home.clock, home.services.statements.timers()).fire_due()


def test_a_step_of_a_playbook_puts_a_reviewed_draft_into_the_thread_at_once(home: House) -> None:
    said(home, "start small")
    (message,) = home.outbox(object="statement:S-1", destination="slack:C0ALERTS")
    assert message.thread == "incident:I-1" and message.card is not None
    assert "机器审稿" in message.card.plain() and "草稿" in message.card.plain()
    assert the(home).step == "say" and text_of(home).author == "", "the machine's text is nobody's own"


def test_a_gap_is_shown_and_stops_the_asking_until_its_fact_is_confirmed(home: House) -> None:
    said(home, "start small")
    assert "待核实" in text_of(home).body
    assert "必须解决" in said(home, "送审 S-1")
    said(home, "facts I-1 what = 支付通道故障")
    assert "尚未核实" in text_of(home).body, "a fact that nobody vouches for is shown as that, not told"
    assert "必须解决" in said(home, "送审 S-1")


def test_everybody_needed_approves_exactly_this_text(home: House) -> None:
    written(home)
    assert the(home).status is StatementStatus.ASKED
    answer = said(home, f"同意 S-1 {digest(home)}", **CHEN)
    assert "approved by all" in answer or "全部批准" in answer
    assert the(home).status is StatementStatus.APPROVED
    (vote,) = home.look(lambda db: store.events(db, "S-1", "voted"))
    assert vote.actor == "chenjing" and vote.digest == text_of(home).digest and vote.chat == "slack"
    assert home.look(audit.verify) is None


def test_an_orange_public_text_takes_legal_and_the_head_of_pr_in_any_order(home: House) -> None:
    written(home, ORANGE)
    assert "还差" in said(home, f"同意 S-1 {digest(home)}", **ZHAO)
    assert "already" in said(home, f"approve S-1 {digest(home)}", **ZHAO) or "已经同意" in said(
        home, f"approve S-1 {digest(home)}", **ZHAO
    )
    assert the(home).status is StatementStatus.ASKED, "one person is one vote, however often"
    said(home, f"approve S-1 {digest(home)}", **CHEN)
    assert the(home).status is StatementStatus.APPROVED


def test_any_edit_makes_a_new_digest_voids_the_votes_and_tells_the_voters(home: House) -> None:
    written(home, ORANGE)
    old = digest(home, length=8)
    said(home, f"同意 S-1 {old}", **ZHAO)
    said(home, "改稿 S-1 22:00 => 23:00")
    assert the(home).status is StatementStatus.DRAFT and digest(home, length=8) != old
    told = [row.text for row in home.outbox(destination="slack:U0ZHAO") if "作废" in row.text]
    assert len(told) == 1 and digest(home, length=8) in told[0]
    assert "没有在审批" in said(home, f"同意 S-1 {old}", **ZHAO)
    said(home, "送审 S-1")
    assert "不是现在这份文字" in said(home, f"同意 S-1 {old}", **ZHAO)
    assert the(home).status is StatementStatus.ASKED


def test_taking_an_edit_back_is_a_new_text_all_the_same(home: House) -> None:
    written(home)
    first = text_of(home)
    said(home, f"同意 S-1 {digest(home)}", **CHEN)
    said(home, "改稿 S-1 22:00 => 23:00")
    said(home, "采用 S-1 v2")
    again = text_of(home)
    assert (again.title, again.body) == (first.title, first.body) and again.digest != first.digest
    assert the(home).status is StatementStatus.DRAFT


def test_nobody_approves_a_text_they_wrote_not_even_with_every_role(home: House) -> None:
    said(home, "起草 I-1 公众")
    said(home, f"改稿 S-1 说明\n{BODY}", **CHEN)
    said(home, "送审 S-1")
    answer = said(home, f"approve S-1 {digest(home)}", **CHEN)
    assert the(home).status is not StatementStatus.APPROVED, answer


def test_where_nobody_is_left_to_agree_the_asking_says_so(home: House) -> None:
    said(home, "起草 I-1 公众")
    said(home, f"改稿 S-1 说明\n{BODY}", **CHEN)
    assert "没有人能以这些角色审批" in said(home, "送审 S-1")


def test_no_approval_without_naming_the_text(home: House) -> None:
    written(home)
    answer = said(home, "同意 S-1", **CHEN)
    assert the(home).status is StatementStatus.ASKED
    assert digest(home) in answer and BODY.splitlines()[0] in answer, "the text is shown with the line that names it"


def test_a_digest_that_looks_like_an_incidents_number_is_still_a_digest(home: House) -> None:
    written(home)
    answer = said(home, "同意 S-1 d123", **CHEN)
    assert "d123" in answer and the(home).status is StatementStatus.ASKED


def test_a_refusal_needs_a_reason_and_reaches_the_author(home: House) -> None:
    written(home)
    assert "原因" in said(home, f"驳回 S-1 {digest(home)}", **CHEN) or "why" in said(
        home, f"reject S-1 {digest(home)}", **CHEN
    )
    said(home, f"驳回 S-1 {digest(home)} 到账时间没有核实", **CHEN)
    assert the(home).status is StatementStatus.DRAFT
    thread = [row.text for row in home.outbox(destination="slack:C0ALERTS") if "到账时间没有核实" in row.text]
    assert thread and "U0LINA" in home.outbox(destination="slack:C0ALERTS", text=thread[0])[0].mentions


def test_two_editors_at_once_lose_nothing(home: House) -> None:
    said(home, "起草 I-1 公众")
    said(home, f"改稿 S-1 说明\n{BODY}")
    form = home.look(lambda db: statement_form(db, "statement-edit", "edit S-1 v2", "zh-CN"))
    assert form is not None and form.command == "edit S-1 v2"
    said(home, "改稿 S-1 22:00 => 23:00", **CHEN)
    answer = said(home, form.command, fields={"title": "说明", "body": BODY + "\n（法务补充一句）"}, **ZHAO)
    assert "没有丢" in answer and "v4" in answer
    assert text_of(home).number == 3 and "23:00" in text_of(home).body
    assert "法务补充" in said(home, "对比 S-1 v3 v4")
    said(home, "采用 S-1 v4", **ZHAO)
    assert text_of(home).number == 5 and "法务补充" in text_of(home).body


def test_a_long_text_is_edited_in_several_inputs_and_comes_back_whole(home: House) -> None:
    said(home, "起草 I-1 公众")
    long = "\n\n".join(f"第{number}段。" + "我们会公布进展。" * 60 for number in range(12))
    said(home, f"改稿 S-1 说明\n{long}")
    form = home.look(lambda db: statement_form(db, "statement-edit", "edit S-1", "zh-CN"))
    assert form is not None
    fields = {field.name: field.initial.strip() for field in form.fields}
    assert len(fields) > 2 and all(len(value) <= 3000 for value in fields.values())
    assert "没有变化" in said(home, form.command, fields=fields)


def test_a_replacement_must_mean_one_place(home: House) -> None:
    said(home, "起草 I-1 公众")
    said(home, f"改稿 S-1 说明\n{BODY}")
    assert "没有“明天”" in said(home, "改稿 S-1 明天 => 后天")
    assert "出现了" in said(home, "改稿 S-1 用户 => 客户")
    assert text_of(home).number == 2


def test_the_asking_lapses_after_it_was_asked_again_and_votes_lapse_with_it(home: House) -> None:
    async def run() -> None:
        written(home, ORANGE)
        said(home, f"同意 S-1 {digest(home)}", **ZHAO)
        await home.clock.advance(81 * MINUTE)
        await fire(home)
        reminded = [row for row in home.outbox(destination="slack:U0CHEN") if "lapses in" in row.text]
        assert len(reminded) == 1
        assert not [row for row in home.outbox(destination="slack:U0ZHAO") if "就过期" in row.text], "he has voted"
        await home.clock.advance(40 * MINUTE)
        await fire(home)
        assert the(home).status is StatementStatus.DRAFT
        assert [row for row in home.outbox(destination="slack:C0ALERTS") if "已过期" in row.text]

    asyncio.run(run())


def test_a_deputy_is_asked_when_time_passes_and_counts_as_whom_they_stand_for(home: House) -> None:
    async def run() -> None:
        written(home, RED)
        for person in (ZHAO, CHEN):
            said(home, f"同意 S-1 {digest(home)}", **person)
        assert "投过了" in said(home, f"同意 S-1 {digest(home)}", **SUN) or the(home).status is StatementStatus.ASKED
        await home.clock.advance(16 * MINUTE)
        await fire(home)
        assert [row for row in home.outbox(destination="slack:C0ALERTS") if "代理人：孙洁" in row.text]
        said(home, f"同意 S-1 {digest(home)}", **SUN)

    asyncio.run(run())
    assert the(home).status is StatementStatus.APPROVED
    assert home.look(lambda db: store.events(db, "S-1", "voted"))[-1].detail["stands_for"] == "linhai"


def test_a_vote_may_be_delegated_but_never_to_the_author(home: House) -> None:
    written(home)
    said(home, "委托 S-1 赵磊", **CHEN)
    assert [row for row in home.outbox(destination="slack:U0ZHAO") if row.card], "the delegate gets the card"
    said(home, f"同意 S-1 {digest(home)}", **ZHAO)
    assert the(home).status is StatementStatus.APPROVED
    (vote,) = home.look(lambda db: store.events(db, "S-1", "voted"))
    assert vote.actor == "zhaolei" and vote.detail["stands_for"] == "chenjing"


def test_delegating_to_the_author_gives_them_no_vote(home: House) -> None:
    written(home)
    said(home, "委托 S-1 李娜", **CHEN)
    assert "参与撰写" in said(home, f"同意 S-1 {digest(home)}")
    assert the(home).status is StatementStatus.ASKED


def test_a_block_is_let_pass_only_by_a_role_with_a_reason_and_for_this_text(home: House) -> None:
    said(home, "起草 I-1 公众")
    said(home, f"改稿 S-1 说明\n{BODY}共有 2300 位用户受影响。")
    found = home.look(lambda db: store.findings(db, "S-1", 2))
    number = next(index for index, item in enumerate(found, 1) if item.severity.value == "block")
    assert "必须解决" in said(home, "送审 S-1")
    assert "角色" in said(home, f"放行 S-1 F{number} 数字已由财务口头确认")
    assert "为什么" in said(home, f"放行 S-1 F{number}", **ZHAO)
    said(home, f"放行 S-1 F{number} 数字已由财务口头确认", **ZHAO)
    assert "已送审" in said(home, "送审 S-1")
    (kept,) = home.look(lambda db: store.overrides(db, "S-1"))
    assert kept.actor == "zhaolei" and "财务" in kept.detail["reason"]
    said(home, "改稿 S-1 2300 => 2400")
    assert "必须解决" in said(home, "送审 S-1"), "another text, another decision"


def test_the_card_shows_the_whole_text_its_digest_and_who_decides(home: House) -> None:
    written(home, ORANGE)
    card = home.outbox(object="statement:S-1", destination="slack:U0ZHAO")[-1].card
    assert card is not None
    whole = next(section for section in card.sections if isinstance(section, Whole))
    assert whole.text == text_of(home).text and text_of(home).digest in whole.instead
    assert text_of(home).digest in card.footer and "赵磊" in card.plain() and "陈静" in card.plain()
    commands = [button.command for button in card.buttons]
    assert commands[0] == f"approve S-1 {digest(home, length=8)}" and commands[1].startswith("reject S-1 ")


def test_the_grade_rising_asks_more_people_and_takes_an_approval_back(home: House) -> None:
    written(home)
    said(home, f"同意 S-1 {digest(home)}", **CHEN)
    assert the(home).status is StatementStatus.APPROVED
    said(home, "grade I-1 red 监管介入", **CHEN)
    assert the(home).status is StatementStatus.ASKED
    assert home.outbox(object="statement:S-1", destination="slack:U0LIN"), "the executive is asked now"


def test_a_statements_step_is_not_done_by_saying_so(home: House) -> None:
    said(home, "start small")
    assert "S-1" in said(home, "done 8")
    step = home.look(lambda db: home.services.runs.get(db, "R-1")).step("say")
    assert step.status is StepStatus.OPEN


def test_remarks_and_versions_stand_in_the_record(home: House) -> None:
    written(home)
    said(home, "批注 S-1 第二段的时间要核实", **ZHAO)
    kinds = [item.kind for item in home.look(lambda db: store.events(db, "S-1"))]
    assert kinds == ["drafted", "edited", "asked", "commented"]
    assert [row for row in home.outbox(destination="slack:C0ALERTS") if "第二段的时间要核实" in row.text]


def test_hostile_words_in_a_statement_reach_no_chat_as_markup(home: House) -> None:
    said(home, "起草 I-1 公众")
    answer = said(home, f"改稿 S-1 <!channel> {{hotline}}\n{BODY}\n<@U0CHEN> `rm -rf` {{{{7*7}}}} \u202e", **ZHAO)
    assert re.search(r"第 2 版", answer)
    assert "{{7*7}}" in text_of(home).body, "kept as it was written; what is wrong with it the review says"


def test_a_draft_in_a_drill_writes_to_nobody_outside_the_drill(tmp_path: Path) -> None:
    made = house(tmp_path, TEAM, playbooks=[PLAN])
    made.judge(ORANGE, drill="D-1")
    made.say("draft D-1 public", destination="slack:C0DRILL")
    made.say(f"edit S-1 说明\n{BODY}", destination="slack:C0DRILL")
    made.say("submit S-1", destination="slack:C0DRILL")
    outside = [
        row
        for row in made.outbox()
        if row.object == "statement:S-1" and row.destination not in ("slack:C0DRILL", "console:drill")
    ]
    assert outside == [] and the(made).drill
    made.store.close()


def test_every_button_of_every_status_says_a_command_and_opens_a_form_that_there_is(home: House) -> None:
    written(home)
    cards = StatementCards(home.config)
    pressed = set()
    for status in StatementStatus:
        home.do(lambda db, status=status: db.conn.execute("UPDATE statement SET status = ?", (status.value,)))
        for button in home.look(lambda db: cards(db, the(home), "en", home.now)).buttons:
            command, _, _ = home.registry.understand(button.command)
            pressed.add(command.name)
            assert command.group == "statement", button.command
            if button.form:
                form = home.look(lambda db, b=button: statement_form(db, b.form, b.command, "en"))
                assert form is not None and home.registry.understand(form.command)[0].name == command.name
    assert pressed >= {"submit", "edit", "comment", "approve", "reject", "publish", "retract", "correct", "recall"}


def test_the_cards_of_every_status_can_be_read_in_both_languages(home: House) -> None:
    written(home)
    cards = StatementCards(home.config)
    for status in StatementStatus:
        home.do(lambda db, status=status: db.conn.execute("UPDATE statement SET status = ?", (status.value,)))
        for language in ("zh-CN", "en"):
            assert home.look(lambda db, language=language: cards(db, the(home), language, home.now)).plain()


def test_others_see_who_has_the_text_open_until_it_is_sent(home: House) -> None:
    said(home, "起草 I-1 公众")
    zhao = home.services.statements
    someone = actor("zhaolei", "赵磊", "slack", frozenset({"legal"}))
    home.do(lambda db: zhao.begin_editing(db, "edit S-1 v1", someone, home.now))
    card = home.outbox(object="statement:S-1", destination="slack:C0ALERTS")[-1].card
    assert card is not None and "正在编辑" in card.plain() and "赵磊" in card.plain()
    said(home, f"改稿 S-1 说明\n{BODY}", **ZHAO)
    card = home.outbox(object="statement:S-1", destination="slack:C0ALERTS")[-1].card
    assert card is not None and "正在编辑" not in card.plain()


def test_whether_we_may_say_it_is_answered_from_what_is_approved_word_for_word(home: House) -> None:
    assert "还没有批准过" in said(home, "能不能说 今晚能到账吗")
    written(home)
    assert "还没有批准过" in said(home, "能不能说 需要重复提交吗"), "a text that is being voted on is no answer"
    said(home, f"同意 S-1 {digest(home)}", **CHEN)
    answer = said(home, "能不能说 用户不需要重复提交")
    assert "您不需要重复提交" in answer and "S-1" in answer and "尚未发布" in answer
    assert "还没有批准过" in said(home, "能不能说 我们会赔偿利息吗")


def test_what_changed_is_shown_in_phrases_not_in_letters(home: House) -> None:
    lines, more = change_lines("您的提现申请已被记录，无需重复提交。", "您的申请已经记录，不需要重复提交。")
    assert (len(lines), more) == (1, 0) and "⟦-" in lines[0] and "⟦+" in lines[0]


def test_putting_in_confirmed_facts_makes_nobody_an_author(home: House) -> None:
    said(home, "start small")
    for line in ("facts I-1 what = 支付通道故障", "facts I-1 affected = 2300"):
        said(home, line)
    for line in ("facts I-1 confirm what", "facts I-1 confirm affected"):
        said(home, line, **CHEN)
    assert "支付通道故障" in text_of(home).body and "待核实" not in text_of(home).body
    assert {item.author for item in home.look(lambda db: store.versions(db, the(home)))} == {""}


def test_a_second_factor_is_asked_counts_once_and_cannot_be_found_by_trying(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = totp.new_secret()
    monkeypatch.setenv("CHEN_TOTP", secret)
    rule = 'statements: {approval: [{need: [pr_head], second_factor: true}], values: {hotline: "95000"}'
    text = TEAM.replace('statements: {values: {hotline: "95000"}', rule).replace(
        "    wecom: chenjing\n", "    wecom: chenjing\n    totp_env: CHEN_TOTP\n"
    )
    home = house(tmp_path, text, playbooks=[AT_ONCE])
    home.judge(YELLOW)
    written(home)
    assert "动态码" in said(home, f"approve S-1 {digest(home)}", **CHEN)
    code = totp.code_at(totp.secret_of(secret), totp.step_at(home.now))
    wrong = str((int(code) + 1) % 1_000_000).zfill(6)
    for _ in range(5):
        assert "动态码" in said(home, f"approve S-1 {digest(home)} {wrong}", **CHEN)
    assert "动态码" in said(home, f"approve S-1 {digest(home)} {code}", **CHEN), "right, but after five tries"

    async def later() -> None:
        await home.clock.advance(11 * MINUTE)

    asyncio.run(later())
    code = totp.code_at(totp.secret_of(secret), totp.step_at(home.now))
    said(home, f"approve S-1 {digest(home)}", fields={"code": code}, **CHEN)
    assert the(home).status is StatementStatus.APPROVED
    home.store.close()
