"""The linter on shared templates: gaps that no plan would fill, strategies that all avoid, moments unsaid."""

from collections.abc import Iterator

from bot.model.text import Text
from bot.response.findings import Complaint, Finding
from bot.response.library import Library
from bot.response.lint_conditions import near
from bot.response.lint_texts import braces, languages, languages_differ
from bot.response.parts import FIVE_W_ONE_H, KNOWN_KINDS, Template
from bot.response.release import rules_for
from bot.response.schema import Playbook
from bot.response.vocabulary import TEXT_FIELDS, fact_ids
from bot.yaml_lines import line_of


def lint_shared(library: Library, names: set[str] | None = None) -> Iterator[Finding]:
    """The findings of the shared templates, or of some of them."""
    for name, template in library.templates.items():
        source = library.shared.get(name)
        if source is None or (names is not None and name not in names):
            continue
        for item in _complaints(name, template, library.playbooks()):
            key = Text(f"playbook.{item.key}", item.params)
            yield Finding(item.severity, source.file, line_of(source.root, item.place), key)


def _complaints(name: str, template: Template, playbooks: list[Playbook]) -> Iterator[Complaint]:
    yield from languages(template, ())
    fitting = [plan for plan in playbooks if set(plan.crisis_types) & set(template.crisis_types)]
    facts = {*FIVE_W_ONE_H, *(fact for plan in fitting for fact in fact_ids(plan))}
    allowed = {*facts, *TEXT_FIELDS, *template.fields}
    for part, words in (("title", template.title), ("body", template.body)):
        for language, text in (("zh-CN", words.zh), ("en", words.en)):
            yield from braces(text, (part, language), allowed)
    yield from languages_differ(name, template, ("body",))
    wanted = template.title.placeholders() | template.body.placeholders()
    for field in sorted(template.fields.keys() - wanted):
        yield Complaint("note", ("fields", field), "lint_field_unused", {"name": field})
    if template.variant is None or template.strategy is None:
        yield Complaint("note", (), "lint_template_no_moment", {"name": name})
    yield from _fit(template, playbooks, wanted & facts)


def _fit(template: Template, playbooks: list[Playbook], facts: set[str]) -> Iterator[Complaint]:
    """Whether the plans for a kind of crisis would let such a text be used at all."""
    for index, kind in enumerate(template.crisis_types):
        place = ("crisis_types", index)
        plans = [plan for plan in playbooks if kind in plan.crisis_types]
        if not plans and kind not in KNOWN_KINDS:
            params = {"kind": kind, "near": near(kind, sorted(KNOWN_KINDS))}
            yield Complaint("warning", place, "lint_template_unknown_kind", params)
        if plans and all(template.strategy in plan.scct.avoid for plan in plans):
            avoided = Text(f"strategy.{template.strategy}")
            yield Complaint("warning", ("strategy",), "lint_template_avoided", {"kind": kind, "strategy": avoided})
        # The plan that closes least decides: one way to use the text is enough.
        closed = min((_closed(plan, template.audience, facts) for plan in plans), key=len, default=[])
        if closed:
            told = {"kind": kind, "facts": closed, "audience": Text(f"audience.{template.audience}")}
            yield Complaint("warning", ("body",), "lint_template_closed", told)


def _closed(plan: Playbook, audience: str, facts: set[str]) -> list[str]:
    """Facts that a plan releases to an audience at no grade, or does not know of."""
    rules = rules_for(plan, audience)
    return sorted(facts - {fact for rule in rules for fact in rule.facts}) if rules else []
