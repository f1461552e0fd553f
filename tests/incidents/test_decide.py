"""Up at once, down slowly, never back and forth."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.incidents.decide import Move, decide
from bot.model.grade import Grade
from bot.model.incident import Incident, Status
from bot.warning.assess import thresholds

RULES = thresholds("general")
MINUTE = 60_000
NOW = 1_000_000 * MINUTE
NONE, BLUE, YELLOW, ORANGE, RED = Grade


def incident(grade: Grade, calm_minutes: int | None = None, **fields) -> Incident:
    base = Incident(
        id="I-1",
        kind="real",
        drill="",
        subject="s",
        subject_name="S",
        family="funds",
        crisis_type="other",
        title="",
        status=Status.OPEN,
        grade=grade,
        peak_grade=grade,
        opened_at=0,
        updated_at=0,
        calm_since=0 if calm_minutes is None else NOW - calm_minutes * MINUTE,
    )
    return replace(base, **fields)


@pytest.mark.parametrize(
    ("grade", "calm", "measured", "relaxed", "move", "after"),
    [
        (BLUE, None, ORANGE, ORANGE, Move.RAISE, ORANGE),
        (BLUE, 100, YELLOW, YELLOW, Move.RAISE, YELLOW),
        (ORANGE, None, ORANGE, ORANGE, Move.KEEP, ORANGE),
        (ORANGE, None, BLUE, ORANGE, Move.KEEP, ORANGE),
        (ORANGE, 10, BLUE, ORANGE, Move.HEATING, ORANGE),
        (ORANGE, None, BLUE, YELLOW, Move.COOLING, ORANGE),
        (ORANGE, 44, BLUE, YELLOW, Move.KEEP, ORANGE),
        (ORANGE, 45, BLUE, YELLOW, Move.LOWER, YELLOW),
        (ORANGE, 45, NONE, NONE, Move.LOWER, BLUE),
        (YELLOW, 29, NONE, NONE, Move.KEEP, YELLOW),
        (YELLOW, 30, NONE, NONE, Move.LOWER, BLUE),
        (RED, 59, NONE, ORANGE, Move.KEEP, RED),
        (RED, 60, NONE, ORANGE, Move.LOWER, ORANGE),
        (BLUE, None, NONE, NONE, Move.COOLING, BLUE),
        (BLUE, 179, NONE, NONE, Move.KEEP, BLUE),
        (BLUE, 180, NONE, NONE, Move.RESOLVE, BLUE),
    ],
)
def test_a_grade_is_gained_at_once_and_lost_after_its_holding_time(
    grade: Grade, calm: int | None, measured: Grade, relaxed: Grade, move: Move, after: Grade
) -> None:
    found = decide(incident(grade, calm), measured, relaxed, RULES, NOW)
    assert (found.move, found.grade) == (move, after)


@pytest.mark.parametrize("status", [Status.ACKNOWLEDGED, Status.RESPONDING])
def test_what_people_work_on_is_not_resolved_behind_their_backs(status: Status) -> None:
    assert decide(incident(BLUE, 999, status=status), NONE, NONE, RULES, NOW).move is Move.KEEP


def test_an_observed_incident_resolves_by_itself() -> None:
    assert decide(incident(BLUE, 180, status=Status.MONITORING), NONE, NONE, RULES, NOW).move is Move.RESOLVE


@pytest.mark.parametrize(
    ("manual", "measured", "move"), [(BLUE, RED, Move.HINT), (ORANGE, ORANGE, Move.KEEP), (ORANGE, NONE, Move.KEEP)]
)
def test_a_persons_grade_stands_and_stronger_signals_only_hint(manual: Grade, measured: Grade, move: Move) -> None:
    found = decide(incident(manual, 999, manual_grade=manual), measured, measured, RULES, NOW)
    assert (found.move, found.grade) == (move, manual)


_step = st.tuples(st.sampled_from(Grade), st.integers(0, 1), st.integers(1, 20))


def play(steps: list[tuple[Grade, int, int]]) -> list[tuple[int, Move, Grade, Grade]]:
    """Run measurements through the decision as the service does; ``(minute, move, before, after)`` of every change."""
    state, now, moves = incident(BLUE), NOW, []
    for measured, slack, minutes in steps:
        now += minutes * MINUTE
        found = decide(state, measured, Grade(min(measured + slack, RED)), RULES, now)
        if found.move in (Move.RAISE, Move.LOWER, Move.RESOLVE):
            moves.append(((now - NOW) // MINUTE, found.move, state.grade, found.grade))
        if found.move is Move.RESOLVE:
            break
        state = replace(state, grade=found.grade, calm_since=found.calm_since)
    return moves


@given(steps=st.lists(_step, max_size=120))
def test_no_measurements_make_it_flap(steps: list[tuple[Grade, int, int]]) -> None:
    moves = play(steps)
    minutes = sum(step[2] for step in steps)
    falls = [move for move in moves if move[1] is Move.LOWER]
    # A fall takes at least the shortest holding time, so falls, and with them rises, are bounded by the time passed.
    assert len(falls) <= minutes // 30
    assert sum(after - before for _, move, before, after in moves if move is Move.RAISE) <= (RED - BLUE) * (
        len(falls) + 1
    )
    for (at, move, *_), (before_at, *_) in zip(moves[1:], moves, strict=False):
        if move is Move.LOWER:
            assert at - before_at >= 30
    for _, move, before, after in moves:
        assert (after > before) if move is Move.RAISE else (after <= before)


def test_a_signal_that_swings_around_a_threshold_raises_once_and_stays() -> None:
    moves = play([(YELLOW if number % 2 else BLUE, 0, 5) for number in range(100)])
    assert [move[1] for move in moves] == [Move.RAISE]


def test_a_calm_day_brings_it_down_step_by_step_and_ends_it() -> None:
    moves = play([(RED, 0, 1), *((NONE, 0, 5) for _ in range(200))])
    assert [move[1] for move in moves] == [Move.RAISE, Move.LOWER, Move.RESOLVE]
    assert moves[-1][0] >= 60 + 180
