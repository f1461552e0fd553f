"""An incident is closed: the retrospective writes itself, people are asked once, and what is to change gets done."""

from pathlib import Path

import orjson
import pytest
from factories import HOUR, MINUTE, NOW, House, house, post
from plans import PLAN
from test_moments import leave, opened

from bot.clock import DAY
from bot.delivery.alarm import Alarm
from bot.intake.minimise import Minimiser, install_key
from bot.learning import retro_document, retro_json
from bot.learning.retro_picture import retro_chart
from bot.maintenance.forgetting import forget
from bot.model.grade import Grade
from bot.model.incident import SYSTEM
from bot.model.message import Message
from bot.model.text import Text
from bot.reports import document_html, document_pdf
from bot.store import actions as action_store
from bot.store import posts
from bot.store import statements as statement_store
from bot.texts import render

CHEN = {"account": "U0CHEN"}
ZHAO = {"account": "U0ZHAO"}


@pytest.fixture
def home(tmp_path: Path):
    made = house(tmp_path, playbooks=[PLAN])
    yield made
    made.store.close()


def words(home: House, line: str, **fields) -> str:
    (answer,) = home.say(line, **fields)
    return answer.card.plain() if answer.card else answer.text


async def pass_time(home: House, span: int) -> None:
    await home.clock.advance(span)
    handlers = {**home.response.timers(), **home.services.learning.timers(), **home.services.cases.timers()}
    await Alarm(home.store, home.clock, handlers).fire_due()


async def closed(home: House, drill: str = "") -> str:
    incident_id = opened(home, NOW - 20 * MINUTE, NOW - MINUTE, drill=drill)
    await home.clock.advance(MINUTE)
    leave(home)
    home.place(f"incident:{incident_id}", "slack:C0DRILL" if drill else "slack:C0ALERTS")
    home.say(f"ack {incident_id}")
    home.say(f"start small {incident_id}")
    await home.clock.advance(HOUR)
    home.say("done R-1.1 等技术回话等了半小时")
    home.say(f"resolve {incident_id}")
    home.say(f"close {incident_id} 已到账")
    await pass_time(home, 0)
    return incident_id


def to(home: House, destination: str, reason: str) -> list[Message]:
    return [item for item in home.outbox(reason=reason) if item.destination == destination]


async def test_at_the_close_the_card_tells_the_times_and_the_people_are_asked_once(home: House) -> None:
    incident_id = await closed(home)
    (card,) = to(home, "slack:C0ALERTS", "retro")
    (picture,) = to(home, "slack:C0ALERTS", "chart")
    assert picture.attachment.kind == "retro" and picture.thread == f"incident:{incident_id}"
    said = card.card.plain()
    assert f"/retrospectives/{incident_id}" in said
    assert "预警 → 首次回应: 没有数据" in said and "R-1.1「核实」迟做：等技术回话等了半小时" in said
    asked = [item.destination for item in home.outbox(reason="retro") if item.card and "花两分钟" in item.card.plain()]
    assert asked.count("slack:U0LINA") == 1 and asked.count("wecom:lina") == 1
    home.say(f"reopen {incident_id}")
    home.say(f"close {incident_id} 真的好了")
    await pass_time(home, 0)
    again = [item.destination for item in home.outbox(reason="retro") if item.card and "花两分钟" in item.card.plain()]
    assert again == asked


async def test_answers_stand_in_the_retrospective_named_or_not_and_make_proposals(home: House) -> None:
    incident_id = await closed(home)
    assert "署名" in words(
        home, f"retro answer {incident_id} 群里响应快 | 找不到技术值班 | 4 | 技术值班表 | 应该更早预警"
    )
    assert "匿名" in words(home, f"复盘 {incident_id} 回答 匿名 2 法务太慢", **ZHAO)
    assert "已经答过" in words(home, f"retro answer {incident_id} 匿名 2 再说一次", **ZHAO)
    assert "1 到 5" in words(home, f"retro answer {incident_id} 3 很好用")
    found = home.look(lambda db: home.services.learning.retrospectives.look(db, home.incident(incident_id), home.now))
    assert [(item.question, item.answer, item.person_name) for item in found.answers][-1] == ("held", "法务太慢", "")
    assert not home.look(lambda db: db.execute("SELECT 1 FROM audit WHERE action = 'retro_answered' AND actor LIKE"
                                               " '%zhaolei%'").fetchall())  # fmt: skip
    await pass_time(home, 5 * DAY + HOUR)
    texts = [item.text for item in home.look(lambda db: action_store.of_incident(db, incident_id))]
    assert any("法务太慢" in text for text in texts) and any("R-1.1" in text for text in texts)
    assert "问卷已经结束" in words(home, f"retro answer {incident_id} 太晚了")


