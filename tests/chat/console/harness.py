"""A console with a crisis in it, built by hand: for the tests and for looking at the page.

``python -m tests.chat.console.harness [port]`` serves it on loopback.
"""

import asyncio
import random
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import orjson
from aiohttp import web
from sqlite_utils import Database

from bot import config as configuration
from bot.chat.console import Console
from bot.clock import HOUR, MINUTE, Clock, SystemClock
from bot.delivery import outbox
from bot.delivery.outbox import Placement, Row
from bot.model.card import Button, Card, Facts, Form, FormField, Items, Paragraph, Quote
from bot.model.grade import Grade
from bot.model.message import Attachment, Message
from bot.reports.charts import chart_maker
from bot.store.database import Store

CONFIG = """
language: zh-CN
subjects:
  - {id: xinghe-pay, name: 星河支付, match: {any: [星河支付]}}
sources:
  - {id: weibo-search, kind: hook, platform: weibo}
  - {id: finance-news, kind: feed, platform: news, url: "https://news.example/rss"}
  - {id: douyin-vendor, kind: hook, platform: douyin}
  - {id: consumer-forum, kind: json, platform: forum, url: "https://forum.example/api"}
  - {id: hot-list, kind: json, platform: hot_list, url: "https://hot.example/api"}
people:
  - {id: lina, name: 李娜, roles: [pr], console: lina}
  - {id: zhaolei, name: 赵磊, roles: [legal], console: zhaolei}
  - {id: chenjing, name: 陈静, roles: [pr_head, admin]}
channels:
  pr-alerts: {console: alerts}
  drill: {console: drill}
"""
COMMANDS = [
    ("帮助", "可以对风波说的话"),
    ("状态", "进行中的事件"),
    ("确认 I-12", "接手这个事件"),
    ("指派 I-12 李娜", "换负责人"),
    ("图表 I-12", "最近几小时的声量"),
    ("静音 I-12 30m", "暂停提醒，并说明原因"),
]


def complete(line: str, language: str) -> list[tuple[str, str]]:
    return [(command, description) for command, description in COMMANDS if command.startswith(line)]


def form_for(form: str, command: str, language: str) -> Form | None:
    if form != "assign":
        return None
    fields = (
        FormField("person", "负责人", "person"),
        FormField("note", "交代一句", "multiline", required=False, placeholder="例如：先核实资金到账情况"),
    )
    return Form("assign", "指派 I-12", command, fields, submit="指派")


def incident_card(grade: Grade = Grade.ORANGE, owner: str = "无人负责") -> Card:
    label = {
        Grade.BLUE: "蓝色预警 Ⅳ级",
        Grade.YELLOW: "黄色预警 Ⅲ级",
        Grade.ORANGE: "橙色预警 Ⅱ级",
        Grade.RED: "红色预警 Ⅰ级",
    }
    return Card(
        title="I-12 星河支付：多地用户称提现失败",
        object="incident:I-12",
        grade=grade,
        grade_label=label[grade],
        subtitle="星河支付 · 资金兑付 · 首见于 14:05",
        sections=(
            Facts(
                (
                    ("负责人", owner),
                    ("状态", "待确认"),
                    ("近 10 分钟", "86 条，负面 71 条"),
                    ("往常水平", "12 条"),
                    ("平台", "微博、抖音、论坛、新闻"),
                    ("最高传播者", "行业媒体"),
                )
            ),
            Items(
                "为什么是橙色",
                (
                    "10 分钟负面 71 条，超过橙色线 60 条",
                    "负面占比 83%，往常为 21%",
                    "4 个平台同时出现，1 小时前只有 1 个",
                    "涉及用户资金，属于敏感主题",
                ),
                "还有 2 条原因，输入“原因 I-12”查看",
            ),
            Quote(
                "提现两天没到账，客服一直说在处理中，钱还能不能拿回来？",
                "微博 · 已加 V 用户 · 14:32",
                "https://weibo.example/1",
            ),
            Quote("记者致电星河支付，截至发稿未获回应。", "星城财经 · 14:41", "https://news.example/a"),
            Paragraph("采集缺口：hot-list 自 13:50 起故障，热榜情况未知。"),
        ),
        buttons=(
            Button("确认接手", "确认 I-12", "primary"),
            Button("指派", "指派 I-12", form="assign"),
            Button("为什么", "原因 I-12"),
            Button("误报", "误报 I-12", "danger", confirm="把 I-12 标为误报？预警会停止，原因会记入时间线。"),
        ),
        footer="数据来自已收集的 1,204 条帖文 · 14:46 更新",
    )


