"""Counts over time, read from the minute buckets: what charts draw. Synchronous functions of the open database."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlite_utils import Database

from bot.clock import HOUR, MINUTE, SECOND
from bot.model.grade import GENERAL_FAMILY, Grade
from bot.store import counts
from bot.warning.baseline import HOURS_A_WEEK, WEEKS, baseline

NEGATIVE, NEUTRAL, POSITIVE = -1, 0, 1  # a bucket's sentiment
SECOND_STEPS = (15, 30)
MINUTE_STEPS = (1, 2, 5, 10, 30, 60, 180, 360, 720, 1440)
MOST_BARS = 40
# A span shorter than a quarter of an hour is drawn in seconds, from the posts themselves, while they are few.
MOST_POSTS_READ = 20_000
SPANS = tuple(minutes * MINUTE for minutes in (10, 30, 60, 180))
ENOUGH_POSTS = 20  # with fewer nobody can tell where the matter begins


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
    choices = [*(seconds * SECOND for seconds in SECOND_STEPS), *(minutes * MINUTE for minutes in MINUTE_STEPS)]
    return next((step for step in choices if span / step <= MOST_BARS), choices[-1])


def fitting_span(
    db: Database, subjects: Sequence[str], now: int, longest: int, families: Sequence[str] = (), drill: str = ""
) -> int:
    """How far back a chart should reach so that one sees what goes on: some more than the time in which nearly all
    posts of ``longest`` came in. ``longest`` where they came evenly or where there are few."""
    where, params = _filter(subjects, families, drill)
    rows = db.conn.execute(
        f"SELECT minute, SUM(count) FROM bucket WHERE {where} AND minute > ? AND minute <= ? GROUP BY minute"
        " ORDER BY minute DESC",
        (*params, (now - longest) // MINUTE, now // MINUTE),
    ).fetchall()
    total = sum(count for _, count in rows)
    if total < ENOUGH_POSTS:
        return longest
    seen = 0
    for minute, count in rows:
        seen += count
        if seen >= 0.9 * total:
            wanted = 2 * (now - minute * MINUTE)
            return next((span for span in SPANS if wanted <= span < longest), longest)
    return longest


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
    if step < MINUTE and _posts(db, _filter(subjects, families, drill), start, end) > MOST_POSTS_READ:
        step = MINUTE
    first = start // step * step if aligned else end // MINUTE * MINUTE + MINUTE - (end - start) // step * step
    length = max(1, -(-(end - first) // step))
    found = {code: [0] * length for code in (NEGATIVE, NEUTRAL, POSITIVE)}
    platforms: dict[str, int] = {}
    for at, sentiment, platform, count in _counts(db, _filter(subjects, families, drill), first, length * step, step):
        found[sentiment][(at - first) // step] += count
        platforms[platform] = platforms.get(platform, 0) + count
    return Series(
        start=first,
        step=step,
        negative=tuple(found[NEGATIVE]),
        neutral=tuple(found[NEUTRAL]),
        positive=tuple(found[POSITIVE]),
        platforms=tuple(sorted(platforms.items(), key=lambda item: (-item[1], item[0]))),
        partial=aligned and first + length * step > end,
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


def _counts(
    db: Database, where: tuple[str, tuple[str, ...]], first: int, span: int, step: int
) -> list[tuple[int, int, str, int]]:
    """``(moment, sentiment, platform, count)``: from the minute buckets, for finer steps from the posts."""
    if step < MINUTE:
        return db.conn.execute(
            f"SELECT published_at, sentiment, platform, 1 FROM mention WHERE {where[0]} AND published_at >= ?"
            " AND published_at < ?",
            (*where[1], first, first + span),
        ).fetchall()
    return db.conn.execute(
        f"SELECT minute * {MINUTE}, sentiment, platform, SUM(count) FROM bucket WHERE {where[0]} AND minute >= ?"
        " AND minute < ? GROUP BY minute, sentiment, platform",
        (*where[1], first // MINUTE, (first + span) // MINUTE),
    ).fetchall()


def _posts(db: Database, where: tuple[str, tuple[str, ...]], start: int, end: int) -> int:
    row = db.conn.execute(
        f"SELECT COALESCE(SUM(count), 0) FROM bucket WHERE {where[0]} AND minute >= ? AND minute <= ?",
        (*where[1], start // MINUTE, end // MINUTE),
    ).fetchone()
    return int(row[0])


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
