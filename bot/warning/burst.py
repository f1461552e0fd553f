"""Bursts in a stream of counts, causally: how surprising is this value after everything that came before?

Four windows that end now (one value, 15 minutes, an hour, four hours) are each compared, as the logarithm of a ratio,
with what is usual at this hour of the day and week. How far such a ratio usually strays is learnt per window from the
series itself: above a high quantile the distances of bursts are exponential, in counts a Pareto tail, so that a series
which leaps every day must leap higher. The surprise of a window is its distance past that quantile in mean excesses,
that is minus the logarithm of a tail probability; the surprises of the windows are added up.

News is what exceeds the recent past: a fading memory of earlier surprise is taken off, and within one episode only a
new height scores again. A quiet day later the same height is news once more.

Counts from a tenth to thousands a minute work alike because every window carries a few pseudo-counts; a value that is
missing is left out of every window and average, it is not a zero.
"""

from collections import deque
from dataclasses import dataclass, field, replace
from math import exp, isfinite, log

HOUR_SECONDS = 3_600.0
DAY_SECONDS = 86_400.0
SPANS = (0.0, 900.0, HOUR_SECONDS, 4 * HOUR_SECONDS)
LEAST_ROWS = (1, 2, 3, 6)  # where values come less often, a window has this many at least
STEPS_KEPT = 25  # the interval is the median of this many last differences
SELDOM, MOST_UP = 6 * HOUR_SECONDS, 0.3
MOST = 1e15  # a larger count is no count


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting for every series. Times are days; ``tail`` is the share of values below the tail's beginning."""

    level_days: float = 6.0
    season_visits: float = 22.0
    week_visits: float = 12.0
    pseudo_counts: float = 10.0
    tail: float = 0.996
    tail_days: float = 25.0
    tail_start: float = 0.7
    tail_step: float = 0.16
    excess: float = 0.75
    least_excess: float = 0.2
    excess_weight: float = 7.0
    excess_days: float = 5.0
    clip: float = 0.86
    memory: float = 0.5
    memory_days: float = 2.0
    episode_days: float = 0.85
    episode_factor: float = 1.1
    alarm: float = 2.5
    """The news of a value that is an alarm; there the score is one half."""


SETTING = Setting()


@dataclass(frozen=True, slots=True)
class Reading:
    """What one value says. ``score`` is 0–1 and one half at the alarm; ``expected`` is the usual value of one
    interval; ``surprise`` how unlikely the windows are, before news is told from what went on already."""

    score: float
    alarm: bool
    expected: float
    surprise: float


@dataclass(slots=True)
class _Window:
    """One span: the values in it, where its tail begins, and how far the tail reaches."""

    span: float
    least: int
    start: float
    excess: float
    weight: float
    total: float = 0.0
    values: deque[tuple[float, float]] = field(default_factory=deque)


