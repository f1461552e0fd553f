"""Facts: nothing unfilled, nothing unconfirmed, nothing this audience may not know yet, no number out of the air."""

from collections.abc import Iterator

from bot.statements.review.findings import Hit
from bot.statements.review.numbers import Quantity, quantities
from bot.statements.review.reviewing import Reviewing
from bot.statements.review.text import Span, inside, touches


def check(review: Reviewing) -> Iterator[Hit]:
    yield from _used(review)
    for quantity in quantities(review.reading.folded):
        hit = _judged(review, quantity)
        if hit is not None:
            yield hit


def _used(review: Reviewing) -> Iterator[Hit]:
    facts = review.context.facts
    for name, (start, end) in review.sheet.uses(review.reading.folded):
        rule = "not_for_this_audience" if facts[name].confirmed else "unconfirmed_fact"
        yield Hit(rule, start, end, {"fact": review.sheet.label(name)})


def _judged(review: Reviewing, quantity: Quantity) -> Hit | None:
    span: Span = (quantity.start, quantity.end)
    sheet, words = review.sheet, review.reading.text[quantity.start : quantity.end]
    if touches(span, review.unfilled) or inside(span, review.names) or inside(span, review.reading.questions):
        return None
    if sheet.backed(quantity, words):
        return None
    if fact := sheet.unconfirmed(quantity):
        return Hit("unconfirmed_fact", *span, {"fact": sheet.label(fact)})
    if fact := sheet.not_for_them(quantity):
        return Hit("not_for_this_audience", *span, {"fact": sheet.label(fact)})
    if quantity.timely and review.says("next_update", review.reading.sentence_at(quantity.start)):
        return None
    if quantity.timely and review.says("as_of", review.reading.clause_at(quantity.start)):
        return None
    if inside(span, review.reading.quoted) and not quantity.kind:
        return None
    if quantity.timely and review.says("promise", review.reading.sentence_at(quantity.start)):
        return Hit("promised_time", *span)
    if nearest := sheet.nearest(quantity):
        fact_value = review.context.facts[nearest].value
        return Hit("number_not_in_facts", *span, {"fact": sheet.label(nearest), "value": fact_value}, "near")
    return Hit("number_not_in_facts", *span)