class Harness:
    """A running console on a port of its own."""

    def __init__(self, folder: Path, extra: str = "", clock: Clock | None = None) -> None:
        self.clock = clock or SystemClock()
        self.store = Store(folder / "fengbo.db")
        self.config = configuration.parse(CONFIG + extra, "fengbo.yaml")
        self.console = Console(
            self.store,
            self.clock,
            self.config,
            form_for,
            complete,
            self.config.people,
            make=chart_maker(self.store, self.clock),
            visitor="lina",
        )
        self._sent = 0
        self.runner: web.AppRunner | None = None
        self.url = ""

    async def start(self, port: int = 0) -> str:
        app = web.Application()
        self.console.add_routes(app)
        self.runner = web.AppRunner(app, shutdown_timeout=1)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", port)
        await site.start()
        self.url = f"http://127.0.0.1:{self.runner.addresses[0][1]}"
        return self.url

    async def stop(self) -> None:
        if self.runner:
            await self.runner.cleanup()
        self.store.close()

    def row(self, message: Message, key: str = "") -> Row:
        self._sent += 1
        return Row(self._sent, key or f"k{self._sent}", message, 0, False, self.clock.now())

    async def send(
        self, message: Message, placement: Placement | None = None, thread: Placement | None = None
    ) -> Placement:
        """As the sender would: deliver and remember the place."""
        row = self.row(message)
        found = await self.console.chat.send(row, placement, thread)
        assert found is not None
        if message.object:
            now = self.clock.now()
            await self.store.write(lambda db: outbox.place(db, message.object, message.destination, found, now))
        return found

    def inbox(self) -> list[dict[str, object]]:
        rows = self.store.read_now(lambda db: db.conn.execute("SELECT payload FROM inbox ORDER BY id").fetchall())
        return [orjson.loads(row[0]) for row in rows]


