"""``fengbo detect``: counts as CSV in, the same lines with ``anomaly_score`` and ``alarm`` out, one line at a time.

Nothing is lost: other columns stay, a line that cannot be judged comes out with both fields empty and is named with
what to mend, and bytes that are no UTF-8 pass through unchanged.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib import resources

from bot import quick_yaml
from bot.model.text import Text, UserError
from bot.warning.burst import BurstDetector, Reading, is_count

SCORE, ALARM = "anomaly_score", "alarm"
DELIMITERS = ",;\t"
FORMATS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d")
EMPTY_VALUES = frozenset({"", "na", "n/a", "nan", "null", "none", "-"})
MILLISECONDS_FROM = 1e11  # a number this large is milliseconds, not seconds
LONGEST_FIELD = 1_000_000

Complain = Callable[[int, Text], None]


class Unjudged(Exception):
    """A line that cannot be judged; ``text`` says what to mend."""

    def __init__(self, key: str, **params: object) -> None:
        super().__init__(key)
        self.text = Text(f"detect.{key}", params)


@dataclass(frozen=True, slots=True)
class _Columns:
    """Places in a row; ``width`` is the header's. Without a place of their own, score and alarm come after it."""

    time: int
    value: int
    width: int
    score: int | None
    alarm: int | None


def detect_lines(lines: Iterable[str], complain: Complain) -> Iterator[str]:
    """Lines of CSV (each with its line end) in and out. ``complain(line number from 1, problem)`` hears of lines that
    cannot be judged. A first line without a time is the header; without one, time and value are the first two columns.

    Raises ``UserError`` where the columns cannot be told or the file is no CSV."""
    source = iter(lines)
    first = next(source, None)
    if first is None:
        raise UserError("detect.empty")
    delimiter = max(DELIMITERS, key=first.count)
    csv.field_size_limit(LONGEST_FIELD)
    reader = csv.reader(_chain(first.removeprefix("\ufeff"), source), delimiter=delimiter)
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    detector = BurstDetector()
    columns: _Columns | None = None
    try:
        for row in reader:
            if columns is None and row:
                columns, header = _columns(row)
                writer.writerow(_placed(header, columns, SCORE, ALARM))
                yield _taken(out)
                if header is row:
                    continue
            if not row or columns is None:
                yield "\n"
                continue
            try:
                reading = _judge(row, columns, detector)
                writer.writerow(_placed(row, columns, f"{reading.score:.6f}", str(int(reading.alarm))))
            except Unjudged as problem:
                complain(reader.line_num, problem.text)
                writer.writerow(_placed(row, columns, "", ""))
            yield _taken(out)
    except csv.Error as error:
        raise UserError("detect.no_csv", line=reader.line_num, error=str(error)) from None


def _chain(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _taken(out: io.StringIO) -> str:
    text = out.getvalue()
    out.seek(0)
    out.truncate()
    return text


@cache
def _column_names() -> dict[str, list[str]]:
    """What the two columns may be called, first choice first."""
    text = resources.files(__package__).joinpath("csv_columns.yaml").read_text(encoding="utf-8")
    return quick_yaml.load(text)  # type: ignore[no-any-return]


def _columns(row: Sequence[str]) -> tuple[_Columns, Sequence[str]]:
    """Where things stand, and the header: the row itself, or a made one if the row has data already."""
    names = [name.strip().casefold() for name in row]
    known = _column_names()
    time = next((names.index(name) for name in known["time"] if name in names), None)
    value = next((names.index(name) for name in known["value"] if name in names), None)
    header: Sequence[str] = row
    if time is None or value is None:
        try:
            moment(row[0])
        except Unjudged:
            raise UserError("detect.no_columns", found=", ".join(row)[:200]) from None
        if len(row) < 2:
            raise UserError("detect.no_columns", found=", ".join(row)[:200])
        time, value = 0, 1
        header = ["timestamp", "value", *(f"column_{number}" for number in range(3, len(row) + 1))]
        names = list(header)
    return _Columns(time, value, len(names), _place(names, SCORE), _place(names, ALARM)), header


def _place(names: Sequence[str], name: str) -> int | None:
    return names.index(name) if name in names else None


def _placed(row: Sequence[str], columns: _Columns, score: str, alarm: str) -> list[str]:
    """The row with its two fields, in their own columns if it has them; cells beyond the header stay at the end."""
    kept = [*row[: columns.width], *[""] * (columns.width - len(row))]
    added = []
    for place, value in ((columns.score, score), (columns.alarm, alarm)):
        if place is None:
            added.append(value)
        else:
            kept[place] = value
    return [*kept, *added, *row[columns.width :]]


def _judge(row: Sequence[str], columns: _Columns, detector: BurstDetector) -> Reading:
    if len(row) <= max(columns.time, columns.value):
        raise Unjudged("short", n=len(row))
    at = moment(row[columns.time])
    value = count(row[columns.value])
    try:
        return detector.update(value, at)
    except ValueError:
        raise Unjudged("order", at=row[columns.time].strip()[:40]) from None


def moment(text: str) -> float:
    """ISO 8601, ``2025/9/1 8:05`` or Unix seconds or milliseconds → Unix seconds; without a zone it is taken as it
    stands. Raises ``Unjudged``."""
    stripped = text.strip()
    try:
        number = float(stripped)
    except ValueError:
        pass
    else:
        seconds = number / 1000 if number >= MILLISECONDS_FROM else number
        if 0 < seconds < MILLISECONDS_FROM:
            return seconds
        raise Unjudged("time", value=stripped[:40])
    parsed = _parsed(stripped.replace("/", "-"))
    if parsed is None:
        raise Unjudged("time", value=stripped[:40])
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()


def _parsed(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    for form in FORMATS:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007 - a zone is added by the caller
        except ValueError:
            continue
    return None


def count(text: str) -> float:
    """A count. Raises ``Unjudged``: for a missing value, which is a gap and not a zero, and for what is no count."""
    stripped = text.strip()
    if stripped.casefold() in EMPTY_VALUES:
        raise Unjudged("gap")
    try:
        value = float(stripped.replace("_", "?"))  # Python reads 1_000; nobody else does
    except ValueError:
        raise Unjudged("value", value=stripped[:40]) from None
    if not is_count(value):
        raise Unjudged("negative" if value < 0 else "value", value=stripped[:40])
    return value
