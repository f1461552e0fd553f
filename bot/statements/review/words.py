"""Words that a rule looks for, less what its exceptions, quotations and questions take back."""

from collections.abc import Iterator

from bot.statements.review.findings import Hit
from bot.statements.review.rules import Compiled, Rule
from bot.statements.review.text import Reading, Span, inside


def matches(reading: Reading, compiled: Compiled) -> Iterator[Span]:
    """Places of a pattern that no exception touches."""
    found = [(match.start(), match.end()) for match in compiled.find.finditer(reading.encoded)]
    if not found:
        return
    taken_back = []
    if compiled.unless is not None:
        taken_back = [(match.start(), match.end()) for match in compiled.unless.finditer(reading.encoded)]
    at = 0
    for start, end in found:
        while at < len(taken_back) and taken_back[at][1] <= start:
            at += 1
        if at < len(taken_back) and taken_back[at][0] < end:
            continue
        if start < end:
            yield reading.place(start), reading.place(end)


def hits(rule: Rule, reading: Reading) -> Iterator[Hit]:
    for language in reading.languages:
        compiled = rule.patterns.get(language)
        if compiled is None:
            continue
        for span in matches(reading, compiled):
            if "quoted" in rule.skip and inside(span, reading.quoted):
                continue
            if "questions" in rule.skip and inside(span, reading.questions):
                continue
            yield Hit(rule.id, *span)