def seed_numbers(db: Database, now: int) -> None:
    """Eight hours of counts, two open incidents, five sources in every state."""
    chance = random.Random(7)
    for minute in range(-480, 0):
        at = now // MINUTE + minute
        rise = max(0.0, (minute + 110) / 24) ** 1.7
        for platform, part in (("weibo", 0.5), ("douyin", 0.2), ("forum", 0.16), ("news", 0.08), ("xiaohongshu", 0.06)):
            for sentiment, level in ((-1, 0.25 + rise), (0, 0.8 + rise * 0.18), (1, 0.35)):
                count = int(level * part + chance.random())
                if count:
                    db.conn.execute(
                        "INSERT INTO bucket (subject, drill, minute, family, platform, sentiment, count, engagement,"
                        " carrier, carrier_post, top_influence, top_post)"
                        " VALUES ('xinghe-pay', '', ?, 'funds', ?, ?, ?, 0, 0, 0, 0, 0)",
                        (at, platform, sentiment, count),
                    )
    hour = now // HOUR
    db.conn.executemany(
        "INSERT INTO hour (subject, drill, family, hour, mentions, negative)"
        " VALUES ('xinghe-pay', '', 'funds', ?, ?, ?)",
        [(hour - back, 95 + back % 24 * 4, 14) for back in range(1, 24 * 40)],
    )
    incident = "INSERT INTO incident (id, number, kind, drill, subject, subject_name, family, crisis_type, title, status, grade, peak_grade, owner, opened_at, updated_at, blind_sources) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: E501
    rows = [
        (
            "I-12",
            12,
            "real",
            "",
            "funds",
            "withdrawal_failure",
            "多地用户称提现失败",
            "open",
            3,
            "",
            95,
            '["hot-list"]',
        ),
        ("I-11", 11, "real", "", "service", "outage", "扫码付款间歇性报错", "responding", 2, "zhaolei", 210, "[]"),
        (
            "D-3",
            3,
            "drill",
            "d3",
            "data",
            "data_leak",
            "演练：用户资料疑似外泄",
            "acknowledged",
            4,
            "chenjing",
            20,
            "[]",
        ),
    ]
    for name, number, kind, drill, family, crisis, title, status, grade, owner, age, blind in rows:
        at = now - age * MINUTE
        db.conn.execute(
            incident,
            (
                name,
                number,
                kind,
                drill,
                "xinghe-pay",
                "星河支付",
                family,
                crisis,
                title,
                status,
                grade,
                grade,
                owner,
                at,
                now,
                blind,
            ),
        )
    for minutes, word in ((95, "blue"), (58, "yellow"), (24, "orange")):
        db.conn.execute(
            "INSERT INTO timeline (incident, happened_at, recorded_at, kind, params, actor, actor_name, chat)"
            " VALUES ('I-12', ?, ?, 'graded', ?, '', 'Fengbo', 'system')",
            (now - minutes * MINUTE, now - minutes * MINUTE, orjson.dumps({"grade": word}).decode()),
        )
    for source, health, since, last, posts, error in (
        ("weibo-search", "measured", 4000, 0, 18_204, ""),
        ("finance-news", "measured", 4000, 3, 912, ""),
        ("douyin-vendor", "silent", 47, 47, 3_320, ""),
        (
            "hot-list",
            "failing",
            63,
            64,
            1_440,
            '{"key": "sources.server_error", "params": {"url": "hot.example", "status": 503}}',
        ),
    ):
        db.conn.execute(
            "INSERT INTO source_state (source, health, health_since, last_post_at, posts, last_error)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (source, health, now - since * MINUTE, now - last * MINUTE, posts, error),
        )


async def seed_talk(harness: Harness) -> Placement:
    """A conversation about the incident; returns where its card stands."""
    send = harness.send
    drill = replace(
        incident_card(Grade.RED),
        title="D-3 用户资料疑似外泄",
        object="incident:D-3",
        drill="演练 · 以下内容均非真实事件",
    )
    await send(Message("console:drill", card=drill, object="incident:D-3", drill="d3"))
    await send(Message("console:alerts", text="信源 hot-list 自 13:50 起采集失败（503）。热榜上的情况暂时看不到。"))
    alert = Message("console:alerts", card=incident_card(), object="incident:I-12")
    place = await send(alert)
    await send(replace(alert, card=incident_card(owner="李娜")), placement=place)
    say(harness, "zhaolei", "资金通道那边我去问，法务先不要对外表态。")
    say(harness, "lina", "图表 I-12")
    await send(
        Message(
            "console:alerts",
            card=Card(title="I-12 最近 3 小时声量", object="", footer="输入“图表 I-12 24h”看更长的时间"),
            attachment=Attachment("chart", {"incident": "I-12", "hours": 3}),
        ),
        thread=place,
    )
    await send(
        Message("console:alerts", text="已记下：李娜于 14:47 接手 I-12。下一次提醒在 15:17。", thread="incident:I-12"),
        thread=place,
    )
    await send(Message("console:alerts", text="没有“解散”这个命令。你是想说“结束 I-12”吗？", audience="lina"))
    return place


def say(harness: Harness, account: str, text: str) -> None:
    """Somebody says something, without the inbox."""
    from bot.chat.console import messages

    harness._sent += 1
    draft = messages.Draft("alerts", f"said-{harness._sent}", author=account, text=text)
    now = harness.clock.now()
    harness.store.write_now(lambda db: messages.post(db, draft, now))
    harness.console.hub.notify(harness.store.read_now(messages.latest))


async def main(port: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        harness = Harness(Path(folder))
        await harness.store.write(lambda db: seed_numbers(db, harness.clock.now()))
        await seed_talk(harness)
        print(await harness.start(port), file=sys.stderr)
        try:
            await asyncio.Event().wait()
        finally:
            await harness.stop()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 8091))
