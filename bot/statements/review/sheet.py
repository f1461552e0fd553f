"""What the fact sheet, published texts and the day itself vouch for, and which facts a text uses."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from bot.model.statement import FactView, ReviewContext
from bot.statements.review.numbers import Quantity, quantities
from bot.statements.review.rules import data
from bot.statements.review.text import Span, fold

_PIECE = re.compile(r"[^，,。；;！!？?\n、：:]+")
_LEAST_HAN, _LEAST_LATIN = 4, 8
_USES = 5  # places of one value that are worth naming
_UTC_RANGE = (timedelta(hours=-12), timedelta(0), timedelta(hours=14))  # wherever the author is
_DIGITS = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class Known:
    """A quantity and the fact that it comes from."""

    fact: str
    quantity: Quantity


@lru_cache(maxsize=512)
def quantities_of(text: str) -> tuple[Quantity, ...]:
    return quantities(fold(text))


class Sheet:
    """The facts of one review, their values taken apart."""

    def __init__(self, context: ReviewContext) -> None:
        self.context = context
        self.vouched: list[Known] = []
        self.unvouched: list[Known] = []
        self.untold: list[Known] = []
        for name, fact in context.facts.items():
            known = [Known(name, quantity) for quantity in quantities_of(fact.value)]
            if not fact.confirmed:
                self.unvouched += known
            elif not self.tellable(name):
                self.untold += known
            else:
                self.vouched += known
        self._published = [
            quantity
            for earlier in context.earlier
            if earlier.published_at
            for quantity in quantities_of(f"{earlier.title}\n{earlier.body}")
        ]
        self._own = list(_own_days(context.now))
        self._numbers = {_digits(number) for number in context.hotlines} | set(data("numbers.yaml")["public_numbers"])

    def tellable(self, name: str) -> bool:
        """Whether the audience may be told; what a text says of itself (contact, next update) always may."""
        tellable = self.context.tellable
        return tellable is None or name in tellable or name in data("numbers.yaml")["always_tellable"]

    def backed(self, quantity: Quantity, words: str) -> bool:
        """Whether a confirmed fact, a published text, or the day of the statement stands behind a quantity."""
        return (
            any(quantity.same(known.quantity) for known in self.vouched)
            or any(quantity.same(own) for own in self._own)
            or any(quantity.same(published) for published in self._published)
            or (not quantity.kind and _digits(words) in self._numbers)
        )

    def unconfirmed(self, quantity: Quantity) -> str:
        """The name of an unconfirmed fact that a quantity comes from, or nothing."""
        return next((known.fact for known in self.unvouched if quantity.same(known.quantity)), "")

    def not_for_them(self, quantity: Quantity) -> str:
        """The name of a fact that this audience is not told and that a quantity comes from, or nothing."""
        return next((known.fact for known in self.untold if quantity.same(known.quantity)), "")

    def nearest(self, quantity: Quantity) -> str:
        """The fact that an author probably meant: the only one of the same kind, or nothing."""
        same = {known.fact for known in self.vouched if known.quantity.kind == quantity.kind and quantity.kind}
        return same.pop() if len(same) == 1 else ""

    def label(self, name: str) -> str:
        fact = self.context.facts.get(name)
        return (fact.label or name) if fact else name

    def uses(self, folded: str) -> Iterator[tuple[str, Span]]:
        """``(fact, place)`` where words of a fact that is unconfirmed or not for this audience stand in a text."""
        open_values = "\n".join(
            fold(fact.value) for name, fact in self.context.facts.items() if fact.confirmed and self.tellable(name)
        )
        for name, fact in self.context.facts.items():
            if fact.confirmed and self.tellable(name):
                continue
            for piece in _pieces(fact):
                if piece in open_values:
                    continue
                place, count = folded.find(piece), 0
                while place >= 0 and count < _USES:
                    yield name, (place, place + len(piece))
                    place, count = folded.find(piece, place + len(piece)), count + 1


def _pieces(fact: FactView) -> list[str]:
    """The parts of a value that are long enough to be recognised: a short yes stands everywhere."""
    found = []
    for match in _PIECE.finditer(fold(fact.value)):
        piece = match[0].strip(" .\"'“”()（）")
        if len(piece) >= (_LEAST_LATIN if piece.isascii() else _LEAST_HAN) and not _DIGITS.match(piece):
            found.append(piece)
    return found


def _own_days(now: int) -> Iterator[Quantity]:
    if now <= 0:
        return
    try:
        moment = datetime.fromtimestamp(now / 1000, UTC)
        days = {(moment + shift).date() for shift in _UTC_RANGE}
    except (OverflowError, ValueError, OSError):  # no such day
        return
    for day in sorted(days):
        yield Quantity(0, 0, "date", (day.year, day.month, day.day))


def _digits(number: str) -> str:
    return "".join(_DIGITS.findall(number))


def confirmed(facts: Mapping[str, FactView]) -> Iterator[tuple[str, FactView]]:
    yield from ((name, fact) for name, fact in facts.items() if fact.confirmed)
