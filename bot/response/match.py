"""Which playbook fits a situation: a ranked list with a score between 0 and 1 and the reasons in words. Pure.

Two independent hints say what the crisis is: its kinds as the analysis weighed them, and the words of the posts (words
a playbook lists, and its examples recognised in them). They join as independent evidence, 1 - (1 - a)(1 - b); industry,
grade and kind of subject then weigh the result, and policy posture, sensitive periods and past outcomes shift it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from bot.model.grade import CrisisType, Grade
from bot.model.text import Text
from bot.response.schema import Playbook
from bot.response.similarity import Recogniser, folded
from bot.response.words import TextWords, key_of
from bot.texts import has

KIND_SHARE = 0.8  # what a kind weighed 1.0 is worth by itself
WORDS_SHARE = 0.85  # what a perfect agreement of words is worth by itself
GENERIC_KINDS, GENERIC = frozenset({"complaint_surge"}), 0.7  # come with most crises: the particular plan is first
LATER_KIND = 0.6  # a playbook's second and further kinds count less than its first
WORD_WEIGHT = 0.35  # one listed word that no other playbook lists
UNLESS_FACTOR, UNLESS_KIND = 0.5, 0.7  # a word that speaks against it: for the words found, for the kind found
ALIKE_FULL, ALIKE_TOLD = 0.4, 0.2  # recognised as clearly as this counts whole; said from such a share of it on
OTHER_INDUSTRY, ANY_INDUSTRY = 0.55, 0.92
BELOW_GRADE, OTHER_SUBJECT, OTHER_PLATFORM = 0.7, 0.3, 0.9
PAST_SHIFT, PAST_RUNS = 0.12, 3
LEAST = 0.05
SHIFTS = frozenset(
    {"playbook.match_posture", "playbook.match_sensitive", "playbook.match_past_good", "playbook.match_past_bad"}
)
MAXIMUM_TEXT, MAXIMUM_POST, MAXIMUM_POSTS = 6_000, 600, 40


@dataclass(frozen=True, slots=True)
class Outcome:
    """What earlier runs of a playbook came to: how many, and how good on average (0 bad – 1 good)."""

    runs: int
    good: float


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known when a playbook is chosen. ``kinds`` may hold kinds that only playbooks know (``kol_incident``)."""

    kinds: Mapping[str, float] = field(default_factory=dict)
    industry: str = "general"
    grade: Grade = Grade.YELLOW
    subject_kind: str = "own"
    texts: Sequence[str] = ()
    platforms: Sequence[str] = ()
    posture: Literal["normal", "tightening"] = "normal"
    sensitive_period: bool = False
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Match:
    """``score`` 0–1; ``reasons`` the weightiest first, ready to be put into words."""

    playbook_id: str
    score: float
    reasons: tuple[Text, ...]

    def leading(self, limit: int) -> tuple[Text, ...]:
        """The first reasons. What moved the playbook up or down is always among them: people must see why the order is
        not what the words alone would make it."""
        moved = [reason for reason in self.reasons if reason.key in SHIFTS][:limit]
        return (*[reason for reason in self.reasons if reason.key not in SHIFTS][: limit - len(moved)], *moved)


KNOWN_INDUSTRIES = frozenset({"general", "internet-finance", "fintech", "telecom", "cloud"})


class Matcher:
    """The library prepared for comparing; make a new one when the library changes."""

    def __init__(self, playbooks: Sequence[Playbook]) -> None:
        self._playbooks = list(playbooks)
        # Listed in two inflections a word counts once.
        self._words = [
            {key_of(word): word for word in map(folded, playbook.match.words)} for playbook in self._playbooks
        ]
        self._not_words = [[folded(word) for word in playbook.match.not_words] for playbook in self._playbooks]
        listed: dict[str, int] = {}
        for words in self._words:
            for key in words:
                listed[key] = listed.get(key, 0) + 1
        self._listed = listed
        documents = [(row, text) for row, item in enumerate(self._playbooks) for text in _documents(item)]
        owners = [row for row, _ in documents]
        self._recogniser = Recogniser([text for _, text in documents], owners, len(self._playbooks))

    def rank(self, situation: Situation, limit: int = 0) -> list[Match]:
        """All playbooks that have something to do with the situation, best first; ``limit`` 0 is no limit."""
        text = TextWords(folded("\n".join(situation.texts)[:MAXIMUM_TEXT]))
        alike = self._alike(situation.texts)
        found = [self._one(row, playbook, situation, text, alike[row]) for row, playbook in enumerate(self._playbooks)]
        ranked = sorted(
            (match for match in found if match.score >= LEAST), key=lambda item: (-item.score, item.playbook_id)
        )
        return ranked[:limit] if limit else ranked

    def _alike(self, texts: Sequence[str]) -> list[float]:
        """For each playbook how clearly (0–1) its own examples are recognised in one post, or in all together."""
        posts = list(dict.fromkeys(folded(text[:MAXIMUM_POST]) for text in texts[:MAXIMUM_POSTS]))
        best = [0.0] * len(self._playbooks)
        for text in {*posts, "\n".join(posts)[:MAXIMUM_TEXT]}:
            for row, score in enumerate(self._recogniser.to(text)):
                best[row] = max(best[row], float(score))
        return [min(1.0, value / ALIKE_FULL) for value in best]

    def _one(self, row: int, playbook: Playbook, situation: Situation, text: TextWords, alike: float) -> Match:
        reasons: list[Text] = []
        kind_evidence = _kinds(playbook, situation, reasons)
        against = [word for word in self._not_words[row] if text.hold(word)]
        kind_evidence *= UNLESS_KIND ** len(against)
        word_evidence = self._word_evidence(row, text, alike, against, reasons)
        score = 1 - (1 - KIND_SHARE * kind_evidence) * (1 - WORDS_SHARE * word_evidence)
        score *= _frame(playbook, situation, reasons)
        score = _shift(score, playbook, situation, reasons)
        return Match(playbook.id, round(score, 4), tuple(reasons))

    def _word_evidence(
        self, row: int, text: TextWords, alike: float, against: Sequence[str], reasons: list[Text]
    ) -> float:
        held = {key: word for key, word in self._words[row].items() if text.hold(word)}
        remains = 1.0
        for key in held:
            # A word inside a longer one that was found says nothing new; one that many playbooks list says less.
            if not any(key != other and key in other for other in held):
                remains *= 1 - WORD_WEIGHT / self._listed[key] ** 0.5
        evidence = (1 - remains * (1 - alike)) * UNLESS_FACTOR ** len(against)
        if held:
            reasons.append(Text("playbook.match_words", {"words": list(held.values())[:5]}))
        if alike >= ALIKE_TOLD:
            reasons.append(Text("playbook.match_alike", {"score": f"{alike:.2f}"}))
        if against:
            reasons.append(Text("playbook.match_against", {"words": against[:3]}))
        return evidence


