"""One measured figure beside its target."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.model.text import Text


@dataclass(frozen=True, slots=True)
class Result:
    """``at_least`` or ``at_most`` is the target, in the unit of ``value``; neither: a figure for information."""

    name: Text
    value: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def met(self) -> bool | None:
        if self.at_least is not None:
            return self.value >= self.at_least
        return None if self.at_most is None else self.value <= self.at_most

    @property
    def shown(self) -> str:
        return f"{_number(self.value)} {self.unit}"

    @property
    def target_shown(self) -> str:
        if self.at_least is not None:
            return f"≥ {_number(self.at_least)} {self.unit}"
        return "" if self.at_most is None else f"≤ {_number(self.at_most)} {self.unit}"


def named(name: str, **params: object) -> Text:
    return Text(f"bench.{name}", params)


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile; not a number for no values."""
    if not values:
        return float("nan")
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, max(0, -(-int(share * 1000) * len(ranked) // 1000) - 1))]


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:,.2f}"
