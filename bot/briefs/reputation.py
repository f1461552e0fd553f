"""The reputation index of a subject over a period: 0 to 100, the sum of four parts that are shown with it.

======== ==== ========================================================================================
part     most formula
======== ==== ========================================================================================
mood       40 ``40 * (1 - negative / mentions)``
balance    20 ``20 * (positive + 1) / (positive + negative + 2)``: of those who took a side, how many ours
calm       25 ``25 * exp(-sum(severity * part of the period))`` over the incidents that were live; severity
              0.3 blue, 0.8 yellow, 1.6 orange, 3 red by their peak
answer     15 ``15 *`` share of the yellow and worse incidents answered publicly within 24 hours of the
              first alert; full where there were none
======== ==== ========================================================================================

Under 20 mentions there is no index: three posts are no reputation. The weights are ours and the same for everybody, so
that one brief can be compared with the next; they measure what is said in public, not what people think.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bot.model.grade import Grade

MOOD, BALANCE, CALM, ANSWER = 40, 20, 25, 15
ENOUGH = 20
SEVERITY = {Grade.NONE: 0.0, Grade.BLUE: 0.3, Grade.YELLOW: 0.8, Grade.ORANGE: 1.6, Grade.RED: 3.0}


@dataclass(frozen=True, slots=True)
class Burden:
    """An incident as the index sees it. ``part``: how much of the period it was live, 0–1; ``answered`` within a day,
    None where the grade asks for no public answer."""

    grade: Grade
    part: float
    answered: bool | None


@dataclass(frozen=True, slots=True)
class Reputation:
    mood: int
    balance: int
    calm: int
    answer: int

    @property
    def value(self) -> int:
        return self.mood + self.balance + self.calm + self.answer

    def parts(self) -> list[tuple[str, int, int]]:
        """``(name, points, most)``."""
        return [
            ("mood", self.mood, MOOD), ("balance", self.balance, BALANCE), ("calm", self.calm, CALM),
            ("answer", self.answer, ANSWER),
        ]  # fmt: skip


def reputation(mentions: int, negative: int, positive: int, incidents: Sequence[Burden]) -> Reputation | None:
    """The index, or None under ``ENOUGH`` mentions."""
    if mentions < ENOUGH:
        return None
    asked = [one.answered for one in incidents if one.answered is not None]
    weight = sum(SEVERITY[one.grade] * min(1.0, max(0.0, one.part)) for one in incidents)
    return Reputation(
        mood=round(MOOD * (1 - min(negative, mentions) / mentions)),
        balance=round(BALANCE * (positive + 1) / (positive + negative + 2)),
        calm=round(CALM * math.exp(-weight)),
        answer=round(ANSWER * (sum(asked) / len(asked) if asked else 1.0)),
    )