async def test_who_has_not_answered_is_reminded_once(home: House) -> None:
    incident_id = await closed(home)
    leave(home)
    await pass_time(home, 2 * DAY + MINUTE)
    reminded = [item for item in to(home, "slack:U0LINA", "retro") if "还等着你" in item.card.plain()]
    assert len(reminded) == 1
    words(home, f"retro answer {incident_id} 都好")
    await pass_time(home, 2 * DAY)
    assert len([item for item in to(home, "slack:U0LINA", "retro") if "还等着你" in item.card.plain()]) == 1


async def test_a_proposal_is_accepted_by_one_press_reminded_escalated_and_done(home: House) -> None:
    incident_id = await closed(home)
    (card,) = to(home, "slack:C0ALERTS", "retro")
    press = next(button.command for button in card.card.buttons if button.command.startswith("action accept"))
    leave(home)
    assert "赵磊 负责" in words(home, press, **ZHAO)
    item = home.look(lambda db: action_store.of_incident(db, incident_id))[0]
    assert (item.state, item.owner) == ("open", "zhaolei")
    await pass_time(home, item.due_at - DAY - home.now)
    assert "快到期" in to(home, "slack:U0ZHAO", "action")[0].card.plain()
    assert not to(home, "slack:U0LINA", "action")
    await pass_time(home, DAY)
    await pass_time(home, DAY)
    assert any("逾期" in item.card.plain() for item in to(home, "slack:U0LINA", "action"))  # had the incident
    assert "已完成" in words(home, f"action done {item.id} 值班表已上墙", **ZHAO)
    leave(home)
    await pass_time(home, 10 * DAY)
    assert not home.outbox(reason="action")
    after = home.look(lambda db: action_store.get(db, item.id))
    assert (after.state, after.note, after.kept(home.now)) == ("done", "值班表已上墙", False)


async def test_a_line_names_owner_date_kind_and_whether_the_public_may_know(home: House) -> None:
    incident_id = await closed(home)
    said = words(home, f"改进 {incident_id} 每天公布到账进度 @赵磊 2026-03-01 #承诺 公开")
    assert "每天公布到账进度" in said and "2026-03-01" in said and "赵磊" in said
    item = home.look(lambda db: action_store.of_incident(db, incident_id))[-1]
    assert (item.kind, item.public, item.text) == ("commitment", True, "每天公布到账进度")
    assert "请给一个今后的日期" in words(home, f"action {incident_id} late one 2020-01-01")
    assert item.id in words(home, "改进清单")
    assert item.id in words(home, "actions mine", **ZHAO)


async def test_the_public_is_told_what_is_marked_public_and_nothing_else(home: House) -> None:
    incident_id = await closed(home)
    assert "还没有标为可公开" in words(home, f"action publish {incident_id}")
    words(home, f"改进 {incident_id} 全额垫付手续费 公开 #善后")
    words(home, f"改进 {incident_id} 换掉短信供应商 #供应商")
    said = words(home, f"action publish {incident_id}", **CHEN)
    assert "S-1" in said
    statement = home.look(lambda db: statement_store.get(db, "S-1"))
    body = home.look(lambda db: statement_store.version(db, statement)).body
    assert "全额垫付手续费" in body and "短信供应商" not in body and statement.status.value == "draft"


async def test_a_figure_needs_its_source(home: House) -> None:
    incident_id = await closed(home)
    assert "来源" in words(home, f"impact {incident_id} 股价 -3.2 %")
    words(home, f"影响 {incident_id} 股价 -3.2% 之前 10.1 之后 9.8 来源 交易所收盘价")
    words(home, f"impact {incident_id} customers lost 1200 source CRM export")
    found = home.look(lambda db: home.services.learning.retrospectives.look(db, home.incident(incident_id), home.now))
    assert [(item.kind, item.measure, item.value, item.before, item.after, item.source) for item in found.impacts] == [
        ("share", "股价", "-3.2%", "10.1", "9.8", "交易所收盘价"),
        ("churn", "customers lost", "1200", "", "", "CRM export"),
    ]


async def test_a_drill_is_looked_back_at_and_reaches_nobody_outside_of_it(home: House) -> None:
    incident_id = await closed(home, drill="DR-1")
    found = home.look(lambda db: home.services.learning.retrospectives.look(db, home.incident(incident_id), home.now))
    assert found.moments.drill == "DR-1" and found.moments.steps_of("late")
    places = {item.destination for item in [*home.outbox(reason="retro"), *home.outbox(reason="action")]}
    assert places == {"slack:C0DRILL", "console:drill"}
    assert incident_id not in words(home, "actions")


