"""From stored counts to verdicts: which story families of a subject deserve which grade now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlite_utils import Database

from bot.model.grade import FAMILY_OF_TYPE, GENERAL_FAMILY, CrisisType, Grade
from bot.model.incident import Incident
from bot.model.post import Subject
from bot.model.signal import Signal
from bot.store import counts
from bot.store import incidents as incident_store
from bot.warning.assess import Thresholds, assess
from bot.warning.baseline import BURST_WEEKS, HOURS_A_WEEK, WEEKS, Baseline, baseline, follow_bursts
from bot.warning.burst import HOUR_SECONDS, BurstDetector
from bot.warning.metrics import HOUR_MINUTES, SPEED_MINUTES, WINDOW_MINUTES, measure

MINUTE = 60_000
HOUR = 3_600_000
# A specific family leads (and takes the general talk with it) from this many negative posts in the hour on.
LEAD_MINIMUM = 3
SECOND_SHARE = 0.2
MOST_DETECTORS = 5_000  # some eight kilobytes each

_Key = tuple[str, str, frozenset[str], int]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The assessment of one family. ``incident`` is the live incident it concerns, empty where there is none;
    ``relaxed`` is the grade by easier thresholds, which decides whether a grade is kept. ``generic`` says that the
    crisis type names no cause of its own."""

    subject: str
    drill: str
    family: str
    crisis_type: str
    grade: Grade
    relaxed: Grade
    signals: tuple[Signal, ...]
    incident: str = ""
    generic: bool = False


class BaselineCache:
    """Baselines change by the hour; a cache of them spares the detection its largest query."""

    def __init__(self, capacity: int = 50_000) -> None:
        self._capacity = capacity
        self._entries: dict[_Key, Baseline | None] = {}
        self._bursts: dict[_Key, BurstDetector | None] = {}

    def get(self, db: Database, subject: str, drill: str, families: frozenset[str], hour: int) -> Baseline | None:
        key = (subject, drill, families, hour)
        if key not in self._entries:
            if len(self._entries) >= self._capacity:
                self._entries.clear()
            rows = counts.hours(db, subject, drill, hour - WEEKS * HOURS_A_WEEK - 1, hour - 1)
            self._entries[key] = baseline(rows, families, hour, counts.first_hour(db, subject, drill))
        return self._entries[key]

    def bursts(
        self, db: Database, subject: str, drill: str, families: frozenset[str], hour: int
    ) -> BurstDetector | None:
        """The detector that knows the hours before; a few milliseconds of work, so it is asked for when it matters."""
        key = (subject, drill, families, hour)
        if key not in self._bursts:
            if len(self._bursts) >= MOST_DETECTORS:
                self._bursts.clear()
            rows = counts.hours(db, subject, drill, hour - BURST_WEEKS * HOURS_A_WEEK, hour - 2)
            self._bursts[key] = follow_bursts(rows, families, hour, counts.first_hour(db, subject, drill))
        return self._bursts[key]

    def forget(self) -> None:
        """Drop everything: history was imported behind the cache's back."""
        self._entries.clear()
        self._bursts.clear()


