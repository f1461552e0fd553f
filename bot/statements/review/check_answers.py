"""Whether the answer fits the crisis: compensation somebody agreed to, denials somebody verified, a strategy the
public will not turn against us, and what a reader still needs (Coombs, situational crisis communication theory)."""

from collections.abc import Iterator

from bot.model.statement import FactView
from bot.statements.review.findings import Hit
from bot.statements.review.reviewing import Reviewing
from bot.statements.review.sheet import confirmed
from bot.statements.review.text import Reading, Span, fold, inside

DENYING = ("denial", "attack_accuser", "scapegoat")
_NO = frozenset({"no", "none", "0", "false", "无", "没有", "否", "未发现", "不存在", "未泄露", "未发生", "not found"})
_COMPENSATING = ("compensation", "refund", "remedy", "offer", "credit", "repay", "goodwill")
_NEEDS = {
    "missing_empathy": ("empathy",),
    "missing_instruction": ("instruction",),
    "missing_next_update": ("next_update",),
    "missing_contact": ("contact",),
    "missing_report_items": ("report_time", "report_extent", "report_measure", "contact"),
}


def compensation(review: Reviewing) -> Iterator[Hit]:
    """Promises of money that no confirmed fact backs."""
    places = [span for span in review.signal("compensation") if _said(review.reading, span)]
    if places and not any(_pays(review, name, fact) for name, fact in confirmed(review.context.facts)):
        for span in places:
            yield Hit("unbacked_compensation", *span)


def _pays(review: Reviewing, name: str, fact: FactView) -> bool:
    return any(word in name for word in _COMPENSATING) or review.holds(
        "compensation_backing", f"{fact.label} {fact.value}"
    )


def _said(reading: Reading, span: Span) -> bool:
    """Whether words are our own: not quoted and not part of a question."""
    return not inside(span, reading.quoted) and not inside(span, reading.questions)


def denial(review: Reviewing) -> Iterator[Hit]:
    """Denials that nobody verified: of what is claimed, and of facts such as a leak."""
    if review.context.denial_verified:
        return
    for span in review.signal("denial_claim"):
        if _said(review.reading, span):
            yield Hit("denial_unverified", *span)
    places = [span for span in review.signal("denial_fact") if _said(review.reading, span)]
    if places and not any(_negative(review, fact) for _, fact in confirmed(review.context.facts)):
        for span in places:
            yield Hit("denial_unverified", *span, because="fact")


def _negative(review: Reviewing, fact: FactView) -> bool:
    value = fold(fact.value).strip(" .。")
    return value in _NO or review.holds("denial_fact", fact.value) or value.startswith(("没有", "未", "无", "no "))


def strategy(review: Reviewing) -> Iterator[Hit]:
    context = review.context
    end = len(review.reading.text)
    if context.strategy in DENYING and (
        context.cluster == "preventable" or (context.cluster == "accidental" and context.strategy != "denial")
    ):
        yield Hit("strategy_mismatch", 0, 0, {"strategy": context.strategy, "cluster": context.cluster})
    if context.strategy == "apology" and not review.signal("apology"):
        yield Hit("apology_absent", end, end)


def missing(review: Reviewing) -> Iterator[Hit]:
    """What a reader of this audience looks for and does not find; pointed at the end of the text."""
    end = len(review.reading.text)
    length = sum(1 if ord(character) > 0x2E7F else 0.4 for character in review.reading.text if not character.isspace())
    for rule, needed in _NEEDS.items():
        found = review.rules.by_id.get(rule)
        if found is None or length < found.least:
            continue
        absent = [name for name in needed if not review.signal(name)]
        if absent:
            yield Hit(rule, end, end, {"items": [review.named(name) for name in absent]})
