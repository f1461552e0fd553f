"""Briefs from the record: made beside the flow, kept as they were sent, every number resting on rows."""

import asyncio
from pathlib import Path

import pytest
from drills.stage import COMPANY, company
from factories import NOW

from bot.briefs.document import figures
from bot.briefs.period import holding
from bot.briefs.reading import read_brief
from bot.config import ConfigError, parse
from bot.model.message import Message
from bot.rehearsal import Rehearsal
from bot.reports.document import Block
from bot.reports.document_html import page
from bot.store import briefs as store

HOUR, DAY = 3_600_000, 86_400_000
ZONE = "Asia/Shanghai"
REPORTS = """
reports:
  - {cadence: daily, channel: pr-alerts, email: [boss@corp.example], hour: 11}
"""
ANGRY = (
    "提现失败三天了还没到账，客服不理人，骗子",
    "钱取不出来，是不是要跑路了",
    "提现一直处理中，<script>alert(1)</script> 没人管",
)


def stage(folder: Path, text: str = COMPANY + REPORTS) -> Rehearsal:
    return Rehearsal(company(folder, text), NOW, unseen=True)


def push(play: Rehearsal, count: int, at: int, text: str = "") -> None:
    items = [
        {
            "id": f"{at}-{number}", "platform": ("weibo", "douyin", "forum")[number % 3],
            "published_at": at + number * 4_000, "text": f"星河支付{text or ANGRY[number % 3]} 第{number}次",
            "author": {"id": f"u{number}", "name": "路人甲"},
        }
        for number in range(count)
    ]  # fmt: skip
    play.app.store.write_now(lambda db: play.app.intake.take_now(db, items, "push", "weibo", play.clock.now()))


async def evening(play: Rehearsal) -> None:
    """A quiet day, then one with a crisis that is answered to."""
    await play.until(NOW)
    push(play, 30, NOW - DAY, "用着挺顺手，谢谢")
    await play.until(NOW + 60_000)
    push(play, 120, NOW + 60_000)
    await play.until(NOW + 6 * 60_000)
    play.say("lina", "ack I-1")
    await play.until(NOW + 8 * 60_000)


def messages(play: Rehearsal, reason: str) -> list[Message]:
    import orjson

    rows = play.app.store.read_now(lambda db: db.conn.execute("SELECT message FROM outbox ORDER BY id").fetchall())
    found = [Message.from_json(orjson.loads(row[0])) for row in rows]
    return [message for message in found if message.reason == reason]


def test_the_numbers_are_those_of_the_rows(tmp_path: Path) -> None:
    play = stage(tmp_path)
    asyncio.run(evening(play))
    rows, period = play.app.store, holding("daily", NOW, ZONE)
    brief = rows.read_now(lambda db: read_brief(db, play.app.config, period, play.clock.now()))
    found = figures(brief)
    counted = rows.read_now(
        lambda db: db.conn.execute(
            "SELECT COUNT(*), SUM(sentiment < 0) FROM mention WHERE subject = 'xinghe-pay' AND published_at >= ?"
            " AND published_at < ?", (period.start, period.end),
        ).fetchone()
    )  # fmt: skip
    (subject,) = found["subjects"]
    assert (subject["mentions"], subject["negative"]) == counted and counted[0] >= 120
    assert sum(subject["platforms"].values()) == counted[0]
    incident = rows.read_now(lambda db: db.conn.execute("SELECT id, acknowledged_at FROM incident").fetchall())
    assert found["incidents"] == ["I-1"] == [row[0] for row in incident]
    assert found["rests_on"]["opened"] == ["I-1"]
    play.close()