def verdicts(
    db: Database,
    subject: Subject,
    drill: str,
    rules: Thresholds,
    baselines: BaselineCache,
    now: int,
    factor: float = 1.0,
) -> list[Verdict]:
    """Judge a subject now: one verdict for every live incident, and one for every family that has begun to matter."""
    minute, hour = now // MINUTE, now // HOUR
    # Of the older hour only carriers count, which are few; this is read every few seconds in a crisis.
    whole = minute - max(HOUR_MINUTES, 2 * SPEED_MINUTES) + 1
    buckets = counts.buckets(db, subject.id, drill, minute - WINDOW_MINUTES + 1, minute, whole)
    live = incident_store.live(db, subject=subject.id, drill=drill)
    if not buckets and not live:
        return []
    terms = counts.terms(db, subject.id, drill, minute - HOUR_MINUTES + 1, minute)
    day = counts.hours(db, subject.id, drill, hour - 23, hour)
    negatives: dict[str, int] = {}
    for bucket in buckets:
        if bucket.sentiment < 0 and minute - bucket.minute < HOUR_MINUTES:
            negatives[bucket.family] = negatives.get(bucket.family, 0) + bucket.count
    leading = leading_family(live, negatives)
    result = []
    candidates = _candidates(live, negatives, leading, rules)
    # Talk that makes no matter of its own belongs to the leading one: in a payout crisis somebody's "even the staff are
    # unpaid" is part of the story.
    minor = frozenset({*negatives, GENERAL_FAMILY}) - {family for family, _ in candidates}
    for family, incident in candidates:
        families = frozenset({family}) | minor if family == leading else frozenset({family})
        measured = measure(buckets, terms, day, families, minute)
        usual = baselines.get(db, subject.id, drill, families, hour)
        if measured.negative >= rules.metrics["burst_60m"]["minimum"]:
            bursts = baselines.bursts(db, subject.id, drill, families, hour)
            measured.burst = bursts.peek(measured.negative, hour * HOUR_SECONDS) if bursts else 0.0
        grade, signals = assess(measured, usual, subject, rules, factor=factor)
        relaxed, _ = assess(measured, usual, subject, rules, factor=factor * rules.numbers["fall_factor"])
        crisis_type = leading_type(measured.types, family)
        result.append(
            Verdict(
                subject.id, drill, family, crisis_type, grade, max(relaxed, grade), signals,
                incident.id if incident else "", FAMILY_OF_TYPE[CrisisType(crisis_type)] == GENERAL_FAMILY,
            )
        )  # fmt: skip
    return result


def leading_family(live: Sequence[Incident], negatives: Mapping[str, int]) -> str:
    """The family that general talk (complaints, rumours, a regulator's remark) belongs to now: the one of the worst
    live incident; without one the specific family with most negative posts, if it is more than a few."""
    specific = [incident.family for incident in live if incident.family != GENERAL_FAMILY]
    if specific:
        return specific[0]
    ranked = sorted(((count, family) for family, count in negatives.items() if family != GENERAL_FAMILY), reverse=True)
    if ranked and ranked[0][0] >= LEAD_MINIMUM:
        return ranked[0][1]
    return GENERAL_FAMILY


def leading_type(types: Mapping[str, int], family: str) -> str:
    """The crisis type that names the incident: the most frequent one of its own family, else of all, else other."""
    own = {name: count for name, count in types.items() if FAMILY_OF_TYPE[CrisisType(name)] == family}
    candidates = own or dict(types)
    if not candidates:
        return CrisisType.OTHER.value
    return max(candidates.items(), key=lambda item: (item[1], item[0]))[0]


def _candidates(
    live: Sequence[Incident], negatives: Mapping[str, int], leading: str, rules: Thresholds
) -> list[tuple[str, Incident | None]]:
    """Families to judge, each with its live incident. A general incident goes over to a leading specific family."""
    by_family: dict[str, Incident] = {}
    for incident in reversed(live):  # the worst one last, so that it wins
        by_family[incident.family] = incident
    result: dict[str, Incident | None] = dict(by_family)
    if leading != GENERAL_FAMILY and leading not in result and GENERAL_FAMILY in result:
        result[leading] = result.pop(GENERAL_FAMILY)
    result.setdefault(leading, None)
    blue, yellow = (rules.metrics["type_60m"][word] for word in ("blue", "yellow"))
    total = sum(negatives.values())
    for family, count in negatives.items():
        # Beside a larger crisis a second one must stand out: by its share of the talk or by its own size.
        if family != GENERAL_FAMILY and (count >= yellow or (count >= blue and count >= SECOND_SHARE * total)):
            result.setdefault(family, None)
    return list(result.items())