@dataclass(slots=True)
class BurstDetector:
    """State of one series. ``update`` takes its values in the order of time; memory and work per value are bounded."""

    setting: Setting = SETTING
    _began: float = 0.0
    _last: float = 0.0
    _step: float = 0.0
    _steps: deque[float] = field(default_factory=lambda: deque(maxlen=STEPS_KEPT))
    _rows: int = 0
    _level: float = 0.0
    _hours: int = 0
    _day: list[float] = field(default_factory=lambda: [0.0] * 24)
    _day_visits: list[int] = field(default_factory=lambda: [0] * 24)
    _week: list[float] = field(default_factory=lambda: [0.0] * 168)
    _week_visits: list[int] = field(default_factory=lambda: [0] * 168)
    _hour: int = -1
    _hour_sum: float = 0.0
    _hour_rows: int = 0
    _windows: tuple[_Window, ...] = ()
    _memory: float = 0.0
    _episode: float = 0.0

    def update(self, value: float, at: float) -> Reading:
        """Judge ``value``, the count of one interval, at ``at`` (Unix seconds), and learn from it.

        Raises ``ValueError`` for what is no count and for a moment that is not after the one before."""
        if not 0 <= value <= MOST:
            raise ValueError("count")
        setting = self.setting
        if not self._rows:
            self._begin(value, at)
        elif at <= self._last:
            raise ValueError("order")
        else:
            self._pace(at - self._last)
            if self._rows == 1:  # only now it is known how much of an hour a value is
                self._level = log(self._windows[0].total + self._offset())
        hour = int(at // HOUR_SECONDS)
        if hour != self._hour:
            self._close_hour()
            self._hour, self._hour_sum, self._hour_rows = hour, 0.0, 0
        expected = max(0.0, exp(self._usual(at, hour)) - self._offset())
        surprise = self._surprise(value, at, expected)
        news = surprise - setting.memory * self._memory
        step = self._step
        self._memory = max(self._memory * exp(-step / (setting.memory_days * DAY_SECONDS)), surprise)
        self._episode *= exp(-step / (setting.episode_days * DAY_SECONDS))
        # On its first day nobody knows a series well enough to be surprised by it.
        news *= min(1.0, (at - self._began) / DAY_SECONDS)
        shown = news if news > max(0.0, self._episode * setting.episode_factor) else 0.0
        self._episode = max(self._episode, news)
        self._hour_sum += value
        self._hour_rows += 1
        self._rows += 1
        self._last = at
        return Reading(shown / (shown + setting.alarm), shown >= setting.alarm, expected, surprise)

    def peek(self, value: float, at: float) -> float:
        """How much of an alarm ``value`` would be at ``at``, without learning from it: 0–1, one half at the alarm. What
        was alarming before ``at`` is taken off; within ``at``'s own episode it stays as high as it is."""
        trial = self.copy()
        trial._episode = 0.0
        return trial.update(value, at).score

    def copy(self) -> "BurstDetector":
        """The same state again, changed by nobody else's updates."""
        return replace(
            self,
            _steps=self._steps.copy(),
            _day=self._day.copy(),
            _day_visits=self._day_visits.copy(),
            _week=self._week.copy(),
            _week_visits=self._week_visits.copy(),
            _windows=tuple(replace(window, values=window.values.copy()) for window in self._windows),
        )

    def _begin(self, value: float, at: float) -> None:
        setting = self.setting
        self._began = at
        self._hour = int(at // HOUR_SECONDS)
        self._level = log(value + self._offset())
        self._windows = tuple(
            _Window(span, least, setting.tail_start, setting.excess, setting.excess_weight)
            for span, least in zip(SPANS, LEAST_ROWS, strict=True)
        )

    def _pace(self, passed: float) -> None:
        """Learn how often values come; a gap changes nothing, for the median does not see it."""
        if passed != self._step or len(self._steps) < STEPS_KEPT:
            self._steps.append(passed)
            if passed != self._step:
                self._step = sorted(self._steps)[(len(self._steps) - 1) // 2]

    def _offset(self) -> float:
        """Pseudo-counts as a share of one interval: what keeps logarithms of small rates calm."""
        return self.setting.pseudo_counts * min(1.0, (self._step or 300.0) / HOUR_SECONDS)

    def _usual(self, at: float, hour: int) -> float:
        """Logarithm of the usual value (with its offset); between two hours it goes over smoothly."""
        day = self._day
        slot = hour % 24
        if self._step >= HOUR_SECONDS:
            return self._level + day[slot] + self._week[hour % 168]
        into = at / HOUR_SECONDS - hour
        beside = (slot + (23 if into < 0.5 else 1)) % 24
        share = abs(into - 0.5)
        return self._level + day[slot] * (1 - share) + day[beside] * share + self._week[hour % 168]

    def _close_hour(self) -> None:
        """Learn level and season from an hour that is over; a burst is clipped and so does not become the norm."""
        if not self._hour_rows:
            return
        setting = self.setting
        slot, week = self._hour % 24, self._hour % 168
        found = log(self._hour_sum / self._hour_rows + self._offset())
        off = found - self._level - self._day[slot] - self._week[week]
        off = min(setting.clip, max(-setting.clip, off))
        self._hours += 1
        slow = max(HOUR_SECONDS, self._step) / (setting.level_days * DAY_SECONDS)
        self._level += off * min(0.5, max(slow, 1 / (1 + self._hours)))
        self._day_visits[slot] += 1
        self._day[slot] += off * max(1 / setting.season_visits, 0.7 / (1 + self._day_visits[slot]))
        self._week_visits[week] += 1
        self._week[week] += off / (setting.week_visits + self._week_visits[week])

    def _surprise(self, value: float, at: float, expected: float) -> float:
        setting = self.setting
        tail, step = setting.tail, self._step
        days = step / DAY_SECONDS
        move = min(0.2, max(days / setting.tail_days, 0.5 / (self._rows + 10))) * setting.tail_step
        up, slow = move * tail / (1 - tail), days / (setting.excess_days * (1 - tail))
        if step > SELDOM:  # a year of daily counts has two values in the tail: one must not move it out of reach
            up = min(up, MOST_UP)
        added = 0.0
        for window in self._windows:
            values = window.values
            values.append((at, value))
            window.total += value
            oldest = at - max(window.span, window.least * step) + 0.5 * step
            while values[0][0] < oldest:
                window.total -= values.popleft()[1]
            count = len(values)
            pseudo = setting.pseudo_counts
            off = log((max(0.0, window.total) + pseudo) / (expected * count + pseudo))
            over = off - window.start
            if over > 0:
                added += over / window.excess
                share = min(0.2, max(slow, 1 / (1 + window.weight)))
                window.weight += 1
                window.excess = max(
                    setting.least_excess, window.excess + share * (min(over, 4 * setting.clip) - window.excess)
                )
                window.start += up
            else:
                window.start -= move
        return added


def is_count(value: float) -> bool:
    """Whether the detector takes it."""
    return isfinite(value) and 0 <= value <= MOST
