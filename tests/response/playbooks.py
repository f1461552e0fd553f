"""A small sound playbook that tests bend into unsound ones."""

from datetime import date
from pathlib import Path

from bot.response.findings import Finding
from bot.response.library import Library, parse_playbook
from bot.response.lint import lint_entry
from bot.response.schema import Playbook

ROOT = Path(__file__).resolve().parents[2] / "playbooks"
TODAY = date(2026, 11, 22)

SOUND = """\
id: outage
version: 1
title: {zh-CN: 中断, en: Outage}
summary: {zh-CN: 服务不可用时启用, en: For when a service is down}
crisis_types: [outage]
industries: [general]
grades: {from: yellow}
scct: {cluster: accidental, strategies: [apology]}
match: {words: [宕机, down], examples: [网站打不开了]}
owner: pr_head
review_by: 2027-01-31
roles:
  lead: {title: {zh-CN: 总指挥, en: Lead}, department: pr, people: [pr_head]}
  engineer: {title: {zh-CN: 工程师, en: Engineer}, department: operations, people: [operations]}
steps:
  - id: check
    kind: question
    title: {zh-CN: 核实, en: Check}
    role: engineer
    due: 15m
    fields:
      - {id: what, fact: what, label: {zh-CN: 现象, en: What}}
  - id: decide
    kind: decision
    title: {zh-CN: 决定, en: Decide}
    role: lead
    due: 30m
    after: [check]
    options:
      - {id: pay, label: {zh-CN: 赔付, en: Pay}}
      - {id: wait, label: {zh-CN: 等待, en: Wait}}
  - id: tell
    kind: statement
    title: {zh-CN: 说明, en: Statement}
    role: lead
    due: 1h
    after: [decide]
    when: decision.decide = pay
    audience: public
    template: first
    approve: [lead]
templates:
  first:
    audience: public
    title: {zh-CN: 说明, en: Statement}
    body: {zh-CN: "{what}", en: "{what}"}
media_line: {spokesperson: lead, holding: {zh-CN: 正在处理, en: On it}, messages: [{zh-CN: 抱歉, en: Sorry}]}
contacts: [{id: press, kind: media, role: lead, name: {zh-CN: 媒体, en: Press}}]
release: [{audience: public, from_grade: yellow, facts: [what]}]
compensation: {principle: {zh-CN: 赔, en: Pay}, approve: [lead]}
recovery: {publish_every: 1d, close_when: hours >= 24, progress: [{id: done, title: {zh-CN: 完成, en: Done}, due: 1d}]}
support: {role: lead, who: [{zh-CN: 客服, en: Staff}], measures: [{zh-CN: 轮班, en: Shifts}]}
"""


def sound() -> Playbook:
    entry, findings = parse_playbook(SOUND, "general/outage.yaml")
    assert entry is not None, findings
    return entry.playbook


def bent(old: str, new: str) -> str:
    """The sound playbook with one passage replaced."""
    assert old in SOUND, old
    return SOUND.replace(old, new, 1)


def findings_of(source: str) -> list[Finding]:
    """What reading or linting the text says."""
    entry, findings = parse_playbook(source, "general/outage.yaml")
    if entry is None:
        return findings
    return lint_entry(entry, Library({entry.playbook.id: entry}), TODAY)
