"""Conditions that cannot work: names nobody fills, values that never occur, sentences that can never be true."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from itertools import product
from math import prod

from bot.model.grade import Grade
from bot.response.condition import Comparison, Known, Value, comparisons, evaluate, parse_condition
from bot.response.findings import Complaint
from bot.response.parts import KNOWN_KINDS
from bot.response.schema import Playbook
from bot.response.steps import AutoReply, Decision, Question, WaitCondition
from bot.response.vocabulary import NUMBER_NAMES, SITUATION_NAMES, TRUTH_NAMES, fact_ids
from bot.yaml_lines import Place

MAXIMUM_CASES = 20_000


def lint_conditions(playbook: Playbook) -> Iterator[Complaint]:
    for place, text, lowest in conditions_of(playbook):
        expression = parse_condition(text)
        names_fit = True
        for asked in comparisons(expression):
            for complaint in _name(asked, place, playbook):
                names_fit = names_fit and complaint.severity != "error"
                yield complaint
        if names_fit and not _possible(text, lowest):
            yield Complaint("error", place, "lint_never_true", {"condition": text, "grade": lowest.word})


def conditions_of(playbook: Playbook) -> Iterator[tuple[Place, str, Grade]]:
    """Every condition with its place and the lowest grade at which it is asked."""
    lowest = playbook.grades.start
    for index, step in enumerate(playbook.steps):
        here: Place = ("steps", index)
        grade = max(lowest, step.from_grade or lowest)
        if step.when:
            yield (*here, "when"), step.when, grade
        if step.repeat and step.repeat.until:
            yield (*here, "repeat", "until"), step.repeat.until, Grade.NONE
        if isinstance(step, WaitCondition | AutoReply):
            yield (*here, "until"), step.until, Grade.NONE
    if playbook.auto_start and playbook.auto_start.when:
        yield ("auto_start", "when"), playbook.auto_start.when, playbook.auto_start.start
    if playbook.recovery:
        yield ("recovery", "close_when"), playbook.recovery.close_when, Grade.NONE


def sources_of(text: str, playbook: Playbook) -> list[set[str]]:
    """For every fact, decision or answer a condition needs: the steps that can provide it."""
    found: list[set[str]] = []
    for asked in comparisons(parse_condition(text)):
        head, _, rest = asked.name.partition(".")
        if head == "decision":
            found.append({rest})
        elif head == "answers":
            found.append({rest.partition(".")[0]})
        elif head == "facts":
            found.append({step.id for step in playbook.steps if isinstance(step, Question) and _fills(step, rest)})
    return [steps for steps in found if steps]


def _fills(step: Question, fact: str) -> bool:
    return any(item.fact == fact for item in step.fields)


def _name(asked: Comparison | Known, place: Place, playbook: Playbook) -> Iterator[Complaint]:
    head, _, rest = asked.name.partition(".")
    if head == "facts":
        yield from _fact(asked, rest, place, playbook)
    elif head == "decision":
        yield from _decision(asked, rest, place, playbook)
    elif head == "answers":
        yield from _answer(rest, place, playbook)
    elif asked.name in SITUATION_NAMES:
        yield from _values(asked, SITUATION_NAMES[asked.name], place)
        if asked.name == "type":
            own = {*KNOWN_KINDS, *playbook.crisis_types}
            yield from _values(asked, tuple(sorted(own)), place, severity="warning")
    elif asked.name in NUMBER_NAMES:
        if isinstance(asked, Comparison) and any(isinstance(value, str | bool) for value in _listed(asked)):
            yield Complaint("error", place, "lint_needs_number", {"name": asked.name})
    elif asked.name not in TRUTH_NAMES:
        known = [*SITUATION_NAMES, *TRUTH_NAMES, *NUMBER_NAMES, "facts.…", "decision.…", "answers.…"]
        yield Complaint("error", place, "lint_unknown_name", {"name": asked.name, "near": near(asked.name, known)})


def _fact(asked: Comparison | Known, name: str, place: Place, playbook: Playbook) -> Iterator[Complaint]:
    known = fact_ids(playbook)
    if name not in known:
        yield Complaint("error", place, "lint_unknown_fact", {"name": name, "near": near(name, known)})
        return
    if not any(isinstance(step, Question) and _fills(step, name) for step in playbook.steps):
        yield Complaint("warning", place, "lint_fact_never_asked", {"name": name})
    fact = next((item for item in playbook.facts if item.id == name), None)
    if fact and fact.options:
        yield from _values(asked, tuple(option.id for option in fact.options), place)


def _decision(asked: Comparison | Known, name: str, place: Place, playbook: Playbook) -> Iterator[Complaint]:
    decisions = {step.id: step for step in playbook.steps if isinstance(step, Decision)}
    if name not in decisions:
        yield Complaint("error", place, "lint_unknown_decision", {"name": name, "near": near(name, list(decisions))})
        return
    yield from _values(asked, tuple(option.id for option in decisions[name].options), place)


def _answer(name: str, place: Place, playbook: Playbook) -> Iterator[Complaint]:
    answers = [f"{step.id}.{item.id}" for step in playbook.steps if isinstance(step, Question) for item in step.fields]
    if name not in answers:
        yield Complaint("error", place, "lint_unknown_answer", {"name": name, "near": near(name, answers)})


def _values(
    asked: Comparison | Known, allowed: Sequence[str], place: Place, severity: str = "error"
) -> Iterator[Complaint]:
    """Values that the name can never have. An empty ``allowed`` permits every word."""
    if not allowed or isinstance(asked, Known):
        return
    for value in _listed(asked):
        if not isinstance(value, str) or value.casefold() not in {word.casefold() for word in allowed}:
            params = {"name": asked.name, "value": str(value), "allowed": list(allowed)}
            yield Complaint("warning" if severity == "warning" else "error", place, "lint_impossible_value", params)


def _listed(asked: Comparison) -> tuple[str | float | bool, ...]:
    return asked.value if isinstance(asked.value, tuple) else (asked.value,)


def near(name: str, known: Sequence[str]) -> str:
    """The known names that look like it, else all of them, for the end of a sentence."""
    close = get_close_matches(name, known, n=3, cutoff=0.5)
    return ", ".join(close or list(known)[:12]) or "—"


def _possible(text: str, lowest: Grade) -> bool:
    """Whether any situation from grade ``lowest`` on makes the condition true.

    Tries every name with each value it is compared to, one beside it on either side, and one that is none of them:
    enough to meet every outcome of its comparisons. With too many combinations the answer is yes.
    """
    expression = parse_condition(text)
    candidates: dict[str, set[Value]] = {}
    for asked in comparisons(expression):
        values = candidates.setdefault(asked.name, {"\x00"})
        if asked.name == "grade":
            values |= {grade.word for grade in Grade if grade >= lowest}
            values.discard("\x00")
        elif isinstance(asked, Comparison):
            for value in _listed(asked):
                if isinstance(value, int | float) and not isinstance(value, bool):
                    values |= {value - 1, value, value + 1}
                else:
                    values.add(value)
    if prod(map(len, candidates.values())) > MAXIMUM_CASES:
        return True
    return any(
        evaluate(expression, dict(zip(candidates, case, strict=True))) is True
        for case in product(*(sorted(values, key=repr) for values in candidates.values()))
    )
