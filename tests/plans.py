"""A small playbook as tests need it."""

PLAN = """
id: small
version: 1
title: {zh-CN: 小预案, en: Small plan}
summary: {zh-CN: 试验用, en: For trying}
crisis_types: [withdrawal_failure]
industries: [general]
grades: {from: blue}
scct: {cluster: accidental, strategies: [instructing_information]}
owner: pr_head
review_by: 2030-01-01
roles:
  commander: {title: {zh-CN: 总指挥, en: Lead}, department: pr, people: [pr_head]}
  pr: {title: {zh-CN: 公关, en: PR}, department: pr, people: [pr]}
  legal: {title: {zh-CN: 法务, en: Legal}, department: legal, people: [legal]}
defaults: {remind_before: 10m, escalate: {to: commander, after: 5m}}
facts:
  - {id: affected, of: who, type: number, label: {zh-CN: 受影响人数, en: People affected}}
steps:
  - {id: check, kind: task, title: {zh-CN: 核实, en: Check}, role: pr, due: 30m, skippable: false}
  - id: call
    kind: notify
    title: {zh-CN: 召集, en: Call together}
    role: commander
    to: [pr, legal]
    acknowledge: true
    message: {zh-CN: 请到讨论串集合, en: Come to the thread}
  - id: ask
    kind: question
    title: {zh-CN: 事实, en: Facts}
    role: legal
    after: [check]
    fields:
      - {id: what, fact: what, type: long_text, required: true, label: {zh-CN: 发生了什么, en: What happened}}
      - {id: people, fact: affected, type: number, label: {zh-CN: 人数, en: How many}}
  - id: vote
    kind: decision
    title: {zh-CN: 是否暂停, en: "Pause?"}
    role: commander
    voters: [pr, legal, commander]
    quorum: 2
    after: [ask]
    options:
      - {id: go_on, label: {zh-CN: 照常, en: Go on}}
      - {id: halt, label: {zh-CN: 暂停, en: Halt}}
  - id: list
    kind: checklist
    title: {zh-CN: 证据, en: Evidence}
    role: legal
    items:
      - {id: posts, label: {zh-CN: 截图, en: Pictures}}
      - {id: logs, label: {zh-CN: 日志, en: Logs}}
  - {id: report, kind: task, title: {zh-CN: 上报, en: Report}, role: legal, from_grade: orange, proof: true, due: 4h}
  - {id: halted, kind: task, title: {zh-CN: 公布暂停, en: Announce the halt}, role: pr, when: decision.vote = halt}
  - id: say
    kind: statement
    title: {zh-CN: 说明, en: Statement}
    role: pr
    after: [ask]
    audience: public
    template: first
templates:
  first:
    audience: public
    title: {zh-CN: 关于提现, en: About withdrawals}
    body: {zh-CN: "{what}，涉及 {affected} 人，{hotline}", en: "{what}, {affected} people, {hotline}"}
"""


def plan(steps: str, **changes: str) -> str:
    """The small plan with other steps, and other top-level lines by name."""
    head, _, rest = PLAN.partition("steps:\n")
    _, _, templates = rest.partition("templates:\n")
    text = f"{head}steps:\n{steps}\ntemplates:\n{templates}"
    for name, line in changes.items():
        if f"\n{name}: " in text:
            before, _, after = text.partition(f"\n{name}: ")
            text = f"{before}\n{name}: {line}\n{after.partition(chr(10))[2]}"
        else:
            text += f"{name}: {line}\n"
    return text
