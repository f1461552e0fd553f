"""Forms that depend on the step they are for: its questions, its options, its items. Opening one changes nothing."""

import re

from sqlite_utils import Database

from bot.model.card import Form, FormField
from bot.model.text import Text
from bot.response.run_state import StepState
from bot.response.runs import Runs
from bot.response.steps import Checklist, Decision, Question, QuestionField, Survey
from bot.texts import render

_ADDRESS = re.compile(r"\b[Rr]-(\d{1,9})(?:\.(\d{1,3}))?")
KINDS = {"text": "text", "long_text": "multiline", "number": "text", "time": "text", "link": "text"}


def step_form(db: Database, runs: Runs, form_id: str, command: str, language: str) -> Form | None:
    """The form of a button on a run's card; None where it is none of ours or the step is gone."""
    match = _ADDRESS.search(command)
    if not match:
        return None
    if form_id == "abort":
        return _form("abort", _say("form.abort.title", language), command, language, (_reason(language),))
    run = runs.get(db, f"R-{match[1]}")
    state = run.numbered(int(match[2])) if run and match[2] else None
    if run is None or state is None:
        return None
    step = run.playbook.step(state.id)
    assert step is not None
    fields: tuple[FormField, ...] = ()
    if isinstance(step, Question | Survey) and form_id == "step-answer":
        fields = tuple(_question(item, state, language) for item in step.fields)
    elif isinstance(step, Decision) and form_id == "step-choose":
        options = tuple((option.id, option.label.in_language(language)) for option in step.options)
        fields = (FormField("option", _say("form.option", language), "choice", options=options),)
    elif isinstance(step, Checklist) and form_id == "step-tick":
        left = [(item.id, item.label.in_language(language)) for item in step.items if item.id not in state.ticked]
        options = (("all", _say("form.all_items", language)), *left)
        fields = (FormField("items", _say("form.item", language), "choice", options=options, initial="all"),)
    elif form_id == "step-done":
        fields = (FormField("text", _say("form.proof", language), "multiline"),)
    if not fields:
        return None
    return _form(form_id, f"{state.number}. {step.title.in_language(language)}", command, language, fields)


def _question(field: QuestionField, state: StepState, language: str) -> FormField:
    label = field.label.in_language(language)
    hint = field.hint.in_language(language) if field.hint else ""
    answered = state.answers.get(field.id, "")
    if field.type == "yes_no":
        options = (("yes", _say("fact.yes", language)), ("no", _say("fact.no", language)))
        return FormField(field.id, label, "choice", field.required, hint, options, answered)
    if field.type == "choice" and field.options:
        options_ = tuple((option.id, option.label.in_language(language)) for option in field.options)
        return FormField(field.id, label, "choice", field.required, hint, options_, answered)
    return FormField(field.id, label, KINDS.get(field.type, "text"), field.required, hint, initial=answered)


def _reason(language: str) -> FormField:
    return FormField("reason", _say("form.reason", language), "text")


def _form(form_id: str, title: str, command: str, language: str, fields: tuple[FormField, ...]) -> Form:
    return Form(form_id, title, command, fields, _say("form.submit", language), _say("form.cancel", language))


def _say(key: str, language: str) -> str:
    return render(Text(key), language)
