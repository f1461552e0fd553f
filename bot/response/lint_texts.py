"""Texts, roles and references: a language not written, a template nobody can fill, a role that nobody has."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

from pydantic import BaseModel

from bot.model.text import Text
from bot.response.findings import Complaint
from bot.response.library import Library
from bot.response.lint_conditions import near
from bot.response.parts import KNOWN_KINDS, Template
from bot.response.release import rules_for
from bot.response.schema import Playbook
from bot.response.steps import Action, AutoReply, Checklist, Decision, StatementStep
from bot.response.values import Words
from bot.response.vocabulary import TEXT_FIELDS, fact_ids, filled_facts
from bot.yaml_lines import Place

_BRACES = re.compile(r"\{([^{}]*)\}")
_FIELD = re.compile(r"[a-z][a-z0-9_]*")
SECTIONS = ("media_line", "contacts", "release", "compensation", "recovery", "support")


def lint_texts(playbook: Playbook, library: Library, today: date) -> Iterator[Complaint]:
    yield from languages(playbook, ())
    yield from _twice(playbook)
    yield from _roles(playbook)
    yield from _templates(playbook, library)
    yield from _frame(playbook, library, today)


def languages(node: Any, place: Place) -> Iterator[Complaint]:
    """Every text of a playbook or template that is not written in both languages."""
    if isinstance(node, Words):
        for language in node.missing():
            yield Complaint("error", place, "lint_language_missing", {"language": language})
    elif isinstance(node, BaseModel):
        for name, field in type(node).model_fields.items():
            yield from languages(getattr(node, name), (*place, field.alias or name))
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from languages(value, (*place, str(key)))
    elif isinstance(node, tuple):
        for index, value in enumerate(node):
            yield from languages(value, (*place, index))


def _twice(node: Any, place: Place = ()) -> Iterator[Complaint]:
    """Ids that stand twice in one list."""
    if isinstance(node, BaseModel) and not isinstance(node, Words):
        for name, field in type(node).model_fields.items():
            yield from _twice(getattr(node, name), (*place, field.alias or name))
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _twice(value, (*place, str(key)))
    elif isinstance(node, tuple):
        seen: set[str] = set()
        for index, value in enumerate(node):
            own_id = getattr(value, "id", None)
            if own_id is not None and own_id in seen:
                yield Complaint("error", (*place, index, "id"), "lint_id_twice", {"id": own_id})
            seen.add(str(own_id))
            yield from _twice(value, (*place, index))


def _mentions(playbook: Playbook) -> Iterator[tuple[Place, str]]:
    """Every place that names a role."""
    if playbook.defaults.escalate:
        yield ("defaults", "escalate", "to"), playbook.defaults.escalate.to
    for index, step in enumerate(playbook.steps):
        here: Place = ("steps", index)
        if step.role:
            yield (*here, "role"), step.role
        if step.escalate:
            yield (*here, "escalate", "to"), step.escalate.to
        if isinstance(step, Decision):
            yield from (((*here, "voters", position), name) for position, name in enumerate(step.voters))
        if isinstance(step, StatementStep):
            yield from (((*here, "approve", position), name) for position, name in enumerate(step.approve))
        if isinstance(step, AutoReply):
            yield (*here, "hand_over"), step.hand_over
        if isinstance(step, Checklist):
            yield from (((*here, "items", n, "role"), item.role) for n, item in enumerate(step.items) if item.role)
    for index, contact in enumerate(playbook.contacts):
        yield ("contacts", index, "role"), contact.role
    for index, release in enumerate(playbook.release):
        yield from ((("release", index, "approve", n), name) for n, name in enumerate(release.approve))
    for index, quiz in enumerate(playbook.quiz):
        yield from ((("quiz", index, "roles", n), name) for n, name in enumerate(quiz.roles))
    if playbook.compensation:
        yield from ((("compensation", "approve", n), name) for n, name in enumerate(playbook.compensation.approve))
    if playbook.media_line:
        yield ("media_line", "spokesperson"), playbook.media_line.spokesperson
    if playbook.support:
        yield ("support", "role"), playbook.support.role


def _roles(playbook: Playbook) -> Iterator[Complaint]:
    known = list(playbook.roles)
    used = Counter[str]()
    for place, name in _mentions(playbook):
        used[name] += 1
        if name not in playbook.roles:
            yield Complaint("error", place, "lint_unknown_role", {"name": name, "near": near(name, known)})
    for name in known:
        if not used[name]:
            yield Complaint("note", ("roles", name), "lint_role_unused", {"name": name})
    for index, step in enumerate(playbook.steps):
        if step.escalate and step.escalate.to == step.role:
            yield Complaint(
                "warning", ("steps", index, "escalate", "to"), "lint_escalates_to_itself", {"step": step.id}
            )


def _templates(playbook: Playbook, library: Library) -> Iterator[Complaint]:
    used: set[str] = set()
    for index, step in enumerate(playbook.steps):
        if not isinstance(step, StatementStep | AutoReply):
            if isinstance(step, Action):
                for name, value in step.params.items():
                    yield from braces(value, ("steps", index, "params", name), {*fact_ids(playbook), *TEXT_FIELDS})
            continue
        used.add(step.template)
        template = library.template(playbook, step.template)
        here: Place = ("steps", index)
        if template is None:
            known = [*playbook.templates, *library.templates]
            params = {"name": step.template, "near": near(step.template, known)}
            yield Complaint("error", (*here, "template"), "lint_unknown_template", params)
        elif isinstance(step, StatementStep):
            if template.audience != step.audience:
                params = {"name": step.template, "audience": template.audience, "wanted": step.audience}
                yield Complaint("warning", (*here, "audience"), "lint_audience_differs", params)
            if not step.approve:
                yield Complaint("warning", here, "lint_no_approval", {"step": step.id})
        if template is not None:
            yield from _released(playbook, step, template, here)
    for name, template in playbook.templates.items():
        yield from _template(name, template, playbook)
        if name not in used:
            yield Complaint("note", ("templates", name), "lint_template_unused", {"name": name})


def _released(
    playbook: Playbook, step: StatementStep | AutoReply, template: Template, here: Place
) -> Iterator[Complaint]:
    """A text that is due at a grade says only what may be told to its audience then; else it stays full of gaps."""
    if not playbook.release:
        return  # said once for the whole: there is no such section
    grade = max(step.from_grade or playbook.grades.start, playbook.grades.start)
    rules = rules_for(playbook, template.audience)
    told = {fact for rule in rules if rule.from_grade <= grade for fact in rule.facts}
    withheld = sorted((template.body.placeholders() & set(fact_ids(playbook))) - told)
    if withheld:
        params = {
            "name": step.template, "facts": withheld, "audience": Text(f"audience.{template.audience}"),
            "grade": Text(f"grade.{grade.word}"),
        }  # fmt: skip
        yield Complaint("warning", (*here, "template"), "lint_not_released", params)


def _template(name: str, template: Template, playbook: Playbook) -> Iterator[Complaint]:
    place: Place = ("templates", name, "body")
    facts = set(fact_ids(playbook))
    allowed = {*facts, *TEXT_FIELDS, *template.fields}
    for language, text in (("zh-CN", template.body.zh), ("en", template.body.en)):
        yield from braces(text, (*place, language), allowed)
    wanted = template.body.placeholders()
    if not wanted:
        yield Complaint("warning", place, "lint_template_without_fields", {"name": name, "example": "{what}"})
    for field in sorted(wanted & facts - filled_facts(playbook)):
        yield Complaint("warning", place, "lint_fact_never_asked", {"name": field})
    for field in sorted(template.fields.keys() - wanted):
        yield Complaint("note", ("templates", name, "fields", field), "lint_field_unused", {"name": field})
    yield from languages_differ(name, template, place)


def languages_differ(name: str, template: Template, place: Place) -> Iterator[Complaint]:
    """The two languages of one text fill in different facts."""
    sides = [set(_BRACES.findall(text)) for text in (template.body.zh, template.body.en)]
    if all((template.body.zh, template.body.en)) and sides[0] != sides[1]:
        params = {"name": name, "fields": sorted(sides[0] ^ sides[1])}
        yield Complaint("warning", place, "lint_languages_differ", params)


def braces(text: str, place: Place, allowed: set[str]) -> Iterator[Complaint]:
    """Placeholders that nothing fills."""
    for inside in dict.fromkeys(_BRACES.findall(text)):
        if not _FIELD.fullmatch(inside) or inside not in allowed:
            params = {"name": inside, "near": near(inside, sorted(allowed))}
            yield Complaint("error", place, "lint_unknown_field", params)


def _frame(playbook: Playbook, library: Library, today: date) -> Iterator[Complaint]:
    """What concerns the playbook as a whole."""
    if playbook.review_by < today:
        params = {"day": playbook.review_by.isoformat(), "owner": playbook.owner}
        yield Complaint("note", ("review_by",), "lint_review_passed", params)
    for section in SECTIONS:
        if not getattr(playbook, section):
            yield Complaint("note", (), "lint_no_section", {"section": section})
    for strategy in sorted(set(playbook.scct.strategies) & set(playbook.scct.avoid)):
        yield Complaint("error", ("scct", "avoid"), "lint_strategy_both", {"strategy": strategy})
    if playbook.scct.cluster == "preventable":
        for denial in sorted({"denial", "attack_accuser", "scapegoat"} & set(playbook.scct.strategies)):
            yield Complaint("warning", ("scct", "strategies"), "lint_strategy_denies", {"strategy": denial})
    for index, kind in enumerate(playbook.crisis_types):
        if kind not in KNOWN_KINDS and not playbook.match.words:
            yield Complaint("warning", ("crisis_types", index), "lint_kind_needs_words", {"kind": kind})
    if playbook.auto_start and playbook.auto_start.start < playbook.grades.start:
        yield Complaint("warning", ("auto_start",), "lint_auto_start_early", {"grade": playbook.grades.start.word})
    facts = fact_ids(playbook)
    for index, release in enumerate(playbook.release):
        for position, name in enumerate(release.facts):
            if name not in facts:
                params = {"name": name, "near": near(name, facts)}
                yield Complaint("error", ("release", index, "facts", position), "lint_unknown_fact", params)
    for index, name in enumerate(playbook.related):
        if name not in library.entries:
            params = {"name": name, "near": near(name, list(library.entries))}
            yield Complaint("note", ("related", index), "lint_unknown_related", params)