def test_a_due_brief_goes_to_channel_and_mail_once_and_can_be_opened_again_as_it_was(tmp_path: Path) -> None:
    play = stage(tmp_path)

    async def days() -> None:
        await play.until(NOW)
        push(play, 60, NOW - 14 * HOUR)
        for _ in range(2):  # the second is a restart
            play.app.store.write_now(lambda db: play.app.briefs.begin(db, play.clock.now()))
        await play.until(NOW + 2 * HOUR)
        await play.app.studio.close()

    asyncio.run(days())
    sent = messages(play, "report")
    assert sorted(message.destination for message in sent) == ["console:alerts", "email:boss@corp.example"]
    assert {message.attachment.kind for message in sent if message.attachment} == {"brief_picture", "brief_pdf"}
    (row,) = play.app.store.read_now(store.recent)
    kept = play.app.store.read_now(lambda db: store.get(db, row.id))
    assert kept is not None
    shown = page([Block.from_json(block) for block in kept.blocks], "zh-CN").decode()
    assert "<script>" not in shown and "没人管" in shown, "what people wrote is only shown"
    assert "舆情日报 2026-01-04" in shown and 'src="data:image/png;base64,' in shown
    play.close()


def test_a_new_install_says_that_it_has_no_data(tmp_path: Path) -> None:
    play = stage(tmp_path, COMPANY)
    period = holding("weekly", NOW, ZONE)
    brief, blocks = asyncio.run(play.app.briefs.make(period, [], "zh-CN"))
    words = "\n".join(block.text for block in blocks)
    assert "没有收到关于自有主体的帖文" in words and "还没有做过演练" in words
    assert not [block for block in blocks if block.kind == "picture"]
    assert figures(brief)["subjects"][0]["reputation"] is None
    play.close()


def test_reports_are_asked_for_in_words_of_both_languages(tmp_path: Path) -> None:
    play = stage(tmp_path)

    async def ask() -> list[str]:
        await evening(play)
        said = [
            *play.say("lina", "周报 星河支付"),
            *play.say("chenjing", "report monthly"),
            *play.say("lina", "日报 没有这家"),
        ]
        await play.until(NOW + 9 * 60_000)
        said += [*play.say("lina", "报告"), *play.say("lina", "报告 B-1"), *play.say("lina", "报告 B-9")]
        await play.app.studio.close()
        return said

    said = asyncio.run(ask())
    assert "舆情周报" in said[0] and "月报" in said[1] and "没有叫“没有这家”的监测主体" in said[2]
    assert "B-1" in said[3] and "B-2" in said[3] and "舆情周报" in said[4] and "没有报告 B-9" in said[5]
    assert len([message for message in messages(play, "answer") if message.attachment]) >= 2
    play.close()


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("{cadence: yearly, channel: pr-alerts}", "config.not_one_of"),
        ("{cadence: daily}", "config.report_to_nobody"),
        ("{cadence: daily, channel: nowhere}", "config.unknown_channel"),
        ("{cadence: daily, email: [nobody]}", "config.unknown_person"),
        ("{cadence: daily, channel: pr-alerts, subjects: [ghost]}", "config.report_subject"),
        ("{cadence: daily, channel: pr-alerts, hour: 24}", "config.invalid"),
    ],
)
def test_a_mistake_in_the_configuration_is_named_with_its_line(line: str, key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(f"{COMPANY}reports:\n  - {line}\n", "fengbo.yaml")
    ((place, text),) = caught.value.problems
    assert text.key == key and place.startswith("fengbo.yaml:")


def test_forgetting_somebody_reaches_the_briefs_that_quote_them(tmp_path: Path) -> None:
    play = stage(tmp_path)

    async def ask() -> None:
        await evening(play)
        play.say("lina", "日报")
        await play.until(NOW + 9 * 60_000)
        await play.app.studio.close()

    asyncio.run(ask())
    before = play.app.store.read_now(lambda db: store.get(db, "B-1"))
    assert before is not None and "客服不理人" in str(before.blocks)
    assert play.app.store.write_now(lambda db: store.blank(db, ["客服不理人"], "—")) == 1
    after = play.app.store.read_now(lambda db: store.get(db, "B-1"))
    assert after is not None and "客服不理人" not in str(after.blocks) and after.figures == before.figures
    assert play.app.store.write_now(lambda db: store.blank(db, ["客服不理人"], "—")) == 0
    play.close()
