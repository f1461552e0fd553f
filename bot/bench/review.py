"""How well the machine review tells statements that may go out from those that must not, and how long it takes.

The statements stand in ``bench/statements``: ``*_tune.yaml`` were written together with the rules, ``*_held_out.yaml``
after them and without another look at the rules.
"""

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot import quick_yaml
from bot.bench.result import Result, named
from bot.model.grade import Grade
from bot.model.statement import EarlierText, FactView, Finding, ReviewContext, Severity, StatementKind, Version
from bot.statements.review import review

FOLDER = Path(__file__).resolve().parents[2] / "bench" / "statements"
HALVES = ("tune", "held_out")
RECALL, BLOCKED, MILLISECONDS = 95.0, 5.0, 50.0
_LANGUAGES = {"zh": "zh-CN", "en": "en"}
_LENGTH, _ROUNDS = 2_000, 20


@dataclass(frozen=True, slots=True)
class Sample:
    """One statement of the set; ``must`` are the rules that have to block it, none for a good one."""

    id: str
    half: str
    must: frozenset[str]
    version: Version
    context: ReviewContext

    @property
    def good(self) -> bool:
        return not self.must


@dataclass(frozen=True, slots=True)
class Judged:
    sample: Sample
    findings: tuple[Finding, ...]

    @property
    def blocks(self) -> frozenset[str]:
        return frozenset(finding.rule for finding in self.findings if finding.severity is Severity.BLOCK)


def read_samples(folder: Path = FOLDER) -> list[Sample]:
    """The whole set; raises ``OSError`` or ``KeyError`` for one that is not complete."""
    found = []
    for half in HALVES:
        for quality in ("good", "bad"):
            file = folder / f"{quality}_{half}.yaml"
            rows = quick_yaml.load(file.read_text(encoding="utf-8")) if file.is_file() else []
            found += [_sample(row, half) for row in rows]
    return found


def _sample(row: Mapping[str, Any], half: str) -> Sample:
    language = _LANGUAGES[row["l"]]
    facts = {name: FactView(str(value), True) for name, value in (row.get("f") or {}).items()}
    facts |= {name: FactView(str(value), False) for name, value in (row.get("u") or {}).items()}
    earlier = tuple(
        EarlierText(item["statement"], item["audience"], language, "", item["body"], item.get("published", 1))
        for item in row.get("earlier", ())
    )
    context = ReviewContext(
        row["a"], language, grade=Grade.from_word(row["g"]), crisis_type=row["t"], cluster=row["c"],
        strategy=row.get("s", ""), facts=facts, tellable=frozenset(row["tell"]) if "tell" in row else None,
        earlier=earlier, subject_names=tuple(row.get("own", ())), internal_names=tuple(row.get("int", ())),
        targets=tuple(row.get("to", ())), denial_verified=bool(row.get("v")), hosts=tuple(row.get("hosts", ())),
        hotlines=tuple(row.get("hot", ())), kind=StatementKind(row.get("kind", "original")),
    )  # fmt: skip
    version = Version("S-900", 1, row["a"], language, row.get("title", ""), row["x"], "lina", "Li Na", "console", 0)
    return Sample(row["id"], half, frozenset(row.get("must", ())), version, context)


def judge(samples: Iterable[Sample]) -> list[Judged]:
    return [Judged(sample, review(sample.version, sample.context)) for sample in samples]


def recall(judged: Sequence[Judged]) -> float:
    """Percent of the blocks that had to be found and were; each rule of a bad statement counts."""
    wanted = sum(len(item.sample.must) for item in judged)
    found = sum(len(item.sample.must & item.blocks) for item in judged)
    return 100 * found / wanted if wanted else float("nan")


def stopped(judged: Sequence[Judged]) -> float:
    """Percent of bad statements that some block stops, whichever."""
    bad = [item for item in judged if not item.sample.good]
    return 100 * sum(bool(item.blocks) for item in bad) / len(bad) if bad else float("nan")


def blocked(judged: Sequence[Judged]) -> float:
    """Percent of good statements that are blocked."""
    good = [item for item in judged if item.sample.good]
    return 100 * sum(bool(item.blocks) for item in good) / len(good) if good else float("nan")


@dataclass(frozen=True, slots=True)
class RuleRow:
    """What one rule did: blocks that had to be and were, were not, and were made on good statements."""

    rule: str
    found: int
    missed: int
    wrong: int


def by_rule(judged: Sequence[Judged]) -> list[RuleRow]:
    found, missed, wrong = Counter[str](), Counter[str](), Counter[str]()
    for item in judged:
        found.update(item.sample.must & item.blocks)
        missed.update(item.sample.must - item.blocks)
        if item.sample.good:
            wrong.update(item.blocks)
    return [RuleRow(rule, found[rule], missed[rule], wrong[rule]) for rule in sorted(found | missed | wrong)]


def milliseconds(samples: Sequence[Sample]) -> float:
    """The median time of reviewing 2,000 characters of real statements, both languages taken."""
    texts = {}
    for language in _LANGUAGES.values():
        bodies = "\n".join(item.version.body for item in samples if item.version.language == language)
        texts[language] = bodies[:_LENGTH]
    facts = {name: fact for item in samples[:10] for name, fact in item.context.facts.items()}
    times = []
    for number in range(_ROUNDS + len(texts)):
        language = list(texts)[number % len(texts)]
        version = Version("S-900", number, "public", language, "", texts[language], "lina", "Li Na", "console", 0)
        began = time.perf_counter()
        review(version, ReviewContext("public", language, facts=facts))
        times.append(1000 * (time.perf_counter() - began))
    return sorted(times[len(texts) :])[_ROUNDS // 2]  # the first of each language loads the rules


def run(folder: Path = FOLDER) -> list[Result]:
    """The figures of the whole set (with targets) and of the part written blind. Raises ``OSError``."""
    samples = read_samples(folder)
    judged = judge(samples)
    held_out = [item for item in judged if item.sample.half == "held_out"]
    results = []
    for name, part in (("", judged), ("_held", held_out)):
        if not part:
            continue
        bad, good = (sum(item.sample.good is side for item in part) for side in (False, True))
        results += [
            Result(named(f"review_recall{name}", count=bad), recall(part), "%", at_least=RECALL),
            Result(named(f"review_stopped{name}", count=bad), stopped(part), "%"),
            Result(named(f"review_blocked{name}", count=good), blocked(part), "%", at_most=BLOCKED),
        ]
    results.append(Result(named("review_time", length=_LENGTH), milliseconds(samples), "ms", at_most=MILLISECONDS))
    return results
