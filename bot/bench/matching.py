"""How often the right playbook is recommended, on written situations: classify the words, rank, look at the place.

The situations stand in ``bench/matching_situations.yaml``, written without a look at the playbooks' own words, half of
them for tuning and half held out. Those of ``bench/matching_fresh.yaml`` came later, many short and vague; nothing was
tuned on them.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot import quick_yaml
from bot.analysis.crisis_types import classify
from bot.bench.result import Result, named
from bot.model.grade import Grade
from bot.response.library import load_library, shipped_folder
from bot.response.match import Matcher, Situation
from bot.response.schema import Playbook
from bot.response.similarity import folded

FOLDER = Path(__file__).resolve().parents[2] / "bench"
FILE = FOLDER / "matching_situations.yaml"
FRESH = FOLDER / "matching_fresh.yaml"  # written when method and library were settled
WORDINGS = ("operations", "public")
FIRST_TARGET, TOP_TARGET = 90.0, 98.0


@dataclass(frozen=True, slots=True)
class Told:
    """One situation as one person tells it. ``half``: tune, held-out, fresh; ``right``: every playbook that serves."""

    id: str
    half: str
    wording: str
    language: str
    industry: str
    grade: Grade
    right: tuple[str, ...]
    posts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """``place`` of the right playbook from 1, or 0 if it was not ranked; ``ranked`` the first three with scores."""

    told: Told
    place: int
    ranked: tuple[tuple[str, float], ...]


def read_situations(file: Path = FILE) -> list[Told]:
    """All situations, each twice. Raises ``OSError``, or ``KeyError`` for one that is not complete."""
    rows = quick_yaml.load(file.read_text(encoding="utf-8"))["situations"]
    halves = dict.fromkeys((row["id"] for row in rows), "fresh")
    if file.name != FRESH.name:
        halves = split(list(halves))
    return [
        Told(
            row["id"],
            halves[row["id"]],
            wording,
            row[wording]["language"],
            row["industry"],
            Grade.from_word(row["grade"]),
            (row["playbook"], *row.get("also", ())),
            tuple(row[wording]["posts"]),
        )
        for row in rows
        for wording in WORDINGS
    ]


def split(ids: Sequence[str]) -> dict[str, str]:
    """Id → tune or held-out: half and half, by the digests of the ids and nothing else."""
    ordered = sorted(ids, key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    return {name: "tune" if place < len(ordered) // 2 else "held-out" for place, name in enumerate(ordered)}


def judge(situations: Sequence[Told], playbooks: Sequence[Playbook]) -> list[Verdict]:
    """One verdict per telling whose right playbook is in the library."""
    known = {playbook.id for playbook in playbooks}
    matcher = Matcher(playbooks)
    return [_judged(told, matcher) for told in situations if known & set(told.right)]


def _judged(told: Told, matcher: Matcher) -> Verdict:
    kinds: dict[str, float] = {}
    for hits in classify([folded(post) for post in told.posts]):
        for hit in hits:
            kinds[hit.type] = max(kinds.get(hit.type, 0.0), hit.weight)
    ranked = matcher.rank(Situation(kinds=kinds, industry=told.industry, grade=told.grade, texts=told.posts))
    place = next((number for number, match in enumerate(ranked, 1) if match.playbook_id in told.right), 0)
    return Verdict(told, place, tuple((match.playbook_id, match.score) for match in ranked[:3]))


def rates(verdicts: Sequence[Verdict]) -> tuple[float, float]:
    """Percent with the right playbook first, and among the first three; not a number for none."""
    if not verdicts:
        return float("nan"), float("nan")
    first = sum(verdict.place == 1 for verdict in verdicts)
    top = sum(1 <= verdict.place <= 3 for verdict in verdicts)
    return 100 * first / len(verdicts), 100 * top / len(verdicts)


def run(file: Path = FILE, fresh: Path = FRESH) -> list[Result]:
    """The figures over all situations (with targets), over the half that nobody tuned on, and over those written later.
    Raises ``OSError``."""
    playbooks = load_library(shipped_folder()).playbooks()
    verdicts = judge(read_situations(file), playbooks)
    later = judge(read_situations(fresh), playbooks)
    held_out = [verdict for verdict in verdicts if verdict.told.half == "held-out"]
    first, top = rates(verdicts)
    held_first, held_top = rates(held_out)
    later_first, later_top = rates(later)
    return [
        Result(named("matching_first", count=len(verdicts)), first, "%", at_least=FIRST_TARGET),
        Result(named("matching_top", count=len(verdicts)), top, "%", at_least=TOP_TARGET),
        Result(named("matching_held_first", count=len(held_out)), held_first, "%", at_least=FIRST_TARGET),
        Result(named("matching_held_top", count=len(held_out)), held_top, "%", at_least=TOP_TARGET),
        Result(named("matching_fresh_first", count=len(later)), later_first, "%"),
        Result(named("matching_fresh_top", count=len(later)), later_top, "%"),
    ]
