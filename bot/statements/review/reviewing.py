"""What all checks of one review share: the reading, the context, the fact sheet, and the named signals of the rules."""

from bisect import bisect_left
from functools import cached_property

from bot.model.statement import ReviewContext, Version
from bot.model.text import Text
from bot.statements.review.numbers import Quantity, quantities
from bot.statements.review.rules import Compiled, Rules
from bot.statements.review.sheet import Sheet, quantities_of
from bot.statements.review.text import Reading, Span, fold
from bot.statements.review.words import matches


class Reviewing:
    """One review at work."""

    def __init__(self, rules: Rules, version: Version, context: ReviewContext) -> None:
        self.rules, self.version, self.context = rules, version, context
        self.reading = Reading.of(version.text, version.language)
        self._signals: dict[str, tuple[Span, ...]] = {}

    @cached_property
    def sheet(self) -> Sheet:
        return Sheet(self.context)

    @cached_property
    def unfilled(self) -> tuple[Span, ...]:
        """Placeholders and marks of unknown facts: what stands in them is no text yet."""
        return self.signal("unfilled")

    @cached_property
    def vouched_texts(self) -> tuple[str, ...]:
        """Folded texts in which a name or an address may stand that is then known to us."""
        context = self.context
        facts = (f"{fact.label}\n{fact.value}" for fact in context.facts.values() if fact.confirmed)
        published = (f"{text.title}\n{text.body}" for text in context.earlier if text.published_at)
        return tuple(fold(text) for text in (*facts, *published, *context.subject_names))

    @cached_property
    def quantities(self) -> tuple[Quantity, ...]:
        """Every number, amount, date and time of the text."""
        return quantities(self.reading.folded)

    @cached_property
    def template_quantities(self) -> tuple[Quantity, ...]:
        """Numbers and times that the template itself says, whatever it was filled with."""
        return quantities_of(self.context.template_text)

    @cached_property
    def names(self) -> tuple[Span, ...]:
        """Where the subject's own names stand, rightly written; a 365 in a product's name is no number."""
        spans: set[Span] = set()
        for name in self.context.subject_names:
            folded = fold(name.strip())
            place = self.reading.folded.find(folded) if folded else -1
            while place >= 0:
                spans.add((place, place + len(folded)))
                place = self.reading.folded.find(folded, place + len(folded))
        return merged(spans)

    def signal(self, name: str) -> tuple[Span, ...]:
        """Where a named signal stands, in order and without overlaps, whatever its language."""
        if name not in self._signals:
            found: set[Span] = set()
            for language in self.reading.languages or ("zh-CN", "en"):
                compiled: Compiled | None = self.rules.signals[name].get(language)
                if compiled is not None:
                    found.update(matches(self.reading, compiled))
            self._signals[name] = merged(found)
        return self._signals[name]

    def holds(self, name: str, text: str) -> bool:
        """Whether another text has a named signal, in either language."""
        reading = Reading.of(text, "")
        return any(next(matches(reading, compiled), None) is not None for compiled in self.rules.signals[name].values())

    def named(self, signal: str) -> Text:
        """What people call a signal."""
        return Text(f"review.signal.{signal}")

    def says(self, name: str, span: Span) -> bool:
        """Whether a signal stands within a span."""
        spans = self.signal(name)
        return any(start < span[1] and span[0] < end for start, end in _around(spans, span))


def _around(spans: tuple[Span, ...], span: Span) -> tuple[Span, ...]:
    at = bisect_left(spans, span[0], key=lambda item: item[1])
    return spans[at : at + 2]


def merged(spans: set[Span]) -> tuple[Span, ...]:
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start < found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return tuple(found)
