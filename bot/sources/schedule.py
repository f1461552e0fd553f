"""When a source is asked next, and how it is doing: pure decisions, tested as tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from bot.clock import DAY, HOUR, MINUTE, SECOND
from bot.config import SourceConfig
from bot.model.text import Text

# Failures in a row until the breaker opens, and until people are told.
BREAKER_AFTER = 5
FAILING_AFTER = 3
LONGEST_BACKOFF = 30 * MINUTE
LONGEST_BACKOFF_SENSITIVE = 5 * MINUTE
SHORTEST_BACKOFF = 10 * SECOND
PERMANENT_WAIT = 30 * MINUTE
MORE_WAIT = SECOND
# A source without a rhythm of its own yet counts as silent after a day; one with a rhythm after six times its usual
# gap, two hours at least: nobody is woken because a forum slept through the night's first hour.
UNKNOWN_SILENCE = DAY
SHORTEST_SILENCE = 2 * HOUR
GAPS_NEEDED = 5
GAP_FACTOR = 6
PUSH_GRACE = HOUR
POLL_GRACE = 10 * MINUTE

PUSHED = frozenset({"hook", "alertmanager"})


class Outcome(StrEnum):
    """How a poll ended. ``MORE``: well, and there is a rest to fetch at once. ``REFUSED``: in a way that a repetition
    cannot mend."""

    WELL = "well"
    MORE = "more"
    FAILED = "failed"
    REFUSED = "refused"


class Breaker(StrEnum):
    """Closed: asked as planned. Open: left alone after many failures. Half open: due for one trial."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Health(StrEnum):
    """``NEW``: not collected yet, and not late. The three that blind: silent, failing, missing."""

    NEW = "new"
    MEASURED = "measured"
    SILENT = "silent"
    FAILING = "failing"
    MISSING = "missing"
    PAUSED = "paused"

    @property
    def blind(self) -> bool:
        return self in (Health.SILENT, Health.FAILING, Health.MISSING)


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of a source. Moments are Unix milliseconds, 0 for never; ``gaps`` are milliseconds between the
    last arrivals of posts; ``watching_since`` is when this process began to look; ``cause`` is the last error."""

    first_seen_at: int = 0
    last_success_at: int = 0
    last_post_at: int = 0
    failures: int = 0
    gaps: Sequence[int] = ()
    watching_since: int = 0
    cause: Text | str = ""


def interval(config: SourceConfig, sensitive: bool) -> int:
    """Milliseconds between two polls; the faster of both in a sensitive period."""
    return max(min(config.every, config.every_sensitive) if sensitive else config.every, SECOND)


def next_due(
    config: SourceConfig,
    now: int,
    outcome: Outcome,
    failures: int,
    sensitive: bool,
    jitter: float,
    retry_after: int | None = None,
) -> int:
    """The moment of the next poll.

    ``failures`` counts this failure too; ``jitter`` is a random number from 0 to 1 that spreads sources over a tenth
    of their interval, so that a hundred of them do not ask in the same second. ``retry_after`` is what the other side
    asked for, in milliseconds, and never shortened.
    """
    usual = interval(config, sensitive)
    if outcome is Outcome.MORE:
        wait = float(MORE_WAIT)
    elif outcome is Outcome.WELL:
        wait = usual * (0.95 + 0.1 * jitter)
    else:
        longest = LONGEST_BACKOFF_SENSITIVE if sensitive else LONGEST_BACKOFF
        if outcome is Outcome.REFUSED:
            wait = PERMANENT_WAIT
        elif failures >= BREAKER_AFTER:
            wait = longest
        else:
            wait = max(usual, SHORTEST_BACKOFF) * 2 ** max(failures - 1, 0)
        # Trying less often than planned is the point; never more often.
        wait = max(min(wait, longest), usual) * (1 + 0.1 * jitter)
    return now + max(int(wait), min(retry_after or 0, DAY))


def breaker(failures: int, next_due_at: int, now: int) -> Breaker:
    """Where the circuit breaker of a source stands."""
    if failures < BREAKER_AFTER:
        return Breaker.CLOSED
    return Breaker.HALF_OPEN if now >= next_due_at else Breaker.OPEN


def silence_limit(config: SourceConfig, gaps: Sequence[int]) -> int:
    """How long without a new post is normal for this source; 0 where silence means nothing (imports by hand)."""
    if config.silent_after:
        return config.silent_after
    if config.kind in ("file", "demo"):
        return 0
    if len(gaps) < GAPS_NEEDED:
        return UNKNOWN_SILENCE
    return max(int(GAP_FACTOR * median(gaps)), SHORTEST_SILENCE)


def health(config: SourceConfig, record: Record, now: int) -> tuple[Health, Text]:
    """How a source is doing, with the reason in words."""
    if not config.enabled:
        return Health.PAUSED, Text("sources.reason.paused")
    cause = record.cause or Text("sources.reason.no_cause")
    if not record.last_success_at:
        return _never_collected(config, record, now, cause)
    if record.failures >= FAILING_AFTER:
        return Health.FAILING, Text("sources.reason.failing", {"failures": record.failures, "cause": cause})
    limit = silence_limit(config, record.gaps)
    # While nobody looked, nothing could come in: silence counts from the start of this process at the earliest.
    heard_at = max(record.last_post_at, record.watching_since)
    if limit and now - heard_at > limit:
        params = {"age": age(now - (record.last_post_at or record.first_seen_at))}
        if config.silent_after:
            return Health.SILENT, Text("sources.reason.silent_fixed", params | {"limit": age(limit)})
        return Health.SILENT, Text("sources.reason.silent", params | {"usual": age(limit)})
    if not record.last_post_at:
        return Health.MEASURED, Text("sources.reason.measured_no_post")
    return Health.MEASURED, Text("sources.reason.measured", {"age": age(now - record.last_post_at)})


def _never_collected(config: SourceConfig, record: Record, now: int, cause: Text | str) -> tuple[Health, Text]:
    since = max(record.first_seen_at, record.watching_since)
    if config.kind in PUSHED:
        if now - since > (config.silent_after or PUSH_GRACE):
            return Health.MISSING, Text("sources.reason.missing_push")
    elif config.kind == "demo" or (config.kind == "file" and not config.path):
        pass  # fed by hand, whenever somebody has something
    elif record.failures >= FAILING_AFTER or now - since > max(POLL_GRACE, 3 * config.every):
        return Health.MISSING, Text("sources.reason.missing", {"cause": cause})
    return Health.NEW, Text("sources.reason.new")


def age(milliseconds: int) -> Text:
    """A span as people say it: minutes, hours from 90 minutes on, days from 48 hours on."""
    if milliseconds >= 2 * DAY:
        return Text("sources.age.days", {"count": milliseconds // DAY})
    if milliseconds >= 90 * MINUTE:
        return Text("sources.age.hours", {"count": round(milliseconds / HOUR)})
    return Text("sources.age.minutes", {"count": max(milliseconds // MINUTE, 1)})
