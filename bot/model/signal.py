"""Signals: measured reasons to worry, and the assessment they add up to."""

from dataclasses import dataclass, field
from typing import Any

from bot.model.grade import Grade


@dataclass(frozen=True, slots=True)
class Signal:
    """One measurement that reached a threshold.

    ``metric`` is a name of ``bot.warning.metrics``; ``value`` its measured value (a count, a share 0–1, a ratio);
    ``threshold`` what it was compared with; ``baseline`` what is usual at this hour of the week, ``None`` where the
    history is too short to say; ``posts`` are store sequence numbers of example posts it rests on.
    """

    metric: str
    window_minutes: int
    value: float
    threshold: float
    grade: Grade
    baseline: float | None = None
    detail: str = ""
    posts: tuple[int, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "metric": self.metric,
            "window_minutes": self.window_minutes,
            "value": round(self.value, 4),
            "threshold": self.threshold,
            "grade": self.grade.word,
            "baseline": None if self.baseline is None else round(self.baseline, 2),
            "detail": self.detail,
            "posts": list(self.posts),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Signal":
        return cls(
            metric=data["metric"],
            window_minutes=int(data["window_minutes"]),
            value=float(data["value"]),
            threshold=float(data["threshold"]),
            grade=Grade.from_word(data["grade"]),
            baseline=data.get("baseline"),
            detail=data.get("detail", ""),
            posts=tuple(data.get("posts", ())),
        )


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the warning room says of one subject and family at one moment."""

    subject: str
    family: str
    grade: Grade
    signals: tuple[Signal, ...] = ()
    types: tuple[tuple[str, int], ...] = field(default=())
