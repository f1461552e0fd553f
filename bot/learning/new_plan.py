"""The text of a playbook that nobody has written yet: sound enough to be looked at, thin enough to be worked on."""

from datetime import date, timedelta
from string import Template

from bot.learning.suggestion import NewPlan
from bot.learning.yaml_edits import scalar, task, written_words
from bot.model.text import LANGUAGES, Text
from bot.response.values import Words
from bot.texts import render

REVIEW_AFTER = timedelta(days=90)

_PLAN = Template("""\
id: $id
version: 1
title: $title
summary: $summary
crisis_types: [$crisis_type]
industries: [$industry]
grades: {from: $grade}
scct: {cluster: accidental, strategies: [instructing_information, adjusting_information, corrective_action]}
match: {words: [$words]}
owner: $owner
review_by: $review_by
roles:
  lead: {title: $lead, department: pr, people: [$owner]}
defaults: {remind_before: 10m, escalate: {to: lead, after: 10m}}
steps:
  - id: facts
    kind: question
    title: $facts
    role: lead
    due: 30m
    fields:
      - {id: what, fact: what, type: long_text, label: $what}
$by_hand  - id: tell
    kind: statement
    title: $tell
    role: lead
    due: 2h
    after: [facts]
    audience: public
    template: first
    approve: [lead]
templates:
  first: {audience: public, title: $title, body: $body}
media_line: {spokesperson: lead, holding: $holding, messages: [$message]}
contacts: [{id: press, kind: media, role: lead, name: $press}]
release: [{audience: public, from_grade: $grade, facts: [what]}]
compensation: {principle: $principle, approve: [lead]}
recovery: {publish_every: 1d, close_when: hours >= 24, progress: [{id: done, title: $done, due: 1d}]}
support: {role: lead, who: [$staff], measures: [$shifts]}
""")

_SENTENCES = (
    "summary", "lead", "facts", "what", "tell", "holding", "message", "press", "principle", "done", "staff", "shifts",
)  # fmt: skip


def new_plan(change: NewPlan, owner: str, today: date) -> str:
    """YAML of the playbook; ``owner`` is the role that keeps it and leads."""
    steps = [
        f"  - {task(f'by-hand-{number}', _same(step.title), 'lead', step.due)}\n"
        for number, step in enumerate(change.steps, 1)
    ]
    return _PLAN.substitute(
        {name: written_words(_said(f"proposal.plan_{name}")) for name in _SENTENCES},
        body=written_words(_said("proposal.plan_body", what="{what}")), id=change.id,
        title=written_words(change.title), crisis_type=change.crisis_type, industry=change.industry,
        grade=change.grade, words=", ".join(map(scalar, change.words)), owner=scalar(owner),
        review_by=(today + REVIEW_AFTER).isoformat(), by_hand="".join(steps),
    )  # fmt: skip


def _same(text: str) -> Words:
    """What somebody wrote down stands in both languages until somebody translates it."""
    return Words.model_validate(dict.fromkeys(LANGUAGES, text))


def _said(key: str, **params: str) -> Words:
    return Words.model_validate({language: render(Text(key, params), language) for language in LANGUAGES})
