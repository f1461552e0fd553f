"""The machine review of a statement: findings that point at words and say why, always the same for the same input.

Rules are data (``rules/*.yaml``); what cannot be said by patterns is worked out by the checks of this package. Nothing
here reads a clock, a store or the network.
"""

from collections.abc import Callable, Iterator, Mapping

from bot.model.statement import Finding, ReviewContext, Version
from bot.statements.review import (
    check_answers,
    check_contradiction,
    check_dates,
    check_facts,
    check_form,
    check_links,
    check_names,
    check_people,
)
from bot.statements.review.findings import Collected, Hit
from bot.statements.review.reviewing import Reviewing
from bot.statements.review.rules import Rules, shipped
from bot.statements.review.words import hits

__all__ = ["CHECKS", "review", "review_with"]

CHECKS: Mapping[str, Callable[[Reviewing], Iterator[Hit]]] = {
    "facts": check_facts.check,
    "compensation": check_answers.compensation,
    "denial": check_answers.denial,
    "strategy": check_answers.strategy,
    "missing": check_answers.missing,
    "contradiction": check_contradiction.check,
    "contacts": check_people.contacts,
    "names": check_people.names,
    "internal": check_people.internal,
    "form": check_form.form,
    "links": check_links.links,
    "subject_names": check_names.check,
    "dates": check_dates.check,
}
"""What a rule's ``check`` may name. One check may serve several rules; it runs once."""


def review(version: Version, context: ReviewContext) -> tuple[Finding, ...]:
    """What is to be said about a text, in the order of its places. Raises ``RuleError`` for broken rule files only."""
    return review_with(shipped(), version, context)


def review_with(rules: Rules, version: Version, context: ReviewContext) -> tuple[Finding, ...]:
    """``review`` by rules of one's own."""
    reviewing = Reviewing(rules, version, context)
    reading = reviewing.reading
    collected = Collected(rules, reading, context)
    checks = dict.fromkeys(rule.check for rule in rules.rules if rule.check)
    for name in checks:
        for hit in CHECKS[name](reviewing):
            if hit.rule in rules.by_id:
                collected.add(hit)
    for rule in rules.rules:
        if rule.patterns and rule.severity(context) is not None:
            for hit in hits(rule, reading):
                collected.add(hit)
    return collected.findings()
