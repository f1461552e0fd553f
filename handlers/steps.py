"""Which run and which step somebody means: ``R-3.4``, ``R-3 4``, or just ``4`` where one run is at hand."""

import re
from collections.abc import Mapping

from bot.model.text import UserError
from bot.response.run_state import Run, StepState
from bot.response.runs import Runs
from bot.response.steps import Checklist, Choice, Decision, Question, QuestionField, Survey
from bot.store import runs as store
from handlers.registry import Request, narrow

_RUN = re.compile(r"#?[Rr]-?(\d{1,9})(?!\w)")
_NUMBER = re.compile(r"[\s.。．·,，:：]*#?(\d{1,3})(?![\w%])[\s,，:：]*")
_SEPARATOR = re.compile(r"\s*(?:\n|[;；])\s*")
_PAIR = re.compile(r"\s*([^\s=＝:：]{1,60})\s*[=＝:：]\s*(.*)", re.DOTALL)
YES = frozenset({"yes", "y", "true", "是", "有", "对", "已", "足额"})
NO = frozenset({"no", "n", "false", "否", "没有", "不", "不是", "未"})


def services(request: Request) -> Runs:
    return request.services.runs


def run_and_rest(request: Request) -> tuple[Run, str]:
    """The run that is meant and the words after its id: named, else of the thread, else the only open one."""
    runs, text = services(request), request.rest.strip()
    match = _RUN.match(narrow(text))
    if match:
        run_id = f"R-{int(match[1])}"
        found = runs.get(request.db, run_id)
        if found is None:
            raise UserError("error.no_such_run", id=run_id)
        return found, text[match.end() :].strip()
    at_hand = request.object_at_hand()
    if at_hand.startswith("run:") and (found := runs.get(request.db, at_hand.partition(":")[2])):
        return found, text
    rows = store.open_runs(request.db)
    if request.incident_id:
        rows = [row for row in rows if row.incident == request.incident_id]
    if len(rows) != 1:
        real = [row for row in rows if not row.drill]
        rows = real if len(real) == 1 else rows
    if len(rows) == 1:
        found = runs.get(request.db, rows[0].id)
        assert found is not None
        return found, text
    if not rows:
        raise UserError("error.no_open_run", incident=request.incident_id or "I-…")
    raise UserError("error.which_run", ids=[row.id for row in rows[:8]], example=f"{request.name} {rows[0].id}.1")


def step_and_rest(request: Request) -> tuple[Run, StepState, str]:
    """The step that is meant and the words after its number. Raises ``UserError`` naming what there is."""
    run, rest = run_and_rest(request)
    match = _NUMBER.match(narrow(rest))
    state = run.numbered(int(match[1])) if match else next((step for step in run.steps if step.id == rest), None)
    if state is None:
        raise UserError("error.which_step", id=run.id, n=len(run.steps), example=f"{request.name} {run.id}.1")
    return run, state, rest[match.end() :].strip() if match else ""


def answers_of(step: Question | Survey, state: StepState, rest: str, given: Mapping[str, str]) -> dict[str, str]:
    """What was answered, by field id: a form's fields, else ``name = value`` lines, else the words as the answer to
    the first open question."""
    found: dict[str, str] = {}
    for field in step.fields:
        value = given.get(field.id, "").strip()
        if value:
            found[field.id] = _value(field, value)
    if found or not rest:
        return found
    for part in _SEPARATOR.split(rest):
        pair = _PAIR.match(part)
        named = next((item for item in step.fields if pair and _is(item, pair[1])), None)
        if pair and named is not None:
            found[named.id] = _value(named, pair[2].strip())
    if not found:
        unanswered = [item for item in step.fields if not state.answers.get(item.id)]
        required = [item for item in unanswered if item.required] or unanswered
        if required:
            found[required[0].id] = _value(required[0], rest)
    return found


def option_of(step: Decision, word: str) -> str:
    """The option meant by its number, id or label; the word itself where none is."""
    wanted = narrow(word.strip()).lower()
    if wanted.isdigit() and 0 < int(wanted) <= len(step.options):
        return step.options[int(wanted) - 1].id
    return _choice(step.options, wanted) or word.strip()


def items_of(step: Checklist, words: str) -> tuple[str, ...] | None:
    """The items meant by numbers, ids or ``all``; None where a word means nothing."""
    wanted = [word for word in re.split(r"[\s,，、]+", narrow(words.strip().lower())) if word]
    if not wanted or wanted[0] in ("all", "全部", "都"):
        return ()
    found = []
    for word in wanted:
        if word.isdigit() and 0 < int(word) <= len(step.items):
            found.append(step.items[int(word) - 1].id)
        elif any(item.id == word for item in step.items):
            found.append(word)
        else:
            return None
    return tuple(found)


def _is(field: QuestionField, word: str) -> bool:
    wanted = word.strip().lower()
    return wanted in (field.id, (field.fact or "").lower(), field.label.zh.lower(), field.label.en.lower())


def _value(field: QuestionField, value: str) -> str:
    """An answer as it is kept: yes or no, an option by its id, anything else as it was said."""
    lowered = value.strip().lower()
    if field.type == "yes_no":
        if lowered in YES or lowered in NO:
            return "yes" if lowered in YES else "no"
        raise UserError("error.answer_yes_no", field=field.label.en or field.id, value=value[:40])
    if field.type == "choice" and field.options:
        if chosen := _choice(field.options, lowered):
            return chosen
        options = [option.id for option in field.options]
        raise UserError("error.answer_option", field=field.id, value=value[:40], options=options)
    if field.type == "number":
        number = narrow(value).replace(",", "").strip()
        if not re.fullmatch(r"-?\d+(\.\d+)?", number):
            raise UserError("error.answer_number", field=field.id, value=value[:40])
        return number
    return value.strip()


def _choice(options: tuple[Choice, ...], word: str) -> str:
    wanted = word.strip().lower()
    for option in options:
        if wanted in (option.id.lower(), option.label.zh.lower(), option.label.en.lower()):
            return option.id
    return ""
