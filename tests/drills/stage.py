"""A whole process in virtual time with a small company on it."""

from pathlib import Path

import orjson
from factories import NOW

from bot import config as configuration
from bot.config import Config
from bot.rehearsal import Rehearsal

COMPANY = """
language: zh-CN
subjects:
  - {id: xinghe-pay, name: 星河支付, industry: internet-finance, match: {any: [星河支付, Xinghe Pay]},
     channel: pr-alerts, sensitive: [money], watch: [跑路]}
people:
  - {id: lina, name: 李娜, roles: [pr], console: lina}
  - {id: zhaolei, name: 赵磊, roles: [legal, approver], console: zhaolei}
  - {id: chenjing, name: 陈静, roles: [pr_head, approver, admin], console: chenjing}
  - {id: wangqiang, name: 王强, roles: [operations], console: wangqiang}
  - {id: zhoumin, name: 周敏, roles: [customer_service], console: zhoumin}
  - {id: linhai, name: 林海, roles: [executive, approver], console: linhai}
channels:
  pr-alerts: {console: alerts, min_grade: blue}
  management: {console: management, min_grade: blue}
  drill: {console: drill}
chat: {console: {}}
grading: {preset: internet-finance}
"""
MINUTE = 60_000


def company(folder: Path, text: str = COMPANY) -> Config:
    parsed = configuration.parse(text, "fengbo.yaml")
    return parsed.model_copy(update={"store": str(folder / "fengbo.db")})


def stage(folder: Path, text: str = COMPANY, start: int = NOW, cards: bool = False) -> Rehearsal:
    """``cards``: with the incident cards, which cost as much as all the rest."""
    return Rehearsal(company(folder, text), start, inline=True, unseen=not cards)


def rows(play: Rehearsal, sql: str, *values: object) -> list[tuple]:
    return play.app.store.read_now(lambda db: db.conn.execute(sql, values).fetchall())


def said(play: Rehearsal, person: str, line: str) -> str:
    """What a person is answered, as text."""
    return "\n".join(answer for answer in play.say(person, line))


def messages(play: Rehearsal) -> list[dict]:
    return [orjson.loads(row[0]) for row in rows(play, "SELECT message FROM outbox ORDER BY id")]