def _documents(playbook: Playbook) -> list[str]:
    words = playbook.match.words
    whole = [
        " ".join([playbook.title.zh, playbook.summary.zh, *(word for word in words if not word.isascii())]),
        " ".join([playbook.title.en, playbook.summary.en, *(word for word in words if word.isascii())]),
    ]
    return [text for text in map(folded, [*whole, *playbook.match.examples]) if text]


def kind_text(kind: str) -> Text | str:
    """The words for a kind of crisis; a kind that somebody added in a playbook is shown as written."""
    if kind in {known.value for known in CrisisType}:
        return Text(f"type.{kind}")
    key = f"playbook.kind_{kind}"
    return Text(key) if has(key) else kind


def industry_text(name: str) -> Text | str:
    """An industry by its name in the reader's language; one of somebody's own stays as it is written."""
    return Text(f"industry.{name}") if name in KNOWN_INDUSTRIES else name


def _kinds(playbook: Playbook, situation: Situation, reasons: list[Text]) -> float:
    best, chosen = 0.0, ""
    for position, kind in enumerate(playbook.crisis_types):
        weight = min(1.0, max(0.0, situation.kinds.get(kind, 0.0))) * (1.0 if position == 0 else LATER_KIND)
        weight *= GENERIC if kind in GENERIC_KINDS else 1.0
        if weight > best:
            best, chosen = weight, kind
    if chosen:
        params = {"kind": kind_text(chosen), "weight": f"{situation.kinds[chosen]:.2f}"}
        reasons.append(Text("playbook.match_kind", params))
    return best


def _frame(playbook: Playbook, situation: Situation, reasons: list[Text]) -> float:
    """The factor of industry, grade, subject and platform."""
    factor = 1.0
    if situation.industry in playbook.industries and situation.industry != "general":
        reasons.append(Text("playbook.match_industry", {"industry": industry_text(situation.industry)}))
    elif "general" in playbook.industries:
        factor *= ANY_INDUSTRY
        reasons.append(Text("playbook.match_general"))
    elif situation.industry != "general":
        factor *= OTHER_INDUSTRY
        reasons.append(
            Text("playbook.match_other_industry", {"industries": [industry_text(name) for name in playbook.industries]})
        )
    else:
        factor *= (ANY_INDUSTRY + OTHER_INDUSTRY) / 2
    grade = {"grade": Text(f"grade.{situation.grade.word}")}
    if situation.grade >= playbook.grades.start:
        reasons.append(Text("playbook.match_grade", grade))
    else:
        factor *= BELOW_GRADE
        start = Text(f"grade.{playbook.grades.start.word}")
        reasons.append(Text("playbook.match_below_grade", {**grade, "from": start}))
    if playbook.match.subject_kinds and situation.subject_kind not in playbook.match.subject_kinds:
        factor *= OTHER_SUBJECT
        reasons.append(Text("playbook.match_other_subject", {"kind": Text(f"kind.{situation.subject_kind}")}))
    if (
        playbook.match.platforms
        and situation.platforms
        and not set(playbook.match.platforms) & set(situation.platforms)
    ):
        factor *= OTHER_PLATFORM
    return factor


def _shift(score: float, playbook: Playbook, situation: Situation, reasons: list[Text]) -> float:
    """Policy posture, sensitive periods and past outcomes move what already fits; they never make a fit of nothing."""
    if situation.posture == "tightening" and playbook.match.compliance_weight:
        score += score * (1 - score) * playbook.match.compliance_weight
        reasons.append(Text("playbook.match_posture"))
    if situation.sensitive_period and playbook.match.sensitive_weight:
        score += score * (1 - score) * playbook.match.sensitive_weight
        reasons.append(Text("playbook.match_sensitive"))
    past = situation.outcomes.get(playbook.id)
    if past and past.runs > 0:
        trust = past.runs / (past.runs + PAST_RUNS)
        score += PAST_SHIFT * (2 * min(1.0, max(0.0, past.good)) - 1) * trust * min(1.0, 2 * score)
        key = "playbook.match_past_good" if past.good >= 0.5 else "playbook.match_past_bad"
        reasons.append(Text(key, {"runs": past.runs, "good": f"{past.good:.0%}"}))
    return min(1.0, max(0.0, score))