async def test_the_frozen_record_outlives_its_posts(home: House) -> None:
    incident_id = await closed(home)
    look = home.services.learning.retrospectives.look
    before = home.look(lambda db: look(db, home.incident(incident_id), home.now)).moments
    home.do(lambda db: db.conn.execute("DELETE FROM mention"))
    after = home.look(lambda db: look(db, home.incident(incident_id), home.now)).moments
    assert after == before and after.volume("before").mentions == 2


def look(home: House, incident_id: str):
    service = home.services.learning.retrospectives
    return home.look(lambda db: service.look(db, home.incident(incident_id), home.now))


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_the_document_holds_the_numbers_of_the_rows_and_says_where_there_are_none(
    home: House, language: str
) -> None:
    incident_id = await closed(home)
    words(home, f"retro answer {incident_id} <script>alert(1)</script>")
    found = look(home, incident_id)
    blocks = retro_document.document(found, language, "", str)
    page = document_html.page(blocks, language).decode()
    none = render(Text("retro.no_data"), language)
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page
    (figures,) = [block.rows for block in blocks if block.kind == "figures"]
    assert figures[1][1] == none and figures[3][1] == str(found.moments.volume("during").mentions)
    cells = [cell for block in blocks if block.kind == "table" for row in block.rows for cell in row]
    assert "R-1.1" in cells and f"{incident_id}#" in " ".join(cells)


async def test_the_json_is_the_same_twice_and_names_the_items(home: House) -> None:
    incident_id = await closed(home)
    first, again = (retro_json.as_json(look(home, incident_id)) for _ in range(2))
    data = orjson.loads(first)
    assert first == again and data["frozen"]
    assert {ref["kind"] for moment in data["moments"] for ref in moment["rests_on"]} >= {"post", "timeline", "message"}
    assert data["time_to_answer"] is None and data["volumes"][0]["posts"] == [1, 2]


async def test_the_picture_marks_what_was_done_and_there_is_none_without_posts(home: House) -> None:
    incident_id = await closed(home)
    found = look(home, incident_id)
    chart = home.look(lambda db: retro_chart(db, found, "en"))
    assert chart is not None and {mark.label for mark in chart.marks} >= {"alert", "acknowledged", "peak"}
    home.do(lambda db: db.conn.execute("DELETE FROM bucket"))
    home.do(lambda db: db.conn.execute("DELETE FROM mention"))
    assert home.look(lambda db: retro_chart(db, found, "en")) is None


async def test_earlier_incidents_of_the_kind_stand_beside_it_and_drills_do_not(home: House) -> None:
    first = await closed(home)
    await pass_time(home, 3 * DAY)
    drill = home.judge(Grade.ORANGE, drill="DR-1")
    home.do(lambda db: db.conn.execute("UPDATE incident SET status = 'closed' WHERE id = ?", (drill.id,)))
    await pass_time(home, 3 * DAY)
    second = home.judge(Grade.ORANGE)
    assert [item.id for item in look(home, second.id).similar] == [first]


async def test_a_pdf_is_made_of_it(home: House) -> None:
    incident_id = await closed(home)
    blocks = retro_document.document(look(home, incident_id), "zh-CN", "", str)
    made = await document_pdf.make(blocks, "zh-CN", incident_id, b"", home.now)
    assert made.startswith(b"%PDF") and len(made) > 10_000


async def test_forgetting_a_person_reaches_answers_figures_and_action_items(home: House) -> None:
    quoted = "客服让我等了三天还说没办法，真是气死人了"

    def keep(db) -> None:
        key = Minimiser((), install_key(db, None)).author_key("vendor", "u9")
        posts.store(db, [post(quoted)], home.now)
        db.conn.execute("UPDATE post SET author_key = ? WHERE text = ?", (key, quoted))

    home.do(keep)
    incident_id = await closed(home)
    words(home, f"retro answer {incident_id} 顺利 | 用户说“{quoted}”")
    words(home, f"改进 {incident_id} 回应“{quoted}”")
    home.do(lambda db: forget(db, home.config, "vendor", "u9", SYSTEM, home.now))
    found = look(home, incident_id)
    said = [item.answer for item in found.answers] + [item.text for item in found.actions]
    said += [str(entry.params) for entry in found.timeline]
    assert not any("气死人" in text or "等了三天" in text for text in said)
    assert "顺利" in said
