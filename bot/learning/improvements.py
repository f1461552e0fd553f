"""What the record itself says should change: pure, from an incident's moments, its gaps and what the team answered."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.incidents import words
from bot.learning.moments import Moments
from bot.model.text import Text
from bot.store.retrospectives import Answer

MOST = 12
SPEAKING = frozenset({"held", "missing"})  # questions whose answers are wishes
LATE_POSTS = 3  # fewer posts that came in late say nothing of a source


@dataclass(frozen=True, slots=True)
class Gap:
    """A source that did not show what it should have: ``posts`` were published before the first alert and collected
    after it, or it was ``blind`` during the incident."""

    source: str
    posts: tuple[int, ...] = ()
    blind: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """``origin`` names what it comes from, so that it is proposed once."""

    origin: str
    text: Text


def proposals(found: Moments, gaps: Sequence[Gap], answers: Sequence[Answer], language: str) -> list[Proposal]:
    """At most a dozen, what took time first."""
    made = [
        Proposal(f"step:{step.reference.id}", Text(f"action.from_{step.outcome}", {
            "step": step.reference.id, "title": step.title.in_language(language),
            "late": words.duration(step.late_by or 0), "reason": step.reason or Text("retro.no_reason"),
        }))
        for outcome in ("late", "missed", "skipped") for step in found.steps_of(outcome)
    ]  # fmt: skip
    for gap in gaps:
        if gap.blind:
            made.append(Proposal(f"blind:{gap.source}", Text("action.from_blind", {"source": gap.source})))
        elif len(gap.posts) >= LATE_POSTS:
            params = {"source": gap.source, "n": len(gap.posts)}
            made.append(Proposal(f"gap:{gap.source}", Text("action.from_gap", params)))
    made += [
        Proposal(f"answer:{item.id}", Text("action.from_answer", {"answer": item.answer[:300]}))
        for item in answers if item.question in SPEAKING
    ]  # fmt: skip
    return made[:MOST]
