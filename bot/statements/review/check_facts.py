"""Facts: nothing unfilled, nothing unconfirmed, nothing this audience may not know yet, no number out of the air."""

from collections.abc import Iterator

from bot.statements.review.findings import Hit
from bot.statements.review.numbers import Quantity
from bot.statements.review.reviewing import Reviewing
from bot.statements.review.text import Span, inside, touches

_ENOUGH = 400  # numbers without a fact; nobody mends more of them at once, and a hostile text ends here
_LOOKING_BACK = ("近", "过去", "过去的", "最近", "此前", "last", "past", "previous")  # a window of counting, no promise


def check(review: Reviewing) -> Iterator[Hit]:
    yield from _used(review)
    count = 0
    for quantity in review.quantities:
        hit = _judged(review, quantity)
        if hit is not None:
            yield hit
            count += 1
        if count == _ENOUGH:
            return


def _used(review: Reviewing) -> Iterator[Hit]:
    facts = review.context.facts
    for name, (start, end) in review.sheet.uses(review.reading.folded):
        rule = "not_for_this_audience" if facts[name].confirmed else "unconfirmed_fact"
        yield Hit(rule, start, end, {"fact": review.sheet.label(name)})


def _judged(review: Reviewing, quantity: Quantity) -> Hit | None:
    span: Span = (quantity.start, quantity.end)
    sheet, words, folded = review.sheet, review.reading.text[quantity.start : quantity.end], review.reading.folded
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
    if quantity.kind == "time" and review.says("service_hours", span):
        return None
    if quantity.timely and review.says("as_of", review.reading.clause_at(quantity.start)):
        return None
    if inside(span, review.reading.quoted) and not quantity.kind:
        return None
    if quantity.kind == "duration" and folded[max(0, span[0] - 9) : span[0]].rstrip().endswith(_LOOKING_BACK):
        return None
    if any(quantity.same(own) for own in review.template_quantities):
        return Hit("number_of_template", *span)
    if quantity.timely and review.says("promise", review.reading.sentence_at(quantity.start)):
        return Hit("promised_time", *span)
    if nearest := sheet.nearest(quantity):
        fact_value = review.context.facts[nearest].value
        return Hit("number_not_in_facts", *span, {"fact": sheet.label(nearest), "value": fact_value}, "near")
    return Hit("number_not_in_facts", *span)
