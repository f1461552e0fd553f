"""Counts over time, read from the minute buckets: what charts draw. Synchronous functions of the open database."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlite_utils import Database

from bot.clock import HOUR, MINUTE
from bot.model.grade import GENERAL_FAMILY, Grade
from bot.store import counts
from bot.warning.baseline import HOURS_A_WEEK, WEEKS, baseline

NEGATIVE, NEUTRAL, POSITIVE = -1, 0, 1  # a bucket's sentiment


@dataclass(frozen=True, slots=True)
class Series:
    """Posts per step. ``start`` is the beginning of the first step, ``step`` its length, both in milliseconds; the
    three tuples have one count per step; ``platforms`` are (platform, count), most first. ``usual`` is what
    a step has at this hour of the week, ``None`` where the history is too short to say. ``partial`` says that
    the last step is not over yet."""

    start: int
    step: int
    negative: tuple[int, ...]
    neutral: tuple[int, ...]
    positive: tuple[int, ...]
    platforms: tuple[tuple[str, int], ...] = ()
    usual: tuple[float | None, ...] = ()
    partial: bool = False

    @property
    def end(self) -> int:
        return self.start + self.step * len(self.negative)

    @property
    def totals(self) -> tuple[int, ...]:
        return tuple(map(sum, zip(self.negative, self.neutral, self.positive, strict=True)))

    @property
    def posts(self) -> int:
        return sum(self.totals)


@dataclass(frozen=True, slots=True)
class GradeChange:
    """An incident took this grade at this moment."""

    at: int
    grade: Grade


def families_of(family: str) -> tuple[str, ...]:
    """The families whose posts belong to an incident of one: its own and the general one, which joins whatever is
    open."""
    return (family,) if family == GENERAL_FAMILY else (family, GENERAL_FAMILY)


def step_for(span: int) -> int:
    """A step that cuts a span (milliseconds) into something like thirty bars."""
    choices = (1, 2, 5, 10, 30, 60, 180, 360, 720, 1440)
    return next((step * MINUTE for step in choices if span / (step * MINUTE) <= 40), 1440 * MINUTE)


def read_series(
    db: Database,
    subjects: Sequence[str],
    start: int,
    end: int,
    step: int,
    families: Sequence[str] = (),
    drill: str = "",
    *,
    usual: bool = True,
    aligned: bool = True,
) -> Series:
    """Counts of posts about ``subjects`` in [start, end), widened to whole steps; no ``families`` means all.

    ``aligned`` begins the steps at round clock times; without it they end at ``end``, so that none is partial.
    """
    first = start // step * step if aligned else end // MINUTE * MINUTE + MINUTE - (end - start) // step * step
    length = max(1, -(-(end - first) // step))
    found = {code: [0] * length for code in (NEGATIVE, NEUTRAL, POSITIVE)}
    platforms: dict[str, int] = {}
    where, params = _filter(subjects, families, drill)
    minutes = (first // MINUTE, (first + length * step) // MINUTE)
    rows = db.conn.execute(
        f"SELECT minute, sentiment, platform, SUM(count) FROM bucket WHERE {where} AND minute >= ? AND minute < ?"
        " GROUP BY minute, sentiment, platform",
        (*params, *minutes),
    )
    for minute, sentiment, platform, count in rows:
        found[sentiment][(minute * MINUTE - first) // step] += count
        platforms[platform] = platforms.get(platform, 0) + count
    return Series(
        start=first,
        step=step,
        negative=tuple(found[NEGATIVE]),
        neutral=tuple(found[NEUTRAL]),
        positive=tuple(found[POSITIVE]),
        platforms=tuple(sorted(platforms.items(), key=lambda item: (-item[1], item[0]))),
        partial=first + length * step > end // MINUTE * MINUTE + MINUTE,
        usual=_usual(db, subjects, families, drill, first, step, length) if usual else (),
    )


def read_grade_changes(db: Database, incident: str, opened_at: int, grade: Grade) -> tuple[GradeChange, ...]:
    """The grades an incident had, from its timeline; where the timeline names none, the present one since opening."""
    rows = db.conn.execute(
        "SELECT happened_at, json_extract(params, '$.grade') FROM timeline WHERE incident = ? ORDER BY happened_at, id",
        (incident,),
    )
    changes: list[GradeChange] = []
    for at, word in rows:
        if not isinstance(word, str) or word.upper() not in Grade.__members__:
            continue
        found = Grade.from_word(word)
        if not changes or changes[-1].grade is not found:
            changes.append(GradeChange(at, found))
    return tuple(changes) or (GradeChange(opened_at, grade),)


def _filter(subjects: Sequence[str], families: Sequence[str], drill: str) -> tuple[str, tuple[str, ...]]:
    where = f"subject IN ({', '.join('?' * len(subjects))}) AND drill = ?"
    if families:
        where += f" AND family IN ({', '.join('?' * len(families))})"
    return where, (*subjects, drill, *families)


def _usual(
    db: Database, subjects: Sequence[str], families: Sequence[str], drill: str, first: int, step: int, length: int
) -> tuple[float | None, ...]:
    """What the warning room calls usual at each hour, scaled from an hour to a step."""
    hours = {(first + index * step) // HOUR for index in range(length)}
    totals: dict[int, float | None] = dict.fromkeys(hours)
    wanted = frozenset(families) or None
    for subject in subjects:
        rows = counts.hours(db, subject, drill, min(hours) - WEEKS * HOURS_A_WEEK - 1, max(hours))
        oldest = counts.first_hour(db, subject, drill)
        for hour in hours:
            found = baseline(rows, wanted, hour, oldest)
            if found is not None:
                totals[hour] = (totals[hour] or 0.0) + found.mentions * step / HOUR
    return tuple(totals[(first + index * step) // HOUR] for index in range(length))
